//! How a chain finds out how it is doing.

use std::time::Duration;

use futures_util::future::join_all;
#[cfg(feature = "store")]
use futures_util::future::{OptionFuture, join};
use tokio::time::timeout;

use super::{
    AccountHealth, BudgetHealth, ChainHealth, CircuitHealth, ConcurrencyHealth, LastError,
    ProviderHealth, RateHealth, RetryBudgetHealth,
};
#[cfg(feature = "store")]
use super::{StoreHealth, StoredBudgetHealth};
use crate::config::chain::Chain;
use crate::config::handle::ProviderHandle;
use crate::config::parts::ProviderParts;
use crate::config::provider::ProviderConfig;
#[cfg(feature = "store")]
use crate::store::{StoreHandle, StoredBudget};
use crate::{Budget, Circuit, ErrorKind, Permits, RateLimiter, RetryBudget};

/// How long each of those that are asked has to answer: a provider what is left in the account, a store what is spent.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

impl Chain {
    /// How the chain is doing right now, as far as this process knows. Nothing is sent, and no store is asked.
    ///
    #[cfg_attr(feature = "mock", doc = "```")]
    #[cfg_attr(not(feature = "mock"), doc = "```ignore")]
    /// use drag_solver::CircuitState;
    /// # use drag_solver::config::{ChainConfig, Registry};
    /// # use drag_solver::testing::{MockSolver, fixtures};
    /// # #[derive(serde::Deserialize)]
    /// # struct House {}
    /// # let registry = Registry::empty()
    /// #     .register("house", |_: House, _| Ok(MockSolver::new("house").always(fixtures::drag())))?;
    /// # let config: ChainConfig = serde_json::from_str(
    /// #     r#"{"providers": [{"kind": "house", "circuit_breaker": true}]}"#)?;
    /// let chain = config.build(&registry)?;
    ///
    /// let health = chain.health();
    /// let circuit = health.providers[0].circuit.unwrap();
    /// assert_eq!(circuit.state, CircuitState::Closed);
    /// println!("{}", serde_json::to_string(&health)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn health(&self) -> ChainHealth {
        let none = ProviderParts::default();
        let of_provider = |handle: &ProviderHandle, label: &str| {
            ProviderHealth::of(handle, self.parts.providers.get(label).unwrap_or(&none))
        };
        let labels = self.config.providers.iter().map(ProviderConfig::label);
        let providers = self.providers.iter().zip(labels);
        ChainHealth {
            name: self.solver.name().to_owned(),
            budget: self.parts.budget.as_ref().map(BudgetHealth::of),
            #[cfg(feature = "store")]
            stored_budget: self.stored_budget().map(StoredBudgetHealth::of),
            #[cfg(feature = "store")]
            store: self.store().map(StoreHealth::of),
            retry_budget: self.parts.retry_budget.as_ref().map(RetryBudgetHealth::of),
            providers: providers
                .map(|(handle, label)| of_provider(handle, label))
                .collect(),
        }
    }

    /// The same, with what others have to be asked for: what is left in the accounts, what is spent of budgets
    /// in the store, and whether the store can be written. All are asked at the same time, and one that does not
    /// answer within 10 seconds holds up no other. Costs nothing. Dropping the future ends the requests.
    ///
    /// A service that has to say whether it can take work says what `store.writable` is.
    pub async fn full_health(&self) -> ChainHealth {
        let accounts = join_all(self.providers.iter().map(AccountHealth::ask));
        #[cfg(feature = "store")]
        let (accounts, stored) = join(accounts, self.ask_store()).await;
        #[cfg(not(feature = "store"))]
        let accounts = accounts.await;
        let mut health = self.health();
        for (provider, account) in health.providers.iter_mut().zip(accounts) {
            provider.account = account;
        }
        #[cfg(feature = "store")]
        stored(&mut health);
        health
    }

    /// Asks the store, and says what to write down of its answers.
    #[cfg(feature = "store")]
    async fn ask_store(&self) -> impl FnOnce(&mut ChainHealth) {
        let ask = |budget: Option<&StoredBudget>| {
            let budget = budget.cloned();
            OptionFuture::from(budget.map(async |budget| StoredBudgetHealth::ask(&budget).await))
        };
        let parts = |config: &ProviderConfig| self.parts.providers.get(config.label());
        let each = self.config.providers.iter().map(parts);
        let each = each.map(|parts| ask(parts.and_then(|parts| parts.stored.budget())));
        let all = join(ask(self.stored_budget()), join_all(each));
        let store = OptionFuture::from(self.store().map(StoreHealth::ask));
        let (store, (budget, each)) = join(store, all).await;
        move |health| {
            (health.store, health.stored_budget) = (store, budget);
            for (provider, budget) in health.providers.iter_mut().zip(each) {
                provider.stored_budget = budget;
            }
        }
    }
}

