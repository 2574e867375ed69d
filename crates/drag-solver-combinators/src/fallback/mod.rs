//! Asking somebody else.

mod order;
#[cfg(test)]
mod order_tests;
mod record;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, Recovery, ScreenshotLimits, Solution, SolveError,
    Verdict, WorstCase, async_trait,
};
use tokio::time::{Duration, Instant};

pub use self::order::OrderPolicy;
use self::record::Records;
use crate::describe::Call;
use crate::jitter::Jitter;
use crate::{InvalidPolicy, names, report};

/// Asks one solver after the other, until one answers.
///
/// - An error whose recovery is [`Recovery::Stop`] ends the chain at once and comes back as it was,
///   with the attempts before it. Any other error, and one that a retry gave up on, moves on.
/// - If all fail, the error is [`ErrorKind::AllFailed`]: every attempt in order, the mildest
///   recovery and the worst charge of its parts, the last error as its source.
/// - The order is that of the list, unless it is [`ordered`](Self::ordered). Either way, a solver that
///   has a job to [resume](DragChallenge::resuming) is asked before any other buys an answer.
/// - A report goes to the solver that gave the answer. A solution that does not say which one that
///   was is reported to the solvers that answer to its provider's name, and to no other.
///
/// Its name is the names of its solvers, `"a|b"`. Dropping the future abandons the attempt at hand.
///
/// ```
/// use drag_solver_combinators::DragSolverExt;
/// # use drag_solver_core::{async_trait, Drag, DragChallenge, DragSolver, ErrorKind, Point, Screenshot, Solution, SolveError};
/// # #[derive(Debug)]
/// # struct Broken;
/// # #[async_trait]
/// # impl DragSolver for Broken {
/// #     fn name(&self) -> &str { "broken" }
/// #     async fn solve(&self, _: &DragChallenge) -> Result<Solution, SolveError> {
/// #         Err(SolveError::new(ErrorKind::Unavailable, "connection refused").with_provider("broken"))
/// #     }
/// # }
/// # #[derive(Debug)]
/// # struct Steady;
/// # #[async_trait]
/// # impl DragSolver for Steady {
/// #     fn name(&self) -> &str { "steady" }
/// #     async fn solve(&self, _: &DragChallenge) -> Result<Solution, SolveError> {
/// #         Ok(Solution::new(Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0)), "steady"))
/// #     }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let challenge = DragChallenge::new(Screenshot::from_bytes(b"GIF89a\x4f\x02\x7d\x04\x00\x00\x00;".to_vec())?);
/// let chain = Broken.or(Steady);
///
/// let solution = chain.solve(&challenge).await?;
/// assert_eq!(solution.provider(), "steady");
/// assert_eq!(solution.failed_attempts()[0].provider.as_deref(), Some("broken"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Fallback {
    solvers: Vec<Arc<dyn DragSolver>>,
    name: String,
    /// What the solvers did of late, if the order depends on it. Shared by clones.
    records: Option<Arc<Records>>,
}

impl Fallback {
    /// Asks `solvers` in this order.
    ///
    /// # Errors
    ///
    /// An empty list.
    pub fn new(
        solvers: impl IntoIterator<Item = Arc<dyn DragSolver>>,
    ) -> Result<Self, InvalidPolicy> {
        let solvers: Vec<_> = solvers.into_iter().collect();
        if solvers.is_empty() {
            return Err(InvalidPolicy::new(
                "fallback",
                "solvers",
                "must hold at least one solver",
            ));
        }
        Ok(Self::of(solvers))
    }

    pub(crate) fn of(solvers: Vec<Arc<dyn DragSolver>>) -> Self {
        let name = names::joined(&solvers);
        Self {
            solvers,
            name,
            records: None,
        }
    }

    /// Adds `solver` at the end. A fallback that is [`ordered`](Self::ordered) stays so, and begins to
    /// judge anew.
    #[must_use]
    pub fn or(self, solver: impl DragSolver + 'static) -> Self {
        let mut solvers = self.solvers;
        solvers.push(Arc::new(solver));
        let records = self
            .records
            .map(|old| Records::new(old.policy, solvers.len(), Jitter::random()));
        Self {
            records: records.map(Arc::new),
            ..Self::of(solvers)
        }
    }

    /// Asks first whoever took the least time per good answer of late, failures included, in place of
    /// the order of the list. Prices do not count: who lists the cheap one first should not use it.
    ///
    /// - A solver of which too little is known stays at its place in the list.
    /// - Errors that were made on this side (`CircuitOpen`, `Overloaded`, `BudgetExhausted`), that
    ///   nobody could have avoided (recovery `Stop`), and calls that were dropped do not count.
    /// - An answer that is reported as [`Verdict::Incorrect`] through this fallback counts as a
    ///   failure from then on, whether or not the provider takes reports. `Correct` changes nothing:
    ///   an answer is good until proven wrong.
    /// - Whoever was put behind another comes back when its failures are forgotten, or when it does
    ///   better in the calls that [`explore`](OrderPolicy::explore).
    ///
    /// ```
    /// use drag_solver_combinators::{DragSolverExt, OrderPolicy};
    /// # use drag_solver_core::{Drag, DragChallenge, DragSolver, ErrorKind, Point, Screenshot};
    /// # use drag_solver_mock::MockSolver;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let challenge = DragChallenge::new(Screenshot::from_bytes(b"GIF89a\x4f\x02\x7d\x04\x00\x00\x00;".to_vec())?);
    /// # let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
    /// # let broken = MockSolver::new("broken").always(ErrorKind::Unavailable);
    /// # let steady = MockSolver::new("steady").always(drag);
    /// # let seen = broken.clone();
    /// let chain = broken.or(steady).ordered(OrderPolicy::default().explore(0.0))?;
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
    /// # Errors
    ///
    /// See [`OrderPolicy::check`].
    pub fn ordered(mut self, policy: OrderPolicy) -> Result<Self, InvalidPolicy> {
        policy.check()?;
        let records = Records::new(policy, self.solvers.len(), Jitter::random());
        self.records = Some(Arc::new(records));
        Ok(self)
    }

