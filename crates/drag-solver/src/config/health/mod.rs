//! How a chain is doing, as plain data.

mod ask;

use serde::{Deserialize, Serialize};

#[cfg(feature = "store")]
use crate::store::{BudgetSummary, StoredBudgetPolicy};
use crate::{BudgetPolicy, CircuitState, ErrorKind, Usd};

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
    /// The same, if it is a budget of the store.
    #[cfg(feature = "store")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored_budget: Option<StoredBudgetHealth>,
    /// What outlives the process.
    #[cfg(feature = "store")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreHealth>,
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
    /// [rebuilt](super::Chain::rebuilt) from.
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
    /// The same, if it is a budget of the store.
    #[cfg(feature = "store")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored_budget: Option<StoredBudgetHealth>,
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

/// A limit on money that is kept in the store.
#[cfg(feature = "store")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredBudgetHealth {
    /// What it is called in the store.
    pub name: String,
    /// Whether each label of challenges has one of its own, called `name/label`. What is spent of these is not told
    /// here; [`StoredBudget::summary`](crate::store::StoredBudget::summary) tells it of one label.
    pub by_label: bool,
    /// Its limits, or those of each label.
    pub policy: StoredBudgetPolicy,
    /// What is spent of it, by all processes. `None` if the store was not asked, could not say it, or if it is by
    /// label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<BudgetSummary>,
    /// Why the store could not say what is spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What outlives the process.
#[cfg(feature = "store")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoreHealth {
    /// Its file, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Whether it can be written: while it cannot, nothing is bought, and only what is known is answered. `None` if
    /// that was not tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writable: Option<bool>,
    /// Why it cannot be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
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
