//! Statements about what solvers did recently.

use drag_solver_core::{JobId, Usd};
use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, Result, params};

use super::values::{time, unreadable};
use crate::call_record::{CALLS_KEPT, latest, readable, took};
use crate::codes::of_usd;
use crate::{CallRecord, Fact};

/// Writes a call that has ended; of one that is on record, whether it was good: what was wrong stays wrong.
pub(super) fn record(db: &Connection, fact: &Fact) -> Result<()> {
    let Fact::Called(call) = fact else {
        return Ok(());
    };
    db.prepare_cached(
        "INSERT INTO calls (key, solver, ended, took, good, spent, job) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (key) DO UPDATE SET good = MIN(good, excluded.good)",
    )?
    .execute(params![
        call.key,
        call.solver,
        call.ended.as_millisecond(),
        call.took_millis(),
        call.good,
        call.spent.map(of_usd),
        call.job.as_ref().map(JobId::as_str),
    ])?;
    Ok(())
}

/// The last calls of this solver since then, the earliest first.
pub(super) fn last(
    db: &Connection,
    solver: &str,
    since: Timestamp,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<CallRecord>> {
    let mut statement = db.prepare_cached(
        "SELECT key, ended, took, good, spent, job FROM calls
         WHERE solver = ? AND ended > ? AND ended <= ? ORDER BY ended DESC, key DESC LIMIT ?",
    )?;
    let range = (since.as_millisecond(), latest(now));
    let rows = statement.query_map(params![solver, range.0, range.1, limit], |row| {
        let job: Option<String> = row.get(5)?;
        let job = job.map(JobId::new).transpose();
        Ok(CallRecord {
            key: row.get(0)?,
            solver: solver.to_owned(),
            ended: time(row.get(1)?)?,
            took: took(row.get(2)?),
            good: row.get(3)?,
            spent: row.get::<_, Option<i64>>(4)?.map(Usd::from_nanos),
            job: job.map_err(|error| unreadable(5, Type::Text, error))?,
        })
    })?;
    let mut calls = readable(rows, |error| error.sqlite_error_code().is_none())?;
    calls.reverse();
    Ok(calls)
}

/// Forgets all but the last ones of each solver, and those of before this time.
pub(super) fn forget(db: &Connection, old: i64, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "DELETE FROM calls WHERE ended < ?1 OR ended > ?3 OR key IN (SELECT key FROM
             (SELECT key, ROW_NUMBER() OVER (PARTITION BY solver ORDER BY ended DESC, key DESC) AS place FROM calls
                 WHERE ended <= ?3)
             WHERE place > ?2)",
    )?
    .execute([old, CALLS_KEPT, latest(now)])?;
    Ok(())
}
