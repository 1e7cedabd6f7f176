//! Every answer that is no success: JSON with a code.
//!
//! Knows codes, statuses and words. 5xx is left to the one case in which the service cannot do
//! what it was asked for: when the disk does not take it.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::{NotDurable, Refusal};

/// Why a request is not answered as it was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The status.
    pub status: StatusCode,
    /// For programs; never changes.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

impl ApiError {
    /// An error.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        ApiError {
            status,
            code,
            message: message.into(),
        }
    }

    /// The currency is not one of ours.
    pub fn unknown_currency(symbol: &str) -> Self {
        let symbol: String = symbol.chars().take(32).collect();
        let message =
            format!("there is no currency `{symbol}`: /api/autotrader/currencies lists them");
        ApiError::new(StatusCode::NOT_FOUND, "unknown_currency", message)
    }

    /// The request names no currency.
    pub fn no_currency() -> Self {
        let message = "`base_currency` is missing";
        ApiError::new(StatusCode::BAD_REQUEST, "currency_missing", message)
    }

    /// The body or the query is not what the endpoint takes.
    pub fn bad_request(message: impl Into<String>) -> Self {
        ApiError::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    /// What is answered.
    pub fn body(&self) -> serde_json::Value {
        serde_json::json!({
            "ok": false,
            "error": { "code": self.code, "message": self.message },
        })
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let status = StatusCode::from_u16(refusal.status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let code = match refusal {
            Refusal::UnknownCurrency => "unknown_currency",
            Refusal::NotRunning => "not_running",
            Refusal::NotDurable => "not_durable",
            Refusal::Failed => "failed",
            Refusal::Busy => "busy",
        };
        ApiError::new(status, code, refusal.to_string())
    }
}

impl From<NotDurable> for ApiError {
    fn from(_: NotDurable) -> Self {
        Refusal::NotDurable.into()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let bearer = header::HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, bearer);
        }
        response
    }
}
