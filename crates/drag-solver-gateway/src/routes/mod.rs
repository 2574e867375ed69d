//! What is served where.

mod clients;
mod native;
mod operations;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use crate::Gateway;

pub(crate) fn router(gateway: Gateway) -> Router {
    let max_body = gateway.jobs().policy().max_body;
    Router::new()
        .route("/healthz", get(operations::healthz))
        .route("/readyz", get(operations::readyz))
        .route("/metrics", get(operations::metrics))
        .route("/admin/reload", post(operations::reload))
        .route("/admin/health", get(operations::health))
        .route("/openapi.json", get(native::openapi))
        .route("/v1/drags", post(native::create))
        .route("/v1/drags/{id}", get(native::read))
        .route("/v1/drags/{id}/report", post(native::report))
        .route("/v1/balance", get(native::balance))
        .fallback(clients::answer)
        .layer(DefaultBodyLimit::max(max_body))
        .with_state(gateway)
}
