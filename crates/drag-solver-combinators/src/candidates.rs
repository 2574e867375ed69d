//! What the combinators around several solvers share: who there is, who is asked first and with which
//! jobs to resume, and how a report finds its way.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, PaidJob, Profile, Solution, SolveError, Verdict,
    WorstCase, answers_as, members,
};

use crate::resume::with_jobs;

/// The solvers of one combinator. Clones are the same ones.
#[derive(Clone, Debug)]
pub(crate) struct Candidates {
    solvers: Arc<[Arc<dyn DragSolver>]>,
    /// Those that answer, however deep inside, each once.
    members: Arc<[String]>,
    name: Arc<str>,
}

/// One solver that is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) child: usize,
    /// The jobs of the challenge that it is to resume, and no other solver.
    pub(crate) jobs: Vec<PaidJob>,
}

impl Turn {
    /// The challenge as this solver is to get it.
    pub(crate) fn challenge<'c>(&self, whole: &'c DragChallenge) -> Cow<'c, DragChallenge> {
        with_jobs(whole, &self.jobs)
    }
}

/// The worst that can come of asking all, `joined` as they are asked.
pub(crate) fn worst_of_all(
    all: &[WorstCase],
    joined: fn(WorstCase, WorstCase) -> WorstCase,
) -> WorstCase {
    all.iter().copied().reduce(joined).unwrap_or_default()
}

impl Candidates {
    pub(crate) fn new(solvers: impl IntoIterator<Item = Arc<dyn DragSolver>>) -> Self {
        let solvers: Arc<[_]> = solvers.into_iter().collect();
        let mut each_once: Vec<String> = Vec::new();
        for member in solvers.iter().flat_map(members) {
            if !each_once.contains(&member) {
                each_once.push(member);
            }
        }
        Self {
            name: each_once.join("|").into(),
            members: each_once.into(),
            solvers,
        }
    }

    /// The same solvers, and `solver` at the end.
    pub(crate) fn and(&self, solver: impl DragSolver) -> Self {
        let last: Arc<dyn DragSolver> = Arc::new(solver);
        Self::new(self.solvers.iter().cloned().chain([last]))
    }

    /// `"a|b"` for the solvers `a` and `b`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn solvers(&self) -> &[Arc<dyn DragSolver>] {
        &self.solvers
    }

    /// The worst that can come of each. A solver walks all that is inside of it for that: once is enough.
    pub(crate) fn worst_cases(&self) -> Vec<WorstCase> {
        let all = self.solvers.iter();
        all.map(|solver| solver.profile().worst_case).collect()
    }

    pub(crate) fn profile(&self, worst_case: WorstCase) -> Profile {
        // No limits: each of its solvers has other ones.
        Profile::new(worst_case).with_solvers(self.members.to_vec())
    }

    /// All solvers in the order of the list, but for those with a job to resume: they come first,
    /// because that buys nothing.
    pub(crate) fn turns(&self, challenge: &DragChallenge) -> VecDeque<Turn> {
        self.turns_in(0..self.solvers.len(), challenge)
    }

    /// The same, in another order than that of the list.
    ///
    /// A job is given to one solver only: two of one name would both wait for it, by which a hedge
    /// gains nothing and which a quorum would take for an agreement. Of several jobs of one name, each
    /// solver of that name gets its share.
    pub(crate) fn turns_in(
        &self,
        order: impl IntoIterator<Item = usize>,
        challenge: &DragChallenge,
    ) -> VecDeque<Turn> {
        let new_turn = |child| Turn {
            child,
            jobs: Vec::new(),
        };
        let mut turns: Vec<Turn> = order.into_iter().map(new_turn).collect();
        for job in challenge.paid_jobs() {
            let owners = turns.iter_mut();
            let owners = owners.filter(|turn| answers_as(&self.solvers[turn.child], &job.solver));
            if let Some(owner) = owners.min_by_key(|turn| turn.jobs.len()) {
                owner.jobs.push(job.clone());
            }
        }
        turns.sort_by_key(|turn| turn.jobs.is_empty());
        turns.into()
    }

    /// The jobs that none of these solvers can resume. They are not theirs to forget.
    pub(crate) fn jobs_of_others(&self, challenge: &DragChallenge) -> Vec<PaidJob> {
        let mut others = challenge.paid_jobs().to_vec();
        others.retain(|job| !self.solvers.iter().any(|own| answers_as(own, &job.solver)));
        others
    }

    /// Whether this solver can have found `solution`.
    fn can_have_found(&self, child: usize, solution: &Solution) -> bool {
        answers_as(&self.solvers[child], solution.solver())
            || match solution.contributors() {
                [] => false,
                several => several.iter().all(|part| self.can_have_found(child, part)),
            }
    }

    /// The solver that gave the answer, and the solution as that one made it, if the solution knows.
    /// `None` if another solver stands there now: the chain was changed after the solution was logged.
    pub(crate) fn found_by(&self, solution: &Solution) -> Option<(usize, Solution)> {
        let (child, inner) = solution.pop_route()?;
        let stands_there = child < self.solvers.len() && self.can_have_found(child, solution);
        stands_there.then_some((child, inner))
    }

    /// Forwards a report to the solver that gave the answer, and to no other.
    ///
    /// A solution that was made by hand does not say which one that was. The report then goes to the
    /// solvers that can have found it; the first that accepts it ends the search.
    pub(crate) async fn report(
        &self,
        solution: &Solution,
        verdict: Verdict,
    ) -> Result<(), SolveError> {
        if let Some((child, inner)) = self.found_by(solution) {
            return self.solvers[child].report(&inner, verdict).await;
        }
        let mut without_route = Cow::Borrowed(solution);
        while let Some((_, deeper)) = without_route.pop_route() {
            without_route = Cow::Owned(deeper);
        }
        let mut refusal = None;
        for (child, solver) in self.solvers.iter().enumerate() {
            if self.can_have_found(child, solution) {
                match solver.report(&without_route, verdict).await {
                    Ok(()) => return Ok(()),
                    Err(error) => refusal = Some(error),
                }
            }
        }
        Err(refusal.unwrap_or_else(|| {
            let problem = format!(
                "this chain did not get the answer: it was found by {}, which is not in it",
                solution.solver()
            );
            SolveError::new(ErrorKind::Unsupported, problem).with_solver(self.name())
        }))
    }
}

