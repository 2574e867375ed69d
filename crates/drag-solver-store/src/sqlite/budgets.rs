//! Statements about budgets.

use drag_solver_core::Usd;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};

use super::values::time;
use crate::codes::of_usd;
use crate::money::QUARTER_SECONDS;
use crate::{BudgetState, Charge, Fact, Limit, Shortage, Spending, SpendingBy, SpendingQuery};

/// Where one statement finds what it is about.
pub(super) struct Account<'a> {
    pub(super) db: &'a Connection,
    pub(super) budget: &'a str,
    pub(super) now: Timestamp,
}

impl Account<'_> {
    fn spent_since(&self, since: Option<Timestamp>) -> Result<i64> {
        let Some(since) = since else {
            return Ok(self
                .db
                .prepare_cached("SELECT spent FROM budgets WHERE name = ?")?
                .query_row([self.budget], |row| row.get(0))
                .optional()?
                .unwrap_or(0));
        };
        self.db
            .prepare_cached(
                "SELECT SUM(amount >> 32), SUM(amount & 0xffffffff) FROM charges
                     WHERE budget = ? AND at > ?",
            )?
            .query_row(params![self.budget, since.as_millisecond()], |row| {
                sum(row, 0)
            })
    }

    /// What calls of living processes have set aside.
    fn reserved(&self) -> Result<i64> {
        self.db
            .prepare_cached(
                "SELECT SUM(amount >> 32), SUM(amount & 0xffffffff) FROM reservations
                     WHERE budget = ? AND owner IN (SELECT key FROM owners WHERE lease_until > ?)",
            )?
            .query_row(params![self.budget, self.now.as_millisecond()], |row| {
                sum(row, 0)
            })
    }

    /// Whether each of the limits allows to spend `amount` more.
    fn check(&self, amount: i64, limits: &[Limit]) -> Result<Option<Shortage>> {
        let reserved = self.reserved()?;
        for (index, limit) in limits.iter().enumerate() {
            let spent = self.spent_since(limit.since)?;
            if let Some(missing) = limit.missing(amount, spent, reserved) {
                let frees_at = match limit.since {
                    Some(since) => self.frees_at(missing, since)?,
                    None => None,
                };
                return Ok(Some(Shortage::of(index, spent, reserved, frees_at)));
            }
        }
        Ok(None)
    }

    /// When the last of the first so much since then was spent.
    fn frees_at(&self, missing: i64, since: Timestamp) -> Result<Option<Timestamp>> {
        let at: Option<i64> = self
            .db
            .prepare_cached(
                // In the order of the index; TOTAL never overflows.
                "SELECT at FROM (SELECT at, TOTAL(amount) OVER (ORDER BY at, amount, key
                     ROWS UNBOUNDED PRECEDING) AS up_to FROM charges WHERE budget = ?1 AND at > ?2)
                 WHERE up_to >= ?3 LIMIT 1",
            )?
            .query_row(
                params![self.budget, since.as_millisecond(), missing],
                |row| row.get(0),
            )
            .optional()?;
        Ok(at.map(time).transpose()?)
    }

    pub(super) fn reserve(
        &self,
        key: i64,
        owner: i64,
        amount: Usd,
        limits: &[Limit],
    ) -> Result<Option<Shortage>> {
        let amount = of_usd(amount);
        if let Some(shortage) = self.check(amount, limits)? {
            return Ok(Some(shortage));
        }
        self.db
            .prepare_cached(
                "INSERT INTO reservations (key, budget, owner, amount) VALUES (?, ?, ?, ?)",
            )?
            .execute(params![key, self.budget, owner, amount])?;
        Ok(None)
    }

    pub(super) fn charge(&self, charge: &Charge, limits: &[Limit]) -> Result<Option<Shortage>> {
        let amount = of_usd(charge.amount).max(0);
        let reserved = self.take_reserved(charge.reservation, amount)?;
        // What was set aside is there; if it is not enough, all of it counts like any other money.
        if amount > reserved
            && let Some(shortage) = self.check(amount, limits)?
        {
            self.put_back(charge.reservation, reserved)?;
            return Ok(Some(shortage));
        }
        self.spend(charge.key, &charge.solver, None, true, amount)?;
        Ok(None)
    }

    /// Takes up to `amount` out of a reservation, and says how much was there.
    fn take_reserved(&self, reservation: Option<i64>, amount: i64) -> Result<i64> {
        let Some(key) = reservation else {
            return Ok(0);
        };
        let there: Option<i64> = self
            .db
            .prepare_cached(
                "SELECT amount FROM reservations WHERE key = ?1
                     AND owner IN (SELECT key FROM owners WHERE lease_until > ?2)",
            )?
            .query_row(params![key, self.now.as_millisecond()], |row| row.get(0))
            .optional()?;
        let taken = there.unwrap_or(0).clamp(0, amount);
        self.put_back(reservation, -taken)?;
        Ok(taken)
    }

    fn put_back(&self, reservation: Option<i64>, amount: i64) -> Result<()> {
        self.db
            .prepare_cached("UPDATE reservations SET amount = amount + ?2 WHERE key = ?1")?
            .execute(params![reservation, amount])?;
        Ok(())
    }

    fn spend(
        &self,
        key: i64,
        solver: &str,
        job: Option<&str>,
        open: bool,
        amount: i64,
    ) -> Result<()> {
        self.db
            .prepare_cached(
                "INSERT INTO charges (key, budget, at, amount, solver, job, open)
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                key,
                self.budget,
                self.now.as_millisecond(),
                amount,
                solver,
                job,
                open
            ])?;
        add_to_total(self.db, self.budget, amount)
    }

    pub(super) fn state(&self, since: &[Timestamp]) -> Result<BudgetState> {
        let spent = |since| self.spent_since(since).map(Usd::from_nanos);
        Ok(BudgetState {
            spent: spent(None)?,
            reserved: Usd::from_nanos(self.reserved()?),
            since: since
                .iter()
                .map(|&since| spent(Some(since)))
                .collect::<Result<_>>()?,
        })
    }
}