    /// Makes the calls that explore the same in every run, for tests and simulations. It begins to
    /// judge anew.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        if let Some(old) = self.records.take() {
            let new = Records::new(old.policy, self.solvers.len(), Jitter::seeded(seed));
            self.records = Some(Arc::new(new));
        }
        self
    }

    /// Indices of the solvers in the order to ask them.
    fn order(&self, challenge: &DragChallenge) -> Vec<usize> {
        let Some(records) = &self.records else {
            return names::resuming_first(&self.solvers, challenge);
        };
        let mut order = records.order();
        if !order.is_sorted() {
            tracing::debug!(solver = self.name, ?order, "asking in another order");
        }
        names::put_resuming_first(&mut order, &self.solvers, challenge);
        order
    }

    /// Remembers how a call of `child` ended, if the order depends on it. What is left of the wait
    /// for a job that was bought before says nothing about a solver.
    fn remember(
        &self,
        challenge: &DragChallenge,
        child: usize,
        outcome: &Result<Solution, SolveError>,
        took: Duration,
    ) {
        if let Some(records) = &self.records
            && !names::has_job(self.solvers[child].name(), challenge)
        {
            records.add(child, outcome.as_ref(), took);
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl DragSolver for Fallback {
    fn name(&self) -> &str {
        &self.name
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let begun = Instant::now();
        let mut failed: Vec<(SolveError, Duration)> = Vec::new();
        for child in self.order(challenge) {
            let solver = &self.solvers[child];
            if !failed.is_empty() && challenge.is_expired() {
                let late = SolveError::new(
                    ErrorKind::DeadlineExceeded,
                    format!(
                        "the deadline passed before {} could be asked",
                        solver.name()
                    ),
                );
                return Err(stopped(late, &failed, None));
            }
            let started = Instant::now();
            let outcome = solver.solve(challenge).await;
            let took = started.elapsed();
            self.remember(challenge, child, &outcome, took);
            let error = match outcome {
                Ok(solution) => return Ok(solved(solution, child, &failed, begun)),
                Err(error) => error,
            };
            tracing::debug!(
                provider = solver.name(),
                kind = error.kind().as_str(),
                charge = ?error.charge(),
                ?took,
                "the solver failed"
            );
            if error.recovery() == Recovery::Stop {
                return Err(stopped(error, &failed, Some(took)));
            }
            failed.push((error, took));
        }
        Err(SolveError::all_failed(failed))
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        if let (Some(records), Verdict::Incorrect) = (&self.records, verdict)
            && let Some((child, answer)) = report::routed(&self.solvers, solution)
        {
            records.was_wrong(child, &answer);
        }
        report::forward(&self.solvers, &self.name, solution, verdict).await
    }

    /// Everybody is asked, one after the other.
    fn worst_case(&self) -> WorstCase {
        self.solvers
            .iter()
            .map(DragSolver::worst_case)
            .reduce(WorstCase::then)
            .unwrap_or_default()
    }

    fn limits(&self) -> ScreenshotLimits {
        ScreenshotLimits::none() // each of its solvers has other ones
    }
}

/// The answer of `child`, with the failures before it.
fn solved(
    solution: Solution,
    child: usize,
    failed: &[(SolveError, Duration)],
    begun: Instant,
) -> Solution {
    let solution = solution.routed_via(child);
    if failed.is_empty() {
        return solution;
    }
    let earlier = failed
        .iter()
        .flat_map(|(error, took)| error.history(*took))
        .collect();
    solution
        .after_attempts(earlier)
        .with_elapsed(begun.elapsed())
}

/// An error that ends the chain, with the failures before it and the worst charge among them.
/// `took` is `None` if nobody was asked.
fn stopped(
    error: SolveError,
    failed: &[(SolveError, Duration)],
    took: Option<Duration>,
) -> SolveError {
    if failed.is_empty() {
        return error;
    }
    let worst = failed.iter().map(|(error, _)| error.charge()).max();
    let charge = error.charge().max(worst.unwrap_or_default());
    let mut attempts: Vec<_> = failed
        .iter()
        .flat_map(|(error, took)| error.history(*took))
        .collect();
    if let Some(took) = took {
        attempts.extend(error.history(took));
    }
    error.with_charge(charge).with_attempts(attempts)
}

/// `fallback[a, b]`.
struct List<'a>(&'a [Arc<dyn DragSolver>]);

impl fmt::Debug for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("fallback")?;
        f.debug_list().entries(self.0).finish()
    }
}

impl fmt::Debug for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = List(&self.solvers);
        let Some(records) = &self.records else {
            return list.fmt(f);
        };
        let OrderPolicy {
            remember,
            min_calls,
            explore,
        } = &records.policy;
        Call::on(f, &list, "ordered")
            .with("remember", remember)
            .with("min_calls", min_calls)
            .with("explore", explore)
            .finish()
    }
}

impl fmt::Display for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
