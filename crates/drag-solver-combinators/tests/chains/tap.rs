//! Looks at the guards at the very moment at which the solver behind them is asked.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use drag_solver_core::{
    DragChallenge, DragSolver, ScreenshotLimits, Solution, SolveError, Verdict, WorstCase,
    async_trait,
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
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        self.look(0, challenge);
        let outcome = self.inner.solve(challenge).await;
        self.look(1, challenge);
        outcome
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        self.inner.report(solution, verdict).await
    }

    fn worst_case(&self) -> WorstCase {
        self.inner.worst_case()
    }

    fn limits(&self) -> ScreenshotLimits {
        self.inner.limits()
    }
}

/// Counts calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls(Arc<Mutex<Count>>);

#[derive(Debug, Default)]
struct Count {
    in_flight: usize,
    max_in_flight: usize,
    total: usize,
    /// Those of them that had no job to resume.
    fresh: usize,
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
    pub(crate) fn in_flight(&self) -> usize {
        self.get().in_flight
    }

    pub(crate) fn max_in_flight(&self) -> usize {
        self.get().max_in_flight
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

/// Until it is dropped, a call is in flight.
struct InFlight<'a>(&'a Calls);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.get().in_flight -= 1;
    }
}

#[async_trait]
impl DragSolver for Counted {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let number = {
            let mut count = self.calls.get();
            count.total += 1;
            count.fresh += usize::from(challenge.paid_jobs().is_empty());
            count.in_flight += 1;
            count.max_in_flight = count.max_in_flight.max(count.in_flight);
            if challenge.paid_job(self.name()).is_none() {
                let call = (count.total, Instant::now());
                count.asked.push(call);
            }
            count.total
        };
        let _in_flight = InFlight(&self.calls);
        let outcome = self.inner.solve(challenge).await;
        if let Err(error) = &outcome
            && error.kind().is_local_refusal()
        {
            self.calls.get().asked.retain(|(call, _)| *call != number);
        }
        outcome
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        self.inner.report(solution, verdict).await
    }

    fn worst_case(&self) -> WorstCase {
        self.inner.worst_case()
    }

    fn limits(&self) -> ScreenshotLimits {
        self.inner.limits()
    }
}
