//! When answers count as the same.

use drag_solver_core::{CheckSettings, ConfigError};

use crate::settings::{pixels, policy, require};

policy! {
    /// How many solvers must agree, and how closely, before [`Quorum`](crate::Quorum) believes them.
    ///
    /// ```
    /// use drag_solver_combinators::QuorumPolicy;
    ///
    /// let policy = QuorumPolicy::default().agree(3).tolerance(6.0);
    /// let from_file: QuorumPolicy = serde_json::from_str(r#"{"agree": 3, "tolerance": 6}"#)?;
    /// assert_eq!(from_file, policy);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub struct QuorumPolicy {
        /// How many answers must agree. Default: 2; that two are wrong in the same place is unlikely
        /// enough for most, and each further one costs an answer. 1 counts as 2: one always agrees.
        pub agree: count = 2,
        /// How far the starts, and the ends, of two answers that agree may be apart, in pixels of the
        /// screenshot. Default: 10, which two clicks on the same piece do not exceed, and two different
        /// places do. Less than zero counts as zero, and so does what is not a number.
        pub tolerance: f64 = 10.0,
        /// Whether all solvers are asked at once. If not, only as many as must agree are, and one more
        /// for each that fails or disagrees. Default: no, because every answer is paid for; with all at
        /// once, disagreement costs no time.
        pub all_at_once: bool = false,
    }
}

impl QuorumPolicy {
    /// How many answers must agree: at least two.
    pub(super) fn needed(&self) -> usize {
        self.agree.get().max(2) as usize
    }

    /// The tolerance in pixels: a number from 0 up.
    pub(super) fn tolerated(&self) -> f64 {
        self.tolerance.max(0.0)
    }
}

impl CheckSettings for QuorumPolicy {
    fn check(&self) -> Result<(), ConfigError> {
        let problem = format_args!("must be at least 2, not {}: one always agrees", self.agree);
        require(self.agree.get() >= 2, "agree", problem)?;
        pixels("tolerance", self.tolerance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_may_not_say_is_named() {
        let policy = QuorumPolicy::default();
        assert_eq!(policy.check(), Ok(()));
        for bad in [0, 1] {
            assert_eq!(policy.agree(bad).check().unwrap_err().path(), "agree");
        }
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            let refused = policy.tolerance(bad).check().unwrap_err();
            assert_eq!(refused.path(), "tolerance");
        }
        let typo = serde_json::from_str::<QuorumPolicy>(r#"{"agreed": 3}"#).unwrap_err();
        assert!(typo.to_string().contains("`agree`"), "{typo}");
    }

    #[test]
    fn code_that_says_it_gets_what_the_docs_promise() {
        let policy = QuorumPolicy::default();
        for (agree, needed) in [(0, 2), (1, 2), (3, 3)] {
            assert_eq!(policy.agree(agree).needed(), needed);
        }
        for tolerance in [-1.0, f64::NAN] {
            assert!(policy.tolerance(tolerance).tolerated().abs() < f64::EPSILON);
        }
    }
}