impl ProviderHealth {
    fn of(handle: &ProviderHandle, parts: &ProviderParts) -> Self {
        let last_error = parts.activity.last_error();
        Self {
            name: handle.name().to_owned(),
            kind: handle.kind.clone(),
            in_flight: parts.activity.calls(),
            circuit: parts.circuit.as_ref().map(CircuitHealth::of),
            concurrency_limit: parts.permits.as_ref().map(ConcurrencyHealth::of),
            rate_limit: parts.rate_limiter.as_ref().map(RateHealth::of),
            budget: parts.budget.as_ref().map(BudgetHealth::of),
            #[cfg(feature = "store")]
            stored_budget: parts.stored.budget().map(StoredBudgetHealth::of),
            last_error: last_error.map(|error| LastError {
                kind: error.kind,
                message: error.message,
                seconds_ago: error.at.elapsed().as_secs_f64(),
            }),
            account: None,
        }
    }
}

impl CircuitHealth {
    fn of(circuit: &Circuit) -> Self {
        let probes_in = circuit.probes_in();
        Self {
            state: circuit.state(),
            probes_in_seconds: probes_in.map(|wait| wait.as_secs_f64()),
        }
    }
}

impl ConcurrencyHealth {
    fn of(permits: &Permits) -> Self {
        Self {
            in_flight: permits.in_flight(),
            max_in_flight: permits.policy().max_in_flight.get(),
            waiting: permits.waiting(),
        }
    }
}

impl RateHealth {
    fn of(limiter: &RateLimiter) -> Self {
        let next_in = limiter.next_in();
        Self {
            waiting: limiter.waiting(),
            next_in_seconds: next_in.map(|wait| wait.as_secs_f64()),
        }
    }
}

impl BudgetHealth {
    fn of(budget: &Budget) -> Self {
        Self {
            policy: budget.policy(),
            spent: budget.spent(),
            spent_in_period: budget.spent_in_period(),
            reserved: budget.reserved(),
        }
    }
}

#[cfg(feature = "store")]
impl StoredBudgetHealth {
    fn of(budget: &StoredBudget) -> Self {
        Self {
            name: budget.name().to_owned(),
            by_label: budget.is_by_label(),
            policy: budget.policy(None),
            summary: None,
            error: None,
        }
    }

    async fn ask(budget: &StoredBudget) -> Self {
        let mut health = Self::of(budget);
        if !health.by_label {
            match in_time(budget.summary(None)).await {
                Ok(summary) => health.summary = Some(summary),
                Err(error) => health.error = Some(error),
            }
        }
        health
    }
}

#[cfg(feature = "store")]
impl StoreHealth {
    fn of(store: &StoreHandle) -> Self {
        let path = store.path().map(|path| path.display().to_string());
        Self {
            path,
            writable: None,
            error: None,
        }
    }

    async fn ask(store: &StoreHandle) -> Self {
        let error = in_time(store.flush()).await.err();
        Self {
            writable: Some(error.is_none()),
            error,
            ..Self::of(store)
        }
    }
}

/// What a store answers, if it does so in time.
#[cfg(feature = "store")]
async fn in_time<T>(
    answer: impl Future<Output = Result<T, crate::store::StoreError>>,
) -> Result<T, String> {
    match timeout(ANSWER_TIMEOUT, answer).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(no_answer()),
    }
}

fn no_answer() -> String {
    format!("no answer within {ANSWER_TIMEOUT:?}")
}

impl RetryBudgetHealth {
    fn of(budget: &RetryBudget) -> Self {
        Self {
            available: budget.available(),
            burst: budget.policy().burst.get(),
        }
    }
}

impl AccountHealth {
    async fn ask(provider: &ProviderHandle) -> Option<Self> {
        let Ok(answer) = timeout(ANSWER_TIMEOUT, provider.balance()).await else {
            return Some(Self::Error {
                kind: ErrorKind::Timeout,
                message: no_answer(),
            });
        };
        Some(match answer? {
            Ok(balance) => Self::Balance {
                available: balance.available,
                vouchers: balance.vouchers,
            },
            Err(error) => Self::Error {
                kind: error.kind(),
                message: error.message().to_owned(),
            },
        })
    }
}
