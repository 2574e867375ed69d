//! One request.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use drag_solver_core::{Screenshot, SolveError};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::body;

/// What stands for itself in a segment of a path (RFC 3986, 2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A request to a path below the provider's base URL, as pure data.
///
/// It holds the token and the picture, so `Debug` shows its label and the body's length only.
///
/// ```
/// use drag_solver_http::{ApiRequest, secrecy::SecretString};
/// use drag_solver_http::serde_json::json;
///
/// let key = SecretString::from("hunter2");
/// let order = ApiRequest::json("jobs", &json!({"kind": "drag"})).bearer(&key);
/// let poll = ApiRequest::get("jobs").segment("7/8?").query("wait", "1").bearer(&key);
/// assert_eq!(poll.path(), "jobs/7%2F8%3F");
/// assert_eq!(format!("{poll:?} {order:?}"), "ApiRequest(jobs, 0 bytes) ApiRequest(jobs, 15 bytes)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ApiRequest {
    label: Cow<'static, str>,
    method: &'static str,
    path: String,
    query: Vec<(Cow<'static, str>, String)>,
    headers: HeaderMap,
    content_type: Option<Cow<'static, str>>,
    body: Bytes,
    is_purchase: bool,
    problem: Option<&'static str>,
}

impl ApiRequest {
    fn new(method: &'static str, path: impl Into<Cow<'static, str>>) -> Self {
        let label = path.into();
        let problem = label
            .contains(['?', '#'])
            .then_some("a path has no `?` and no `#`: a query is given with `query`");
        Self {
            method,
            path: label.clone().into_owned(),
            label: if label.is_empty() { "/".into() } else { label },
            query: Vec::new(),
            headers: HeaderMap::new(),
            content_type: None,
            body: Bytes::new(),
            is_purchase: false,
            problem,
        }
    }

    fn post(
        path: impl Into<Cow<'static, str>>,
        content_type: impl Into<Cow<'static, str>>,
        body: impl Into<Bytes>,
    ) -> Self {
        Self {
            content_type: Some(content_type.into()),
            body: body.into(),
            ..Self::new("POST", path)
        }
    }

    /// Gets `path`.
    pub fn get(path: impl Into<Cow<'static, str>>) -> Self {
        Self::new("GET", path)
    }

    /// Posts `body` as JSON to `path`, as in `"createJob"`.
    pub fn json(path: impl Into<Cow<'static, str>>, body: &Value) -> Self {
        Self::post(path, body::JSON, body.to_string())
    }

    /// Posts `envelope` as JSON to `path`, with the [`Picture`](crate::Picture) in it replaced by
    /// `picture` in standard base64, which is encoded straight into the body: that is allocated once
    /// and at its exact size.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](drag_solver_core::ErrorKind::Unsupported) if there is no picture in it, and
    /// [`InvalidChallenge`](drag_solver_core::ErrorKind::InvalidChallenge) if some other text of it
    /// imitates one.
    pub fn json_with_picture(
        path: impl Into<Cow<'static, str>>,
        envelope: &Value,
        picture: &Screenshot,
    ) -> Result<Self, SolveError> {
        let body = body::json(envelope, picture.bytes())?;
        Ok(Self::post(path, body::JSON, body))
    }

    /// Posts the members of `form`, texts, numbers and flags, to `path` as a web form does.
    pub fn form(path: impl Into<Cow<'static, str>>, form: &Value) -> Self {
        Self::post(path, body::FORM, body::form(form))
    }

    /// The same with the [`Picture`](crate::Picture) among the members, in base64.
    ///
    /// # Errors
    ///
    /// Those of [`json_with_picture`](Self::json_with_picture).
    pub fn form_with_picture(
        path: impl Into<Cow<'static, str>>,
        form: &Value,
        picture: &Screenshot,
    ) -> Result<Self, SolveError> {
        let body = body::form_with_picture(form, picture.bytes())?;
        Ok(Self::post(path, body::FORM, body))
    }

    /// Posts the members of `form` to `path` as parts of their own. The [`Picture`](crate::Picture) among
    /// them is a file, sent byte for byte.
    ///
    /// # Errors
    ///
    /// Those of [`json_with_picture`](Self::json_with_picture).
    pub fn multipart(
        path: impl Into<Cow<'static, str>>,
        form: &Value,
        picture: &Screenshot,
    ) -> Result<Self, SolveError> {
        let (content_type, body) = body::multipart(form, picture)?;
        Ok(Self::post(path, content_type, body))
    }

