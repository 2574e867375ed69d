//! The chains that are compared.

use std::sync::Arc;
use std::time::Duration;

use drag_solver::prelude::*;
use drag_solver::{Budget, BudgetPolicy, CircuitBreakerPolicy, Hedge, OrderPolicy};

use super::BoxError;
use super::world::Provider;

const ALONE: &str = "provider A alone";
/// What the others are measured by.
pub(crate) const BASELINE: &str = "A with retry";
const FALLBACK: &str = "A with retry, then B";
const HEDGE: &str = "A hedged by B";
pub(crate) const FULL: &str = "the full chain";
pub(crate) const ROUTED: &str = "routed by price and speed";

pub(super) const NAMES: [&str; 6] = [ALONE, BASELINE, FALLBACK, HEDGE, FULL, ROUTED];

const ATTEMPT: Duration = Duration::from_secs(60);
/// Four polls of A: an answer that comes with the fourth is in time.
const PATIENCE: Duration = Duration::from_secs(8);
/// Five polls of A: with the fifth come two of three answers that did not come with the fourth, and are not paid twice.
const LONGER: Duration = Duration::from_secs(10);
/// Three polls, for A's second job.
const SHORTER: Duration = Duration::from_secs(6);
/// Four polls of B, and the instant at which the fourth is made.
const OF_B: Duration = Duration::from_millis(20_100);

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
        ROUTED => routed(a, b),
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
    let budget = budget();
    let (a, b) = (guarded(a, &budget, 1), guarded(b, &budget, 2));
    Hedge::new([Arc::clone(&a), a, b], PATIENCE)
        .deadline(super::DEADLINE)
        .into_arc()
}

fn budget() -> Budget {
    Budget::new(BudgetPolicy::default().per_period(Usd::from_micros(100_000_000)))
}

/// A or B, each hedged by itself, in the order of what a right answer of them came to in time and money. Nothing is
/// retried: a hedge asks the next at once after an error.
fn routed(a: Provider, b: Provider) -> Arc<dyn DragSolver> {
    let budget = budget();
    let charged = |provider: Provider| {
        let price = provider.price();
        let checked = provider.validate(ValidatePolicy::default());
        checked.timeout(ATTEMPT).budget(&budget, price).into_arc()
    };
    let (a, b) = (charged(a), charged(b));
    // A second answer is paid for, so the first has longer; one that is late already must not be so again.
    let again = Arc::clone(&a).hedge(Arc::clone(&a), SHORTER);
    let a = a.hedge(again, LONGER).timeout(ATTEMPT);
    let b = Arc::clone(&b).hedge(b, OF_B);
    // A second is worth what a fiftieth of A's answer costs; and B is asked in outages alone, so what it did in the last
    // one must still be known, or it is explored for nothing.
    let policy = OrderPolicy::default()
        .second_worth(Usd::from_micros(20))
        .window(Duration::from_secs(3_600));
    a.or(b)
        .ordered(policy)
        .with_seed(1)
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
