//! What is on record.

use bytes::Bytes;
use drag_solver_core::{
    Billed, DragChallenge, ErrorKind, Frame, JobId, PaidJob, Rect, Screenshot, Solution,
    SolveError, Usd, Verdict,
};
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::key::new_key;

/// What tells one picture from another: SHA-256 of the file.
pub type PictureDigest = [u8; 32];

/// What tells the picture of a screenshot from others.
#[must_use]
pub fn picture_digest(screenshot: &Screenshot) -> PictureDigest {
    Sha256::digest(screenshot.bytes()).into()
}

/// A challenge that a call wants to take up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Opening {
    /// What the caller calls it.
    pub id: String,
    /// Whose it is.
    pub label: Option<String>,
    /// What tells its picture from others.
    pub digest: PictureDigest,
    /// What is to be dragged where, in words.
    pub instruction: Option<String>,
    /// The part of the picture that holds the challenge, in pixels.
    pub region: Option<Rect>,
    /// When an answer becomes worthless.
    pub deadline: Option<Timestamp>,
    /// What the caller wants to find with it again. `None` leaves the one that is on record.
    pub note: Option<String>,
    /// Width of the picture, in pixels.
    pub width: u32,
    /// Height of the picture, in pixels.
    pub height: u32,
    /// The key of the claim that a call gets which takes it up with this.
    pub claim: i64,
}

impl Opening {
    /// What is kept of `challenge` under this id.
    #[must_use]
    pub fn of(challenge: &DragChallenge, id: impl Into<String>, now: Timestamp) -> Self {
        let due = |left| now.checked_add(left).ok();
        Self {
            id: id.into(),
            label: challenge.label().map(str::to_owned),
            digest: picture_digest(challenge.screenshot()),
            instruction: challenge.instruction().map(str::to_owned),
            region: challenge.region(),
            deadline: challenge.remaining().and_then(due),
            note: None,
            width: challenge.screenshot().width(),
            height: challenge.screenshot().height(),
            claim: new_key(),
        }
    }

    /// The same with a note: a short text, which the store keeps with the challenge and does not read.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

/// What came of taking a challenge up.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // made once a call
#[non_exhaustive]
pub enum TakenUp {
    /// The call has it now, and no other call.
    Claimed(Claim, ChallengeRecord),
    /// It is solved.
    Solved(Solution),
    /// It was accepted, its call failed, and no paid job is left to fetch: it is open again once it is accepted again.
    Failed(SolveError),
    /// Another call has it.
    Held,
    /// There is one of this id, with another picture.
    OtherPicture,
}

/// What came of accepting a challenge.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // made once a challenge
#[non_exhaustive]
pub enum Accepted {
    /// It is open from now on: a call has to take it up. It was not on record, or its last call failed.
    New,
    /// It was on record, open or solved.
    Known(ChallengeRecord),
    /// There is one of this id, with another picture.
    OtherPicture,
    /// As many as may be open for its label are.
    TooMany,
    /// Those of its label come faster than they may.
    TooFast,
}

/// What came of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reported {
    /// It is the first, and counts.
    First,
    /// There was one before, which said this.
    Again(Verdict),
    /// There is no answer that it could be about.
    NotSolved,
    /// There is no challenge of this id.
    Unknown,
}

/// The right to buy for a challenge. One call at a time has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs)] // two keys
pub struct Claim {
    /// The store's key of the challenge.
    pub challenge: i64,
    /// The key of this claim.
    pub key: i64,
}

/// A challenge, as it is on record. It serialises for people and programs to read.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ChallengeRecord {
    /// The store's key of it.
    #[serde(skip)]
    pub key: i64,
    /// What the caller calls it.
    pub id: String,
    /// Whose it is.
    pub label: Option<String>,
    /// What is to be dragged where, in words.
    pub instruction: Option<String>,
    /// The part of the picture that holds it, in pixels.
    pub region: Option<Rect>,
    /// When an answer becomes worthless.
    pub deadline: Option<Timestamp>,
    /// What tells its picture from others.
    #[serde(skip)]
    pub digest: PictureDigest,
    /// When it was first taken up.
    pub created: Timestamp,
    /// When its status changed last.
    pub updated: Timestamp,
    /// What became of it so far.
    #[serde(flatten)]
    pub status: Status,
    /// What a caller wants to find with it again: see [`Opening::with_note`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Width of the picture, in pixels.
    pub width: u32,
    /// Height of the picture, in pixels.
    pub height: u32,
    /// Whether the answer was right, once that was [reported](crate::Store::report).
    pub verdict: Option<Verdict>,
    /// What was bought for it, in order.
    pub purchases: Vec<PurchaseRecord>,
    /// The picture, while the challenge is open or a paid job needs it, and where it was asked for.
    #[serde(skip)]
    pub picture: Option<Bytes>,
}

impl ChallengeRecord {
    /// The challenge, for a call that solves it: as it is on record, with what is left until its deadline. A
    /// [`Durable`](crate::Durable) solver continues from there by itself.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidChallenge`] if its picture is not on record (any more), or was not read: see
    /// [`Query::pictures`](crate::Query::pictures).
    pub fn challenge(&self, now: Timestamp) -> Result<DragChallenge, SolveError> {
        let missing = || {
            let problem = "its picture is not on record, or was not read";
            SolveError::new(ErrorKind::InvalidChallenge, problem)
        };
        let picture = self.picture.clone().ok_or_else(missing)?;
        let mut challenge = DragChallenge::new(Screenshot::from_bytes(picture)?).with_id(&*self.id);
        if let Some(label) = &self.label {
            challenge = challenge.with_label(&**label);
        }
        if let Some(instruction) = &self.instruction {
            challenge = challenge.with_instruction(&**instruction);
        }
        if let Some(region) = self.region {
            challenge = challenge.with_region(region)?;
        }
        Ok(match self.deadline {
            Some(at) => challenge.within(at.duration_since(now).try_into().unwrap_or_default()),
            None => challenge,
        })
    }

