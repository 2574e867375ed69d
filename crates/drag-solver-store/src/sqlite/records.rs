//! What is on record of challenges, read.

use drag_solver_core::{JobId, Usd};
use jiff::Timestamp;
use rusqlite::types::{FromSqlError, Type};
use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};

use super::owners::is_held;
use super::values::{code, from_json, time, unreadable};
use crate::codes::{FAILED, OPEN, SOLVED, billed, of_status, state, verdict};
use crate::{ChallengeRecord, PurchaseRecord, Query, Status};

const COLUMNS: &str =
    "n, id, label, instruction, region, deadline, created, updated, status, outcome, owner, digest,
     note, width, height, verdict";

pub(super) fn by_key(db: &Connection, n: i64, now: Timestamp) -> Result<ChallengeRecord> {
    let sql = format!("SELECT {COLUMNS} FROM challenges WHERE n = ?");
    db.prepare_cached(&sql)?
        .query_row([n], |row| record_of(db, row, now))
}

pub(super) fn find(
    db: &Connection,
    id: &str,
    with_picture: bool,
    now: Timestamp,
) -> Result<Option<ChallengeRecord>> {
    let sql = format!("SELECT {COLUMNS} FROM challenges WHERE id = ?");
    let found = db
        .prepare_cached(&sql)?
        .query_row([id], |row| {
            let mut record = record_of(db, row, now)?;
            if with_picture {
                record.picture = picture(db, row.get(0)?)?;
            }
            Ok(record)
        })
        .optional()?;
    Ok(found)
}

pub(super) fn list(db: &Connection, query: &Query, now: Timestamp) -> Result<Vec<ChallengeRecord>> {
    let status = query.status.map(of_status);
    // Asked every second, also of a store full of what is solved: in words that its index knows.
    let open = if query.unheld { "status = 0 AND" } else { "" };
    let sql = format!(
        "SELECT {COLUMNS} FROM challenges
         WHERE {open} (?1 IS NULL OR status = ?1)
             AND (?2 IS NULL OR label = ?2)
             AND (?3 IS NULL OR n > (SELECT n FROM challenges WHERE id = ?3))
             AND (NOT ?4 OR EXISTS (SELECT 1 FROM purchases WHERE challenge = n
                 AND (state = 0 OR (state = 2 AND job IS NULL AND billed = 1))))
             AND (NOT ?5 OR EXISTS (SELECT 1 FROM purchases WHERE challenge = n AND state = 1))
             AND (NOT ?7 OR owner IS NULL
                 OR owner NOT IN (SELECT key FROM owners WHERE lease_until > ?8))
         ORDER BY n LIMIT ?6"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let values = params![
        status,
        query.label,
        query.after,
        query.unconfirmed,
        query.unfetched,
        query.limit.map_or(-1, i64::from),
        query.unheld,
        now.as_millisecond()
    ];
    let rows = statement.query_map(values, |row| {
        let mut record = record_of(db, row, now)?;
        if query.pictures {
            record.picture = picture(db, row.get(0)?)?;
        }
        Ok(record)
    })?;
    rows.collect()
}

fn picture(db: &Connection, challenge: i64) -> Result<Option<bytes::Bytes>> {
    let file: Option<Vec<u8>> = db
        .prepare_cached("SELECT file FROM pictures WHERE challenge = ?")?
        .query_row([challenge], |row| row.get(0))
        .optional()?;
    Ok(file.map(Into::into))
}

fn record_of(db: &Connection, row: &Row<'_>, now: Timestamp) -> Result<ChallengeRecord> {
    let (n, status): (i64, i64) = (row.get(0)?, row.get(8)?);
    let region: Option<String> = row.get(4)?;
    let deadline: Option<i64> = row.get(5)?;
    let outcome = || row.get::<_, String>(9);
    let status = match status {
        SOLVED => Status::Solved {
            solution: from_json(9, &outcome()?)?,
        },
        FAILED => Status::Failed {
            error: from_json(9, &outcome()?)?,
        },
        OPEN => {
            let holder: Option<i64> = row.get(10)?;
            let held = holder.map(|holder| is_held(db, holder, now)).transpose()?;
            Status::Open {
                held: held.unwrap_or(false),
            }
        }
        other => return Err(FromSqlError::OutOfRange(other).into()),
    };
    Ok(ChallengeRecord {
        key: n,
        id: row.get(1)?,
        label: row.get(2)?,
        instruction: row.get(3)?,
        region: region.map(|text| from_json(4, &text)).transpose()?,
        deadline: deadline.map(time).transpose()?,
        digest: row.get(11)?,
        created: time(row.get(6)?)?,
        updated: time(row.get(7)?)?,
        status,
        note: row.get(12)?,
        width: row.get(13)?,
        height: row.get(14)?,
        verdict: row
            .get::<_, Option<i64>>(15)?
            .map(|number| code(number, verdict))
            .transpose()?,
        purchases: purchases(db, n)?,
        picture: None,
    })
}

fn purchases(db: &Connection, challenge: i64) -> Result<Vec<PurchaseRecord>> {
    let mut statement = db.prepare_cached(
        "SELECT key, solver, job, state, billed, cost, frame, begun, ended FROM purchases
         WHERE challenge = ? ORDER BY begun, key",
    )?;
    let rows = statement.query_map([challenge], |row| {
        let job: Option<String> = row.get(2)?;
        let job = job.map(JobId::new).transpose();
        let frame: Option<String> = row.get(6)?;
        let ended: Option<i64> = row.get(8)?;
        Ok(PurchaseRecord {
            key: row.get(0)?,
            solver: row.get(1)?,
            job: job.map_err(|error| unreadable(2, Type::Text, error))?,
            state: code(row.get(3)?, state)?,
            billed: code(row.get(4)?, billed)?,
            cost: row.get::<_, Option<i64>>(5)?.map(Usd::from_nanos),
            frame: frame.map(|text| from_json(6, &text)).transpose()?,
            begun: time(row.get(7)?)?,
            ended: ended.map(time).transpose()?,
        })
    })?;
    rows.collect()
}
