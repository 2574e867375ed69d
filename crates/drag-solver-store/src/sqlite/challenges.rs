//! Statements about challenges and what was bought for them.

use drag_solver_core::{JobId, Solution, SolveError, Verdict};
use jiff::Timestamp;
use rusqlite::types::{FromSqlError, Type};
use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};

use super::owners::is_held;
use super::values::{code, from_json, time, to_json, unreadable};
use crate::codes::{
    BOUGHT, BUYING, FAILED, OPEN, SOLVED, billed, of_billed, of_state, of_status, of_usd,
    of_verdict, state, verdict,
};
use crate::{
    Accepted, ChallengeRecord, Claim, Ended, Fact, KeyLimits, NewPurchase, Opening, PurchaseRecord,
    Query, Reported, Status, TakenUp,
};

pub(super) fn take_up(
    db: &Connection,
    opening: &Opening,
    owner: i64,
    now: Timestamp,
) -> Result<TakenUp> {
    let known = db
        .prepare_cached(
            "SELECT n, digest, status, outcome, owner, claim FROM challenges WHERE id = ?",
        )?
        .query_row([&opening.id], |row| {
            let digest: Vec<u8> = row.get(1)?;
            let status: i64 = row.get(2)?;
            let owner: Option<i64> = row.get(4)?;
            let claim: Option<i64> = row.get(5)?;
            let holder = owner.zip(claim);
            Ok((row.get(0)?, digest, status, row.get(3)?, holder))
        })
        .optional()?;
    let key = opening.claim;
    let challenge = match known {
        None => insert(db, opening, Some((owner, key)), now)?,
        Some((_, digest, ..)) if digest != opening.digest => return Ok(TakenUp::OtherPicture),
        Some((_, _, SOLVED, outcome, _)) => {
            let outcome: Option<String> = outcome;
            let solution = from_json(3, &outcome.unwrap_or_default())?;
            return Ok(TakenUp::Solved(solution));
        }
        Some((n, _, _, _, holder)) => {
            if let Some((holder, claim)) = holder
                && claim != key
                && is_held(db, holder, now)?
            {
                return Ok(TakenUp::Held);
            }
            open_again(db, n, opening, Some((owner, key)), now)?;
            n
        }
    };
    let record = by_key(db, challenge, now)?;
    Ok(TakenUp::Claimed(Claim { challenge, key }, record))
}

pub(super) fn accept(
    db: &Connection,
    opening: &Opening,
    picture: &[u8],
    limits: &KeyLimits,
    now: Timestamp,
) -> Result<Accepted> {
    let known = db
        .prepare_cached("SELECT n, digest, status FROM challenges WHERE id = ?")?
        .query_row([&opening.id], |row| {
            let digest: Vec<u8> = row.get(1)?;
            Ok((row.get(0)?, digest, row.get(2)?))
        })
        .optional()?;
    let failed: Option<i64> = match known {
        None => None,
        Some((_, digest, _)) if digest != opening.digest => return Ok(Accepted::OtherPicture),
        Some((n, _, FAILED)) => Some(n),
        Some((n, ..)) => return Ok(Accepted::Known(by_key(db, n, now)?)),
    };
    if let Some(refused) = admit(db, opening, limits, now)? {
        return Ok(refused);
    }
    let challenge = if let Some(n) = failed {
        open_again(db, n, opening, None, now)?;
        n
    } else {
        insert(db, opening, None, now)?
    };
    db.prepare_cached("UPDATE challenges SET accepted = 1 WHERE n = ?")?
        .execute([challenge])?;
    keep_picture(db, challenge, picture)?;
    Ok(Accepted::New)
}

/// Why no other challenge of this label may be accepted now; else it counts from here on.
fn admit(
    db: &Connection,
    opening: &Opening,
    limits: &KeyLimits,
    now: Timestamp,
) -> Result<Option<Accepted>> {
    let label = opening.label.as_deref().unwrap_or_default();
    if let Some(most) = limits.parallel {
        let open: u32 = db
            .prepare_cached("SELECT COUNT(*) FROM challenges WHERE label = ? AND status = 0")?
            .query_row([label], |row| row.get(0))?;
        if open >= most.get() {
            return Ok(Some(Accepted::TooMany));
        }
    }
    let Some(rate) = limits.rate else {
        return Ok(None);
    };
    let last: Option<i64> = db
        .prepare_cached("SELECT free_at FROM turns WHERE name = ?")?
        .query_row([label], |row| row.get(0))
        .optional()?;
    let Some(next) = rate.turn(last, now) else {
        return Ok(Some(Accepted::TooFast));
    };
    db.prepare_cached("INSERT OR REPLACE INTO turns (name, free_at) VALUES (?, ?)")?
        .execute(params![label, next])?;
    Ok(None)
}

