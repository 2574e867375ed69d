//! What is sent.

mod callback;
mod code;
mod in_php;
mod number;
mod omocaptcha_v1;
mod running;
mod task;

use bytes::Bytes;

pub use self::callback::{Callback, callback};
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
/// and in the envelope in which the client asked.
#[must_use]
pub fn write(protocol: Protocol, manner: Manner, reply: &Result<Reply, Refusal>) -> Response {
    let json = match manner.asked {
        Protocol::InPhp if manner.json => in_php::json(manner, reply),
        Protocol::InPhp => {
            let text = in_php::text(manner, reply);
            return response(manner, reply, "text/plain; charset=utf-8", text);
        }
        Protocol::OmocaptchaV1 => omocaptcha_v1::body(manner, reply),
        asked => {
            let is_task = !matches!(protocol, Protocol::InPhp | Protocol::OmocaptchaV1);
            task::body(if is_task { protocol } else { asked }, manner, reply)
        }
    };
    response(manner, reply, "application/json", json.to_string())
}

fn response(
    manner: Manner,
    reply: &Result<Reply, Refusal>,
    content_type: &'static str,
    body: String,
) -> Response {
    let status = match reply {
        Err(Refusal::Draining) => 503,
        Err(Refusal::OutOfOrder) if manner.documented => 503,
        Err(Refusal::NoSuchMethod) if manner.documented => 404,
        Err(Refusal::NotPost) if manner.documented => 405,
        _ => 200,
    };
    Response {
        status,
        content_type,
        allow_origin: manner.allow_origin,
        body: body.into(),
    }
}
