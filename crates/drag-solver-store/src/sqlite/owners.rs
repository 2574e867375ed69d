//! The processes that have the file open: what one of them holds ends with it.
//!
//! Each has a row with a lease, which it renews, and holds the lock of a file beside the store. The lock
//! is free as soon as the process has ended, however it did, so no process waits for the lease of a process that
//! was killed; the lease ends what is held by one that hangs.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Result, params};

/// A process that has the store open. The lock goes with it.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) key: i64,
    path: PathBuf,
    /// Locked while this process lives.
    _lock: File,
}

impl Owner {
    /// Takes the lock that says that this process is alive.
    pub(super) fn new(key: i64, store: &Path) -> io::Result<Self> {
        let path = lock_path(store, key);
        let file = File::create(&path)?;
        file.lock()?;
        Ok(Self {
            key,
            path,
            _lock: file,
        })
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn lock_path(store: &Path, key: i64) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(format!("-owner-{key:016x}"));
    name.into()
}

/// Who writes, and when.
pub(super) struct Here {
    pub(super) owner: i64,
    pub(super) now: Timestamp,
    /// When its lease ends if it is renewed now; nothing if no other process can see it.
    pub(super) lease_until: Option<Timestamp>,
    /// Where the store is, if it is in a file.
    pub(super) path: Option<PathBuf>,
}

impl Here {
    /// Renews the lease, inside of a transaction.
    pub(super) fn renew(&self, db: &Connection) -> Result<()> {
        match self.lease_until {
            Some(until) => renew_inside(db, self.owner, self.now, until),
            None => Ok(()),
        }
    }

    /// The same if the clock was set meanwhile: no lease of a process that works ends, and none lasts for longer than it
    /// was given.
    pub(super) fn keep(&self, db: &Connection) -> Result<()> {
        let Some(until) = self.lease_until else {
            return Ok(());
        };
        let is_fine = db
            .prepare_cached(
                "SELECT 1 FROM owners WHERE key = ? AND lease_until > ? AND lease_until <= ?",
            )?
            .exists(params![
                self.owner,
                self.now.as_millisecond(),
                until.as_millisecond()
            ])?;
        if is_fine { Ok(()) } else { self.renew(db) }
    }

    /// Takes out every owner whose process has ended. False if there can be none.
    pub(super) fn sweep(&self, db: &Connection) -> Result<bool> {
        match &self.path {
            Some(path) => sweep(db, path, self.owner).map(|()| true),
            None => Ok(false),
        }
    }
}

/// Says that this owner is there until its lease ends.
///
/// What was set aside under a lease that has ended may be given to others by now, and is not set aside again.
pub(super) fn renew(
    db: &Connection,
    owner: i64,
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<()> {
    let all = db.unchecked_transaction()?;
    renew_inside(db, owner, now, lease_until)?;
    all.commit()
}

/// The same inside of a transaction.
fn renew_inside(db: &Connection, owner: i64, now: Timestamp, lease_until: Timestamp) -> Result<()> {
    db.prepare_cached(
        "DELETE FROM reservations WHERE owner = ?1
             AND NOT EXISTS (SELECT 1 FROM owners WHERE key = ?1 AND lease_until > ?2)",
    )?
    .execute(params![owner, now.as_millisecond()])?;
    db.prepare_cached(
        "INSERT INTO owners (key, lease_until) VALUES (?1, ?2)
         ON CONFLICT (key) DO UPDATE SET lease_until = ?2",
    )?
    .execute(params![owner, lease_until.as_millisecond()])?;
    Ok(())
}

/// Whether what this owner holds is still held.
pub(super) fn is_held(db: &Connection, owner: i64, now: Timestamp) -> Result<bool> {
    let lease: Option<i64> = db
        .prepare_cached("SELECT lease_until FROM owners WHERE key = ?")?
        .query_row([owner], |row| row.get(0))
        .optional()?;
    Ok(lease.is_some_and(|until| until > now.as_millisecond()))
}

/// Takes out an owner, and with it all that it held.
pub(super) fn remove(db: &Connection, owner: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM reservations WHERE owner = ?")?
        .execute([owner])?;
    db.prepare_cached("DELETE FROM owners WHERE key = ?")?
        .execute([owner])?;
    Ok(())
}

/// Takes out every owner whose process has ended.
pub(super) fn sweep(db: &Connection, store: &Path, own: i64) -> Result<()> {
    let mut statement = db.prepare_cached("SELECT key FROM owners WHERE key <> ?")?;
    let others: Vec<i64> = statement
        .query_map([own], |row| row.get(0))?
        .collect::<Result<_>>()?;
    for owner in others {
        let path = lock_path(store, owner);
        if is_free(&path) {
            remove(db, owner)?;
            let _ = std::fs::remove_file(&path);
        }
    }
    Ok(())
}

/// Whether no process has this lock. Where that cannot be told, the lease decides.
fn is_free(path: &Path) -> bool {
    match File::open(path) {
        Ok(file) => match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
        },
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lock_that_no_process_has_says_that_its_owner_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("drags.db");
        let path = lock_path(&store, 7);
        assert!(is_free(&path), "there is none");
        let owner = Owner::new(7, &store).unwrap();
        assert!(!is_free(&path), "it lives");
        drop(owner);
        assert!(!path.exists());
        File::create(&path).unwrap();
        assert!(is_free(&path), "it was killed");
        // What cannot be opened for another reason says nothing.
        assert!(!is_free(&folder.path().join("no\0name")));
    }
}
