//! Looks at the guards at the very moment at which the solver behind them is asked.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use drag_solver_core::{
    DragChallenge, DragSolver, Solution, SolveError, Tracker, async_trait, forward_solver,
};
use tokio::time::Instant;

/// Everything that was found to be wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wrongs(Arc<Mutex<Vec<String>>>);

impl Wrongs {
    pub(crate) fn add(&self, wrong: impl Into<String>) {
        self.0.lock().unwrap().push(wrong.into());
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

type Look = Box<dyn Fn(&DragChallenge, &Wrongs) + Send + Sync>;

pub(crate) struct Tap {
    inner: Arc<dyn DragSolver>,
    /// As a call begins, and when it has ended.
    looks: [Option<Look>; 2],
    wrongs: Wrongs,
}

impl Tap {
    /// Looks at every call of `inner` as it begins.
    pub(crate) fn before(
        inner: Arc<dyn DragSolver>,
        wrongs: &Wrongs,
        look: impl Fn(&DragChallenge, &Wrongs) + Send + Sync + 'static,
    ) -> Arc<dyn DragSolver> {
        Arc::new(Self {
            inner,
            looks: [Some(Box::new(look)), None],
            wrongs: wrongs.clone(),
        })
    }

    /// Looks at every call of `inner` that has ended.
    pub(crate) fn after(
        inner: Arc<dyn DragSolver>,
        wrongs: &Wrongs,
        look: impl Fn(&DragChallenge, &Wrongs) + Send + Sync + 'static,
    ) -> Arc<dyn DragSolver> {
        Arc::new(Self {
            inner,
            looks: [None, Some(Box::new(look))],
            wrongs: wrongs.clone(),
        })
    }

    fn look(&self, at: usize, challenge: &DragChallenge) {
        if let Some(look) = &self.looks[at] {
            look(challenge, &self.wrongs);
        }
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl DragSolver for Tap {
    forward_solver!(inner: name, report, profile);

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        self.look(0, challenge);
        let outcome = self.inner.solve(challenge).await;
        self.look(1, challenge);
        outcome
    }
}

/// Counts calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls(Arc<Mutex<Count>>);

#[derive(Debug, Default)]
struct Count {
    max_fresh_in_flight: usize,
    total: usize,
    /// Those of them that had no job to resume.
    fresh: usize,
    fresh_in_flight: usize,
    /// When each call came that bought something, or may have.
    asked: Vec<(usize, Instant)>,
}

impl Calls {
    pub(crate) fn count(&self, inner: Arc<dyn DragSolver>) -> Arc<dyn DragSolver> {
        Arc::new(Counted {
            inner,
            calls: self.clone(),
        })
    }

    fn get(&self) -> MutexGuard<'_, Count> {
        self.0.lock().unwrap()
    }

    /// Calls that have begun and not ended. A tap that is asked by one sees those before it.
    pub(crate) fn fresh_in_flight(&self) -> usize {
        self.get().fresh_in_flight
    }

    pub(crate) fn max_fresh_in_flight(&self) -> usize {
        self.get().max_fresh_in_flight
    }

    pub(crate) fn total(&self) -> usize {
        self.get().total
    }

    pub(crate) fn fresh(&self) -> usize {
        self.get().fresh
    }

    /// Whether there were ever more calls than one per `interval` and `burst` at once.
    pub(crate) fn too_many(&self, interval: Duration, burst: u32) -> Option<String> {
        let count = self.get();
        let times: Vec<Instant> = count.asked.iter().map(|(_, at)| *at).collect();
        for (i, from) in times.iter().enumerate() {
            for (j, to) in times.iter().enumerate().skip(i) {
                let calls = j - i + 1;
                let span = (*to - *from).as_millis() / interval.as_millis();
                if calls as u128 > u128::from(burst) + span {
                    return Some(format!("{calls} calls within {:?}", *to - *from));
                }
            }
        }
        None
    }
}

#[derive(Debug)]
struct Counted {
    inner: Arc<dyn DragSolver>,
    calls: Calls,
}

/// Until it is dropped, a call that resumes no job is in flight.
struct InFlight<'a>(&'a Calls, bool);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.get().fresh_in_flight -= usize::from(self.1);
    }
}

/// Forgets a call whose provider was not asked, however it ends.
struct Unasked<'a> {
    calls: &'a Calls,
    number: usize,
    tracker: Tracker,
}

impl Unasked<'_> {
    fn forget(&mut self) {
        if !self.tracker.purchases().has_spoken() {
            let number = self.number;
            self.calls.get().asked.retain(|(call, _)| *call != number);
        }
    }
}

impl Drop for Unasked<'_> {
    fn drop(&mut self) {
        self.forget();
    }
}

#[async_trait]
impl DragSolver for Counted {
    forward_solver!(inner: name, report, profile);

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let is_fresh = challenge.paid_jobs().is_empty();
        let number = {
            let mut count = self.calls.get();
            count.total += 1;
            count.fresh += usize::from(is_fresh);
            count.fresh_in_flight += usize::from(is_fresh);
            count.max_fresh_in_flight = count.max_fresh_in_flight.max(count.fresh_in_flight);
            if is_fresh {
                let call = (count.total, Instant::now());
                count.asked.push(call);
            }
            count.total
        };
        let _in_flight = InFlight(&self.calls, is_fresh);
        let (watched, tracker) = challenge.tracked();
        let mut unasked = Unasked {
            calls: &self.calls,
            number,
            tracker,
        };
        let outcome = self.inner.solve(&watched).await;
        unasked.forget();
        outcome
    }
}
