//! A file that another process has locked.

use std::sync::{Arc, Mutex};

use drag_solver_core::{Billed, DragSolver as _, ErrorKind};
use drag_solver_store::{
    PurchaseState, SqliteStore, Status, Store as _, StoreErrorKind, StoreExt as _,
};
use rusqlite::Connection;

use crate::support::{KNOWN, NEW, answering, challenge, folder, impatient, interrupted};

fn lock(path: &std::path::Path) -> Connection {
    let db = Connection::open(path).unwrap();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    db
}

async fn says_what_it_knows_and_sends_nothing(store: &SqliteStore) {
    let mock = answering();
    let solver = mock.clone().durable(store);
    solver.solve(&challenge(KNOWN)).await.unwrap();
    let error = solver.solve(&challenge(NEW)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.billed()),
        (ErrorKind::NotRecorded, Billed::No)
    );
    assert!(
        error.message().contains("another process has it locked"),
        "{error}"
    );
    assert_eq!(mock.calls().len(), 0);
}

async fn works(store: &SqliteStore) {
    answering()
        .durable(store)
        .solve(&challenge(NEW))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_locked_file_says_what_it_knows_until_it_can_be_written_again() {
    let (_folder, path) = folder().await;
    let store = SqliteStore::open_with(&path, impatient()).unwrap();
    let other = lock(&path);
    says_what_it_knows_and_sends_nothing(&store).await;
    other.execute_batch("ROLLBACK").unwrap();
    works(&store).await;
}

#[tokio::test]
async fn a_file_that_was_locked_when_it_was_opened_can_be_written_later() {
    let (_folder, path) = folder().await;
    let other = lock(&path);
    let store = SqliteStore::open_with(&path, impatient()).unwrap();
    says_what_it_knows_and_sends_nothing(&store).await;
    other.execute_batch("ROLLBACK").unwrap();
    works(&store).await;
    // What is written from then on is read from then on.
    assert!(store.find(NEW).await.unwrap().is_some());
}

#[tokio::test]
async fn what_happens_while_it_is_locked_is_written_later_and_in_order() {
    let (_folder, path) = folder().await;
    let store = SqliteStore::open_with(&path, impatient()).unwrap();
    let other = Arc::new(Mutex::new(None));
    let (slot, file) = (Arc::clone(&other), path.clone());
    let solver = interrupted(move || *slot.lock().unwrap() = Some(lock(&file)));
    solver.durable(&store).solve(&challenge(NEW)).await.unwrap();

    assert_eq!(
        store.flush().await.unwrap_err().kind(),
        StoreErrorKind::Unavailable
    );
    let before = store.find(NEW).await.unwrap().unwrap();
    assert_eq!(before.unconfirmed().count(), 1, "as far as is on record");

    drop(other.lock().unwrap().take());
    store.flush().await.unwrap();
    let record = store.find(NEW).await.unwrap().unwrap();
    assert!(matches!(record.status, Status::Solved { .. }));
    let [purchase] = &record.purchases[..] else {
        panic!("{record:?}");
    };
    // Had it ended before it was named, it would have no job.
    assert_eq!(purchase.job.as_ref().unwrap().as_str(), "7");
    assert_eq!(
        (purchase.state, purchase.billed),
        (PurchaseState::Settled, Billed::Yes)
    );
}