fn keep_picture(db: &Connection, challenge: i64, picture: &[u8]) -> Result<()> {
    db.prepare_cached("INSERT OR IGNORE INTO pictures (challenge, file) VALUES (?, ?)")?
        .execute(params![challenge, picture])?;
    Ok(())
}

/// Who has a challenge, and the key of the claim.
type Holder = Option<(i64, i64)>;

fn insert(db: &Connection, opening: &Opening, holder: Holder, now: Timestamp) -> Result<i64> {
    let region = opening.region.as_ref().map(to_json).transpose()?;
    db.prepare_cached(
        "INSERT INTO challenges
             (id, label, digest, instruction, region, deadline, created, updated, status, owner, claim,
              note, width, height)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        opening.id,
        opening.label,
        opening.digest,
        opening.instruction,
        region,
        opening.deadline.map(Timestamp::as_millisecond),
        now.as_millisecond(),
        OPEN,
        holder.map(|(owner, _)| owner),
        holder.map(|(_, key)| key),
        opening.note,
        opening.width,
        opening.height
    ])?;
    Ok(db.last_insert_rowid())
}

/// What was paid for is in pixels of the region it was bought with: a new region counts only where nothing
/// is left to fetch.
fn open_again(
    db: &Connection,
    challenge: i64,
    opening: &Opening,
    holder: Holder,
    now: Timestamp,
) -> Result<()> {
    let region = opening.region.as_ref().map(to_json).transpose()?;
    db.prepare_cached(
        "UPDATE challenges SET owner = ?2, claim = ?3, updated = ?4, status = ?5, outcome = NULL,
             deadline = ?6, instruction = ?7, label = ?8, note = COALESCE(?11, note),
             region = IIF(EXISTS (SELECT 1 FROM purchases WHERE challenge = n AND state = ?10), region, ?9)
         WHERE n = ?1",
    )?
    .execute(params![
        challenge,
        holder.map(|(owner, _)| owner),
        holder.map(|(_, key)| key),
        now.as_millisecond(),
        OPEN,
        opening.deadline.map(Timestamp::as_millisecond),
        opening.instruction,
        opening.label,
        region,
        BOUGHT,
        opening.note
    ])?;
    Ok(())
}

/// Whether the claim still was the right one: only then the purchase is on record.
pub(super) fn begin_purchase(db: &Connection, new: &NewPurchase, now: Timestamp) -> Result<bool> {
    let frame = new.frame.as_ref().map(to_json).transpose()?;
    let begun = db
        .prepare_cached(
            "INSERT INTO purchases (key, challenge, label, solver, state, billed, frame, begun)
             SELECT ?3, n, label, ?4, ?5, ?6, ?7, ?8 FROM challenges
                 WHERE n = ?1 AND claim = ?2 AND owner IS NOT NULL",
        )?
        .execute(params![
            new.claim.challenge,
            new.claim.key,
            new.key,
            new.solver,
            BUYING,
            of_billed(drag_solver_core::Billed::Maybe),
            frame,
            now.as_millisecond()
        ])?;
    if begun == 0 {
        return Ok(false);
    }
    keep_picture(db, new.claim.challenge, &new.picture)?;
    Ok(true)
}

/// Writes what has happened to a challenge or a purchase. False if it was not for this call to say any more.
pub(super) fn record(db: &Connection, fact: &Fact, now: Timestamp) -> Result<bool> {
    match fact {
        Fact::GivenBack { id, claim } => {
            db.prepare_cached("UPDATE challenges SET owner = NULL WHERE id = ?1 AND claim = ?2")?
                .execute(params![id, claim])?;
        }
        Fact::NotBought(key) => {
            db.prepare_cached("DELETE FROM purchases WHERE key = ? AND state = 0")?
                .execute([key])?;
        }
        Fact::Bought { key, job } => {
            db.prepare_cached(
                "UPDATE purchases SET job = ?2, state = 1 WHERE key = ?1 AND state = 0",
            )?
            .execute(params![key, job.as_str()])?;
        }
        Fact::Found {
            challenge,
            purchase,
        } => insert_found(db, *challenge, purchase)?,
        Fact::Settled(ended) => settle(db, ended, now)?,
        Fact::Finished {
            claim,
            outcome,
            ended,
        } => {
            let had_it = finish(db, *claim, outcome.as_ref(), now)?;
            for ended in ended {
                // The answer of a job that was paid for is the other call's to fetch.
                if had_it || !has_job(db, ended.key)? {
                    settle(db, ended, now)?;
                }
            }
            release_picture(db, claim.challenge)?;
            return Ok(had_it);
        }
        _ => {}
    }
    Ok(true)
}

