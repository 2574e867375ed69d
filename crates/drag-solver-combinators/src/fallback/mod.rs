//! Asking another solver.

mod figures;
mod order;
#[cfg(test)]
mod order_tests;
mod ranking;
mod record;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::iter;
use std::sync::Arc;

use drag_solver_core::{
    DragChallenge, DragSolver, Profile, Solution, SolveError, Verdict, WorstCase, async_trait,
};
use tokio::time::Instant;

pub use self::order::OrderPolicy;
use self::ranking::Records;
pub use self::record::{CallObserver, PastCall, TrackRecord};
use crate::candidates::{Candidates, Turn, worst_of_all};
use crate::chain_debug::{DebugCall, debug_as_code};
use crate::failures::Failures;
use crate::jitter::Jitter;

/// Asks one solver after the other, until one answers.
///
/// - An error whose recovery is [`Stop`](drag_solver_core::Recovery::Stop) ends the chain at once
///   and comes back as it was, with the attempts before it. Any other error, and one that a retry
///   gave up on, moves on.
/// - If all fail, the error is [`ErrorKind::AllFailed`](drag_solver_core::ErrorKind::AllFailed): every attempt in order, the mildest
///   recovery and the worst charge of its parts, the last error as its source.
/// - The order is that of the list, unless it is [`ordered`](Self::ordered). Either way, a solver that
///   has a job to [resume](DragChallenge::resume_job) is asked before any other buys an answer.
/// - A report goes to the solver that gave the answer. A solution that does not say which one that
///   was is reported to the solvers that answer to its provider's name, and to no other.
///
/// Its name is the names of its solvers, `"a|b"`. Dropping the future abandons the attempt at hand.
///
/// ```
/// use drag_solver_combinators::DragSolverExt;
/// # use drag_solver_core::{DragSolver, ErrorKind};
/// # use drag_solver_mock::{MockSolver, fixtures};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let challenge = fixtures::challenge();
/// # let broken = MockSolver::new("broken").then(ErrorKind::Unavailable);
/// # let steady = MockSolver::new("steady").then(fixtures::drag());
/// let chain = broken.or(steady);
///
/// let solution = chain.solve(&challenge).await?;
/// assert_eq!(solution.solver(), "steady");
/// assert_eq!(solution.failed_attempts()[0].solver.as_deref(), Some("broken"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Fallback {
    candidates: Candidates,
    /// What the solvers did recently, if the order depends on it. Shared by clones.
    records: Option<Arc<Records>>,
}

impl Fallback {
    /// Asks `solvers` in this order. With none, every call fails with
    /// [`ErrorKind::AllFailed`](drag_solver_core::ErrorKind::AllFailed).
    pub fn new(solvers: impl IntoIterator<Item = Arc<dyn DragSolver>>) -> Self {
        Self {
            candidates: Candidates::new(solvers),
            records: None,
        }
    }

    /// Adds `solver` at the end. A fallback that is [`ordered`](Self::ordered) stays so, and begins to
    /// judge anew.
    #[must_use]
    pub fn or(self, solver: impl DragSolver) -> Self {
        let together = Self {
            candidates: self.candidates.and(solver),
            records: None,
        };
        together.judging(self.policy(), [], Jitter::random())
    }

