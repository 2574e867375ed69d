//! What is on record of challenges, read.

use bytes::Bytes;
use drag_solver_core::Usd;
use jiff::Timestamp;

use super::db::{Db, Row};
use super::problem::{Problem, Result};
use crate::codes::{FAILED, OPEN, SOLVED, billed, of_status, state, verdict};
use crate::{ChallengeRecord, PictureDigest, PurchaseRecord, Query, Status};

/// Challenges with their purchases, a row for each: of one moment, as it is one statement. `$1` is the time now.
const SELECT: &str = "SELECT c.n, c.id, c.label, c.instruction, c.region, c.deadline, c.created, c.updated, c.status,
        c.outcome, EXISTS (SELECT 1 FROM owners WHERE owners.key = c.owner AND lease_until > $1), c.digest, c.note,
        c.width, c.height, c.verdict,
        p.key, p.solver, p.job, p.state, p.billed, p.cost, p.frame, p.begun, p.ended,
        CASE WHEN $2::boolean THEN (SELECT file FROM pictures WHERE challenge = c.n) END
    FROM challenges AS c LEFT JOIN purchases AS p ON p.challenge = c.n";

const ORDER: &str = "ORDER BY c.n, p.begun, p.key";

pub(super) async fn by_key(db: &Db, n: i64, now: Timestamp) -> Result<ChallengeRecord> {
    let sql = format!("{SELECT} WHERE c.n = $3 {ORDER}");
    let rows = db.rows(&sql, &[&now.as_millisecond(), &false, &n]).await?;
    let record = records(&rows)?.pop();
    record.ok_or_else(|| Problem::unreadable("a challenge that is gone"))
}

pub(super) async fn find(
    db: &Db,
    id: &str,
    with_picture: bool,
    now: Timestamp,
) -> Result<Option<ChallengeRecord>> {
    let sql = format!("{SELECT} WHERE c.id = $3 {ORDER}");
    let now = now.as_millisecond();
    let rows = db.rows(&sql, &[&now, &with_picture, &id]).await?;
    Ok(records(&rows)?.pop())
}

pub(super) async fn list(db: &Db, query: &Query, now: Timestamp) -> Result<Vec<ChallengeRecord>> {
    let among = if query.unheld {
        "status = 0 AND NOT EXISTS (SELECT 1 FROM owners WHERE owners.key = owner AND lease_until > $1)"
    } else {
        "TRUE"
    };
    let sql = format!(
        "{SELECT} WHERE c.n IN (SELECT n FROM challenges
             WHERE {among}
                 AND ($3::bigint IS NULL OR status = $3)
                 AND ($4::text IS NULL OR label = $4)
                 AND ($5::text IS NULL OR n > (SELECT n FROM challenges WHERE id = $5))
                 AND (NOT $6::boolean OR EXISTS (SELECT 1 FROM purchases WHERE challenge = n
                     AND (state = 0 OR (state = 2 AND job IS NULL AND billed = 1))))
                 AND (NOT $7::boolean OR EXISTS (SELECT 1 FROM purchases WHERE challenge = n AND state = 1))
             ORDER BY n LIMIT $8) {ORDER}"
    );
    let rows = db
        .rows(
            &sql,
            &[
                &now.as_millisecond(),
                &query.pictures,
                &query.status.map(of_status),
                &query.label,
                &query.after,
                &query.unconfirmed,
                &query.unfetched,
                &query.limit.map(i64::from),
            ],
        )
        .await?;
    records(&rows)
}

/// One record for all rows of a challenge, which follow each other.
fn records(rows: &[Row]) -> Result<Vec<ChallengeRecord>> {
    let mut records: Vec<ChallengeRecord> = Vec::new();
    let mut last = None;
    for row in rows {
        let n: i64 = row.get(0)?;
        if last != Some(n) {
            last = Some(n);
            records.push(record_of(row)?);
        }
        if let (Some(key), Some(record)) = (row.get(16)?, records.last_mut()) {
            record.purchases.push(purchase_of(row, key)?);
        }
    }
    Ok(records)
}

fn record_of(row: &Row) -> Result<ChallengeRecord> {
    let status: i64 = row.get(8)?;
    let status = match status {
        SOLVED => Status::Solved {
            solution: row.json(9)?,
        },
        FAILED => Status::Failed {
            error: row.json(9)?,
        },
        OPEN => Status::Open { held: row.get(10)? },
        other => return Err(Problem::unreadable(format!("the status {other}"))),
    };
    let digest: &[u8] = row.get(11)?;
    let digest: PictureDigest = digest.try_into().map_err(Problem::unreadable)?;
    let pixels = |column| -> Result<u32> {
        u32::try_from(row.get::<i64>(column)?).map_err(Problem::unreadable)
    };
    let verdict = match row.get::<Option<i64>>(15)? {
        Some(_) => Some(row.code(15, verdict)?),
        None => None,
    };
    let picture: Option<Vec<u8>> = row.get(25)?;
    Ok(ChallengeRecord {
        key: row.get(0)?,
        id: row.get(1)?,
        label: row.get(2)?,
        instruction: row.get(3)?,
        region: row.maybe_json(4)?,
        deadline: row.maybe_time(5)?,
        digest,
        created: row.time(6)?,
        updated: row.time(7)?,
        status,
        note: row.get(12)?,
        width: pixels(13)?,
        height: pixels(14)?,
        verdict,
        purchases: Vec::new(),
        picture: picture.map(Bytes::from),
    })
}

fn purchase_of(row: &Row, key: i64) -> Result<PurchaseRecord> {
    Ok(PurchaseRecord {
        key,
        solver: row.get(17)?,
        job: row.job(18)?,
        state: row.code(19, state)?,
        billed: row.code(20, billed)?,
        cost: row.get::<Option<i64>>(21)?.map(Usd::from_nanos),
        frame: row.maybe_json(22)?,
        begun: row.time(23)?,
        ended: row.maybe_time(24)?,
    })
}
