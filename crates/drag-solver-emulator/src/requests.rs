//! What clients sent, for tests to look at.

use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;
use drag_solver_wire::{Call, Incoming, redacted_json};
use serde_json::Value;
use tokio::time::Instant;

use crate::{Operation, Protocol, Request};

/// Bodies and pictures that are kept, at most, in bytes together (256 MiB). The latest request always is.
const BYTES_KEPT: usize = 256 * 1024 * 1024;

/// One request as it arrived.
#[derive(Clone)]
#[non_exhaustive]
pub struct ReceivedRequest {
    /// The provider's protocol, by the path it was sent to; `None` for a path of none.
    pub protocol: Option<Protocol>,
    /// What the client wanted.
    pub operation: Operation,
    /// When its headers had arrived.
    pub received: Instant,
    /// The HTTP method, as in `POST`.
    pub method: String,
    /// Path and query, as in `/api/createJob`.
    pub target: String,
    /// Names and values of all headers, in order.
    pub headers: Vec<(String, String)>,
    /// The body to the byte. **The token is in it.**
    pub body: Bytes,
    /// The body as JSON (null if it is none), with the token and the picture replaced by words.
    pub json: Value,
    /// The picture, decoded, of a request that creates a provider's job.
    pub picture: Option<Bytes>,
    /// Whether the token was in its place and the right one. Where that place is unknown (at a
    /// [stand-in](crate::stand_in)): whether the token was anywhere in it.
    pub has_right_token: bool,
}

impl ReceivedRequest {
    /// Notes a request to a provider, in its JSON without the picture and without the token.
    pub(crate) fn of_provider(
        incoming: Option<&Incoming>,
        received: Instant,
        request: &Request,
        has_right_token: bool,
    ) -> Self {
        let protocol = incoming.map(|it| it.protocol);
        let json = protocol.map_or_else(
            || request.json(),
            |protocol| redacted_json(protocol, request),
        );
        let operation = incoming.map_or(Operation::Unknown, |it| it.operation);
        let picture = match incoming.map(|it| &it.call) {
            Some(Ok(Call::Create(job))) => Some(job.picture.clone()),
            _ => None,
        };
        Self {
            protocol,
            picture,
            ..Self::new(operation, received, request, json, has_right_token)
        }
    }

    /// Notes a request. Its JSON is shown, and has to be without the token.
    pub(crate) fn new(
        operation: Operation,
        received: Instant,
        request: &Request,
        json: Value,
        has_right_token: bool,
    ) -> Self {
        Self {
            protocol: None,
            operation,
            received,
            method: request.method().to_owned(),
            target: request.target().to_owned(),
            headers: request.headers().to_vec(),
            body: request.body().clone(),
            json,
            picture: None,
            has_right_token,
        }
    }

    /// The path it was sent to, as in `/api/createJob`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split(['?', '#']).next().unwrap_or_default()
    }

    /// The first header of this name, in upper or lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    fn bytes(&self) -> usize {
        self.body.len() + self.picture.as_ref().map_or(0, Bytes::len)
    }
}

impl fmt::Debug for ReceivedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedRequest")
            .field("method", &self.method)
            // Some services take their token in the query.
            .field("path", &self.path())
            .field("json", &self.json)
            .field("has_right_token", &self.has_right_token)
            .finish_non_exhaustive()
    }
}

/// The latest requests.
#[derive(Debug)]
pub(crate) struct RequestLog {
    requests: VecDeque<ReceivedRequest>,
    bytes: usize,
    limit: usize,
}

impl RequestLog {
    /// Keeps so many at most.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            requests: VecDeque::new(),
            bytes: 0,
            limit,
        }
    }

    pub(crate) fn push(&mut self, request: ReceivedRequest) {
        self.bytes += request.bytes();
        self.requests.push_back(request);
        while self.requests.len() > self.limit
            || (self.bytes > BYTES_KEPT && self.requests.len() > 1)
        {
            let oldest = self.requests.pop_front();
            self.bytes -= oldest.map_or(0, |oldest| oldest.bytes());
        }
    }

    pub(crate) fn all(&self) -> Vec<ReceivedRequest> {
        self.requests.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_bounded_in_number_and_in_bytes() {
        let request = |bytes: usize| {
            let request = Request::default().with_body(vec![0; bytes].into());
            let now = Instant::now();
            ReceivedRequest::new(Operation::Unknown, now, &request, Value::Null, false)
        };
        let sizes = |log: &RequestLog| log.all().iter().map(|r| r.body.len()).collect::<Vec<_>>();
        let mut log = RequestLog::new(2);
        for bytes in 1..4 {
            log.push(request(bytes));
        }
        assert_eq!(sizes(&log), [2, 3]);
        log.push(request(BYTES_KEPT));
        assert_eq!(sizes(&log), [BYTES_KEPT]);
        log.push(request(1));
        assert_eq!(sizes(&log), [1]);
        let mut nothing = RequestLog::new(0);
        nothing.push(request(2));
        assert!(sizes(&nothing).is_empty());
    }
}
