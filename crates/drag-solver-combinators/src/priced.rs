//! What an answer costs, for solvers that do not say so themselves.

use std::fmt;

use drag_solver_core::{
    DragChallenge, DragSolver, ScreenshotLimits, Solution, SolveError, Usd, Verdict, WorstCase,
    async_trait,
};

use crate::InvalidPolicy;
use crate::describe::{Call, display_like_debug};

/// Says what one call of a provider may cost at the most, so that
/// [`worst_case`](DragSolver::worst_case) knows.
///
/// Goes directly around a provider. It states that one call buys one answer at the most, unless the
/// provider itself says how many, and changes nothing else.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_combinators::{DragSolverExt, RetryPolicy};
/// # use drag_solver_core::DragSolver;
/// # use drag_solver_mock::MockSolver;
/// # let provider = MockSolver::new("example");
///
/// let chain = provider
///     .priced("0.0009".parse()?)?
///     .timeout(Duration::from_secs(30))?
///     .retry(RetryPolicy::default().max_attempts(2))?;
/// let worst = chain.worst_case();
/// assert_eq!(worst.to_string(), "2 attempts, 120s, $0.0018");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Priced<S> {
    inner: S,
    price: Usd,
}

impl<S: DragSolver> Priced<S> {
    /// One answer of `inner` costs `price` at the most.
    ///
    /// # Errors
    ///
    /// A negative price.
    pub fn new(inner: S, price: Usd) -> Result<Self, InvalidPolicy> {
        if price.is_negative() {
            let problem = format!("must not be negative, and {price} is");
            return Err(InvalidPolicy::new("priced", "price", problem));
        }
        Ok(Self { inner, price })
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for Priced<S> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        self.inner.solve(challenge).await
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        self.inner.report(solution, verdict).await
    }

    fn worst_case(&self) -> WorstCase {
        priced(self.inner.worst_case(), self.price)
    }

    fn limits(&self) -> ScreenshotLimits {
        self.inner.limits()
    }
}

/// `worst` with what is not known about money filled in.
pub(crate) fn priced(worst: WorstCase, price: Usd) -> WorstCase {
    let attempts = worst.attempts.unwrap_or(1);
    let mut known = worst;
    known.attempts = Some(attempts);
    known.with_cost(price * attempts)
}

impl<S: DragSolver> fmt::Debug for Priced<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Call::on(f, &self.inner, "priced")
            .value(format_args!("${}", self.price))
            .finish()
    }
}

display_like_debug!(Priced);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use drag_solver_mock::MockSolver;

    use super::*;
    use crate::DragSolverExt;
    use crate::testing::{Named, Script, challenge};

    #[test]
    fn a_price_is_stated_and_printed() {
        let priced = Named("a").priced(Usd::from_micros(900)).unwrap();
        assert_eq!(priced.to_string(), "a.priced($0.0009)");
        let expected = WorstCase::one_attempt().with_cost(Usd::from_micros(900));
        assert_eq!(priced.worst_case(), expected);
        let refused = Named("a").priced(Usd::from_micros(-1)).unwrap_err();
        assert_eq!(refused.setting(), "price");
    }

    #[tokio::test]
    async fn everything_else_passes_through() {
        let a = MockSolver::new("a").answers(Duration::ZERO);
        let priced = a.clone().priced(Usd::from_micros(900)).unwrap();
        assert_eq!(priced.name(), "a");
        let solution = priced.solve(&challenge()).await.unwrap();
        assert_eq!(solution.cost(), None, "the provider did not say");
        priced.report(&solution, Verdict::Correct).await.unwrap();
        assert_eq!(a.heard(), [(solution, Verdict::Correct)]);
    }
}
