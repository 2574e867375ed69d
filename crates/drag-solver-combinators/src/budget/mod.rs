//! A limit on money.

mod account;
mod policy;
#[cfg(test)]
mod resume_tests;
mod spending;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use drag_solver_core::{
    Brought, DragChallenge, DragSolver, ErrorKind, Event, Observer, Profile, Purchases, Solution,
    SolveError, Tracker, Usd, async_trait, forward_solver,
};
use tokio::time::Instant;

pub use self::account::Budget;
use self::account::{Entry, Ledger, Reservation, Shortage};
pub use self::policy::BudgetPolicy;
use crate::chain_debug::{DebugCall, wrapper};
use crate::inspect::{CallOutcome, each_purchase, watch};
use crate::measure::{self, BUDGET_REFUSALS};
use crate::priced::{priced, with_price};
use crate::settings::shared_form;
use crate::sync::{Mutex, lock};

shared_form!(Budget of BudgetPolicy);

/// A solver that spends from a [`Budget`].
#[derive(Clone)]
pub struct Budgeted<S> {
    inner: S,
    budget: Budget,
    price: Usd,
    /// How many answers one call may buy.
    purchases: u32,
}

impl<S: DragSolver> Budgeted<S> {
    /// Lets `inner` spend from `budget`. An answer costs at most `price`; less than nothing counts as
    /// nothing. With a price above what the budget allows, every call is refused.
    ///
    /// If `inner` says that a call of it may buy several answers (see
    /// [`Profile::worst_case`]), the price of all of them is reserved.
    pub fn new(inner: S, budget: impl Into<Budget>, price: Usd) -> Self {
        let purchases = inner.profile().worst_case.purchases.unwrap_or(1).max(1);
        Self {
            inner,
            budget: budget.into(),
            price: price.max(Usd::ZERO),
            purchases,
        }
    }

    /// The budget it spends from.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// A call ended: what it spent is booked, and the rest of its reservation released. `brought` are
    /// the jobs of its challenge.
    fn settle(
        &self,
        tracker: &Tracker,
        outcome: CallOutcome<'_>,
        brought: &Brought,
        reservation: Reservation,
    ) {
        let (solver, price, now) = (self.name(), self.price, Instant::now());
        let (mut spent, mut cost) = (Usd::ZERO, Usd::ZERO);
        let mut book = |purchases: &Purchases, ledger: &mut Ledger| {
            each_purchase(solver, purchases, outcome, brought, |purchase| {
                let Some(entry) = Entry::of(purchase, price) else {
                    return;
                };
                if let Entry::Spent(amount, _) = entry {
                    spent = spent + amount;
                    cost = cost.max(amount);
                }
                ledger.book(entry, now);
            });
        };
        tracker.read(|purchases| reservation.settle(|ledger| book(purchases, ledger)));
        if cost > price {
            tracing::warn!(solver, %cost, %price, "an answer cost more than the price that was set");
        }
        if spent != Usd::ZERO {
            tracing::debug!(solver, %spent, "spent");
        }
    }
}

/// The error of a call or purchase that there is no money for.
fn refusal(challenge: &DragChallenge, solver: &str, price: Usd, shortage: &Shortage) -> SolveError {
    let Shortage {
        limit,
        period,
        spent,
        reserved,
        retry_after,
    } = shortage;
    measure::count(BUDGET_REFUSALS, &[("solver", solver)], 1);
    let per = period.map_or(String::new(), |period| format!(" per {period:?}"));
    tracing::debug!(solver, %limit, %spent, %reserved, %price, "refused: the budget is spent");
    let problem = format!(
        "nothing was sent: of ${limit}{per}, ${spent} is spent and ${reserved} reserved, \
         and this call may cost ${price}"
    );
    challenge
        .refuse(solver, ErrorKind::BudgetExhausted, problem)
        .with_retry_after(*retry_after)
}

/// Reserves money for each purchase when it is made: for a call that resumes a paid job, which is let
/// through without any, but may buy another answer after all.
#[derive(Debug)]
struct ReserveOnBuying {
    budget: Budget,
    price: Usd,
    challenge: DragChallenge,
    reservations: Mutex<Vec<Reservation>>,
}

#[async_trait]
impl Observer for ReserveOnBuying {
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
        match *event {
            Event::Buying { solver } => {
                let reserved = self.budget.reserve(self.price, Instant::now());
                let reservation = reserved
                    .map_err(|short| refusal(&self.challenge, solver, self.price, &short))?;
                lock(&self.reservations).push(reservation);
            }
            Event::NotBought { .. } => drop(lock(&self.reservations).pop()),
            _ => {}
        }
        Ok(())
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for Budgeted<S> {
    forward_solver!(inner: name, report);

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let brought = Brought::to(&self.inner, challenge.paid_jobs());
        let (mut watched, tracker) = challenge.tracked();
        let mut on_buying = None;
        let reservation = if brought.own.is_empty() {
            let amount = self.price * self.purchases;
            let reserved = self.budget.reserve(amount, Instant::now());
            reserved.map_err(|short| refusal(challenge, self.name(), amount, &short))?
        } else {
            let observer = Arc::new(ReserveOnBuying {
                budget: self.budget.clone(),
                price: self.price,
                // What was resumed may have ended by then: that error is no place for its job.
                challenge: challenge.clone().without_paid_jobs(),
                reservations: Mutex::default(),
            });
            watched = watched.with_observer(observer.clone());
            on_buying = Some(observer);
            self.budget.reserve_nothing()
        };
        let after = |outcome: CallOutcome<'_>| {
            self.settle(&tracker, outcome, &brought, reservation);
            // Now, and not when the last copy of the challenge goes: a solver may keep one.
            if let Some(on_buying) = on_buying {
                lock(&on_buying.reservations).clear();
            }
        };
        let outcome = watch(self.inner.solve(&watched), after).await;
        with_price(outcome, self.price)
    }

    /// Takes the price for what an answer costs, unless the inner solver knows better.
    fn profile(&self) -> Profile {
        self.inner
            .profile()
            .map_worst_case(|inner| match inner.cost {
                Some(_) => inner,
                None => priced(inner, self.price),
            })
    }
}

wrapper!(Budgeted(S), |budgeted, f| {
    let policy = budgeted.budget.policy();
    let period = policy.per_period.map(|_| policy.period);
    DebugCall::on(f, &budgeted.inner, "budget")
        .with("total", policy.total)
        .with("per_period", policy.per_period)
        .with("period", period)
        .with("price", budgeted.price)
});
