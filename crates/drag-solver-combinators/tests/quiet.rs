//! A call that is refused on this side is nothing to warn of: under load there are thousands.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use drag_solver_combinators::{
    Budget, BudgetPolicy, ConcurrencyLimitPolicy, DragSolverExt, RateLimitPolicy, RetryPolicy,
};
use drag_solver_core::{DragSolver, Usd};
use drag_solver_mock::{MockSolver, fixtures};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Counts what is written at `WARN` and above.
#[derive(Clone, Default)]
struct Warnings(Arc<AtomicUsize>);

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test(start_paused = true)]
async fn a_refused_call_writes_no_warning() {
    let warnings = Warnings::default();
    let _guard = tracing::subscriber::set_default(warnings.clone());
    let nothing = Duration::ZERO;
    let price = Usd::from_micros(900);
    let answers = |name: &'static str| MockSolver::new(name).always(fixtures::drag());
    let budget = Budget::new(BudgetPolicy::default().total(Usd::ZERO));
    let poor = answers("a").budget(&budget, price);
    let slow = answers("b").rate_limit(
        RateLimitPolicy::default()
            .max_calls(1)
            .burst(1)
            .max_wait(nothing),
    );
    let full = answers("c").concurrency_limit(ConcurrencyLimitPolicy::default().max_wait(nothing));
    slow.solve(&fixtures::challenge()).await.unwrap(); // the only slot for now

    let chain = poor.retry(RetryPolicy::default()).or(slow).or(full);
    let expired = fixtures::challenge().within(nothing);
    for challenge in [fixtures::challenge(), expired] {
        for _ in 0..3 {
            let _ = chain.solve(&challenge).await;
        }
    }
    assert_eq!(warnings.0.load(Ordering::Relaxed), 0);

    // And the count counts: this one is worth a warning.
    let mistaken = MockSolver::new("d")
        .always(fixtures::drag())
        .with_cost(price * 2);
    let dear = Budget::new(BudgetPolicy::default());
    mistaken
        .budget(&dear, price)
        .solve(&fixtures::challenge())
        .await
        .unwrap();
    assert_eq!(warnings.0.load(Ordering::Relaxed), 1);
}
