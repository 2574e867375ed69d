//! When the next solver is asked.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{InvalidPolicy, human_duration};

/// When [`Hedge`](crate::Hedge) asks the next solver although the one before is still at work.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_combinators::HedgePolicy;
///
/// let policy = HedgePolicy::default().delay(Duration::from_secs(7)).quantile(0.95);
/// let from_file: HedgePolicy = serde_json::from_str(r#"{"delay": "7s", "quantile": 0.95}"#)?;
/// assert_eq!(from_file, policy);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct HedgePolicy {
    /// How long a solver is waited for before the next is asked as well. Zero asks all at once, and
    /// pays for all. Default: 10 s, after which a recogniser is late, while most workers have
    /// answered.
    #[serde(with = "human_duration")]
    pub delay: Duration,
    /// If set, the wait is this quantile of the solver's recent latencies, once enough are known:
    /// with 0.95, one call in twenty asks a second solver. It follows a provider that slows down,
    /// where a fixed delay would soon buy every answer twice. Default: not set, because a fixed
    /// delay can be reasoned about.
    pub quantile: Option<f64>,
    /// How many answers of a solver must be known before the quantile is used. Default: 20, fewer
    /// than which say nothing about one call in twenty.
    pub min_samples: u32,
    /// The quantile makes the wait no longer than this. Default: 30 s, after which an answer is
    /// hardly to be expected from anybody.
    #[serde(with = "human_duration")]
    pub max_delay: Duration,
    /// A further solver is not asked if less than this is left until the challenge's deadline: what
    /// cannot finish is not bought. Default: 5 s, as the services answer no sooner.
    #[serde(with = "human_duration")]
    pub min_time_left: Duration,
}

impl HedgePolicy {
    /// Sets [`delay`](Self::delay).
    #[must_use]
    pub const fn delay(mut self, wait: Duration) -> Self {
        self.delay = wait;
        self
    }

    /// Sets [`quantile`](Self::quantile), a number between 0 and 1.
    #[must_use]
    pub const fn quantile(mut self, quantile: f64) -> Self {
        self.quantile = Some(quantile);
        self
    }

    /// Sets [`min_samples`](Self::min_samples).
    #[must_use]
    pub const fn min_samples(mut self, answers: u32) -> Self {
        self.min_samples = answers;
        self
    }

    /// Sets [`max_delay`](Self::max_delay).
    #[must_use]
    pub const fn max_delay(mut self, wait: Duration) -> Self {
        self.max_delay = wait;
        self
    }

    /// Sets [`min_time_left`](Self::min_time_left).
    #[must_use]
    pub const fn min_time_left(mut self, left: Duration) -> Self {
        self.min_time_left = left;
        self
    }

    /// Whether a hedge can work with these settings.
    ///
    /// # Errors
    ///
    /// A `quantile` that is not between 0 and 1; with a quantile, `min_samples` of zero or of more
    /// than are remembered (200), or a `max_delay` shorter than `delay`.
    pub fn check(&self) -> Result<(), InvalidPolicy> {
        let refuse = |setting, problem: String| Err(InvalidPolicy::new("hedge", setting, problem));
        let Some(quantile) = self.quantile else {
            return Ok(());
        };
        if !(quantile > 0.0 && quantile < 1.0) {
            return refuse(
                "quantile",
                format!("must be between 0 and 1, not {quantile}"),
            );
        }
        if self.min_samples == 0 || self.min_samples as usize > super::latencies::REMEMBERED {
            return refuse(
                "min_samples",
                format!(
                    "must be from 1 to {}, the number of calls that are remembered, not {}",
                    super::latencies::REMEMBERED,
                    self.min_samples
                ),
            );
        }
        if self.max_delay < self.delay {
            return refuse(
                "max_delay",
                format!(
                    "must not be shorter than delay, but {:?} < {:?}",
                    self.max_delay, self.delay
                ),
            );
        }
        Ok(())
    }

    /// The longest that a solver is waited for before the next is asked.
    pub(super) fn longest_delay(&self) -> Duration {
        if self.quantile.is_some() {
            self.max_delay
        } else {
            self.delay
        }
    }
}

impl Default for HedgePolicy {
    fn default() -> Self {
        Self {
            delay: Duration::from_secs(10),
            quantile: None,
            min_samples: 20,
            max_delay: Duration::from_secs(30),
            min_time_left: Duration::from_secs(5),
        }
    }
}

impl From<Duration> for HedgePolicy {
    /// A fixed delay.
    fn from(delay: Duration) -> Self {
        Self::default().delay(delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_settings_are_named() {
        let policy = HedgePolicy::default().quantile(0.9);
        assert_eq!(policy.check(), Ok(()));
        for bad in [0.0, 1.0, -0.5, f64::NAN] {
            assert_eq!(
                policy.quantile(bad).check().unwrap_err().setting(),
                "quantile"
            );
        }
        for bad in [0, 201] {
            let refused = policy.min_samples(bad).check().unwrap_err();
            assert_eq!(refused.setting(), "min_samples");
        }
        let refused = policy
            .max_delay(Duration::from_secs(9))
            .check()
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            "hedge.max_delay must not be shorter than delay, but 9s < 10s"
        );
    }

    #[test]
    fn what_only_matters_to_the_quantile_is_not_checked_without_one() {
        let fixed = HedgePolicy::from(Duration::MAX).min_samples(0);
        assert_eq!(fixed.check(), Ok(()));
    }

    #[test]
    fn unknown_keys_are_refused() {
        let typo = serde_json::from_str::<HedgePolicy>(r#"{"delays": "3s"}"#).unwrap_err();
        assert!(typo.to_string().contains("`delay`"), "{typo}");
    }
}