    /// Adds one segment to the path, escaped: a job's id, say.
    #[must_use]
    pub fn segment(mut self, segment: &str) -> Self {
        if matches!(segment, "" | "." | "..") {
            self.problem = Some("a segment of a path is empty, `.` or `..`");
        }
        self.path.push('/');
        self.path.extend(utf8_percent_encode(segment, SEGMENT));
        self
    }

    /// Adds to the query.
    #[must_use]
    pub fn query(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Adds a secret to the query. It then is in the logs of every machine on the way: only for services
    /// that take it nowhere else.
    #[must_use]
    pub fn secret_query(self, name: impl Into<Cow<'static, str>>, value: &SecretString) -> Self {
        self.query(name, value.expose_secret())
    }

    /// Adds a header.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        self.add_header(name, value, false)
    }

    /// Adds a header that holds a secret, as in `X-API-Key`.
    #[must_use]
    pub fn secret_header(self, name: &str, value: &SecretString) -> Self {
        self.add_header(name, value.expose_secret(), true)
    }

    /// Adds the header `Authorization: Bearer`.
    #[must_use]
    pub fn bearer(self, token: &SecretString) -> Self {
        let value = format!("Bearer {}", token.expose_secret());
        self.add_header("authorization", &value, true)
    }

    fn add_header(mut self, name: &str, value: &str, is_secret: bool) -> Self {
        let (Ok(name), Ok(mut value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
        else {
            self.problem = Some("a header has characters that no header can have");
            return self;
        };
        value.set_sensitive(is_secret);
        self.headers.append(name, value);
        self
    }

    /// Calls it something else than its path in errors and logs.
    #[must_use]
    pub fn labelled(mut self, label: impl Into<Cow<'static, str>>) -> Self {
        self.label = label.into();
        self
    }

    /// The request, known to be one that may cost money.
    pub(crate) fn purchase(mut self) -> Self {
        self.is_purchase = true;
        self
    }

    /// Whether it may cost money: it must not be sent over a connection that may be closing, since
    /// it would not be known whether it arrived.
    #[must_use]
    pub fn is_purchase(&self) -> bool {
        self.is_purchase
    }

    /// What it is called in errors and logs: its path, without what was added to it.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// `GET` or `POST`.
    #[must_use]
    pub fn method(&self) -> &str {
        self.method
    }

    /// Where it goes, below the base URL. What was added to it is percent-encoded.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The pairs of its query, not encoded. One may hold a secret.
    pub fn query_pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.query.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Its headers, but for those that every request has. Those with a secret are marked as sensitive.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// What the body is, as in `application/json`; `None` if there is none.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// The body. It holds the token.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Why it cannot be sent.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        self.problem
    }
}

impl fmt::Debug for ApiRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiRequest({}, {} bytes)", self.label, self.body.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_in_a_segment_it_stays_one() {
        let path = |segment: &str| ApiRequest::get("jobs").segment(segment);
        for (id, encoded) in [
            ("7", "jobs/7"),
            ("a/b?c#d", "jobs/a%2Fb%3Fc%23d"),
            ("a/../b", "jobs/a%2F..%2Fb"),
            ("%2e%2e", "jobs/%252e%252e"),
            ("é ", "jobs/%C3%A9%20"),
        ] {
            assert_eq!(path(id).path(), encoded);
            assert_eq!(path(id).problem(), None);
            assert_eq!(path(id).label(), "jobs");
        }
        for none in ["", ".", ".."] {
            assert!(path(none).problem().is_some(), "{none:?}");
        }
    }

    #[test]
    fn a_query_in_a_path_is_a_mistake() {
        for path in ["jobs?id=7", "jobs#7"] {
            assert!(ApiRequest::get(path).problem().is_some());
        }
        assert_eq!(ApiRequest::get("jobs").query("id", "7?").problem(), None);
    }

    #[test]
    fn debug_shows_no_request_body() {
        let key = SecretString::from("hunter2");
        let body = serde_json::json!({"api_token": "hunter2"});
        let request = ApiRequest::json("createJob", &body)
            .bearer(&key)
            .secret_query("key", &key)
            .secret_header("X-API-Key", &key);
        assert_eq!(format!("{request:?}"), "ApiRequest(createJob, 23 bytes)");
    }
}
