//! Asking first whoever did best of late.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{InvalidPolicy, human_duration};

/// How a [`Fallback`](crate::Fallback) that is [ordered](crate::Fallback::ordered) judges its
/// solvers.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_combinators::OrderPolicy;
///
/// let policy = OrderPolicy::default().remember(Duration::from_secs(3_600)).explore(0.1);
/// let from_file: OrderPolicy = serde_json::from_str(r#"{"remember": "1h", "explore": 0.1}"#)?;
/// assert_eq!(from_file, policy);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct OrderPolicy {
    /// Calls that ended longer ago than this are forgotten; a solver with nothing but such calls is
    /// unknown again, and back at its place in the list. Default: 10 min, which most outages do not
    /// outlast. No more than the last 100 calls of a solver count.
    #[serde(with = "human_duration")]
    pub remember: Duration,
    /// A solver is not judged by fewer calls than this. Default: 5; one failure is chance.
    pub min_calls: u32,
    /// The part of the calls that ask a solver first that had been put behind another, so that it can
    /// show that it is back. From 0 to 1. Default: 0.05, which costs one call in twenty a detour.
    pub explore: f64,
}

impl OrderPolicy {
    /// Sets [`remember`](Self::remember).
    #[must_use]
    pub const fn remember(mut self, age: Duration) -> Self {
        self.remember = age;
        self
    }

    /// Sets [`min_calls`](Self::min_calls).
    #[must_use]
    pub const fn min_calls(mut self, calls: u32) -> Self {
        self.min_calls = calls;
        self
    }

    /// Sets [`explore`](Self::explore), from 0 to 1.
    #[must_use]
    pub const fn explore(mut self, part: f64) -> Self {
        self.explore = part;
        self
    }

    /// Whether a fallback can work with these settings.
    ///
    /// # Errors
    ///
    /// A `remember` of zero, `min_calls` of zero or of more than are remembered (100), or an
    /// `explore` that is not from 0 to 1.
    pub fn check(&self) -> Result<(), InvalidPolicy> {
        let refuse = |setting, problem: String| Err(InvalidPolicy::new("order", setting, problem));
        if self.remember.is_zero() {
            return refuse("remember", "must be longer than zero".to_owned());
        }
        let most = super::record::REMEMBERED;
        if self.min_calls == 0 || self.min_calls as usize > most {
            return refuse(
                "min_calls",
                format!(
                    "must be from 1 to {most}, the number of calls that are remembered, not {}",
                    self.min_calls
                ),
            );
        }
        if !(0.0..=1.0).contains(&self.explore) {
            return refuse(
                "explore",
                format!("must be from 0 to 1, not {}", self.explore),
            );
        }
        Ok(())
    }
}

impl Default for OrderPolicy {
    fn default() -> Self {
        Self {
            remember: Duration::from_secs(600),
            min_calls: 5,
            explore: 0.05,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_settings_are_named() {
        let policy = OrderPolicy::default();
        assert_eq!(policy.check(), Ok(()));
        let setting = |policy: OrderPolicy| policy.check().unwrap_err().setting();
        assert_eq!(setting(policy.remember(Duration::ZERO)), "remember");
        assert_eq!(setting(policy.min_calls(0)), "min_calls");
        assert_eq!(setting(policy.min_calls(101)), "min_calls");
        for bad in [-0.1, 1.1, f64::NAN] {
            assert_eq!(setting(policy.explore(bad)), "explore");
        }
        let typo = serde_json::from_str::<OrderPolicy>(r#"{"explor": 0.1}"#).unwrap_err();
        assert!(typo.to_string().contains("`explore`"), "{typo}");
    }
}
