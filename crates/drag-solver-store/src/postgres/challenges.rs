//! Statements about who has a challenge, and what is accepted.
//!
//! They are of transactions that read what is committed, and what is decided by a row is locked before it is read.

use bytes::Bytes;
use drag_solver_core::{Verdict, async_trait};
use jiff::Timestamp;

use super::db::{Db, to_json};
use super::owners::Owner;
use super::problem::{Problem, Result};
use super::records;
use super::writer::Write;
use crate::codes::{BOUGHT, FAILED, OPEN, SOLVED, of_verdict, verdict};
use crate::known::{Holder, Known};
use crate::{Accepted, Claim, Fact, KeyLimits, Opening, Reported, TakenUp};

/// Takes a challenge up.
pub(super) struct TakeUp {
    pub(super) opening: Opening,
}

#[async_trait]
impl Write for TakeUp {
    type Told = TakenUp;

    fn undo(&self) -> Option<Fact> {
        Some(Fact::GivenBack {
            id: self.opening.id.clone(),
            claim: self.opening.claim,
        })
    }

    async fn write(&self, db: &Db, here: &Owner) -> Result<TakenUp> {
        let (opening, key, now) = (&self.opening, self.opening.claim, here.now);
        let holder = Some((here.key, key));
        let challenge = match known_or_new(db, opening, holder, now).await? {
            Found::New(n) => n,
            Found::Known(known) => {
                let ended = known.ended(&opening.digest);
                if let Some(ended) = ended.map_err(Problem::unreadable)? {
                    return Ok(ended);
                }
                if let Some((owner, claim)) = known.holder
                    && claim != key
                    && is_held(db, owner, now).await?
                {
                    return Ok(TakenUp::Held);
                }
                open_again(db, known.n, opening, holder, now).await?;
                known.n
            }
        };
        let record = records::by_key(db, challenge, now).await?;
        Ok(TakenUp::Claimed(Claim { challenge, key }, record))
    }
}

/// Puts a challenge on record for a call to come.
///
/// If it is unknown whether it was written, it is not taken back: a gateway that reads it says that it is accepted, without
/// writing anything that would tell.
pub(super) struct Accept {
    pub(super) opening: Opening,
    pub(super) picture: Bytes,
    pub(super) limits: KeyLimits,
}

#[async_trait]
impl Write for Accept {
    type Told = Accepted;

    fn turn(&self) -> Option<String> {
        let is_limited = self.limits.parallel.is_some() || self.limits.rate.is_some();
        is_limited.then(|| format!("label/{}", self.label()))
    }

    async fn write(&self, db: &Db, here: &Owner) -> Result<Accepted> {
        let (opening, now) = (&self.opening, here.now);
        let known = known(db, opening).await?;
        let is_new = known.as_ref().is_none_or(|known| known.status == FAILED);
        let is_same = known
            .as_ref()
            .is_none_or(|known| known.digest == opening.digest);
        if is_new
            && is_same
            && let Some(refused) = self.admit(db, now).await?
        {
            return Ok(refused);
        }
        let found = match known {
            None => known_or_new(db, opening, None, now).await?,
            Some(known) => Found::Known(known),
        };
        let challenge = match found {
            Found::New(n) => n,
            Found::Known(known) if known.digest != opening.digest => {
                return Ok(Accepted::OtherPicture);
            }
            Found::Known(known) if known.status == FAILED => {
                open_again(db, known.n, opening, None, now).await?;
                known.n
            }
            Found::Known(known) => {
                return Ok(Accepted::Known(records::by_key(db, known.n, now).await?));
            }
        };
        let accepted = "UPDATE challenges SET accepted = TRUE WHERE n = $1";
        db.run(accepted, &[&challenge]).await?;
        keep_picture(db, challenge, &self.picture).await?;
        Ok(Accepted::New)
    }

    fn again(&self, first: Accepted, again: Accepted) -> Accepted {
        match (first, again) {
            (Accepted::New, Accepted::Known(_)) => Accepted::New,
            (_, again) => again,
        }
    }
}

impl Accept {
    fn label(&self) -> &str {
        self.opening.label.as_deref().unwrap_or_default()
    }

    /// Why no other challenge of this label may be accepted now; else it counts from here on.
    async fn admit(&self, db: &Db, now: Timestamp) -> Result<Option<Accepted>> {
        let label = self.label();
        if let Some(most) = self.limits.parallel {
            let open = "SELECT COUNT(*) FROM challenges WHERE label = $1 AND status = 0";
            let open: i64 = db.row(open, &[&label]).await?.get(0)?;
            if open >= i64::from(most.get()) {
                return Ok(Some(Accepted::TooMany));
            }
        }
        let Some(rate) = self.limits.rate else {
            return Ok(None);
        };
        let last = "SELECT free_at FROM turns WHERE name = $1";
        let last = db.maybe(last, &[&label]).await?;
        let last = last.map(|row| row.get(0)).transpose()?;
        let Some(next) = rate.turn(last, now) else {
            return Ok(Some(Accepted::TooFast));
        };
        db.run(
            "INSERT INTO turns (name, free_at) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET free_at = EXCLUDED.free_at",
            &[&label, &next],
        )
        .await?;
        Ok(None)
    }
}

/// Notes whether an answer was right. The first verdict stays.
pub(super) struct Report {
    pub(super) id: String,
    pub(super) verdict: Verdict,
}

#[async_trait]
impl Write for Report {
    type Told = Reported;

