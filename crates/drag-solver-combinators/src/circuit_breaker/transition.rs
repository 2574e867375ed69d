//! The states of a circuit, and what moves it from one to the other.
//!
//! The loom models in `tests/loom.rs` compile this file too.

use std::fmt;
use std::time::Duration;

use drag_solver_core::{ErrorKind, Solution, SolveError};

/// Whether calls are let through. Serialises in `snake_case`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum CircuitState {
    /// All are.
    Closed,
    /// None is.
    Open,
    /// A few are, to find out whether the solver is back.
    HalfOpen,
}

impl CircuitState {
    /// The name used in logs and metrics, as in `"half_open"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

impl fmt::Display for CircuitState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A change of state, to be logged once the lock is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transition {
    pub(crate) from: CircuitState,
    pub(crate) to: CircuitState,
    /// Set if it opened.
    pub(crate) cause: Option<Cause>,
}

/// Why it opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Failures {
        failed: usize,
        of: usize,
        last: ErrorKind,
    },
    SlowCalls {
        slow: usize,
        of: usize,
    },
    FailedProbe(ErrorKind),
    SlowProbe,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failures { failed, of, last } => {
                write!(
                    f,
                    "{failed} of the last {of} calls failed, this one with {last}"
                )
            }
            Self::SlowCalls { slow, of } => write!(f, "{slow} of the last {of} calls were slow"),
            Self::FailedProbe(kind) => write!(f, "the last probe failed with {kind}"),
            Self::SlowProbe => f.write_str("the last probe was slow"),
        }
    }
}

/// How a call ended that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) failure: Option<ErrorKind>,
    pub(crate) slow: bool,
}

impl Sample {
    /// What an outcome says about a solver's health; `None` if it says nothing.
    pub(crate) fn of(
        outcome: &Result<Solution, SolveError>,
        took: Duration,
        slow_call: Duration,
    ) -> Option<Self> {
        let slow = took >= slow_call;
        let Err(error) = outcome else {
            let failure = None;
            return Some(Self { failure, slow });
        };
        let earlier = error.failed_attempts().iter().map(|attempt| attempt.kind);
        let failure = std::iter::once(error.kind())
            .chain(earlier)
            .find(|&kind| is_failure(kind));
        // A caller in a hurry is not the solver's fault, and a long wait is not the caller's.
        let is_late = error.kind() == ErrorKind::DeadlineExceeded && slow;
        (failure.is_some() || is_late).then_some(Self { failure, slow })
    }

    pub(crate) fn is_good(self) -> bool {
        self.failure.is_none() && !self.slow
    }
}

/// Whether an error of this kind means that the solver is not well.
const fn is_failure(kind: ErrorKind) -> bool {
    match kind {
        // It is out of order, overrun, or does not keep to its own protocol.
        ErrorKind::Unavailable
        | ErrorKind::Timeout
        | ErrorKind::RateLimited
        | ErrorKind::Protocol
        // It will refuse every call until a person has seen to the account, and some providers bar
        // an address that continues to try.
        | ErrorKind::Unauthorized
        | ErrorKind::InsufficientBalance
        // It takes money for nothing.
        | ErrorKind::InvalidAnswer => true,
        // `Unsolvable` says as much about the picture as about the solver; `InvalidChallenge` and
        // `Unsupported` say nothing about it, and local refusals never reached it.
        _ => false,
    }
}
