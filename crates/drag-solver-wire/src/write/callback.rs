//! What is sent to an address of the client's own.

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::number::id;
use super::{in_php, omocaptcha_v1, task};
use crate::{Answer, Manner, Operation, Protocol, Refusal, Reply};

/// What forms escape, but for spaces, which are escaped as any other.
const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'*');

/// The body of the POST with which a client's own address (`pingback`, `callbackUrl`) is told what came of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Callback {
    /// What the body is.
    pub content_type: &'static str,
    /// The body to the byte.
    pub body: Bytes,
}

impl Callback {
    /// The call of a protocol that is not known here: any JSON.
    #[must_use]
    pub fn json(body: &Value) -> Self {
        Self {
            content_type: "application/json",
            body: body.to_string().into(),
        }
    }
}

/// Writes what is sent to a client's own address about the job `job`.
///
/// - `in.php`: a form, `id=51555263943&code=coordinates:x=83,y=560;x=320,y=560`, with the name of the refusal as the
///   code of a job that failed; [2Captcha](https://2captcha.com/h/how-to-configure-automatic-response-retrieval-via-pingback)
///   (2026-11-27).
/// - All others: the JSON that a poll of the job brings; Anti-Captcha's documents say so of `callbackUrl`. The job's id
///   is in it as well, under the name that it was created with: without it, it could not be told which job it is.
#[must_use]
pub fn callback(protocol: Protocol, job: &str, outcome: Result<Answer, Refusal>) -> Callback {
    let manner = Manner::new(protocol, Operation::Poll);
    let reply = outcome.map(Reply::Solved);
    let named = |mut body: Value, name: &str| {
        body[name] = id(job, manner);
        Callback::json(&body)
    };
    match protocol {
        Protocol::InPhp => {
            let code = in_php::text(manner, &reply);
            let code = code.strip_prefix("OK|").unwrap_or(&code);
            let escape = |text| utf8_percent_encode(text, FORM);
            Callback {
                content_type: "application/x-www-form-urlencoded",
                body: format!("id={}&code={}", escape(job), escape(code)).into(),
            }
        }
        Protocol::OmocaptchaV1 => named(omocaptcha_v1::body(manner, &reply), "job_id"),
        _ => named(task::body(protocol, manner, &reply), "taskId"),
    }
}
