//! What the store does by itself: leases, and forgetting.

use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, Result};

use super::access::{How, Inner};
use super::file::Opened;
use super::problem::problem;
use super::writer::{Op, Writer};
use super::{SqliteOptions, calls, owners};
use crate::clock::after;
use crate::{Pruned, Retention, StoreError, StoreErrorKind};

/// How often old things are forgotten.
const PRUNE_EVERY: Duration = Duration::from_secs(60 * 60);

/// How often a lease is renewed at the most.
const SHORTEST: Duration = Duration::from_millis(1);

/// Starts the thread that writes, and renews the lease.
pub(super) fn start(opened: Opened) -> Result<(Sender<Op>, JoinHandle<()>), StoreError> {
    let (sender, ops) = channel();
    let owner = opened.file.owner;
    let SqliteOptions {
        lease,
        retention,
        clock,
        ..
    } = opened.file.options.clone();
    let mut writer = Writer::new(opened);
    let mut pruned: Option<Instant> = None;
    let idle = move |db: &Connection| {
        let now = clock.now();
        if let Err(error) = owners::renew(db, owner, now, after(now, lease)) {
            tracing::warn!(%error, "the lease of this process cannot be renewed");
        }
        if let Some(retention) = &retention
            && pruned.is_none_or(|last| last.elapsed() >= PRUNE_EVERY)
        {
            pruned = Some(Instant::now());
            let forgotten = forget(db, retention, clock.now()).and_then(|_| vacuum(db));
            if let Err(error) = forgotten {
                tracing::warn!(%error, "old challenges cannot be forgotten");
            }
        }
    };
    let thread = std::thread::Builder::new()
        .name("drag-solver-store".to_owned())
        .spawn(move || {
            writer.work(&ops, (lease / 3).max(SHORTEST), idle);
            // Others need not find out that this process is gone.
            if let Some(db) = writer.db() {
                let _ = owners::remove(db, owner);
            }
        })
        .map_err(|error| {
            let message = "the thread that writes cannot be started";
            StoreError::new(StoreErrorKind::Unavailable, message).with_source(error)
        })?;
    Ok((sender, thread))
}

/// Forgets what is old enough.
pub(super) fn forget(db: &Connection, retention: &Retention, now: Timestamp) -> Result<Pruned> {
    let (finished, old) = retention.kept_since(now);
    let challenges = db
        .prepare_cached(
            "DELETE FROM challenges WHERE updated < ?1
                 AND (owner IS NULL OR owner NOT IN (SELECT key FROM owners WHERE lease_until > ?2))
                 AND (updated < ?3 OR status = 1 OR (status = 2 OR accepted = 0)
                     AND NOT EXISTS (SELECT 1 FROM purchases WHERE challenge = n
                         AND (state <> 2 OR job IS NULL AND billed = 1)))",
        )?
        .execute([finished, now.as_millisecond(), old])?;
    let purchases = db
        .prepare_cached("DELETE FROM purchases WHERE begun < ?1 AND challenge IS NULL")?
        .execute([old])?;
    let charges = db
        .prepare_cached("DELETE FROM charges WHERE at < ?1")?
        .execute([old])?;
    calls::forget(db, finished, now)?;
    Ok(Pruned {
        challenges: challenges as u64,
        money: (purchases + charges) as u64,
        bytes: 0,
    })
}

/// Gives free pages back to the system. Not in a transaction.
fn vacuum(db: &Connection) -> Result<()> {
    let mut statement = db.prepare("PRAGMA incremental_vacuum")?;
    let mut steps = statement.query([])?; // a step frees a page
    while steps.next()?.is_some() {}
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

pub(super) fn file_size(db: &Connection) -> Result<u64> {
    let pages: u64 = db.pragma_query_value(None, "page_count", |row| row.get(0))?;
    let bytes: u64 = db.pragma_query_value(None, "page_size", |row| row.get(0))?;
    Ok(pages * bytes)
}

impl Inner {
    /// Makes the file as small as what is in it.
    pub(super) async fn shrink(&self) -> std::result::Result<(), StoreError> {
        let file = match &self.how {
            How::Inline(writer) => return self.inline(writer, vacuum),
            How::Thread { file, .. } => file.clone(),
        };
        // By a connection of its own: calls need not wait for it.
        let work = tokio::task::spawn_blocking(move || vacuum(&file.connection()?));
        let shrunk = work.await.map_err(|_| StoreError::closed())?;
        shrunk.map_err(|error| self.of_file(problem(error)))
    }
}