    /// The jobs that were paid for and not yet fetched.
    pub fn open_jobs(&self) -> impl Iterator<Item = PaidJob> {
        self.purchases.iter().filter_map(PurchaseRecord::open_job)
    }

    /// The purchases that were sent, or were about to be, and of which nothing was heard: each may be on the
    /// bill. While a call has the challenge, one that it is just sending is among them.
    pub fn unconfirmed(&self) -> impl Iterator<Item = &PurchaseRecord> {
        self.purchases.iter().filter(|one| one.is_unconfirmed())
    }
}

/// What became of a challenge.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// It was accepted, or a call was begun for it, and it has not ended.
    Open {
        /// Whether a call has it now.
        held: bool,
    },
    /// It is solved.
    Solved {
        /// The answer.
        solution: Solution,
    },
    /// The last call for it failed.
    Failed {
        /// Why.
        error: SolveError,
    },
}

/// One purchase, as it is on record.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PurchaseRecord {
    /// The store's key of it.
    #[serde(skip)]
    pub key: i64,
    /// Name of the solver that it was bought from.
    pub solver: String,
    /// The provider's id for the job, once it has named it.
    pub job: Option<JobId>,
    /// How far it has come.
    pub state: PurchaseState,
    /// Whether it was billed, as far as that is known.
    pub billed: Billed,
    /// What it cost, in US dollars, if that is known.
    #[serde(rename = "cost_usd")]
    pub cost: Option<Usd>,
    /// In which frame the solver was sent the picture; `None` if as it is.
    pub frame: Option<Frame>,
    /// When it was about to be sent.
    pub begun: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
}

/// How far a purchase has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PurchaseState {
    /// It is sent, or about to be, and nothing was heard yet.
    Buying,
    /// The provider has named the job, which is not fetched yet.
    Bought,
    /// It has ended.
    Settled,
}

impl PurchaseRecord {
    /// The job, if it can be resumed.
    #[must_use]
    pub fn open_job(&self) -> Option<PaidJob> {
        let job = self
            .job
            .clone()
            .filter(|_| self.state == PurchaseState::Bought)?;
        Some(PaidJob::new(&*self.solver, job))
    }

    /// Whether it may be on the bill although it is not known what came of it.
    #[must_use]
    pub fn is_unconfirmed(&self) -> bool {
        match self.state {
            PurchaseState::Buying => true,
            PurchaseState::Settled => self.job.is_none() && self.billed == Billed::Maybe,
            PurchaseState::Bought => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use drag_solver_core::{Drag, ErrorKind, Point};
    use serde_json::json;

    use super::*;

    fn record(status: Status) -> ChallengeRecord {
        ChallengeRecord {
            key: 3,
            id: "order 4711".to_owned(),
            label: Some("tenant".to_owned()),
            instruction: None,
            region: None,
            deadline: None,
            digest: [7; 32],
            created: Timestamp::UNIX_EPOCH,
            updated: Timestamp::UNIX_EPOCH,
            status,
            note: None,
            width: 590,
            height: 1280,
            verdict: None,
            purchases: vec![PurchaseRecord {
                key: 5,
                solver: "a".to_owned(),
                job: Some(JobId::from(7)),
                state: PurchaseState::Settled,
                billed: Billed::Yes,
                cost: Some(Usd::from_micros(900)),
                frame: None,
                begun: Timestamp::UNIX_EPOCH,
                ended: None,
            }],
            picture: Some(Bytes::from_static(b"pixels")),
        }
    }

    #[test]
    fn a_record_says_in_json_what_people_and_programs_need() {
        let written = serde_json::to_value(record(Status::Open { held: true })).unwrap();
        let expected = json!({
            "id": "order 4711",
            "label": "tenant",
            "instruction": null,
            "region": null,
            "deadline": null,
            "created": "1970-01-01T00:00:00Z",
            "updated": "1970-01-01T00:00:00Z",
            "status": "open",
            "held": true,
            "width": 590,
            "height": 1280,
            "verdict": null,
            "purchases": [{
                "solver": "a",
                "job": "7",
                "state": "settled",
                "billed": "yes",
                "cost_usd": "0.0009",
                "frame": null,
                "begun": "1970-01-01T00:00:00Z",
                "ended": null,
            }],
        });
        assert_eq!(written, expected);
    }

    #[test]
    fn an_outcome_is_written_as_everywhere_else() {
        let drag = Drag::new(Point::new(1.0, 2.0), Point::new(3.0, 4.0));
        let solution = Solution::new(drag, "a");
        let error = SolveError::new(ErrorKind::Unsolvable, "no idea");
        for (status, name, key, expected) in [
            (
                Status::Solved {
                    solution: solution.clone(),
                },
                "solved",
                "solution",
                serde_json::to_value(&solution).unwrap(),
            ),
            (
                Status::Failed {
                    error: error.clone(),
                },
                "failed",
                "error",
                serde_json::to_value(&error).unwrap(),
            ),
        ] {
            let written = serde_json::to_value(record(status)).unwrap();
            assert_eq!(written["status"], name);
            assert_eq!(written[key], expected);
        }
    }
}
