//! Statements about budgets.
//!
//! Those that look whether there is money have their turn, one after the other for each budget.

use drag_solver_core::{JobId, Usd, async_trait};
use jiff::Timestamp;

use super::db::{Db, Row};
use super::owners::Owner;
use super::problem::Result;
use super::writer::Write;
use crate::codes::of_usd;
use crate::money::QUARTER_SECONDS;
use crate::{BudgetState, Charge, Fact, Limit, Shortage, Spending, SpendingBy, SpendingQuery};

/// What those who spend from a budget take turns by.
pub(super) fn turn(budget: &str) -> String {
    format!("budget/{budget}")
}

/// Sets money aside.
pub(super) struct Reserve {
    pub(super) key: i64,
    pub(super) budget: String,
    pub(super) amount: Usd,
    pub(super) limits: Vec<Limit>,
}

#[async_trait]
impl Write for Reserve {
    type Told = Option<Shortage>;

    fn turn(&self) -> Option<String> {
        Some(turn(&self.budget))
    }

    fn undo(&self) -> Option<Fact> {
        Some(Fact::Released(self.key))
    }

    async fn write(&self, db: &Db, here: &Owner) -> Result<Option<Shortage>> {
        let there = "SELECT 1::bigint FROM reservations WHERE key = $1";
        if db.maybe(there, &[&self.key]).await?.is_some() {
            return Ok(None);
        }
        let (account, amount) = (account(db, &self.budget, here.now), of_usd(self.amount));
        if let Some(shortage) = account.check(amount, &self.limits).await? {
            return Ok(Some(shortage));
        }
        db.run(
            "INSERT INTO reservations (key, budget, owner, amount) VALUES ($1, $2, $3, $4)",
            &[&self.key, &self.budget, &here.key, &amount],
        )
        .await?;
        Ok(None)
    }
}

/// Spends money.
pub(super) struct Spend {
    pub(super) charge: Charge,
    pub(super) limits: Vec<Limit>,
}

#[async_trait]
impl Write for Spend {
    type Told = Option<Shortage>;

    fn turn(&self) -> Option<String> {
        Some(turn(&self.charge.budget))
    }

    fn undo(&self) -> Option<Fact> {
        Some(Fact::ChargeSettled {
            budget: self.charge.budget.clone(),
            key: self.charge.key,
            amount: Usd::ZERO,
        })
    }

    async fn write(&self, db: &Db, here: &Owner) -> Result<Option<Shortage>> {
        let charge = &self.charge;
        let there = "SELECT 1::bigint FROM charges WHERE key = $1";
        if db.maybe(there, &[&charge.key]).await?.is_some() {
            return Ok(None);
        }
        let account = account(db, &charge.budget, here.now);
        let amount = of_usd(charge.amount).max(0);
        let reserved = account.take_reserved(charge.reservation, amount).await?;
        // What was set aside is there; if it is not enough, all of it counts like any other money.
        if amount > reserved
            && let Some(shortage) = account.check(amount, &self.limits).await?
        {
            account.put_back(charge.reservation, reserved).await?;
            return Ok(Some(shortage));
        }
        let spent = account.spend(charge.key, &charge.solver, None, true, amount);
        spent.await?;
        Ok(None)
    }
}

/// Where one statement finds what it is about.
pub(super) struct Account<'a> {
    db: &'a Db,
    budget: &'a str,
    now: Timestamp,
}

pub(super) fn account<'a>(db: &'a Db, budget: &'a str, now: Timestamp) -> Account<'a> {
    Account { db, budget, now }
}

