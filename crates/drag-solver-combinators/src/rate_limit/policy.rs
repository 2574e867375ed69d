//! How many calls in how long, and how long one may wait for its turn.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{InvalidPolicy, human_duration};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RateLimitPolicy {
    /// How many calls may be made per [`period`](Self::period), evenly spread. Default: 60; a call a
    /// second is a lot to ask of human workers, and what a loop gone wrong buys at that pace is found
    /// before it is dear.
    pub max_calls: u32,
    /// The stretch of time that `max_calls` is for. Default: 60 s, as most providers state their
    /// limits per minute.
    #[serde(with = "human_duration")]
    pub period: Duration,
    /// How many calls may be made at once after a quiet time, before they are spread. Any period
    /// has at most `max_calls + burst - 1`. Default: 5; challenges seldom come one at a time.
    pub burst: u32,
    /// How long a call may wait for its turn. Zero refuses at once whatever comes too early. Default:
    /// 30 s, which still leaves a challenge, that lives for a minute or two, time to be answered here
    /// or elsewhere.
    #[serde(with = "human_duration")]
    pub max_wait: Duration,
}

impl RateLimitPolicy {
    /// Sets [`max_calls`](Self::max_calls).
    #[must_use]
    pub const fn max_calls(mut self, calls: u32) -> Self {
        self.max_calls = calls;
        self
    }

    /// Sets [`period`](Self::period).
    #[must_use]
    pub const fn period(mut self, length: Duration) -> Self {
        self.period = length;
        self
    }

    /// Sets [`burst`](Self::burst).
    #[must_use]
    pub const fn burst(mut self, calls: u32) -> Self {
        self.burst = calls;
        self
    }

    /// Sets [`max_wait`](Self::max_wait).
    #[must_use]
    pub const fn max_wait(mut self, limit: Duration) -> Self {
        self.max_wait = limit;
        self
    }

    /// Whether a solver can work with these settings.
    ///
    /// # Errors
    ///
    /// Zero `max_calls`, a `period` of zero, or a `burst` of zero.
    pub fn check(&self) -> Result<(), InvalidPolicy> {
        let refuse = |setting, problem| Err(InvalidPolicy::new("rate_limit", setting, problem));
        if self.max_calls == 0 {
            return refuse("max_calls", "must be at least 1");
        }
        if self.period.is_zero() {
            return refuse("period", "must be longer than zero");
        }
        if self.burst == 0 {
            return refuse(
                "burst",
                "must be at least 1: one call at once is no burst yet",
            );
        }
        Ok(())
    }

    /// The time between two calls that are spread evenly. Rounded up, so that no count of calls adds
    /// up to more than the limit.
    pub(super) fn interval(&self) -> Duration {
        const SECOND: u128 = 1_000_000_000;
        let nanos = self.period.as_nanos().div_ceil(u128::from(self.max_calls));
        let seconds = u64::try_from(nanos / SECOND).unwrap_or(u64::MAX);
        let rest = u32::try_from(nanos % SECOND).unwrap_or(0);
        Duration::new(seconds, rest)
    }
}

impl Default for RateLimitPolicy {
    fn default() -> Self {
        Self {
            max_calls: 60,
            period: Duration::from_secs(60),
            burst: 5,
            max_wait: Duration::from_secs(30),
        }
    }
}
