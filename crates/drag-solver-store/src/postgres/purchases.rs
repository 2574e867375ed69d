//! Statements about what is bought for a challenge, and what came of it.
//!
//! They are of transactions that read what is committed, and what is decided by a row is locked before it is read.

use drag_solver_core::{Billed, JobId, Solution, SolveError, async_trait};
use jiff::Timestamp;

use super::challenges::keep_picture;
use super::db::{Db, to_json};
use super::facts::Noted;
use super::owners::Owner;
use super::problem::Result;
use super::writer::Write;
use crate::codes::{BUYING, FAILED, OPEN, SETTLED, SOLVED, of_billed, of_state, of_usd};
use crate::{Claim, Ended, Fact, NewPurchase, PurchaseRecord};

/// Puts a purchase on record. False if the claim is not the right one any more.
pub(super) struct Begin {
    pub(super) purchase: NewPurchase,
}

#[async_trait]
impl Write for Begin {
    type Told = bool;

    fn undo(&self) -> Option<Fact> {
        Some(Fact::NotBought {
            challenge: self.purchase.claim.challenge,
            key: self.purchase.key,
        })
    }

    async fn write(&self, db: &Db, here: &Owner) -> Result<bool> {
        let new = &self.purchase;
        let frame = new.frame.as_ref().map(to_json).transpose()?;
        // A call that takes the challenge over waits for this, and then sees the purchase.
        let has_it = db
            .maybe(
                "SELECT label FROM challenges WHERE n = $1 AND claim = $2 AND owner IS NOT NULL
                 FOR NO KEY UPDATE",
                &[&new.claim.challenge, &new.claim.key],
            )
            .await?;
        let Some(row) = has_it else { return Ok(false) };
        let label: Option<String> = row.get(0)?;
        db.run(
            "INSERT INTO purchases (key, challenge, label, solver, state, billed, frame, begun)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (key) DO NOTHING",
            &[
                &new.key,
                &new.claim.challenge,
                &label,
                &new.solver,
                &BUYING,
                &of_billed(Billed::Maybe),
                &frame,
                &here.now.as_millisecond(),
            ],
        )
        .await?;
        keep_picture(db, new.claim.challenge, &new.picture).await?;
        Ok(true)
    }
}

/// Writes what has happened to a challenge or a purchase.
pub(super) async fn record(db: &Db, fact: &Fact, now: Timestamp) -> Result<Noted> {
    match fact {
        Fact::GivenBack { id, claim } => {
            let give_back = "UPDATE challenges SET owner = NULL WHERE id = $1 AND claim = $2";
            db.run(give_back, &[id, claim]).await?;
        }
        Fact::NotBought { key, .. } => {
            let delete = "DELETE FROM purchases WHERE key = $1 AND state = 0";
            db.run(delete, &[key]).await?;
        }
        Fact::Bought { key, job, .. } => {
            let name = "UPDATE purchases SET job = $2, state = 1 WHERE key = $1 AND state = 0";
            db.run(name, &[key, &job.as_str()]).await?;
        }
        Fact::Found {
            challenge,
            purchase,
        } => insert_found(db, *challenge, purchase).await?,
        Fact::Settled { ended, .. } => settle(db, ended, now).await?,
        Fact::Finished {
            claim,
            outcome,
            ended,
        } => {
            let told = finish(db, *claim, outcome.as_ref(), now).await?;
            for ended in ended {
                // The answer of a job that was paid for is the other call's to fetch.
                if told.had_claim || !has_job(db, ended.key).await? {
                    settle(db, ended, now).await?;
                }
            }
            release_picture(db, claim.challenge).await?;
            return Ok(told);
        }
        _ => {}
    }
    Ok(Noted {
        had_claim: true,
        ended: None,
    })
}

async fn has_job(db: &Db, purchase: i64) -> Result<bool> {
    let job = "SELECT 1::bigint FROM purchases WHERE key = $1 AND job IS NOT NULL";
    Ok(db.maybe(job, &[&purchase]).await?.is_some())
}

async fn settle(db: &Db, ended: &Ended, now: Timestamp) -> Result<()> {
    db.run(
        "UPDATE purchases SET state = $5, billed = $2, cost = $3, ended = $4 WHERE key = $1",
        &[
            &ended.key,
            &of_billed(ended.billed),
            &ended.cost.map(of_usd),
            &now.as_millisecond(),
            &SETTLED,
        ],
    )
    .await?;
    Ok(())
}

async fn insert_found(db: &Db, challenge: i64, purchase: &PurchaseRecord) -> Result<()> {
    let frame = purchase.frame.as_ref().map(to_json).transpose()?;
    db.run(
        "INSERT INTO purchases
             (key, challenge, label, solver, job, state, billed, cost, frame, begun, ended)
         SELECT $2, n, label, $3, $4, $5, $6, $7, $8, $9, $10 FROM challenges WHERE n = $1
         ON CONFLICT (key) DO NOTHING",
        &[
            &challenge,
            &purchase.key,
            &purchase.solver,
            &purchase.job.as_ref().map(JobId::as_str),
            &of_state(purchase.state),
            &of_billed(purchase.billed),
            &purchase.cost.map(of_usd),
            &frame,
            &purchase.begun.as_millisecond(),
            &purchase.ended.map(Timestamp::as_millisecond),
        ],
    )
    .await?;
    Ok(())
}

/// Whether the call still had the challenge, or has said this before.
async fn finish(
    db: &Db,
    claim: Claim,
    outcome: Option<&std::result::Result<Solution, SolveError>>,
    now: Timestamp,
) -> Result<Noted> {
    let Claim { challenge, key } = claim;
    let (status, outcome) = match outcome {
        Some(Ok(solution)) => (SOLVED, Some(to_json(solution)?)),
        Some(Err(error)) => (FAILED, Some(to_json(error)?)),
        None => (OPEN, None),
    };
    let finished = db
        .maybe(
            "UPDATE challenges SET status = $3::bigint, outcome = $4, owner = NULL,
                 updated = CASE WHEN $3::bigint = 0 THEN updated ELSE $5 END
             WHERE n = $1 AND claim = $2 AND owner IS NOT NULL RETURNING id",
            &[&challenge, &key, &status, &outcome, &now.as_millisecond()],
        )
        .await?;
    if let Some(row) = finished {
        return Ok(Noted {
            had_claim: true,
            ended: row.get(0)?,
        });
    }
    let said = "SELECT 1::bigint FROM challenges WHERE n = $1 AND claim = $2";
    let said = db.maybe(said, &[&challenge, &key]).await?;
    Ok(Noted {
        had_claim: said.is_some(),
        ended: None,
    })
}

/// A paid job needs the picture, and a call that has the challenge may come to one. Of what was accepted there may be
/// no other copy: there it is kept for the call that takes it up, or buys again what may be bought already.
async fn release_picture(db: &Db, challenge: i64) -> Result<()> {
    db.run(
        "DELETE FROM pictures WHERE challenge = $1
             AND EXISTS (SELECT 1 FROM challenges WHERE n = $1 AND (status = 1 OR owner IS NULL
                 AND NOT EXISTS (SELECT 1 FROM purchases WHERE challenge = n AND state = 1)
                 AND (NOT accepted OR status = 2 AND NOT EXISTS (SELECT 1 FROM purchases WHERE challenge = n
                     AND (state = 0 OR state = 2 AND job IS NULL AND billed = 1)))))",
        &[&challenge],
    )
    .await?;
    Ok(())
}
