//! What every request passes before an endpoint sees it.
//!
//! Knows tokens, origins, sizes and patience. Does not know what is behind the gate: what is
//! refused here has touched nothing.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

use super::error::ApiError;
use crate::service::App;

/// Answers without a token: the page, which shows nothing until it has one, and the health.
const OPEN: [&str; 2] = ["/", "/healthz"];

/// Checks a request, reads its body, passes it on, and counts the answer.
pub(super) async fn gate(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let endpoint = request
        .extensions()
        .get::<MatchedPath>()
        .map(MatchedPath::as_str);
    // Only paths that exist: any other one would be a new time series for each request.
    let endpoint = endpoint.unwrap_or("none").to_owned();
    let response = match admit(&app, request).await {
        Ok(request) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    app.metrics
        .request(&endpoint, response.status().as_u16(), begun.elapsed());
    response
}

async fn admit(app: &App, request: Request) -> Result<Request, ApiError> {
    let local = app.config.is_local();
    check_origin(request.headers(), request.uri(), request.method(), local)?;
    if !OPEN.contains(&request.uri().path()) {
        check_token(request.headers(), &app.config.token.0)?;
    }
    let (head, body) = request.into_parts();
    let most = app.config.http.body_bytes_max;
    let too_large = || {
        let message = format!("a body has at most {most} bytes, and all that it promises");
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
    };
    // One that says so is not waited for.
    if body.size_hint().lower() > most as u64 {
        return Err(too_large());
    }
    let bytes = tokio::time::timeout(app.config.read_timeout(), to_bytes(body, most)).await;
    match bytes {
        Ok(Ok(bytes)) => Ok(Request::from_parts(head, Body::from(bytes))),
        Ok(Err(_)) => Err(too_large()),
        Err(_) => {
            let message = "the body took too long";
            Err(ApiError::new(
                StatusCode::REQUEST_TIMEOUT,
                "body_too_slow",
                message,
            ))
        }
    }
}

/// Compares in a time that says nothing about how much of it was right.
fn check_token(headers: &HeaderMap, token: &str) -> Result<(), ApiError> {
    if token.is_empty() {
        return Ok(());
    }
    let shown = headers
        .get(header::AUTHORIZATION)
        .map_or(&b""[..], |value| value.as_bytes());
    let shown = match shown.split_at_checked(7) {
        Some((scheme, shown)) if scheme.eq_ignore_ascii_case(b"bearer ") => shown,
        _ => b"",
    };
    if bool::from(shown.ct_eq(token.as_bytes())) {
        return Ok(());
    }
    let message = "show the token: `Authorization: Bearer …`";
    Err(ApiError::new(
        StatusCode::UNAUTHORIZED,
        "token_missing",
        message,
    ))
}

/// A page of somebody else, open in a browser on this machine, must not reset cycles: neither from
/// its own origin, nor under a name of its own that leads to loopback.
fn check_origin(
    headers: &HeaderMap,
    uri: &Uri,
    method: &Method,
    local: bool,
) -> Result<(), ApiError> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = uri
        .authority()
        .map(|authority| authority.as_str())
        .or_else(|| text(header::HOST));
    let host = host.unwrap_or_default();
    if local && !host.is_empty() && !is_loopback(host) {
        let message = "on loopback this service answers to `localhost` and loopback addresses";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "wrong_host", message));
    }
    let same = match text(header::ORIGIN) {
        None => true,
        Some(origin) => origin
            .split_once("://")
            .is_some_and(|(_, origin)| origin == host),
    };
    if !same && !matches!(*method, Method::GET | Method::HEAD) {
        let message = "this page is not allowed to do that";
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "wrong_origin",
            message,
        ));
    }
    Ok(())
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}
