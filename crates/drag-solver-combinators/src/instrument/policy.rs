//! What the spans and metrics of one place in a chain are called.

use std::num::NonZeroU32;

use drag_solver_core::{CheckSettings, ConfigError, setters};

use crate::settings::{count, require};

/// Which place in a chain an [`Instrument`](crate::Instrument) watches. A text turns into one by
/// itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
#[non_exhaustive]
pub struct InstrumentPolicy {
    /// A name for it, which is a field of the span and a label of the metrics. Default:
    /// `"challenge"`, because most want to know how often their challenges are solved; two places of
    /// one chain need two names.
    pub scope: String,
    /// Whether the metrics of calls and of money also have the label `label`, with the
    /// [label](drag_solver_core::DragChallenge::label) of the challenge. Default: no.
    pub by_label: bool,
    /// How many labels they tell apart: the first ones that come. All others count as `other`, and challenges
    /// without a label have an empty one; these two are not among the number. Default: 100, as each value makes
    /// series of its own in the system that stores the metrics.
    pub max_labels: NonZeroU32,
}

impl InstrumentPolicy {
    setters! { by_label: bool, max_labels: count }

    /// Sets [`scope`](Self::scope).
    #[must_use]
    pub fn scope(mut self, name: impl Into<String>) -> Self {
        self.scope = name.into();
        self
    }
}

impl CheckSettings for InstrumentPolicy {
    fn check(&self) -> Result<(), ConfigError> {
        let problem = "must not be empty: it tells this place in the chain from others";
        require(!self.scope.is_empty(), "scope", problem)
    }
}

impl Default for InstrumentPolicy {
    fn default() -> Self {
        Self {
            scope: "challenge".to_owned(),
            by_label: false,
            max_labels: count(100),
        }
    }
}

impl From<&str> for InstrumentPolicy {
    fn from(scope: &str) -> Self {
        Self::default().scope(scope)
    }
}
