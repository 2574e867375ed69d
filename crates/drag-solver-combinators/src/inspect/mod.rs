//! A look at every call, for a caller's own counters.

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use drag_solver_core::{
    DragChallenge, DragSolver, ScreenshotLimits, Solution, SolveError, Verdict, WorstCase,
    async_trait,
};
use tokio::time::Instant;

use crate::describe::Call;

/// Is told of the calls of one solver. A closure that takes an [`Inspected`] is one, too.
///
/// It is called from inside the call, with no lock held, so it may call anything. It should return
/// soon, because the call waits, and must not panic.
pub trait Inspector: Send + Sync {
    /// A call begins. The default does nothing.
    fn before(&self, solver: &str, challenge: &DragChallenge) {
        let _ = (solver, challenge);
    }

    /// A call ended, or was dropped. Called exactly once for each [`before`](Self::before).
    fn after(&self, call: &Inspected<'_>);
}

impl<F: Fn(&Inspected<'_>) + Send + Sync> Inspector for F {
    fn after(&self, call: &Inspected<'_>) {
        self(call);
    }
}

/// A call that is over.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Inspected<'a> {
    /// Name of the solver that was called.
    pub solver: &'a str,
    /// How the call ended.
    pub outcome: InspectedOutcome<'a>,
    /// How long it took.
    pub elapsed: Duration,
}

/// How a call ended.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_enums)] // a call cannot end in another way
pub enum InspectedOutcome<'a> {
    /// With an answer.
    Solved(&'a Solution),
    /// With an error.
    Failed(&'a SolveError),
    /// Its future was dropped before it had ended.
    Dropped,
}

/// Tells an [`Inspector`] of every call, and changes nothing.
///
/// Where it stands says what it sees: next to the provider, every attempt; around the chain, every
/// challenge. A call that is dropped is seen, too. For spans and metrics that need no code, see
/// [`Instrument`](crate::Instrument).
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use drag_solver_combinators::{DragSolverExt, Inspected, InspectedOutcome, RetryPolicy};
/// # use drag_solver_core::{Drag, DragChallenge, DragSolver, ErrorKind, Point, Screenshot};
/// # use drag_solver_mock::MockSolver;
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let challenge = DragChallenge::new(Screenshot::from_bytes(b"GIF89a\x4f\x02\x7d\x04\x00\x00\x00;".to_vec())?);
/// # let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
/// # let provider = MockSolver::new("example").then(ErrorKind::Unavailable).then(drag);
/// let failures = Arc::new(AtomicU32::new(0));
/// let seen = Arc::clone(&failures);
/// let chain = provider
///     .inspect(move |call: &Inspected<'_>| {
///         if let InspectedOutcome::Failed(error) = call.outcome {
///             eprintln!("{} failed after {:?}: {error}", call.solver, call.elapsed);
///             seen.fetch_add(1, Ordering::Relaxed);
///         }
///     })
///     .retry(RetryPolicy::default())?;
///
/// chain.solve(&challenge).await?;
/// assert_eq!(failures.load(Ordering::Relaxed), 1);
/// # Ok(())
/// # }
/// ```
pub struct Inspect<S, I> {
    inner: S,
    inspector: I,
}

impl<S: DragSolver, I: Inspector> Inspect<S, I> {
    /// Tells `inspector` of every call of `inner`.
    pub fn new(inner: S, inspector: I) -> Self {
        Self { inner, inspector }
    }
}

/// A call under way. However it ends, the inspector is told.
struct Open<'a, I: Inspector> {
    inspector: &'a I,
    solver: &'a str,
    began: Instant,
    told: bool,
}

impl<I: Inspector> Open<'_, I> {
    fn tell(&mut self, outcome: InspectedOutcome<'_>) {
        self.told = true;
        self.inspector.after(&Inspected {
            solver: self.solver,
            outcome,
            elapsed: self.began.elapsed(),
        });
    }
}

impl<I: Inspector> Drop for Open<'_, I> {
    fn drop(&mut self) {
        if !self.told {
            self.tell(InspectedOutcome::Dropped);
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver, I: Inspector> DragSolver for Inspect<S, I> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        self.inspector.before(self.name(), challenge);
        let mut open = Open {
            inspector: &self.inspector,
            solver: self.name(),
            began: Instant::now(),
            told: false,
        };
        let outcome = self.inner.solve(challenge).await;
        open.tell(match &outcome {
            Ok(solution) => InspectedOutcome::Solved(solution),
            Err(error) => InspectedOutcome::Failed(error),
        });
        outcome
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        self.inner.report(solution, verdict).await
    }

    fn worst_case(&self) -> WorstCase {
        self.inner.worst_case()
    }

    fn limits(&self) -> ScreenshotLimits {
        self.inner.limits()
    }
}

impl<S: DragSolver, I> fmt::Debug for Inspect<S, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Call::on(f, &self.inner, "inspect")
            .value(format_args!(".."))
            .finish()
    }
}

impl<S: DragSolver, I> fmt::Display for Inspect<S, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
