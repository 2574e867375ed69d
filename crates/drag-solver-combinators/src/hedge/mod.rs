//! Asking a second solver before the first has failed.

mod call;
mod latencies;
mod policy;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{
    DragChallenge, DragSolver, ScreenshotLimits, Solution, SolveError, Verdict, WorstCase,
    async_trait,
};

use self::call::Call;
use self::latencies::Latencies;
pub use self::policy::HedgePolicy;
use crate::describe;
use crate::race::{Abandoned, Ledger, per_answer};
use crate::sync::{Mutex, lock};
use crate::{InvalidPolicy, RetryBudget, names, report};

/// Asks a solver, and if it has no answer after a while, the next one as well. The first answer
/// wins.
///
/// It shortens the long tail of a provider's latency, and pays for that with answers that nobody
/// waits for:
///
/// - The first *answer* wins. An error never does: while another solver is at work it is waited for,
///   and an error that comes before the delay is over makes the next solver start at once. An error
///   whose recovery is [`Stop`](drag_solver_core::Recovery::Stop) ends the call, because nobody can
///   do better. (One kind does not: a solver that refuses because it cannot make the deadline, while
///   others are at work that may.)
/// - Whoever else is at work is dropped at once, before the call returns. Their jobs may still be
///   billed: [`stats`](Self::stats) counts them and what they cost at the worst, the answer's
///   [`failed_attempts`](Solution::failed_attempts) hold them as attempts of kind `Timeout` with
///   their charge and job, and a [`Budget`](crate::Budget), inside or outside, books them.
/// - Nothing here looks at the answers. Put a [`Validate`](crate::Validate) around each solver, not
///   around the hedge, or an answer that is off the picture wins.
/// - A further solver is not asked if there is too little time left for it
///   ([`min_time_left`](HedgePolicy::min_time_left)).
/// - The order is that of the list, but a solver with a job to
///   [resume](DragChallenge::resuming) is asked first.
/// - If all fail, the error is that of a [`Fallback`](crate::Fallback): `AllFailed`, with every
///   attempt in the order in which they failed.
///
/// A report goes to the solver whose answer won, and to no other. The losers did not answer.
///
/// Its name is the names of its solvers, `"a|b"`. Dropping the future drops every solver at work;
/// their jobs count as abandoned.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_combinators::{DragSolverExt, HedgePolicy};
/// # use drag_solver_core::{Drag, DragChallenge, DragSolver, Point, Screenshot};
/// # use drag_solver_mock::{MockSolver, Outcome};
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let challenge = DragChallenge::new(Screenshot::from_bytes(b"GIF89a\x4f\x02\x7d\x04\x00\x00\x00;".to_vec())?);
/// # let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
/// # let stalled = MockSolver::new("stalled").then(Outcome::hang());
/// # let steady = MockSolver::new("steady").then(Outcome::answer(drag).after(Duration::from_secs(3)));
/// let chain = stalled
///     .priced("0.0009".parse()?)?
///     .hedge(steady, HedgePolicy::default().delay(Duration::from_secs(8)))?;
///
/// let solution = chain.solve(&challenge).await?;
/// assert_eq!(solution.provider(), "steady");
/// assert_eq!(solution.elapsed(), Duration::from_secs(8 + 3));
/// // The job of the first may be billed all the same.
/// assert_eq!(chain.stats().abandoned.cost, "0.0009".parse()?);
/// # Ok(())
/// # }
/// ```
pub struct Hedge {
    solvers: Vec<Arc<dyn DragSolver>>,
    name: String,
    policy: HedgePolicy,
    budget: Option<RetryBudget>,
    /// Of each solver, for the quantile.
    latencies: Vec<Mutex<Latencies>>,
    ledger: Ledger,
    calls: Mutex<Calls>,
}

