//! A limit on money.

mod account;
mod bill;
mod policy;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, ScreenshotLimits, Solution, SolveError, Usd, Verdict,
    WorstCase, async_trait,
};
use tokio::time::Instant;

use self::account::{Account, Limits, Reservation, Shortage};
use self::bill::Bill;
pub use self::policy::BudgetPolicy;
use crate::InvalidPolicy;
use crate::describe::{Call, display_like_debug};
use crate::priced::priced;

/// Money that several solvers may spend together. Clones are the same budget.
///
/// Make one, and put it around each provider with
/// [`DragSolverExt::budget`](crate::DragSolverExt::budget), because money is spent per attempt, not
/// per call of a chain.
///
/// - The price of an answer is reserved before an attempt and spent or released after it. Two
///   callers never get the same last cent.
/// - An answer that says what it cost is booked at that; other answers, and attempts that
///   [may have been billed](drag_solver_core::Charge), at the price.
/// - An attempt that is dropped before its solver says that it is
///   [buying](drag_solver_core::Progress::Buying) costs nothing, one that is dropped later costs the
///   price. A solver that says nothing at all is taken to have bought.
/// - Going on with a job that was paid for costs nothing, even with an empty budget; if its cost
///   becomes known, that replaces the price.
/// - A refusal is [`ErrorKind::BudgetExhausted`]: another provider may have a budget of its own. If
///   time alone will help, it says after how long.
///
/// ```
/// use drag_solver_combinators::{Budget, BudgetPolicy, DragSolverExt};
/// # use drag_solver_core::{Drag, DragChallenge, DragSolver, ErrorKind, Point, Screenshot, Usd};
/// # use drag_solver_mock::MockSolver;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let challenge = DragChallenge::new(Screenshot::from_bytes(b"GIF89a\x4f\x02\x7d\x04\x00\x00\x00;".to_vec())?);
/// # let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
/// # let (cheap, dear) = (MockSolver::new("cheap").always(drag), MockSolver::new("dear"));
/// let budget = Budget::new(BudgetPolicy::default().total("0.002".parse()?))?;
/// let chain = cheap
///     .budget(&budget, "0.0009".parse()?)?
///     .or(dear.budget(&budget, "0.0012".parse()?)?);
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
pub struct Budget {
    policy: BudgetPolicy,
    account: Account,
}

impl Budget {
    /// A budget of which nothing is spent.
    ///
    /// # Errors
    ///
    /// See [`BudgetPolicy::check`].
    pub fn new(policy: BudgetPolicy) -> Result<Self, InvalidPolicy> {
        Self::with_spent(policy, Usd::ZERO)
    }

    /// A budget of whose [`total`](BudgetPolicy::total) this much was spent by earlier runs of the
    /// program. It does not count for the period.
    ///
    /// # Errors
    ///
    /// See [`BudgetPolicy::check`].
    pub fn with_spent(policy: BudgetPolicy, spent: Usd) -> Result<Self, InvalidPolicy> {
        policy.check()?;
        let limits = Limits {
            total: policy.total,
            per_period: policy.per_period,
            period: policy.period,
        };
        let account = Account::new(limits, spent);
        Ok(Self { policy, account })
    }

    /// What it was built with.
    #[must_use]
    pub fn policy(&self) -> BudgetPolicy {
        self.policy
    }

    /// What was spent in all.
    #[must_use]
    pub fn spent(&self) -> Usd {
        self.account.spent()
    }

    /// What was spent within the last [`period`](BudgetPolicy::period). Kept only if there is a
    /// limit for it, and zero otherwise.
    #[must_use]
    pub fn spent_in_period(&self) -> Usd {
        self.account.spent_in_period(Instant::now())
    }

    /// What attempts under way have set aside. Zero when none is.
    #[must_use]
    pub fn reserved(&self) -> Usd {
        self.account.reserved()
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget")
            .field("policy", &self.policy)
            .field("spent", &format_args!("${}", self.spent()))
            .field("reserved", &format_args!("${}", self.reserved()))
            .finish_non_exhaustive()
    }
}

/// A solver that spends from a [`Budget`].
pub struct Budgeted<S> {
    inner: S,
    budget: Budget,
    price: Usd,
    /// How many answers one call may buy.
    purchases: u32,
}

