//! What both wrappers have in common: they keep the contract of solvers, and print as the code that makes them.

use std::time::Duration;

use drag_solver_core::{DragSolver, Usd};
use drag_solver_mock::{MockSolver, Outcome, contract, fixtures};
use jiff::Timestamp;

use crate::{
    Clock, Durable, SqliteStore, Store as _, StoreExt as _, StoredBudget, StoredBudgetPolicy,
    StoredBudgeted,
};

fn store() -> SqliteStore {
    SqliteStore::in_memory(Clock::tokio(Timestamp::UNIX_EPOCH)).unwrap()
}

fn mock() -> MockSolver {
    let answer = Outcome::answer(fixtures::drag()).after(Duration::from_secs(3));
    MockSolver::new("mock").always(answer)
}

fn durable(store: &SqliteStore) -> Durable<MockSolver> {
    mock().durable(store)
}

fn budgeted(store: &SqliteStore) -> StoredBudgeted<MockSolver> {
    let policy = StoredBudgetPolicy::default().total("100".parse().unwrap());
    let budget = StoredBudget::new(store, "all", policy);
    mock().stored_budget(budget, "0.0009".parse().unwrap())
}

async fn check_contract(solver: &impl DragSolver) {
    let subject = contract::SolverUnderTest::new(solver, fixtures::challenge())
        .expecting(fixtures::drag(), 1.0)
        .on_paused_clock()
        // Of 1,000 at once, each dropped at each of its awaits, SQLite in a debug build takes 20 s.
        .with_calls_at_once(50)
        .without(
            contract::Check::ErrorsAreSensible,
            "it solves every picture",
        );
    let report = contract::run(&subject).await;
    assert!(report.passed(), "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_durable_solver_keeps_the_contract() {
    check_contract(&durable(&store())).await;
}

#[tokio::test(start_paused = true)]
async fn a_budgeted_solver_keeps_the_contract_and_sets_nothing_aside_for_good() {
    let store = store();
    check_contract(&budgeted(&store)).await;
    assert_eq!(store.budget("all", &[]).await.unwrap().reserved, Usd::ZERO);
}

#[tokio::test(start_paused = true)]
async fn they_print_as_the_code_that_makes_them() {
    let store = store();
    let printed = format!("{:?}", durable(&store));
    assert!(
        printed.ends_with(".durable(SqliteStore(in memory))"),
        "{printed}"
    );
    let printed = format!("{:#}", budgeted(&store));
    let expected = "\n    .stored_budget(\"all\", price: $0.0009)";
    assert!(printed.ends_with(expected), "{printed}");
}
