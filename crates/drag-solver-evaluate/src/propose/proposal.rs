//! What a chain has to do, and which one does.

use std::time::Duration;

use serde::Serialize;

use super::candidate::Candidate;
use crate::call::millis;
use crate::figures::Estimate;

/// What a chain has to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Goal {
    /// How long 99 of 100 challenges may take at most. In JSON in milliseconds.
    #[serde(rename = "within_ms", serialize_with = "millis")]
    pub within: Option<Duration>,
    /// The share of challenges that have to get a right answer, from 0 to 1.
    pub min_right: Option<f64>,
}

impl Goal {
    /// 99 of 100 challenges take no longer than this.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.within = Some(limit);
        self
    }

    /// At least this share of challenges gets a right answer.
    #[must_use]
    pub fn min_right(mut self, share: f64) -> Self {
        self.min_right = Some(share);
        self
    }

    pub(super) fn is_met(&self, estimated: &Estimated) -> bool {
        let in_time = self
            .within
            .is_none_or(|limit| estimated.seconds_p99 <= limit.as_secs_f64());
        in_time
            && self
                .min_right
                .is_none_or(|share| estimated.share_right >= share)
    }
}

/// A candidate, and what it would have done.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Estimated {
    /// The chain.
    #[serde(flatten)]
    pub candidate: Candidate,
    /// The share of challenges that get a right answer.
    pub share_right: f64,
    /// How long challenges take, in seconds, failed ones too: the median.
    pub seconds_p50: f64,
    /// The 99th percentile.
    pub seconds_p99: f64,
    /// What a challenge costs on average, in US dollars.
    pub usd_per_challenge: f64,
    /// What a right answer costs, in US dollars; `None` if it is not known, or none is right.
    pub usd_per_right: Option<f64>,
    /// Whether it does what was asked.
    pub meets_goal: bool,
}

/// The chain that is proposed, and all that it was chosen from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Proposal {
    /// What was asked.
    pub goal: Goal,
    /// Every candidate; those that do what was asked first, then by what a right answer costs.
    pub candidates: Vec<Estimated>,
    /// Whether the first of them is proposed. If not, none does what was asked.
    pub is_met: bool,
    /// The 99th percentile of the proposed chain, in seconds, and the interval that the true one is in with 95 %.
    pub seconds_p99: Option<Estimate>,
    /// What a right answer of it costs, in US dollars, with its interval.
    pub usd_per_right: Option<Estimate>,
    /// Why, in sentences.
    pub why: Vec<String>,
}

impl Proposal {
    /// The chain that is proposed.
    #[must_use]
    pub fn chosen(&self) -> Option<&Estimated> {
        self.candidates.first().filter(|_| self.is_met)
    }
}