impl<S: DragSolver> Budgeted<S> {
    /// Lets `inner` spend from `budget`. An answer costs `price` at the most.
    ///
    /// If `inner` says that a call of it may buy several answers (see
    /// [`worst_case`](DragSolver::worst_case)), the price of all of them is reserved.
    ///
    /// # Errors
    ///
    /// A `price` that is not more than nothing, or so high that the budget allows no call at all.
    pub fn new(inner: S, budget: &Budget, price: Usd) -> Result<Self, InvalidPolicy> {
        let refuse = |problem| Err(InvalidPolicy::new("budget", "price", problem));
        if price <= Usd::ZERO {
            return refuse(format!("must be more than nothing, not ${price}"));
        }
        let purchases = inner.worst_case().attempts.unwrap_or(1).max(1);
        if let Some(limit) = budget.policy.tightest()
            && price * purchases > limit
        {
            return refuse(format!(
                "is too high: a call may buy {purchases} at ${price} each, and the budget is ${limit}"
            ));
        }
        Ok(Self {
            inner,
            budget: budget.clone(),
            price,
            purchases,
        })
    }

    fn refusal(&self, shortage: &Shortage) -> SolveError {
        let Shortage {
            limit,
            period,
            spent,
            reserved,
            retry_after,
        } = shortage;
        let per = period.map_or(String::new(), |period| format!(" per {period:?}"));
        tracing::warn!(
            provider = self.name(),
            %limit,
            %spent,
            %reserved,
            price = %self.price,
            "refused: the budget is spent"
        );
        let error = SolveError::new(
            ErrorKind::BudgetExhausted,
            format!(
                "nothing was sent: of ${limit}{per}, ${spent} is spent and ${reserved} reserved, \
                 and this call may cost ${}",
                self.price * self.purchases
            ),
        )
        .with_provider(self.name());
        match retry_after {
            Some(wait) => error.with_retry_after(*wait),
            None => error,
        }
    }
}

/// A call under way. However it ends, the reservation is settled.
struct Open<'a> {
    /// Taken when it is settled.
    reservation: Option<Reservation>,
    bill: Arc<Bill>,
    provider: &'a str,
    price: Usd,
    resuming: bool,
}

impl Open<'_> {
    fn close(mut self, outcome: &Result<Solution, SolveError>) {
        let due = self.bill.after(outcome, self.price, self.resuming);
        self.settle(due);
    }

    fn settle(&mut self, due: account::Due) {
        if let Some(reservation) = self.reservation.take() {
            let spent: Usd = due.spends.iter().map(|(amount, _)| *amount).sum();
            reservation.settle(due, Instant::now());
            if spent != Usd::ZERO {
                tracing::debug!(provider = self.provider, %spent, "spent");
            }
        }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if self.reservation.is_some() {
            self.settle(self.bill.if_dropped(self.price, self.resuming));
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for Budgeted<S> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        // A job that was paid for is paid for: even an empty budget may go on waiting for it.
        let resuming = self.purchases == 1 && challenge.paid_job(self.name()).is_some();
        let account = &self.budget.account;
        let reservation = if resuming {
            account.reserve_nothing()
        } else {
            account
                .reserve(self.price * self.purchases, Instant::now())
                .map_err(|shortage| self.refusal(&shortage))?
        };
        let open = Open {
            reservation: Some(reservation),
            bill: Arc::default(),
            provider: self.name(),
            price: self.price,
            resuming,
        };
        let listened = challenge.clone().with_listener(Arc::clone(&open.bill) as _);
        let outcome = self.inner.solve(&listened).await;
        open.close(&outcome);
        outcome
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        self.inner.report(solution, verdict).await
    }

    /// Takes the price for what an answer costs, unless the inner solver knows better.
    fn worst_case(&self) -> WorstCase {
        let inner = self.inner.worst_case();
        if inner.cost.is_some() {
            inner
        } else {
            priced(inner, self.price)
        }
    }

    fn limits(&self) -> ScreenshotLimits {
        self.inner.limits()
    }
}

impl<S: DragSolver> fmt::Debug for Budgeted<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BudgetPolicy {
            total,
            per_period,
            period,
        } = self.budget.policy;
        let mut call = Call::on(f, &self.inner, "budget");
        if let Some(total) = total {
            call = call.with("total", format_args!("${total}"));
        }
        if let Some(limit) = per_period {
            call = call
                .with("per_period", format_args!("${limit}"))
                .with("period", period);
        }
        call.with("price", format_args!("${}", self.price)).finish()
    }
}

display_like_debug!(Budgeted);
