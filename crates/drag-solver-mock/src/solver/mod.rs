//! The scripted solver.

mod log;
mod outcome;
mod run;
mod state;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, JobId, ScreenshotLimits, Solution, SolveError, Usd,
    Verdict, WorstCase, async_trait,
};

pub use self::log::{Call, Ending, Report};
pub use self::outcome::Outcome;
use self::state::State;

/// A solver that does what it was told to, and remembers what it was asked.
///
/// Clones share one script and one log: put a clone into the chain under test and keep the other to
/// look at afterwards.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_core::{Charge, Drag, DragSolver, ErrorKind, Point};
/// use drag_solver_mock::{Ending, MockSolver, Outcome};
/// # use drag_solver_core::{DragChallenge, Screenshot};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), drag_solver_core::SolveError> {
/// # let challenge = DragChallenge::new(Screenshot::from_bytes(b"GIF89a\x4f\x02\x7d\x04\0\0\0;".to_vec())?);
/// let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
/// let mock = MockSolver::new("mock")
///     .then(ErrorKind::Unavailable)
///     .always(Outcome::answer(drag).after(Duration::from_secs(9)));
/// let solver = mock.clone(); // goes into the code under test
///
/// assert!(solver.solve(&challenge).await.is_err());
/// let hasty = challenge.clone().within(Duration::from_secs(5));
/// let error = solver.solve(&hasty).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
/// assert_eq!(error.charge(), Charge::Unknown);
///
/// // The job was paid for: going on with it is not a second purchase.
/// let resumed = challenge.resuming(error.unfinished_jobs().remove(0));
/// solver.solve(&resumed).await?;
/// assert_eq!((mock.call_count(), mock.purchases()), (3, 1));
/// assert_eq!(mock.calls()[2].ending, Ending::Solved);
/// # Ok(())
/// # }
/// ```
///
/// # The script
///
/// Each call takes the next [`Outcome`], in the order in which the calls' futures are first polled.
/// Once they are all taken, what [`always`](Self::always) or [`always_with`](Self::always_with) said
/// goes for every further call. If neither was said, further calls fail with
/// [`ErrorKind::Unsupported`] and a message that counts the outcomes and the calls: a test that
/// asks more often than it meant to fails and does not hang.
///
/// # It behaves like a provider that takes money
///
/// - It buys a job, unless the outcome says that nothing was bought, and says so through the
///   challenge's [progress listeners](drag_solver_core::ProgressListener): `Started`, `Buying`,
///   `Bought`, `Settled`. A purchase that fails with `Unavailable` and no charge says `NotBought`.
/// - A challenge that [resumes](DragChallenge::resuming) a job of its name takes the next outcome
///   too, but buys nothing: it says `Resumed`.
/// - A challenge that has expired is refused at once and takes no outcome. One whose deadline
///   passes before the outcome is due fails at the deadline, with `DeadlineExceeded`; if a job was
///   bought, the error has its id and [`Charge::Unknown`](drag_solver_core::Charge::Unknown).
/// - [`free`](Self::free) turns it into a solver that runs locally and buys nothing.
///
/// All waits are on [`tokio::time`], so on a paused clock they are exact and take no time.
///
/// # Cancellation
///
/// A dropped call is logged as [`Ending::Dropped`]. The outcome that it took stays taken, and what
/// it had bought stays bought.
#[derive(Clone)]
pub struct MockSolver {
    name: Arc<str>,
    state: Arc<Mutex<State>>,
}

