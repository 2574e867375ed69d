//! Many calls that read at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use drag_solver_store::{SqliteStore, Store as _};

#[test]
fn however_many_read_few_threads_wait() {
    let threads = Arc::new(AtomicUsize::new(0));
    let started = Arc::clone(&threads);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .on_thread_start(move || {
            started.fetch_add(1, Ordering::Relaxed);
        })
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("drags.db")).unwrap();
    runtime.block_on(async {
        let reads = (0..200).map(|_| store.find("nobody's"));
        for found in futures_util::future::join_all(reads).await {
            assert!(found.unwrap().is_none());
        }
    });
    drop(runtime); // each thread has ended, and so was counted
    let threads = threads.load(Ordering::Relaxed);
    assert!(threads <= 20, "{threads} threads"); // two, and those that are about to be idle
}
