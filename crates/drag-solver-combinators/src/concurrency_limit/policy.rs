//! How many at once, and how many may wait for how long.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{InvalidPolicy, human_duration};

/// How many calls may be under way at once, and how many more may wait.
///
/// ```
/// use drag_solver_combinators::ConcurrencyLimitPolicy;
///
/// let policy = ConcurrencyLimitPolicy::default().max_in_flight(4).max_waiting(0);
/// let from_file: ConcurrencyLimitPolicy =
///     serde_json::from_str(r#"{"max_in_flight": 4, "max_waiting": 0}"#)?;
/// assert_eq!(from_file, policy);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ConcurrencyLimitPolicy {
    /// How many calls may be under way at once. Default: 10; where an answer takes ten seconds, that
    /// is one a second, and far more at once is more often a loop gone wrong than a plan.
    pub max_in_flight: u32,
    /// How many more may wait. Zero refuses at once whatever finds no permit. Default: 20; with ten
    /// under way, the last in line waits for about two answers.
    pub max_waiting: u32,
    /// How long each may wait. Default: 30 s, which still leaves a challenge, that lives for a
    /// minute or two, time to be answered here or elsewhere.
    #[serde(with = "human_duration")]
    pub max_wait: Duration,
}

impl ConcurrencyLimitPolicy {
    /// Sets [`max_in_flight`](Self::max_in_flight).
    #[must_use]
    pub const fn max_in_flight(mut self, calls: u32) -> Self {
        self.max_in_flight = calls;
        self
    }

    /// Sets [`max_waiting`](Self::max_waiting).
    #[must_use]
    pub const fn max_waiting(mut self, calls: u32) -> Self {
        self.max_waiting = calls;
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
    /// A `max_in_flight` of zero, or a `max_wait` of zero for a queue that has places.
    pub fn check(&self) -> Result<(), InvalidPolicy> {
        let refuse =
            |setting, problem| Err(InvalidPolicy::new("concurrency_limit", setting, problem));
        if self.max_in_flight == 0 {
            return refuse("max_in_flight", "must be at least 1");
        }
        if self.max_waiting > 0 && self.max_wait.is_zero() {
            return refuse(
                "max_wait",
                "must be longer than zero; for no waiting at all, set max_waiting to 0",
            );
        }
        Ok(())
    }
}

impl Default for ConcurrencyLimitPolicy {
    fn default() -> Self {
        Self {
            max_in_flight: 10,
            max_waiting: 20,
            max_wait: Duration::from_secs(30),
        }
    }
}
