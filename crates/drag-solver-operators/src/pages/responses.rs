//! Answers of a server that has pages: the pages themselves, their files, and what their scripts fetch.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use drag_solver_core::Screenshot;
use serde_json::Value;

/// What a page may load: what comes with it, and pictures that its script has fetched.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
     connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// A page of the server's own: it may load its own files, and nothing else. `<!-- sign-in -->` in it becomes the form that
/// the class `SignIn` of [`base_script`] works with.
#[must_use]
pub fn page(html: &str) -> Response {
    let html = html.replacen(
        "<!-- sign-in -->",
        include_str!("sign-in.html").trim_end(),
        1,
    );
    let mut response = file("text/html; charset=utf-8", html);
    let headers = response.headers_mut();
    let policy = HeaderValue::from_static(CONTENT_SECURITY_POLICY);
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    headers.insert("x-frame-options", HeaderValue::from_static("DENY"));
    let isolated = HeaderValue::from_static("same-origin");
    headers.insert("cross-origin-opener-policy", isolated);
    response
}

/// The look that all such pages have in common: `base.css`, before the style sheet of the page.
#[must_use]
pub fn base_style() -> Response {
    style(include_str!("base.css"))
}

/// A style sheet of such a page.
#[must_use]
pub fn style(css: &'static str) -> Response {
    file("text/css; charset=utf-8", css)
}

/// What the scripts of all such pages import: `base.js`, beside the script of the page.
#[must_use]
pub fn base_script() -> Response {
    script(include_str!("base.js"))
}

/// A script of such a page.
#[must_use]
pub fn script(js: &'static str) -> Response {
    file("text/javascript; charset=utf-8", js)
}

fn file(content_type: &'static str, text: impl IntoResponse) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    // After an update, a page and its script are of the same version.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    secured(headers);
    response
}

/// No browser takes it for something else, or hands it to another site.
fn secured(headers: &mut HeaderMap) {
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        "cross-origin-resource-policy",
        HeaderValue::from_static("same-origin"),
    );
}

/// Says of an answer that it is for one person, now: nothing keeps it.
pub fn private(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    secured(headers);
}

/// A picture, for one person. It is what its first bytes say: never a page, never a drawing with a script.
#[must_use]
pub fn picture(screenshot: &Screenshot) -> Response {
    let mut response = screenshot.bytes().clone().into_response();
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_static(screenshot.format().mime());
    headers.insert(header::CONTENT_TYPE, media_type);
    let nothing = HeaderValue::from_static("default-src 'none'; sandbox");
    headers.insert(header::CONTENT_SECURITY_POLICY, nothing);
    private(headers);
    response
}

/// JSON, for one person.
#[must_use]
pub fn json(value: &Value) -> Response {
    let mut response = Json(value).into_response();
    private(response.headers_mut());
    response
}
