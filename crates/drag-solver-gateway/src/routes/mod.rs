//! What is served where.

mod clients;
mod native;
mod operations;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};

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
        .route("/v1/{*path}", any(native::not_found))
        .method_not_allowed_fallback(native::other_method)
        .fallback(clients::answer)
        .layer(DefaultBodyLimit::max(max_body))
        .layer(middleware::from_fn_with_state(
            gateway.clone(),
            from_no_page,
        ))
        .with_state(gateway)
}

/// While any key is taken, a page of any site that is open in a browser on this machine could spend money.
async fn from_no_page(State(gateway): State<Gateway>, request: Request, next: Next) -> Response {
    if is_of_a_site(request.headers()) && gateway.takes_any_key().await {
        let why = "this gateway takes any key, and so nothing from pages of other sites: make a key first\n";
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    next.run(request).await
}

/// Whether a browser sends this for a page of another site, or for one that has led its own name here.
fn is_of_a_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or("null"))
    };
    let (origin, site) = (text("origin"), text("sec-fetch-site"));
    if origin.is_some_and(|origin| origin.contains("-extension://")) {
        return false;
    }
    let is_browser = origin.is_some() || site.is_some() || headers.contains_key(header::REFERER);
    let is_ours = |url: &str| {
        let host = url.split_once("://").map_or("", |(_, host)| host);
        is_loopback(host.split('/').next().unwrap_or_default())
    };
    is_browser
        && (site.is_some_and(|site| !["same-origin", "none"].contains(&site))
            || origin.is_some_and(|origin| !is_ours(origin))
            || text("referer").is_some_and(|referer| !is_ours(referer))
            || !is_loopback(text("host").unwrap_or_default()))
}

/// Whether this host, with or without a port, is a name of this machine for itself.
fn is_loopback(host: &str) -> bool {
    let is_port = |port: &str| port.bytes().all(|c| c.is_ascii_digit());
    let name = host.rsplit_once(':').filter(|(_, port)| is_port(port));
    ["localhost", "127.0.0.1", "[::1]"].contains(&name.map_or(host, |(name, _)| name))
}

/// Counts what is asked of the own API.
async fn counted(path: MatchedPath, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    measure::own_request(path.as_str(), response.status().as_str());
    response
}