    /// Asks first the solver that recently took the least time per good answer, failures included, in
    /// place of the order of the list. With [`second_worth`](OrderPolicy::second_worth), the least of time and money
    /// together; without it prices do not count: do not leave it out if the cheap one is listed first for its price.
    ///
    /// - A solver of which too little is known stays at its place in the list.
    /// - Money is what was spent for each good answer, wrong ones and retries included; the price in its
    ///   [profile](DragSolver::profile), where no cost is named. Where there is no price either, a call counts as what the
    ///   others of the solver cost on average, and as nothing if that is known of none.
    /// - Where prices count, a solver that is both slower and more expensive than another one is asked after all others, also
    ///   after one that is better than it at one of the two and much worse at the other. It is not left out: what the
    ///   others cannot solve it may, and a chain must not solve less for being ordered.
    /// - Errors that were made on this side (`CircuitOpen`, `Overloaded`, `BudgetExhausted`), that
    ///   no solver could have avoided (recovery `Stop`), and calls that were dropped do not count.
    /// - An answer that is reported as [`Verdict::Incorrect`] through this fallback counts as a
    ///   failure from then on, whether or not the provider takes reports. `Correct` changes nothing:
    ///   an answer is good until proven wrong.
    /// - A solver that was put behind another comes back when its failures are forgotten, or when it does
    ///   better in the calls that [`explore`](OrderPolicy::explore).
    ///
    /// How soon that is: each of `n` solvers that are explored is asked first once in `n / explore` calls, which is 20
    /// with the defaults and one such solver. One that failed at once (it refused, or could not be reached) is back with
    /// the first answer that shows it to be the best. One that took `f` seconds to fail in all, and now takes `t` seconds
    /// for an answer where the best takes `b`, needs `f / (b - t)` answers; but at most until its failures are older than
    /// the `window`. Where fewer than `min_samples x n / explore` calls (100) come in a `window`, exploring tells nothing
    /// of a solver that is asked in no other way: make the window longer.
    ///
    /// ```
    /// use drag_solver_combinators::{DragSolverExt, OrderPolicy};
    /// # use drag_solver_core::{DragSolver, ErrorKind, Ratio};
    /// # use drag_solver_mock::{MockSolver, fixtures};
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let challenge = fixtures::challenge();
    /// # let broken = MockSolver::new("broken").always(ErrorKind::Unavailable);
    /// # let steady = MockSolver::new("steady").always(fixtures::drag());
    /// # let seen = broken.clone();
    /// let chain = broken.or(steady).ordered(OrderPolicy::default().explore(Ratio::ZERO));
    ///
    /// for _ in 0..20 {
    ///     chain.solve(&challenge).await?;
    /// }
    /// // After five failures it is asked last, and so no more.
    /// assert_eq!(seen.call_count(), 5);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// By price and speed:
    ///
    /// ```
    /// use std::time::Duration;
    /// use drag_solver_combinators::{DragSolverExt, OrderPolicy};
    /// use drag_solver_core::{DragSolver, Ratio, Usd};
    /// # use drag_solver_mock::{MockSolver, Outcome, fixtures};
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let answer = |secs| Outcome::answer(fixtures::drag()).after(Duration::from_secs(secs));
    /// # let quick = MockSolver::new("quick").always(answer(3));
    /// # let cheap = MockSolver::new("cheap").always(answer(13));
    /// # let challenge = fixtures::challenge();
    /// let quick = quick.priced("0.003".parse()?); // takes 3 s
    /// let cheap = cheap.priced("0.001".parse()?); // takes 13 s
    /// // Ten seconds are worth $0.001, and cost $0.002.
    /// let policy = OrderPolicy::default().second_worth(Usd::from_micros(100));
    /// let chain = quick.or(cheap).ordered(policy);
    /// # let chain = chain.with_seed(1);
    /// for _ in 0..1_000 {
    ///     chain.solve(&challenge).await?;
    /// }
    /// let last = chain.solve(&challenge).await?;
    /// assert_eq!(last.solver(), "cheap");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn ordered(self, policy: OrderPolicy) -> Self {
        self.judging(Some(policy), [], Jitter::random())
    }

    /// Continues with what another fallback learnt of the solvers, in the order of the list. Changes nothing
    /// unless it is [`ordered`](Self::ordered).
    ///
    /// ```
    /// use drag_solver_combinators::{DragSolverExt, OrderPolicy};
    /// # use drag_solver_core::{DragSolver, ErrorKind, Ratio};
    /// # use drag_solver_mock::{MockSolver, fixtures};
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let challenge = fixtures::challenge();
    /// # let broken = MockSolver::new("broken").always(ErrorKind::Unavailable);
    /// # let steady = MockSolver::new("steady").always(fixtures::drag());
    /// # let seen = broken.clone();
    /// # let policy = OrderPolicy::default().explore(Ratio::ZERO);
    /// let old = broken.clone().or(steady.clone()).ordered(policy);
    /// for _ in 0..5 {
    ///     old.solve(&challenge).await?;
    /// }
    /// let new = broken.or(steady).ordered(policy).with_track_records(old.track_records().to_vec());
    /// new.solve(&challenge).await?; // knows that the first is broken
    /// # assert_eq!(seen.call_count(), 5);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_track_records(self, known: impl IntoIterator<Item = TrackRecord>) -> Self {
        let policy = self.policy();
        self.judging(policy, known, Jitter::random())
    }

    /// What it learnt of each solver, in the order of the list. Empty unless it is
    /// [`ordered`](Self::ordered).
    #[must_use]
    pub fn track_records(&self) -> &[TrackRecord] {
        self.records.as_ref().map_or(&[], |records| &records.of)
    }

    /// Makes the calls that explore the same in every run, for tests and simulations. It begins to
    /// judge anew.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        let policy = self.policy();
        self.judging(policy, [], Jitter::seeded(seed))
    }

    /// Begins to judge anew, if it is ordered.
    fn judging(
        mut self,
        policy: Option<OrderPolicy>,
        known: impl IntoIterator<Item = TrackRecord>,
        chance: Jitter,
    ) -> Self {
        let known = known.into_iter();
        let all = known.chain(iter::repeat_with(TrackRecord::default));
        let of = all.take(self.candidates.solvers().len()).collect();
        self.records = policy.map(|policy| Arc::new(Records { policy, chance, of }));
        self
    }

    fn policy(&self) -> Option<OrderPolicy> {
        self.records.as_ref().map(|records| records.policy)
    }

    fn turns(&self, challenge: &DragChallenge) -> VecDeque<Turn> {
        match &self.records {
            None => self.candidates.turns(challenge),
            Some(records) => {
                let order = records.order();
                if !order.is_sorted() {
                    tracing::debug!(solver = self.name(), ?order, "asking in another order");
                }
                self.candidates.turns_in(order, challenge)
            }
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl DragSolver for Fallback {
    fn name(&self) -> &str {
        self.candidates.name()
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let mut failures = Failures::new(&self.candidates, challenge);
        let mut turns = self.turns(challenge);
        let mut started = failures.begun;
        while !failures.stops_all() && (failures.errors().is_empty() || !challenge.is_expired()) {
            let Some(turn) = turns.pop_front() else {
                break;
            };
            let solver = &self.candidates.solvers()[turn.child];
            let outcome = solver.solve(&turn.challenge(challenge)).await;
            // What is left of the wait for a job that was bought before says nothing about a solver.
            if let Some(records) = self.records.as_ref().filter(|_| turn.jobs.is_empty()) {
                records.add(turn.child, solver, &outcome, started.elapsed());
            }
            match outcome {
                Ok(solution) => {
                    let solution = solution.push_route(turn.child);
                    return Ok(failures.into_solution(solution, Vec::new()));
                }
                Err(error) => failures.add(&turn, error, started.elapsed(), 0),
            }
            started = Instant::now();
        }
        Err(failures.into_error(turns, Vec::new()))
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        if let (Some(records), Verdict::Incorrect) = (&self.records, verdict)
            && let Some((child, answer)) = self.candidates.found_by(solution)
        {
            records.was_wrong(child, &answer);
        }
        self.candidates.report(solution, verdict).await
    }

    /// All are asked, one after the other.
    fn profile(&self) -> Profile {
        let worst_case = worst_of_all(&self.candidates.worst_cases(), WorstCase::then);
        self.candidates.profile(worst_case)
    }
}

debug_as_code!(Fallback(), |fallback, f| {
    let list = DebugCall::of(f, "fallback", fallback.candidates.solvers());
    match fallback.policy() {
        Some(policy) => list
            .then("ordered")
            .with("window", policy.window)
            .with("min_samples", policy.min_samples)
            .with("explore", policy.explore)
            .with("second_worth", policy.second_worth),
        None => list,
    }
});
