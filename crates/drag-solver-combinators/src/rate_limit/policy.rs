//! How many calls in how long, and how long one may wait for its turn.

use std::time::Duration;

use drag_solver_core::{CheckSettings, ConfigError};

use crate::settings::{longer_than_zero, policy};

policy! {
    /// How many calls may be made in a stretch of time.
    ///
    /// ```
    /// use std::time::Duration;
    /// use drag_solver_combinators::RateLimitPolicy;
    ///
    /// let policy = RateLimitPolicy::default().max_calls(10).period(Duration::from_secs(1));
    /// let from_file: RateLimitPolicy = serde_json::from_str(r#"{"max_calls": 10, "period": "1s"}"#)?;
    /// assert_eq!(from_file, policy);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[derive(Eq)]
    pub struct RateLimitPolicy {
        /// How many calls may be made per [`period`](Self::period), evenly spread. Default: 60; a call a
        /// second is a lot to ask of human workers, and what a loop gone wrong buys at that pace is found
        /// before it is expensive.
        pub max_calls: count = 60,
        /// The stretch of time that `max_calls` is for. Default: 60 s, as most providers state their
        /// limits per minute. With zero, nothing is limited.
        #[serde(with = "drag_solver_core::human_duration")]
        pub period: Duration = Duration::from_secs(60),
        /// How many calls may be made at once after a quiet time, before they are spread. Any period
        /// has at most `max_calls + burst - 1`. Default: 5; challenges seldom come one at a time.
        pub burst: count = 5,
        /// How long a call may wait for its turn. Zero refuses every call that comes too early. Default:
        /// not set; each waits for as long as its deadline allows.
        #[serde(default, with = "drag_solver_core::human_duration::option")]
        pub max_wait: some Duration,
    }
}

impl RateLimitPolicy {
    /// The time between two calls that are spread evenly. Rounded up, so that no count of calls adds
    /// up to more than the limit.
    pub(super) fn interval(&self) -> Duration {
        from_nanos(self.period.as_nanos().div_ceil(self.max_calls.get().into()))
    }
}

pub(super) fn from_nanos(nanos: u128) -> Duration {
    const SECOND: u128 = 1_000_000_000;
    let seconds = u64::try_from(nanos / SECOND).unwrap_or(u64::MAX);
    let rest = u32::try_from(nanos % SECOND).unwrap_or(0);
    Duration::new(seconds, rest)
}

impl CheckSettings for RateLimitPolicy {
    fn check(&self) -> Result<(), ConfigError> {
        longer_than_zero("period", self.period)
    }
}
