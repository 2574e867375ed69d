//! Spans and metrics.

#[cfg(feature = "metrics")]
mod bill;
mod labels;
#[cfg(feature = "metrics")]
mod metrics;
mod policy;
#[cfg(test)]
mod tests;

use drag_solver_core::{
    DragChallenge, DragSolver, Solution, SolveError, Verdict, async_trait, forward_solver,
};
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

pub use self::labels::MetricLabels;
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
    #[cfg_attr(not(feature = "metrics"), allow(dead_code))]
    labels: MetricLabels,
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
            labels: MetricLabels::default(),
        }
    }

    /// Shares the labels that metrics [tell apart](InstrumentPolicy::by_label) with others.
    ///
    /// ```
    /// use drag_solver_combinators::{DragSolverExt, InstrumentPolicy, MetricLabels, RetryPolicy};
    /// # use drag_solver_mock::MockSolver;
    /// # let provider = MockSolver::new("example");
    ///
    /// let labels = MetricLabels::default();
    /// let policy = |scope| InstrumentPolicy::from(scope).by_label(true).max_labels(20);
    /// let chain = provider
    ///     .instrumented(policy("attempt")).with_labels(&labels)
    ///     .retry(RetryPolicy::default())
    ///     .instrumented(policy("challenge")).with_labels(&labels);
    /// # let _ = chain;
    /// ```
    #[must_use]
    pub fn with_labels(mut self, labels: &MetricLabels) -> Self {
        self.labels = labels.clone();
        self
    }

    /// What is the same of all calls, and who this one is for.
    #[cfg(feature = "metrics")]
    fn place<'a>(&'a self, challenge: &'a DragChallenge) -> metrics::Place<'a> {
        let policy = &self.policy;
        let label = || self.labels.of(challenge.label(), policy.max_labels);
        metrics::Place {
            scope: &policy.scope,
            label: policy.by_label.then(label),
        }
    }

    /// Writes into the span how the call ended: its outcome, and the solver it is about.
    fn ended<'a>(span: &Span, call: &CallInfo<'a>) -> (&'a str, &'a str) {
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
        (outcome, solver)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for Instrument<S> {
    forward_solver!(inner: name, profile);

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let (chain, began) = (self.name(), Instant::now());
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
        let (place, brought) = (
            self.place(challenge),
            drag_solver_core::Brought::to(&self.inner, challenge.paid_jobs()),
        );
        #[cfg(feature = "metrics")]
        let _under_way = place.begun(chain);
        let (challenge, tracker) = challenge.tracked();
        let call = self.inner.solve(&challenge).instrument(span.clone());
        let after = |outcome: CallOutcome<'_>| {
            let call = CallInfo {
                solver: chain,
                outcome,
                elapsed: began.elapsed(),
                tracker: &tracker,
            };
            let ended = Self::ended(&span, &call);
            #[cfg(feature = "metrics")]
            place.ended(&call, ended);
            #[cfg(feature = "metrics")]
            place.billed(&call, &brought, self.price);
            let _ = ended;
        };
        watch(call, after).await
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        let outcome = self.inner.report(solution, verdict).await;
        #[cfg(feature = "metrics")]
        metrics::Place {
            scope: &self.policy.scope,
            label: None, // a solution does not say who it is for
        }
        .reported(solution.solver(), verdict, &outcome);
        outcome
    }
}

wrapper!(Instrument(S), |instrument, f| {
    let InstrumentPolicy {
        scope,
        by_label,
        max_labels,
    } = &instrument.policy;
    let max_labels = by_label.then_some(*max_labels);
    let call = DebugCall::on(f, &instrument.inner, "instrumented");
    call.value(format_args!("{scope:?}"))
        .with("max_labels", max_labels)
});
