//! The rows that durable solves write, written by a bare loop.

use std::path::Path;

use drag_solver_core::Solution;
use drag_solver_store::{SqliteOptions, SqliteStore};
use rusqlite::{Connection, Result, params};
use tower::BoxError;

/// Bytes of a picture.
pub(crate) const PICTURE: usize = 20_000;

/// One connection to a store's file, with the same pragmas as the store's own.
pub(crate) struct Bare {
    db: Connection,
    next: i64,
    /// The answer, in JSON.
    outcome: String,
}

impl Bare {
    pub(crate) fn new(path: &Path, outcome: &Solution) -> Result<Self, BoxError> {
        // Makes the tables.
        drop(SqliteStore::open_with(
            path,
            SqliteOptions::default().retention(None),
        )?);
        let db = Connection::open(path)?;
        db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        db.pragma_update(None, "foreign_keys", true)?;
        db.set_prepared_statement_cache_capacity(64);
        let outcome = serde_json::to_string(outcome)?;
        Ok(Self {
            db,
            next: 0,
            outcome,
        })
    }

    /// What so many solves write, if so many are under way at once: four transactions for all of those.
    pub(crate) fn write(&mut self, solves: usize, at_once: usize) -> Result<()> {
        let outcome = &self.outcome;
        let mut left = solves;
        while left > 0 {
            let now = left.min(at_once);
            let first = self.next;
            self.next += i64::try_from(now).unwrap_or(i64::MAX);
            self.step("NORMAL", first, |db, n| {
                db.prepare_cached(
                    "INSERT INTO challenges (id, digest, created, updated, status, owner, claim, width, height)
                     VALUES (?, ?, 1790000000000, 1790000000000, 0, 1, ?, 320, 200)",
                )?
                .execute(params![format!("order {n}"), [7_u8; 32], key(n)])
                .map(drop)
            })?;
            let picture = vec![7_u8; PICTURE];
            self.step("FULL", first, |db, n| {
                db.prepare_cached(
                    "INSERT INTO purchases (key, challenge, solver, state, billed, begun)
                     SELECT ?1, n, 'instant', 0, 1, 1790000000000 FROM challenges WHERE n = ?2 AND claim = ?1",
                )?
                .execute(params![key(n), n + 1])?;
                db.prepare_cached("INSERT INTO pictures (challenge, file) VALUES (?, ?)")?
                    .execute(params![n + 1, picture])
                    .map(drop)
            })?;
            self.step("FULL", first, |db, n| {
                db.prepare_cached("UPDATE purchases SET job = '4711', state = 1 WHERE key = ?")?
                    .execute([key(n)])
                    .map(drop)
            })?;
            self.step("NORMAL", first, |db, n| {
                db.prepare_cached(
                    "UPDATE purchases SET state = 2, billed = 2, ended = 1790000000000 WHERE key = ?",
                )?
                .execute([key(n)])?;
                db.prepare_cached(
                    "UPDATE challenges SET status = 1, updated = 1790000000000, owner = NULL, claim = NULL,
                         outcome = ? WHERE n = ?",
                )?
                .execute(params![outcome, n + 1])?;
                db.prepare_cached("DELETE FROM pictures WHERE challenge = ?")?
                    .execute([n + 1])
                    .map(drop)
            })?;
            left -= now;
        }
        Ok(())
    }

    fn step(
        &self,
        synchronous: &str,
        first: i64,
        each: impl Fn(&Connection, i64) -> Result<()>,
    ) -> Result<()> {
        self.db.pragma_update(None, "synchronous", synchronous)?;
        self.db.execute_batch("BEGIN IMMEDIATE")?;
        for n in first..self.next {
            each(&self.db, n)?;
        }
        self.db.execute_batch("COMMIT")
    }

    /// So many small transactions, each of which waits for the disk.
    pub(crate) fn commit(&self, count: usize) -> Result<()> {
        self.db.pragma_update(None, "synchronous", "FULL")?;
        let mut statement = self
            .db
            .prepare("INSERT OR REPLACE INTO budgets (name, spent) VALUES ('bench', ?)")?;
        for number in 0..count {
            statement.execute([i64::try_from(number).unwrap_or(0)])?;
        }
        Ok(())
    }
}

/// Random, as the store's are: rows of one batch are all over the index.
fn key(n: i64) -> i64 {
    let mixed = n.wrapping_add(1).wrapping_mul(0x5851_f42d_4c95_7f2d);
    (mixed ^ (mixed >> 29)) & i64::MAX
}
