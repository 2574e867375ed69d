//! What a client is told, in no provider's words yet.

use drag_solver_core::{Drag, JobId, LimitExceeded, ScreenshotError, Usd};
use serde_json::{Number, Value};

use super::Quirk;

/// What a client is told when its request was executed.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// With the answer, if it is there already where the client waited for it.
    Created(JobId, Option<Answer>),
    Running,
    Solved(JobId, Answer),
    Reported,
    Balance(Usd),
    /// What a job costs.
    Services(Usd),
}

impl Reply {
    /// The answer in it, and whose it is.
    pub(crate) fn answer(&self) -> Option<(&JobId, &Answer)> {
        match self {
            Self::Solved(job, answer) | Self::Created(job, Some(answer)) => Some((job, answer)),
            _ => None,
        }
    }
}

/// A found drag and what goes with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) drag: Drag,
    pub(crate) cost: Usd,
    /// Seconds since 1970, of the emulator's own clock.
    pub(crate) created: u64,
    pub(crate) ended: u64,
}

/// Why a client gets nothing, in words where its protocol has none of its own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("Invalid api token.")]
    BadToken,
    #[error("Your balance is not enough.")]
    NoMoney,
    #[error("Server is busy.")]
    NoWorker,
    #[error("No such method.")]
    NoSuchMethod,
    #[error("Send a POST request.")]
    NotPost,
    #[error("Bad request: {0}.")]
    Malformed(String),
    #[error("Task not supported: {0}.")]
    TaskType(String),
    #[error("The image is empty.")]
    PictureEmpty,
    #[error("Bad image: {0}.")]
    PictureTooLarge(String),
    #[error("Bad image: {0}.")]
    PictureType(String),
    #[error("Bad instruction: at most 100 kB are taken.")]
    InstructionPictureTooLarge,
    #[error("Job not found.")]
    NoSuchJob,
    #[error("Maintenance, try again later.")]
    OutOfOrder,
    /// The provider tried and gave up.
    #[error("Workers could not solve the captcha.")]
    Unsolvable,
}

impl Refusal {
    /// The HTTP status it is sent with: 200 as a rule.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::NoSuchMethod => 404,
            Self::NotPost => 405,
            Self::OutOfOrder => 503,
            _ => 200,
        }
    }
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

/// A job id as it is sent: ids of digits alone are numbers.
pub(super) fn id(job: &JobId, quirks: &[Quirk]) -> Value {
    match job.as_str().parse::<u64>() {
        Ok(number) if !quirks.contains(&Quirk::IdsAsStrings) => number.into(),
        _ => job.as_str().into(),
    }
}

/// How "not yet" is said: the usual word, or the one of a quirk.
pub(super) fn running(
    quirks: &[Quirk],
    usual: &'static str,
    (quirk, other): (Quirk, &'static str),
) -> &'static str {
    if quirks.contains(&Quirk::UnknownStatus) {
        "queued"
    } else if quirks.contains(&quirk) {
        other
    } else {
        usual
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
