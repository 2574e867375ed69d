//! Spans and metrics.

#[cfg(feature = "metrics")]
mod metrics;
mod policy;
#[cfg(test)]
mod tests;

use std::fmt;

use drag_solver_core::{
    DragChallenge, DragSolver, ScreenshotLimits, Solution, SolveError, Verdict, WorstCase,
    async_trait,
};
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

#[cfg(feature = "metrics")]
pub use self::metrics::describe_metrics;
pub use self::policy::InstrumentPolicy;
use crate::InvalidPolicy;
use crate::describe::{Call, display_like_debug};

/// Puts every call into a [`tracing`] span, and with the feature `metrics` counts and times it with
/// the crate [`metrics`](https://docs.rs/metrics).
///
/// Where it stands says what it sees: next to the provider, every attempt; around the chain, every
/// challenge. The [`scope`](InstrumentPolicy::scope) tells the two apart.
///
/// # The span
///
/// It is called `solve`, has the level `INFO`, and these fields, the last four once the call is over:
///
/// | field | what it is |
/// |---|---|
/// | `scope` | which place in the chain it is |
/// | `solver` | the name of the solver that is called |
/// | `outcome` | `solved`, `dropped`, or the [kind](drag_solver_core::ErrorKind) of the error |
/// | `provider` | who answered, or where the error comes from |
/// | `charge` | of an error: `no`, `unknown` or `yes` |
/// | `elapsed_ms` | how long the call took |
///
/// # The metrics
///
/// Few values for each label, however many challenges there are: nothing of a challenge, a job or a
/// message is in them.
///
/// | name | type | labels |
/// |---|---|---|
/// | `drag_solver_calls_total` | counter | `scope`, `provider`, `outcome` |
/// | `drag_solver_call_duration_seconds` | histogram | `scope`, `provider`, `outcome` |
/// | `drag_solver_calls_in_flight` | gauge | `scope`, `provider` |
/// | `drag_solver_answer_cost_usd` | histogram, of answers whose cost is known | `scope`, `provider` |
/// | `drag_solver_reports_total` | counter | `scope`, `provider`, `verdict`, `outcome` |
///
/// The `provider` is who answered or failed, if that is known, and else the name of the solver that
/// was called. A call that is dropped counts with the outcome `dropped`.
///
/// ```
/// use drag_solver_combinators::{DragSolverExt, RetryPolicy};
/// # use drag_solver_mock::MockSolver;
/// # let provider = MockSolver::new("example");
///
/// let chain = provider
///     .instrumented("attempt")?
///     .retry(RetryPolicy::default())?
///     .instrumented("challenge")?;
/// # let _ = chain;
/// # Ok::<(), drag_solver_combinators::InvalidPolicy>(())
/// ```
pub struct Instrument<S> {
    inner: S,
    policy: InstrumentPolicy,
}

impl<S: DragSolver> Instrument<S> {
    /// Watches the calls of `inner`.
    ///
    /// # Errors
    ///
    /// See [`InstrumentPolicy::check`].
    pub fn new(inner: S, policy: impl Into<InstrumentPolicy>) -> Result<Self, InvalidPolicy> {
        let policy = policy.into();
        policy.check()?;
        Ok(Self { inner, policy })
    }
}

/// A call under way. However it ends, it is counted.
struct Open<'a> {
    scope: &'a str,
    solver: &'a str,
    span: Span,
    began: Instant,
    /// How it ended, and who says so.
    end: Option<(&'static str, Option<String>)>,
}

impl<'a> Open<'a> {
    fn new(scope: &'a str, solver: &'a str) -> Self {
        #[cfg(feature = "metrics")]
        metrics::begun(scope, solver);
        Self {
            scope,
            solver,
            span: tracing::info_span!(
                "solve",
                scope,
                solver,
                outcome = Empty,
                provider = Empty,
                charge = Empty,
                elapsed_ms = Empty,
            ),
            began: Instant::now(),
            end: None,
        }
    }

    fn close(mut self, outcome: &Result<Solution, SolveError>) {
        self.end = Some(match outcome {
            Ok(solution) => {
                #[cfg(feature = "metrics")]
                metrics::answered(self.scope, solution);
                ("solved", Some(solution.provider().to_owned()))
            }
            Err(error) => {
                self.span.record("charge", charge(error));
                (error.kind().as_str(), error.provider().map(str::to_owned))
            }
        });
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let (outcome, provider) = self.end.take().unwrap_or(("dropped", None));
        let provider = provider.as_deref().unwrap_or(self.solver);
        let elapsed = self.began.elapsed();
        self.span.record("outcome", outcome);
        self.span.record("provider", provider);
        let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        self.span.record("elapsed_ms", milliseconds);
        #[cfg(feature = "metrics")]
        metrics::ended(self.scope, self.solver, provider, outcome, elapsed);
        #[cfg(not(feature = "metrics"))]
        let _ = self.scope;
    }
}

fn charge(error: &SolveError) -> &'static str {
    match error.charge() {
        drag_solver_core::Charge::No => "no",
        drag_solver_core::Charge::Unknown => "unknown",
        drag_solver_core::Charge::Yes => "yes",
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for Instrument<S> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let open = Open::new(&self.policy.scope, self.name());
        let span = open.span.clone();
        let outcome = self.inner.solve(challenge).instrument(span).await;
        open.close(&outcome);
        outcome
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        let outcome = self.inner.report(solution, verdict).await;
        #[cfg(feature = "metrics")]
        metrics::reported(&self.policy.scope, solution.provider(), verdict, &outcome);
        outcome
    }

    fn worst_case(&self) -> WorstCase {
        self.inner.worst_case()
    }

    fn limits(&self) -> ScreenshotLimits {
        self.inner.limits()
    }
}

impl<S: DragSolver> fmt::Debug for Instrument<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Call::on(f, &self.inner, "instrumented")
            .value(&self.policy.scope)
            .finish()
    }
}

display_like_debug!(Instrument);
