//! What the spans and metrics of one place in a chain are called.

use drag_solver_core::{CheckSettings, ConfigError};
use serde::{Deserialize, Serialize};

use crate::settings::require;

/// Which place in a chain an [`Instrument`](crate::Instrument) watches. A text turns into one by
/// itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct InstrumentPolicy {
    /// A name for it, which is a field of the span and a label of the metrics. Default:
    /// `"challenge"`, because most want to know how often their challenges are solved; two places of
    /// one chain need two names.
    pub scope: String,
}

impl InstrumentPolicy {
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
        }
    }
}

impl From<&str> for InstrumentPolicy {
    fn from(scope: &str) -> Self {
        Self::default().scope(scope)
    }
}
