//! When to leave a solver alone, for how long, and how to find out whether it is back.

use std::time::Duration;

use drag_solver_core::{CheckSettings, ConfigError, Ratio};

use super::machine::MAX_SAMPLES;
use crate::settings::{above_zero, longer_than_zero, policy, require};

policy! {
    /// When a [`CircuitBreaker`](super::CircuitBreaker) opens, and when it closes again.
    ///
    /// ```
    /// use std::time::Duration;
    /// use drag_solver_combinators::CircuitBreakerPolicy;
    /// use drag_solver_core::Ratio;
    ///
    /// let policy = CircuitBreakerPolicy::default()
    ///     .failure_ratio(Ratio::percent(80))
    ///     .open_for(Duration::from_secs(60));
    /// let from_file: CircuitBreakerPolicy =
    ///     serde_json::from_str(r#"{"failure_ratio": 0.8, "open_for": "1m"}"#)?;
    /// assert_eq!(from_file, policy);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub struct CircuitBreakerPolicy {
        /// It judges by the last calls, at most this many. Default: 20, so that ten good answers do not
        /// outweigh for long that the next ten failed. More than 100,000 counts as that: each takes
        /// memory.
        pub max_samples: count = 20,
        /// It judges by calls that ended no longer ago than this. Default: 120 s, so that a quiet hour
        /// is not judged by what came before it. With zero, it knows the latest call only.
        #[serde(with = "drag_solver_core::human_duration")]
        pub window: Duration = Duration::from_secs(120),
        /// It does not judge by fewer calls than this. Default: 10; a few failures in a row are chance,
        /// and calls that take seconds and cost money come too slowly to wait for a hundred. More than
        /// `max_samples` counts as `max_samples`.
        pub min_samples: count = 10,
        /// It opens when this share of the calls failed. Default: 0.5; a provider that fails less often
        /// than it answers is still worth its retries. With zero, one failure will do.
        pub failure_ratio: Ratio = Ratio::percent(50),
        /// A call that takes this long is slow, regardless of how it ends. Default: 45 s; after that a
        /// challenge that lives for a minute or two has little time left for another provider. With zero,
        /// every call is slow.
        #[serde(with = "drag_solver_core::human_duration")]
        pub slow_call: Duration = Duration::from_secs(45),
        /// It opens when this share of the calls was slow. Default: 0.8; human workers are slow now and
        /// then, and a slow answer is still an answer. With zero, one slow call will do.
        pub slow_ratio: Ratio = Ratio::percent(80),
        /// How long it stays open before it tries again. Default: 30 s; most outages last for a minute
        /// or more, and a shorter break would only be spent on probes. With zero, it tries again at once.
        #[serde(with = "drag_solver_core::human_duration")]
        pub open_for: Duration = Duration::from_secs(30),
        /// How many calls are let through to try, and must all succeed. Default: 3; one success may be
        /// luck.
        pub probes: count = 3,
    }
}

impl CheckSettings for CircuitBreakerPolicy {
    fn check(&self) -> Result<(), ConfigError> {
        longer_than_zero("window", self.window)?;
        longer_than_zero("slow_call", self.slow_call)?;
        longer_than_zero("open_for", self.open_for)?;
        above_zero("failure_ratio", self.failure_ratio)?;
        above_zero("slow_ratio", self.slow_ratio)?;
        let (min, max) = (self.min_samples, self.max_samples);
        let problem = format_args!("must be at most {MAX_SAMPLES}, not {max}");
        require(max.get() <= MAX_SAMPLES, "max_samples", problem)?;
        let problem = format_args!(
            "must not be more than max_samples, but {min} > {max}: it would never open"
        );
        require(min <= max, "min_samples", problem)
    }
}
