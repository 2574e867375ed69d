//! An answer with a body of known length.

use std::fmt::Write as _;

use bytes::Bytes;
use http::StatusCode;
use serde_json::Value;

/// What a [stand-in](crate::stand_in) answers. A JSON value alone is one with status 200.
#[derive(Clone, Debug)]
#[must_use]
pub struct Response {
    status: u16,
    /// The headers, a line each.
    headers: String,
    pub(crate) body: Bytes,
}

impl Response {
    /// A status of 200 to 599 and a body of any kind.
    pub fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let mut response = Self::empty(status).with_header("Content-Type", content_type);
        response.body = body.into();
        response
    }

    /// A status and nothing else.
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: String::new(),
            body: Bytes::new(),
        }
    }

    /// A status and JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// A status and plain text.
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Self::new(status, "text/plain; charset=utf-8", body.into())
    }

    /// Adds a header, as in `Retry-After` or `Location`. The body's length is added by itself.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        // What a request brought may be in it, and is not to begin a line of its own.
        let value = value.replace(|c: char| c.is_ascii_control(), " ");
        let _ = write!(self.headers, "{name}: {value}\r\n");
        self
    }

    /// As it is, but for the body.
    pub(crate) fn with_body(&self, body: impl Into<Bytes>) -> Self {
        Self {
            body: body.into(),
            ..self.clone()
        }
    }

    /// As it is, but for the status.
    pub(crate) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// As it is, but for what its body is called; other headers are left out.
    pub(crate) fn called(&self, content_type: &str) -> Self {
        Self::new(self.status, content_type, self.body.clone())
    }

    /// All of it, to the byte.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut head = status_line(self.status) + &self.headers;
        // A 204 and a 304 have no body, and a 204 may not speak of one.
        if matches!(self.status, 204 | 304) {
            return [head.as_bytes(), b"\r\n"].concat();
        }
        let _ = write!(head, "Content-Length: {}\r\n", self.body.len());
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

impl From<Value> for Response {
    fn from(body: Value) -> Self {
        Self::json(200, &body)
    }
}

pub(crate) fn status_line(status: u16) -> String {
    let known = StatusCode::from_u16(status).ok();
    let reason = match known.and_then(|status| status.canonical_reason()) {
        Some(reason) => reason,
        // Cloudflare's own, in no registry.
        None if status == 521 => "Web Server Is Down",
        None => "Unknown",
    };
    format!("HTTP/1.1 {status} {reason}\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_written_to_the_byte() {
        let response = Response::new(429, "text/plain", "slow").with_header("Retry-After", "2");
        assert_eq!(
            String::from_utf8(response.encode()).unwrap(),
            "HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain\r\nRetry-After: 2\r\nContent-Length: 4\r\n\r\nslow"
        );
        let nothing = Response::empty(204);
        assert_eq!(nothing.encode(), b"HTTP/1.1 204 No Content\r\n\r\n");
    }

    #[test]
    fn a_header_is_one_line_whatever_is_in_it() {
        let response = Response::empty(302).with_header("Location", "/x\r\nSet-Cookie: a=b");
        let text = String::from_utf8(response.encode()).unwrap();
        assert!(text.contains("Location: /x  Set-Cookie: a=b\r\n"), "{text}");
    }
}
