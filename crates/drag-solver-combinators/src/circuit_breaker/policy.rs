//! When to leave a solver alone, for how long, and how to find out whether it is back.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{InvalidPolicy, human_duration};

/// More calls than this are not remembered: each takes memory.
const MAX_WINDOW_CALLS: u32 = 100_000;

/// When a [`CircuitBreaker`](super::CircuitBreaker) opens, and when it closes again.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_combinators::CircuitBreakerPolicy;
///
/// let policy = CircuitBreakerPolicy::default()
///     .failure_ratio(0.8)
///     .open_for(Duration::from_secs(60));
/// let from_file: CircuitBreakerPolicy =
///     serde_json::from_str(r#"{"failure_ratio": 0.8, "open_for": "1m"}"#)?;
/// assert_eq!(from_file, policy);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CircuitBreakerPolicy {
    /// It judges by the last calls, at most this many. Default: 20, so that ten good answers do not
    /// outweigh for long that the next ten failed.
    pub window_calls: u32,
    /// It judges by calls that ended no longer ago than this. Default: 120 s, so that a quiet hour
    /// is not judged by what came before it.
    #[serde(with = "human_duration")]
    pub window_time: Duration,
    /// It does not judge by fewer calls than this. Default: 10; a few failures in a row are chance,
    /// and calls that take seconds and cost money come too slowly to wait for a hundred.
    pub min_calls: u32,
    /// It opens when this share of the calls failed, from above 0 up to 1. Default: 0.5; a provider
    /// that fails less often than it answers is still worth its retries.
    pub failure_ratio: f64,
    /// A call that takes this long is slow, whatever comes of it. Default: 45 s; after that a
    /// challenge that lives for a minute or two has little time left for another provider.
    #[serde(with = "human_duration")]
    pub slow_call: Duration,
    /// It opens when this share of the calls was slow, from above 0 up to 1. Default: 0.8; human
    /// workers are slow now and then, and a slow answer is still an answer.
    pub slow_ratio: f64,
    /// How long it stays open before it tries again. Default: 30 s; most outages last for a minute
    /// or more, and a shorter break would only be spent on probes.
    #[serde(with = "human_duration")]
    pub open_for: Duration,
    /// How many calls are let through to try, and must all succeed. Default: 3; one success may be
    /// luck.
    pub probes: u32,
}

impl CircuitBreakerPolicy {
    /// Sets [`window_calls`](Self::window_calls).
    #[must_use]
    pub const fn window_calls(mut self, calls: u32) -> Self {
        self.window_calls = calls;
        self
    }

    /// Sets [`window_time`](Self::window_time).
    #[must_use]
    pub const fn window_time(mut self, length: Duration) -> Self {
        self.window_time = length;
        self
    }

    /// Sets [`min_calls`](Self::min_calls).
    #[must_use]
    pub const fn min_calls(mut self, calls: u32) -> Self {
        self.min_calls = calls;
        self
    }

    /// Sets [`failure_ratio`](Self::failure_ratio).
    #[must_use]
    pub const fn failure_ratio(mut self, ratio: f64) -> Self {
        self.failure_ratio = ratio;
        self
    }

    /// Sets [`slow_call`](Self::slow_call).
    #[must_use]
    pub const fn slow_call(mut self, limit: Duration) -> Self {
        self.slow_call = limit;
        self
    }

    /// Sets [`slow_ratio`](Self::slow_ratio).
    #[must_use]
    pub const fn slow_ratio(mut self, ratio: f64) -> Self {
        self.slow_ratio = ratio;
        self
    }

    /// Sets [`open_for`](Self::open_for).
    #[must_use]
    pub const fn open_for(mut self, length: Duration) -> Self {
        self.open_for = length;
        self
    }

    /// Sets [`probes`](Self::probes).
    #[must_use]
    pub const fn probes(mut self, calls: u32) -> Self {
        self.probes = calls;
        self
    }

    /// Whether a breaker can work with these settings.
    ///
    /// # Errors
    ///
    /// A count or a duration of zero, a ratio that is not above 0 and up to 1, a window of more than
    /// 100,000 calls, or `min_calls` that never fit into `window_calls`.
    pub fn check(&self) -> Result<(), InvalidPolicy> {
        let refuse =
            |setting, problem: String| Err(InvalidPolicy::new("circuit_breaker", setting, problem));
        let counts = [
            ("window_calls", self.window_calls),
            ("min_calls", self.min_calls),
            ("probes", self.probes),
        ];
        if let Some((setting, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return refuse(setting, "must be at least 1".to_owned());
        }
        let durations = [
            ("window_time", self.window_time),
            ("slow_call", self.slow_call),
            ("open_for", self.open_for),
        ];
        if let Some((setting, _)) = durations.iter().find(|(_, length)| length.is_zero()) {
            return refuse(setting, "must be longer than zero".to_owned());
        }
        let ratios = [
            ("failure_ratio", self.failure_ratio),
            ("slow_ratio", self.slow_ratio),
        ];
        for (setting, ratio) in ratios {
            if !(ratio > 0.0 && ratio <= 1.0) {
                return refuse(setting, format!("must be above 0 and up to 1, not {ratio}"));
            }
        }
        if self.window_calls > MAX_WINDOW_CALLS {
            return refuse(
                "window_calls",
                format!(
                    "must be at most {MAX_WINDOW_CALLS}, not {}",
                    self.window_calls
                ),
            );
        }
        if self.min_calls > self.window_calls {
            return refuse(
                "min_calls",
                format!(
                    "must not be more than window_calls, but {} > {}: it would never open",
                    self.min_calls, self.window_calls
                ),
            );
        }
        Ok(())
    }
}

impl Default for CircuitBreakerPolicy {
    fn default() -> Self {
        Self {
            window_calls: 20,
            window_time: Duration::from_secs(120),
            min_calls: 10,
            failure_ratio: 0.5,
            slow_call: Duration::from_secs(45),
            slow_ratio: 0.8,
            open_for: Duration::from_secs(30),
            probes: 3,
        }
    }
}
