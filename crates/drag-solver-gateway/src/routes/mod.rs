//! What is served where.

mod admin;
mod clients;
mod native;
mod operations;
mod operators;
mod problem;

use std::net::IpAddr;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{any, get, post};
use drag_solver::http::CallbackReceiver;
use drag_solver::operators::pages;
use tracing::Instrument as _;
use tracing::field::Empty;

use crate::{Gateway, measure};

pub(crate) fn router(gateway: Gateway) -> Router {
    let max_body = gateway.jobs().policy().max_body;
    let own = Router::new()
        .route("/v1/drags", post(native::create))
        .route("/v1/drags/{id}", get(native::read))
        .route("/v1/drags/{id}/report", post(native::report))
        .route("/v1/balance", get(native::balance))
        .route_layer(middleware::from_fn_with_state(gateway.clone(), counted));
    let people = operators::router(&gateway);
    let calls = gateway.callback_receiver().map(CallbackReceiver::router);
    let calls = calls.map_or_else(Router::new, |calls| Router::new().nest("/callbacks", calls));
    Router::new()
        .route("/healthz", get(operations::healthz))
        .route("/readyz", get(operations::readyz))
        .route("/metrics", get(operations::metrics))
        .route("/", get(admin::html).fallback(clients::answer))
        .route("/admin", get(|| async { Redirect::permanent("/") }))
        .route("/admin/base.css", get(|| async { pages::base_style() }))
        .route("/admin/base.js", get(|| async { pages::base_script() }))
        .route("/admin/admin.css", get(admin::css))
        .route("/admin/admin.js", get(admin::js))
        .route("/admin/overview", get(admin::overview))
        .route("/admin/jobs/{id}", get(admin::job))
        .route("/admin/jobs/{id}/picture", get(admin::picture))
        .route("/admin/reload", post(operations::reload))
        .route("/admin/health", get(operations::health))
        .route("/openapi.json", get(openapi))
        .merge(own)
        .route("/v1/{*path}", any(problem::not_found))
        .method_not_allowed_fallback(problem::other_method)
        .fallback(clients::answer)
        .with_state(gateway.clone())
        .merge(people)
        .layer(DefaultBodyLimit::max(max_body))
        .layer(middleware::from_fn_with_state(gateway, from_no_page))
        .merge(calls)
}

/// While any key is taken, a page of any site that is open in a browser on this machine could spend money, and read what is
/// answered under a name of its own that it has led here.
async fn from_no_page(State(gateway): State<Gateway>, request: Request, next: Next) -> Response {
    if request.method() == Method::CONNECT {
        return (StatusCode::METHOD_NOT_ALLOWED, "this is no proxy\n").into_response();
    }
    let is_of_a_site = is_of_a_site(request.headers());
    if (is_of_a_site || !is_for_us(&gateway, &request)) && gateway.takes_any_key().await {
        let why = if is_of_a_site {
            "this gateway takes any key, and so nothing from pages of other sites: make a key first\n"
        } else {
            "this gateway takes any key, and so nothing under names that any site may have led here: ask for localhost, an \
             IP address or a name of its certificate, or make a key first\n"
        };
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    next.run(request).await
}

/// Whether a request is for an address, for `localhost` or for a name of ours, as far as it says.
fn is_for_us(gateway: &Gateway, request: &Request) -> bool {
    let of_uri = request.uri().authority().map(http::uri::Authority::as_str);
    let of_headers = request.headers().get_all(header::HOST).into_iter();
    let of_headers = of_headers.map(|host| host.to_str().unwrap_or_default());
    let mut hosts = of_uri.into_iter().chain(of_headers);
    hosts.all(|host| {
        let name = without_port(host).trim_end_matches('.');
        let address = name.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        let name = address.unwrap_or(name).to_ascii_lowercase();
        let is_localhost = name == "localhost" || name.ends_with(".localhost");
        is_localhost || name.parse::<IpAddr>().is_ok() || gateway.is_own_name(&name)
    })
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
    ["localhost", "127.0.0.1", "[::1]"].contains(&without_port(host))
}

fn without_port(host: &str) -> &str {
    let is_port = |port: &str| port.bytes().all(|c| c.is_ascii_digit());
    let name = host.rsplit_once(':').filter(|(_, port)| is_port(port));
    name.map_or(host, |(name, _)| name)
}

/// What the own API says of itself.
async fn openapi() -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    (json, include_str!("../openapi.json")).into_response()
}

/// Counts what is asked of the own API.
async fn counted(
    State(gateway): State<Gateway>,
    path: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    // Whose key it is, what is refused is told with.
    let span = tracing::debug_span!("request", path = path.as_str(), key = Empty);
    let response = next.run(request).instrument(span).await;
    measure::own_request(path.as_str(), response.status().as_str());
    if let Some(problem::Kind(kind)) = response.extensions().get() {
        gateway.jobs().figures().refused(kind);
    }
    response
}
