//! How long things are kept.

use std::time::Duration;

use drag_solver_core::{CheckSettings, ConfigError, human_duration, setters};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a store keeps what it no longer needs.
///
/// What is not finished is kept as long as money is: a challenge that was accepted and not solved, one with a paid job
/// that was not fetched, or with a purchase of which nothing was heard. Of what solvers did, the last 100 calls of each are
/// kept, as long as challenges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Retention {
    /// Finished challenges, since their status changed last: with them goes the answer that the same id gets again.
    /// Default: 30 days.
    #[serde(with = "human_duration")]
    pub challenges: Duration,
    /// What was spent, and on what. Totals of budgets are never forgotten. Default: 400 days, a year and what
    /// it takes to look at it.
    #[serde(with = "human_duration")]
    pub money: Duration,
}

impl Retention {
    setters! { challenges: Duration, money: Duration }

    /// Since when challenges that are finished are kept, and since when money is: in milliseconds since 1970.
    pub(crate) fn kept_since(&self, now: Timestamp) -> (i64, i64) {
        let since = |length: Duration| {
            let since = now.checked_sub(length).unwrap_or(Timestamp::MIN);
            since.as_millisecond()
        };
        (since(self.challenges), since(self.money))
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            challenges: DAY * 30,
            money: DAY * 400,
        }
    }
}

impl CheckSettings for Retention {
    fn check(&self) -> Result<(), ConfigError> {
        if self.money < self.challenges {
            let problem = "must be at least as long as `challenges`: money is kept longer than what it was spent on";
            return Err(ConfigError::new("money", problem));
        }
        Ok(())
    }
}

/// What was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Pruned {
    /// Challenges.
    pub challenges: u64,
    /// Purchases and charges.
    pub money: u64,
    /// How much smaller the file is, in bytes.
    pub bytes: u64,
}
