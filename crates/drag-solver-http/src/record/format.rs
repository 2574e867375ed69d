//! What a line of a recording is.

use std::time::Duration;

use drag_solver_core::{JobId, Rect, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::transport::Delivery;

/// The version of the format that is written, and the only one that is read.
pub(super) const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) drag_solver_recording: u32,
    /// Of the program that wrote it.
    #[serde(default)]
    pub(super) version: String,
}

/// Every other line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    Exchange(Box<Exchange>),
    Call(Box<Call>),
}

/// One request, and what came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Exchange {
    pub(super) solver: String,
    /// In milliseconds since the recording began.
    pub(super) began_ms: u64,
    pub(super) ended_ms: u64,
    /// How long it was given.
    #[serde(default = "forever", skip_serializing_if = "is_forever")]
    pub(super) limit_ms: u64,
    pub(super) request: Request,
    pub(super) outcome: Outcome,
}

/// The largest number that every reader of JSON keeps as it is: JavaScript's are floats.
const MAX_SAFE: u64 = (1 << 53) - 1;

/// What a limit is that is left out.
fn forever() -> u64 {
    u64::MAX
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's shape
pub(super) fn is_forever(ms: &u64) -> bool {
    *ms > MAX_SAFE
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) query: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) headers: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Body>,
    /// Whether it may have cost money.
    #[serde(default)]
    pub(super) purchase: bool,
}

/// What a request sends. A text in it is a [`Value`]: itself, or an object that
/// says what it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Body {
    Json(Value),
    Form(Vec<(String, Value)>),
    Multipart(Vec<Part>),
    Text(Value),
    Binary(Value),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<String>,
    pub(super) value: Value,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Response(Response),
    Error(Failure),
    /// The client had stopped waiting.
    Abandoned,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Response {
    pub(super) status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) retry_after: Option<Duration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) location: Option<String>,
    pub(super) body: ResponseBody,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ResponseBody {
    /// As it came, to the byte.
    Json(Box<RawValue>),
    Text(String),
    Base64(String),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Failure {
    pub(super) delivery: Delivery,
    pub(super) reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<String>,
}

/// One call of a solver: what it was asked, and what came of it. The exchanges in between are what it took.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Call {
    pub(super) solver: String,
    pub(super) began_ms: u64,
    pub(super) ended_ms: u64,
    pub(super) settings: Settings,
    pub(super) asked: Asked,
    pub(super) result: CallResult,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Settings {
    pub(super) base_url: String,
    pub(super) poll_first_ms: u64,
    pub(super) poll_every_ms: u64,
    #[serde(default = "forever", skip_serializing_if = "is_forever")]
    pub(super) request_timeout_ms: u64,
    #[serde(default = "forever", skip_serializing_if = "is_forever")]
    pub(super) job_timeout_ms: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Asked {
    Solve(Challenge),
    Balance,
    Report { job: JobId, verdict: Verdict },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Challenge {
    pub(super) picture: Picture,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) instruction: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<Rect>,
    /// Jobs that were paid for before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) resumed: Vec<JobId>,
    /// How much was left until the challenge's deadline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) time_left_ms: Option<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CallResult {
    Solution(Value),
    Balance(String),
    Accepted,
    Error(Value),
    Abandoned,
}

/// A picture, and itself only if that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Picture {
    pub(super) sha256: String,
    pub(super) bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) width: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) height: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) base64: Option<String>,
}
