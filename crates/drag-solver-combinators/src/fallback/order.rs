//! Asking first the solver that did best recently.

use std::time::Duration;

use drag_solver_core::{CheckSettings, ConfigError, Ratio, Usd};

use super::record::REMEMBERED;
use crate::settings::{among, longer_than_zero, policy, require};

policy! {
    /// How a [`Fallback`](crate::Fallback) that is [ordered](crate::Fallback::ordered) judges its
    /// solvers.
    ///
    /// ```
    /// use std::time::Duration;
    /// use drag_solver_combinators::OrderPolicy;
    /// use drag_solver_core::{Ratio, Usd};
    ///
    /// let policy = OrderPolicy::default()
    ///     .window(Duration::from_secs(3_600))
    ///     .explore(Ratio::percent(10))
    ///     .second_worth(Usd::from_micros(100));
    /// let from_file: OrderPolicy =
    ///     serde_json::from_str(r#"{"window": "1h", "explore": 0.1, "second_worth": "0.0001"}"#)?;
    /// assert_eq!(from_file, policy);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub struct OrderPolicy {
        /// Calls that ended longer ago than this are forgotten; a solver with nothing but such calls is
        /// unknown again, and back at its place in the list. Default: 10 min, which most outages do not
        /// outlast. No more than the last 100 calls of a solver count. With zero, the order is that of the
        /// list.
        #[serde(with = "drag_solver_core::human_duration")]
        pub window: Duration = Duration::from_secs(600),
        /// A solver is not judged by fewer calls than this. Default: 5; one failure is chance. More than
        /// 100 counts as 100, the number of calls that are remembered.
        pub min_samples: count = 5,
        /// The part of the calls that ask a solver first that had been put behind another, so that it can
        /// show that it is back. Default: 0.05, which costs one call in twenty a detour.
        ///
        /// If [`second_worth`](Self::second_worth) is set, that is any solver that is not first and would be, if it answered
        /// at once and each answer cost as little as the cheapest that it gave. If it is not set, it is any that is listed
        /// before one that is asked earlier.
        pub explore: Ratio = Ratio::percent(5),
        /// How much it is worth, in US dollars, that an answer comes a second sooner. With it, prices count: who takes
        /// 10 s longer for each right answer goes first if it is cheaper by more than ten times this. With zero, the
        /// cheapest goes first, however slow. Default: time alone counts, and no price.
        ///
        /// To set it from a bill: 10,000 answers that cost $10 and take 12 s on average are 33 hours of waiting. Who would
        /// pay twice as much to have half of that sets it to 10 / (10,000 x 6), about 0.00017.
        pub second_worth: some Usd,
    }
}

impl OrderPolicy {
    /// How many calls must be known before they are judged: no more than are remembered.
    pub(super) fn samples_needed(&self) -> usize {
        (self.min_samples.get() as usize).min(REMEMBERED)
    }
}

impl CheckSettings for OrderPolicy {
    fn check(&self) -> Result<(), ConfigError> {
        longer_than_zero("window", self.window)?;
        among(REMEMBERED, self.min_samples)?;
        let worth = self.second_worth.unwrap_or_default();
        let problem = format_args!("must not be negative, and {worth} is");
        require(!worth.is_negative(), "second_worth", problem)
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
        let negative = policy.second_worth(Usd::from_micros(-1));
        assert_eq!(
            negative.check().unwrap_err().to_string(),
            "second_worth: must not be negative, and -0.000001 is"
        );
        assert_eq!(policy.second_worth(Usd::ZERO).check(), Ok(()));
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
