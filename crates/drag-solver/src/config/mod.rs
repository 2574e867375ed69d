//! Chains from a file: who is asked, with which settings, and what is around them.
//!
//! In TOML, a chain is this. Every key but `providers` and `kind` may be left out; what is not
//! written is not in the chain.
//!
//! ```toml
//! deadline = "120s"                        # for all of it, unless a challenge brings its own
//! strategy = "fallback"                    # one provider after the other, in this order; or
//!                                          # { kind = "hedge", delay = "8s" }, { kind = "quorum" },
//!                                          # { kind = "fallback", order = true }: the best first
//!
//! [budget]                                 # together, they spend no more than this
//! per_period = "5"                         # US dollars
//! period = "24h"
//!
//! [[providers]]
//! name = "first"                           # unless set, the kind
//! kind = "omocaptcha"
//! token = { env = "OMOCAPTCHA_API_TOKEN" } # or { file = "PATH" }; never the token itself
//! price = "0.0009"                         # the most that an answer costs
//! timeout = "60s"                          # for one attempt
//! retry = { max_attempts = 3 }
//! validate = true                          # with its default settings
//! fit = true                               # makes screenshots fit (feature `image`)
//!
//! [[providers]]
//! kind = "twocaptcha"
//! price = "0.0012"
//! ```
//!
//! The format is not fixed: [`ChainConfig`] deserialises from anything that serde reads.
//!
//! Policies are put around a provider in the one order that works, whatever the order in the file;
//! from the outside in: `deadline`, `strategy`, then for each provider `retry`, `rate_limit`,
//! `concurrency_limit`, `circuit_breaker`, `budget`, `timeout`, `validate`, `fit`. With
//! `instrument = true` there are spans and metrics around all of it and around each attempt.
//!
//! What a provider's table does not say is taken from the environment variables that its own page
//! names, and then from its defaults. So the second provider above reads its key from
//! `TWOCAPTCHA_API_KEY`.
//!
#![cfg_attr(feature = "omocaptcha", doc = "```")]
#![cfg_attr(not(feature = "omocaptcha"), doc = "```ignore")]
//! use drag_solver::config::{ChainConfig, Registry};
//!
//! # let json = serde_json::json!({
//! #     "deadline": "120s",
//! #     "providers": [{
//! #         "name": "first",
//! #         "kind": "omocaptcha",
//! #         "token": {"env": "TOKEN"},
//! #         "timeout": "60s",
//! #         "retry": {"max_attempts": 2, "max_retry_after": "0s"},
//! #     }],
//! # }).to_string();
//! # let registry = Registry::standard().with_variables(|name| (name == "TOKEN").then(|| "x".into()));
//! let config: ChainConfig = serde_json::from_str(&json)?; // or toml::from_str, ..
//! let chain = config.build(&registry)?; // Registry::standard(): the providers that are compiled in
//! println!("{chain:#}");
//! println!("at the worst: {}", chain.worst_case());
//! # use drag_solver::core::DragSolver;
//! # assert_eq!(chain.worst_case().to_string(), "2 attempts, 120s, unknown cost");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A mistake is told with its place and, for a key that is not known, the nearest one that is:
//! see [`InvalidConfig`]. A program adds providers of its own to the [`Registry`].

mod build;
mod chain;
mod error;
mod provider;
mod registry;
mod strategy;
#[cfg(test)]
#[cfg(all(
    feature = "anticaptcha",
    feature = "omocaptcha",
    feature = "twocaptcha"
))]
mod tests;
mod value;

use serde::Deserialize;
use serde_json::Value;

pub use self::chain::{Chain, Link};
pub use self::error::InvalidConfig;
pub use self::provider::ProviderConfig;
use self::provider::Table;
pub use self::registry::{Kind, Opened, Registry};
pub use self::strategy::Strategy;
use crate::combinators::{BudgetPolicy, DeadlinePolicy, RetryBudgetPolicy};

const KEYS: &[&str] = &[
    "budget",
    "deadline",
    "instrument",
    "providers",
    "retry_budget",
    "strategy",
];

/// A chain as a configuration file has it. See the [module](self) for the format.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(try_from = "Value")]
#[non_exhaustive]
pub struct ChainConfig {
    /// Gives a challenge that has no deadline this one.
    pub deadline: Option<DeadlinePolicy>,
    /// Who of several providers is asked.
    pub strategy: Strategy,
    /// Limits what all providers spend together.
    pub budget: Option<BudgetPolicy>,
    /// Limits how often all providers together are asked again.
    pub retry_budget: Option<RetryBudgetPolicy>,
    /// Whether each challenge and each attempt has a tracing span and, with the feature `metrics`, is
    /// counted and timed. See [`Instrument`](crate::combinators::Instrument).
    pub instrument: bool,
    /// Who can be asked.
    pub providers: Vec<ProviderConfig>,
}

impl ChainConfig {
    /// A chain of these providers, with nothing around them.
    pub fn new(providers: impl IntoIterator<Item = ProviderConfig>) -> Self {
        Self {
            providers: providers.into_iter().collect(),
            ..Self::default()
        }
    }
}

impl TryFrom<Value> for ChainConfig {
    type Error = InvalidConfig;

    /// Reads a file that was parsed already. The error is the one that deserialising would wrap.
    fn try_from(value: Value) -> Result<Self, InvalidConfig> {
        let mut table = Table::of(value)?;
        let config = Self {
            deadline: table.duration("deadline")?,
            strategy: match table.0.remove("strategy") {
                Some(value) => Strategy::read(value).map_err(|error| error.inside("strategy"))?,
                None => Strategy::default(),
            },
            budget: table.take("budget")?,
            retry_budget: table.policy("retry_budget")?,
            instrument: table.take("instrument")?.unwrap_or_default(),
            providers: match table.0.remove("providers") {
                None => Vec::new(),
                Some(Value::Array(tables)) => tables
                    .into_iter()
                    .enumerate()
                    .map(|(index, table)| ProviderConfig::read(table, index))
                    .collect::<Result<_, _>>()
                    .map_err(|error: InvalidConfig| error.inside("providers"))?,
                Some(_) => {
                    let problem = "must be a list of tables: write [[providers]] above each";
                    return Err(InvalidConfig::new(problem).inside("providers"));
                }
            },
        };
        table.end(KEYS)?;
        Ok(config)
    }
}
