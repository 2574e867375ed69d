//! What an answer costs, for solvers that do not say so themselves.

use drag_solver_core::{
    DragChallenge, DragSolver, Profile, Solution, SolveError, Usd, WorstCase, async_trait,
    forward_solver,
};

use crate::chain_debug::{DebugCall, wrapper};

/// Says what an answer of a provider costs at most: in the [profile](DragSolver::profile), and in
/// each answer and error of which the provider itself does not say what it cost.
///
/// Goes directly around a provider. It states that one call buys at most one answer, unless the
/// provider itself says how many. A price below zero counts as zero.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_combinators::{DragSolverExt, RetryPolicy};
/// use drag_solver_core::{DragSolver, Usd};
/// # use drag_solver_mock::MockSolver;
/// # let provider = MockSolver::new("example");
///
/// let chain = provider
///     .priced(Usd::from_micros(900))
///     .timeout(Duration::from_secs(30))
///     .retry(RetryPolicy::default().max_attempts(2));
/// let worst = chain.profile().worst_case;
/// assert_eq!(worst.to_string(), "2 answers, 120s, $0.0018");
/// ```
#[derive(Clone)]
pub struct Priced<S> {
    inner: S,
    price: Usd,
}

impl<S: DragSolver> Priced<S> {
    /// One answer of `inner` costs at most `price`.
    pub fn new(inner: S, price: Usd) -> Self {
        let price = price.max(Usd::ZERO);
        Self { inner, price }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for Priced<S> {
    forward_solver!(inner: name, report);

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        with_price(self.inner.solve(challenge).await, self.price)
    }

    fn profile(&self) -> Profile {
        let profile = self.inner.profile();
        profile.map_worst_case(|worst| priced(worst, self.price))
    }
}

/// `outcome` with the price wherever something was, or may have been, billed at an unknown cost.
pub(crate) fn with_price(
    outcome: Result<Solution, SolveError>,
    price: Usd,
) -> Result<Solution, SolveError> {
    match outcome {
        Ok(solution) => Ok(solution.with_price(price)),
        Err(error) => Err(error.with_price(price)),
    }
}

/// `worst` with what is not known about money filled in.
pub(crate) fn priced(mut worst: WorstCase, price: Usd) -> WorstCase {
    let purchases = *worst.purchases.get_or_insert(1);
    worst.with_cost(price * purchases)
}

wrapper!(Priced(S), |priced, f| {
    DebugCall::on(f, &priced.inner, "priced").value(priced.price)
});

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use drag_solver_core::{Billed, ErrorKind, Verdict};
    use drag_solver_mock::MockSolver;

    use super::*;
    use crate::DragSolverExt;
    use crate::tests::{Named, Script, challenge};

    fn price() -> Usd {
        Usd::from_micros(900)
    }

    #[test]
    fn a_price_is_stated_and_printed() {
        let priced = Named("a").priced(price());
        assert_eq!(priced.to_string(), "a.priced($0.0009)");
        let expected = WorstCase::one_purchase().with_cost(price());
        assert_eq!(priced.profile().worst_case, expected);
        let free = Named("a").priced(Usd::from_micros(-1));
        assert_eq!(free.profile().worst_case.cost, Some(Usd::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_the_cost_of_what_was_billed_where_the_provider_names_none() {
        let a = MockSolver::new("a")
            .answers(Duration::ZERO)
            .then(ErrorKind::InvalidAnswer);
        let priced = a.then(ErrorKind::Unsolvable).priced(price());
        let solution = priced.solve(&challenge()).await.unwrap();
        assert_eq!(
            (solution.cost(), solution.spent()),
            (Some(price()), Some(price()))
        );
        let billed = priced.solve(&challenge()).await.unwrap_err();
        assert_eq!(
            (billed.billed(), billed.spent()),
            (Billed::Yes, Some(price()))
        );
        let free = priced.solve(&challenge()).await.unwrap_err();
        assert_eq!(free.spent(), Some(Usd::ZERO));
        let named = MockSolver::new("b")
            .answers(Duration::ZERO)
            .with_cost(Usd::from_micros(7));
        let solution = named.priced(price()).solve(&challenge()).await.unwrap();
        assert_eq!(solution.cost(), Some(Usd::from_micros(7)));
    }

    #[tokio::test]
    async fn everything_else_passes_through() {
        let a = MockSolver::new("a").answers(Duration::ZERO);
        let priced = a.clone().priced(price());
        assert_eq!(priced.name(), "a");
        let solution = priced.solve(&challenge()).await.unwrap();
        priced.report(&solution, Verdict::Correct).await.unwrap();
        assert_eq!(a.heard(), [(solution, Verdict::Correct)]);
    }
}
