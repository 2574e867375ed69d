//! How a chain is doing, as plain data.

use std::time::Duration;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::{Chain, ProviderConfig, ProviderHandle, ProviderParts};
use crate::{
    Budget, BudgetPolicy, Circuit, CircuitState, ErrorKind, Permits, RateLimiter, RetryBudget, Usd,
};

/// How long a provider has to say what is left in the account.
const BALANCE_TIMEOUT: Duration = Duration::from_secs(10);

/// How a chain is doing right now: for a page that people look at, or a program that raises an alarm.
///
/// There are no secrets in it. What the file does not have is `None`, and is left out of the JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChainHealth {
    /// Name of the chain: those of its providers.
    pub name: String,
    /// What all providers spend from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<BudgetHealth>,
    /// What limits how often all providers together are asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_budget: Option<RetryBudgetHealth>,
    /// Each provider, in the order of the file.
    pub providers: Vec<ProviderHealth>,
}

/// How one provider of a chain is doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProviderHealth {
    /// What the provider is called.
    pub name: String,
    /// Which kind of provider it is.
    pub kind: String,
    /// Attempts that the provider works on right now, of this chain and of those that it was
    /// [rebuilt](Chain::rebuilt) from.
    pub in_flight: usize,
    /// Its circuit breaker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circuit: Option<CircuitHealth>,
    /// Its limit on calls at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency_limit: Option<ConcurrencyHealth>,
    /// Its limit on calls in a stretch of time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateHealth>,
    /// What it alone spends from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<BudgetHealth>,
    /// The last error of an attempt. Refusals that were made here (an open circuit, a full queue, an empty
    /// budget) are not among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<LastError>,
    /// What is left in the account. `None` if it was not asked, or if the provider has none to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountHealth>,
}

/// A circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CircuitHealth {
    /// Whether calls are let through.
    pub state: CircuitState,
    /// Of an open circuit: how long until it lets a probe through, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probes_in_seconds: Option<f64>,
}

/// A limit on calls at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConcurrencyHealth {
    /// Calls that have a permit. More than the most, for a while, after the limit was lowered.
    pub in_flight: usize,
    /// The most at once.
    pub max_in_flight: u32,
    /// Calls that wait for a permit.
    pub waiting: usize,
}

/// A limit on calls in a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RateHealth {
    /// Calls that wait for their turn.
    pub waiting: usize,
    /// How long another call would have to wait for its turn, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_in_seconds: Option<f64>,
}

/// A limit on money. Amounts are in US dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BudgetHealth {
    /// Its limits.
    pub policy: BudgetPolicy,
    /// What is spent in all.
    pub spent: Usd,
    /// What is spent within the last period; zero without a limit for it.
    pub spent_in_period: Usd,
    /// What attempts under way have set aside.
    pub reserved: Usd,
}

/// A limit on retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RetryBudgetHealth {
    /// How many retries are left right now.
    pub available: u64,
    /// How many are left after a quiet time.
    pub burst: u32,
}

/// An error that is some time ago.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LastError {
    /// What went wrong.
    pub kind: ErrorKind,
    /// The error's message.
    pub message: String,
    /// How long ago it came, in seconds.
    pub seconds_ago: f64,
}

/// What a provider said of its account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccountHealth {
    /// What is left, in US dollars.
    Balance {
        /// Money.
        available: Usd,
        /// Vouchers, where the provider counts them apart.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vouchers: Option<Usd>,
    },
    /// It could not be told.
    Error {
        /// What went wrong.
        kind: ErrorKind,
        /// The error's message.
        message: String,
    },
}

impl Chain {
    /// How the chain is doing right now. Nothing is sent.
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
            retry_budget: self.parts.retry_budget.as_ref().map(RetryBudgetHealth::of),
            providers: providers
                .map(|(handle, label)| of_provider(handle, label))
                .collect(),
        }
    }

    /// The same, with what is left in the accounts: all providers are asked at the same time, and one that
    /// does not answer within 10 seconds holds up no other. Costs nothing. Dropping the future ends the
    /// requests.
    pub async fn health_with_balances(&self) -> ChainHealth {
        let accounts = join_all(self.providers.iter().map(AccountHealth::ask)).await;
        let mut health = self.health();
        for (provider, account) in health.providers.iter_mut().zip(accounts) {
            provider.account = account;
        }
        health
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
        let Ok(answer) = timeout(BALANCE_TIMEOUT, provider.balance()).await else {
            return Some(Self::Error {
                kind: ErrorKind::Timeout,
                message: format!("no answer within {BALANCE_TIMEOUT:?}"),
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
