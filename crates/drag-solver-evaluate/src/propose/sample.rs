//! What was measured, as the simulation draws from it.

use std::time::Duration;

use crate::call::{Call, CallOutcome, Next};

/// One call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) seconds: f64,
    pub(super) usd: f64,
    pub(super) end: End,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum End {
    Answered {
        right: bool,
    },
    /// With what is done next, and how many seconds it said to wait.
    Failed(Next, f64),
}

/// All calls of one solver whose time is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples {
    by_picture: Vec<Option<Sample>>,
    all: Vec<Sample>,
    /// Whether the cost of all of them is known.
    pub(super) has_costs: bool,
}

impl Samples {
    pub(super) fn of(solver: usize, calls: &[Call], pictures: usize, tolerance: f64) -> Self {
        let mut samples = Self {
            by_picture: vec![None; pictures],
            all: Vec::new(),
            has_costs: true,
        };
        for call in calls.iter().filter(|call| call.solver == solver) {
            let end = match &call.outcome {
                CallOutcome::NotMeasured { .. } => continue,
                CallOutcome::Answered { off_px, .. } => End::Answered {
                    right: *off_px <= tolerance,
                },
                CallOutcome::Failed {
                    next, retry_after, ..
                } => End::Failed(*next, seconds(*retry_after)),
            };
            let Some(took) = call.took else { continue };
            samples.has_costs &= call.spent.is_some();
            let sample = Sample {
                seconds: took.as_secs_f64(),
                usd: call.spent.unwrap_or_default().to_f64_lossy(),
                end,
            };
            samples.all.push(sample);
            if let Some(place) = samples.by_picture.get_mut(call.picture) {
                *place = Some(sample);
            }
        }
        samples
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn all(&self) -> &[Sample] {
        &self.all
    }

    /// What came of the call about this picture, if there was one.
    pub(super) fn about(&self, picture: usize) -> Option<Sample> {
        self.by_picture.get(picture).copied().flatten()
    }

    /// How long answers took.
    pub(super) fn seconds_of_answers(&self) -> Vec<f64> {
        let answers = self
            .all
            .iter()
            .filter(|one| matches!(one.end, End::Answered { .. }));
        answers.map(|one| one.seconds).collect()
    }
}

fn seconds(duration: Option<Duration>) -> f64 {
    duration.unwrap_or_default().as_secs_f64()
}
