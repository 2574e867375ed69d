//! A job is accepted: on record before its id is told, and once for each time it is meant.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use drag_solver::store::jiff::Timestamp;
use drag_solver::store::{Accepted, ChallengeRecord, Opening, Status, StoreError, picture_digest};
use drag_solver::{DragChallenge, Usd};

use super::live::Job;
use super::{Jobs, Note, challenge_id};
use crate::keys::Account;
use crate::task_id::{Form, TaskId};

/// A job that a client wants done.
pub(crate) struct New {
    /// As the client has put it.
    pub(crate) challenge: DragChallenge,
    pub(crate) note: Note,
    pub(crate) form: Form,
    /// What the client calls the request, if it says so: the same again is the same job, for as long as it is on record.
    pub(crate) idempotency_key: Option<String>,
    /// How long its answer is of use, if the client says so.
    pub(crate) deadline: Option<Duration>,
}

/// Why a job is not accepted.
#[derive(Debug)]
pub(crate) enum NotAccepted {
    /// Its key makes jobs faster than it may.
    TooFast,
    /// There are too many open jobs.
    TooMany,
    /// The key's budget is spent.
    NoMoney,
    /// The gateway is told to stop.
    Stopping,
    /// The request's key was used for another one.
    OtherRequest,
    Store(StoreError),
}

impl From<StoreError> for NotAccepted {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl New {
    /// Whether the record is one of the same request.
    fn is_what_was_asked(&self, record: &ChallengeRecord) -> bool {
        Note::of_record(record).as_ref() == Some(&self.note)
            && record.instruction.as_deref() == self.challenge.instruction()
            && record.region == self.challenge.region()
    }
}

/// Ids that are tried, at most: two pictures of one key with the same number are as good as never.
const TRIES: u8 = 4;

impl Jobs {
    /// The id of the job, which survives a power cut by now.
    ///
    /// Continues if the future is dropped: what is on record by then is worked on, and counts, even if no caller listens.
    pub(crate) async fn accept(
        &self,
        account: &Arc<Account>,
        new: New,
    ) -> Result<TaskId, NotAccepted> {
        let (jobs, account) = (self.clone(), Arc::clone(account));
        let accepted = tokio::spawn(async move { jobs.accept_now(&account, new).await });
        accepted.await.unwrap_or(Err(NotAccepted::Stopping)) // the runtime ends
    }

    async fn accept_now(&self, account: &Account, new: New) -> Result<TaskId, NotAccepted> {
        if self.is_stopping() {
            return Err(NotAccepted::Stopping);
        }
        let now = self.0.store.now();
        let mut ids = self.ids(account, &new, now);
        if let Some(earlier) = ids.earlier.take()
            && self.was_just_accepted(account, &earlier, &new, now).await?
        {
            return Ok(earlier);
        }
        let policy = &self.0.policy;
        let limit = self.chain().time_limit().unwrap_or(policy.deadline);
        let limit = new.deadline.map_or(limit, |own| own.min(limit));
        let mut challenge = new.challenge.clone().within(limit);
        if let Some(label) = account.label() {
            challenge = challenge.with_label(label);
        }
        let note = serde_json::to_string(&new.note).unwrap_or_default();
        for turn in 0..TRIES {
            let task = ids.of_turn(turn);
            let id = challenge_id(account, &task);
            if self.is_known(account, &id, &new).await? {
                return Ok(task);
            }
            // From here on it is a new one, and counts.
            if usize::try_from(policy.open_jobs).is_ok_and(|most| self.open() >= most) {
                return Err(NotAccepted::TooMany);
            }
            let most = account.parallel().unwrap_or(policy.open_jobs_per_key);
            let place = account.open_one(most).ok_or(NotAccepted::TooMany)?;
            let left = self.0.budget.left(account.label()).await?;
            if left.is_some_and(|left| left <= Usd::ZERO) {
                return Err(NotAccepted::NoMoney);
            }
            let challenge = challenge.clone().with_id(&*id);
            let opening = Opening::of(&challenge, &*id, now).with_note(&*note);
            let picture: &Bytes = challenge.screenshot().bytes();
            let limits = account.limits();
            match self.0.store.accept(&opening, picture, &limits).await? {
                Accepted::TooMany => return Err(NotAccepted::TooMany),
                Accepted::TooFast => return Err(NotAccepted::TooFast),
                Accepted::OtherPicture if new.idempotency_key.is_some() => {
                    return Err(NotAccepted::OtherRequest);
                }
                Accepted::OtherPicture => continue,
                Accepted::Known(record)
                    if !matches!(record.status, Status::Open { held: false }) =>
                {
                    return Ok(task);
                }
                _ => {}
            }
            // While it waits for a worker, its picture is on record alone.
            self.begin(Job::new(id, Some(place), now));
            return Ok(task);
        }
        Err(NotAccepted::OtherRequest)
    }

