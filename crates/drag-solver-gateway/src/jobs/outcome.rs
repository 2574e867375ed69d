//! What came of a job, as short as it can be kept.

use std::time::Duration;

use drag_solver::store::jiff::Timestamp;
use drag_solver::store::{ChallengeRecord, Status};
use drag_solver::{Drag, ErrorKind, Solution, SolveError, Usd};
use drag_solver_wire::{Answer, Protocol, Refusal, Shape};
use serde::{Deserialize, Serialize};

/// What a gateway wants to find again with a challenge: the note that the store keeps with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Note {
    /// The protocol that it was sent in; none for the gateway's own API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) protocol: Option<Protocol>,
    /// In which form the answer is wanted.
    pub(crate) shape: Shape,
    /// Where the answer is to be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) callback: Option<String>,
}

impl Note {
    pub(crate) fn of_record(record: &ChallengeRecord) -> Option<Self> {
        serde_json::from_str(record.note.as_deref()?).ok()
    }
}

/// What came of a job.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) result: Result<Answered, Failed>,
    pub(crate) protocol: Option<Protocol>,
    pub(crate) shape: Shape,
    /// Size of the picture, in pixels.
    pub(crate) size: (u32, u32),
    pub(crate) created: Timestamp,
    pub(crate) ended: Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) drag: Drag,
    /// Who found it.
    pub(crate) solver: String,
    /// What was spent on it in all, if that is known.
    pub(crate) spent: Option<Usd>,
}

#[derive(Clone, Debug)]
pub(crate) struct Failed {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
}

impl From<&Solution> for Answered {
    fn from(solution: &Solution) -> Self {
        Self {
            drag: *solution.drag(),
            solver: solution.solver().to_owned(),
            spent: solution.spent(),
        }
    }
}

impl From<&SolveError> for Failed {
    fn from(error: &SolveError) -> Self {
        Self {
            kind: error.kind(),
            message: error.to_string(),
        }
    }
}

impl Outcome {
    /// What the record says; `None` while it is open, or if it is not a gateway's.
    pub(crate) fn of_record(record: &ChallengeRecord) -> Option<Self> {
        let note = Note::of_record(record)?;
        let result = match &record.status {
            Status::Solved { solution } => Ok(solution.into()),
            Status::Failed { error } => Err(error.into()),
            _ => return None,
        };
        Some(Self {
            result,
            protocol: note.protocol,
            shape: note.shape,
            size: (record.width, record.height),
            created: record.created,
            ended: record.updated,
        })
    }

    /// In one word.
    pub(crate) fn name(&self) -> &'static str {
        match &self.result {
            Ok(_) => "solved",
            Err(failed) => failed.kind.as_str(),
        }
    }

    /// From its acceptance to its end.
    pub(crate) fn took(&self) -> Duration {
        let took = self.ended.duration_since(self.created);
        Duration::try_from(took).unwrap_or_default()
    }

    /// What a client is told.
    pub(crate) fn answer(&self) -> Result<Answer, Refusal> {
        let seconds = |at: Timestamp| u64::try_from(at.as_second()).unwrap_or_default();
        let answered = self.result.as_ref().map_err(Failed::refusal)?;
        let (width, height) = self.size;
        Ok(Answer {
            drag: answered.drag,
            width,
            height,
            shape: self.shape,
            cost: answered.spent.unwrap_or_default(),
            created: seconds(self.created),
            ended: seconds(self.ended),
        })
    }
}

impl Failed {
    /// Whether nothing was bought, as it could not be put on record.
    pub(crate) fn is_unrecorded(&self) -> bool {
        self.kind == ErrorKind::NotRecorded
    }

    /// What a client of any protocol makes the right thing of.
    pub(crate) fn refusal(&self) -> Refusal {
        match self.kind {
            ErrorKind::Unauthorized => Refusal::BadToken,
            ErrorKind::InsufficientBalance | ErrorKind::BudgetExhausted => Refusal::NoMoney,
            ErrorKind::RateLimited | ErrorKind::Overloaded | ErrorKind::CircuitOpen => {
                Refusal::NoWorker
            }
            ErrorKind::InvalidChallenge => Refusal::PictureType(self.message.clone()),
            ErrorKind::Unsupported => Refusal::TaskType("no provider does this".to_owned()),
            _ => Refusal::Unsolvable,
        }
    }
}
