//! The shared state of a budget: what is spent, what is reserved, and nothing in between.
//!
//! The loom models in `tests/loom.rs` compile this file too, over loom's locks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{PaidJob, Usd};
use tokio::time::Instant;

use crate::sync::{Mutex, lock};

/// The most unfinished jobs whose bill may still be corrected. Far more than anybody resumes; the
/// oldest is forgotten first, and its estimate stands.
const MAX_OPEN_JOBS: usize = 1_000;

/// What may be spent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) total: Option<Usd>,
    pub(crate) per_period: Option<Usd>,
    pub(crate) period: Duration,
}

/// One account. Clones are the same account.
#[derive(Clone, Debug)]
pub(crate) struct Account(Arc<Mutex<Ledger>>);

#[derive(Debug)]
struct Ledger {
    limits: Limits,
    /// Spent in all.
    spent: Usd,
    /// Set aside by calls under way.
    reserved: Usd,
    /// What was spent within the period, oldest first. Empty if there is no limit per period.
    recent: VecDeque<Spend>,
    recently_spent: Usd,
    next_id: u64,
    /// Bills of jobs whose outcome nobody knows yet.
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

/// What a call came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    /// Money spent, each with the job it was spent on if that is unfinished.
    pub(crate) spends: Vec<(Usd, Option<PaidJob>)>,
    /// Jobs of earlier calls that came to their end, with the cost if it is known now.
    pub(crate) ended: Vec<(PaidJob, Option<Usd>)>,
}

impl Account {
    pub(crate) fn new(limits: Limits, already_spent: Usd) -> Self {
        Self(Arc::new(Mutex::new(Ledger {
            limits,
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
    pub(crate) fn settle(mut self, due: Due, now: Instant) {
        let mut ledger = lock(&self.account.0);
        ledger.reserved = ledger.reserved - self.amount;
        for (job, actual) in due.ended {
            ledger.close(&job, actual);
        }
        for (amount, job) in due.spends {
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
        let asked = self.reserved + amount;
        let shortage = |limit, period, spent, retry_after| {
            Err(Shortage {
                limit,
                period,
                spent,
                reserved: self.reserved,
                retry_after,
            })
        };
        if let Some(limit) = self.limits.total
            && self.spent + asked > limit
        {
            return shortage(limit, None, self.spent, None);
        }
        if let Some(limit) = self.limits.per_period
            && self.recently_spent + asked > limit
        {
            let missing = self.recently_spent + asked - limit;
            let wait = self.until_forgotten(missing, now);
            let period = Some(self.limits.period);
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
        Some(self.limits.period.saturating_sub(age))
    }

    fn forget_before(&mut self, now: Instant) {
        while let Some(oldest) = self.recent.front() {
            if now.saturating_duration_since(oldest.at) < self.limits.period {
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
        if self.limits.per_period.is_some() {
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
