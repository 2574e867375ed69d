//! One line of the history behind an outcome.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Charge, ErrorKind, JobId, SolveError};

/// One failed call to one solver, as remembered by the [`Solution`](crate::Solution) or
/// [`SolveError`] that came of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attempt {
    /// Name of the solver, if the error named one.
    pub provider: Option<String>,
    /// What went wrong.
    pub kind: ErrorKind,
    /// What went wrong, in words.
    pub message: String,
    /// Whether it cost money.
    pub charge: Charge,
    /// A job that was paid for and is not finished.
    pub job: Option<JobId>,
    /// How long it took. Serialises as whole milliseconds.
    #[serde(rename = "elapsed_ms", with = "crate::solution::millis")]
    pub elapsed: Duration,
}

impl Attempt {
    /// Remembers `error`, which took `elapsed` to come.
    #[must_use]
    pub fn new(error: &SolveError, elapsed: Duration) -> Self {
        Self {
            provider: error.provider().map(str::to_owned),
            kind: error.kind(),
            message: error.message().to_owned(),
            charge: error.charge(),
            job: error.job().cloned(),
            elapsed,
        }
    }
}
