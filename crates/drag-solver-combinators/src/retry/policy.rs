//! How often to try, how long to wait in between, and what never to repeat.

use std::time::Duration;

use drag_solver_core::{CheckSettings, ConfigError};

use crate::settings::{policy, require};

policy! {
    /// When and how often [`Retry`](crate::Retry) asks the same solver again.
    ///
    /// ```
    /// use std::time::Duration;
    /// use drag_solver_combinators::RetryPolicy;
    ///
    /// let patient = RetryPolicy::default()
    ///     .max_attempts(5)
    ///     .max_backoff(Duration::from_secs(30));
    /// let from_file: RetryPolicy = serde_json::from_str(r#"{"max_attempts": 5, "max_backoff": "30s"}"#)?;
    /// assert_eq!(from_file, patient);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[derive(Eq)]
    pub struct RetryPolicy {
        /// How often the solver is asked in all, the first time included. Default: 3; each attempt may
        /// cost an answer, and a provider that failed three times in a row is better left for another.
        pub max_attempts: count = 3,
        /// The wait before the second attempt is random, between zero and this. It doubles for each
        /// further one. Default: 500 ms, which outlasts a dropped connection. More than `max_backoff`
        /// counts as `max_backoff`.
        #[serde(with = "drag_solver_core::human_duration")]
        pub base_backoff: Duration = Duration::from_millis(500),
        /// The doubled wait grows no further than this. Default: 10 s; challenges live for a minute or
        /// two, and longer waits belong to a circuit breaker.
        #[serde(with = "drag_solver_core::human_duration")]
        pub max_backoff: Duration = Duration::from_secs(10),
        /// A provider may ask for a longer wait than the backoff, up to this. If it asks for more, its
        /// error comes back at once. Default: 60 s.
        #[serde(with = "drag_solver_core::human_duration")]
        pub max_retry_after: Duration = Duration::from_secs(60),
        /// Whether an unfinished job that was paid for is waited for by the next attempt. If not, the
        /// next attempt buys another and the job is abandoned, which is right only for a provider whose
        /// late jobs never come. Default: yes.
        pub resume_paid_jobs: bool = true,
        /// Whether to buy again when the failed attempt may have bought something that cannot be resumed.
        /// Default: no, because the answer may be paid for twice.
        pub retry_maybe_billed: bool = false,
    }
}

impl RetryPolicy {
    /// The random wait after `failures` failed attempts: the `fraction` of a cap that doubles each
    /// time. The cap is capped before the fraction is taken, or else long backoffs would all end up
    /// at the cap together. Whole milliseconds, which is what tokio's timer tells apart.
    pub(super) fn backoff(&self, failures: u32, fraction: f64) -> Duration {
        let doublings = failures.saturating_sub(1);
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let cap = self
            .base_backoff
            .saturating_mul(factor)
            .min(self.max_backoff);
        let wait = Duration::try_from_secs_f64(cap.as_secs_f64() * fraction).unwrap_or(cap);
        Duration::new(wait.as_secs(), wait.subsec_millis() * 1_000_000)
    }
}

impl CheckSettings for RetryPolicy {
    fn check(&self) -> Result<(), ConfigError> {
        let (base, max) = (self.base_backoff, self.max_backoff);
        let problem = format_args!("must not be longer than max_backoff, but {base:?} > {max:?}");
        require(base <= max, "base_backoff", problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_its_cap() {
        let policy = RetryPolicy::default();
        let nearly_one = 1.0 - f64::EPSILON;
        let waits: Vec<u128> = (1..=7)
            .map(|failures| policy.backoff(failures, nearly_one).as_millis())
            .collect();
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
        assert_eq!(policy.backoff(1, 0.0), Duration::ZERO);
    }

    #[test]
    fn jitter_is_applied_after_the_cap() {
        let policy = RetryPolicy::default();
        // Jitter before the cap would make this min(10 s, 0.5 * 64 s) = 10 s.
        assert_eq!(policy.backoff(8, 0.5), Duration::from_secs(5));
    }

    #[test]
    fn huge_settings_do_not_panic() {
        let policy = RetryPolicy::default()
            .base_backoff(Duration::MAX)
            .max_backoff(Duration::MAX);
        for failures in [0, 1, 2, 32, 33, 64, u32::MAX] {
            for fraction in [0.0, 0.5, 1.0 - f64::EPSILON, 1.0] {
                let _ = policy.backoff(failures, fraction);
            }
        }
        assert_eq!(policy.check(), Ok(()));
    }

    #[test]
    fn a_base_above_the_cap_is_refused_in_a_file_and_counts_as_the_cap_in_code() {
        let upside_down = RetryPolicy::default().base_backoff(Duration::from_secs(11));
        assert_eq!(upside_down.check().unwrap_err().path(), "base_backoff");
        assert_eq!(upside_down.backoff(1, 1.0), Duration::from_secs(10));
        assert_eq!(RetryPolicy::default().max_attempts(0).max_attempts.get(), 1);
        assert!(serde_json::from_str::<RetryPolicy>(r#"{"max_attempts": 0}"#).is_err());
    }

    #[test]
    fn unknown_keys_are_refused() {
        let typo = serde_json::from_str::<RetryPolicy>(r#"{"max_attemps": 3}"#).unwrap_err();
        assert!(typo.to_string().contains("max_attempts"), "{typo}");
    }
}
