//! Budgets that outlive the process, and are the same for all processes.

mod charges;
mod policy;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use drag_solver_core::chain_debug::{DebugCall, wrapper};
use drag_solver_core::{
    Brought, DragChallenge, DragSolver, ErrorKind, Profile, Solution, SolveError, Usd, async_trait,
    forward_solver,
};

use self::charges::Charges;
pub use self::policy::StoredBudgetPolicy;
use crate::key::new_key;
use crate::undo::Undo;
use crate::{BudgetState, BudgetSummary, Fact, Shortage, StoreError, StoreHandle};

/// Money that several solvers may spend together, also those of other processes: a budget by its name in a
/// store. Clones are the same budget.
///
/// - Money is spent on record before a purchase is sent, in one step with finding that it is there: two calls
///   never get the same last cent. What a purchase really cost replaces the price when that is known, also when
///   another process fetches the answer.
/// - What a call sets aside before it buys ends with the call, or with its process.
/// - A purchase of which nothing was heard, because its process was killed, stays spent.
/// - Fetching a job that was paid for costs nothing and is never refused.
/// - The limits are those of who spends: two processes with other limits of the same name each keep their own
///   of what both spend.
/// - A refusal is [`BudgetExhausted`](ErrorKind::BudgetExhausted), and names the budget.
///
/// ```
/// use drag_solver_store::{Clock, SqliteStore, StoreExt, StoredBudget, StoredBudgetPolicy};
/// # use drag_solver_core::{DragSolver, ErrorKind};
/// # use drag_solver_mock::{MockSolver, fixtures};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let provider = MockSolver::new("example").always(fixtures::drag());
/// let store = SqliteStore::in_memory(Clock::system())?; // SqliteStore::open("drags.db")?
/// let policy = StoredBudgetPolicy::default().per_day("0.001".parse()?);
/// let budget = StoredBudget::new(&store, "daily", policy);
/// let solver = provider.stored_budget(&budget, "0.0009".parse()?);
///
/// solver.solve(&fixtures::challenge()).await?;
/// let error = solver.solve(&fixtures::challenge()).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::BudgetExhausted);
/// assert_eq!(budget.state(None).await?.spent, "0.0009".parse()?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct StoredBudget {
    store: StoreHandle,
    name: Arc<str>,
    limits: Limits,
}

/// Whose limits they are.
#[derive(Clone)]
enum Limits {
    Everybodys(Arc<StoredBudgetPolicy>),
    ByLabel(Arc<dyn Fn(&str) -> StoredBudgetPolicy + Send + Sync>),
}

impl StoredBudget {
    /// The budget called `name`, with these limits.
    pub fn new(
        store: impl Into<StoreHandle>,
        name: impl Into<Arc<str>>,
        policy: StoredBudgetPolicy,
    ) -> Self {
        Self {
            store: store.into(),
            name: name.into(),
            limits: Limits::Everybodys(Arc::new(policy)),
        }
    }

