//! The simulated exchange over HTTP, on loopback: so that it outlives the service that is killed.
//!
//! Knows routes and how a plan is carried out. Knows no book.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use super::weather::Answer;
use super::{Call, OrderRequest, Plan, Venue};
use crate::{Coins, Money};

/// A price or a balance of what.
#[derive(Debug, Deserialize)]
struct Of {
    symbol: String,
}

/// The answer to `GET /price`.
#[derive(Debug, Serialize, Deserialize)]
pub struct PriceAnswer {
    /// The price.
    pub price: Money,
}

/// The answer to `GET /balance`.
#[derive(Debug, Serialize, Deserialize)]
pub struct BalanceAnswer {
    /// Coins in the account.
    pub balance: Coins,
}

/// Serves the exchange on a port of loopback for as long as the runtime lives.
///
/// # Errors
/// When no port can be had.
pub async fn serve(venue: Arc<Venue>) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let router = router(venue);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the simulated exchange has ended");
        }
    });
    Ok(address)
}

fn router(venue: Arc<Venue>) -> Router {
    Router::new()
        .route("/price", get(price))
        .route("/balance", get(balance))
        .route("/orders", axum::routing::post(place))
        .route("/orders/{id}", get(order).delete(cancel))
        .with_state(venue)
}

/// Does it as planned. What takes effect does so even when the client has hung up meanwhile.
async fn carry_out<A: IntoResponse + Send + 'static>(
    plan: Plan,
    effect: impl FnOnce() -> A + Send + 'static,
) -> Response {
    let half = plan.delay / 2;
    let work = tokio::spawn(async move {
        tokio::time::sleep(half).await;
        let answer = plan.arrives.then(effect);
        tokio::time::sleep(half).await;
        answer
    });
    let answer = work.await;
    match (plan.answer, answer) {
        (Answer::Never, _) => std::future::pending().await,
        (Answer::True, Ok(Some(answer))) => answer.into_response(),
        _ => StatusCode::BAD_GATEWAY.into_response(),
    }
}

async fn price(State(venue): State<Arc<Venue>>, Query(of): Query<Of>) -> Response {
    let plan = venue.plan(Call::Look);
    let _asked = venue.asked(&of.symbol, Call::Look);
    carry_out(plan, move || {
        let price = venue.price(&of.symbol);
        Json(PriceAnswer { price })
    })
    .await
}

async fn balance(State(venue): State<Arc<Venue>>, Query(of): Query<Of>) -> Response {
    let plan = venue.plan(Call::Look);
    let _asked = venue.asked(&of.symbol, Call::Look);
    carry_out(plan, move || {
        let balance = venue.balance(&of.symbol, plan.stale);
        Json(BalanceAnswer { balance })
    })
    .await
}

async fn place(State(venue): State<Arc<Venue>>, Json(request): Json<OrderRequest>) -> Response {
    let plan = venue.plan(Call::Place);
    let _asked = venue.asked(&request.symbol, Call::Place);
    carry_out(plan, move || match venue.place(&request, plan.matching) {
        Ok(state) => Json(state).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    })
    .await
}

async fn order(State(venue): State<Arc<Venue>>, Path(id): Path<String>) -> Response {
    let plan = venue.plan(Call::Look);
    carry_out(plan, move || match venue.order(&id) {
        Some(state) => Json(state).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    })
    .await
}

async fn cancel(State(venue): State<Arc<Venue>>, Path(id): Path<String>) -> Response {
    let plan = venue.plan(Call::Look);
    carry_out(plan, move || match venue.cancel(&id) {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    })
    .await
}