fn has_job(db: &Connection, purchase: i64) -> Result<bool> {
    db.prepare_cached("SELECT 1 FROM purchases WHERE key = ? AND job IS NOT NULL")?
        .exists([purchase])
}

fn settle(db: &Connection, ended: &Ended, now: Timestamp) -> Result<()> {
    db.prepare_cached(
        "UPDATE purchases SET state = 2, billed = ?2, cost = ?3, ended = ?4 WHERE key = ?1",
    )?
    .execute(params![
        ended.key,
        of_billed(ended.billed),
        ended.cost.map(of_usd),
        now.as_millisecond()
    ])?;
    Ok(())
}

fn insert_found(db: &Connection, challenge: i64, purchase: &PurchaseRecord) -> Result<()> {
    let frame = purchase.frame.as_ref().map(to_json).transpose()?;
    db.prepare_cached(
        "INSERT OR IGNORE INTO purchases
             (key, challenge, label, solver, job, state, billed, cost, frame, begun, ended)
         SELECT ?2, n, label, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 FROM challenges WHERE n = ?1",
    )?
    .execute(params![
        challenge,
        purchase.key,
        purchase.solver,
        purchase.job.as_ref().map(JobId::as_str),
        of_state(purchase.state),
        of_billed(purchase.billed),
        purchase.cost.map(of_usd),
        frame,
        purchase.begun.as_millisecond(),
        purchase.ended.map(Timestamp::as_millisecond)
    ])?;
    Ok(())
}

/// Whether the call still had the challenge, or has said this before.
fn finish(
    db: &Connection,
    claim: Claim,
    outcome: Option<&std::result::Result<Solution, SolveError>>,
    now: Timestamp,
) -> Result<bool> {
    let Claim { challenge, key } = claim;
    let (status, outcome) = match outcome {
        Some(Ok(solution)) => (SOLVED, Some(to_json(solution)?)),
        Some(Err(error)) => (FAILED, Some(to_json(error)?)),
        None => (OPEN, None),
    };
    db.prepare_cached(
        "UPDATE challenges SET status = ?3, outcome = ?4, owner = NULL,
             updated = IIF(?3 = 0, updated, ?5)
         WHERE n = ?1 AND claim = ?2 AND owner IS NOT NULL",
    )?
    .execute(params![
        challenge,
        key,
        status,
        outcome,
        now.as_millisecond()
    ])?;
    db.prepare_cached("SELECT 1 FROM challenges WHERE n = ?1 AND claim = ?2")?
        .exists([challenge, key])
}

fn release_picture(db: &Connection, challenge: i64) -> Result<()> {
    // A paid job needs the picture, and a call that has the challenge may come to one. Of what was accepted there may be
    // no other copy: there it is kept for whoever takes it up, or buys again what may be bought already.
    db.prepare_cached(
        "DELETE FROM pictures WHERE challenge = ?1
             AND EXISTS (SELECT 1 FROM challenges WHERE n = ?1 AND (status = 1 OR owner IS NULL
                 AND NOT EXISTS (SELECT 1 FROM purchases WHERE challenge = n AND state = 1)
                 AND (accepted = 0 OR status = 2 AND NOT EXISTS (SELECT 1 FROM purchases WHERE challenge = n
                     AND (state = 0 OR state = 2 AND job IS NULL AND billed = 1)))))",
    )?
    .execute([challenge])?;
    Ok(())
}

const COLUMNS: &str =
    "n, id, label, instruction, region, deadline, created, updated, status, outcome, owner, digest,
     note, width, height, verdict";

fn by_key(db: &Connection, n: i64, now: Timestamp) -> Result<ChallengeRecord> {
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

/// The first verdict stays.
pub(super) fn report(db: &Connection, id: &str, told: Verdict) -> Result<Reported> {
    let first = db
        .prepare_cached(
            "UPDATE challenges SET verdict = ?2 WHERE id = ?1 AND status = ?3 AND verdict IS NULL",
        )?
        .execute(params![id, of_verdict(told), SOLVED])?;
    if first == 1 {
        return Ok(Reported::First);
    }
    let known = db
        .prepare_cached("SELECT verdict FROM challenges WHERE id = ?")?
        .query_row([id], |row| row.get::<_, Option<i64>>(0))
        .optional()?;
    Ok(match known {
        None => Reported::Unknown,
        Some(None) => Reported::NotSolved,
        Some(Some(first)) => Reported::Again(code(first, verdict)?),
    })
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
            cost: row
                .get::<_, Option<i64>>(5)?
                .map(drag_solver_core::Usd::from_nanos),
            frame: frame.map(|text| from_json(6, &text)).transpose()?,
            begun: time(row.get(7)?)?,
            ended: ended.map(time).transpose()?,
        })
    })?;
    rows.collect()
}
