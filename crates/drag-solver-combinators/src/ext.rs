//! The fluent way to build a chain.

use std::sync::Arc;

use drag_solver_core::{DragSolver, Usd};

use crate::{
    Budget, Budgeted, Circuit, CircuitBreaker, ConcurrencyLimit, Deadline, DeadlinePolicy,
    Fallback, Hedge, HedgePolicy, Inspect, Inspector, Instrument, InstrumentPolicy, Permits,
    Priced, Quorum, QuorumPolicy, RateLimit, RateLimiter, Retry, RetryPolicy, Timeout,
    TimeoutPolicy, Validate, ValidatePolicy,
};

/// Wraps any [`DragSolver`] in combinators. Implemented for all of them; no other crate implements it.
///
/// Written from the inside out: what is called first sits next to the provider. None of them can
/// fail: each policy documents what its less sensible values do.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_combinators::{DragSolverExt, RetryPolicy, ValidatePolicy};
/// use drag_solver_core::DragSolver;
/// # use drag_solver_mock::MockSolver;
/// # let (first, second) = (MockSolver::new("first"), MockSolver::new("second"));
///
/// let first = first
///     .validate(ValidatePolicy::default())
///     .timeout(Duration::from_secs(30))
///     .retry(RetryPolicy::default());
/// let second = second
///     .validate(ValidatePolicy::default())
///     .timeout(Duration::from_secs(60));
/// let chain = first.or(second);
/// assert_eq!(chain.name(), "first|second");
/// ```
pub trait DragSolverExt: DragSolver + Sized {
    /// Asks again after errors that may pass. See [`Retry`].
    fn retry(self, policy: RetryPolicy) -> Retry<Self> {
        Retry::new(self, policy)
    }

    /// Asks `other` if this one fails. See [`Fallback`].
    fn or(self, other: impl DragSolver) -> Fallback {
        Fallback::new([self.into_arc(), other.into_arc()])
    }

    /// Asks `other` as well if this one takes long; the first answer wins. Takes a
    /// [`Duration`](std::time::Duration) too. See [`Hedge`].
    fn hedge(self, other: impl DragSolver, policy: impl Into<HedgePolicy>) -> Hedge {
        Hedge::new([self.into_arc(), other.into_arc()], policy)
    }

    /// Asks `others` too, and answers what enough of them agree on. See [`Quorum`].
    fn quorum(
        self,
        others: impl IntoIterator<Item = Arc<dyn DragSolver>>,
        policy: QuorumPolicy,
    ) -> Quorum {
        Quorum::new(std::iter::once(self.into_arc()).chain(others), policy)
    }

    /// Ends an attempt that takes too long. Takes a [`Duration`](std::time::Duration) too. See
    /// [`Timeout`].
    fn timeout(self, policy: impl Into<TimeoutPolicy>) -> Timeout<Self> {
        Timeout::new(self, policy)
    }

    /// Refuses answers that cannot be right. See [`Validate`].
    fn validate(self, policy: ValidatePolicy) -> Validate<Self> {
        Validate::new(self, policy)
    }

    /// Gives challenges without a deadline one, and keeps it. Takes a
    /// [`Duration`](std::time::Duration) too. See [`Deadline`].
    fn deadline(self, policy: impl Into<DeadlinePolicy>) -> Deadline<Self> {
        Deadline::new(self, policy)
    }

    /// Lets it spend from a budget, where an answer costs at most `price`. Takes a
    /// [`BudgetPolicy`](crate::BudgetPolicy), or a `&`[`Budget`] that others spend from, too. See
    /// [`Budget`].
    fn budget(self, budget: impl Into<Budget>, price: Usd) -> Budgeted<Self> {
        Budgeted::new(self, budget, price)
    }

    /// Leaves it alone for a while when it failed too often recently. Takes a
    /// [`CircuitBreakerPolicy`](crate::CircuitBreakerPolicy), or a `&`[`Circuit`] that others are
    /// behind, too. See [`CircuitBreaker`].
    fn circuit_breaker(self, circuit: impl Into<Circuit>) -> CircuitBreaker<Self> {
        CircuitBreaker::new(self, circuit)
    }

    /// Limits the calls under way at once. Takes a
    /// [`ConcurrencyLimitPolicy`](crate::ConcurrencyLimitPolicy), or `&`[`Permits`] that others ask
    /// for, too. See [`ConcurrencyLimit`].
    fn concurrency_limit(self, permits: impl Into<Permits>) -> ConcurrencyLimit<Self> {
        ConcurrencyLimit::new(self, permits)
    }

    /// Limits the calls in a stretch of time. Takes a [`RateLimitPolicy`](crate::RateLimitPolicy),
    /// or a `&`[`RateLimiter`] that others are limited by, too. See [`RateLimit`].
    fn rate_limit(self, limiter: impl Into<RateLimiter>) -> RateLimit<Self> {
        RateLimit::new(self, limiter)
    }

    /// Says what one answer costs at most. See [`Priced`].
    fn priced(self, price: Usd) -> Priced<Self> {
        Priced::new(self, price)
    }

    /// Puts every call into a tracing span, and counts and times it (feature `metrics`). Takes a text,
    /// which tells this place in the chain from others. See [`Instrument`]. (It is not called
    /// `instrument`, because `tracing` has a method of that name on everything.)
    fn instrumented(self, policy: impl Into<InstrumentPolicy>) -> Instrument<Self> {
        Instrument::new(self, policy)
    }

    /// Shows every call to `inspector`, which may be a closure. See [`Inspect`].
    fn inspect<I: Inspector>(self, inspector: I) -> Inspect<Self, I> {
        Inspect::new(self, inspector)
    }

    /// The solver as one whose type is known only at run time, cheap to clone.
    fn into_arc(self) -> Arc<dyn DragSolver> {
        Arc::new(self)
    }
}

impl<S: DragSolver> DragSolverExt for S {}
