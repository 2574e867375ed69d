//! Who of several providers is asked.

use drag_solver_core::CheckSettings as _;
use serde::Deserialize;

use super::advice::not_one_of;
use super::provider::check;
use super::reader::{Table, switch};
use super::value::Value;
use crate::{ConfigError, HedgePolicy, OrderPolicy, QuorumPolicy};

/// Who of the chain's providers is asked.
///
/// In a file it is a name, `strategy = "fallback"`, or a table with the settings of that kind:
/// `strategy = { kind = "hedge", delay = "8s" }`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Strategy {
    /// One after the other, in the order of the file, until one answers. See
    /// [`Fallback`](crate::Fallback).
    #[default]
    Fallback,
    /// The same, but first the one that did best recently: `{ kind = "fallback", order = true }`, or
    /// with the settings of an [`OrderPolicy`] in place of `true`. See
    /// [`Fallback::ordered`](crate::Fallback::ordered).
    Ordered(OrderPolicy),
    /// One after the other, but the next without waiting for an answer that takes long; the first
    /// answer wins. See [`Hedge`](crate::Hedge).
    Hedge(HedgePolicy),
    /// Several, until enough of them agree. See [`Quorum`](crate::Quorum).
    Quorum(QuorumPolicy),
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

#[derive(Deserialize)]
struct FallbackTable {
    #[serde(default, deserialize_with = "switch")]
    order: Option<OrderPolicy>,
}

impl Strategy {
    pub(super) fn of(value: Value) -> Result<Self, ConfigError> {
        let mut table = Table::default();
        match value {
            Value::Text(_) => table.insert("kind", value),
            other => table = Table::of(other)?,
        }
        let Kind { kind } = table.take()?;
        let Some(kind) = kind else {
            let problem = "must be set to `fallback`, `hedge` or `quorum`";
            return Err(ConfigError::new("kind", problem));
        };
        match kind.as_str() {
            "fallback" => {
                let FallbackTable { order } = table.take_last()?;
                Ok(order.map_or(Self::Fallback, Self::Ordered))
            }
            "hedge" => table.take_last().map(Self::Hedge),
            "quorum" => table.take_last().map(Self::Quorum),
            other => Err(not_one_of(other, &["fallback", "hedge", "quorum"])),
        }
    }

    /// Whether it weighs what an answer costs.
    pub(super) fn weighs_money(&self) -> bool {
        matches!(self, Self::Ordered(policy) if policy.second_worth.is_some())
    }

    /// Refuses what its author cannot mean, with this many providers to ask.
    pub(super) fn check(&self, providers: usize) -> Result<(), ConfigError> {
        let checked = match self {
            Self::Fallback => Ok(()),
            Self::Ordered(policy) => check("order", Some(*policy)),
            Self::Hedge(policy) => policy.check(),
            Self::Quorum(policy) => policy.check(),
        };
        checked.map_err(|error| error.in_key("strategy"))?;
        let (needed, why) = match self {
            Self::Fallback | Self::Ordered(_) => return Ok(()),
            Self::Hedge(_) => (2, "or there is none to hedge with"),
            Self::Quorum(policy) => (policy.agree.get() as usize, "or they can never agree"),
        };
        if providers >= needed {
            return Ok(());
        }
        let problem = format!("must hold at least {needed}, {why}; there are {providers}");
        Err(ConfigError::new("providers", problem))
    }
}
