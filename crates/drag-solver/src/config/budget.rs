//! A limit on money, as a file has it: in memory, or by its name in the chain's store.

use std::time::Duration;

use drag_solver_core::{CheckSettings, human_duration, setters};
use serde::{Deserialize, Serialize};

use crate::{BudgetPolicy, ConfigError, Usd};

/// How much may be spent. With a [`name`](Self::name), the budget is kept in the chain's store: it is the same for
/// every process that has it open, and outlives them. Without one, it begins anew with each chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct BudgetConfig {
    /// What it is called in the store. Default: it is kept in memory.
    pub name: Option<String>,
    /// Whether each [label](crate::DragChallenge::label) has one of its own, called `name/label`. Needs a name.
    pub by_label: bool,
    /// The most in all, in US dollars. Default: no such limit.
    pub total: Option<Usd>,
    /// The most in any [`period`](Self::period), in US dollars. Default: no such limit.
    pub per_period: Option<Usd>,
    /// The length of the rolling period. Default: 24 h.
    #[serde(with = "human_duration")]
    pub period: Duration,
    /// The most on one day of the calendar, in US dollars. Needs a name. Default: no such limit.
    pub per_day: Option<Usd>,
    /// Whose days they are, as in `"Asia/Ho_Chi_Minh"`. Default: UTC.
    pub time_zone: Option<String>,
}

impl Default for BudgetConfig {
    fn default() -> Self {
        BudgetPolicy::default().into()
    }
}

impl From<BudgetPolicy> for BudgetConfig {
    fn from(policy: BudgetPolicy) -> Self {
        Self {
            name: None,
            by_label: false,
            total: policy.total,
            per_period: policy.per_period,
            period: policy.period,
            per_day: None,
            time_zone: None,
        }
    }
}

impl BudgetConfig {
    setters! {
        by_label: bool,
        total: some Usd,
        per_period: some Usd,
        period: Duration,
        per_day: some Usd,
    }

    /// The budget of this name in the chain's store, without limits yet.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            ..Self::default()
        }
    }

    /// Sets [`time_zone`](Self::time_zone).
    #[must_use]
    pub fn time_zone(mut self, time_zone: impl Into<String>) -> Self {
        self.time_zone = Some(time_zone.into());
        self
    }

    /// Its settings, if it is kept in memory.
    pub(super) fn in_memory(&self) -> Option<BudgetPolicy> {
        let mut policy = BudgetPolicy::default().period(self.period);
        (policy.total, policy.per_period) = (self.total, self.per_period);
        self.name.is_none().then_some(policy)
    }
}

impl CheckSettings for BudgetConfig {
    fn check(&self) -> Result<(), ConfigError> {
        if let Some(policy) = self.in_memory() {
            let only_in_a_store = [
                ("per_day", self.per_day.is_some()),
                ("time_zone", self.time_zone.is_some()),
                ("by_label", self.by_label),
            ];
            if let Some((key, _)) = only_in_a_store.iter().find(|(_, is_set)| *is_set) {
                let problem = "is for a budget in the chain's store: give the budget a `name`";
                return Err(ConfigError::new(*key, problem));
            }
            return policy.check();
        }
        if self.name.as_deref() == Some("") {
            return Err(ConfigError::new("name", "must not be empty"));
        }
        #[cfg(feature = "store")]
        return super::store::check_budget(self);
        #[cfg(not(feature = "store"))]
        Err(ConfigError::new("name", super::store::NEEDS_STORE))
    }
}
