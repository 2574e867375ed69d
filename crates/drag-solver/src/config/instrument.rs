//! Spans and metrics, as a file has them.

use std::num::NonZeroU32;

use drag_solver_core::setters;
use serde::{Deserialize, Serialize};

use crate::InstrumentPolicy;

/// Spans and metrics around each challenge (`challenge`) and each attempt (`attempt`) of a chain. See
/// [`Instrument`](crate::Instrument).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct InstrumentConfig {
    /// Whether metrics tell the [labels](crate::DragChallenge::label) of challenges apart. Default: no.
    pub by_label: bool,
    /// How many labels they tell apart: the first ones that come; all others count as `other`. Default: 100.
    pub max_labels: NonZeroU32,
}

impl InstrumentConfig {
    setters! { by_label: bool, max_labels: count }

    /// The policy of one place in the chain.
    pub(super) fn policy(self, scope: &str) -> InstrumentPolicy {
        InstrumentPolicy::from(scope)
            .by_label(self.by_label)
            .max_labels(self.max_labels.get())
    }
}

impl Default for InstrumentConfig {
    fn default() -> Self {
        let policy = InstrumentPolicy::default();
        Self {
            by_label: policy.by_label,
            max_labels: policy.max_labels,
        }
    }
}
