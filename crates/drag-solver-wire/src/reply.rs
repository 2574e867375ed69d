//! What a client is told, in no protocol's words yet.

use drag_solver_core::{Drag, Usd};

use crate::{Refusal, Shape};

/// What a client is told when its request was executed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Reply {
    /// The job with this id was taken.
    Created(String),
    /// It was taken and is answered already, as some services do it.
    Answered(String, Answer),
    /// Not yet.
    Running,
    /// The answer.
    Solved(Answer),
    /// What came of each of several jobs, in the order in which they were asked for; `None` is not yet.
    Several(Vec<Result<Option<Answer>, Refusal>>),
    /// A report was noted.
    Reported,
    /// What the account has left.
    Balance(Usd),
    /// What a job costs.
    Services(Usd),
}

impl Reply {
    /// The answer in it, if there is exactly one.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Solved(answer) | Self::Answered(_, answer) => Some(answer),
            _ => None,
        }
    }
}

/// A found drag and what goes with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The drag, in pixels of the picture.
    pub drag: Drag,
    /// The picture's width in pixels.
    pub width: u32,
    /// The picture's height in pixels.
    pub height: u32,
    /// In which form the job asked for the answer.
    pub shape: Shape,
    /// What the job cost.
    pub cost: Usd,
    /// When it was created, in seconds since 1970.
    pub created: u64,
    /// When its answer was found, in seconds since 1970.
    pub ended: u64,
}
