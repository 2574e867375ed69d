//! The chains that are compared.

use std::sync::Arc;
use std::time::Duration;

use drag_solver::prelude::*;
use drag_solver::{Budget, BudgetPolicy, CircuitBreakerPolicy, Hedge};

use super::BoxError;
use super::world::Provider;

const ALONE: &str = "provider A alone";
/// What the others are measured by.
pub(crate) const BASELINE: &str = "A with retry";
const FALLBACK: &str = "A with retry, then B";
const HEDGE: &str = "A hedged by B";
pub(crate) const FULL: &str = "the full chain";

pub(super) const NAMES: [&str; 5] = [ALONE, BASELINE, FALLBACK, HEDGE, FULL];

const ATTEMPT: Duration = Duration::from_secs(60);
/// Four polls of A: an answer that comes with the fourth is in time.
const PATIENCE: Duration = Duration::from_secs(8);

/// The chain called `name`, over `providers`.
pub(super) fn chain(
    name: &str,
    providers: &[Provider; 2],
) -> Result<Arc<dyn DragSolver>, BoxError> {
    let [a, b] = providers.clone();
    let checked = ValidatePolicy::default();
    Ok(match name {
        ALONE => a.validate(checked).into_arc(),
        BASELINE => baseline(a),
        FALLBACK => baseline(a)
            .or(b.validate(checked).timeout(ATTEMPT))
            .into_arc(),
        HEDGE => a
            .validate(checked)
            .hedge(b.validate(checked), PATIENCE)
            .into_arc(),
        FULL => full(a, b),
        _ => return Err(format!("there is no chain `{name}`").into()),
    })
}

/// Three attempts of a minute each. In this world a job that has no answer after a minute will never
/// have one, so another is bought: to wait on, as is the default, would make the baseline worse.
fn baseline(a: Provider) -> Arc<dyn DragSolver> {
    a.validate(ValidatePolicy::default())
        .timeout(ATTEMPT)
        .retry(RetryPolicy::default().resume_paid_jobs(false))
        .with_seed(1)
        .into_arc()
}

/// A, and if it has no answer after a while, A again: that one job stalls says nothing of the next,
/// and A's answers take 3 s where B's take 9. Then B.
fn full(a: Provider, b: Provider) -> Arc<dyn DragSolver> {
    let budget = Budget::new(BudgetPolicy::default().per_period(Usd::from_micros(100_000_000)));
    let (a, b) = (guarded(a, &budget, 1), guarded(b, &budget, 2));
    Hedge::new([Arc::clone(&a), a, b], PATIENCE)
        .deadline(super::DEADLINE)
        .into_arc()
}

/// Everything that belongs around one provider.
fn guarded(provider: Provider, budget: &Budget, seed: u64) -> Arc<dyn DragSolver> {
    let price = provider.price();
    provider
        .validate(ValidatePolicy::default())
        .timeout(ATTEMPT)
        .budget(budget, price)
        .circuit_breaker(CircuitBreakerPolicy::default())
        .retry(RetryPolicy::default().max_attempts(2))
        .with_seed(seed)
        .into_arc()
}
