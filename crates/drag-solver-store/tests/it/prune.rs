//! What is forgotten takes no room.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use drag_solver_core::DragSolver as _;
use drag_solver_store::{
    Clock, Query, Retention, SqliteOptions, SqliteStore, Store as _, StoreExt as _, jiff::Timestamp,
};

use crate::support::{KNOWN, answering, challenge};

const DAY: i64 = 24 * 3_600;

#[tokio::test]
async fn a_pruned_file_is_small_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("drags.db");
    let seconds = Arc::new(AtomicI64::new(1_790_000_000));
    let hands = Arc::clone(&seconds);
    let now = move || Timestamp::from_second(hands.load(Ordering::SeqCst)).unwrap();
    let options = SqliteOptions::default().clock(Clock::from_fn(now));
    let store = SqliteStore::open_with(&path, options.retention(None)).unwrap();
    let size = || std::fs::metadata(&path).unwrap().len();
    let pruned = store.prune(&Retention::default()).await.unwrap();
    assert_eq!((pruned.challenges, pruned.money, pruned.bytes), (0, 0, 0));
    let empty = size();

    let solver = answering().durable(&store);
    let words = "drag it ".repeat(500);
    for index in 0..100 {
        let long = challenge(&format!("order {index}")).with_instruction(&*words);
        solver.solve(&long).await.unwrap();
    }
    seconds.fetch_add(31 * DAY, Ordering::SeqCst);
    solver.solve(&challenge(KNOWN)).await.unwrap();
    let pruned = store.prune(&Retention::default()).await.unwrap();
    assert_eq!((pruned.challenges, pruned.money), (100, 0));
    assert!(pruned.bytes > 400_000, "{pruned:?}");
    let left = store.list(&Query::default()).await.unwrap();
    assert_eq!(left.len(), 1, "{left:?}");
    // What was bought is kept for longer, and takes some hundred bytes each.
    let most = empty + 30_000;
    assert!(size() < most, "{} bytes, and {most} are enough", size());

    seconds.fetch_add(401 * DAY, Ordering::SeqCst);
    let pruned = store.prune(&Retention::default()).await.unwrap();
    assert_eq!((pruned.challenges, pruned.money), (1, 101));
    assert_eq!(size(), empty, "nothing is left");
}

#[tokio::test]
async fn a_store_forgets_by_itself_when_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("drags.db");
    let at = |second: i64| {
        let now = move || Timestamp::from_second(second).unwrap();
        let options = SqliteOptions::default().clock(Clock::from_fn(now));
        SqliteStore::open_with(&path, options).unwrap()
    };
    let store = at(1_790_000_000);
    let solver = answering().durable(&store);
    let long = challenge(KNOWN).with_instruction("drag it ".repeat(50_000));
    solver.solve(&long).await.unwrap();
    drop((solver, store));
    let size = || std::fs::metadata(&path).unwrap().len();
    assert!(size() > 400_000, "{}", size());
    let store = at(1_790_000_000 + 31 * DAY);
    store.flush().await.unwrap();
    assert!(store.find(KNOWN).await.unwrap().is_none());
    assert!(size() < 120_000, "{}", size());
}