#[cfg(test)]
mod tests {
    use drag_solver_core::JobId;
    use drag_solver_mock::fixtures::{challenge, drag};

    use super::*;
    use crate::tests::Named;
    use crate::{DragSolverExt as _, Fallback};

    fn candidates(names: &[&'static str]) -> Candidates {
        Candidates::new(names.iter().map(|&name| Named(name).into_arc()))
    }

    fn job(solver: &str, id: u64) -> PaidJob {
        PaidJob::new(solver, JobId::from(id))
    }

    fn turns(names: &[&'static str], jobs: &[PaidJob]) -> Vec<(usize, Vec<PaidJob>)> {
        let challenge = jobs
            .iter()
            .cloned()
            .fold(challenge(), DragChallenge::resume_job);
        let turns = candidates(names).turns(&challenge);
        turns
            .into_iter()
            .map(|turn| (turn.child, turn.jobs))
            .collect()
    }

    #[test]
    fn the_name_has_each_member_once_however_deep() {
        let inner = Fallback::new([Named("a").into_arc(), Named("b").into_arc()]);
        let outer = Candidates::new([
            inner.into_arc(),
            Named("a").into_arc(),
            Named("c").into_arc(),
        ]);
        assert_eq!(outer.name(), "a|b|c");
        let profile = outer.profile(WorstCase::unknown());
        assert_eq!(profile.solvers, ["a", "b", "c"]);
    }

    #[test]
    fn solvers_with_a_job_come_first_and_two_of_one_name_share_their_jobs() {
        assert_eq!(turns(&["a", "b"], &[]), [(0, vec![]), (1, vec![])]);
        assert_eq!(
            turns(&["a", "b"], &[job("b", 1)]),
            [(1, vec![job("b", 1)]), (0, vec![])]
        );
        assert_eq!(
            turns(&["a", "a"], &[job("a", 1), job("a", 2)]),
            [(0, vec![job("a", 1)]), (1, vec![job("a", 2)])]
        );
        assert_eq!(
            turns(&["a", "a"], &[job("a", 1), job("a", 2), job("a", 3)]),
            [(0, vec![job("a", 1), job("a", 3)]), (1, vec![job("a", 2)])]
        );
        assert_eq!(turns(&["a"], &[job("stranger", 1)]), [(0, vec![])]);
    }

    #[test]
    fn a_solver_gets_the_challenge_with_its_own_jobs() {
        let whole = challenge().resume_job(job("a", 1)).resume_job(job("b", 2));
        let turns = candidates(&["a", "b"]).turns(&whole);
        assert_eq!(turns[1].challenge(&whole).paid_jobs(), [job("b", 2)]);
        let plain = challenge();
        let fresh = candidates(&["a"]).turns(&plain);
        assert!(matches!(fresh[0].challenge(&plain), Cow::Borrowed(_)));
    }

    #[test]
    fn a_route_that_another_solver_stands_at_now_is_not_followed() {
        let candidates = candidates(&["a", "b"]);
        let solution = Solution::new(drag(), "b");
        let routed = |child| solution.clone().push_route(child);
        assert_eq!(candidates.found_by(&routed(1)), Some((1, solution.clone())));
        assert_eq!(candidates.found_by(&routed(0)), None);
        for beyond in [2, usize::MAX] {
            assert_eq!(candidates.found_by(&routed(beyond)), None, "{beyond}");
        }
        assert_eq!(candidates.found_by(&solution), None);
    }

    /// Counts how often it is asked what it can take.
    #[derive(Debug)]
    struct Asked(Arc<std::sync::atomic::AtomicUsize>);

    #[drag_solver_core::async_trait]
    impl DragSolver for Asked {
        fn name(&self) -> &'static str {
            "asked"
        }

        async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
            Err(challenge.refuse("asked", ErrorKind::Unsupported, "never"))
        }

        fn profile(&self) -> Profile {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Profile::default()
        }
    }

    #[test]
    fn a_profile_walks_the_chain_once_however_deep_it_is() {
        let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let mut chain = Asked(Arc::clone(&asked)).into_arc();
        for _ in 0..10 {
            let quorum = chain.quorum([Named("other").into_arc()], crate::QuorumPolicy::default());
            chain = quorum
                .hedge(Named("next"), std::time::Duration::from_secs(1))
                .into_arc();
        }
        let before = asked.load(std::sync::atomic::Ordering::Relaxed);
        let _ = chain.profile();
        let after = asked.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(after - before, 1);
    }
}
