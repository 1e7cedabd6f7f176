//! The endpoints.
//!
//! Knows paths, bodies and answers. Calls the core, whose critical sections are memory only, and
//! waits for the disk, on threads that may wait. Does not know the protocol.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use futures_util::stream::{Stream, unfold};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::App;
use super::snapshot::{CurrencyAnswer, Snapshot, look};
use crate::{Currency, Refusal};

mod error;
mod gate;
pub mod listen;
mod wire;

pub use error::ApiError;

/// The description of this interface.
pub const OPENAPI: &str = include_str!("openapi.json");

/// Paths and the methods that they take.
pub const PATHS: [(&str, &str); 12] = [
    ("/", "get"),
    ("/healthz", "get"),
    ("/readyz", "get"),
    ("/metrics", "get"),
    ("/openapi.json", "get"),
    ("/events", "get"),
    ("/api/autotrader/currencies", "get"),
    ("/api/autotrader/stats", "get"),
    ("/api/autotrader/reset_cycle", "post"),
    ("/api/autotrader/resume_cycle", "post"),
    ("/api/autotrade/start", "post"),
    ("/api/autotrade/stop", "post"),
];

/// All endpoints.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/healthz", get(healthy))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(openapi))
        .route("/events", get(events))
        .route("/api/autotrader/currencies", get(currencies))
        .route("/api/autotrader/stats", get(stats))
        .route("/api/autotrader/reset_cycle", post(reset))
        .route("/api/autotrader/resume_cycle", post(resume))
        .route("/api/autotrade/start", post(start))
        .route("/api/autotrade/stop", post(stop))
        .method_not_allowed_fallback(async || {
            let message = "this path takes another method: see /openapi.json";
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", message)
        })
        .fallback(async || {
            let message = "there is no such path: see /openapi.json";
            ApiError::new(StatusCode::NOT_FOUND, "no_such_path", message)
        })
        .layer(middleware::from_fn_with_state(Arc::clone(&app), gate::gate))
        .with_state(app)
}

/// Does something that may wait for the disk, or in a broken variant for a lock, on a thread made
/// for waiting.
async fn wait<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&App) -> T + Send + 'static,
) -> Result<T, ApiError> {
    let app = Arc::clone(app);
    tokio::task::spawn_blocking(move || work(&app))
        .await
        .map_err(|error| {
            tracing::error!(%error, "an endpoint has panicked");
            Refusal::Failed.into()
        })
}

async fn page() -> impl IntoResponse {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                  connect-src 'self'; img-src data:; frame-ancestors 'none'";
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, Html(include_str!("page.html")))
}

async fn healthy() -> Json<Value> {
    Json(json!({ "ok": true }))
}

async fn ready(State(app): State<Arc<App>>) -> Response {
    match app.ready() {
        Ok(()) => Json(json!({ "ok": true })).into_response(),
        Err(why) => {
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", why).into_response()
        }
    }
}

async fn metrics(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    let text = wait(&app, |app| app.metrics.text(&Snapshot::take(app))).await?;
    let text = text.map_err(|_| ApiError::from(Refusal::Failed))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI)
}

/// The state now, and again whenever it is looked at.
async fn events(State(app): State<Arc<App>>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut shown = app.shown.subscribe();
    shown.mark_changed();
    Sse::new(unfold(shown, next_event))
}

async fn next_event(
    mut shown: watch::Receiver<Arc<str>>,
) -> Option<(Result<Event, Infallible>, watch::Receiver<Arc<str>>)> {
    // Nothing more is shown once the service ends: the stream ends, and the connection with it.
    shown.changed().await.ok()?;
    let text = Arc::clone(&shown.borrow_and_update());
    if text.is_empty() {
        return None;
    }
    Some((Ok(Event::default().data(&*text)), shown))
}

async fn currencies(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({ "ok": true, "currencies": app.symbols }))
}

/// The currency of a query string.
fn queried(app: &App, query: Option<&str>) -> Result<Currency, ApiError> {
    let query = query.unwrap_or_default();
    let url = reqwest::Url::parse(&format!("http://localhost/?{query}"))
        .map_err(|_| ApiError::bad_request("the query cannot be read"))?;
    let mut found = url
        .query_pairs()
        .filter(|(name, _)| name == "base_currency");
    let (_, symbol) = found.next().ok_or_else(ApiError::no_currency)?;
    if found.next().is_some() {
        return Err(ApiError::bad_request("`base_currency` is there twice"));
    }
    named(app, &symbol)
}

/// A currency by its symbol. Looked up in a list that never changes: a wrong one creates nothing.
fn named(app: &App, symbol: &str) -> Result<Currency, ApiError> {
    if symbol.is_empty() {
        return Err(ApiError::no_currency());
    }
    let found = app.symbols.iter().position(|known| known == symbol);
    found
        .map(Currency)
        .ok_or_else(|| ApiError::unknown_currency(symbol))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CycleRequest {
    base_currency: Option<String>,
}

/// The currency of a body.
fn requested(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<Currency, ApiError> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind
        .and_then(|kind| kind.split(';').next())
        .unwrap_or_default();
    if !kind.trim().eq_ignore_ascii_case("application/json") {
        let message = "the body must be `application/json`";
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(ApiError::new(status, "wrong_content_type", message));
    }
    let request: CycleRequest = serde_json::from_slice(body)
        .map_err(|error| ApiError::bad_request(format!("the body cannot be read: {error}")))?;
    named(
        app,
        &request.base_currency.ok_or_else(ApiError::no_currency)?,
    )
}

async fn stats(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    let currency = queried(&app, query.as_deref())?;
    let state = wait(&app, move |app| look(app, currency)).await??;
    Ok(Json(
        json!({ "ok": true, "stats": CurrencyAnswer::new(&state) }),
    ))
}

async fn reset(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let currency = requested(&app, &headers, &body)?;
    wait(&app, move |app| app.protocol.reset(currency)).await??;
    let symbol = &app.symbols[currency.0];
    tracing::info!(currency = %symbol, "reset");
    Ok(Json(
        json!({ "ok": true, "base_currency": symbol, "state": "idle", "paused": true }),
    ))
}

async fn resume(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let currency = requested(&app, &headers, &body)?;
    wait(&app, move |app| app.protocol.resume(currency)).await??;
    let symbol = &app.symbols[currency.0];
    tracing::info!(currency = %symbol, "resume");
    Ok(Json(
        json!({ "ok": true, "base_currency": symbol, "paused": false }),
    ))
}

async fn start(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    let changed = wait(&app, |app| app.bot.start()).await??;
    tracing::info!(changed, "start");
    Ok(Json(
        json!({ "ok": true, "running": true, "changed": changed }),
    ))
}

async fn stop(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    let changed = wait(&app, |app| app.bot.stop()).await??;
    tracing::info!(changed, "stop");
    Ok(Json(
        json!({ "ok": true, "running": false, "changed": changed }),
    ))
}
