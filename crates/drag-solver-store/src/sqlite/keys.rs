//! Statements about keys.

use jiff::Timestamp;
use rusqlite::{Connection, Result, params};

use super::values::{from_json, time, to_json};
use crate::KeyRecord;

/// Whether there was no valid key of this name.
pub(super) fn add(db: &Connection, key: &KeyRecord, now: Timestamp) -> Result<bool> {
    let added = db
        .prepare_cached(
            "INSERT INTO keys (name, hash, role, limits, created, expires)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS (SELECT 1 FROM keys WHERE name = ?1
                 AND revoked IS NULL AND (expires IS NULL OR expires > ?7))",
        )?
        .execute(params![
            key.name,
            key.hash,
            to_json(&key.role)?,
            to_json(&key.limits)?,
            key.created.as_millisecond(),
            key.expires.map(Timestamp::as_millisecond),
            now.as_millisecond(),
        ])?;
    Ok(added == 1)
}

/// All there ever were, the oldest first.
pub(super) fn all(db: &Connection) -> Result<Vec<KeyRecord>> {
    let mut statement = db.prepare_cached(
        "SELECT name, hash, role, limits, created, expires, revoked FROM keys ORDER BY n",
    )?;
    let rows = statement.query_map([], |row| {
        let (role, limits): (String, String) = (row.get(2)?, row.get(3)?);
        let at = |at: Option<i64>| at.map(time).transpose();
        Ok(KeyRecord {
            name: row.get(0)?,
            hash: row.get(1)?,
            role: from_json(2, &role)?,
            limits: from_json(3, &limits)?,
            created: time(row.get(4)?)?,
            expires: at(row.get(5)?)?,
            revoked: at(row.get(6)?)?,
        })
    })?;
    rows.collect()
}

/// Whether there was one.
pub(super) fn revoke(db: &Connection, name: &str, now: Timestamp) -> Result<bool> {
    let revoked = db
        .prepare_cached("UPDATE keys SET revoked = ?2 WHERE name = ?1 AND revoked IS NULL")?
        .execute(params![name, now.as_millisecond()])?;
    Ok(revoked > 0)
}
