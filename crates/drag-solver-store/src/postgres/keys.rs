//! Statements about keys.

use drag_solver_core::async_trait;
use jiff::Timestamp;

use super::db::{Db, Row, to_json};
use super::owners::Owner;
use super::problem::{Problem, Result};
use super::writer::Write;
use crate::KeyRecord;

/// Adds a key. False if there is a valid one of its name.
pub(super) struct Add {
    pub(super) key: KeyRecord,
}

#[async_trait]
impl Write for Add {
    type Told = bool;

    fn turn(&self) -> Option<String> {
        Some(format!("key/{}", self.key.name))
    }

    async fn write(&self, db: &Db, here: &Owner) -> Result<bool> {
        let key = &self.key;
        let valid = "SELECT hash FROM keys WHERE name = $1 AND revoked IS NULL
             AND (expires IS NULL OR expires > $2)";
        let valid = db
            .maybe(valid, &[&key.name, &here.now.as_millisecond()])
            .await?;
        if let Some(row) = valid {
            let hash: &[u8] = row.get(0)?;
            return Ok(hash == &key.hash[..]);
        }
        db.run(
            "INSERT INTO keys (name, hash, role, limits, created, expires) VALUES ($1, $2, $3, $4, $5, $6)",
            &[
                &key.name,
                &&key.hash[..],
                &to_json(&key.role)?,
                &to_json(&key.limits)?,
                &key.created.as_millisecond(),
                &key.expires.map(Timestamp::as_millisecond),
            ],
        )
        .await?;
        Ok(true)
    }
}

/// Revokes the key of this name. False if there is none.
pub(super) struct Revoke {
    pub(super) name: String,
}

#[async_trait]
impl Write for Revoke {
    type Told = bool;

    async fn write(&self, db: &Db, here: &Owner) -> Result<bool> {
        let revoke = "UPDATE keys SET revoked = $2 WHERE name = $1 AND revoked IS NULL";
        let revoked = db
            .run(revoke, &[&self.name, &here.now.as_millisecond()])
            .await?;
        Ok(revoked > 0)
    }

    fn again(&self, first: bool, again: bool) -> bool {
        first || again
    }
}

/// All there ever were, the oldest first.
pub(super) async fn all(db: &Db) -> Result<Vec<KeyRecord>> {
    let all = "SELECT name, hash, role, limits, created, expires, revoked FROM keys ORDER BY n";
    db.rows(all, &[]).await?.iter().map(key_of).collect()
}

fn key_of(row: &Row) -> Result<KeyRecord> {
    let hash: &[u8] = row.get(1)?;
    Ok(KeyRecord {
        name: row.get(0)?,
        hash: hash.try_into().map_err(Problem::unreadable)?,
        role: row.json(2)?,
        limits: row.json(3)?,
        created: row.time(4)?,
        expires: row.maybe_time(5)?,
        revoked: row.maybe_time(6)?,
    })
}