    /// Whether a job of this id is open or solved already, for the same request. One that is open is worked on.
    async fn is_known(&self, account: &Account, id: &str, new: &New) -> Result<bool, NotAccepted> {
        let Some(record) = self.0.store.find(id).await? else {
            return Ok(false);
        };
        if record.digest != picture_digest(new.challenge.screenshot()) {
            return Ok(false);
        }
        if new.idempotency_key.is_some() && !new.is_what_was_asked(&record) {
            return Err(NotAccepted::OtherRequest);
        }
        Ok(self.goes_on(account, &record))
    }

    /// Whether there will be an answer, or is one. One that no worker has is begun again.
    fn goes_on(&self, account: &Account, record: &ChallengeRecord) -> bool {
        match record.status {
            Status::Open { held } => {
                if !held {
                    let place = account.open_one(u32::MAX);
                    self.begin(Job::new(record.id.clone(), place, record.created));
                }
                true
            }
            Status::Solved { .. } => true,
            _ => false,
        }
    }

    /// Whether the same was asked a short time ago, before the current stretch of time began, and has not failed.
    async fn was_just_accepted(
        &self,
        account: &Account,
        task: &TaskId,
        new: &New,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let record = self.0.store.find(&challenge_id(account, task)).await?;
        Ok(record.is_some_and(|record| {
            let age = now.duration_since(record.created);
            let is_new =
                Duration::try_from(age).unwrap_or_default() <= self.0.policy.same_create_within;
            let is_same = record.digest == picture_digest(new.challenge.screenshot());
            is_new && is_same && self.goes_on(account, &record)
        }))
    }

    fn ids(&self, account: &Account, new: &New, now: Timestamp) -> Ids {
        let mut parts: Vec<Vec<u8>> = vec![account.hash.to_vec()];
        let window = self.0.policy.same_create_within.as_millis();
        let mut stretch = None;
        if let Some(key) = &new.idempotency_key {
            parts.push(b"key".to_vec());
            parts.push(key.clone().into_bytes());
        } else {
            parts.push(b"create".to_vec());
            parts.push(serde_json::to_vec(&new.note).unwrap_or_default());
            parts.push(picture_digest(new.challenge.screenshot()).to_vec());
            parts.push(new.challenge.instruction().unwrap_or_default().into());
            let region = new.challenge.region().map(|region| region.to_string());
            parts.push(region.unwrap_or_default().into_bytes());
            if window == 0 {
                parts.push(rand::random::<[u8; 16]>().to_vec());
            } else {
                stretch = Some(
                    i128::from(now.as_millisecond()) / i128::try_from(window).unwrap_or(i128::MAX),
                );
            }
        }
        let mut ids = Ids {
            form: new.form,
            parts,
            stretch,
            earlier: None,
        };
        ids.earlier = stretch.map(|stretch| ids.of(Some(stretch - 1), 0));
        ids
    }
}

/// The ids that a request can have.
struct Ids {
    form: Form,
    parts: Vec<Vec<u8>>,
    /// Time is cut into stretches, and the same request in one is the same job.
    stretch: Option<i128>,
    /// What it was called in the stretch before this.
    earlier: Option<TaskId>,
}

impl Ids {
    fn of_turn(&self, turn: u8) -> TaskId {
        self.of(self.stretch, turn)
    }

    fn of(&self, stretch: Option<i128>, turn: u8) -> TaskId {
        let stretch = stretch.unwrap_or_default().to_be_bytes();
        let turn = [turn];
        let mut parts: Vec<&[u8]> = self.parts.iter().map(Vec::as_slice).collect();
        parts.extend([&stretch[..], &turn[..]]);
        TaskId::of(self.form, &parts)
    }
}
