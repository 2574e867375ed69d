//! Which paid jobs a solver resumes.

use drag_solver_core::{DragSolver, PaidJob};

/// Names of the solvers that answer for `solver`: those inside of it, or else its own.
pub(crate) fn members(solver: &impl DragSolver) -> Vec<String> {
    let inside = solver.profile().solvers;
    if inside.is_empty() {
        return vec![solver.name().to_owned()];
    }
    inside
}

/// Whether `solver`, or one inside of it, has one of these jobs to resume. Fetching what was paid for costs
/// nothing, so nothing on this side may refuse it.
pub(crate) fn resumes(solver: &impl DragSolver, jobs: &[PaidJob]) -> bool {
    // The names inside are worked out only for the few challenges that bring a job.
    jobs.iter().any(|job| job.solver == solver.name())
        || !jobs.is_empty() && {
            let members = members(solver);
            jobs.iter().any(|job| members.contains(&job.solver))
        }
}

#[cfg(test)]
mod tests {
    use drag_solver_core::{DragChallenge, JobId, Profile, Solution, SolveError, async_trait};

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
