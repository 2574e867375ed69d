//! What is served where.

mod clients;
mod native;
mod operations;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};

use crate::{Gateway, measure};

pub(crate) fn router(gateway: Gateway) -> Router {
    let max_body = gateway.jobs().policy().max_body;
    let own = Router::new()
        .route("/v1/drags", post(native::create))
        .route("/v1/drags/{id}", get(native::read))
        .route("/v1/drags/{id}/report", post(native::report))
        .route("/v1/balance", get(native::balance))
        .route_layer(middleware::from_fn(counted));
    Router::new()
        .route("/healthz", get(operations::healthz))
        .route("/readyz", get(operations::readyz))
        .route("/metrics", get(operations::metrics))
        .route("/admin/reload", post(operations::reload))
        .route("/admin/health", get(operations::health))
        .route("/openapi.json", get(native::openapi))
        .merge(own)
        .fallback(clients::answer)
        .layer(DefaultBodyLimit::max(max_body))
        .with_state(gateway)
}

/// Counts what is asked of the own API.
async fn counted(path: MatchedPath, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    measure::own_request(path.as_str(), response.status().as_str());
    response
}