/// Calls that got an answer.
#[derive(Clone, Copy, Debug, Default)]
struct Calls {
    answered: u64,
    hedged: u64,
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
    ///
    /// # Errors
    ///
    /// Fewer than two solvers, and what [`HedgePolicy::check`] refuses.
    pub fn new(
        solvers: impl IntoIterator<Item = Arc<dyn DragSolver>>,
        policy: impl Into<HedgePolicy>,
    ) -> Result<Self, InvalidPolicy> {
        let policy = policy.into();
        policy.check()?;
        let solvers: Vec<_> = solvers.into_iter().collect();
        if solvers.len() < 2 {
            let problem = format!(
                "must hold at least two solvers, or there is nobody to hedge with; there are {}",
                solvers.len()
            );
            return Err(InvalidPolicy::new("hedge", "solvers", problem));
        }
        Ok(Self {
            name: names::joined(&solvers),
            policy,
            budget: None,
            latencies: solvers.iter().map(|_| Mutex::default()).collect(),
            ledger: Ledger::new(solvers.iter().map(per_answer).collect()),
            calls: Mutex::default(),
            solvers,
        })
    }

    /// Takes a token from `budget` whenever a solver is asked because another took too long, and
    /// asks nobody while there is none. It is what keeps a fixed delay from buying every answer
    /// twice once a provider gets slow. Asking the next after an error takes no token.
    #[must_use]
    pub fn with_budget(mut self, budget: RetryBudget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// What it did so far.
    #[must_use]
    pub fn stats(&self) -> HedgeStats {
        let Calls { answered, hedged } = *lock(&self.calls);
        HedgeStats {
            answered,
            hedged,
            abandoned: self.ledger.total(),
        }
    }

    /// How long each solver would be waited for now, in the order of the list, before the next is
    /// asked as well.
    #[must_use]
    pub fn delays(&self) -> Vec<Duration> {
        (0..self.solvers.len()).map(|i| self.delay(i)).collect()
    }

    fn delay(&self, child: usize) -> Duration {
        let HedgePolicy {
            delay,
            quantile,
            min_samples,
            max_delay,
            ..
        } = self.policy;
        quantile
            .and_then(|quantile| lock(&self.latencies[child]).quantile(quantile, min_samples))
            .map_or(delay, |observed| observed.min(max_delay))
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl DragSolver for Hedge {
    fn name(&self) -> &str {
        &self.name
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        Call::new(self, challenge).run().await
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        report::forward(&self.solvers, &self.name, solution, verdict).await
    }

    /// Everybody is asked and everybody is billed. A solver starts no later than the delay after the
    /// one before it, and no later than that one's end.
    fn worst_case(&self) -> WorstCase {
        let all = || self.solvers.iter().map(DragSolver::worst_case);
        let one_by_one = all().reduce(WorstCase::then).unwrap_or_default();
        if self.budget.is_some() {
            return one_by_one; // with no token left there are no hedges
        }
        let last = u32::try_from(self.solvers.len() - 1).unwrap_or(u32::MAX);
        let overlapping = all()
            .reduce(WorstCase::alongside)
            .unwrap_or_default()
            .delayed_by(self.policy.longest_delay().saturating_mul(last));
        match one_by_one.time {
            Some(time) => overlapping.within(time),
            None => overlapping,
        }
    }

    fn limits(&self) -> ScreenshotLimits {
        ScreenshotLimits::none() // each of its solvers has other ones
    }
}

impl fmt::Debug for Hedge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HedgePolicy {
            delay,
            quantile,
            min_samples,
            max_delay,
            min_time_left,
        } = &self.policy;
        let mut call = describe::Call::of(f, "hedge", &self.solvers).with("delay", delay);
        if let Some(quantile) = quantile {
            call = call
                .with("quantile", quantile)
                .with("min_samples", min_samples)
                .with("max_delay", max_delay);
        }
        call = call.with("min_time_left", min_time_left);
        if let Some(budget) = &self.budget {
            call = call.with("budget", budget);
        }
        call.finish()
    }
}

impl fmt::Display for Hedge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
