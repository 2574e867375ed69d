//! How many at once, and how many may wait for how long.

use std::time::Duration;

use drag_solver_core::{CheckSettings, ConfigError};

use crate::settings::{policy, require};

policy! {
    /// How many calls may be under way at once, and how many more may wait for how long.
    ///
    /// ```
    /// use drag_solver_combinators::ConcurrencyLimitPolicy;
    ///
    /// let policy = ConcurrencyLimitPolicy::default().max_in_flight(4).max_waiting(100);
    /// let from_file: ConcurrencyLimitPolicy =
    ///     serde_json::from_str(r#"{"max_in_flight": 4, "max_waiting": 100}"#)?;
    /// assert_eq!(from_file, policy);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[derive(Eq)]
    pub struct ConcurrencyLimitPolicy {
        /// How many calls may be under way at once. Default: 10; where an answer takes ten seconds, that
        /// is one a second, and far more at once is more often a loop gone wrong than a plan.
        pub max_in_flight: count = 10,
        /// How many more may wait. Zero refuses every call that finds no permit. Default: not set, so
        /// that a burst of work loses nothing that has the time to wait.
        pub max_waiting: some u32,
        /// How long each may wait. Zero refuses every call that finds no permit. Default: not set; each
        /// waits for as long as its deadline allows.
        #[serde(default, with = "drag_solver_core::human_duration::option")]
        pub max_wait: some Duration,
    }
}

impl ConcurrencyLimitPolicy {
    /// How many calls that find no permit may wait for one.
    pub(super) fn most_waiting(&self) -> u32 {
        match self.max_wait {
            Some(Duration::ZERO) => 0,
            _ => self.max_waiting.unwrap_or(u32::MAX),
        }
    }
}

impl CheckSettings for ConcurrencyLimitPolicy {
    fn check(&self) -> Result<(), ConfigError> {
        let says_so = self.max_waiting == Some(0) || self.max_wait != Some(Duration::ZERO);
        let problem = "must be longer than zero; for no waiting at all, set max_waiting to 0";
        require(says_so, "max_wait", problem)
    }
}
