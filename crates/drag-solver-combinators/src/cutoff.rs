//! Ending an attempt at an instant without losing what it paid for. Shared by `Timeout` and
//! `Deadline`.

use std::sync::Arc;

use drag_solver_core::{Attempt, DragChallenge, DragSolver, ErrorKind, Solution, SolveError};
use tokio::time::Instant;

use crate::watch::Watch;

/// Asks `solver` for an answer by `at`, and drops it if it overstays. `begun` is now.
///
/// The solver is given `at` as its deadline, so that it can come back by itself, with the id of a
/// job it paid for. It is polled before the clock is looked at: an answer or error that comes at
/// the very instant counts. If it has to be dropped, the error, of kind `kind`, names the jobs it
/// said it had bought.
pub(crate) async fn solve_by(
    solver: &impl DragSolver,
    challenge: &DragChallenge,
    begun: Instant,
    at: Instant,
    kind: ErrorKind,
    message: impl FnOnce() -> String,
) -> Result<Solution, SolveError> {
    let watch = Arc::new(Watch::default());
    let due = challenge
        .clone()
        .due_by(at)
        .with_listener(Arc::clone(&watch) as _);
    match tokio::time::timeout_at(at, solver.solve(&due)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(overstayed(
            SolveError::new(kind, message()).with_provider(solver.name()),
            &watch,
            begun,
        )),
    }
}

/// Adds to `error` what is known about money.
fn overstayed(error: SolveError, watch: &Watch, begun: Instant) -> SolveError {
    let mut error = error.with_charge(watch.charge_if_dropped());
    let open = watch.open_jobs();
    if let [job] = &open[..] {
        return error.with_provider(&*job.provider).with_job(job.id.clone());
    }
    // Several solvers were at work inside: each job becomes an attempt, for `unfinished_jobs`.
    let attempts: Vec<Attempt> = open
        .into_iter()
        .map(|job| {
            let lost = SolveError::new(error.kind(), "dropped while its job was unfinished")
                .with_provider(job.provider)
                .with_charge(error.charge())
                .with_job(job.id);
            Attempt::new(&lost, begun.elapsed())
        })
        .collect();
    if !attempts.is_empty() {
        error = error.with_attempts(attempts);
    }
    error
}
