//! The work behind services that are strange to this library: they know the test pictures.

use std::sync::{Mutex, PoisonError};

use ::base64::prelude::{BASE64_STANDARD, Engine as _};
use drag_solver::prelude::*;
use drag_solver::testing::pictures::AnswerKey;
use serde_json::Value;

/// The instruction of what is never answered.
pub(super) const ENDLESS: &str = "take forever";

/// What a picture comes to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    Solved(Solved),
    GivenUp,
    Endless,
}

/// The drag on a picture, and how large that is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Solved {
    pub(super) numbers: [f64; 4],
    pub(super) size: (u32, u32),
}

impl Work {
    /// What is no test picture is given up on.
    pub(super) async fn on(picture: Vec<u8>, hint: &Value) -> Self {
        if hint == ENDLESS {
            return Self::Endless;
        }
        let Ok(screenshot) = Screenshot::from_bytes(picture) else {
            return Self::GivenUp;
        };
        let size = (screenshot.width(), screenshot.height());
        match AnswerKey.solve(&DragChallenge::new(screenshot)).await {
            Ok(solution) => {
                let Drag { start, end, .. } = *solution.drag();
                let numbers = [start.x, start.y, end.x, end.y];
                Self::Solved(Solved { numbers, size })
            }
            Err(_) => Self::GivenUp,
        }
    }
}

/// The picture that a text is, if it is one.
pub(super) fn base64(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap_or_default();
    BASE64_STANDARD.decode(text).unwrap_or_default()
}

/// The jobs that were bought, and whether they were asked about.
#[derive(Debug, Default)]
pub(super) struct Jobs(Mutex<Vec<(Work, bool)>>);

/// The id of the first job.
const FIRST: u64 = 7_100_001;

impl Jobs {
    /// The id of a new job.
    pub(super) fn begin(&self, work: Work) -> u64 {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.push((work, false));
        FIRST + (jobs.len() as u64 - 1)
    }

    /// What a job came to: nothing yet when it is asked about for the first time.
    pub(super) fn ask(&self, id: u64) -> Option<Work> {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = usize::try_from(id.checked_sub(FIRST)?).ok()?;
        let (work, was_asked) = jobs.get_mut(index)?;
        Some(if std::mem::replace(was_asked, true) {
            *work
        } else {
            Work::Endless
        })
    }
}
