//! When the next solver is asked.

use std::time::Duration;

use drag_solver_core::{CheckSettings, ConfigError, Ratio};

use super::latencies::REMEMBERED;
use crate::settings::{among, policy, require};

policy! {
    /// When [`Hedge`](crate::Hedge) asks the next solver although the one before is still at work.
    ///
    /// ```
    /// use std::time::Duration;
    /// use drag_solver_combinators::HedgePolicy;
    /// use drag_solver_core::Ratio;
    ///
    /// let policy = HedgePolicy::default()
    ///     .delay(Duration::from_secs(7))
    ///     .quantile(Ratio::percent(95));
    /// let from_file: HedgePolicy = serde_json::from_str(r#"{"delay": "7s", "quantile": 0.95}"#)?;
    /// assert_eq!(from_file, policy);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub struct HedgePolicy {
        /// How long a solver is waited for before the next is asked as well. Zero asks all at once, and
        /// pays for all. Default: 10 s, after which a recogniser is late, while most workers have
        /// answered.
        #[serde(with = "drag_solver_core::human_duration")]
        pub delay: Duration = Duration::from_secs(10),
        /// If set, the wait is this quantile of the solver's recent latencies, once enough are known:
        /// with 0.95, one call in twenty asks a second solver. It follows a provider that slows down,
        /// where a fixed delay would soon buy every answer twice. 0 is the shortest latency, 1 the
        /// longest. Default: not set, because a fixed delay can be reasoned about.
        pub quantile: some Ratio,
        /// How many answers of a solver must be known before the quantile is used. Default: 20, fewer
        /// than which say nothing about one call in twenty. More than 200 counts as 200, the number of
        /// calls that are remembered.
        pub min_samples: count = 20,
        /// The quantile makes the wait no longer than this. Default: 30 s, after which an answer is
        /// hardly to be expected from any solver.
        #[serde(with = "drag_solver_core::human_duration")]
        pub max_delay: Duration = Duration::from_secs(30),
        /// A further solver is not asked if less than this is left until the challenge's deadline: what
        /// cannot finish is not bought. Default: 5 s, as the services answer no sooner.
        #[serde(with = "drag_solver_core::human_duration")]
        pub min_time_left: Duration = Duration::from_secs(5),
    }
}

impl HedgePolicy {
    /// How many latencies must be known before the quantile is used: no more than are remembered.
    pub(super) fn samples_needed(&self) -> usize {
        (self.min_samples.get() as usize).min(REMEMBERED)
    }

    /// The longest that a solver is waited for before the next is asked.
    pub(super) fn longest_delay(&self) -> Duration {
        match self.quantile {
            Some(_) => self.max_delay.max(self.delay),
            None => self.delay,
        }
    }
}

impl CheckSettings for HedgePolicy {
    /// What only matters to the quantile is not checked without one.
    fn check(&self) -> Result<(), ConfigError> {
        let Some(quantile) = self.quantile else {
            return Ok(());
        };
        let is_between = quantile > Ratio::ZERO && quantile < Ratio::ONE;
        let problem = format_args!("must be between 0 and 1, not {quantile}");
        require(is_between, "quantile", problem)?;
        among(REMEMBERED, self.min_samples)?;
        let (delay, max_delay) = (self.delay, self.max_delay);
        let problem = format_args!("must not be shorter than delay, but {max_delay:?} < {delay:?}");
        require(max_delay >= delay, "max_delay", problem)
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
    fn what_a_file_may_not_say_is_named() {
        let policy = HedgePolicy::default().quantile(Ratio::percent(90));
        assert_eq!(policy.check(), Ok(()));
        for bad in [Ratio::ZERO, Ratio::ONE] {
            let refused = policy.quantile(bad).check().unwrap_err();
            assert_eq!(refused.path(), "quantile");
        }
        let refused = policy.min_samples(201).check().unwrap_err();
        assert_eq!(refused.path(), "min_samples");
        let refused = policy.max_delay(Duration::from_secs(9)).check();
        assert_eq!(
            refused.unwrap_err().to_string(),
            "max_delay: must not be shorter than delay, but 9s < 10s"
        );
        for bad in ["0", "-0.5", "1.5"] {
            let file = format!(r#"{{"quantile": {bad}}}"#);
            let policy = serde_json::from_str::<HedgePolicy>(&file);
            assert!(policy.is_err() || policy.unwrap().check().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_only_matters_to_the_quantile_is_not_checked_without_one() {
        let fixed = HedgePolicy::from(Duration::MAX).min_samples(201);
        assert_eq!(fixed.check(), Ok(()));
    }

    #[test]
    fn code_that_says_it_gets_what_the_docs_promise() {
        let policy = HedgePolicy::default().quantile(Ratio::percent(90));
        for (samples, needed) in [(0, 1), (7, 7), (u32::MAX, 200)] {
            assert_eq!(policy.min_samples(samples).samples_needed(), needed);
        }
        let upside_down = policy.max_delay(Duration::ZERO);
        assert_eq!(upside_down.longest_delay(), Duration::from_secs(10));
    }

    #[test]
    fn unknown_keys_are_refused() {
        let typo = serde_json::from_str::<HedgePolicy>(r#"{"delays": "3s"}"#).unwrap_err();
        assert!(typo.to_string().contains("`delay`"), "{typo}");
    }
}
