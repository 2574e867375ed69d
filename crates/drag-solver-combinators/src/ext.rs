//! The fluent way to build a chain.

use std::sync::Arc;

use drag_solver_core::{DragSolver, Usd};

use crate::{
    Budget, Budgeted, CircuitBreaker, CircuitBreakerPolicy, ConcurrencyLimit,
    ConcurrencyLimitPolicy, Deadline, DeadlinePolicy, Fallback, Hedge, HedgePolicy, Inspect,
    Inspector, Instrument, InstrumentPolicy, InvalidPolicy, Priced, Quorum, QuorumPolicy,
    RateLimit, RateLimitPolicy, Retry, RetryPolicy, Timeout, TimeoutPolicy, Validate,
    ValidatePolicy,
};

/// Wraps any [`DragSolver`] in combinators. Implemented for all of them; nobody else implements it.
///
/// Written from the inside out: what is called first sits next to the provider.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_combinators::{DragSolverExt, RetryPolicy, ValidatePolicy};
/// # use drag_solver_core::{async_trait, DragChallenge, DragSolver, Solution, SolveError};
/// # #[derive(Debug)]
/// # struct Provider(&'static str);
/// # #[async_trait]
/// # impl DragSolver for Provider {
/// #     fn name(&self) -> &str { self.0 }
/// #     async fn solve(&self, _: &DragChallenge) -> Result<Solution, SolveError> { unimplemented!() }
/// # }
/// # let (first, second) = (Provider("first"), Provider("second"));
///
/// let first = first
///     .validate(ValidatePolicy::default())?
///     .timeout(Duration::from_secs(30))?
///     .retry(RetryPolicy::default())?;
/// let second = second
///     .validate(ValidatePolicy::default())?
///     .timeout(Duration::from_secs(60))?;
/// let chain = first.or(second);
/// assert_eq!(chain.name(), "first|second");
/// # Ok::<(), drag_solver_combinators::InvalidPolicy>(())
/// ```
pub trait DragSolverExt: DragSolver + Sized {
    /// Asks again after errors that may pass. See [`Retry`].
    ///
    /// # Errors
    ///
    /// See [`RetryPolicy::check`].
    fn retry(self, policy: RetryPolicy) -> Result<Retry<Self>, InvalidPolicy> {
        Retry::new(self, policy)
    }

