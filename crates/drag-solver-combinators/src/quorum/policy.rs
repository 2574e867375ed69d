//! When answers count as the same.

use serde::{Deserialize, Serialize};

use crate::InvalidPolicy;

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
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct QuorumPolicy {
    /// How many answers must agree. Default: 2; that two are wrong in the same place is unlikely
    /// enough for most, and each further one costs an answer.
    pub agree: u32,
    /// How far the starts, and the ends, of two answers that agree may be apart, in pixels of the
    /// screenshot. Default: 10, which two clicks on the same piece do not exceed, and two different
    /// places do.
    pub tolerance: f64,
    /// Whether all solvers are asked at once. If not, only as many as must agree are, and one more
    /// for each that fails or disagrees. Default: no, because every answer is paid for; with all at
    /// once, disagreement costs no time.
    pub all_at_once: bool,
}

impl QuorumPolicy {
    /// Sets [`agree`](Self::agree).
    #[must_use]
    pub const fn agree(mut self, answers: u32) -> Self {
        self.agree = answers;
        self
    }

    /// Sets [`tolerance`](Self::tolerance), in pixels.
    #[must_use]
    pub const fn tolerance(mut self, pixels: f64) -> Self {
        self.tolerance = pixels;
        self
    }

    /// Sets [`all_at_once`](Self::all_at_once).
    #[must_use]
    pub const fn all_at_once(mut self, all: bool) -> Self {
        self.all_at_once = all;
        self
    }

    /// Whether a quorum can work with these settings.
    ///
    /// # Errors
    ///
    /// Fewer than two that must `agree`, or a `tolerance` that is negative or not a number.
    pub fn check(&self) -> Result<(), InvalidPolicy> {
        let refuse = |setting, problem: String| Err(InvalidPolicy::new("quorum", setting, problem));
        if self.agree < 2 {
            return refuse(
                "agree",
                format!("must be at least 2, not {}: one always agrees", self.agree),
            );
        }
        if !(self.tolerance.is_finite() && self.tolerance >= 0.0) {
            return refuse(
                "tolerance",
                format!(
                    "must be a number of pixels from 0 up, not {}",
                    self.tolerance
                ),
            );
        }
        Ok(())
    }
}

impl Default for QuorumPolicy {
    fn default() -> Self {
        Self {
            agree: 2,
            tolerance: 10.0,
            all_at_once: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_settings_are_named() {
        let policy = QuorumPolicy::default();
        assert_eq!(policy.check(), Ok(()));
        for bad in [0, 1] {
            assert_eq!(policy.agree(bad).check().unwrap_err().setting(), "agree");
        }
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            let refused = policy.tolerance(bad).check().unwrap_err();
            assert_eq!(refused.setting(), "tolerance");
        }
        let typo = serde_json::from_str::<QuorumPolicy>(r#"{"agreed": 3}"#).unwrap_err();
        assert!(typo.to_string().contains("`agree`"), "{typo}");
    }
}
