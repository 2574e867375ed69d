//! Statements about who has a challenge, and what is accepted.

use drag_solver_core::Verdict;
use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Result, params};

use super::owners::is_held;
use super::records;
use super::values::{code, to_json, unreadable};
use crate::codes::{BOUGHT, FAILED, OPEN, SOLVED, of_verdict, verdict};
use crate::known::{Holder, Known};
use crate::{Accepted, Claim, KeyLimits, Opening, Reported, TakenUp};

pub(super) fn take_up(
    db: &Connection,
    opening: &Opening,
    owner: i64,
    now: Timestamp,
) -> Result<TakenUp> {
    let known = db
        .prepare_cached(
            "SELECT n, digest, status, outcome, owner, claim,
                 accepted AND NOT EXISTS (SELECT 1 FROM purchases WHERE challenge = n AND state = ?)
             FROM challenges WHERE id = ?",
        )?
        .query_row(params![BOUGHT, opening.id], |row| {
            let owner: Option<i64> = row.get(4)?;
            Ok(Known {
                n: row.get(0)?,
                digest: row.get(1)?,
                status: row.get(2)?,
                outcome: row.get(3)?,
                is_for_accept: row.get(6)?,
                holder: owner.zip(row.get(5)?),
            })
        })
        .optional()?;
    let key = opening.claim;
    let challenge = if let Some(known) = known {
        let ended = known.ended(&opening.digest);
        if let Some(ended) = ended.map_err(|error| unreadable(3, Type::Text, error))? {
            return Ok(ended);
        }
        if let Some((holder, claim)) = known.holder
            && claim != key
            && is_held(db, holder, now)?
        {
            return Ok(TakenUp::Held);
        }
        open_again(db, known.n, opening, Some((owner, key)), now)?;
        known.n
    } else {
        insert(db, opening, Some((owner, key)), now)?
    };
    let record = records::by_key(db, challenge, now)?;
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
        Some((n, ..)) => return Ok(Accepted::Known(records::by_key(db, n, now)?)),
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

pub(super) fn keep_picture(db: &Connection, challenge: i64, picture: &[u8]) -> Result<()> {
    db.prepare_cached("INSERT OR IGNORE INTO pictures (challenge, file) VALUES (?, ?)")?
        .execute(params![challenge, picture])?;
    Ok(())
}

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
