//! A full disk.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use drag_solver_core::{Billed, DragSolver as _, ErrorKind};
use drag_solver_store::{
    PurchaseState, SqliteOptions, SqliteStore, Status, Store as _, StoreErrorKind, StoreExt as _,
};

use crate::support::{
    KNOWN, NEW, answering, challenge, folder, interrupted, know_one, path_from_parent, run,
    start_with_mounts,
};

/// Solves until that is refused, and says how often it was not.
async fn solve_until_it_is_full(store: &SqliteStore) -> usize {
    let mock = answering();
    let solver = mock.clone().durable(store);
    for count in 0..5_000 {
        let Err(error) = solver.solve(&challenge(&format!("order {count}"))).await else {
            continue;
        };
        assert_eq!(
            (error.kind(), error.billed()),
            (ErrorKind::NotRecorded, Billed::No)
        );
        assert!(error.message().contains("the disk is full"), "{error}");
        assert_eq!(mock.purchases(), count, "what was refused is not sent");
        assert!(solver.solve(&challenge(KNOWN)).await.is_ok());
        assert_eq!(mock.purchases(), count);
        return count;
    }
    panic!("it is never full");
}

#[tokio::test]
async fn a_full_disk_says_so_and_sends_nothing_until_there_is_room() {
    let (_folder, path) = folder().await;
    let pages = Arc::new(AtomicU32::new(1)); // no more than there are
    let options = SqliteOptions::default().max_pages(Arc::clone(&pages));
    let store = SqliteStore::open_with(&path, options).unwrap();
    solve_until_it_is_full(&store).await;
    pages.store(u32::MAX, Ordering::Relaxed);
    let mock = answering();
    let solver = mock.clone().durable(&store);
    solver.solve(&challenge(NEW)).await.unwrap();
    assert_eq!(mock.purchases(), 1);
}

/// Fills the disk that `beside` is on.
fn fill(beside: &Path) -> PathBuf {
    let path = beside.with_file_name("filler");
    let mut file = std::fs::File::create(&path).unwrap();
    for size in [4_096, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
    path
}

#[test]
fn a_disk_that_is_really_full() {
    let folder = tempfile::tempdir().unwrap();
    let role = "full::on_a_small_disk";
    if let Some(process) = start_with_mounts(role, folder.path()) {
        process.end();
    }
}

#[tokio::test]
#[ignore = "a part of the test before"]
async fn on_a_small_disk() {
    let folder = path_from_parent();
    let mount = [
        "-t",
        "tmpfs",
        "-o",
        "size=512k",
        "tmpfs",
        folder.to_str().unwrap(),
    ];
    assert!(run("mount", &mount));
    let path = folder.join("drags.db");
    know_one(&path).await;
    let store = SqliteStore::open(&path).unwrap();

    // What happens while it is full is written when there is room.
    let beside = path.clone();
    let solver = interrupted(move || {
        fill(&beside);
    });
    solver.durable(&store).solve(&challenge(NEW)).await.unwrap();
    solve_until_it_is_full(&store).await;
    assert_eq!(
        store.flush().await.unwrap_err().kind(),
        StoreErrorKind::Unavailable
    );
    std::fs::remove_file(folder.join("filler")).unwrap();
    store.flush().await.unwrap();
    let record = store.find(NEW).await.unwrap().unwrap();
    assert!(matches!(record.status, Status::Solved { .. }));
    assert_eq!(record.purchases[0].job.as_ref().unwrap().as_str(), "7");
    assert_eq!(record.purchases[0].state, PurchaseState::Settled);
    drop(store);

    // One that is opened while it is full says what it knows, and works when there is room.
    let filler = fill(&path);
    let store = SqliteStore::open(&path).unwrap();
    solve_until_it_is_full(&store).await;
    std::fs::remove_file(filler).unwrap();
    let mock = answering();
    let solver = mock.clone().durable(&store);
    solver.solve(&challenge("later")).await.unwrap();
    assert_eq!(mock.purchases(), 1);
    assert!(store.find("later").await.unwrap().is_some());
    drop((solver, store));

    // A new one cannot be made.
    fill(&path);
    let error = SqliteStore::open(folder.join("second.db")).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("the disk is full"), "{error}");
}
