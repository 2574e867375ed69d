//! Statements about what is bought for a challenge, and what came of it.

use drag_solver_core::{Billed, JobId, Solution, SolveError};
use jiff::Timestamp;
use rusqlite::{Connection, Result, params};

use super::challenges::keep_picture;
use super::values::to_json;
use crate::codes::{BUYING, FAILED, OPEN, SOLVED, of_billed, of_state, of_usd};
use crate::{Claim, Ended, Fact, NewPurchase, PurchaseRecord};

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
            of_billed(Billed::Maybe),
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
        Fact::NotBought { key, .. } => {
            db.prepare_cached("DELETE FROM purchases WHERE key = ? AND state = 0")?
                .execute([key])?;
        }
        Fact::Bought { key, job, .. } => {
            db.prepare_cached(
                "UPDATE purchases SET job = ?2, state = 1 WHERE key = ?1 AND state = 0",
            )?
            .execute(params![key, job.as_str()])?;
        }
        Fact::Found {
            challenge,
            purchase,
        } => insert_found(db, *challenge, purchase)?,
        Fact::Settled { ended, .. } => settle(db, ended, now)?,
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
    // no other copy: there it is kept for the call that takes it up, or buys again what may be bought already.
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
