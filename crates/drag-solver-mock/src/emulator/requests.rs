//! What clients sent, for tests to look at.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use tokio::time::Instant;

use super::http1::Head;
use super::{Dialect, Step};

/// One request as it arrived. Cloning it copies nothing large.
#[derive(Clone)]
pub struct ReceivedRequest(Arc<Parts>);

pub(super) struct Parts {
    pub(super) dialect: Option<Dialect>,
    pub(super) step: Step,
    pub(super) received: Instant,
    pub(super) head: Head,
    pub(super) body: Bytes,
    pub(super) json: Value,
    pub(super) picture: Option<Bytes>,
    pub(super) has_right_token: bool,
}

impl ReceivedRequest {
    /// The protocol, by the path it was sent to; `None` for a path of none.
    #[must_use]
    pub fn dialect(&self) -> Option<Dialect> {
        self.0.dialect
    }

    /// What the client wanted.
    #[must_use]
    pub fn step(&self) -> Step {
        self.0.step
    }

    /// When its headers had arrived.
    #[must_use]
    pub fn received(&self) -> Instant {
        self.0.received
    }

    /// The HTTP method, as in `POST`.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.0.head.method
    }

    /// Path and query, as in `/api/createJob`.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.0.head.target
    }

    /// The first header of this name, in whatever case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.head.header(name)
    }

    /// Names and values of all headers, in order.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.0.head.headers
    }

    /// The body to the byte. **The token is in it.**
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.0.body
    }

    /// The body as JSON (null if it is none), with the token and the picture replaced by words:
    /// see [`has_right_token`](Self::has_right_token) and [`picture`](Self::picture).
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.0.json
    }

    /// The picture, decoded, of a request that creates a job.
    #[must_use]
    pub fn picture(&self) -> Option<&Bytes> {
        self.0.picture.as_ref()
    }

    /// Whether the token was in its place and the right one.
    #[must_use]
    pub fn has_right_token(&self) -> bool {
        self.0.has_right_token
    }
}

impl fmt::Debug for ReceivedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedRequest")
            .field("method", &self.method())
            .field("target", &self.target())
            .field("json", self.json())
            .field("has_right_token", &self.has_right_token())
            .finish_non_exhaustive()
    }
}

/// The latest requests.
#[derive(Debug)]
pub(super) struct RequestLog {
    requests: VecDeque<ReceivedRequest>,
    limit: usize,
}

impl RequestLog {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            requests: VecDeque::new(),
            limit,
        }
    }

    pub(super) fn push(&mut self, parts: Parts) {
        if self.limit == 0 {
            return;
        }
        if self.requests.len() == self.limit {
            self.requests.pop_front();
        }
        self.requests.push_back(ReceivedRequest(Arc::new(parts)));
    }

    pub(super) fn all(&self) -> Vec<ReceivedRequest> {
        self.requests.iter().cloned().collect()
    }
}
