//! How much may be spent.

use std::time::Duration;

use drag_solver_core::{CheckSettings, ConfigError, Usd};

use crate::settings::{longer_than_zero, policy, require};

policy! {
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
    #[derive(Eq)]
    pub struct BudgetPolicy {
        /// The most in all, in US dollars, for as long as the program runs. Default: no such limit. With
        /// a limit of zero or less, every call is refused.
        pub total: some Usd,
        /// The most in any [`period`](Self::period), in US dollars. Default: no such limit. There is no
        /// amount that is right for every program; without either limit, money is counted and not limited.
        pub per_period: some Usd,
        /// The length of the rolling period: what was spent this long ago no longer counts. Default:
        /// 24 h, by which people plan.
        #[serde(with = "drag_solver_core::human_duration")]
        pub period: Duration = Duration::from_secs(24 * 60 * 60),
    }
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