impl Account<'_> {
    async fn spent_since(&self, since: Option<Timestamp>) -> Result<i64> {
        let Some(since) = since else {
            let spent = "SELECT spent FROM budgets WHERE name = $1";
            let row = self.db.maybe(spent, &[&self.budget]).await?;
            return row.map_or(Ok(0), |row| row.get(0));
        };
        let spent = "SELECT SUM(amount)::text FROM charges WHERE budget = $1 AND at > $2";
        let since = since.as_millisecond();
        sum(&self.db.row(spent, &[&self.budget, &since]).await?, 0)
    }

    /// What calls of living processes have set aside.
    async fn reserved(&self) -> Result<i64> {
        let reserved = "SELECT SUM(amount)::text FROM reservations
             WHERE budget = $1 AND owner IN (SELECT key FROM owners WHERE lease_until > $2)";
        let now = self.now.as_millisecond();
        sum(&self.db.row(reserved, &[&self.budget, &now]).await?, 0)
    }

    /// Whether each of the limits allows to spend `amount` more.
    async fn check(&self, amount: i64, limits: &[Limit]) -> Result<Option<Shortage>> {
        if limits.is_empty() {
            return Ok(None);
        }
        let reserved = self.reserved().await?;
        for (index, limit) in limits.iter().enumerate() {
            let spent = self.spent_since(limit.since).await?;
            if let Some(missing) = limit.missing(amount, spent, reserved) {
                let frees_at = match limit.since {
                    Some(since) => self.frees_at(missing, since).await?,
                    None => None,
                };
                return Ok(Some(Shortage::of(index, spent, reserved, frees_at)));
            }
        }
        Ok(None)
    }

    /// When the last of the first so much since then was spent.
    async fn frees_at(&self, missing: i64, since: Timestamp) -> Result<Option<Timestamp>> {
        let row = self
            .db
            .maybe(
                "SELECT at FROM (SELECT at, SUM(amount) OVER (ORDER BY at, amount, key
                     ROWS UNBOUNDED PRECEDING) AS up_to FROM charges WHERE budget = $1 AND at > $2) AS sums
                 WHERE up_to >= $3::bigint ORDER BY at LIMIT 1",
                &[&self.budget, &since.as_millisecond(), &missing],
            )
            .await?;
        row.map(|row| row.time(0)).transpose()
    }

    /// Takes up to `amount` out of a reservation, and says how much was there.
    async fn take_reserved(&self, reservation: Option<i64>, amount: i64) -> Result<i64> {
        let Some(key) = reservation else {
            return Ok(0);
        };
        let there = "SELECT amount FROM reservations WHERE key = $1
             AND owner IN (SELECT key FROM owners WHERE lease_until > $2)";
        let row = self
            .db
            .maybe(there, &[&key, &self.now.as_millisecond()])
            .await?;
        let there: Option<i64> = row.map(|row| row.get(0)).transpose()?;
        let taken = there.unwrap_or(0).clamp(0, amount);
        self.put_back(reservation, -taken).await?;
        Ok(taken)
    }

    async fn put_back(&self, reservation: Option<i64>, amount: i64) -> Result<()> {
        if amount != 0 {
            let put = "UPDATE reservations SET amount = amount + $2 WHERE key = $1";
            self.db.run(put, &[&reservation, &amount]).await?;
        }
        Ok(())
    }

    async fn spend(
        &self,
        key: i64,
        solver: &str,
        job: Option<&str>,
        open: bool,
        amount: i64,
    ) -> Result<()> {
        let spent = self
            .db
            .run(
                "INSERT INTO charges (key, budget, at, amount, solver, job, open)
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (key) DO NOTHING",
                &[
                    &key,
                    &self.budget,
                    &self.now.as_millisecond(),
                    &amount,
                    &solver,
                    &job,
                    &open,
                ],
            )
            .await?;
        if spent == 1 {
            add_to_total(self.db, self.budget, amount).await?;
        }
        Ok(())
    }

    pub(super) async fn state(&self, since: &[Timestamp]) -> Result<BudgetState> {
        let mut state = BudgetState {
            spent: Usd::from_nanos(self.spent_since(None).await?),
            reserved: Usd::from_nanos(self.reserved().await?),
            since: Vec::new(),
        };
        for &since in since {
            let spent = self.spent_since(Some(since)).await?;
            state.since.push(Usd::from_nanos(spent));
        }
        Ok(state)
    }
}

/// A sum, which is never too large for the server: the nearest there is for us.
fn sum(row: &Row, column: usize) -> Result<i64> {
    let Some(text) = row.get::<Option<&str>>(column)? else {
        return Ok(0);
    };
    let nearest = if text.starts_with('-') {
        i64::MIN
    } else {
        i64::MAX
    };
    Ok(text.parse().unwrap_or(nearest))
}

async fn add_to_total(db: &Db, budget: &str, amount: i64) -> Result<()> {
    // What is larger than any number stays the largest one, and is no error that holds up other facts.
    db.run(
        "INSERT INTO budgets (name, spent) VALUES ($1, GREATEST($2::bigint, 0))
         ON CONFLICT (name) DO UPDATE SET
             spent = LEAST(budgets.spent::numeric + $2, 9223372036854775807)::bigint",
        &[&budget, &amount],
    )
    .await?;
    Ok(())
}

