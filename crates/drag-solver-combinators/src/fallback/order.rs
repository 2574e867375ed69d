//! Asking first the solver that did best recently.

use std::num::NonZeroU32;
use std::time::Duration;

use drag_solver_core::{CheckSettings, ConfigError, Ratio, human_duration, setters};
use serde::{Deserialize, Serialize};

use super::record::REMEMBERED;
use crate::settings::{among, count, longer_than_zero};

/// How a [`Fallback`](crate::Fallback) that is [ordered](crate::Fallback::ordered) judges its
/// solvers.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_combinators::OrderPolicy;
/// use drag_solver_core::Ratio;
///
/// let policy = OrderPolicy::default()
///     .window(Duration::from_secs(3_600))
///     .explore(Ratio::percent(10));
/// let from_file: OrderPolicy = serde_json::from_str(r#"{"window": "1h", "explore": 0.1}"#)?;
/// assert_eq!(from_file, policy);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct OrderPolicy {
    /// Calls that ended longer ago than this are forgotten; a solver with nothing but such calls is
    /// unknown again, and back at its place in the list. Default: 10 min, which most outages do not
    /// outlast. No more than the last 100 calls of a solver count. With zero, the order is that of the
    /// list.
    #[serde(with = "human_duration")]
    pub window: Duration,
    /// A solver is not judged by fewer calls than this. Default: 5; one failure is chance. More than
    /// 100 counts as 100, the number of calls that are remembered.
    pub min_samples: NonZeroU32,
    /// The part of the calls that ask a solver first that had been put behind another, so that it can
    /// show that it is back. Default: 0.05, which costs one call in twenty a detour.
    pub explore: Ratio,
}

impl OrderPolicy {
    setters! { window: Duration, min_samples: count, explore: Ratio }

    /// How many calls must be known before they are judged: no more than are remembered.
    pub(super) fn samples_needed(&self) -> usize {
        (self.min_samples.get() as usize).min(REMEMBERED)
    }
}

impl CheckSettings for OrderPolicy {
    fn check(&self) -> Result<(), ConfigError> {
        longer_than_zero("window", self.window)?;
        among(REMEMBERED, self.min_samples)
    }
}

impl Default for OrderPolicy {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(600),
            min_samples: count(5),
            explore: Ratio::percent(5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_may_not_say_is_named() {
        let policy = OrderPolicy::default();
        assert_eq!(policy.check(), Ok(()));
        let path = |policy: OrderPolicy| policy.check().unwrap_err().path();
        assert_eq!(path(policy.window(Duration::ZERO)), "window");
        assert_eq!(path(policy.min_samples(101)), "min_samples");
        for bad in [r#"{"explore": -0.1}"#, r#"{"explore": 1.1}"#] {
            let refused = serde_json::from_str::<OrderPolicy>(bad).unwrap_err();
            assert!(refused.to_string().contains("from 0 to 1"), "{refused}");
        }
        let typo = serde_json::from_str::<OrderPolicy>(r#"{"explor": 0.1}"#).unwrap_err();
        assert!(typo.to_string().contains("`explore`"), "{typo}");
    }

    #[test]
    fn more_samples_than_are_remembered_count_as_those() {
        for (samples, needed) in [(0, 1), (7, 7), (u32::MAX, 100)] {
            let policy = OrderPolicy::default().min_samples(samples);
            assert_eq!(policy.samples_needed(), needed);
        }
    }
}
