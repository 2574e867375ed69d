//! The jobs that this process has in memory: those that are open, and those that have just ended.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use drag_solver::store::jiff::Timestamp;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::Instant;

use super::outcome::Outcome;
use crate::keys::{OpenJob, name_of_prefix};
use crate::measure;

/// How long an ended job stays in memory. After that, the store answers for it.
const REMEMBERED: Duration = Duration::from_secs(300);

/// Ended jobs that stay in memory, at most.
const REMEMBERED_JOBS: usize = 20_000;

/// One job.
pub(super) struct Job {
    pub(super) id: Box<str>,
    /// What is told to those who wait; closed before its end if it is given up here.
    state: watch::Sender<State>,
    /// Its place among the open ones of its key.
    place: Mutex<Option<OpenJob>>,
    created: Timestamp,
    progress: Mutex<Option<Progress>>,
    waits_for_people: AtomicBool,
}

/// How far the call of a job is.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Progress {
    /// In words.
    pub(super) step: String,
    /// Who is asked.
    pub(super) solver: String,
}

/// A job that is open, as it is listed.
#[derive(Debug, Serialize)]
pub(crate) struct OpenJobLine {
    id: String,
    key: String,
    created: Timestamp,
    state: &'static str,
    #[serde(flatten)]
    progress: Option<Progress>,
}

/// How far a job has come in this process.
#[derive(Clone)]
pub(super) enum State {
    Queued,
    Working,
    Ended(Arc<Outcome>),
}

impl Job {
    pub(super) fn new(id: String, place: Option<OpenJob>, created: Timestamp) -> Arc<Self> {
        Arc::new(Self {
            id: id.into(),
            state: watch::Sender::new(State::Queued),
            place: Mutex::new(place),
            created,
            progress: Mutex::default(),
            waits_for_people: AtomicBool::new(false),
        })
    }

    /// Says that its call begins.
    pub(super) fn is_worked_on(&self) {
        self.state.send_replace(State::Working);
    }

    pub(super) fn is_at(&self, progress: Progress) {
        *lock(&self.progress) = Some(progress);
    }

    pub(super) fn waits_for_people(&self, waits: bool) {
        self.waits_for_people.store(waits, Ordering::Release);
    }

    /// Whether no operator has seen it yet and it only waits for one.
    pub(super) fn is_with_nobody(&self) -> bool {
        self.waits_for_people.load(Ordering::Acquire)
    }

    fn line(&self) -> OpenJobLine {
        let prefix = self.id.split('/').next().unwrap_or_default();
        OpenJobLine {
            id: self.id.clone().into(),
            key: name_of_prefix(prefix).to_owned(),
            created: self.created,
            state: match *self.state.borrow() {
                State::Queued => "queued",
                State::Working | State::Ended(_) => "working",
            },
            progress: lock(&self.progress).clone(),
        }
    }

    fn is_open(&self) -> bool {
        !matches!(*self.state.borrow(), State::Ended(_))
    }
}

#[derive(Default)]
pub(super) struct Live {
    jobs: Mutex<Jobs>,
    open: AtomicUsize,
    working: AtomicUsize,
}

/// Counts a job as one that is worked on, until it is dropped.
pub(super) struct WorkedOn<'a>(&'a AtomicUsize);

impl Drop for WorkedOn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[derive(Default)]
struct Jobs {
    by_id: HashMap<Box<str>, Arc<Job>>,
    /// Those that ended, the oldest first.
    ended: VecDeque<(Instant, Arc<Job>)>,
}

impl Live {
    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        lock(&self.jobs)
    }

    /// The jobs that have been open the longest, at most so many.
    pub(super) fn lines(&self, most: usize) -> Vec<OpenJobLine> {
        let jobs = self.jobs();
        let open = jobs.by_id.values().filter(|job| job.is_open());
        let mut open: Vec<_> = open.cloned().collect();
        drop(jobs);
        open.sort_by_key(|job| job.created);
        open.iter().take(most).map(|job| job.line()).collect()
    }

    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    pub(super) fn working(&self) -> usize {
        self.working.load(Ordering::Acquire)
    }

    pub(super) fn work_on(&self) -> WorkedOn<'_> {
        self.working.fetch_add(1, Ordering::AcqRel);
        WorkedOn(&self.working)
    }

    /// Its state. A receiver does not keep the job: that would hide that it is given up.
    pub(super) fn get(&self, id: &str) -> Option<watch::Receiver<State>> {
        self.jobs().by_id.get(id).map(|job| job.state.subscribe())
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

    /// Tells all who wait, and forgets what ended long ago. What failed is the store's to say: it can be accepted
    /// again, also by another gateway.
    pub(super) fn end(&self, job: &Arc<Job>, outcome: Outcome) {
        self.leave(job);
        measure::job_ended(outcome.name(), outcome.took());
        let now = Instant::now();
        let mut jobs = self.jobs();
        if outcome.result.is_ok() {
            jobs.ended.push_back((now, Arc::clone(job)));
        } else {
            jobs.forget(job);
        }
        job.state.send_replace(State::Ended(Arc::new(outcome)));
        while let Some((at, _)) = jobs.ended.front()
            && (jobs.ended.len() > REMEMBERED_JOBS || now - *at > REMEMBERED)
        {
            let Some((_, old)) = jobs.ended.pop_front() else {
                break;
            };
            jobs.forget(&old);
        }
    }

    /// Forgets a job that is no longer worked on here, unless it has ended: the store knows it.
    pub(super) fn give_up(&self, job: &Arc<Job>) {
        if job.is_open() {
            self.leave(job);
            self.jobs().forget(job);
        }
    }

    fn leave(&self, job: &Job) {
        measure::open_jobs(self.open.fetch_sub(1, Ordering::AcqRel) - 1);
        lock(&job.place).take();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
