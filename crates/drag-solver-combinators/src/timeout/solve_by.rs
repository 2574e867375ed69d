//! Ending a call at an instant without losing what it paid for.

use std::future::poll_fn;
use std::task::Poll;

use drag_solver_core::{DragChallenge, DragSolver, ErrorKind, Solution, SolveError, Tracker};
use tokio::time::{Instant, timeout_at};

/// Asks `solver` for an answer from `begun`, which is now, until `at`, and drops it if it exceeds that.
///
/// The solver is given `at` as its deadline, so that it can come back by itself, with the id of a
/// job it paid for. It is polled before the clock is looked at: an answer or error that comes at
/// the very instant counts. If it has to be dropped, the error, of kind `kind`, names the jobs it
/// said it had bought, and those that the challenge brought.
pub(super) async fn solve_by(
    solver: &impl DragSolver,
    challenge: &DragChallenge,
    (begun, at): (Instant, Instant),
    kind: ErrorKind,
    message: impl FnOnce() -> String,
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
    let error = SolveError::new(kind, message()).with_elapsed(begun.elapsed());
    let name = solver.name();
    Err(with_open_purchases(error, name, challenge, &tracker))
}

/// Adds to `error` what is known about money. Of several purchases, the last is the error's own and
/// each of the others a failed attempt before it.
fn with_open_purchases(
    error: SolveError,
    name: &str,
    challenge: &DragChallenge,
    tracker: &Tracker,
) -> SolveError {
    let purchases = tracker.purchases();
    let why = error.message().to_owned();
    let mut attempts = purchases.if_dropped(name, &why, error.elapsed());
    let brought = purchases.unfinished_of(challenge.paid_jobs()).cloned();
    let Some(last) = attempts.pop() else {
        return error.with_solver(name).with_unfinished_jobs(brought);
    };
    let named: Vec<_> = attempts
        .iter()
        .flat_map(|attempt| attempt.jobs.clone())
        .collect();
    let error = error
        .with_solver(last.solver.as_deref().unwrap_or(name))
        .with_billed(last.billed)
        .with_unfinished_jobs(last.jobs)
        .with_unfinished_jobs(brought.filter(|job| !named.contains(job)))
        .with_failed_attempts(attempts);
    match last.cost {
        Some(cost) => error.with_cost(cost),
        None => error,
    }
}
