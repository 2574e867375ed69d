//! Budgets and bills, as a store has them.

use std::time::Duration;

use drag_solver_core::Usd;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// The most that may be spent since some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs)] // made by callers of `reserve`
pub struct Limit {
    /// What counts: what was spent from here on; `None` for all that ever was.
    pub since: Option<Timestamp>,
    /// The most, in US dollars.
    pub most: Usd,
}

impl Limit {
    /// How much is missing to spend `amount` more where so much is spent and set aside, all in billionths of a US dollar.
    pub(crate) fn missing(&self, amount: i64, spent: i64, reserved: i64) -> Option<i64> {
        // A limit is rounded down, and what is spent up.
        let most = self.most.to_nanos_floor();
        let left = most.saturating_sub(spent).saturating_sub(reserved);
        (amount > left).then(|| amount.saturating_sub(left))
    }
}

/// Why there is no money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs)] // made by stores
pub struct Shortage {
    /// Which of the limits it is, counted from 0.
    pub limit: usize,
    /// What is spent of it, in US dollars.
    pub spent: Usd,
    /// What is set aside by calls under way.
    pub reserved: Usd,
    /// How old what is in the way will be when enough of it no longer counts, if time alone helps: the time
    /// at which the last of it was spent.
    pub frees_at: Option<Timestamp>,
}

impl Shortage {
    /// What is spent and set aside is in billionths of a US dollar.
    pub(crate) fn of(limit: usize, spent: i64, reserved: i64, frees_at: Option<Timestamp>) -> Self {
        Self {
            limit,
            spent: Usd::from_nanos(spent),
            reserved: Usd::from_nanos(reserved),
            frees_at,
        }
    }
}

/// What is spent of a budget.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BudgetState {
    /// In all, in US dollars.
    pub spent: Usd,
    /// Set aside by calls under way.
    pub reserved: Usd,
    /// Since each of the times that were asked for.
    pub since: Vec<Usd>,
}

/// What is spent of a budget, for people and programs that look at it. Amounts are in US dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BudgetSummary {
    /// What is spent in all.
    pub spent: Usd,
    /// What is spent on the day that it is in the time zone of its policy.
    pub spent_today: Usd,
    /// What is spent within the last period of its policy.
    pub spent_in_period: Usd,
    /// What calls under way have set aside.
    pub reserved: Usd,
}

/// What is asked about spending.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SpendingQuery {
    /// What was spent from here on.
    pub since: Timestamp,
    /// Whose days they are.
    pub time_zone: TimeZone,
    /// What it is told apart by, besides the day.
    pub by: SpendingBy,
}

impl SpendingQuery {
    /// What was spent in the last `length`, by day of this time zone.
    #[must_use]
    pub fn last(length: Duration, by: SpendingBy, now: Timestamp, time_zone: TimeZone) -> Self {
        Self {
            since: now.checked_sub(length).unwrap_or(Timestamp::MIN),
            time_zone,
            by,
        }
    }
}

/// What spending is told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SpendingBy {
    /// The solver that was paid, from the purchases of durable solvers.
    Solver,
    /// The budget it came from, from what budgets were charged.
    Budget,
    /// The label of the challenge, from the purchases of durable solvers.
    Label,
}

/// What was spent on one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Spending {
    /// The day, in the time zone that was asked for.
    pub day: Date,
    /// Name of the solver, the budget or the label; empty for challenges without a label.
    pub name: String,
    /// How many answers were bought, or may have been.
    pub purchases: u64,
    /// What they cost as far as that is known, in US dollars.
    #[serde(rename = "spent_usd")]
    pub spent: Usd,
    /// How many of them may be on the bill at a cost that is not known.
    pub unknown: u64,
}

/// Adds up what stores read by quarters of an hour, by which the offsets of all time zones differ.
pub(crate) fn by_day(
    quarters: impl IntoIterator<Item = (i64, Spending)>,
    time_zone: &TimeZone,
) -> Vec<Spending> {
    let mut days: std::collections::BTreeMap<(Date, String), Spending> =
        std::collections::BTreeMap::new();
    for (quarter, part) in quarters {
        let at =
            Timestamp::from_second(quarter.saturating_mul(QUARTER_SECONDS)).unwrap_or_default();
        let day = time_zone.to_datetime(at).date();
        let sum = days
            .entry((day, part.name.clone()))
            .or_insert_with(|| Spending {
                day,
                name: part.name,
                purchases: 0,
                spent: Usd::ZERO,
                unknown: 0,
            });
        sum.purchases += part.purchases;
        sum.spent = sum.spent + part.spent;
        sum.unknown += part.unknown;
    }
    days.into_values().collect()
}

pub(crate) const QUARTER_SECONDS: i64 = 15 * 60;