    async fn write(&self, db: &Db, _here: &Owner) -> Result<Reported> {
        let first = db
            .run(
                "UPDATE challenges SET verdict = $2 WHERE id = $1 AND status = $3 AND verdict IS NULL",
                &[&self.id, &of_verdict(self.verdict), &SOLVED],
            )
            .await?;
        if first == 1 {
            return Ok(Reported::First);
        }
        let known = "SELECT verdict FROM challenges WHERE id = $1";
        let Some(row) = db.maybe(known, &[&self.id]).await? else {
            return Ok(Reported::Unknown);
        };
        let first: Option<i64> = row.get(0)?;
        Ok(match first {
            None => Reported::NotSolved,
            Some(_) => Reported::Again(row.code(0, verdict)?),
        })
    }

    fn again(&self, first: Reported, again: Reported) -> Reported {
        match (first, again) {
            (Reported::First, Reported::Again(verdict)) if verdict == self.verdict => {
                Reported::First
            }
            (_, again) => again,
        }
    }
}

/// Forgets what is old enough, some of it at a time: those before `finished` that have ended, and all before `old`.
pub(super) async fn forget(
    db: &Db,
    finished: i64,
    old: i64,
    now: Timestamp,
    most: i64,
) -> Result<u64> {
    db.run(
        "DELETE FROM challenges WHERE n IN (SELECT n FROM challenges WHERE updated < $1
             AND (owner IS NULL OR owner NOT IN (SELECT key FROM owners WHERE lease_until > $2))
             AND (updated < $3 OR status = 1 OR (status = 2 OR NOT accepted)
                 AND NOT EXISTS (SELECT 1 FROM purchases WHERE challenge = n
                     AND (state <> 2 OR job IS NULL AND billed = 1)))
             LIMIT $4 FOR UPDATE SKIP LOCKED)",
        &[&finished, &now.as_millisecond(), &old, &most],
    )
    .await
}

enum Found {
    Known(Known),
    New(i64),
}

async fn known_or_new(db: &Db, opening: &Opening, holder: Holder, now: Timestamp) -> Result<Found> {
    loop {
        if let Some(known) = known(db, opening).await? {
            return Ok(Found::Known(known));
        }
        // Another process may do so at the same time: then it is known.
        if let Some(n) = insert(db, opening, holder, now).await? {
            return Ok(Found::New(n));
        }
    }
}

/// What is on record of it, its row locked.
async fn known(db: &Db, opening: &Opening) -> Result<Option<Known>> {
    let row = db
        .maybe(
            "SELECT n, digest, status, outcome, owner, claim,
                 accepted AND NOT EXISTS (SELECT 1 FROM purchases WHERE challenge = n AND state = $2)
             FROM challenges WHERE id = $1 FOR NO KEY UPDATE",
            &[&opening.id, &BOUGHT],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let owner: Option<i64> = row.get(4)?;
    Ok(Some(Known {
        n: row.get(0)?,
        digest: row.get(1)?,
        status: row.get(2)?,
        outcome: row.get(3)?,
        is_for_accept: row.get(6)?,
        holder: owner.zip(row.get(5)?),
    }))
}

async fn is_held(db: &Db, owner: i64, now: Timestamp) -> Result<bool> {
    let lease = "SELECT 1::bigint FROM owners WHERE key = $1 AND lease_until > $2";
    let row = db.maybe(lease, &[&owner, &now.as_millisecond()]).await?;
    Ok(row.is_some())
}

pub(super) async fn keep_picture(db: &Db, challenge: i64, picture: &Bytes) -> Result<()> {
    let keep = "INSERT INTO pictures (challenge, file) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    db.run(keep, &[&challenge, &&picture[..]]).await?;
    Ok(())
}

async fn insert(db: &Db, opening: &Opening, holder: Holder, now: Timestamp) -> Result<Option<i64>> {
    let region = opening.region.as_ref().map(to_json).transpose()?;
    let (owner, claim) = holder.unzip();
    let inserted = db
        .maybe(
            "INSERT INTO challenges
                 (id, label, digest, instruction, region, deadline, created, updated, status, owner, claim,
                  note, width, height)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, $11, $12, $13)
             ON CONFLICT (id) DO NOTHING RETURNING n",
            &[
                &opening.id,
                &opening.label,
                &&opening.digest[..],
                &opening.instruction,
                &region,
                &opening.deadline.map(Timestamp::as_millisecond),
                &now.as_millisecond(),
                &OPEN,
                &owner,
                &claim,
                &opening.note,
                &i64::from(opening.width),
                &i64::from(opening.height),
            ],
        )
        .await?;
    inserted.map(|row| row.get(0)).transpose()
}

/// What was paid for is in pixels of the region it was bought with: a new region counts only where nothing
/// is left to fetch.
async fn open_again(
    db: &Db,
    challenge: i64,
    opening: &Opening,
    holder: Holder,
    now: Timestamp,
) -> Result<()> {
    let region = opening.region.as_ref().map(to_json).transpose()?;
    let (owner, claim) = holder.unzip();
    db.run(
        "UPDATE challenges SET owner = $2, claim = $3, updated = $4, status = $5, outcome = NULL,
             deadline = $6, instruction = $7, label = $8, note = COALESCE($11, note),
             region = CASE WHEN EXISTS (SELECT 1 FROM purchases WHERE challenge = n AND state = $10)
                 THEN region ELSE $9 END
         WHERE n = $1",
        &[
            &challenge,
            &owner,
            &claim,
            &now.as_millisecond(),
            &OPEN,
            &opening.deadline.map(Timestamp::as_millisecond),
            &opening.instruction,
            &opening.label,
            &region,
            &BOUGHT,
            &opening.note,
        ],
    )
    .await?;
    Ok(())
}
