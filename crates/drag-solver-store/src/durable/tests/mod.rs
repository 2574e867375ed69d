mod accepted;
mod answers;
mod costs;
mod purchases;
mod unwritable;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};

use drag_solver_combinators::{Budget, BudgetPolicy, DragSolverExt as _, RetryPolicy};
use drag_solver_core::{JobId, Observer, PaidJob, Rect, Usd, solver_fn};
use drag_solver_mock::{MockSolver, Outcome, fixtures};

use super::*;
use crate::failing_store::Failing;
use crate::{
    Accepted, Clock, KeyLimits, PurchaseRecord, PurchaseState, Query, SqliteStore, StatusKind,
    Store as _, StoreExt as _, StoredBudget, StoredBudgetPolicy,
};
use jiff::Timestamp;

fn store() -> SqliteStore {
    SqliteStore::in_memory(Clock::tokio(Timestamp::UNIX_EPOCH)).unwrap()
}

fn order() -> DragChallenge {
    fixtures::challenge().with_id("order")
}

async fn on_record(store: &SqliteStore) -> ChallengeRecord {
    let found = store.find_with_picture("order").await;
    found.unwrap().unwrap()
}

fn answers_after(seconds: u64) -> Outcome {
    Outcome::answer(fixtures::drag()).after(Duration::from_secs(seconds))
}

async fn dropped(solver: &impl DragSolver, challenge: &DragChallenge) {
    let second = Duration::from_secs(1);
    let ended = tokio::time::timeout(second, solver.solve(challenge)).await;
    assert!(ended.is_err());
}

/// What is on record while a call that says this is under way: what a crash would leave.
async fn while_under_way<const N: usize>(events: [Event<'static>; N]) -> Vec<PurchaseRecord> {
    let store = store();
    let speaks = solver_fn("a", move |challenge: DragChallenge| async move {
        for event in events {
            challenge.notify(event).await?;
        }
        std::future::pending().await
    });
    let (solver, order) = (speaks.durable(&store), order());
    let mut call = Box::pin(solver.solve(&order));
    let second = Duration::from_secs(1);
    assert!(tokio::time::timeout(second, &mut call).await.is_err());
    on_record(&store).await.purchases
}

static SEVEN: LazyLock<JobId> = LazyLock::new(|| JobId::from(7));
