//! Which paid jobs a solver resumes, and which a call leaves to be resumed.

use std::borrow::Cow;
use std::time::Duration;

use drag_solver_core::{Attempt, DragChallenge, DragSolver, PaidJob, Purchases, answers_as};

/// Whether `solver`, or one inside of it, has one of these jobs to resume. Fetching what was paid for costs
/// nothing, so nothing on this side may refuse it.
pub(crate) fn resumes(solver: &impl DragSolver, jobs: &[PaidJob]) -> bool {
    jobs.iter().any(|job| answers_as(solver, &job.solver))
}

/// `challenge` with these jobs to resume, and no others.
pub(crate) fn with_jobs<'c>(
    challenge: &'c DragChallenge,
    jobs: &[PaidJob],
) -> Cow<'c, DragChallenge> {
    if challenge.paid_jobs() == jobs {
        return Cow::Borrowed(challenge);
    }
    let fresh = challenge.clone().without_paid_jobs();
    let jobs = jobs.iter().cloned();
    Cow::Owned(jobs.fold(fresh, DragChallenge::resume_job))
}

/// The attempts that a call leaves behind which is dropped after `elapsed`. A job that it was to resume, and
/// had not come to yet, is as unfinished as it was: the last attempt names it.
pub(crate) fn left_behind(
    name: &str,
    purchases: &Purchases,
    jobs: &[PaidJob],
    why: &str,
    elapsed: Duration,
) -> Vec<Attempt> {
    let mut attempts = purchases.if_dropped(name, why, elapsed);
    let open = purchases.unfinished_of(jobs);
    let not_taken_up = open.filter(|job| !purchases.has_taken_up(job));
    if let Some(last) = attempts.last_mut() {
        last.jobs.extend(not_taken_up.cloned());
    }
    attempts
}
