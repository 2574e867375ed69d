//! How much may be spent.

use std::time::Duration;

use drag_solver_core::{CheckSettings, ConfigError, Usd, human_duration, setters};
use serde::{Deserialize, Serialize};

use crate::settings::{longer_than_zero, require};

/// The most that may be spent, in all and in any stretch of time of a given length.
///
/// ```
/// use drag_solver_combinators::BudgetPolicy;
///
/// let policy = BudgetPolicy::default().total("25".parse()?).per_period("1.50".parse()?);
/// let from_file: BudgetPolicy =
///     serde_json::from_str(r#"{"total": "25", "per_period": "1.50", "period": "24h"}"#)?;
/// assert_eq!(from_file, policy);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct BudgetPolicy {
    /// The most in all, in US dollars, for as long as the program runs. Default: no such limit. With
    /// a limit of zero or less, every call is refused.
    pub total: Option<Usd>,
    /// The most in any [`period`](Self::period), in US dollars. Default: no such limit. There is no
    /// amount that is right for every program; without either limit, money is counted and not limited.
    pub per_period: Option<Usd>,
    /// The length of the rolling period: what was spent this long ago no longer counts. Default:
    /// 24 h, by which people plan.
    #[serde(with = "human_duration")]
    pub period: Duration,
}

impl BudgetPolicy {
    setters! { total: some Usd, per_period: some Usd, period: Duration }
}

impl CheckSettings for BudgetPolicy {
    fn check(&self) -> Result<(), ConfigError> {
        for (key, limit) in [("total", self.total), ("per_period", self.per_period)] {
            if let Some(limit) = limit {
                let problem = format_args!("must be more than nothing, not ${limit}");
                require(limit > Usd::ZERO, key, problem)?;
            }
        }
        let has_limit = self.total.or(self.per_period).is_some();
        let problem = "must be set, or else per_period: a budget without a limit limits nothing";
        require(has_limit, "total", problem)?;
        longer_than_zero("period", self.period)
    }
}

impl Default for BudgetPolicy {
    fn default() -> Self {
        Self {
            total: None,
            per_period: None,
            period: Duration::from_secs(24 * 60 * 60),
        }
    }
}
