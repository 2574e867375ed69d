//! Whose the paid jobs are that a challenge brings.

use crate::{DragSolver, PaidJob};

/// Names of the solvers that answer for `solver`: those inside of it, or else its own.
#[doc(hidden)]
pub fn members(solver: &impl DragSolver) -> Vec<String> {
    let inside = solver.profile().solvers;
    if inside.is_empty() {
        return vec![solver.name().to_owned()];
    }
    inside
}

/// Whether `solver` is, or is a chain around, the one called `name`.
#[doc(hidden)]
pub fn answers_as(solver: &impl DragSolver, name: &str) -> bool {
    solver.name() == name || members(solver).iter().any(|member| member == name)
}

/// The paid jobs that a challenge brings to a solver.
#[doc(hidden)]
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Brought {
    /// Those that it, or a solver inside of it, resumes. Fetching what was paid for costs nothing, so nothing on this
    /// side may refuse it.
    pub own: Vec<PaidJob>,
    /// Those of other solvers: it hands them back.
    pub others: Vec<PaidJob>,
}

impl Brought {
    /// What these jobs are to `solver`.
    #[must_use]
    pub fn to(solver: &impl DragSolver, jobs: &[PaidJob]) -> Self {
        let jobs = jobs.iter().cloned();
        let (own, others) = jobs.partition(|job| answers_as(solver, &job.solver));
        Self { own, others }
    }

    pub(crate) fn has(&self, job: &PaidJob) -> bool {
        self.own.contains(job) || self.others.contains(job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DragChallenge, ErrorKind, JobId, Profile, Solution, SolveError, async_trait};

    /// A chain of solvers, whose name says nothing of them.
    #[derive(Debug)]
    struct Chain(&'static [&'static str]);

    #[async_trait]
    impl DragSolver for Chain {
        fn name(&self) -> &'static str {
            "chain"
        }

        async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
            Err(challenge.refuse("chain", ErrorKind::Unsupported, "never"))
        }

        fn profile(&self) -> Profile {
            Profile::default().with_solvers(self.0.iter().map(|&name| name.to_owned()).collect())
        }
    }

    #[test]
    fn a_job_of_a_solver_inside_is_its_own_and_one_of_a_stranger_is_not() {
        let chain = Chain(&["a", "b|c"]);
        let jobs = ["a", "b|c", "chain", "b"].map(|solver| PaidJob::new(solver, JobId::from(1)));
        let brought = Brought::to(&chain, &jobs);
        assert_eq!((&*brought.own, &*brought.others), (&jobs[..3], &jobs[3..]));
        assert_eq!(members(&chain), ["a", "b|c"]);
        assert_eq!(members(&Chain(&[])), ["chain"]);
    }
}
