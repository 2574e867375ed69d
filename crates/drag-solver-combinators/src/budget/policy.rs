//! How much may be spent.

use std::time::Duration;

use drag_solver_core::Usd;
use serde::{Deserialize, Serialize};

use crate::{InvalidPolicy, human_duration};

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
    /// The most in all, in US dollars, for as long as the program runs. Default: no such limit.
    pub total: Option<Usd>,
    /// The most in any [`period`](Self::period), in US dollars. Default: no such limit. There is no
    /// amount that is right for everybody, but one of the two must be set.
    pub per_period: Option<Usd>,
    /// The length of the rolling period: what was spent this long ago no longer counts. Default:
    /// 24 h, by which people plan.
    #[serde(with = "human_duration")]
    pub period: Duration,
}

impl BudgetPolicy {
    /// Sets [`total`](Self::total), in US dollars.
    #[must_use]
    pub const fn total(mut self, limit: Usd) -> Self {
        self.total = Some(limit);
        self
    }

    /// Sets [`per_period`](Self::per_period), in US dollars.
    #[must_use]
    pub const fn per_period(mut self, limit: Usd) -> Self {
        self.per_period = Some(limit);
        self
    }

    /// Sets [`period`](Self::period).
    #[must_use]
    pub const fn period(mut self, length: Duration) -> Self {
        self.period = length;
        self
    }

    /// Whether a budget can work with these settings.
    ///
    /// # Errors
    ///
    /// No limit at all, a limit that is not more than nothing, or a `period` of zero.
    pub fn check(&self) -> Result<(), InvalidPolicy> {
        let refuse = |setting, problem: String| Err(InvalidPolicy::new("budget", setting, problem));
        for (setting, limit) in [("total", self.total), ("per_period", self.per_period)] {
            if let Some(limit) = limit.filter(|&limit| limit <= Usd::ZERO) {
                return refuse(setting, format!("must be more than nothing, not ${limit}"));
            }
        }
        if self.total.is_none() && self.per_period.is_none() {
            return refuse(
                "total",
                "must be set, or else per_period: a budget without a limit limits nothing"
                    .to_owned(),
            );
        }
        if self.period.is_zero() {
            return refuse("period", "must be longer than zero".to_owned());
        }
        Ok(())
    }

    /// The smaller of the limits.
    pub(super) fn tightest(&self) -> Option<Usd> {
        self.total.into_iter().chain(self.per_period).min()
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
