//! What can be set.

use std::time::Duration;

use drag_solver_core::{CheckSettings, ConfigError, human_duration, setters};
use serde::{Deserialize, Serialize};

/// When people are asked, and how long they have.
///
/// ```
/// use drag_solver_operators::{OperatorsPolicy, WhenAbsent};
///
/// let policy = OperatorsPolicy::default().when_absent(WhenAbsent::Wait);
/// let from_file: OperatorsPolicy = serde_json::from_str(r#"{"when_absent": "wait"}"#)?;
/// assert_eq!(from_file, policy);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct OperatorsPolicy {
    /// What happens to a challenge while no operator is there. Default: it is refused, so that another solver is asked
    /// at once.
    pub when_absent: WhenAbsent,
    /// Challenges that may wait for an operator; one more is refused. Default: 100.
    pub max_waiting: u32,
    /// How long a challenge may wait until an operator has the time for it. Default: not set; for as long as its
    /// deadline allows.
    #[serde(default, with = "human_duration::option")]
    pub max_wait: Option<Duration>,
    /// How long an answer may take from when the first operator sees the challenge. Default: 2 min.
    #[serde(with = "human_duration")]
    pub answer_timeout: Duration,
}

/// What happens to a challenge while no operator is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", expecting = "\"refuse\" or \"wait\"")]
#[allow(clippy::exhaustive_enums)] // there is no third
pub enum WhenAbsent {
    /// It is refused at once, as [`Overloaded`](drag_solver_core::ErrorKind::Overloaded).
    #[default]
    Refuse,
    /// It waits until one comes.
    Wait,
}

impl OperatorsPolicy {
    setters! {
        when_absent: WhenAbsent,
        max_waiting: u32,
        max_wait: some Duration,
        answer_timeout: Duration,
    }
}

impl Default for OperatorsPolicy {
    fn default() -> Self {
        Self {
            when_absent: WhenAbsent::Refuse,
            max_waiting: 100,
            max_wait: None,
            answer_timeout: Duration::from_secs(120),
        }
    }
}

impl CheckSettings for OperatorsPolicy {
    fn check(&self) -> Result<(), ConfigError> {
        let times = [
            ("max_wait", self.max_wait),
            ("answer_timeout", Some(self.answer_timeout)),
        ];
        for (key, time) in times {
            if time.is_some_and(|time| time.is_zero()) {
                return Err(ConfigError::new(key, "must be longer than zero"));
            }
        }
        if self.max_waiting == 0 {
            let problem = "must be at least 1: a challenge waits until an operator takes it, if only for a moment";
            return Err(ConfigError::new("max_waiting", problem));
        }
        Ok(())
    }
}

/// How the people at a [`Desk`](crate::Desk) work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct DeskPolicy {
    /// How long an answer is kept back, so that the operator can undo it; less if the challenge has less time. Zero
    /// sends each at once; more than a minute counts as one. Default: 3 s.
    #[serde(with = "human_duration")]
    pub undo: Duration,
    /// How long a challenge stays with an operator of whom nothing is heard: their page is gone, or out of sight.
    /// Less than a second counts as one. Default: 15 s, three signs of life of the page.
    #[serde(with = "human_duration")]
    pub lease: Duration,
    /// Pages that may be open at the same time. Default: 100.
    pub max_operators: u32,
}

impl DeskPolicy {
    pub(crate) const SHORTEST_LEASE: Duration = Duration::from_secs(1);
    pub(crate) const LONGEST_UNDO: Duration = Duration::from_secs(60);

    setters! { undo: Duration, lease: Duration, max_operators: u32 }
}

impl Default for DeskPolicy {
    fn default() -> Self {
        Self {
            undo: Duration::from_secs(3),
            lease: Duration::from_secs(15),
            max_operators: 100,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_good_and_zeros_are_refused_with_their_key() {
        let policy = OperatorsPolicy::default();
        assert_eq!(policy.check(), Ok(()));
        let wrong = [
            ("max_wait", policy.max_wait(Duration::ZERO)),
            ("answer_timeout", policy.answer_timeout(Duration::ZERO)),
            ("max_waiting", policy.max_waiting(0)),
        ];
        for (key, policy) in wrong {
            assert_eq!(policy.check().unwrap_err().path(), key);
        }
    }
}
