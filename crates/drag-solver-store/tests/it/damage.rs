//! Files that are no stores, of another time, or damaged.

use std::path::Path;

use drag_solver_core::{DragSolver as _, ErrorKind};
use drag_solver_store::{
    Query, Retention, SpendingBy, SpendingQuery, SqliteStore, Store as _, StoreErrorKind,
    StoreExt as _, jiff::tz::TimeZone,
};
use rusqlite::Connection;

use crate::support::{KNOWN, NEW, answering, challenge, folder};

/// What opening says of a file, which it leaves as it was.
fn refused(path: &Path) -> (StoreErrorKind, String) {
    let before = std::fs::read(path).ok();
    let error = SqliteStore::open(path)
        .expect_err(&format!("{} bytes", before.as_ref().map_or(0, Vec::len)));
    assert_eq!(std::fs::read(path).ok(), before, "it is left as it was");
    let said = error.to_string();
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(said.contains(name), "{said}");
    (error.kind(), said)
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_and_says_which_versions_are_known() {
    let (_folder, path) = folder().await;
    let db = Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    db.close().unwrap();
    let (kind, said) = refused(&path);
    assert_eq!(kind, StoreErrorKind::Newer);
    assert!(said.contains("format 99"), "{said}");
}

#[test]
fn a_file_of_another_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    for sql in [
        "CREATE TABLE theirs (x)",
        "PRAGMA user_version = 3",
        "PRAGMA application_id = 7; CREATE TABLE theirs (x)",
    ] {
        let _ = std::fs::remove_file(&path);
        let db = Connection::open(&path).unwrap();
        db.execute_batch(sql).unwrap();
        db.close().unwrap();
        let (kind, said) = refused(&path);
        assert_eq!(kind, StoreErrorKind::Corrupt, "{sql}");
        assert!(said.contains("another program"), "{said}");
    }
}

#[test]
fn what_is_no_sqlite_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "to do: ".repeat(1_000)).unwrap();
    let (kind, said) = refused(&path);
    assert_eq!(kind, StoreErrorKind::Corrupt);
    assert!(said.contains("no SQLite file"), "{said}");
}

#[test]
fn a_folder_that_there_is_not_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no").join("drags.db");
    for path in [&*missing, folder.path()] {
        let (kind, said) = refused(path);
        assert_eq!(kind, StoreErrorKind::Unavailable);
        assert!(said.contains("is there such a folder"), "{said}");
    }
}

#[tokio::test]
async fn an_empty_file_becomes_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("drags.db");
    std::fs::write(&path, "").unwrap();
    let store = SqliteStore::open(&path).unwrap();
    let solver = answering().durable(&store);
    solver.solve(&challenge(NEW)).await.unwrap();
}

#[tokio::test]
async fn a_truncated_file_is_refused() {
    let (_folder, path) = folder().await;
    let whole = std::fs::read(&path).unwrap();
    for length in [whole.len() - 4_096, whole.len() / 2, 5_000, 700] {
        std::fs::write(&path, &whole[..length]).unwrap();
        let (kind, said) = refused(&path);
        assert_eq!(kind, StoreErrorKind::Corrupt, "{length} bytes: {said}");
    }
}

/// Asks everything of a store that may be damaged. What fails says so; what was refused was not sent.
pub(crate) async fn use_everything(store: &SqliteStore) -> Vec<String> {
    let mut failed = Vec::new();
    let now = store.now();
    let week = std::time::Duration::from_secs(7 * 24 * 3_600);
    let mut note = |what: &str, error: Option<drag_solver_store::StoreError>| {
        if let Some(error) = error {
            assert!(!error.to_string().contains("closed"), "{what}: {error}");
            failed.push(format!("{what}: {error}"));
        }
    };
    note("find", store.find(KNOWN).await.err());
    let query = Query::default().pictures(true);
    note("list", store.list(&query).await.err());
    note("budget", store.budget("all", &[now]).await.err());
    for by in [SpendingBy::Solver, SpendingBy::Budget, SpendingBy::Label] {
        let query = SpendingQuery::last(week, by, now, TimeZone::UTC);
        note("spending", store.spending(&query).await.err());
    }
    let mock = answering();
    let budget = drag_solver_store::StoredBudgetPolicy::default().total("5".parse().unwrap());
    let budget = drag_solver_store::StoredBudget::new(store, "all", budget);
    let solver = mock
        .clone()
        .stored_budget(&budget, "0.001".parse().unwrap());
    let solver = solver.durable(store);
    for id in [KNOWN, NEW] {
        let bought = mock.purchases();
        match solver.solve(&challenge(id)).await {
            Ok(_) => assert!(mock.purchases() <= bought + 1),
            Err(error) => {
                assert!(!error.to_string().contains("closed"), "{id}: {error}");
                assert_eq!(mock.purchases(), bought, "{id}: {error}");
                let is_refused = matches!(
                    error.kind(),
                    ErrorKind::NotRecorded
                        | ErrorKind::BudgetExhausted
                        | ErrorKind::InvalidChallenge
                        | ErrorKind::Unconfirmed
                );
                assert!(is_refused, "{id}: {error}");
                failed.push(error.to_string());
            }
        }
    }
    let mut note = |what: &str, error: Option<drag_solver_store::StoreError>| {
        failed.extend(error.map(|error| format!("{what}: {error}")));
    };
    note("flush", store.flush().await.err());
    note("prune", store.prune(&Retention::default()).await.err());
    failed
}

#[tokio::test]
async fn no_damaged_page_makes_it_panic_or_buy_what_it_cannot_record() {
    let (_folder, path) = folder().await;
    let whole = std::fs::read(&path).unwrap();
    let size = usize::from(u16::from_be_bytes([whole[16], whole[17]]));
    let pages = whole.len() / size;
    assert!(pages > 10, "{pages}");
    let mut refused = 0;
    for page in 1..pages {
        for garbage in [0x00, 0xff, 0x0d] {
            let mut damaged = whole.clone();
            damaged[page * size..(page + 1) * size].fill(garbage);
            std::fs::write(&path, damaged).unwrap();
            match SqliteStore::open(&path) {
                Ok(store) => refused += usize::from(!use_everything(&store).await.is_empty()),
                Err(error) => {
                    assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
                    refused += 1;
                }
            }
            for beside in ["drags.db-wal", "drags.db-shm"] {
                let _ = std::fs::remove_file(path.with_file_name(beside));
            }
        }
    }
    assert!(refused > pages, "{refused}");
}
