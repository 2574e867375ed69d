//! Which paid jobs a solver resumes, and which a call leaves to be resumed.

use std::borrow::Cow;
use std::time::Duration;

use drag_solver_core::{Attempt, DragChallenge, DragSolver, PaidJob, Purchases};

/// Names of the solvers that answer for `solver`: those inside of it, or else its own.
pub(crate) fn members(solver: &impl DragSolver) -> Vec<String> {
    let inside = solver.profile().solvers;
    if inside.is_empty() {
        return vec![solver.name().to_owned()];
    }
    inside
}

/// Whether `solver` is, or is a chain around, the one called `name`.
pub(crate) fn answers_as(solver: &impl DragSolver, name: &str) -> bool {
    solver.name() == name || members(solver).iter().any(|member| member == name)
}

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

#[cfg(test)]
mod tests {
    use drag_solver_core::{JobId, Profile, Solution, SolveError, async_trait};

    use super::*;

    /// A chain of solvers, whose name says nothing of them.
    #[derive(Debug)]
    struct Chain(&'static [&'static str]);

    #[async_trait]
    impl DragSolver for Chain {
        fn name(&self) -> &'static str {
            "chain"
        }

        async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
            Err(challenge.refuse("chain", drag_solver_core::ErrorKind::Unsupported, "never"))
        }

        fn profile(&self) -> Profile {
            Profile::default().with_solvers(self.0.iter().map(|&name| name.to_owned()).collect())
        }
    }

    #[test]
    fn a_job_of_a_solver_inside_is_resumed_and_one_of_a_stranger_is_not() {
        let job = |solver: &str| PaidJob::new(solver, JobId::from(1));
        let chain = Chain(&["a", "b|c"]);
        for (solver, resumed) in [("a", true), ("b|c", true), ("chain", true), ("b", false)] {
            assert_eq!(resumes(&chain, &[job(solver)]), resumed, "{solver}");
        }
        assert!(!resumes(&chain, &[]));
        assert_eq!(members(&chain), ["a", "b|c"]);
        assert_eq!(members(&Chain(&[])), ["chain"]);
    }
}
