//! Asking somebody else.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, Recovery, ScreenshotLimits, Solution, SolveError,
    Verdict, WorstCase, async_trait,
};
use tokio::time::{Duration, Instant};

use crate::{InvalidPolicy, names, report};

/// Asks one solver after the other, until one answers.
///
/// - An error whose recovery is [`Recovery::Stop`] ends the chain at once and comes back as it was,
///   with the attempts before it. Any other error, and one that a retry gave up on, moves on.
/// - If all fail, the error is [`ErrorKind::AllFailed`]: every attempt in order, the mildest
///   recovery and the worst charge of its parts, the last error as its source.
/// - The order is that of the list, but for one thing: a solver that has a job to
///   [resume](DragChallenge::resuming) is asked before any other buys an answer.
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
        Self { solvers, name }
    }

    /// Adds `solver` at the end.
    #[must_use]
    pub fn or(mut self, solver: impl DragSolver + 'static) -> Self {
        self.solvers.push(Arc::new(solver));
        Self::of(self.solvers)
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
        for child in names::resuming_first(&self.solvers, challenge) {
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
            let error = match solver.solve(challenge).await {
                Ok(solution) => return Ok(solved(solution, child, &failed, begun)),
                Err(error) => error,
            };
            let took = started.elapsed();
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

impl fmt::Debug for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("fallback")?;
        f.debug_list().entries(&self.solvers).finish()
    }
}

impl fmt::Display for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
