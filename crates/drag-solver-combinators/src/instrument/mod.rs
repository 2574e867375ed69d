//! Spans and metrics.

#[cfg(feature = "metrics")]
mod metrics;
mod policy;
#[cfg(test)]
mod tests;

use drag_solver_core::{
    DragChallenge, DragSolver, Solution, SolveError, Verdict, async_trait, forward_solver,
};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

#[cfg(feature = "metrics")]
pub use self::metrics::describe_metrics;
pub use self::policy::InstrumentPolicy;
use crate::chain_debug::{DebugCall, wrapper};
use crate::inspect::{CallInfo, CallOutcome, watch};

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
/// | `chain` | the name of the solver that is called |
/// | `outcome` | `solved`, `dropped`, or the [kind](drag_solver_core::ErrorKind) of the error |
/// | `solver` | who answered, or where the error comes from |
/// | `billed` | of an error: `no`, `maybe` or `yes` |
/// | `elapsed_ms` | how long the call took |
///
/// # The metrics
///
/// Few values for each label, however many challenges there are: nothing of a challenge, a job or a
/// message is in them.
///
/// | name | type | labels |
/// |---|---|---|
/// | `drag_solver_calls_total` | counter | `scope`, `solver`, `outcome` |
/// | `drag_solver_call_duration_seconds` | histogram | `scope`, `solver`, `outcome` |
/// | `drag_solver_calls_in_flight` | gauge | `scope`, `solver` |
/// | `drag_solver_answer_cost_usd` | histogram, of answers whose cost or price is known | `scope`, `solver` |
/// | `drag_solver_reports_total` | counter | `scope`, `solver`, `verdict`, `outcome` |
///
/// The `solver` is who answered or failed, if that is known, and else the name of the solver that
/// was called. A call that is dropped counts with the outcome `dropped`.
///
/// ```
/// use drag_solver_combinators::{DragSolverExt, RetryPolicy};
/// # use drag_solver_mock::MockSolver;
/// # let provider = MockSolver::new("example");
///
/// let chain = provider
///     .instrumented("attempt")
///     .retry(RetryPolicy::default())
///     .instrumented("challenge");
/// # let _ = chain;
/// ```
#[derive(Clone)]
pub struct Instrument<S> {
    inner: S,
    policy: InstrumentPolicy,
}

impl<S: DragSolver> Instrument<S> {
    /// Watches the calls of `inner`.
    pub fn new(inner: S, policy: impl Into<InstrumentPolicy>) -> Self {
        let policy = policy.into();
        Self { inner, policy }
    }

    #[cfg_attr(not(feature = "metrics"), allow(clippy::unused_self))] // its scope labels the metrics
    fn ended(&self, span: &Span, call: &CallInfo<'_>) {
        let (outcome, solver) = match call.outcome {
            CallOutcome::Solved(solution) => ("solved", Some(solution.solver())),
            CallOutcome::Failed(error) => {
                span.record("billed", error.billed().as_str());
                (error.kind().as_str(), error.solver())
            }
            CallOutcome::Dropped => ("dropped", None),
        };
        let solver = solver.unwrap_or(call.solver);
        span.record("outcome", outcome);
        span.record("solver", solver);
        let milliseconds = u64::try_from(call.elapsed.as_millis()).unwrap_or(u64::MAX);
        span.record("elapsed_ms", milliseconds);
        #[cfg(feature = "metrics")]
        metrics::ended(&self.policy.scope, call, solver, outcome);
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for Instrument<S> {
    forward_solver!(inner: name, profile);

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let chain = self.name();
        let span = tracing::info_span!(
            "solve",
            scope = self.policy.scope,
            chain,
            outcome = Empty,
            solver = Empty,
            billed = Empty,
            elapsed_ms = Empty,
        );
        #[cfg(feature = "metrics")]
        metrics::begun(&self.policy.scope, chain);
        let call = self.inner.solve(challenge).instrument(span.clone());
        watch(chain, call, |call| self.ended(&span, call)).await
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        let outcome = self.inner.report(solution, verdict).await;
        #[cfg(feature = "metrics")]
        metrics::reported(&self.policy.scope, solution.solver(), verdict, &outcome);
        outcome
    }
}

wrapper!(Instrument(S), |instrument, f| {
    let scope = &instrument.policy.scope;
    DebugCall::on(f, &instrument.inner, "instrumented").value(format_args!("{scope:?}"))
});
