//! Asking a second solver before the first has failed.

mod latencies;
#[cfg(test)]
mod latency_tests;
#[cfg(test)]
mod money_tests;
mod policy;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{
    Attempt, DragChallenge, DragSolver, ErrorKind, Profile, Solution, SolveError, Verdict,
    WorstCase, async_trait,
};
use tokio::time::Instant;

pub use self::latencies::Latencies;
pub use self::policy::HedgePolicy;
use crate::RetryBudget;
use crate::abandoned::{Abandoned, AbandonedCount};
use crate::candidates::{Candidates, Turn, worst_of_all};
use crate::chain_debug::{DebugCall, debug_as_code};
use crate::failures::Failures;
use crate::in_flight::{InFlight, Next};
use crate::measure::{self, HEDGES};
use crate::sync::{Mutex, lock};

/// Asks a solver, and if it has no answer after a while, the next one as well. The first answer
/// wins.
///
/// It shortens the long tail of a provider's latency, and pays for that with answers that no caller
/// waits for:
///
/// - The delay runs from when a solver is *asked*: a call that waits on this side, for a permit or for
///   its turn, is not the provider's slowness, and buys nothing elsewhere.
/// - The first *answer* wins. An error never does: while another solver is at work it is waited for,
///   and an error that comes before the delay is over makes the next solver start at once. An error
///   whose recovery is [`Stop`](drag_solver_core::Recovery::Stop) ends the call, because no solver can
///   do better. (One kind does not: a solver that refuses because it cannot make the deadline, while
///   others are at work that may.)
/// - Any other solver at work is dropped at once, before the call returns. Its job may still be
///   billed: [`stats`](Self::stats) counts such answers and what they cost at most, the answer's
///   [`failed_attempts`](Solution::failed_attempts) hold them as attempts of kind `Timeout` with
///   what may be billed and their jobs, and a [`Budget`](crate::Budget), inside or outside, books
///   them. One that had bought nothing yet costs nothing.
/// - The answers are not looked at here. Put a [`Validate`](crate::Validate) around each solver, not
///   around the hedge, or an answer that is off the picture wins.
/// - A further solver is not asked if there is too little time left for it
///   ([`min_time_left`](HedgePolicy::min_time_left)).
/// - The order is that of the list, but a solver with a job to
///   [resume](DragChallenge::resume_job) is asked first.
/// - If all fail, the error is that of a [`Fallback`](crate::Fallback): `AllFailed`, with every
///   attempt in the order in which they failed. With one solver it is as if that stood here alone;
///   with none, every call fails so.
///
/// A report goes to the solver whose answer won, and to no other. The losers did not answer.
///
/// Its name is the names of its solvers, `"a|b"`. Clones share latencies and counters. Dropping the
/// future drops every solver at work; their jobs count as abandoned.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_combinators::{DragSolverExt, HedgePolicy};
/// # use drag_solver_core::DragSolver;
/// # use drag_solver_mock::{MockSolver, Outcome, fixtures};
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let challenge = fixtures::challenge();
/// # let answer = Outcome::answer(fixtures::drag());
/// # let stalled = MockSolver::new("stalled").then(Outcome::hang());
/// # let steady = MockSolver::new("steady").then(answer.after(Duration::from_secs(3)));
/// let chain = stalled
///     .priced("0.0009".parse()?)
///     .hedge(steady, HedgePolicy::default().delay(Duration::from_secs(8)));
///
/// let solution = chain.solve(&challenge).await?;
/// assert_eq!(solution.solver(), "steady");
/// assert_eq!(solution.elapsed(), Duration::from_secs(8 + 3));
/// // The job of the first may be billed all the same.
/// assert_eq!(chain.stats().abandoned.cost, "0.0009".parse()?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Hedge {
    candidates: Candidates,
    policy: HedgePolicy,
    retry_budget: Option<RetryBudget>,
    state: Arc<State>,
}

/// What clones share.
struct State {
    /// Of each solver, for the quantile.
    latencies: Vec<Latencies>,
    abandoned: AbandonedCount,
    /// All but what was abandoned.
    stats: Mutex<HedgeStats>,
}

impl State {
    fn new(candidates: &Candidates, latencies: Vec<Latencies>) -> Arc<Self> {
        Arc::new(Self {
            latencies,
            abandoned: AbandonedCount::new(candidates.solvers()),
            stats: Mutex::default(),
        })
    }
}

/// What a [`Hedge`] did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HedgeStats {
    /// How many calls got an answer.
    pub answered: u64,
    /// In how many of those a further solver was asked because one took too long.
    pub hedged: u64,
    /// What was bought and not waited for, in these and all other calls.
    pub abandoned: Abandoned,
}