    /// A budget for each [label](DragChallenge::label), called `name/label`, with the limits that `policy` has for
    /// it. Challenges without a label share one, with an empty label.
    pub fn by_label(
        store: impl Into<StoreHandle>,
        name: impl Into<Arc<str>>,
        policy: impl Fn(&str) -> StoredBudgetPolicy + Send + Sync + 'static,
    ) -> Self {
        Self {
            store: store.into(),
            name: name.into(),
            limits: Limits::ByLabel(Arc::new(policy)),
        }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is spent: in all, and since the start of what each limit of the policy is for, in the order total,
    /// day, period. `label` is whose, for a budget [by label](Self::by_label).
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn state(&self, label: Option<&str>) -> Result<BudgetState, StoreError> {
        let Account { name, policy } = self.account(label);
        let limits = policy.limits(self.store.now());
        let since: Vec<_> = limits.iter().filter_map(|limit| limit.since).collect();
        self.store.budget(&name, &since).await
    }

    /// What can still be spent, in US dollars: what the nearest limit leaves, and less than nothing if more was spent
    /// than is allowed. `None` if there is no limit. `label` is for whom, as in [`state`](Self::state).
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub async fn left(&self, label: Option<&str>) -> Result<Option<Usd>, StoreError> {
        let Account { name, policy } = self.account(label);
        let limits = policy.limits(self.store.now());
        if limits.is_empty() {
            return Ok(None);
        }
        let since: Vec<_> = limits.iter().filter_map(|limit| limit.since).collect();
        let state = self.store.budget(&name, &since).await?;
        let mut counted = state.since.into_iter();
        let left = limits.iter().map(|limit| {
            let spent = match limit.since {
                None => state.spent,
                Some(_) => counted.next().unwrap_or_default(),
            };
            limit.most - spent - state.reserved
        });
        Ok(left.min())
    }

    /// The same by name, for people and programs that look at it: what is spent in all, today and in the last
    /// [period](StoredBudgetPolicy::period), whether or not there are limits for these, and what is set aside.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    ///
    /// ```
    /// # use drag_solver_store::{Clock, SqliteStore, StoreExt, StoredBudget, StoredBudgetPolicy};
    /// # use drag_solver_core::DragSolver;
    /// # use drag_solver_mock::{MockSolver, fixtures};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let provider = MockSolver::new("example").always(fixtures::drag());
    /// # let store = SqliteStore::in_memory(Clock::system())?;
    /// let budget = StoredBudget::new(&store, "all", StoredBudgetPolicy::default().total("9".parse()?));
    /// let solver = provider.stored_budget(&budget, "0.0009".parse()?);
    /// solver.solve(&fixtures::challenge()).await?;
    /// assert_eq!(budget.summary(None).await?.spent_today, "0.0009".parse()?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn summary(&self, label: Option<&str>) -> Result<BudgetSummary, StoreError> {
        let Account { name, policy } = self.account(label);
        let now = self.store.now();
        let since = [policy.day_since(now), policy.period_since(now)];
        let state = self.store.budget(&name, &since).await?;
        let since = |index| state.since.get(index).copied().unwrap_or_default();
        Ok(BudgetSummary {
            spent: state.spent,
            spent_today: since(0),
            spent_in_period: since(1),
            reserved: state.reserved,
        })
    }

    /// Its limits. `label` is for whom, for a budget [by label](Self::by_label).
    #[must_use]
    pub fn policy(&self, label: Option<&str>) -> StoredBudgetPolicy {
        (*self.account(label).policy).clone()
    }

    /// Whether each label has a budget of its own.
    #[doc(hidden)]
    #[must_use]
    pub fn is_by_label(&self) -> bool {
        matches!(self.limits, Limits::ByLabel(_))
    }

    fn account(&self, label: Option<&str>) -> Account {
        match &self.limits {
            Limits::Everybodys(policy) => Account {
                name: Arc::clone(&self.name),
                policy: Arc::clone(policy),
            },
            Limits::ByLabel(policy) => {
                let label = label.unwrap_or_default();
                Account {
                    name: format!("{}/{label}", self.name).into(),
                    policy: Arc::new(policy(label)),
                }
            }
        }
    }
}

/// The budget that one call spends from.
#[derive(Clone, Debug)]
struct Account {
    name: Arc<str>,
    policy: Arc<StoredBudgetPolicy>,
}

impl Account {
    /// The error of a call or purchase that there is no money for.
    fn refusal(
        &self,
        challenge: &DragChallenge,
        solver: &str,
        price: Usd,
        shortage: &Shortage,
        store: &StoreHandle,
    ) -> SolveError {
        let (limit, retry_after) = self.policy.explain(shortage, store.now());
        let Shortage {
            spent, reserved, ..
        } = shortage;
        let budget = &*self.name;
        tracing::debug!(solver, budget, %limit, %spent, %reserved, %price, "refused: the budget is spent");
        let problem = format!(
            "nothing was sent: of the budget {budget:?}, {limit}, ${spent} is spent and ${reserved} reserved, \
             and this call may cost ${price}"
        );
        challenge
            .refuse(solver, ErrorKind::BudgetExhausted, problem)
            .with_retry_after(retry_after)
    }
}

