//! The page `/operator`, and what it talks to: a router of axum, with the feature `pages`.
//!
//! ```no_run
//! use std::sync::Arc;
//! use drag_solver_operators::pages::{self, Practice};
//! use drag_solver_operators::{Desk, DeskPolicy};
//! use secrecy::{ExposeSecret, SecretString};
//!
//! # async fn example() -> std::io::Result<()> {
//! let desk = Desk::new(DeskPolicy::default());
//! // Whose key this is. Compare hashes, and slow down who guesses.
//! let keys = |key: SecretString, _from| async move {
//!     (key.expose_secret() == "anna's key").then(|| "anna".to_owned())
//! };
//! let app = pages::router(&desk, Arc::new(keys), Practice::none());
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! # /*
//! axum::serve(listener, app).await?;
//! # */
//! # drop((app, listener));
//! # Ok(())
//! # }
//! ```

mod caller;
mod calls;
mod events;
mod keys;
mod practice;
mod responses;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};

pub use self::keys::OperatorKeys;
pub use self::practice::{Practice, PracticePicture};
pub use self::responses::{
    CONTENT_SECURITY_POLICY, base_script, base_style, json, page, picture, private, script, style,
};
use crate::Desk;

/// The largest body that is read, in bytes: two points, as JSON.
const MAX_BODY: usize = 4096;

/// What all calls have.
#[derive(Clone)]
struct Pages {
    desk: Desk,
    keys: Arc<dyn OperatorKeys>,
    practice: Practice,
}

/// The page of the operators at `desk`, for those whose key is one of `keys`. It goes to the root of a server.
///
/// The page holds no secret and asks for a key; everything else wants one, in the header `Authorization`. A page of another
/// site gets nothing.
pub fn router(desk: &Desk, keys: Arc<dyn OperatorKeys>, practice: Practice) -> Router {
    let pages = Pages {
        desk: desk.clone(),
        keys,
        practice,
    };
    // Any site may have a link to the page.
    let files = Router::new()
        .route("/operator", get(|| async { page(OPERATOR) }))
        .route(
            "/operator/",
            get(|| async { Redirect::permanent("/operator") }),
        )
        .route("/operator/base.css", get(|| async { base_style() }))
        .route("/operator/base.js", get(|| async { base_script() }))
        .route("/operator/operator.css", get(|| async { style(CSS) }))
        .route("/operator/operator.js", get(|| async { script(JS) }));
    Router::new()
        .route("/operator/events", get(events::events))
        .route("/operator/challenges/{job}/picture", get(calls::picture))
        .route("/operator/challenges/{job}/answer", post(calls::answer))
        .route("/operator/challenges/{job}/skip", post(calls::skip))
        .route("/operator/challenges/{job}/undo", post(calls::undo))
        .route("/operator/alive", post(calls::alive))
        .route("/operator/leave", post(calls::leave))
        .route("/operator/practice/{number}", get(calls::practice))
        .route(
            "/operator/practice/{number}/picture",
            get(calls::practice_picture),
        )
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn(same_origin))
        .with_state(pages)
        .merge(files)
}

const OPERATOR: &str = include_str!("operator.html");
const CSS: &str = include_str!("operator.css");
const JS: &str = include_str!("operator.js");

/// Refuses what a browser sends for a page of another site.
pub async fn same_origin(request: Request, next: Next) -> Response {
    if is_of_another_site(request.headers()) {
        return (StatusCode::FORBIDDEN, "not for pages of other sites\n").into_response();
    }
    next.run(request).await
}

fn is_of_another_site(headers: &HeaderMap) -> bool {
    let text = |name| {
        let value: Option<&HeaderValue> = headers.get(name);
        value.map(|value| value.to_str().unwrap_or("null"))
    };
    // A browser says it itself where it can, and no page can forge that; the address may have been changed on the way.
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site")) {
        return !["same-origin", "none"].contains(&site);
    }
    let host = text(header::HOST).unwrap_or_default();
    // `https://host:port`; a page without an origin says `null`.
    let is_ours = |origin: &str| origin.split_once("://").is_some_and(|(_, own)| own == host);
    text(header::ORIGIN).is_some_and(|origin| !is_ours(origin))
}
