//! What the gateway's own API says instead of what was asked for.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use drag_solver::store::StoreError;
use serde_json::json;

use crate::jobs::NotAccepted;

/// Why a request gets something else than what it asks for.
pub(super) struct Problem {
    status: StatusCode,
    kind: &'static str,
    message: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            message: message.into(),
        }
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    pub(super) fn unknown() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "unknown_id",
            "there is no such job of this key",
        )
    }
}

/// With a response that says why: what kind of problem it is, to be counted.
#[derive(Clone, Copy)]
pub(super) struct Kind(pub(super) &'static str);

/// What is below `/v1` and is nothing.
pub(super) async fn not_found() -> Response {
    let message = "there is nothing at this path: see /openapi.json";
    Problem::new(StatusCode::NOT_FOUND, "not_found", message).into_response()
}

/// A path of ours with a method that it does not have.
pub(super) async fn other_method() -> Response {
    let message = "this path has other methods: see the header Allow";
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        message,
    )
    .into_response()
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store cannot be used");
        let message = "the store cannot be used right now: nothing is lost, try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
    }
}

impl From<NotAccepted> for Problem {
    fn from(why: NotAccepted) -> Self {
        let busy = StatusCode::TOO_MANY_REQUESTS;
        match why {
            NotAccepted::TooFast => Self::new(
                busy,
                "rate_limited",
                "this key makes jobs faster than it may",
            ),
            NotAccepted::TooMany => {
                Self::new(busy, "overloaded", "there are as many open jobs as may be")
            }
            NotAccepted::NoMoney => {
                let message = "what this key may spend is spent";
                Self::new(StatusCode::PAYMENT_REQUIRED, "budget_exhausted", message)
            }
            NotAccepted::Stopping => {
                let message = "the gateway is about to stop: try again";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
            }
            NotAccepted::OtherRequest => {
                let message = "this Idempotency-Key was used for another request";
                Self::new(StatusCode::CONFLICT, "other_request", message)
            }
            NotAccepted::Store(error) => error.into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, why) = (self.status.as_u16(), &self.message);
        tracing::debug!(status, kind = self.kind, ?why, "refused");
        let body = json!({"error": {"kind": self.kind, "message": self.message}});
        let mut response = (self.status, Json(body)).into_response();
        response.extensions_mut().insert(Kind(self.kind));
        let headers = response.headers_mut();
        match self.status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(
                    header::WWW_AUTHENTICATE,
                    header::HeaderValue::from_static("Bearer"),
                );
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}
