//! What became of a screenshot, and what the command says about the whole run when it exits.

use std::process::ExitCode;
use std::time::Duration;

use drag_solver::core::{Drag, Rect, Solution, SolveError};

use crate::progress::UnderWay;

/// What became of one screenshot.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Its path as it was given, or `-`.
    pub(crate) screenshot: String,
    /// The part of it that was asked about.
    pub(crate) region: Option<Rect>,
    pub(crate) result: Result<Solution, Failure>,
}

impl Outcome {
    /// Where to drag, if that is known.
    pub(crate) fn drag(&self) -> Option<Drag> {
        self.result.as_ref().ok().map(|solution| *solution.drag())
    }
}

#[derive(Debug)]
pub(crate) enum Failure {
    /// Not a screenshot that could be asked about; why, in one line. Nothing was sent.
    Unusable(String),
    /// Whoever was asked did not solve it.
    Unsolved {
        error: SolveError,
        elapsed: Duration,
    },
    /// The command was ended before the answer came.
    Interrupted(UnderWay),
}

/// The exit status, from the best to the gravest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    Success,
    /// At least one screenshot was not solved.
    Unsolved,
    /// Wrong usage or configuration, or a file that cannot be read or written.
    Unusable,
    /// Stopped by Ctrl-C.
    Interrupted,
    /// Stopped by a request to terminate.
    Terminated,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Success => 0,
            Exit::Unsolved => 1,
            Exit::Unusable => 2,
            Exit::Interrupted => 130,
            Exit::Terminated => 143,
        })
    }
}

impl From<&Outcome> for Exit {
    fn from(outcome: &Outcome) -> Self {
        match outcome.result {
            Ok(_) => Self::Success,
            Err(Failure::Unsolved { .. } | Failure::Interrupted(_)) => Self::Unsolved,
            Err(Failure::Unusable(_)) => Self::Unusable,
        }
    }
}
