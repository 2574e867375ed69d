//! Ending a call at an instant without losing what it paid for.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use drag_solver_core::{DragChallenge, DragSolver, ErrorKind, Solution, SolveError};
use tokio::time::{Instant, timeout_at};

use crate::resume::left_behind;

/// Asks `solver` for an answer from `begun`, which is now, until `at`, and drops it if it exceeds that.
///
/// The solver is given `at` as its deadline, so that it can come back by itself, with the id of a
/// job it paid for. It is polled before the clock is looked at: an answer or error that comes at
/// the very instant counts. If it has to be dropped, the error, of kind `kind`, names the jobs it
/// said it had bought, and those that the challenge brought.
/// With [`ErrorKind::Timeout`], `at` is a limit of this call; with any other, the challenge's deadline.
pub(super) async fn solve_by(
    solver: &impl DragSolver,
    challenge: &DragChallenge,
    (begun, at): (Instant, Instant),
    kind: ErrorKind,
) -> Result<Solution, SolveError> {
    let (due, tracker) = challenge.tracked();
    let due = due.with_deadline_at_most(at);
    let mut work = solver.solve(&due);
    // What is refused or answered at once needs no timer.
    if let Poll::Ready(outcome) = poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await {
        return outcome;
    }
    if let Ok(outcome) = timeout_at(at, work).await {
        return outcome;
    }
    // Of several purchases, the last is the error's own, and each of the others an attempt before it.
    let why = match kind {
        ErrorKind::Timeout => too_late(at - begun),
        _ => "no answer by the challenge's deadline".to_owned(),
    };
    let (elapsed, purchases) = (begun.elapsed(), tracker.purchases());
    let brought = challenge.paid_jobs();
    let mut attempts = left_behind(solver.name(), &purchases, brought, &why, elapsed);
    let error = SolveError::new(kind, why).with_elapsed(elapsed);
    let Some(last) = attempts.pop() else {
        return Err(error.with_solver(solver.name()));
    };
    Err(error
        .with_solver(last.solver.as_deref().unwrap_or(solver.name()))
        .with_billed(last.billed)
        .with_cost(last.cost)
        .handing_back(last.jobs)
        .with_failed_attempts(attempts))
}

pub(super) fn too_late(limit: Duration) -> String {
    format!("no answer within {limit:?}")
}
