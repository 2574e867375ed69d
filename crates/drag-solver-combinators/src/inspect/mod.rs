//! A look at every call, for a caller's own counters.

#[cfg(test)]
mod tests;

use std::time::Duration;

use drag_solver_core::{
    Billed, Brought, DragChallenge, DragSolver, PurchaseRef, Purchases, Solution, SolveError,
    Tracker, Usd, async_trait, forward_solver,
};
use tokio::time::Instant;

use crate::chain_debug::{DebugCall, wrapper};

/// Sees the calls of one solver. A closure that takes a [`CallInfo`] is one, too.
///
/// It is called from inside the call, with no lock held, so it may call anything. It should return
/// soon, because the call waits, and must not panic.
pub trait Inspector: Send + Sync + 'static {
    /// A call begins. The default does nothing.
    fn before(&self, solver: &str, challenge: &DragChallenge) {
        let _ = (solver, challenge);
    }

    /// A call ended, or was dropped. Called exactly once for each [`before`](Self::before).
    fn after(&self, call: &CallInfo<'_>);
}

impl<F: Fn(&CallInfo<'_>) + Send + Sync + 'static> Inspector for F {
    fn after(&self, call: &CallInfo<'_>) {
        self(call);
    }
}

/// A call that is over.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallInfo<'a> {
    /// Name of the solver that was called.
    pub solver: &'a str,
    /// How the call ended.
    pub outcome: CallOutcome<'a>,
    /// How long it took.
    pub elapsed: Duration,
    pub(crate) tracker: &'a Tracker,
}

impl CallInfo<'_> {
    /// What its solvers said of money: what was bought, what came of it, and what is still open.
    #[must_use]
    pub fn purchases(&self) -> Purchases {
        self.tracker.purchases()
    }

    /// What it cost, or costs if it is billed, in US dollars; however it ended. `None` if something was
    /// or may be billed of which neither cost nor price is known: always so for a call that was dropped
    /// while an answer that it bought was under way.
    #[must_use]
    pub fn spent(&self) -> Option<Usd> {
        match self.outcome {
            CallOutcome::Solved(solution) => solution.spent(),
            CallOutcome::Failed(error) => error.spent(),
            CallOutcome::Dropped => {
                let mut spent = Some(Usd::ZERO);
                self.each_purchase(&Brought::default(), |purchase| {
                    let cost = match purchase.settlement {
                        None if purchase.resumed => Some(Usd::ZERO), // the bill of the call that bought it
                        Some(end) if end.billed == Billed::No => Some(Usd::ZERO),
                        end => end.and_then(|end| end.cost),
                    };
                    spent = spent.zip(cost).map(|(spent, cost)| spent + cost);
                });
                spent
            }
        }
    }

    /// Shows `each` what was bought and what was resumed, of solvers that say nothing, too. `brought` are the paid jobs
    /// of the challenge.
    pub(crate) fn each_purchase(&self, brought: &Brought, each: impl FnMut(PurchaseRef<'_>)) {
        self.tracker.read(|purchases| {
            each_purchase(self.solver, purchases, self.outcome, brought, each);
        });
    }
}

/// Shows `each` what was bought and what was resumed in a call of `solver`, of solvers that say nothing, too.
pub(crate) fn each_purchase(
    solver: &str,
    purchases: &Purchases,
    outcome: CallOutcome<'_>,
    brought: &Brought,
    mut each: impl FnMut(PurchaseRef<'_>),
) {
    for told in purchases.as_slice() {
        each(told.into());
    }
    purchases.each_untold(solver, outcome.as_result(), brought, &mut each);
}

/// How a call ended.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_enums)] // a call cannot end in another way
pub enum CallOutcome<'a> {
    /// With an answer.
    Solved(&'a Solution),
    /// With an error.
    Failed(&'a SolveError),
    /// Its future was dropped before it had ended.
    Dropped,
}

impl<'a> CallOutcome<'a> {
    pub(crate) fn as_result(self) -> Option<Result<&'a Solution, &'a SolveError>> {
        match self {
            Self::Solved(solution) => Some(Ok(solution)),
            Self::Failed(error) => Some(Err(error)),
            Self::Dropped => None,
        }
    }

    /// How a call ended that was not dropped.
    pub(crate) fn of(outcome: &'a Result<Solution, SolveError>) -> Self {
        match outcome {
            Ok(solution) => Self::Solved(solution),
            Err(error) => Self::Failed(error),
        }
    }
}

/// Shows an [`Inspector`] every call, and changes nothing.
///
/// Where it stands says what it sees: next to the provider, every attempt; around the chain, every
/// challenge. A call that is dropped is seen, too. For spans and metrics that need no code, see
/// [`Instrument`](crate::Instrument).
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use drag_solver_combinators::{CallInfo, CallOutcome, DragSolverExt, RetryPolicy};
/// # use drag_solver_core::{DragSolver, ErrorKind};
/// # use drag_solver_mock::{MockSolver, fixtures};
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), drag_solver_core::SolveError> {
/// # let challenge = fixtures::challenge();
/// # let provider = MockSolver::new("example").then(ErrorKind::Unavailable).then(fixtures::drag());
/// let failures = Arc::new(AtomicU32::new(0));
/// let seen = Arc::clone(&failures);
/// let chain = provider
///     .inspect(move |call: &CallInfo<'_>| {
///         if let CallOutcome::Failed(error) = call.outcome {
///             eprintln!("{} failed after {:?}: {error}", call.solver, call.elapsed);
///             seen.fetch_add(1, Ordering::Relaxed);
///         }
///     })
///     .retry(RetryPolicy::default());
///
/// chain.solve(&challenge).await?;
/// assert_eq!(failures.load(Ordering::Relaxed), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Inspect<S, I> {
    inner: S,
    inspector: I,
}

impl<S: DragSolver, I: Inspector> Inspect<S, I> {
    /// Shows `inspector` every call of `inner`.
    pub fn new(inner: S, inspector: I) -> Self {
        Self { inner, inspector }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver, I: Inspector> DragSolver for Inspect<S, I> {
    forward_solver!(inner: name, report, profile);

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let (solver, began) = (self.name(), Instant::now());
        self.inspector.before(solver, challenge);
        let (challenge, tracker) = challenge.tracked();
        let after = |outcome: CallOutcome<'_>| {
            self.inspector.after(&CallInfo {
                solver,
                outcome,
                elapsed: began.elapsed(),
                tracker: &tracker,
            });
        };
        watch(self.inner.solve(&challenge), after).await
    }
}

/// Awaits a `call`, and shows how it ended, even if it was dropped.
pub(crate) async fn watch(
    call: impl Future<Output = Result<Solution, SolveError>>,
    after: impl FnOnce(CallOutcome<'_>),
) -> Result<Solution, SolveError> {
    let mut open = OpenCall(Some(after));
    let outcome = call.await;
    open.end(CallOutcome::of(&outcome));
    outcome
}

/// What is to be shown the end of a call, until it has been.
struct OpenCall<F: FnOnce(CallOutcome<'_>)>(Option<F>);

impl<F: FnOnce(CallOutcome<'_>)> OpenCall<F> {
    fn end(&mut self, outcome: CallOutcome<'_>) {
        if let Some(after) = self.0.take() {
            after(outcome);
        }
    }
}

impl<F: FnOnce(CallOutcome<'_>)> Drop for OpenCall<F> {
    fn drop(&mut self) {
        self.end(CallOutcome::Dropped);
    }
}

wrapper!(Inspect(S, I), |inspect, f| {
    DebugCall::on(f, &inspect.inner, "inspect").value(format_args!(".."))
});
