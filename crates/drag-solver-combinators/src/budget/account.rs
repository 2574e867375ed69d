//! The shared state of a budget: what is spent, what is reserved, and nothing in between.
//!
//! The loom models in `tests/loom.rs` compile this file too, over loom's locks.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{PaidJob, Usd};
use tokio::time::Instant;

use super::BudgetPolicy;
use crate::sync::{Mutex, lock};

/// The most unfinished jobs whose bill may still be corrected. Far more than is ever resumed; the
/// oldest is forgotten first, and its estimate stands.
const MAX_OPEN_JOBS: usize = 1_000;

/// Money that several solvers may spend together. Clones are the same budget.
///
/// Make one, and put it around each provider with
/// [`DragSolverExt::budget`](crate::DragSolverExt::budget), because money is spent per attempt, not
/// per call of a chain.
///
/// - The price of an answer is reserved before an attempt and spent or released after it. Two
///   callers never get the same last cent.
/// - What was bought and what it cost is what the solver [says](drag_solver_core::Event): a known cost
///   is booked as it is, and what may have been billed at an unknown cost is booked at the price. A
///   cost above the price is booked in full, with a warning: the price was wrong.
/// - An attempt that is dropped before its solver says that it is buying costs nothing, also while it
///   waits for something on this side. A solver that says nothing at all is taken to have bought.
/// - Fetching a job that was paid for costs nothing and is never refused; if its cost becomes known,
///   that replaces what was booked for it. Should the call buy another answer after all, that
///   purchase needs money like any other.
/// - A refusal is [`BudgetExhausted`](drag_solver_core::ErrorKind::BudgetExhausted): another provider
///   may have a budget of its own. If time alone will help, it says after how long.
///
/// ```
/// use drag_solver_combinators::{Budget, BudgetPolicy, DragSolverExt};
/// # use drag_solver_core::{DragSolver, ErrorKind};
/// # use drag_solver_mock::{MockSolver, fixtures};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let challenge = fixtures::challenge();
/// # let cheap = MockSolver::new("cheap").always(fixtures::drag());
/// # let expensive = MockSolver::new("expensive");
/// let budget = Budget::new(BudgetPolicy::default().total("0.002".parse()?));
/// let chain = cheap
///     .budget(&budget, "0.0009".parse()?)
///     .or(expensive.budget(&budget, "0.0012".parse()?));
///
/// chain.solve(&challenge).await?;
/// chain.solve(&challenge).await?;
/// assert_eq!(budget.spent(), "0.0018".parse()?);
/// let error = chain.solve(&challenge).await.unwrap_err();
/// assert_eq!(error.attempts()[0].kind, ErrorKind::BudgetExhausted);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Budget(Arc<Mutex<Ledger>>);

#[derive(Debug, Default)]
pub(crate) struct Ledger {
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

/// What is booked for a purchase.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// This was spent, on this job if it is unfinished.
    Spent(Usd, Option<PaidJob>),
    /// A job of an earlier call came to its end, with the cost if it is known now.
    Ended(PaidJob, Option<Usd>),
}

impl Budget {
    /// A budget of which nothing is spent.
    #[must_use]
    pub fn new(policy: BudgetPolicy) -> Self {
        Self::with_spent(policy, Usd::ZERO)
    }

    /// A budget of whose [`total`](BudgetPolicy::total) this much was spent by earlier runs of the
    /// program; less than nothing counts as nothing. It does not count for the period.
    #[must_use]
    pub fn with_spent(policy: BudgetPolicy, spent: Usd) -> Self {
        Self(Arc::new(Mutex::new(Ledger {
            policy,
            spent: spent.max(Usd::ZERO),
            ..Ledger::default()
        })))
    }

    /// Its settings.
    #[must_use]
    pub fn policy(&self) -> BudgetPolicy {
        lock(&self.0).policy
    }

    /// Changes the settings, for all who spend from it. What is spent stays spent. What was spent while
    /// there was no limit per period, or is forgotten by the period of before, does not count for the period.
    pub fn set_policy(&self, policy: BudgetPolicy) {
        let mut ledger = lock(&self.0);
        ledger.forget_before(Instant::now()); // by the period that it was spent in
        ledger.policy = policy;
    }

    /// What was spent in all.
    #[must_use]
    pub fn spent(&self) -> Usd {
        lock(&self.0).spent
    }

    /// What was spent within the last [`period`](BudgetPolicy::period). Kept only if there is a
    /// limit for it, and zero otherwise.
    #[must_use]
    pub fn spent_in_period(&self) -> Usd {
        self.spent_in_period_at(Instant::now())
    }

    pub(crate) fn spent_in_period_at(&self, now: Instant) -> Usd {
        let mut ledger = lock(&self.0);
        ledger.forget_before(now);
        ledger.recently_spent
    }

    /// What attempts under way have set aside. Zero when none is.
    #[must_use]
    pub fn reserved(&self) -> Usd {
        lock(&self.0).reserved
    }

    /// Sets `amount` aside, or says why not. Check and subtraction are one step.
    pub(crate) fn reserve(&self, amount: Usd, now: Instant) -> Result<Reservation, Shortage> {
        let mut ledger = lock(&self.0);
        ledger.forget_before(now);
        ledger.check(amount, now)?;
        ledger.reserved = ledger.reserved + amount;
        let budget = self.clone();
        Ok(Reservation { budget, amount })
    }

    /// A reservation of nothing, for a call that buys nothing.
    pub(crate) fn reserve_nothing(&self) -> Reservation {
        let (budget, amount) = (self.clone(), Usd::ZERO);
        Reservation { budget, amount }
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget")
            .field("policy", &self.policy())
            .field("spent", &format_args!("${}", self.spent()))
            .field("reserved", &format_args!("${}", self.reserved()))
            .finish_non_exhaustive()
    }
}

/// Money set aside. It goes back when this is dropped, unless it was settled.
#[derive(Debug)]
#[must_use]
pub(crate) struct Reservation {
    budget: Budget,
    amount: Usd,
}

impl Reservation {
    /// Replaces what was set aside by what `book` books, in one step.
    pub(crate) fn settle(mut self, book: impl FnOnce(&mut Ledger)) {
        let amount = std::mem::take(&mut self.amount);
        let mut ledger = lock(&self.budget.0);
        ledger.reserved = ledger.reserved - amount;
        book(&mut ledger);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.amount != Usd::ZERO {
            let mut ledger = lock(&self.budget.0);
            ledger.reserved = ledger.reserved - self.amount;
        }
    }
}

impl Ledger {
    fn check(&self, amount: Usd, now: Instant) -> Result<(), Shortage> {
        let policy = self.policy;
        let in_period = (policy.per_period, Some(policy.period), self.recently_spent);
        let limits = [(policy.total, None, self.spent), in_period];
        for (limit, period, spent) in limits {
            let Some(limit) = limit else { continue };
            // What is left is compared, and not the sum: a sum of huge amounts saturates at the limit.
            let left = limit - spent - self.reserved;
            if amount > left {
                return Err(Shortage {
                    limit,
                    period,
                    spent,
                    reserved: self.reserved,
                    retry_after: period.and_then(|_| self.until_forgotten(amount - left, now)),
                });
            }
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

    pub(crate) fn book(&mut self, entry: Entry, now: Instant) {
        match entry {
            Entry::Spent(amount, job) => self.spend(amount, job, now),
            Entry::Ended(job, actual) => self.close(&job, actual),
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