impl Hedge {
    /// Asks `solvers` in this order.
    pub fn new(
        solvers: impl IntoIterator<Item = Arc<dyn DragSolver>>,
        policy: impl Into<HedgePolicy>,
    ) -> Self {
        let candidates = Candidates::new(solvers);
        let latencies = candidates.solvers().iter().map(|_| Latencies::default());
        Self {
            state: State::new(&candidates, latencies.collect()),
            candidates,
            policy: policy.into(),
            retry_budget: None,
        }
    }

    /// Takes a token from `budget` whenever a solver is asked because another took too long, and
    /// asks none while there is none. It is what keeps a fixed delay from buying every answer
    /// twice once a provider gets slow. Asking the next after an error takes no token.
    #[must_use]
    pub fn with_retry_budget(mut self, budget: impl Into<RetryBudget>) -> Self {
        self.retry_budget = Some(budget.into());
        self
    }

    /// Continues with the latencies that another hedge saw, in the order of the list. Its counters begin
    /// at zero.
    ///
    /// ```
    /// use drag_solver_combinators::{DragSolverExt, HedgePolicy};
    /// # use drag_solver_core::Ratio;
    /// # use drag_solver_mock::MockSolver;
    /// # let (first, second) = (MockSolver::new("first"), MockSolver::new("second"));
    /// # let policy = HedgePolicy::default().quantile(Ratio::percent(95));
    /// let old = first.clone().hedge(second.clone(), policy);
    /// let new = first.hedge(second, policy).with_latencies(old.latencies().to_vec());
    /// # let _ = new;
    /// ```
    #[must_use]
    pub fn with_latencies(self, known: impl IntoIterator<Item = Latencies>) -> Self {
        let mut latencies: Vec<Latencies> = self.state.latencies.clone();
        for (own, known) in latencies.iter_mut().zip(known) {
            *own = known;
        }
        Self {
            state: State::new(&self.candidates, latencies),
            ..self
        }
    }

    /// How long the answers of each solver took recently, in the order of the list.
    #[must_use]
    pub fn latencies(&self) -> &[Latencies] {
        &self.state.latencies
    }

    /// What it did so far.
    #[must_use]
    pub fn stats(&self) -> HedgeStats {
        HedgeStats {
            abandoned: self.state.abandoned.total(),
            ..*lock(&self.state.stats)
        }
    }

    /// How long each solver would be waited for now, in the order of the list, before the next is
    /// asked as well.
    #[must_use]
    pub fn delays(&self) -> Vec<Duration> {
        (0..self.candidates.solvers().len())
            .map(|i| self.delay(i))
            .collect()
    }

    fn delay(&self, child: usize) -> Duration {
        let policy = &self.policy;
        let observed = policy.quantile.and_then(|quantile| {
            self.state.latencies[child].quantile(quantile, policy.samples_needed())
        });
        observed.map_or(policy.delay, |observed| observed.min(policy.max_delay))
    }

    /// Whether a solver that is asked at this instant has time to answer.
    fn leaves_time(&self, challenge: &DragChallenge, at: Instant) -> bool {
        challenge.deadline().is_none_or(|deadline| {
            let left = deadline.saturating_duration_since(at);
            !left.is_zero() && left >= self.policy.min_time_left
        })
    }

    /// Whether another solver may be asked because one takes too long. That takes a token.
    fn takes_token(&self) -> bool {
        if let Some(budget) = &self.retry_budget {
            let Some(token) = budget.withdraw() else {
                tracing::debug!(solver = self.name(), "not hedged: the budget is empty");
                return false;
            };
            token.spend();
        }
        tracing::debug!(solver = self.name(), "hedged: the solver takes too long");
        true
    }

    /// A call was not waited for to its answer. What is left of the wait for a job that was bought
    /// before says nothing about a solver's latency.
    fn not_answered(&self, turn: &Turn, by: Duration) {
        if turn.jobs.is_empty() && !by.is_zero() {
            self.state.latencies[turn.child].not_yet_answered(by);
        }
    }

    /// Drops every call in flight: the attempts that they leave behind.
    fn cancel(&self, in_flight: &mut InFlight<'_>, why: &str) -> Vec<Attempt> {
        let mut attempts = Vec::new();
        for call in in_flight.cancel(why) {
            self.not_answered(&call.turn, call.after);
            attempts.extend(call.attempts);
        }
        attempts
    }