/// A sum that SQLite would have as an overflow: of the upper halves, and of the lower ones.
fn sum(row: &Row<'_>, first: usize) -> Result<i64> {
    let (upper, lower): (Option<i64>, Option<i64>) = (row.get(first)?, row.get(first + 1)?);
    let sum = (i128::from(upper.unwrap_or(0)) << 32) + i128::from(lower.unwrap_or(0));
    let saturated = if sum < 0 { i64::MIN } else { i64::MAX };
    Ok(i64::try_from(sum).unwrap_or(saturated))
}

fn add_to_total(db: &Connection, budget: &str, amount: i64) -> Result<()> {
    // What is larger than any number stays the largest one, and is no error that holds up other facts.
    db.prepare_cached(
        "INSERT INTO budgets (name, spent) VALUES (?1, MAX(?2, 0))
         ON CONFLICT (name) DO UPDATE SET
             spent = IIF(?2 > 0 AND spent > 9223372036854775807 - ?2, 9223372036854775807, spent + ?2)",
    )?
    .execute(params![budget, amount])?;
    Ok(())
}

/// Writes what has happened to money.
pub(super) fn record(db: &Connection, fact: &Fact, now: Timestamp) -> Result<()> {
    match fact {
        Fact::Released(key) => {
            db.prepare_cached("DELETE FROM reservations WHERE key = ?")?
                .execute([key])?;
        }
        Fact::ChargedFor { key, job, .. } => {
            db.prepare_cached(
                "UPDATE charges SET job = ?2, solver = ?3 WHERE key = ?1 AND open = 1",
            )?
            .execute(params![key, job.id.as_str(), job.solver])?;
        }
        Fact::ChargeSettled { key, amount, .. } => correct(db, *key, Some(of_usd(*amount)))?,
        Fact::JobSettled {
            budget,
            job,
            amount,
        } => {
            let key: Option<i64> = db
                .prepare_cached(
                    "SELECT key FROM charges
                     WHERE open = 1 AND job = ?1 AND solver = ?2 AND budget = ?3 LIMIT 1",
                )?
                .query_row(params![job.id.as_str(), job.solver, budget], |row| {
                    row.get(0)
                })
                .optional()?;
            if let Some(key) = key {
                correct(db, key, amount.map(of_usd))?;
            }
        }
        Fact::Spent {
            budget,
            solver,
            job,
            amount,
        } => {
            let account = Account { db, budget, now };
            let job = job.as_ref().map(drag_solver_core::JobId::as_str);
            let key = crate::key::new_key();
            account.spend(key, solver, job, job.is_some(), of_usd(*amount))?;
        }
        _ => {}
    }
    Ok(())
}

/// What it really came to replaces what was assumed; nothing at all leaves no row behind.
fn correct(db: &Connection, key: i64, actual: Option<i64>) -> Result<()> {
    let found: Option<(String, i64)> = db
        .prepare_cached("SELECT budget, amount FROM charges WHERE key = ? AND open = 1")?
        .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((budget, assumed)) = found else {
        return Ok(());
    };
    let actual = actual.unwrap_or(assumed);
    if actual == 0 {
        db.prepare_cached("DELETE FROM charges WHERE key = ?")?
            .execute([key])?;
    } else {
        db.prepare_cached("UPDATE charges SET amount = ?2, open = 0 WHERE key = ?1")?
            .execute(params![key, actual])?;
    }
    add_to_total(db, &budget, actual.saturating_sub(assumed))
}

pub(super) fn spending(db: &Connection, query: &SpendingQuery) -> Result<Vec<Spending>> {
    let sql = match query.by {
        SpendingBy::Budget => {
            "SELECT at / ?2, budget, COUNT(*), 0, SUM(amount >> 32), SUM(amount & 0xffffffff)
             FROM charges WHERE at >= ?1 GROUP BY 1, 2"
        }
        SpendingBy::Solver => {
            "SELECT begun / ?2, solver, COUNT(*), SUM(cost IS NULL), SUM(cost >> 32), SUM(cost & 0xffffffff)
             FROM purchases WHERE begun >= ?1 AND billed <> 0 GROUP BY 1, 2"
        }
        SpendingBy::Label => {
            "SELECT begun / ?2, COALESCE(label, ''), COUNT(*), SUM(cost IS NULL), SUM(cost >> 32),
                 SUM(cost & 0xffffffff)
             FROM purchases WHERE begun >= ?1 AND billed <> 0 GROUP BY 1, 2"
        }
    };
    let mut statement = db.prepare_cached(sql)?;
    let values = params![query.since.as_millisecond(), QUARTER_SECONDS * 1_000];
    let quarters = statement.query_map(values, |row| {
        let quarter: i64 = row.get(0)?;
        let part = Spending {
            day: jiff::civil::Date::default(),
            name: row.get(1)?,
            purchases: row.get(2)?,
            spent: Usd::from_nanos(sum(row, 4)?),
            unknown: row.get(3)?,
        };
        Ok((quarter, part))
    })?;
    let quarters: Vec<_> = quarters.collect::<Result<_>>()?;
    Ok(crate::money::by_day(quarters, &query.time_zone))
}
