//! The shared state of a budget: what is spent, what is reserved, and nothing in between.
//!
//! The loom models in `tests/loom.rs` compile this file too, over loom's locks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{PaidJob, Usd};
use tokio::time::Instant;

use super::BudgetPolicy;
use crate::sync::{Mutex, lock};

/// The most unfinished jobs whose bill may still be corrected. Far more than is ever resumed; the
/// oldest is forgotten first, and its estimate stands.
const MAX_OPEN_JOBS: usize = 1_000;

/// One account. Clones are the same account.
#[derive(Clone, Debug)]
pub(crate) struct Account(Arc<Mutex<Ledger>>);

#[derive(Debug)]
struct Ledger {
    policy: BudgetPolicy,
    /// Spent in all.
    spent: Usd,
    /// Set aside by calls under way.
    reserved: Usd,
    /// What was spent within the period, oldest first. Empty if there is no limit per period.
    recent: VecDeque<Spend>,
    recently_spent: Usd,
    next_id: u64,
    /// Bills of jobs whose outcome is not known yet.
    open: VecDeque<(PaidJob, u64, Usd)>,
}

#[derive(Debug)]
struct Spend {
    id: u64,
    at: Instant,
    amount: Usd,
}

/// Why nothing could be reserved.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shortage {
    pub(crate) limit: Usd,
    /// The period the limit is for, if it is not for all time.
    pub(crate) period: Option<Duration>,
    pub(crate) spent: Usd,
    pub(crate) reserved: Usd,
    /// When enough of what was spent no longer counts, if that alone will do.
    pub(crate) retry_after: Option<Duration>,
}

/// Money that one call spent, and jobs of earlier calls that ended in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Spending {
    /// Each purchase with its amount, and the job it was spent on if that is unfinished.
    pub(crate) spends: Vec<(Usd, Option<PaidJob>)>,
    /// Jobs of earlier calls that came to their end, with the cost if it is known now.
    pub(crate) ended: Vec<(PaidJob, Option<Usd>)>,
}

impl Account {
    pub(crate) fn new(policy: BudgetPolicy, already_spent: Usd) -> Self {
        Self(Arc::new(Mutex::new(Ledger {
            policy,
            spent: already_spent,
            reserved: Usd::ZERO,
            recent: VecDeque::new(),
            recently_spent: Usd::ZERO,
            next_id: 0,
            open: VecDeque::new(),
        })))
    }

    /// Sets `amount` aside, or says why not. Check and subtraction are one step.
    pub(crate) fn reserve(&self, amount: Usd, now: Instant) -> Result<Reservation, Shortage> {
        let mut ledger = lock(&self.0);
        ledger.forget_before(now);
        ledger.check(amount, now)?;
        ledger.reserved = ledger.reserved + amount;
        Ok(Reservation {
            account: self.clone(),
            amount,
        })
    }

    /// A reservation of nothing, for a call that buys nothing.
    pub(crate) fn reserve_nothing(&self) -> Reservation {
        Reservation {
            account: self.clone(),
            amount: Usd::ZERO,
        }
    }

    pub(crate) fn spent(&self) -> Usd {
        lock(&self.0).spent
    }

    pub(crate) fn reserved(&self) -> Usd {
        lock(&self.0).reserved
    }

    pub(crate) fn spent_in_period(&self, now: Instant) -> Usd {
        let mut ledger = lock(&self.0);
        ledger.forget_before(now);
        ledger.recently_spent
    }
}

/// Money set aside. It goes back when this is dropped, unless it was settled.
#[derive(Debug)]
#[must_use]
pub(crate) struct Reservation {
    account: Account,
    amount: Usd,
}

impl Reservation {
    /// Replaces what was set aside by what was spent.
    pub(crate) fn settle(mut self, spending: Spending, now: Instant) {
        let mut ledger = lock(&self.account.0);
        ledger.reserved = ledger.reserved - self.amount;
        for (job, actual) in spending.ended {
            ledger.close(&job, actual);
        }
        for (amount, job) in spending.spends {
            ledger.spend(amount, job, now);
        }
        drop(ledger);
        self.amount = Usd::ZERO;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.amount != Usd::ZERO {
            let mut ledger = lock(&self.account.0);
            ledger.reserved = ledger.reserved - self.amount;
        }
    }
}

impl Ledger {
    fn check(&self, amount: Usd, now: Instant) -> Result<(), Shortage> {
        let shortage = |limit, period, spent, retry_after| {
            Err(Shortage {
                limit,
                period,
                spent,
                reserved: self.reserved,
                retry_after,
            })
        };
        // What is left is compared, and not the sum: a sum of huge amounts saturates at the limit.
        let left = |limit, spent| limit - spent - self.reserved;
        if let Some(limit) = self.policy.total
            && amount > left(limit, self.spent)
        {
            return shortage(limit, None, self.spent, None);
        }
        if let Some(limit) = self.policy.per_period
            && amount > left(limit, self.recently_spent)
        {
            let missing = amount - left(limit, self.recently_spent);
            let wait = self.until_forgotten(missing, now);
            let period = Some(self.policy.period);
            return shortage(limit, period, self.recently_spent, wait);
        }
        Ok(())
    }

    /// How long until `amount` of what was spent no longer counts.
    fn until_forgotten(&self, amount: Usd, now: Instant) -> Option<Duration> {
        let mut freed = Usd::ZERO;
        let last = self.recent.iter().find(|spend| {
            freed = freed + spend.amount;
            freed >= amount
        })?;
        let age = now.saturating_duration_since(last.at);
        Some(self.policy.period.saturating_sub(age))
    }

    fn forget_before(&mut self, now: Instant) {
        while let Some(oldest) = self.recent.front() {
            if now.saturating_duration_since(oldest.at) < self.policy.period {
                break;
            }
            self.recently_spent = self.recently_spent - oldest.amount;
            self.recent.pop_front();
        }
    }

    fn spend(&mut self, amount: Usd, job: Option<PaidJob>, at: Instant) {
        let id = self.next_id;
        self.next_id += 1;
        self.spent = self.spent + amount;
        if self.policy.per_period.is_some() {
            self.recently_spent = self.recently_spent + amount;
            self.recent.push_back(Spend { id, at, amount });
        }
        if let Some(job) = job {
            if self.open.len() == MAX_OPEN_JOBS {
                self.open.pop_front();
            }
            self.open.push_back((job, id, amount));
        }
    }

    /// A job came to its end: what it really cost replaces what was assumed.
    fn close(&mut self, job: &PaidJob, actual: Option<Usd>) {
        let Some(found) = self.open.iter().position(|(open, ..)| open == job) else {
            return; // bought before this account was opened
        };
        let Some((_, id, assumed)) = self.open.remove(found) else {
            return;
        };
        let change = actual.unwrap_or(assumed) - assumed;
        self.spent = self.spent + change;
        if let Ok(found) = self.recent.binary_search_by_key(&id, |spend| spend.id) {
            self.recent[found].amount = self.recent[found].amount + change;
            self.recently_spent = self.recently_spent + change;
        }
    }
}
