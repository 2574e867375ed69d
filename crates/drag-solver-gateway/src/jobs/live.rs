//! The jobs that this process has in memory: those that are open, and those that have just ended.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::outcome::Outcome;
use crate::keys::OpenJob;
use crate::measure;

/// How long an ended job stays in memory. After that, the store answers for it.
const REMEMBERED: Duration = Duration::from_secs(300);

/// Ended jobs that stay in memory, at most.
const REMEMBERED_JOBS: usize = 20_000;

/// One job.
pub(super) struct Job {
    pub(super) id: Box<str>,
    /// What is told to those who wait; closed without a value if nobody works on it any more.
    outcome: watch::Sender<Option<Arc<Outcome>>>,
    /// Its place among the open ones of its key.
    place: Mutex<Option<OpenJob>>,
}

impl Job {
    pub(super) fn new(id: String, place: Option<OpenJob>) -> Arc<Self> {
        Arc::new(Self {
            id: id.into(),
            outcome: watch::Sender::new(None),
            place: Mutex::new(place),
        })
    }

    /// Its outcome, as soon as there is one.
    pub(super) async fn ended(&self) -> Option<Arc<Outcome>> {
        let mut outcome = self.outcome.subscribe();
        let ended = outcome.wait_for(Option::is_some).await;
        ended.ok().and_then(|ended| ended.clone())
    }

    /// Its outcome, if there is one.
    pub(super) fn outcome(&self) -> Option<Arc<Outcome>> {
        self.outcome.borrow().clone()
    }

    fn is_open(&self) -> bool {
        self.outcome.borrow().is_none()
    }
}

#[derive(Default)]
pub(super) struct Live {
    jobs: Mutex<Jobs>,
    open: AtomicUsize,
}

#[derive(Default)]
struct Jobs {
    by_id: HashMap<Box<str>, Arc<Job>>,
    /// Those that ended, the oldest first.
    ended: VecDeque<(Instant, Arc<Job>)>,
}

impl Live {
    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    pub(super) fn get(&self, id: &str) -> Option<Arc<Job>> {
        self.jobs().by_id.get(id).cloned()
    }

    /// Adds a job that is open, unless there is one of this id that is.
    pub(super) fn add(&self, job: &Arc<Job>) -> bool {
        let mut jobs = self.jobs();
        if jobs.by_id.get(&job.id).is_some_and(|known| known.is_open()) {
            return false;
        }
        jobs.by_id.insert(job.id.clone(), Arc::clone(job));
        measure::open_jobs(self.open.fetch_add(1, Ordering::AcqRel) + 1);
        true
    }

    /// Tells everybody who waits, and forgets what ended long ago.
    pub(super) fn end(&self, job: &Arc<Job>, outcome: Outcome) {
        self.leave(job);
        measure::job_ended(outcome.name(), outcome.took());
        job.outcome.send_replace(Some(Arc::new(outcome)));
        let now = Instant::now();
        let mut jobs = self.jobs();
        jobs.ended.push_back((now, Arc::clone(job)));
        while let Some((at, _)) = jobs.ended.front()
            && (jobs.ended.len() > REMEMBERED_JOBS || now - *at > REMEMBERED)
        {
            let Some((_, old)) = jobs.ended.pop_front() else {
                break;
            };
            jobs.forget(&old);
        }
    }

    /// Forgets a job that nobody works on here any more, unless it has ended: the store knows it.
    pub(super) fn give_up(&self, job: &Arc<Job>) {
        if job.is_open() {
            self.leave(job);
            self.jobs().forget(job);
        }
    }

    fn leave(&self, job: &Job) {
        measure::open_jobs(self.open.fetch_sub(1, Ordering::AcqRel) - 1);
        job.place
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }
}

impl Jobs {
    fn forget(&mut self, job: &Arc<Job>) {
        if self
            .by_id
            .get(&job.id)
            .is_some_and(|known| Arc::ptr_eq(known, job))
        {
            self.by_id.remove(&job.id);
        }
    }
}
