//! For those who run the gateway, and for the programs that watch it.

use std::time::Duration;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use tokio::time::timeout;

use crate::Gateway;
use crate::caller::Caller;

/// How long the store has to say that it can be written.
const STORE_ANSWERS: Duration = Duration::from_secs(2);

/// The process answers.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether jobs can be accepted: the store can be written, and the gateway is not told to stop.
pub(super) async fn readyz(State(gateway): State<Gateway>) -> Response {
    let why = if gateway.jobs().is_stopping() {
        Some("stopping".to_owned())
    } else {
        match timeout(STORE_ANSWERS, gateway.jobs().store().flush()).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(format!("the store cannot be written: {error}")),
            Err(_) => Some("the store does not answer".to_owned()),
        }
    };
    match why {
        None => "ready\n".into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

/// What is measured, in the text format of Prometheus.
pub(super) async fn metrics(State(gateway): State<Gateway>) -> Response {
    match gateway.metrics() {
        Some(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        None => (StatusCode::NOT_FOUND, "nothing is measured\n").into_response(),
    }
}

/// Reads the chain's file again. A bad one is refused, and the old chain stays.
pub(super) async fn reload(State(gateway): State<Gateway>, _: Administrator) -> Response {
    match gateway.reload() {
        Ok(()) => {
            tracing::info!("the chain was read again: an administrator asked for it");
            let note = "the chain was read again; [gateway] counts from the next start";
            Json(json!({"status": "reloaded", "note": note})).into_response()
        }
        Err(why) => {
            let body = json!({"status": "refused", "error": why});
            (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response()
        }
    }
}

/// How the chain is doing, with the balances of its providers.
pub(super) async fn health(State(gateway): State<Gateway>, _: Administrator) -> Response {
    let health = gateway.chain().full_health().await;
    Json(json!({"open_jobs": gateway.jobs().open(), "chain": health})).into_response()
}

/// One who has an administrator's key; others are refused.
pub(super) struct Administrator;

impl FromRequestParts<Gateway> for Administrator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, Response> {
        let Ok(caller) = Caller::from_request_parts(parts, gateway).await;
        if gateway.is_administrator(&caller).await {
            return Ok(Self);
        }
        let body = json!({"error": {
            "kind": "unauthorized",
            "message": "send an administrator's key: Authorization: Bearer KEY, of `drag-solver keys add NAME --admin`",
        }});
        Err((StatusCode::UNAUTHORIZED, Json(body)).into_response())
    }
}