    /// Asks `other` if this one fails. See [`Fallback`].
    fn or(self, other: impl DragSolver + 'static) -> Fallback
    where
        Self: 'static,
    {
        Fallback::of(vec![Arc::new(self), Arc::new(other)])
    }

    /// Asks `other` as well if this one takes long; the first answer wins. Takes a
    /// [`Duration`](std::time::Duration) too. See [`Hedge`].
    ///
    /// # Errors
    ///
    /// See [`HedgePolicy::check`].
    fn hedge(
        self,
        other: impl DragSolver + 'static,
        policy: impl Into<HedgePolicy>,
    ) -> Result<Hedge, InvalidPolicy>
    where
        Self: 'static,
    {
        let solvers: [Arc<dyn DragSolver>; 2] = [Arc::new(self), Arc::new(other)];
        Hedge::new(solvers, policy)
    }

    /// Asks `others` too, and answers what enough of them agree on. See [`Quorum`].
    ///
    /// # Errors
    ///
    /// See [`Quorum::new`].
    fn quorum(
        self,
        others: impl IntoIterator<Item = Arc<dyn DragSolver>>,
        policy: QuorumPolicy,
    ) -> Result<Quorum, InvalidPolicy>
    where
        Self: 'static,
    {
        let first: Arc<dyn DragSolver> = Arc::new(self);
        Quorum::new(std::iter::once(first).chain(others), policy)
    }

    /// Ends an attempt that takes too long. Takes a [`Duration`](std::time::Duration) too. See
    /// [`Timeout`].
    ///
    /// # Errors
    ///
    /// See [`TimeoutPolicy::check`].
    fn timeout(self, policy: impl Into<TimeoutPolicy>) -> Result<Timeout<Self>, InvalidPolicy> {
        Timeout::new(self, policy)
    }

    /// Refuses answers that cannot be right. See [`Validate`].
    ///
    /// # Errors
    ///
    /// See [`ValidatePolicy::check`].
    fn validate(self, policy: ValidatePolicy) -> Result<Validate<Self>, InvalidPolicy> {
        Validate::new(self, policy)
    }

    /// Gives challenges without a deadline one, and keeps it. Takes a
    /// [`Duration`](std::time::Duration) too. See [`Deadline`].
    ///
    /// # Errors
    ///
    /// See [`DeadlinePolicy::check`].
    fn deadline(self, policy: impl Into<DeadlinePolicy>) -> Result<Deadline<Self>, InvalidPolicy> {
        Deadline::new(self, policy)
    }

    /// Lets it spend from `budget`, where an answer costs `price` at the most. See [`Budget`].
    ///
    /// # Errors
    ///
    /// See [`Budgeted::new`].
    fn budget(self, budget: &Budget, price: Usd) -> Result<Budgeted<Self>, InvalidPolicy> {
        Budgeted::new(self, budget, price)
    }

    /// Leaves it alone for a while when it failed too often of late. See [`CircuitBreaker`].
    ///
    /// # Errors
    ///
    /// See [`CircuitBreakerPolicy::check`].
    fn circuit_breaker(
        self,
        policy: CircuitBreakerPolicy,
    ) -> Result<CircuitBreaker<Self>, InvalidPolicy> {
        CircuitBreaker::new(self, policy)
    }

    /// Limits the calls under way at once. See [`ConcurrencyLimit`].
    ///
    /// # Errors
    ///
    /// See [`ConcurrencyLimitPolicy::check`].
    fn concurrency_limit(
        self,
        policy: ConcurrencyLimitPolicy,
    ) -> Result<ConcurrencyLimit<Self>, InvalidPolicy> {
        ConcurrencyLimit::new(self, policy)
    }

    /// Limits the calls in a stretch of time. See [`RateLimit`].
    ///
    /// # Errors
    ///
    /// See [`RateLimitPolicy::check`].
    fn rate_limit(self, policy: RateLimitPolicy) -> Result<RateLimit<Self>, InvalidPolicy> {
        RateLimit::new(self, policy)
    }

    /// Says what one answer costs at the most. See [`Priced`].
    ///
    /// # Errors
    ///
    /// A negative price.
    fn priced(self, price: Usd) -> Result<Priced<Self>, InvalidPolicy> {
        Priced::new(self, price)
    }

    /// Puts every call into a tracing span, and counts and times it (feature `metrics`). Takes a text,
    /// which tells this place in the chain from others. See [`Instrument`]. (It is not called
    /// `instrument`, because `tracing` has a method of that name on everything.)
    ///
    /// # Errors
    ///
    /// See [`InstrumentPolicy::check`].
    fn instrumented(
        self,
        policy: impl Into<InstrumentPolicy>,
    ) -> Result<Instrument<Self>, InvalidPolicy> {
        Instrument::new(self, policy)
    }

    /// Tells `inspector`, which may be a closure, of every call. See [`Inspect`].
    fn inspect<I: Inspector>(self, inspector: I) -> Inspect<Self, I> {
        Inspect::new(self, inspector)
    }

    /// The solver as one whose type is known only at run time, cheap to clone.
    fn shared(self) -> Arc<dyn DragSolver>
    where
        Self: 'static,
    {
        Arc::new(self)
    }
}

impl<S: DragSolver> DragSolverExt for S {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use drag_solver_core::ScreenshotLimits;
    use drag_solver_mock::MockSolver;

    use super::*;
    use crate::BudgetPolicy;

    #[test]
    fn what_wraps_one_solver_has_its_limits() {
        let limits = ScreenshotLimits::none().with_max_side(500);
        let mock = MockSolver::new("mock").with_limits(limits);
        let budget = Budget::new(BudgetPolicy::default().total(Usd::MAX)).unwrap();
        let chain = (mock.clone().priced(Usd::from_micros(900)).unwrap())
            .validate(ValidatePolicy::default())
            .and_then(|chain| chain.timeout(Duration::from_secs(1)))
            .and_then(|chain| chain.budget(&budget, Usd::from_micros(900)))
            .and_then(|chain| chain.retry(RetryPolicy::default()))
            .and_then(|chain| chain.deadline(Duration::from_secs(9)))
            .unwrap();
        assert_eq!(chain.limits(), limits);
        assert_eq!(chain.or(mock).limits(), ScreenshotLimits::none());
    }
}
