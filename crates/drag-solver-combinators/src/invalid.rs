//! Settings that cannot work.

/// A setting that no solver can work with, refused when the combinator is built.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_combinators::TimeoutPolicy;
///
/// let refused = TimeoutPolicy::new(Duration::ZERO).check().unwrap_err();
/// assert_eq!(refused.setting(), "limit");
/// assert_eq!(refused.to_string(), "timeout.limit must be longer than zero");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{policy}.{setting} {problem}")]
pub struct InvalidPolicy {
    policy: &'static str,
    setting: &'static str,
    problem: String,
}

impl InvalidPolicy {
    pub(crate) fn new(
        policy: &'static str,
        setting: &'static str,
        problem: impl Into<String>,
    ) -> Self {
        Self {
            policy,
            setting,
            problem: problem.into(),
        }
    }

    /// The policy the setting belongs to, as in `"retry"`.
    #[must_use]
    pub fn policy(&self) -> &'static str {
        self.policy
    }

    /// The name of the setting, as in `"max_attempts"`.
    #[must_use]
    pub fn setting(&self) -> &'static str {
        self.setting
    }

    /// What is wrong with it, as in `"must be longer than zero"`.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }
}
