//! A file that can be read and not written.

use drag_solver_core::{Billed, DragSolver as _, ErrorKind};
use drag_solver_store::{SqliteStore, Store as _, StoreErrorKind, StoreExt as _};

use crate::support::{
    KNOWN, NEW, answering, challenge, know_one, path_from_parent, run, start_with_mounts,
};

#[test]
fn a_read_only_file_says_what_it_knows_until_it_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let role = "read_only::on_a_read_only_disk";
    if let Some(process) = start_with_mounts(role, folder.path()) {
        process.end();
    }
}

/// Permissions mean nothing to root, who may run the tests; a read-only disk does.
#[tokio::test]
#[ignore = "a part of the test before"]
async fn on_a_read_only_disk() {
    let folder = path_from_parent();
    let mount_point = folder.to_str().unwrap();
    assert!(run("mount", &["-t", "tmpfs", "tmpfs", mount_point]));
    let path = folder.join("50%20off? #1.db");
    know_one(&path).await;
    assert!(run("mount", &["-o", "remount,ro", mount_point]));

    let store = SqliteStore::open(&path).unwrap();
    let mock = answering();
    let solver = mock.clone().durable(&store);
    solver.solve(&challenge(KNOWN)).await.unwrap();
    let error = solver.solve(&challenge(NEW)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.billed()),
        (ErrorKind::NotRecorded, Billed::No)
    );
    assert!(error.message().contains("cannot be written"), "{error}");
    assert_eq!(
        store.flush().await.unwrap_err().kind(),
        StoreErrorKind::ReadOnly
    );
    assert_eq!(mock.calls().len(), 0);

    assert!(run("mount", &["-o", "remount,rw", mount_point]));
    solver.solve(&challenge(NEW)).await.unwrap();
    assert_eq!(mock.purchases(), 1);
    assert!(store.find(NEW).await.unwrap().is_some());
    drop((mock, solver, store)); // the mock keeps its challenges, and they their store

    // One that does not exist cannot be made.
    assert!(run("mount", &["-o", "remount,ro", mount_point]));
    let error = SqliteStore::open(folder.join("second.db")).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("may it be written?"), "{error}");
}
