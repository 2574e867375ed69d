//! What an outcome says about a solver's health.

use std::time::Duration;

use drag_solver_core::{ErrorKind, Solution, SolveError};

use super::state::Sample;

/// Whether an error of this kind means that the solver is not well.
const fn is_failure(kind: ErrorKind) -> bool {
    match kind {
        // It is out of order, overrun, or does not keep to its own protocol.
        ErrorKind::Unavailable
        | ErrorKind::Timeout
        | ErrorKind::RateLimited
        | ErrorKind::Protocol
        // It will refuse every call until somebody has seen to the account, and some providers bar
        // an address that goes on trying.
        | ErrorKind::Unauthorized
        | ErrorKind::InsufficientBalance
        // It takes money for nothing.
        | ErrorKind::InvalidAnswer => true,
        // `Unsolvable` says as much about the picture as about the solver; `InvalidChallenge` and
        // `Unsupported` say nothing about it, and local refusals never reached it.
        _ => false,
    }
}

/// How a call counts, if it counts.
pub(super) fn sample(
    outcome: &Result<Solution, SolveError>,
    took: Duration,
    slow_call: Duration,
) -> Option<Sample> {
    let slow = took >= slow_call;
    let Err(error) = outcome else {
        return Some(Sample {
            failure: None,
            slow,
        });
    };
    let own = error.kind();
    let mut earlier = error.attempts().iter().map(|attempt| attempt.kind);
    let failure = if is_failure(own) {
        Some(own)
    } else {
        earlier.find(|&kind| is_failure(kind))
    };
    // A caller in a hurry is not the solver's fault, and a long wait is not the caller's.
    let is_late = own == ErrorKind::DeadlineExceeded && slow;
    (failure.is_some() || is_late).then_some(Sample { failure, slow })
}
