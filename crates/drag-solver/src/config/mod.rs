//! Chains from a file, from code or from options: who is asked, with which settings, and what is
//! around them.
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
//! [store]                                  # what is paid for survives the process (feature `store`)
//! path = "drags.db"
//!
//! [budget]                                 # together, they spend no more than this
//! name = "daily"                           # kept in the store; without a name, in memory
//! per_period = "5"                         # US dollars
//! period = "24h"
//!
//! [[providers]]
//! name = "first"                           # unless set, the kind
//! kind = "omocaptcha"
//! token = { env = "OMOCAPTCHA_API_TOKEN" } # or { file = "PATH" }; never the token itself
//! price = "0.0009"                         # the most that an answer costs
//! timeout = "60s"                          # for one attempt; total_timeout is for all together
//! retry = { max_attempts = 3 }
//! validate = true                          # with its default settings
//! fit = true                               # makes screenshots fit (feature `image`)
//!
//! [[providers]]
//! kind = "twocaptcha"
//! price = "0.0012"
//! ```
//!
//! The format is not fixed: [`ChainConfig`] is read from anything that serde reads.
//!
//! Policies are put around a provider in the one order that works, not in that of the file;
//! from the outside in: `deadline`, `store`, `strategy`, then for each provider `total_timeout`, `retry`,
//! `rate_limit`, `concurrency_limit`, `circuit_breaker`, `budget`, `timeout`, `validate`, `fit`. With
//! `instrument = true` there are spans and metrics around all of it and around each attempt.
//!
//! What a provider's table does not say is taken from the environment variables that its own page
//! names, and then from its defaults. So the second provider above reads its key from
//! `TWOCAPTCHA_API_KEY`.
//!
#![cfg_attr(feature = "omocaptcha", doc = "```")]
#![cfg_attr(not(feature = "omocaptcha"), doc = "```ignore")]
//! use drag_solver::DragSolver;
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
//! println!("at most: {}", chain.profile().worst_case);
//! # assert_eq!(chain.profile().worst_case.to_string(), "2 answers, 120s, unknown cost");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Code fills the same settings, and gets the same chain:
//!
#![cfg_attr(all(feature = "omocaptcha", feature = "twocaptcha"), doc = "```no_run")]
#![cfg_attr(
    not(all(feature = "omocaptcha", feature = "twocaptcha")),
    doc = "```ignore"
)]
//! use std::time::Duration;
//!
//! use drag_solver::config::{ChainConfig, ProviderConfig, Registry};
//! use drag_solver::{RetryPolicy, ValidatePolicy};
//!
//! let providers = ["omocaptcha", "twocaptcha"].map(|kind| {
//!     ProviderConfig::new(kind)
//!         .validate(ValidatePolicy::default())
//!         .timeout(Duration::from_secs(60))
//!         .retry(RetryPolicy::default())
//! });
//! let chain = ChainConfig::new(providers).build(&Registry::standard())?;
//! # Ok::<(), drag_solver::ConfigError>(())
//! ```
//!
//! A service that no crate knows can be declared in the file, or in a file of its own, and is then a kind
//! like any other:
//!
//! ```toml
//! [services]
//! other = "other.toml"                     # a file beside this one
//!
//! [services.pointing]
//! family = "createTask"
//! key = "POINTING_API_KEY"
//! base_url = "https://api.pointing.example"
//! create.json.task = { type = "CoordinatesTask", body = "{picture.base64}" }
//! answer.at = "/solution/coordinates"
//!
//! [[providers]]
//! kind = "pointing"
//! ```
//!
//! When the file has changed, [`Chain::rebuilt`] makes its chain and keeps what the old one knows. What
//! policies share and keep can come from outside, or be shared among chains: [`ChainParts`]. How a chain is
//! doing, [`Chain::health`] says, and [`Chain::full_health`] asks accounts and the store for what only they
//! know. `docs/chain-file.md` in the repository lists all keys with their defaults.
//!
//! A mistake is a [`ConfigError`](crate::ConfigError) with its place and, for a key that is not known, the nearest one that
//! is. A program adds providers of its own to the [`Registry`].

mod activity;
mod advice;
mod budget;
mod build;
#[cfg(feature = "store")]
mod calls;
mod chain;
mod chain_config;
mod handle;
mod health;
mod instrument;
#[cfg(feature = "operators")]
mod operators;
mod parts;
mod provider;
mod reader;
mod registry;
mod services;
#[cfg(test)]
mod services_tests;
mod store;
#[cfg(test)]
#[cfg(all(feature = "mock", feature = "store"))]
mod store_tests;
mod strategy;
#[cfg(test)]
mod tests;
mod value;

pub use drag_solver_core::human_duration;
#[doc(hidden)]
pub use drag_solver_declared::DeclaredApi;
pub use drag_solver_declared::{Declared, Definition};

pub use self::budget::BudgetConfig;
pub use self::chain::Chain;
pub use self::chain_config::ChainConfig;
pub use self::handle::ProviderHandle;
pub use self::health::{
    AccountHealth, BudgetHealth, ChainHealth, CircuitHealth, ConcurrencyHealth, LastError,
    ProviderHealth, RateHealth, RetryBudgetHealth,
};
#[cfg(feature = "store")]
pub use self::health::{StoreHealth, StoredBudgetHealth};
pub use self::instrument::InstrumentConfig;
pub use self::parts::{ChainParts, ProviderParts};
pub use self::provider::ProviderConfig;
#[doc(hidden)]
pub use self::reader::{read_settings, setting_names};
pub use self::registry::{ProviderKind, Registry};
pub use self::services::read_service;
pub use self::store::StoreConfig;
pub use self::strategy::Strategy;
