//! One request and one answer.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use drag_solver_core::SolveError;
use serde_json::{Map, Value};

use crate::AnswerError;
use crate::body::with_picture;

/// How much of an unreadable answer an error shows, in characters.
const EXCERPT: usize = 60;

/// A `POST` of a JSON body to a path below the provider's base URL.
///
/// The body holds the token and the picture, so `Debug` shows its length only.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiRequest {
    path: Cow<'static, str>,
    body: Bytes,
}

impl ApiRequest {
    /// Posts `body` to `path`, as in `"createJob"`.
    pub fn json(path: impl Into<Cow<'static, str>>, body: &Value) -> Self {
        Self {
            path: path.into(),
            body: body.to_string().into(),
        }
    }

    /// Posts `envelope` to `path`, with the string [`PICTURE`](crate::PICTURE) in it replaced by the
    /// picture in standard base64. The picture is encoded straight into the body, which is allocated
    /// once and at its exact size.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidChallenge`](drag_solver_core::ErrorKind::InvalidChallenge) if some other
    /// text of the challenge is that very string, and
    /// [`ErrorKind::Unsupported`](drag_solver_core::ErrorKind::Unsupported) if none is.
    pub fn with_picture(
        path: impl Into<Cow<'static, str>>,
        envelope: &Value,
        picture: &[u8],
    ) -> Result<Self, SolveError> {
        Ok(Self {
            path: path.into(),
            body: with_picture(envelope, picture)?,
        })
    }

    /// Where it goes, below the base URL. It labels errors, too.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The JSON text. It holds the token.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

impl fmt::Debug for ApiRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiRequest({}, {} bytes)", self.path, self.body.len())
    }
}

/// What came back: a bounded body, and what matters of the rest.
///
/// `Debug` shows the body's length only: a hostile one may repeat the token.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiResponse {
    status: u16,
    retry_after: Option<Duration>,
    location: Option<String>,
    body: Bytes,
}

impl ApiResponse {
    /// Largest body accepted, in bytes (1 MiB). Real answers have some hundred.
    pub const MAX_BYTES: usize = 1024 * 1024;

    /// An answer with this HTTP status and body.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            retry_after: None,
            location: None,
            body: body.into(),
        }
    }

    /// Adds how long the server said to wait.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    /// Adds where a redirect points.
    #[must_use]
    pub fn with_location(mut self, location: Option<String>) -> Self {
        self.location = location;
        self
    }

    /// The same answer with another body.
    #[must_use]
    pub(crate) fn with_body(mut self, body: Bytes) -> Self {
        self.body = body;
        self
    }

    /// The HTTP status. Read the body first: providers send their own errors with any status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the status is one of 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// How long the server said to wait before asking again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Where a redirect points. It is never followed.
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        self.location.as_deref()
    }

    /// The body as it came.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body as a JSON object. Of members given twice, the last counts.
    ///
    /// # Errors
    ///
    /// [`AnswerError::Unreadable`] says what the body is instead.
    pub fn object(&self) -> Result<Map<String, Value>, AnswerError> {
        let unreadable = |what: String| Err(AnswerError::Unreadable(what));
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(members)) => Ok(members),
            Ok(_) => unreadable(format!("JSON, but not an object: {}", self.excerpt())),
            Err(_) if self.body.iter().all(u8::is_ascii_whitespace) => {
                unreadable("an empty body".into())
            }
            Err(_) if self.looks_like_html() => unreadable("an HTML page".into()),
            Err(_) => unreadable(format!("not JSON: {}", self.excerpt())),
        }
    }

    /// The error of an answer that is an object and lacks a usable `member`.
    #[must_use]
    pub fn lacks(&self, member: &str) -> AnswerError {
        AnswerError::Unreadable(format!("no usable `{member}`: {}", self.excerpt()))
    }

    fn looks_like_html(&self) -> bool {
        self.body.trim_ascii_start().starts_with(b"<")
    }

    fn excerpt(&self) -> String {
        let head = &self.body[..self.body.len().min(4 * EXCERPT)];
        let text = String::from_utf8_lossy(head);
        let mut short: String = text.chars().take(EXCERPT).collect();
        if short.len() < self.body.len() {
            short.push('…');
        }
        format!("`{short}`")
    }
}

impl fmt::Debug for ApiResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.body.len();
        write!(f, "ApiResponse(HTTP {}, {length} bytes)", self.status)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn what(body: impl Into<Bytes>) -> String {
        match ApiResponse::new(200, body).object() {
            Err(AnswerError::Unreadable(what)) => what,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn debug_shows_neither_body() {
        let request = ApiRequest::json("createJob", &json!({"api_token": "hunter2"}));
        assert_eq!(format!("{request:?}"), "ApiRequest(createJob, 23 bytes)");
        let response = ApiResponse::new(200, "hunter2").with_location(Some("hunter2".into()));
        assert_eq!(format!("{response:?}"), "ApiResponse(HTTP 200, 7 bytes)");
    }

    #[test]
    fn an_unreadable_body_is_described() {
        assert_eq!(what(""), "an empty body");
        assert_eq!(what("\r\n"), "an empty body");
        assert_eq!(what("\n<html><body>Bad gateway"), "an HTML page");
        assert_eq!(what("[1]"), "JSON, but not an object: `[1]`");
        assert_eq!(what("OK|123"), "not JSON: `OK|123`");
        assert_eq!(what(&b"\xff\xfe{"[..]), "not JSON: `\u{fffd}\u{fffd}{`");
        let flood = what("x".repeat(ApiResponse::MAX_BYTES));
        assert_eq!(
            flood.chars().count(),
            "not JSON: `…`".chars().count() + EXCERPT
        );
    }

    #[test]
    fn nesting_without_end_is_unreadable_and_no_stack_overflow() {
        assert!(what("{\"a\":".repeat(100_000)).starts_with("not JSON"));
        assert!(what("[".repeat(ApiResponse::MAX_BYTES)).starts_with("not JSON"));
    }

    #[test]
    fn the_last_of_two_members_counts() {
        let object = ApiResponse::new(200, r#"{"a":1,"a":2}"#).object().unwrap();
        assert_eq!(object["a"], 2);
    }
}
