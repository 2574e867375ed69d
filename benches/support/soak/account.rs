//! What the client's side says of every challenge.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use drag_solver::{
    Attempt, Billed, ErrorKind, Event, Observer, PaidJob, Solution, SolveError, async_trait,
};
use tokio::sync::watch;

/// A call that ends this close to its deadline used up its time.
const NEARLY_OVER: Duration = Duration::from_millis(600);

/// All challenges.
#[derive(Debug, Default)]
pub(crate) struct Account {
    totals: Mutex<Totals>,
    now: Arc<watch::Sender<Now>>,
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Now {
    /// Challenges that ended.
    pub(crate) ended: u64,
    /// Paid jobs that somebody waits for.
    pub(crate) unfinished: u64,
}

/// What they add up to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) solved: u64,
    pub(crate) failed: BTreeMap<&'static str, u64>,
    pub(crate) by_provider: BTreeMap<String, Spent>,
    /// Jobs that were bought and are named, unfinished, by the outcome of their challenge: its time
    /// was up.
    pub(crate) abandoned: u64,
    /// The same, with time left.
    pub(crate) abandoned_early: Vec<String>,
    /// Jobs that were bought, and of which the outcome says nothing.
    pub(crate) lost: Vec<String>,
}

/// What is known of one provider.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    /// Jobs whose id came back.
    pub(crate) bought: u64,
    /// Attempts that may have bought a job whose id never came back.
    pub(crate) unknown: u64,
    /// Jobs that were given up, and are not billed, as the client understands it.
    pub(crate) free: u64,
    /// Answers.
    pub(crate) solved: u64,
}

impl Account {
    /// One more challenge. What is given back listens to it.
    pub(crate) fn open(&self) -> Arc<Entry> {
        Arc::new(Entry {
            seen: Mutex::default(),
            now: Arc::clone(&self.now),
        })
    }

    /// Waits until `enough` says so.
    pub(crate) async fn until(&self, mut enough: impl FnMut(&Now) -> bool) -> Now {
        let mut now = self.now.subscribe();
        // The sender is this account's own, and so is never gone.
        now.wait_for(|now| enough(now))
            .await
            .map_or_else(|_| Now::default(), |now| *now)
    }

    /// Enters what became of a challenge.
    pub(crate) fn enter(
        &self,
        entry: &Entry,
        outcome: &Result<Solution, SolveError>,
        left: Option<Duration>,
    ) {
        let failures = match outcome {
            Ok(solution) => solution.failed_attempts(),
            Err(error) => &error.attempts(),
        };
        let seen = lock(&entry.seen);
        let mut unfinished = 0;
        let mut totals = lock(&self.totals);
        match outcome {
            Ok(solution) => {
                totals.solved += 1;
                totals.of(solution.solver()).solved += 1;
            }
            Err(error) => *totals.failed.entry(name_of(error, failures)).or_default() += 1,
        }
        for job in &seen.bought {
            totals.of(&job.solver).bought += 1;
            let is_named = failures.iter().any(|failure| failure.jobs.contains(job));
            if seen.settled.contains(job) {
                continue;
            }
            unfinished += 1;
            let described = || format!("{job}, {left:?} left: {outcome:?}");
            if !is_named {
                let lost = described();
                totals.lost.push(lost);
            } else if left.is_some_and(|left| left > NEARLY_OVER) {
                let early = described();
                totals.abandoned_early.push(early);
            } else {
                totals.abandoned += 1;
            }
        }
        for failure in failures {
            let Some(solver) = &failure.solver else {
                continue;
            };
            let spent = totals.of(solver);
            match (failure.kind, failure.billed) {
                (ErrorKind::Unsolvable, Billed::No) => spent.free += 1,
                (ErrorKind::Unsolvable, _) => {}
                (_, Billed::Maybe) if failure.jobs.is_empty() => spent.unknown += 1,
                _ => {}
            }
        }
        drop((seen, totals));
        self.now.send_modify(|now| {
            now.ended += 1;
            now.unfinished = now.unfinished.saturating_sub(unfinished);
        });
    }

    pub(crate) fn close(self) -> Totals {
        self.totals
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Totals {
    fn of(&mut self, provider: &str) -> &mut Spent {
        if !self.by_provider.contains_key(provider) {
            self.by_provider
                .insert(provider.to_owned(), Spent::default());
        }
        self.by_provider.entry(provider.to_owned()).or_default()
    }
}

/// The kind of the last thing that went wrong.
fn name_of(error: &SolveError, failures: &[Attempt]) -> &'static str {
    let last = failures.last().map_or(error.kind(), |last| last.kind);
    last.as_str()
}

/// What one challenge's solvers said while they worked.
#[derive(Debug)]
pub(crate) struct Entry {
    seen: Mutex<Seen>,
    now: Arc<watch::Sender<Now>>,
}

#[derive(Debug, Default)]
struct Seen {
    bought: Vec<PaidJob>,
    settled: Vec<PaidJob>,
}

#[async_trait]
impl Observer for Entry {
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
        let mut seen = lock(&self.seen);
        match *event {
            Event::Bought { solver, job } => {
                seen.bought.push(PaidJob::new(solver, job.clone()));
                self.now.send_modify(|now| now.unfinished += 1);
            }
            Event::Settled {
                solver,
                job: Some(job),
                ..
            } => {
                seen.settled.push(PaidJob::new(solver, job.clone()));
                self.now
                    .send_modify(|now| now.unfinished = now.unfinished.saturating_sub(1));
            }
            _ => {}
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
