//! What an answer must look like.

use std::time::Duration;

use drag_solver_core::{CheckSettings, ConfigError};

use crate::settings::{longer_than_zero, pixels, policy};

policy! {
    /// What an answer must look like.
    pub struct ValidatePolicy {
        /// The least distance from start to end, in pixels. Default: 8, the distance below which Android
        /// takes a drag for a tap (on a screen of the lowest density; it is more on others). Less than
        /// zero counts as zero, and so does what is not a number; a drag of no length is never valid.
        pub min_length: f64 = 8.0,
        /// Whether to tell the provider of an answer that fails. Default: no, because a report is a
        /// statement to a business partner, and some act on those who make too many.
        pub report_incorrect: bool = false,
        /// How long such a report may take. Default: 5 s, because the next attempt waits for it. With
        /// zero, none is sent.
        #[serde(with = "drag_solver_core::human_duration")]
        pub report_timeout: Duration = Duration::from_secs(5),
    }
}

impl CheckSettings for ValidatePolicy {
    fn check(&self) -> Result<(), ConfigError> {
        pixels("min_length", self.min_length)?;
        longer_than_zero("report_timeout", self.report_timeout)
    }
}