    /// The answer that won.
    fn answered(&self, turn: &Turn, solution: Solution, took: Duration, hedged: bool) -> Solution {
        if turn.jobs.is_empty() {
            self.state.latencies[turn.child].answered(took);
        }
        if let Some(budget) = &self.retry_budget {
            budget.deposit();
        }
        let mut stats = lock(&self.state.stats);
        stats.answered += 1;
        stats.hedged += u64::from(hedged);
        solution.push_route(turn.child)
    }
}

/// Those that one call asked because another took long, for the metrics.
struct Hedges<'a> {
    of: &'a Hedge,
    asked: Vec<usize>,
    winner: Option<usize>,
}

impl Hedges<'_> {
    fn asked(&mut self, turn: &Turn) {
        self.count(turn.child, "asked");
        self.asked.push(turn.child);
    }

    fn count(&self, child: usize, outcome: &str) {
        let solver = self.of.candidates.solvers()[child].name();
        measure::count(HEDGES, &[("solver", solver), ("outcome", outcome)], 1);
    }
}

impl Drop for Hedges<'_> {
    fn drop(&mut self) {
        for &child in &self.asked {
            let won = self.winner == Some(child);
            self.count(child, if won { "won" } else { "lost" });
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl DragSolver for Hedge {
    fn name(&self) -> &str {
        self.candidates.name()
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let mut failures = Failures::new(&self.candidates, challenge);
        let mut turns = self.candidates.turns(challenge);
        let mut in_flight = InFlight::new(challenge, &self.candidates, &self.state.abandoned);
        let mut tally = Hedges {
            of: self,
            asked: Vec::new(),
            winner: None,
        };
        let mut may_hedge = true;
        in_flight.start_some(&mut turns, 1);
        while in_flight.len() > 0 && !failures.stops_all() {
            let waits_for_more = may_hedge && !turns.is_empty();
            let due = |turn: &Turn, asked: Instant| {
                let at = asked.checked_add(self.delay(turn.child))?;
                (waits_for_more && self.leaves_time(challenge, at)).then_some(at)
            };
            let finished = match in_flight.next(due).await {
                Next::Finished(finished) => finished,
                Next::Due => {
                    may_hedge = self.takes_token(); // if not, then for the next solver, at its own delay
                    if may_hedge {
                        tally.asked(&turns[0]);
                        in_flight.start_some(&mut turns, 1);
                    }
                    continue;
                }
            };
            for call in finished {
                match call.outcome {
                    Ok(solution) => {
                        let why = format!("{} answered first", solution.solver());
                        let lost = self.cancel(&mut in_flight, &why);
                        tally.winner = Some(call.turn.child);
                        let hedged = !tally.asked.is_empty();
                        let solution = self.answered(&call.turn, solution, call.took, hedged);
                        return Ok(failures.into_solution(solution, lost));
                    }
                    Err(error) => {
                        let kind = error.kind();
                        if kind == ErrorKind::Timeout || kind == ErrorKind::DeadlineExceeded {
                            self.not_answered(&call.turn, call.took);
                        }
                        failures.add(&call.turn, error, call.took, in_flight.len());
                    }
                }
            }
            if !failures.stops_all() && self.leaves_time(challenge, Instant::now()) {
                in_flight.start_some(&mut turns, 1);
                may_hedge = true;
            }
        }
        let lost = self.cancel(&mut in_flight, "no solver can solve it");
        Err(failures.into_error(turns, lost))
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        self.candidates.report(solution, verdict).await
    }

    /// All are asked, and all are billed. A solver starts no later than the delay after the
    /// one before it was asked, and no later than that one's end.
    fn profile(&self) -> Profile {
        let all = self.candidates.worst_cases();
        let one_by_one = worst_of_all(&all, WorstCase::then);
        let worst_case = if self.retry_budget.is_some() {
            one_by_one // with no token left there are no hedges
        } else {
            let further = self.candidates.solvers().len().saturating_sub(1);
            let further = u32::try_from(further).unwrap_or(u32::MAX);
            let delays = self.policy.longest_delay().saturating_mul(further);
            let together = worst_of_all(&all, WorstCase::alongside);
            let overlapping = together.delayed_by(delays);
            one_by_one
                .time
                .map_or(overlapping, |time| overlapping.within(time))
        };
        self.candidates.profile(worst_case)
    }
}

debug_as_code!(Hedge(), |hedge, f| {
    let policy = hedge.policy;
    let with_quantile = policy.quantile.is_some();
    DebugCall::of(f, "hedge", hedge.candidates.solvers())
        .with("delay", policy.delay)
        .with("quantile", policy.quantile)
        .with("min_samples", with_quantile.then_some(policy.min_samples))
        .with("max_delay", with_quantile.then_some(policy.max_delay))
        .with("min_time_left", policy.min_time_left)
        .with("retry_budget", hedge.retry_budget.as_ref())
});
