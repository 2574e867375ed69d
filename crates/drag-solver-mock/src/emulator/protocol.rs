//! What every protocol has in common: calls come in, replies go out. A protocol is pure functions
//! between these and JSON.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use drag_solver_core::{
    Drag, JobId, LimitExceeded, ScreenshotError, ScreenshotLimits, Usd, Verdict,
};
use serde_json::{Number, Value};

use super::Step;
use super::quirks::{Quirk, Quirks};

/// One provider's wire format.
pub(super) trait Protocol: Send + Sync {
    /// JSON pointer to the token in a request.
    fn token_at(&self) -> &'static str;

    /// JSON pointer to the picture in a request that creates a job.
    fn picture_at(&self) -> &'static str;

    /// The picture in a request, if there is one.
    fn picture(&self, body: &Value) -> Option<Bytes> {
        let encoded = body.pointer(self.picture_at())?.as_str()?;
        decode(base64_of(encoded), "").ok()
    }

    /// How the provider treats jobs.
    fn terms(&self) -> &Terms;

    /// What `method`, the last part of the path, is for.
    fn step(&self, method: &str) -> Option<Step>;

    /// Reads a request whose token is right.
    fn call(&self, method: &str, body: &Value) -> Result<Call, Refusal>;

    /// The id of the `number`th job, counted from 0.
    fn job_id(&self, number: u64, seed: u64, quirks: &Quirks) -> JobId;

    /// The body of an answer.
    fn body(&self, reply: &Reply, quirks: &Quirks) -> Value;
}

/// How a provider treats jobs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// Pictures that are refused.
    pub(super) limits: ScreenshotLimits,
    /// Pictures with a longer side are scaled down for the workers, and the answer is in that scale.
    pub(super) scaled_to: Option<u32>,
    /// How long a result can be fetched, and reported on, after it was found.
    pub(super) kept: Option<Duration>,
    /// Whether a job that was given up is refunded.
    pub(super) refunds: bool,
}

/// What a client wants.
#[derive(Debug)]
pub(super) enum Call {
    Create(Order),
    Poll { job: String },
    Report { job: String, verdict: Verdict },
    Balance,
    Services,
}

/// A job to be done.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) picture: Bytes,
    pub(super) instruction: Option<String>,
}

/// What the client is told.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    Created { job: JobId },
    CreatedSolved { job: JobId, answer: Answer },
    Running,
    Solved { job: JobId, answer: Answer },
    GaveUp,
    Reported,
    Balance(Usd),
    Services { price: Usd },
    Refused(Refusal),
}

impl Reply {
    /// The HTTP status it is sent with. Providers send refusals with 200 as a rule.
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Refused(Refusal::NoSuchMethod) => 404,
            Self::Refused(Refusal::NotPost) => 405,
            Self::Refused(Refusal::OutOfOrder) => 503,
            _ => 200,
        }
    }

    /// The job whose answer is in it.
    pub(super) fn answered_job(&self) -> Option<&JobId> {
        match self {
            Self::CreatedSolved { job, .. } | Self::Solved { job, .. } => Some(job),
            _ => None,
        }
    }
}

/// A found drag and what goes with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub(super) drag: Drag,
    pub(super) cost: Usd,
    /// Seconds since 1970, of the emulator's own clock.
    pub(super) created: u64,
    pub(super) ended: u64,
}

/// Why a request is refused. Each protocol has its own words for these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    BadToken,
    NoMoney,
    NoWorker,
    NoSuchMethod,
    NotPost,
    Malformed(String),
    TaskType(String),
    PictureEmpty,
    PictureTooLarge(String),
    PictureType(String),
    InstructionPictureTooLarge,
    NoSuchJob,
    OutOfOrder,
}

impl From<ScreenshotError> for Refusal {
    fn from(error: ScreenshotError) -> Self {
        match error {
            ScreenshotError::Empty => Self::PictureEmpty,
            ScreenshotError::FileTooLarge | ScreenshotError::TooManyPixels { .. } => {
                Self::PictureTooLarge(error.to_string())
            }
            _ => Self::PictureType(error.to_string()),
        }
    }
}

impl From<LimitExceeded> for Refusal {
    fn from(error: LimitExceeded) -> Self {
        match error {
            LimitExceeded::Format { .. } => Self::PictureType(error.to_string()),
            _ => Self::PictureTooLarge(error.to_string()),
        }
    }
}

/// The text at `pointer`, which must be there and not empty.
pub(super) fn text<'a>(body: &'a Value, pointer: &str) -> Result<&'a str, Refusal> {
    match body.pointer(pointer) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        Some(Value::String(_)) => Err(Refusal::Malformed(format!("{pointer} is empty"))),
        Some(_) => Err(Refusal::Malformed(format!("{pointer} is not a string"))),
        None => Err(Refusal::Malformed(format!("{pointer} is missing"))),
    }
}

/// The picture at `pointer`: standard base64 with padding, without line breaks.
pub(super) fn picture(body: &Value, pointer: &str) -> Result<Bytes, Refusal> {
    let Some(Value::String(encoded)) = body.pointer(pointer) else {
        return Err(Refusal::Malformed(format!("{pointer} is not a string")));
    };
    decode(encoded, pointer)
}

/// The base64 of a data URI; other texts are taken as they are.
pub(super) fn base64_of(text: &str) -> &str {
    match text.split_once(";base64,") {
        Some((head, encoded)) if head.starts_with("data:") => encoded,
        _ => text,
    }
}

/// Decodes base64 found at `pointer`.
pub(super) fn decode(encoded: &str, pointer: &str) -> Result<Bytes, Refusal> {
    if encoded.is_empty() {
        return Err(Refusal::PictureEmpty);
    }
    STANDARD
        .decode(encoded)
        .map(Bytes::from)
        .map_err(|error| Refusal::Malformed(format!("{pointer} is not standard base64: {error}")))
}

/// The job id at `pointer`. Clients may send it as a number or as a string, whichever they got.
pub(super) fn job(body: &Value, pointer: &str) -> Result<String, Refusal> {
    match body.pointer(pointer) {
        Some(Value::Number(number)) => Ok(number.to_string()),
        _ => text(body, pointer).map(str::to_owned),
    }
}

/// A job id as it is sent: ids of digits alone are numbers.
pub(super) fn id_value(job: &JobId, quirks: &Quirks) -> Value {
    match job.as_str().parse::<u64>() {
        Ok(number) if !quirks.has(Quirk::IdsAsStrings) => number.into(),
        _ => job.as_str().into(),
    }
}

/// A numeric id: `first` plus `number`, in another range for every seed.
pub(super) fn numeric_id(first: u64, number: u64, seed: u64, quirks: &Quirks) -> JobId {
    let number = number.saturating_add((seed % 1_000) * 1_000_000);
    if quirks.has(Quirk::HugeIds) {
        // Odd numbers from 2^53 on have no binary float of their own.
        JobId::from((1 << 53) + 1 + 2 * number)
    } else {
        JobId::from(first + number)
    }
}

/// A number of pixels, or of dollars, as a person would write it: 83, not 83.0.
pub(super) fn number(number: f64) -> Value {
    #[allow(clippy::cast_possible_truncation)] // in range: that is what is checked
    if number.fract() == 0.0 && number.abs() < 1e15 {
        Value::from(number as i64)
    } else {
        Number::from_f64(number).map_or(Value::Null, Value::Number)
    }
}
