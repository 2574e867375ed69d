mod costs;
mod dropped;
mod limits;
mod silent;
mod told;

use std::time::Duration;

use drag_solver_combinators::{DragSolverExt as _, RetryPolicy};
use drag_solver_core::{Billed, CheckSettings as _, Event, JobId, Observer, PaidJob, solver_fn};
use drag_solver_mock::{MockSolver, Outcome, fixtures};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::*;
use crate::failing_store::Failing;
use crate::{Charge, Clock, SqliteStore, Store as _, StoreExt as _};

fn usd(text: &str) -> Usd {
    text.parse().unwrap()
}

fn price() -> Usd {
    usd("0.0009")
}

fn store() -> SqliteStore {
    let start: Timestamp = "2026-11-26T20:00:00Z".parse().unwrap();
    SqliteStore::in_memory(Clock::tokio(start)).unwrap()
}

fn budget(store: &SqliteStore, total: &str) -> StoredBudget {
    StoredBudget::new(
        store,
        "all",
        StoredBudgetPolicy::default().total(usd(total)),
    )
}

fn answering(seconds: u64) -> MockSolver {
    let after = Duration::from_secs(seconds);
    MockSolver::new("a").always(Outcome::answer(fixtures::drag()).after(after))
}

#[tokio::test(start_paused = true)]
async fn settings_are_checked_and_go_both_ways() {
    let read = serde_json::from_str::<StoredBudgetPolicy>;
    let policy = read(r#"{"per_day": "5", "time_zone": "Europe/Berlin"}"#).unwrap();
    let written = serde_json::to_string(&policy).unwrap();
    assert_eq!(read(&written).unwrap(), policy);
    assert!(policy.check().is_ok());
    let error = read(r#"{"time_zone": "Moon/Crater"}"#)
        .unwrap_err()
        .to_string();
    assert!(error.contains("Asia/Ho_Chi_Minh"), "{error}");
    for (wrong, path) in [
        (StoredBudgetPolicy::default(), "total"),
        (StoredBudgetPolicy::default().per_day(Usd::ZERO), "per_day"),
        (
            StoredBudgetPolicy::default()
                .total(price())
                .period(Duration::ZERO),
            "period",
        ),
    ] {
        assert_eq!(wrong.check().unwrap_err().path(), path);
    }
}
