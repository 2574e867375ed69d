//! Jobs are solved: so many at once, the others in the order in which they came.

use std::sync::Arc;
use std::time::Duration;

use drag_solver::store::jiff::Timestamp;
use drag_solver::store::{self, Status, StatusKind};
use drag_solver::{ChallengeRecord, DragSolver as _, ErrorKind, StoreHandle};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout_at};

use super::live::{Job, Live};
use super::{Jobs, Note, Outcome, after};
use crate::keys::Keys;

/// How long it waits before it tries again what the store did not take.
const STORE_AGAIN: Duration = Duration::from_secs(1);

/// Open challenges that are read from the store at once.
const PAGE: u32 = 100;

impl Jobs {
    /// Solves this job as soon as a worker is free.
    pub(super) fn begin(&self, job: Arc<Job>) {
        // A second one of the same id would only wait for the first.
        if self.0.live.add(&job) {
            let _ = self.0.queue.send(job); // closed: stopping, and it is on record
        }
    }

    /// Solves jobs until the gateway is told to stop, and then lets those that are under way end for a while.
    pub(super) async fn work(self, mut queued: mpsc::UnboundedReceiver<Arc<Job>>) {
        let mut calls = JoinSet::new();
        loop {
            let next = async {
                let permit = Arc::clone(&self.0.workers).acquire_owned().await.ok()?;
                Some((queued.recv().await?, permit))
            };
            tokio::select! {
                biased;
                () = self.stopped() => break,
                Some(ended) = calls.join_next() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a call did not end: its job is open on record, for the next start");
                    }
                }
                next = next => {
                    let Some((job, permit)) = next else { break };
                    calls.spawn(self.clone().solve_job(job, permit));
                }
            }
        }
        let all = async { while calls.join_next().await.is_some() {} };
        if let Some(end) = after(self.0.policy.drain) {
            let _ = timeout_at(end, all).await;
        } else {
            all.await;
        }
        calls.shutdown().await; // what is dropped is open on record, with what it bought
        if let Err(error) = self.0.store.flush().await {
            tracing::error!(%error, "not all is on record");
        }
    }

    async fn solve_job(self, job: Arc<Job>, _permit: OwnedSemaphorePermit) {
        let working = Working(&self.0.live, job);
        loop {
            match self.try_job(&working.1).await {
                Ok(Some(outcome)) => return working.end(outcome),
                Ok(None) => return,
                Err(why) => tracing::warn!(why, "a job waits for the store"),
            }
            sleep(STORE_AGAIN).await;
        }
    }

    /// What came of the job; nothing if there is nothing to do for it here; or why that cannot be known yet.
    async fn try_job(&self, job: &Job) -> Result<Option<Outcome>, String> {
        let store = &self.0.store;
        let found = store.find_with_picture(&job.id).await;
        let Some(record) = found.map_err(|error| error.to_string())? else {
            return Ok(None);
        };
        if let Some(outcome) = Outcome::of_record(&record) {
            return Ok(Some(outcome));
        }
        let Some(note) = Note::of_record(&record) else {
            return Ok(None);
        };
        let Ok(challenge) = record.challenge(store.now()) else {
            return Ok(None); // its picture is gone
        };
        let (created, size) = (record.created, (record.width, record.height));
        drop(record);
        let result = self.chain().solve(&challenge).await;
        let result = match &result {
            Ok(solution) => Ok(solution.into()),
            Err(error) if error.kind() == ErrorKind::NotRecorded => return Err(error.to_string()),
            Err(error) => Err(error.into()),
        };
        let outcome = Outcome {
            result,
            protocol: note.protocol,
            shape: note.shape,
            size,
            created,
            ended: now_on_record(store),
        };
        self.call_back(job, &outcome, &note);
        Ok(Some(outcome))
    }

    /// Takes up what is open on record: an earlier process has left it.
    /// Each has a place among the open jobs of its key, whether or not there is one left.
    pub(crate) async fn recover(&self, keys: &Keys) {
        let mut open = store::Query::default().limit(PAGE);
        open.status = Some(StatusKind::Open);
        loop {
            let page = match self.0.store.list(&open).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::warn!(%error, "what is open on record cannot be read");
                    sleep(STORE_AGAIN).await;
                    continue;
                }
            };
            let Some(last) = page.last() else { return };
            open.after = Some(last.id.clone());
            for record in page.into_iter().filter(is_job) {
                let account = keys.of_prefix(record.id.split('/').next().unwrap_or_default());
                let place = account.and_then(|account| account.open_one(u32::MAX));
                self.begin(Job::new(record.id, place));
            }
        }
    }
}

/// A job that is worked on. However the work ends, the job is not taken for one that goes on.
struct Working<'a>(&'a Live, Arc<Job>);

impl Working<'_> {
    fn end(self, outcome: Outcome) {
        self.0.end(&self.1, outcome);
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.0.give_up(&self.1);
    }
}

/// Whether a gateway has accepted it.
fn is_job(record: &ChallengeRecord) -> bool {
    matches!(record.status, Status::Open { .. }) && Note::of_record(record).is_some()
}

/// The time now, as the store has it: to the millisecond.
fn now_on_record(store: &StoreHandle) -> Timestamp {
    let now = store.now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
