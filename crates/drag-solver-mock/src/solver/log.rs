//! What a mock remembers of the calls it got.

use drag_solver_core::{
    Charge, DragChallenge, ErrorKind, JobId, Rect, Screenshot, Solution, Verdict,
};
use tokio::time::Instant;

/// One call of [`solve`](drag_solver_core::DragSolver::solve) that a
/// [`MockSolver`](crate::MockSolver) got.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Call {
    /// Which call it was, counted from 1.
    pub number: usize,
    /// The picture. Shared with the challenge, not copied.
    pub screenshot: Screenshot,
    /// What the challenge said in words.
    pub instruction: Option<String>,
    /// The part of the picture that holds the challenge.
    pub region: Option<Rect>,
    /// When the answer was due.
    pub deadline: Option<Instant>,
    /// The job it was told to go on waiting for.
    pub resumed: Option<JobId>,
    /// The job it bought.
    pub bought: Option<JobId>,
    /// When the call began: when its future was first polled.
    pub started: Instant,
    /// When the call ended, if it has.
    pub ended: Option<Instant>,
    /// How it ended.
    pub ending: Ending,
}

impl Call {
    pub(super) fn new(number: usize, challenge: &DragChallenge, resumed: Option<JobId>) -> Self {
        Self {
            number,
            screenshot: challenge.screenshot().clone(),
            instruction: challenge.instruction().map(str::to_owned),
            region: challenge.region(),
            deadline: challenge.deadline(),
            resumed,
            bought: None,
            started: Instant::now(),
            ended: None,
            ending: Ending::InFlight,
        }
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// It has not.
    InFlight,
    /// With a solution.
    Solved,
    /// With an error.
    Failed {
        /// The error's kind.
        kind: ErrorKind,
        /// The error's charge.
        charge: Charge,
    },
    /// Its future was dropped before it had ended.
    Dropped,
}

/// One call of [`report`](drag_solver_core::DragSolver::report) that a
/// [`MockSolver`](crate::MockSolver) got.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// The solution, as it arrived.
    pub solution: Solution,
    /// Whether its drag was accepted.
    pub verdict: Verdict,
}
