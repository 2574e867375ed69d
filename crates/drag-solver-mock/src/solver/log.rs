//! What a mock remembers of the calls it got.

use drag_solver_core::{Billed, DragChallenge, ErrorKind, JobId, Solution, Verdict};
use tokio::time::Instant;

/// One call of [`solve`](drag_solver_core::DragSolver::solve) that a
/// [`MockSolver`](crate::MockSolver) got.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordedCall {
    /// The challenge, as it arrived.
    pub challenge: DragChallenge,
    /// The job that it was to resume.
    pub resumed: Option<JobId>,
    /// The job that it bought.
    pub bought: Option<JobId>,
    /// When the call began: when its future was first polled.
    pub started: Instant,
    /// When the call ended, if it has.
    pub ended: Option<Instant>,
    /// How it ended, if it has.
    pub status: CallStatus,
}

/// How a call ended, or that it has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallStatus {
    /// It has not ended.
    InFlight,
    /// With a solution.
    Solved,
    /// With an error.
    Failed {
        /// The error's kind.
        kind: ErrorKind,
        /// Whether it cost money.
        billed: Billed,
    },
    /// Its future was dropped before it had ended.
    Dropped,
}

/// One call of [`report`](drag_solver_core::DragSolver::report) that a
/// [`MockSolver`](crate::MockSolver) got.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RecordedReport {
    /// The solution, as it arrived.
    pub solution: Solution,
    /// Whether its drag was accepted.
    pub verdict: Verdict,
}
