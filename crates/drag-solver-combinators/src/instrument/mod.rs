//! Spans and metrics.

#[cfg(feature = "metrics")]
mod bill;
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
#[doc = include_str!("../measure/metrics.md")]
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
    /// What an answer costs at most, if that is known.
    #[cfg(feature = "metrics")]
    price: Option<drag_solver_core::Usd>,
}

impl<S: DragSolver> Instrument<S> {
    /// Watches the calls of `inner`.
    pub fn new(inner: S, policy: impl Into<InstrumentPolicy>) -> Self {
        Self {
            #[cfg(feature = "metrics")]
            price: crate::abandoned::per_answer(&inner),
            inner,
            policy: policy.into(),
        }
    }

    #[cfg(feature = "metrics")]
    fn place(&self) -> metrics::Place<'_> {
        metrics::Place {
            scope: &self.policy.scope,
        }
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
        self.place().ended(call, solver, outcome);
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
        let (_under_way, brought) = (self.place().begun(chain), challenge.paid_jobs());
        let (challenge, tracker) = challenge.tracked();
        let call = self.inner.solve(&challenge).instrument(span.clone());
        let after = |call: &CallInfo<'_>| {
            self.ended(&span, call);
            #[cfg(feature = "metrics")]
            self.place().billed(call, brought, self.price);
        };
        watch(chain, &tracker, call, after).await
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        let outcome = self.inner.report(solution, verdict).await;
        #[cfg(feature = "metrics")]
        self.place().reported(solution.solver(), verdict, &outcome);
        outcome
    }
}

wrapper!(Instrument(S), |instrument, f| {
    let scope = &instrument.policy.scope;
    DebugCall::on(f, &instrument.inner, "instrumented").value(format_args!("{scope:?}"))
});