/// Writes what has happened to money.
pub(super) async fn record(db: &Db, fact: &Fact, key: i64, now: Timestamp) -> Result<()> {
    match fact {
        Fact::Released(key) => {
            let delete = "DELETE FROM reservations WHERE key = $1";
            db.run(delete, &[key]).await?;
        }
        Fact::ChargedFor { key, job, .. } => {
            db.run(
                "UPDATE charges SET job = $2, solver = $3 WHERE key = $1 AND open",
                &[key, &job.id.as_str(), &&*job.solver],
            )
            .await?;
        }
        Fact::ChargeSettled {
            budget,
            key,
            amount,
        } => correct(db, budget, *key, Some(of_usd(*amount))).await?,
        Fact::JobSettled {
            budget,
            job,
            amount,
        } => {
            let of_job = "SELECT key FROM charges
                 WHERE open AND job = $1 AND solver = $2 AND budget = $3 ORDER BY key LIMIT 1";
            let row = db
                .maybe(of_job, &[&job.id.as_str(), &&*job.solver, budget])
                .await?;
            if let Some(row) = row {
                correct(db, budget, row.get(0)?, amount.map(of_usd)).await?;
            }
        }
        Fact::Spent {
            budget,
            solver,
            job,
            amount,
        } => {
            let job = job.as_ref().map(JobId::as_str);
            let account = account(db, budget, now);
            let spent = account.spend(key, solver, job, job.is_some(), of_usd(*amount));
            spent.await?;
        }
        _ => {}
    }
    Ok(())
}

/// What it really came to replaces what was assumed; nothing at all leaves no row behind.
async fn correct(db: &Db, budget: &str, key: i64, actual: Option<i64>) -> Result<()> {
    let found = "SELECT amount FROM charges WHERE key = $1 AND budget = $2 AND open";
    let Some(row) = db.maybe(found, &[&key, &budget]).await? else {
        return Ok(());
    };
    let assumed: i64 = row.get(0)?;
    let actual = actual.unwrap_or(assumed);
    if actual == 0 {
        db.run("DELETE FROM charges WHERE key = $1", &[&key])
            .await?;
    } else {
        let update = "UPDATE charges SET amount = $2, open = FALSE WHERE key = $1";
        db.run(update, &[&key, &actual]).await?;
    }
    if actual == assumed {
        return Ok(());
    }
    add_to_total(db, budget, actual.saturating_sub(assumed)).await
}

/// Forgets what was spent and bought before this time, some of it at a time.
pub(super) async fn forget(db: &Db, old: i64, most: i64) -> Result<u64> {
    let mut forgotten = 0;
    for delete in [
        "DELETE FROM purchases WHERE key IN (SELECT key FROM purchases
             WHERE begun < $1 AND challenge IS NULL LIMIT $2)",
        "DELETE FROM charges WHERE key IN (SELECT key FROM charges WHERE at < $1 LIMIT $2)",
    ] {
        forgotten += db.run(delete, &[&old, &most]).await?;
    }
    Ok(forgotten)
}

pub(super) async fn spending(db: &Db, query: &SpendingQuery) -> Result<Vec<Spending>> {
    let sql = match query.by {
        SpendingBy::Budget => {
            "SELECT at / $2, budget, COUNT(*), 0::bigint, SUM(amount)::text
             FROM charges WHERE at >= $1 GROUP BY 1, 2"
        }
        SpendingBy::Solver => {
            "SELECT begun / $2, solver, COUNT(*), COUNT(*) - COUNT(cost), SUM(cost)::text
             FROM purchases WHERE begun >= $1 AND billed <> 0 GROUP BY 1, 2"
        }
        SpendingBy::Label => {
            "SELECT begun / $2, COALESCE(label, ''), COUNT(*), COUNT(*) - COUNT(cost), SUM(cost)::text
             FROM purchases WHERE begun >= $1 AND billed <> 0 GROUP BY 1, 2"
        }
    };
    let quarter = QUARTER_SECONDS * 1_000;
    let rows = db
        .rows(sql, &[&query.since.as_millisecond(), &quarter])
        .await?;
    let count = |row: &Row, column| -> Result<u64> {
        Ok(u64::try_from(row.get::<i64>(column)?).unwrap_or_default())
    };
    let quarters = rows.iter().map(|row| {
        let part = Spending {
            day: jiff::civil::Date::default(),
            name: row.get(1)?,
            purchases: count(row, 2)?,
            spent: Usd::from_nanos(sum(row, 4)?),
            unknown: count(row, 3)?,
        };
        Ok((row.get(0)?, part))
    });
    let quarters: Vec<_> = quarters.collect::<Result<_>>()?;
    Ok(crate::money::by_day(quarters, &query.time_zone))
}
