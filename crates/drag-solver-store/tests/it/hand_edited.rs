//! Files in which somebody has written what no store writes.

use std::time::Duration;

use drag_solver_core::DragSolver as _;
use drag_solver_store::jiff::{Timestamp, Unit};
use drag_solver_store::{
    CallRecord, Fact, SqliteOptions, SqliteStore, Store as _, StoreErrorKind, StoreExt as _,
};
use rusqlite::Connection;

use crate::damage::use_everything;
use crate::support::{KNOWN, answering, challenge, folder};

/// What is edited, and whether something cannot be answered after that.
const EDITS: &[(&str, bool)] = &[
    ("UPDATE challenges SET outcome = 'garbage'", true),
    ("UPDATE challenges SET outcome = NULL", true),
    ("UPDATE challenges SET digest = x'00'", true),
    ("UPDATE challenges SET created = 9223372036854775807", true),
    ("UPDATE challenges SET updated = -9223372036854775808", true),
    ("UPDATE challenges SET deadline = 9223372036854775807", true),
    ("UPDATE challenges SET status = 77", true),
    ("UPDATE challenges SET status = 0, owner = 5, claim = 6", false),
    ("UPDATE challenges SET status = 0, region = '{}'", true),
    (
        "UPDATE challenges SET status = 0, region = '{\"x\": 1e308, \"y\": 0, \"width\": 1e308, \"height\": 1}'",
        false,
    ),
    (
        "UPDATE challenges SET status = 0, region = '{\"x\": 1e308, \"y\": 0, \"width\": 1e308, \"height\": 1}';
         UPDATE purchases SET state = 1",
        true,
    ),
    ("UPDATE purchases SET state = 9", true),
    ("UPDATE purchases SET billed = 9", true),
    ("UPDATE purchases SET job = ''", true),
    ("UPDATE purchases SET frame = '[]'", true),
    ("UPDATE purchases SET begun = -9223372036854775808", true),
    ("UPDATE purchases SET cost = -9223372036854775808", false),
    (
        "UPDATE purchases SET cost = 9223372036854775807;
         INSERT INTO purchases (key, solver, state, billed, cost, begun)
             SELECT 1, solver, 2, 2, cost, begun FROM purchases",
        false,
    ),
    ("INSERT INTO budgets VALUES ('all', 9223372036854775807)", true),
    ("INSERT INTO budgets VALUES ('all', -9223372036854775808)", false),
    (
        "INSERT INTO charges SELECT key, 'all', begun + 3600000, 9223372036854775807, 'a', NULL, 1 FROM purchases;
         INSERT INTO charges SELECT 1, budget, at, amount, solver, job, open FROM charges",
        false,
    ),
    ("INSERT INTO reservations SELECT 1, 'all', key, 9223372036854775807 FROM owners", true),
    ("INSERT INTO reservations SELECT 1, 'all', key, -9223372036854775808 FROM owners", false),
    ("INSERT INTO owners VALUES (77, 9223372036854775807)", false),
    ("DELETE FROM pictures; DELETE FROM purchases", false),
    ("DROP TABLE charges", true),
    ("DROP TABLE purchases", true),
];

#[tokio::test]
async fn no_edit_makes_it_panic_or_buy_what_it_cannot_record() {
    let (_folder, path) = folder().await;
    let whole = std::fs::read(&path).unwrap();
    for (edit, fails) in EDITS {
        std::fs::write(&path, &whole).unwrap();
        let options = SqliteOptions::default().retention(None);
        let store = SqliteStore::open_with(&path, options).unwrap();
        let db = Connection::open(&path).unwrap();
        db.execute_batch(edit)
            .unwrap_or_else(|error| panic!("{edit}: {error}"));
        drop(db);
        let failed = use_everything(&store).await;
        assert_eq!(!failed.is_empty(), *fails, "{edit}: {failed:#?}");
    }
}

#[tokio::test]
async fn one_unreadable_row_hides_no_other() {
    let (_folder, path) = folder().await;
    let store = SqliteStore::open(&path).unwrap();
    let solver = answering().durable(&store);
    solver.solve(&challenge("other")).await.unwrap();
    let db = Connection::open(&path).unwrap();
    let edit = "UPDATE challenges SET outcome = 'garbage' WHERE id = 'other'";
    assert_eq!(db.execute(edit, []).unwrap(), 1);
    let error = store.find("other").await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert!(error.to_string().contains("no store writes"), "{error}");
    assert!(store.find(KNOWN).await.unwrap().is_some());
    solver.solve(&challenge(KNOWN)).await.unwrap();
}

#[tokio::test]
async fn one_unreadable_call_hides_no_other() {
    let (_folder, path) = folder().await;
    let store = SqliteStore::open(&path).unwrap();
    let call = |key| CallRecord {
        key,
        solver: "timed".to_owned(),
        ended: store.now().round(Unit::Second).unwrap(),
        took: Duration::from_secs(1),
        good: true,
        spent: None,
        job: None,
    };
    for key in 1..=3 {
        store.record(Fact::Called(call(key))).await.unwrap();
    }
    let last = async || store.calls("timed", Timestamp::MIN, 9).await;
    assert_eq!(last().await.unwrap().len(), 3);
    let db = Connection::open(&path).unwrap();
    let edit = "UPDATE calls SET job = '' WHERE key = 2";
    assert_eq!(db.execute(edit, []).unwrap(), 1);
    assert_eq!(last().await.unwrap(), [call(1), call(3)]);
    // What is wrong with the whole file is told.
    db.execute_batch("DROP TABLE calls").unwrap();
    last().await.unwrap_err();
}
