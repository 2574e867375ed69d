//! Where the store is that several processes have open: a file.

use std::path::PathBuf;
use std::time::Duration;

use drag_solver_store::{Clock, SqliteOptions, SqliteStore};
use tempfile::TempDir;

pub(crate) type TheStore = SqliteStore;

/// How long a process that is not heard of keeps what it has taken up, by the clock that tests set.
pub(crate) const LEASE: Duration = Duration::from_secs(15);

pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    #[allow(clippy::unnecessary_wraps)] // of PostgreSQL there may be none
    pub(crate) fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        Some(Self { folder })
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("drags.db")
    }

    /// What another process is told.
    pub(crate) fn address(&self) -> String {
        self.path().to_str().unwrap().to_owned()
    }

    pub(crate) fn open(&self) -> SqliteStore {
        open(&self.address())
    }

    /// A process of its own, as far as the store can tell, which lives by this clock.
    #[allow(clippy::unused_async)] // that of PostgreSQL is waited for
    pub(crate) async fn open_by(&self, clock: Clock) -> SqliteStore {
        let options = SqliteOptions::default().clock(clock).retention(None);
        SqliteStore::open_with(self.path(), options).unwrap()
    }

    /// What is there beside the store when no process has it open.
    pub(crate) fn left_over(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != "drags.db").collect()
    }
}

/// Opens the store as another process does that was told its address.
pub(crate) fn open(address: &str) -> SqliteStore {
    SqliteStore::open(address).unwrap()
}
