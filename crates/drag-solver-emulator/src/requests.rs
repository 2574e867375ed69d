//! What clients sent, for tests to look at.

use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;
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
    /// The request to the byte. **The token is in it.**
    pub request: Request,
    /// The body as JSON (null if it is none), with the token and the picture replaced by words.
    pub json: Value,
    /// The picture, decoded, of a request that creates a provider's job.
    pub picture: Option<Bytes>,
    /// Whether the token was in its place and the right one. Where that place is unknown (at a
    /// [stand-in](crate::stand_in)): whether the token was anywhere in it.
    pub has_right_token: bool,
}

impl ReceivedRequest {
    /// Notes a request of which no more is known. Its JSON is shown, and may have the token in it.
    pub(crate) fn new(operation: Operation, received: Instant, request: Request) -> Self {
        Self {
            protocol: None,
            operation,
            received,
            json: request.json(),
            request,
            picture: None,
            has_right_token: false,
        }
    }

    fn bytes(&self) -> usize {
        self.request.body().len() + self.picture.as_ref().map_or(0, Bytes::len)
    }
}

impl fmt::Debug for ReceivedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedRequest")
            .field("request", &self.request)
            .field("json", &self.json)
            .field("has_right_token", &self.has_right_token)
            .finish_non_exhaustive()
    }
}

/// The latest requests.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    requests: VecDeque<ReceivedRequest>,
    bytes: usize,
    limit: usize,
}

impl RequestLog {
    /// Keeps so many at most.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
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
            ReceivedRequest::new(Operation::Unknown, Instant::now(), request)
        };
        let sizes = |log: &RequestLog| {
            log.all()
                .iter()
                .map(|r| r.request.body().len())
                .collect::<Vec<_>>()
        };
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