impl fmt::Debug for StoredBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredBudget({:?} in {:?})", self.name, self.store)
    }
}

impl From<&StoredBudget> for StoredBudget {
    fn from(budget: &StoredBudget) -> Self {
        budget.clone()
    }
}

/// A solver that spends from a [`StoredBudget`].
///
/// Goes where a `budget` goes: around the timeout, inside of circuit breaker and limits. Dropping the future gives
/// back what was set aside, and keeps on record what may have been bought.
#[derive(Clone)]
pub struct StoredBudgeted<S> {
    inner: S,
    budget: StoredBudget,
    price: Usd,
    /// How many answers one call may buy.
    purchases: u32,
}

impl<S: DragSolver> StoredBudgeted<S> {
    /// Lets `inner` spend from `budget`. An answer costs at most `price`, in US dollars; less than nothing
    /// counts as nothing.
    pub fn new(inner: S, budget: impl Into<StoredBudget>, price: Usd) -> Self {
        let purchases = inner.profile().worst_case.purchases.unwrap_or(1).max(1);
        Self {
            inner,
            budget: budget.into(),
            price: price.max(Usd::ZERO),
            purchases,
        }
    }

    /// The budget it spends from.
    pub fn budget(&self) -> &StoredBudget {
        &self.budget
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for StoredBudgeted<S> {
    forward_solver!(inner: name, report);

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let store = &self.budget.store;
        let account = self.budget.account(challenge.label());
        let brought = Brought::to(&self.inner, challenge.paid_jobs());
        // Fetching what was paid for costs nothing.
        let key = brought.own.is_empty().then(new_key);
        // Before the first await: what is set aside, or may be, is free again when this is dropped.
        let reservation = key.map(|key| Undo::new(store, Fact::Released(key)));
        if let Some(key) = key {
            let (amount, limits) = (
                self.price * self.purchases,
                account.policy.limits(store.now()),
            );
            let refused = match store.reserve(key, &account.name, amount, &limits).await {
                Ok(Ok(())) => None,
                Ok(Err(short)) => {
                    Some(account.refusal(challenge, self.name(), amount, &short, store))
                }
                Err(error) => Some(unreadable(challenge, self.name(), &error)),
            };
            if let Some(refused) = refused {
                // What failed was not written.
                reservation.into_iter().for_each(Undo::keep);
                return Err(refused);
            }
        }
        let charges = Charges::new(store.clone(), account, key, challenge, self.price);
        let (watched, mut call) = charges.watch(challenge, brought, self.name());
        let outcome = self.inner.solve(&watched).await;
        call.end(Some(&outcome));
        drop(reservation);
        match outcome {
            Ok(solution) => Ok(solution.with_price(self.price)),
            Err(error) => Err(error.with_price(self.price)),
        }
    }

    /// Takes the price for what an answer costs, unless the inner solver knows better.
    fn profile(&self) -> Profile {
        self.inner.profile().map_worst_case(|mut inner| {
            if inner.cost.is_none()
                && let Some(purchases) = inner.purchases
            {
                inner.cost = Some(self.price * purchases);
            }
            inner
        })
    }
}

/// The error of a call whose budget cannot be written.
fn unreadable(challenge: &DragChallenge, solver: &str, error: &StoreError) -> SolveError {
    let problem = format!("nothing was sent, as the budget cannot be written: {error}");
    challenge.refuse(solver, ErrorKind::NotRecorded, problem)
}

wrapper!(StoredBudgeted(S), |budgeted, f| {
    DebugCall::on(f, &budgeted.inner, "stored_budget")
        .value(format_args!("{:?}", budgeted.budget.name))
        .with("price", budgeted.price)
});
