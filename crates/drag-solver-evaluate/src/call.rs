//! What came of one call.

use std::time::Duration;

use drag_solver_core::{Billed, Drag, ErrorKind, Recovery, Solution, SolveError, Usd};
use serde::{Serialize, Serializer};

use crate::labelled::LabelledPicture;

/// One solver was asked about one picture.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Call {
    /// Which picture, counted from 0.
    pub picture: usize,
    /// Which solver, counted from 0.
    pub solver: usize,
    /// What it said.
    #[serde(flatten)]
    pub outcome: CallOutcome,
    /// How long it took, failed attempts inside included. `None` if that cannot be known: it was interrupted, and gone on with
    /// later. In JSON in milliseconds, `took_ms`.
    #[serde(rename = "took_ms", serialize_with = "millis")]
    pub took: Option<Duration>,
    /// What it cost, in US dollars, failed attempts inside included; what may be billed counts. `None` if that is not known.
    #[serde(rename = "spent_usd")]
    pub spent: Option<Usd>,
    /// Whether it was on record already, and cost nothing now.
    pub from_store: bool,
}

impl Call {
    /// Whether it says something about the solver.
    pub(crate) fn is_measured(&self) -> bool {
        !matches!(self.outcome, CallOutcome::NotMeasured { .. })
    }
}

/// What a solver said about one picture.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
#[non_exhaustive]
pub enum CallOutcome {
    /// It answered.
    Answered {
        /// The answer.
        drag: Drag,
        /// How far that is off, in pixels: see [`LabelledPicture::off`].
        off_px: f64,
    },
    /// It failed, as it may fail again.
    Failed {
        /// How.
        kind: ErrorKind,
        /// What a chain does next.
        next: Next,
        /// How long it said to wait before it is asked again. In JSON in milliseconds.
        #[serde(rename = "retry_after_ms", serialize_with = "millis")]
        retry_after: Option<Duration>,
    },
    /// Nothing was learned about the solver: the budget is spent, the account is empty, the token is wrong, the
    /// store cannot be written. It counts nowhere but here.
    NotMeasured {
        /// Why.
        kind: ErrorKind,
    },
}

/// What a chain does after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums)] // there is no fourth thing to do
pub enum Next {
    /// A retry asks the same solver again.
    Again,
    /// A fallback asks another.
    Another,
    /// It gives up.
    Stop,
}

/// What a solver said, and how long it took if that is known.
pub(crate) struct Answered {
    pub(crate) answer: Result<Solution, SolveError>,
    pub(crate) took: Option<Duration>,
    pub(crate) from_store: bool,
}

/// What an error says about us, and not about the solver: of a chain, if each of its attempts does.
pub(crate) fn about_us(error: &SolveError) -> Option<ErrorKind> {
    let is_ours = |kind: ErrorKind| {
        matches!(
            kind,
            ErrorKind::BudgetExhausted
                | ErrorKind::NotRecorded
                | ErrorKind::Unconfirmed
                | ErrorKind::Unauthorized
                | ErrorKind::InsufficientBalance
        )
    };
    if error.kind() != ErrorKind::AllFailed {
        return Some(error.kind()).filter(|kind| is_ours(*kind));
    }
    let attempts = error.attempts();
    let first = attempts.first()?.kind;
    attempts
        .iter()
        .all(|attempt| is_ours(attempt.kind))
        .then_some(first)
}

/// What came of a call.
pub(crate) fn outcome(
    picture: &LabelledPicture,
    answer: &Result<Solution, SolveError>,
) -> CallOutcome {
    match answer {
        Ok(solution) => CallOutcome::Answered {
            drag: *solution.drag(),
            off_px: picture.off(solution.drag()),
        },
        Err(error) => match about_us(error) {
            Some(kind) => CallOutcome::NotMeasured { kind },
            None => CallOutcome::Failed {
                kind: error.kind(),
                next: next(error),
                retry_after: error.retry_after(),
            },
        },
    }
}

/// What a retry with its default settings, and a chain around it, do after this error.
fn next(error: &SolveError) -> Next {
    // It may have bought something that cannot be fetched: to ask again may pay twice.
    let may_pay_twice = error.attempts().iter().any(|attempt| {
        attempt.billed == Billed::Maybe
            && attempt.jobs.is_empty()
            && !matches!(
                attempt.kind,
                ErrorKind::Unsolvable | ErrorKind::InvalidAnswer
            )
    });
    match error.recovery() {
        Recovery::Stop => Next::Stop,
        Recovery::Retry if !may_pay_twice => Next::Again,
        Recovery::Retry | Recovery::Switch => Next::Another,
    }
}

/// What was spent, as the outcome says it.
pub(crate) fn spent(answer: &Result<Solution, SolveError>) -> Option<Usd> {
    match answer {
        Ok(solution) => solution.spent(),
        Err(error) => error.spent(),
    }
}

/// How long it took, as the outcome says it; `None` if it does not.
pub(crate) fn told(answer: &Result<Solution, SolveError>) -> Option<Duration> {
    let elapsed = match answer {
        Ok(solution) => solution.elapsed(),
        Err(error) => error.elapsed(),
    };
    (!elapsed.is_zero()).then_some(elapsed)
}

#[allow(clippy::ref_option)] // of serde
pub(crate) fn millis<S: Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let millis = duration.map(|duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
    millis.serialize(serializer)
}

#[cfg(test)]
mod tests {
    use drag_solver_core::{JobId, PaidJob};

    use super::*;

    #[test]
    fn after_a_failure_the_chain_does_what_a_retry_would() {
        let error = |kind| SolveError::new(kind, "x");
        let job = PaidJob::new("a", JobId::from(1));
        for (error, expected) in [
            (error(ErrorKind::Unavailable), Next::Again),
            (
                error(ErrorKind::Unavailable).with_billed(Billed::Maybe),
                Next::Another,
            ),
            (
                error(ErrorKind::Unsolvable).with_billed(Billed::Maybe),
                Next::Again,
            ),
            (
                error(ErrorKind::Timeout).with_unfinished_jobs([job]),
                Next::Another,
            ),
            (
                error(ErrorKind::Unavailable).mark_exhausted(),
                Next::Another,
            ),
            (error(ErrorKind::InvalidChallenge), Next::Stop),
        ] {
            assert_eq!(next(&error), expected, "{error}");
        }
    }

    #[test]
    fn what_is_about_us_says_nothing_about_the_solver() {
        let ours: Vec<_> = ErrorKind::ALL
            .iter()
            .filter(|kind| about_us(&SolveError::new(**kind, "x")).is_some())
            .map(|kind| kind.as_str())
            .collect();
        assert_eq!(
            ours,
            [
                "unauthorized",
                "insufficient_balance",
                "budget_exhausted",
                "not_recorded",
                "unconfirmed"
            ]
        );
        let chain = |kinds: &[ErrorKind]| {
            let parts = kinds.iter().map(|kind| SolveError::new(*kind, "x"));
            about_us(&SolveError::all_failed(parts.collect()))
        };
        let (ours, theirs) = (ErrorKind::Unauthorized, ErrorKind::Unavailable);
        assert_eq!(chain(&[ours, ErrorKind::InsufficientBalance]), Some(ours));
        assert_eq!(chain(&[ours, theirs]), None);
        assert_eq!(chain(&[]), None);
    }
}
