//! What a client is told, in no provider's words yet.

use drag_solver_core::{Drag, JobId, LimitExceeded, ScreenshotError, Usd};
use serde_json::{Number, Value};

use super::Quirk;

/// What a client is told when its request was executed.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// The job's answer is there already where the client waited for it.
    Created {
        job: JobId,
        answer: Option<Answer>,
    },
    Running,
    Solved {
        job: JobId,
        answer: Answer,
    },
    Reported,
    Balance(Usd),
    Services {
        price: Usd,
    },
}

impl Reply {
    /// The answer in it, and whose it is.
    pub(crate) fn answer(&self) -> Option<(&JobId, &Answer)> {
        match self {
            Self::Solved { job, answer } => Some((job, answer)),
            Self::Created { job, answer } => answer.as_ref().map(|answer| (job, answer)),
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

/// Why a client gets nothing. Each protocol has its own words for these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
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
    /// The provider tried and gave up.
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
