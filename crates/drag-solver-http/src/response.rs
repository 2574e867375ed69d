//! One response.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use drag_solver_core::JobId;
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::json::{job_id, repaired};
use crate::redact::redact;
use crate::{Answer, ResponseError, points};

/// How much of an unparseable body an error shows, in characters.
const EXCERPT: usize = 60;

/// How much of it is looked at, in bytes: what is masked becomes shorter.
const HEAD: usize = 16 * 1024;

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
    /// Largest body accepted, in bytes (1 MiB). Real ones have some hundred.
    pub const MAX_BYTES: usize = 1024 * 1024;

    /// A response with this HTTP status and body.
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

    /// The body as a JSON object. Of members given twice, the last counts. A byte order mark, bytes that
    /// are not UTF-8, `NaN`, text in front of the object or behind it are no reason to refuse it.
    ///
    /// # Errors
    ///
    /// [`ResponseError::Unparseable`] says what the body is instead.
    pub fn object(&self) -> Result<Map<String, Value>, ResponseError> {
        let value = serde_json::from_slice(&self.body).or_else(|error| {
            let text = repaired(&self.body);
            serde_json::from_str(&text).or(first_object(&text).ok_or(error))
        });
        let what = match value {
            Ok(Value::Object(members)) => return Ok(members),
            Ok(_) => "JSON, but not an object",
            Err(_) if self.is_empty() => "an empty body",
            Err(_) if self.is_html() => "an HTML page",
            Err(_) if self.is_compressed() => "a compressed body, which was not asked for",
            Err(_) => "not JSON",
        };
        Err(ResponseError::Unparseable(what.into()))
    }

    /// What the object that the body is has as `member`.
    ///
    /// # Errors
    ///
    /// [`ResponseError::Unparseable`] if it is no object, or has no such member, or `null` there.
    pub fn member(&self, member: &str) -> Result<Value, ResponseError> {
        let found = self.object()?.remove(member);
        let found = found.filter(|value| !value.is_null());
        found.ok_or_else(|| self.missing_field(member))
    }

    /// The [job's id](crate::json::job_id) that the object has as `member`.
    ///
    /// # Errors
    ///
    /// [`ResponseError::Unparseable`] if it has none there.
    pub fn job_id(&self, member: &str) -> Result<JobId, ResponseError> {
        let job = job_id(Some(&self.member(member)?));
        job.ok_or_else(|| self.missing_field(member))
    }

    /// The answer that the object has as `member`: a [drag](points::drag) in whichever shape, or that it is
    /// none; in pixels, of unknown cost.
    ///
    /// # Errors
    ///
    /// [`ResponseError::Unparseable`] if it has nothing there.
    pub fn answer(&self, member: &str) -> Result<Answer, ResponseError> {
        let found = self.member(member)?;
        Ok(Answer::parsed(points::drag(Some(&found))))
    }

    /// The error of a response that is an object and has no usable `member`.
    #[must_use]
    pub fn missing_field(&self, member: &str) -> ResponseError {
        ResponseError::Unparseable(format!("no usable `{member}`"))
    }

    fn is_empty(&self) -> bool {
        self.body.iter().all(u8::is_ascii_whitespace)
    }

    /// Whether it is a page for people, which comes from something in front of the provider.
    #[doc(hidden)]
    #[must_use]
    pub fn is_html(&self) -> bool {
        self.body.trim_ascii_start().starts_with(b"<")
    }

    /// Whether it begins like gzip or zstd.
    fn is_compressed(&self) -> bool {
        self.body.starts_with(b"\x1f\x8b") || self.body.starts_with(b"\x28\xb5\x2f\xfd")
    }

    /// The beginning of a body that says something to people, without the secrets.
    pub(crate) fn excerpt(&self, secrets: &[&SecretString]) -> Option<String> {
        if self.is_empty() || self.is_html() || self.is_compressed() {
            return None;
        }
        let head = &self.body[..self.body.len().min(HEAD)];
        let head = String::from_utf8_lossy(head);
        // Before it is cut: half a secret is not found.
        let head = redact(&head, secrets);
        let mut short: String = head.chars().take(EXCERPT).collect();
        if short.len() < head.len() {
            short.push('…');
        }
        Some(short)
    }
}

/// The first object in a text that is none as a whole: a warning of PHP's may stand in front of it, and
/// anything behind it. A page for people has objects of its own in its scripts.
fn first_object(text: &str) -> Option<Value> {
    if text.starts_with('<') && !text.starts_with("<br") {
        return None;
    }
    let object = &text[text.find('{')?..];
    let mut values = serde_json::Deserializer::from_str(object).into_iter();
    values.next()?.ok()
}

impl fmt::Debug for ApiResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.body.len();
        write!(f, "ApiResponse(HTTP {}, {length} bytes)", self.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(body: impl Into<Bytes>) -> String {
        let response = ApiResponse::new(200, body);
        match (response.object(), response.excerpt(&[])) {
            (Err(ResponseError::Unparseable(what)), None) => what,
            (Err(ResponseError::Unparseable(what)), Some(excerpt)) => {
                format!("{what}: `{excerpt}`")
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_member_is_there_or_it_is_said_which_is_missing() {
        let response = ApiResponse::new(200, r#"{"a": [1], "b": null, "job": 7, "none": 0}"#);
        assert_eq!(response.member("a").unwrap(), serde_json::json!([1]));
        assert_eq!(response.job_id("job").unwrap().as_str(), "7");
        let missing = |error| match error {
            ResponseError::Unparseable(what) => what,
            other => panic!("{other:?}"),
        };
        assert!(response.answer("a").unwrap().found.is_err());
        for name in ["b", "c"] {
            let error = response.member(name).unwrap_err();
            assert_eq!(missing(error), format!("no usable `{name}`"));
            let error = response.answer(name).unwrap_err();
            assert_eq!(missing(error), format!("no usable `{name}`"));
        }
        for name in ["a", "b", "none"] {
            let error = response.job_id(name).unwrap_err();
            assert_eq!(missing(error), format!("no usable `{name}`"));
        }
        let page = ApiResponse::new(200, "<html>").member("a");
        assert_eq!(missing(page.unwrap_err()), "an HTML page");
    }

    #[test]
    fn debug_shows_no_response_body() {
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
    fn what_stands_around_an_object_does_not_hide_it() {
        for body in [
            "<br />\n<b>Warning</b>: foreach() in api.php on line {7}\n{\"a\": 1}"
                .replace("{7}", "7"),
            "{\"a\": 1}{\"a\": 2}".to_owned(),
            "{\"a\": 1};".to_owned(),
            "{\"a\": 1}<!-- 0.1 s -->".to_owned(),
        ] {
            let object = ApiResponse::new(200, body.clone()).object();
            assert_eq!(object.unwrap()["a"], 1, "{body}");
        }
        let page = "<html><script>x = {\"a\": 1}</script>";
        assert_eq!(what(page), "an HTML page");
    }

    #[test]
    fn an_excerpt_does_not_end_within_the_token() {
        let token = SecretString::from("0123456789abcdef".repeat(4));
        let body = format!("bad key {} again {0}", "0123456789abcdef".repeat(4));
        let excerpt = ApiResponse::new(500, body).excerpt(&[&token]);
        assert_eq!(excerpt.unwrap(), "bad key [redacted] again [redacted]");
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
