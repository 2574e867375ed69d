//! Jobs are solved: so many at once, the others in the order in which they came.

use std::sync::Arc;
use std::time::Duration;

use drag_solver::store::jiff::Timestamp;
use drag_solver::store::{self, ANOTHER_CALL, ChallengeRecord, Status, StoreHandle};
use drag_solver::{DragSolver as _, ErrorKind, Event, Observer, SolveError, async_trait};
use futures_util::FutureExt as _;
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout_at};

use super::live::{Job, Live};
use super::outcome::Failed;
use super::watcher::Watcher;
use super::{Jobs, Note, Outcome, after};
use crate::keys::Keys;
use crate::troubles;

/// How long it waits before it tries again what the store did not take.
const STORE_AGAIN: Duration = Duration::from_secs(1);

/// How often it is looked for what other gateways have left.
const LOOK_FOR_LEFT: Duration = Duration::from_secs(1);

/// How long a job is left to the gateway that has accepted it, or had it.
const TAKE_OVER_AFTER: Duration = Duration::from_secs(3);

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
                        tracing::error!(%error, "a call did not end: its job is open on record, to be taken up again");
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
        let _worked_on = self.0.live.work_on();
        let working = Working(&self.0.live, job);
        let mut was_tried = false;
        loop {
            match self.try_job(&working.1, &mut was_tried).await {
                Ok(Some(outcome)) => {
                    self.0.figures.job_ended(&working.1.id, &outcome);
                    return working.end(outcome);
                }
                Ok(None) => return,
                Err(why) => tracing::warn!(why, "a job waits for the store"),
            }
            sleep(STORE_AGAIN).await;
        }
    }

    /// What came of the job; nothing if there is nothing to do for it here; or why that cannot be known yet.
    async fn try_job(
        &self,
        job: &Arc<Job>,
        was_tried: &mut bool,
    ) -> Result<Option<Outcome>, String> {
        let store = &self.0.store;
        let found = store.find_with_picture(&job.id).await;
        let Some(record) = found.map_err(|error| error.to_string())? else {
            return Ok(None);
        };
        if let Some(outcome) = Outcome::of_record(&record) {
            // Another gateway has told of it and counted it, unless this one could not put on record what it was to buy.
            let failed = outcome.result.as_ref().err();
            let is_ours = *was_tried && failed.is_some_and(Failed::is_unrecorded);
            let note = Note::of_record(&record).filter(|_| is_ours);
            return Ok(note.map(|note| {
                self.call_back(job, &outcome, &note);
                outcome
            }));
        }
        if matches!(record.status, Status::Open { held: true }) {
            return Ok(None); // another gateway works on it: no worker of this one waits for that
        }
        let Some(note) = Note::of_record(&record) else {
            return Ok(None);
        };
        let Ok(challenge) = record.challenge(store.now()) else {
            return Ok(None); // its picture is gone
        };
        let (created, size) = (record.created, (record.width, record.height));
        drop(record);
        job.is_worked_on();
        let elsewhere = Arc::new(Elsewhere::default());
        let watcher = Watcher::new(&self.0.figures, job);
        let challenge = challenge
            .with_observer(elsewhere.clone())
            .with_observer(watcher);
        let chain = self.chain();
        *was_tried = true;
        let result = tokio::select! {
            result = chain.solve(&challenge) => result,
            () = elsewhere.0.notified() => return Ok(None), // another gateway was faster
            () = self.stopped_while_nobody_has(job) => return Ok(None), // it is on record
        };
        if elsewhere.is_told() {
            return Ok(None); // while it came to take it up, or after it was taken for dead
        }
        troubles::note(&result);
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

    /// Ends if the gateway is told to stop while a job only waits for an operator, who may be long in coming.
    async fn stopped_while_nobody_has(&self, job: &Job) {
        self.stopped().await;
        if !job.is_with_nobody() {
            std::future::pending::<()>().await;
        }
    }

    /// Takes up what is open on record and what no call has, until the gateway is told to stop: at the start, what an
    /// earlier process has left; from then on, what another gateway has left that died, or has no worker for.
    /// Each has a place among the open jobs of its key, whether or not there is one left.
    pub(crate) async fn take_over(&self, keys: &Keys) {
        let mut unheld = store::Query::default().unheld(true).limit(PAGE);
        let (mut at_start, mut is_readable) = (true, true);
        loop {
            let free = usize::try_from(self.0.policy.workers.max(1)).unwrap_or(usize::MAX);
            let free = free.saturating_sub(self.open());
            // What was paid for waits for no gateway that has nothing to do.
            unheld.unfetched = free == 0 && !at_start;
            let takes_all = at_start || unheld.unfetched;
            let page = self.0.store.list(&unheld).await;
            if self.is_stopping() {
                return;
            }
            if let Err(error) = &page
                && is_readable
            {
                tracing::warn!(%error, "what is open on record cannot be read");
            }
            is_readable = page.is_ok();
            let page = page.unwrap_or_default();
            let is_last = page.len() < PAGE as usize;
            let last = page.last().filter(|_| !is_last);
            unheld.after = last.map(|record| record.id.clone());
            let now = self.0.store.now();
            let left = page.into_iter().filter(|record| {
                is_job(record)
                    && (at_start || is_left(record, now))
                    && self.0.live.get(&record.id).is_none()
            });
            for record in left.take(if takes_all { usize::MAX } else { free }) {
                let account = keys.of_prefix(record.id.split('/').next().unwrap_or_default());
                let place = account.and_then(|account| account.open_one(u32::MAX));
                self.begin(Job::new(record.id, place, record.created));
            }
            if is_last {
                at_start &= !is_readable;
                sleep(LOOK_FOR_LEFT).await;
            }
        }
    }
}

/// Hears of it if a call would only wait for that of another gateway, or only say what that has found.
#[derive(Debug, Default)]
struct Elsewhere(Notify);

impl Elsewhere {
    fn is_told(&self) -> bool {
        self.0.notified().now_or_never().is_some()
    }
}

#[async_trait]
impl Observer for Elsewhere {
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
        let is_elsewhere = match event {
            Event::Waiting { reason, .. } => *reason == ANOTHER_CALL,
            Event::OnRecord { .. } => true,
            _ => false,
        };
        if is_elsewhere {
            self.0.notify_one();
        }
        Ok(())
    }
}

/// A job that is worked on. However the work ends, the job is not taken for one that is still worked on.
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

/// Whether no gateway has touched it for a while. Clocks of machines differ, either way.
fn is_left(record: &ChallengeRecord, now: Timestamp) -> bool {
    now.duration_since(record.updated).unsigned_abs() > TAKE_OVER_AFTER
}

/// The time now, as the store has it: to the millisecond.
fn now_on_record(store: &StoreHandle) -> Timestamp {
    let now = store.now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