impl MockSolver {
    /// A mock called `name`, with an empty script.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            state: Arc::default(),
        }
    }

    /// Adds an outcome at the end of the script. May be called while calls are under way.
    #[must_use = "the mock itself is returned; `push` adds to the script of one you keep"]
    pub fn then(self, outcome: impl Into<Outcome>) -> Self {
        self.push(outcome);
        self
    }

    /// Adds the same outcome `times` times at the end of the script.
    #[must_use = "the mock itself is returned"]
    pub fn then_times(self, times: usize, outcome: impl Into<Outcome>) -> Self {
        let outcome = outcome.into();
        for _ in 0..times {
            self.push(outcome.clone());
        }
        self
    }

    /// Adds an outcome at the end of the script.
    pub fn push(&self, outcome: impl Into<Outcome>) {
        let mut state = self.state();
        state.script.push_back(outcome.into());
        state.script_len += 1;
    }

    /// The outcome of every call after the script's end.
    #[must_use = "the mock itself is returned"]
    pub fn always(self, outcome: impl Into<Outcome>) -> Self {
        let outcome = outcome.into();
        self.always_with(move |_, _| outcome.clone())
    }

    /// Asks `decide` for the outcome of every call after the script's end. It gets the challenge and
    /// the call's number, counted from 1 and including the scripted calls.
    #[must_use = "the mock itself is returned"]
    pub fn always_with(
        self,
        decide: impl Fn(&DragChallenge, usize) -> Outcome + Send + Sync + 'static,
    ) -> Self {
        self.state().rest = Some(Arc::new(decide));
        self
    }

    /// What each [answer](Outcome::answer) says it cost. Unknown unless set.
    #[must_use = "the mock itself is returned"]
    pub fn with_cost(self, cost: Usd) -> Self {
        self.state().cost = Some(cost);
        self
    }

    /// What it says a call takes at the worst. Unless set: one attempt, at its
    /// [cost](Self::with_cost) if it has one, in unknown time, as nobody knows the script.
    #[must_use = "the mock itself is returned"]
    pub fn with_worst_case(self, worst_case: WorstCase) -> Self {
        self.state().worst_case = Some(worst_case);
        self
    }

    /// Says that it takes pictures within these limits only. It answers others all the same. Unless
    /// this is called it has none.
    #[must_use = "the mock itself is returned"]
    pub fn with_limits(self, limits: ScreenshotLimits) -> Self {
        self.state().limits = limits;
        self
    }

    /// Names the jobs: `name` gets the number of the purchase, counted from 1. By default a job's
    /// id is that number.
    #[must_use = "the mock itself is returned"]
    pub fn with_job_ids(self, name: impl Fn(usize) -> JobId + Send + Sync + 'static) -> Self {
        self.state().job_ids = Arc::new(name);
        self
    }

    /// Buys nothing, like a solver that runs locally: no job ids, no progress, and paid jobs are
    /// not resumed.
    #[must_use = "the mock itself is returned"]
    pub fn free(self) -> Self {
        self.state().is_free = true;
        self
    }

    /// Answers reports with what `answer` says. By default they are accepted.
    #[must_use = "the mock itself is returned"]
    pub fn answering_reports(
        self,
        answer: impl Fn(&Solution, Verdict) -> Result<(), SolveError> + Send + Sync + 'static,
    ) -> Self {
        self.state().answer_report = Arc::new(answer);
        self
    }

    /// Says [`ErrorKind::Unsupported`] to every report, like a solver with nobody to tell. They are
    /// logged all the same.
    #[must_use = "the mock itself is returned"]
    pub fn without_reports(self) -> Self {
        let name = Arc::clone(&self.name);
        self.answering_reports(move |_, _| {
            Err(
                SolveError::new(ErrorKind::Unsupported, "this solver takes no reports")
                    .with_provider(&*name),
            )
        })
    }

    /// How long a report takes. At once unless set.
    #[must_use = "the mock itself is returned"]
    pub fn with_report_latency(self, latency: Duration) -> Self {
        self.state().report_latency = latency;
        self
    }

    /// Keeps counters but no [calls](Self::calls) and [reports](Self::reports), whose pictures
    /// would add up in a benchmark or a soak test.
    #[must_use = "the mock itself is returned"]
    pub fn without_log(self) -> Self {
        self.state().keeps_log = false;
        self
    }

    /// Every call so far, in the order in which they began.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// Every report so far, in the order in which they came.
    #[must_use]
    pub fn reports(&self) -> Vec<Report> {
        self.state().reports.clone()
    }

    /// How many calls have begun.
    #[must_use]
    pub fn call_count(&self) -> usize {
        self.state().call_count
    }

    /// How many jobs were bought. Resuming one is no purchase.
    #[must_use]
    pub fn purchases(&self) -> usize {
        self.state().purchases
    }

    /// How many calls have begun and neither ended nor been dropped.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.state().in_flight
    }

    /// The most calls that were ever in flight at once.
    #[must_use]
    pub fn max_in_flight(&self) -> usize {
        self.state().max_in_flight
    }

    /// How many scripted outcomes nobody has taken yet.
    #[must_use]
    pub fn remaining_outcomes(&self) -> usize {
        self.state().script.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics under the lock; a poisoned one would only hide the test's own failure.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl DragSolver for MockSolver {
    fn name(&self) -> &str {
        &self.name
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        run::Running::begin(self, challenge).finish().await
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        let (answer, latency) = {
            let mut state = self.state();
            if state.keeps_log {
                state.reports.push(Report {
                    solution: solution.clone(),
                    verdict,
                });
            }
            (Arc::clone(&state.answer_report), state.report_latency)
        };
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        answer(solution, verdict)
    }

    fn worst_case(&self) -> WorstCase {
        let state = self.state();
        let once = WorstCase::one_attempt();
        state
            .worst_case
            .unwrap_or_else(|| state.cost.map_or(once, |cost| once.with_cost(cost)))
    }

    fn limits(&self) -> ScreenshotLimits {
        self.state().limits
    }
}

impl fmt::Debug for MockSolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("MockSolver")
            .field("name", &self.name)
            .field("script", &state.script)
            .field("calls", &state.call_count)
            .field("purchases", &state.purchases)
            .field("in_flight", &state.in_flight)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
