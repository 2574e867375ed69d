//! Statements about challenges and what was bought for them.
//!
//! They are of transactions that read what is committed, and what is decided by a row is locked before it is read.

use bytes::Bytes;
use drag_solver_core::{JobId, Solution, SolveError, Usd, Verdict, async_trait};
use jiff::Timestamp;

use super::db::{Db, Row, to_json};
use super::facts::Noted;
use super::owners::Owner;
use super::problem::{Problem, Result};
use super::writer::Write;
use crate::codes::{
    BOUGHT, BUYING, FAILED, OPEN, SETTLED, SOLVED, billed, of_billed, of_state, of_status, of_usd,
    of_verdict, state, verdict,
};
use crate::{
    Accepted, ChallengeRecord, Claim, Ended, Fact, KeyLimits, NewPurchase, Opening, PictureDigest,
    PurchaseRecord, Query, Reported, Status, TakenUp,
};

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
            Found::Known(known) if known.digest != opening.digest => {
                return Ok(TakenUp::OtherPicture);
            }
            Found::Known(known) if known.status == SOLVED => {
                let solution = known.row.json(3)?;
                return Ok(TakenUp::Solved(solution));
            }
            Found::Known(Known { n, holder: had, .. }) => {
                if let Some((owner, claim)) = had
                    && claim != key
                    && is_held(db, owner, now).await?
                {
                    return Ok(TakenUp::Held);
                }
                open_again(db, n, opening, holder, now).await?;
                n
            }
        };
        let record = by_key(db, challenge, now).await?;
        Ok(TakenUp::Claimed(Claim { challenge, key }, record))
    }
}

/// Puts a challenge on record for a call to come.
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
                return Ok(Accepted::Known(by_key(db, known.n, now).await?));
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

/// Puts a purchase on record. False if the claim is not the right one any more.
pub(super) struct Begin {
    pub(super) purchase: NewPurchase,
}

#[async_trait]
impl Write for Begin {
    type Told = bool;

    fn undo(&self) -> Option<Fact> {
        Some(Fact::NotBought(self.purchase.key))
    }

    async fn write(&self, db: &Db, here: &Owner) -> Result<bool> {
        let new = &self.purchase;
        let frame = new.frame.as_ref().map(to_json).transpose()?;
        // Whoever takes the challenge over waits for this, and then sees the purchase.
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
                &of_billed(drag_solver_core::Billed::Maybe),
                &frame,
                &here.now.as_millisecond(),
            ],
        )
        .await?;
        keep_picture(db, new.claim.challenge, &new.picture).await?;
        Ok(true)
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

/// What is on record of a challenge, its row locked.
struct Known {
    n: i64,
    digest: Vec<u8>,
    status: i64,
    /// Who has it, and the key of the claim.
    holder: Holder,
    row: Row,
}

type Holder = Option<(i64, i64)>;

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

async fn known(db: &Db, opening: &Opening) -> Result<Option<Known>> {
    let row = db
        .maybe(
            "SELECT n, digest, status, outcome, owner, claim FROM challenges WHERE id = $1
             FOR NO KEY UPDATE",
            &[&opening.id],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let owner: Option<i64> = row.get(4)?;
    Ok(Some(Known {
        n: row.get(0)?,
        digest: row.get(1)?,
        status: row.get(2)?,
        holder: owner.zip(row.get(5)?),
        row,
    }))
}

async fn is_held(db: &Db, owner: i64, now: Timestamp) -> Result<bool> {
    let lease = "SELECT 1::bigint FROM owners WHERE key = $1 AND lease_until > $2";
    let row = db.maybe(lease, &[&owner, &now.as_millisecond()]).await?;
    Ok(row.is_some())
}

async fn keep_picture(db: &Db, challenge: i64, picture: &Bytes) -> Result<()> {
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

/// Writes what has happened to a challenge or a purchase.
pub(super) async fn record(db: &Db, fact: &Fact, now: Timestamp) -> Result<Noted> {
    match fact {
        Fact::GivenBack { id, claim } => {
            let give_back = "UPDATE challenges SET owner = NULL WHERE id = $1 AND claim = $2";
            db.run(give_back, &[id, claim]).await?;
        }
        Fact::NotBought(key) => {
            let delete = "DELETE FROM purchases WHERE key = $1 AND state = 0";
            db.run(delete, &[key]).await?;
        }
        Fact::Bought { key, job } => {
            let name = "UPDATE purchases SET job = $2, state = 1 WHERE key = $1 AND state = 0";
            db.run(name, &[key, &job.as_str()]).await?;
        }
        Fact::Found {
            challenge,
            purchase,
        } => insert_found(db, *challenge, purchase).await?,
        Fact::Settled(ended) => settle(db, ended, now).await?,
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
/// no other copy: there it is kept for whoever takes it up, or buys again what may be bought already.
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

/// Challenges with their purchases, a row for each: of one moment, as it is one statement. `$1` is the time now.
const SELECT: &str = "SELECT c.n, c.id, c.label, c.instruction, c.region, c.deadline, c.created, c.updated, c.status,
        c.outcome, EXISTS (SELECT 1 FROM owners WHERE owners.key = c.owner AND lease_until > $1), c.digest, c.note,
        c.width, c.height, c.verdict,
        p.key, p.solver, p.job, p.state, p.billed, p.cost, p.frame, p.begun, p.ended,
        CASE WHEN $2::boolean THEN (SELECT file FROM pictures WHERE challenge = c.n) END
    FROM challenges AS c LEFT JOIN purchases AS p ON p.challenge = c.n";

const ORDER: &str = "ORDER BY c.n, p.begun, p.key";

async fn by_key(db: &Db, n: i64, now: Timestamp) -> Result<ChallengeRecord> {
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
