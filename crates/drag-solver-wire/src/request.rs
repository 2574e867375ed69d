//! A request as it arrived, and what can be read out of it.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::multipart::{self, Part};

/// Pairs and parts that are read out of one request, at most: a hostile body is nothing but separators.
pub(crate) const MAX_ITEMS: usize = 1_000;

/// One HTTP request. What it sends is decoded on demand.
///
/// `Debug` shows the method and the path alone, for tokens may be anywhere else.
#[derive(Clone, Default)]
pub struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Request {
    /// A request of this method to `target`, path and query as they were sent.
    #[must_use]
    pub fn new(
        method: impl Into<String>,
        target: impl Into<String>,
        headers: Vec<(String, String)>,
        body: Bytes,
    ) -> Self {
        Self {
            method: method.into(),
            target: target.into(),
            headers,
            body,
        }
    }

    /// As it is, but for the body.
    #[doc(hidden)]
    #[must_use]
    pub fn with_body(self, body: Bytes) -> Self {
        Self { body, ..self }
    }

    /// The HTTP method, as in `POST`.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Path and query as they were sent, as in `/jobs/7?key=x%20y`.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The path as it was sent, as in `/jobs/7`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split(['?', '#']).next().unwrap_or_default()
    }

    /// The percent-decoded segments of the path: `["jobs", "7"]` of `/jobs/7`, and none of `/`.
    #[must_use]
    pub fn segments(&self) -> Vec<String> {
        let path = self.path().trim_start_matches('/');
        let segments = path.split('/').filter(|_| !path.is_empty());
        segments.map(decoded).collect()
    }

    /// The pairs of the query, decoded, in order.
    #[must_use]
    pub fn query(&self) -> Pairs {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        Pairs::parse(query)
    }

    /// Names and values of all headers, in order.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The first header of this name, in upper or lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body to the byte.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The pairs of a body that is `application/x-www-form-urlencoded`, decoded, in order, whatever its
    /// content type is called.
    #[must_use]
    pub fn form(&self) -> Pairs {
        Pairs::parse(&String::from_utf8_lossy(&self.body))
    }

    /// The parts of a body that is `multipart/form-data`, in order; none if it is something else.
    #[must_use]
    pub fn multipart(&self) -> Vec<Part> {
        let content_type = self.header("content-type").unwrap_or_default();
        multipart::parse(content_type, &self.body)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (method, path) = (self.method(), self.path());
        write!(f, "Request({method} {path}, {} bytes)", self.body.len())
    }
}

/// Names and values, in the order in which they were sent. At most 1,000 are read.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Pairs(Vec<(String, String)>);

impl Pairs {
    fn parse(text: &str) -> Self {
        Self::parse_with_plus(text, |_| false)
    }

    /// As usual, but that a `+` in a value of a name that `keeps_plus` is no blank.
    pub(crate) fn parse_with_plus(text: &str, keeps_plus: impl Fn(&str) -> bool) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.take(MAX_ITEMS).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let with_blanks = |text: &str| decoded(&text.replace('+', " "));
            let name = with_blanks(name);
            let value = if keeps_plus(&name) {
                decoded(value)
            } else {
                with_blanks(value)
            };
            (name, value)
        });
        Self(pairs.collect())
    }

    pub(crate) fn into_inner(self) -> Vec<(String, String)> {
        self.0
    }

    /// The first value of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl Deref for Pairs {
    type Target = [(String, String)];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// The names alone, for a token may be a value.
impl fmt::Debug for Pairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter().map(|(name, _)| name);
        f.debug_list().entries(names).finish()
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: &str, content_type: &str, body: &str) -> Request {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Request::new("POST", target, headers, body.to_owned().into())
    }

    #[test]
    fn path_and_query_are_decoded_piece_by_piece() {
        let it = request("/a%2Fb/%C3%A9/?key=x%26y&empty&z=1+2=3&&key=second", "", "");
        assert_eq!(it.segments(), ["a/b", "é", ""]);
        assert_eq!(it.path(), "/a%2Fb/%C3%A9/");
        let query = it.query();
        assert_eq!(query.get("key"), Some("x&y"));
        assert_eq!(query.get("empty"), Some(""));
        assert_eq!(query.get("z"), Some("1 2=3"));
        assert_eq!(query.get("other"), None);
        assert_eq!(query.len(), 4);
        for root in ["/", "", "/?x=1"] {
            assert!(request(root, "", "").segments().is_empty(), "{root}");
        }
    }

    #[test]
    fn bodies_are_read_as_what_they_are() {
        assert_eq!(request("/", "", r#"{"a": 1}"#).json()["a"], 1);
        assert!(request("/", "", "not JSON").json().is_null());
        let form = request("/", "", "key=hunter2&hint=drag+it%21").form();
        assert_eq!(form.get("hint"), Some("drag it!"));
        assert!(request("/", "text/plain", "x").multipart().is_empty());
    }

    #[test]
    fn what_is_read_is_bounded_and_debug_shows_no_token() {
        let hostile = "a&".repeat(1_000_000);
        assert_eq!(request("/", "", &hostile).form().len(), MAX_ITEMS);
        let it = request("/jobs?key=hunter2", "", "key=hunter2");
        assert_eq!(format!("{it:?}"), "Request(POST /jobs, 11 bytes)");
        assert_eq!(format!("{:?}", it.query()), r#"["key"]"#);
    }
}
