//! Statements about what solvers did recently.

use drag_solver_core::{JobId, Usd};
use jiff::Timestamp;

use super::db::{Db, Row};
use super::problem::Result;
use crate::call_record::{CALLS_KEPT, latest, readable, took};
use crate::codes::of_usd;
use crate::{CallRecord, Fact};

/// Writes a call that has ended; of one that is on record, whether it was good: what was wrong stays wrong.
pub(super) async fn record(db: &Db, fact: &Fact) -> Result<()> {
    let Fact::Called(call) = fact else {
        return Ok(());
    };
    db.run(
        "INSERT INTO calls (key, solver, ended, took, good, spent, job) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (key) DO UPDATE SET good = calls.good AND excluded.good",
        &[
            &call.key,
            &call.solver,
            &call.ended.as_millisecond(),
            &call.took_millis(),
            &call.good,
            &call.spent.map(of_usd),
            &call.job.as_ref().map(JobId::as_str),
        ],
    )
    .await?;
    Ok(())
}

/// The last calls of this solver since then, the earliest first.
pub(super) async fn last(
    db: &Db,
    solver: &str,
    since: Timestamp,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<CallRecord>> {
    let rows = db
        .rows(
            "SELECT key, ended, took, good, spent, job FROM calls
             WHERE solver = $1 AND ended > $2 AND ended <= $3 ORDER BY ended DESC, key DESC LIMIT $4",
            &[
                &solver,
                &since.as_millisecond(),
                &latest(now),
                &i64::from(limit),
            ],
        )
        .await?;
    let call = |row: &Row| -> Result<CallRecord> {
        Ok(CallRecord {
            key: row.get(0)?,
            solver: solver.to_owned(),
            ended: row.time(1)?,
            took: took(row.get(2)?),
            good: row.get(3)?,
            spent: row.get::<Option<i64>>(4)?.map(Usd::from_nanos),
            job: row.job(5)?,
        })
    };
    readable(rows.iter().rev().map(call), |_| true)
}

/// Forgets all but the last ones of each solver, and those of before this time, some of it at a time.
pub(super) async fn forget(db: &Db, old: i64, now: Timestamp, most: i64) -> Result<u64> {
    let delete = "DELETE FROM calls WHERE key IN (SELECT key FROM
             (SELECT key, ended, ROW_NUMBER() OVER
                 (PARTITION BY solver, ended > $4 ORDER BY ended DESC, key DESC) AS place FROM calls) AS each
             WHERE ended < $1 OR ended > $4 OR place > $2 LIMIT $3)";
    db.run(delete, &[&old, &CALLS_KEPT, &most, &latest(now)])
        .await
}
