//! The scripted solver.

mod log;
mod outcome;
mod run;
mod state;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, Profile, ScreenshotLimits, Solution, SolveError, Usd,
    Verdict, WorstCase, async_trait, builder_setters,
};

pub use self::log::{CallStatus, RecordedCall, RecordedReport};
pub use self::outcome::Outcome;
use self::state::State;

/// A solver that does what its script says, and remembers what it was asked.
///
/// Clones share one script and one log: put a clone into the chain under test and keep the other to
/// look at afterwards.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_core::{Billed, DragSolver, ErrorKind};
/// use drag_solver_mock::{CallStatus, MockSolver, Outcome, fixtures};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), drag_solver_core::SolveError> {
/// let (challenge, drag) = (fixtures::challenge(), fixtures::drag());
/// let mock = MockSolver::new("mock")
///     .then(ErrorKind::Unavailable)
///     .always(Outcome::answer(drag).after(Duration::from_secs(9)));
/// let solver = mock.clone(); // goes into the code under test
///
/// assert!(solver.solve(&challenge).await.is_err());
/// let hasty = challenge.clone().within(Duration::from_secs(5));
/// let error = solver.solve(&hasty).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
/// assert_eq!(error.billed(), Billed::Maybe);
///
/// // The job was paid for: to resume it is not a second purchase.
/// let resumed = challenge.resume_job(error.unfinished_jobs().remove(0));
/// solver.solve(&resumed).await?;
/// assert_eq!((mock.call_count(), mock.purchases()), (3, 1));
/// assert_eq!(mock.calls()[2].status, CallStatus::Solved);
/// # Ok(())
/// # }
/// ```
///
/// # The script
///
/// Each call takes the next [`Outcome`], in the order in which the calls' futures are first polled.
/// Once they are all taken, what [`always`](Self::always) or [`always_with`](Self::always_with) said
/// holds for every further call. If neither was said, further calls fail with
/// [`ErrorKind::Unsupported`] and a message that counts the outcomes and the calls: a test that
/// asks more often than it meant to fails and does not hang.
///
/// # It behaves like a provider that takes money
///
/// - It buys a job, unless the outcome is that none was bought, and says so in the challenge's
///   [events](drag_solver_core::Event): `Started`, `Buying`, `Bought`, `Settled` with what was billed.
///   A purchase that is refused and not billed ends with `NotBought`; one of which nothing is known,
///   with `Settled` and [`Billed::Maybe`](drag_solver_core::Billed::Maybe).
/// - An observer that refuses `Buying` prevents the purchase; the outcome is taken all the same.
/// - A challenge that [resumes](DragChallenge::resume_job) jobs of its name takes the next outcome
///   too, but buys nothing: it says `Resumed` of the first of them. Its errors name the others, too.
/// - A challenge that has expired is refused at once and takes no outcome. One whose deadline
///   passes before the outcome is due fails at the deadline, with `DeadlineExceeded`; if a job was
///   bought, the error names it.
/// - [`free`](Self::free) turns it into a solver that runs locally: it buys nothing and says nothing.
///
/// All waits are on [`tokio::time`], so on a paused clock they are exact and take no time.
///
/// # Cancellation
///
/// A dropped call is logged as [`CallStatus::Dropped`]. The outcome that it took stays taken, and what
/// it had bought stays bought.
#[derive(Clone)]
#[must_use = "its methods return it; `push` adds to the script of one that is kept"]
pub struct MockSolver {
    name: Arc<str>,
    state: Arc<Mutex<State>>,
}

/// Writes what a mock can be asked, a row each: the documentation, the name, and what is read under its lock.
macro_rules! getters {
    ($($(#[$doc:meta])* $getter:ident: $type:ty = |$state:ident| $read:expr;)+) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $getter(&self) -> $type {
            let $state = self.state();
            $read
        }
    )+};
}

impl MockSolver {
    /// A mock called `name`, with an empty script.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            state: Arc::default(),
        }
    }

    /// Adds an outcome at the end of the script.
    pub fn push(&self, outcome: impl Into<Outcome>) {
        let mut state = self.state();
        state.script.push_back(outcome.into());
        state.script_len += 1;
    }

    /// The outcome of every call after the script's end.
    pub fn always(self, outcome: impl Into<Outcome>) -> Self {
        let outcome = outcome.into();
        self.always_with(move |_, _| outcome.clone())
    }

    builder_setters! {
        /// Adds an outcome at the end of the script. May be called while calls are under way.
        then(outcome: impl Into<Outcome>) |it| it.push(outcome);

        /// Adds the same outcome `times` times at the end of the script.
        then_times(times: usize, outcome: impl Into<Outcome>) |it| {
            let outcome = outcome.into();
            (0..times).for_each(|_| it.push(outcome.clone()));
        };

        /// Asks `decide` for the outcome of every call after the script's end. It gets the challenge and
        /// the call's number, counted from 1 and including the scripted calls.
        always_with(decide: impl Fn(&DragChallenge, usize) -> Outcome + Send + Sync + 'static)
            |it| it.state().rest = Some(Arc::new(decide));

        /// What each [answer](Outcome::answer) says it cost. Unknown unless set.
        with_cost(cost: Usd) |it| it.state().cost = Some(cost);

        /// What its profile says that one call takes at most. Unless set: one purchase, at its
        /// [cost](Self::with_cost) if it has one, in unknown time.
        with_worst_case(worst_case: WorstCase) |it| it.state().worst_case = Some(worst_case);

        /// Says that it takes pictures within these limits only. It answers others all the same. Unless
        /// this is called it has none.
        with_limits(limits: ScreenshotLimits) |it| it.state().limits = limits;

        /// Buys nothing, like a solver that runs locally: no job ids, no events, and paid jobs are not
        /// resumed.
        free() |it| it.state().is_free = true;

        /// Answers reports with what `answer` says. By default they are accepted.
        on_report(answer: impl Fn(&Solution, Verdict) -> Result<(), SolveError> + Send + Sync + 'static)
            |it| it.state().answer_report = Some(Arc::new(answer));

        /// Says [`ErrorKind::Unsupported`] to every report, like a solver that has no use for them. They
        /// are logged all the same.
        without_reports() |it| {
            let message = "this solver takes no reports";
            let error = SolveError::new(ErrorKind::Unsupported, message).with_solver(&it.name);
            it.state().answer_report = Some(Arc::new(move |_, _| Err(error.clone())));
        };

        /// How long a report takes. At once unless set.
        with_report_latency(latency: Duration) |it| it.state().report_latency = latency;

        /// Keeps counters but no [calls](Self::calls) and [reports](Self::reports), whose pictures
        /// would add up in a benchmark or a soak test.
        without_log() |it| it.state().keeps_no_log = true;
    }

    getters! {
        /// Every call so far, in the order in which they began.
        calls: Vec<RecordedCall> = |state| state.calls.clone();

        /// Every report so far, in the order in which they came.
        reports: Vec<RecordedReport> = |state| state.reports.clone();

        /// How many calls have begun.
        call_count: usize = |state| state.call_count;

        /// How many jobs were bought. Resuming one is no purchase.
        purchases: usize = |state| state.purchases;

        /// How many calls have begun and neither ended nor been dropped.
        in_flight: usize = |state| state.in_flight;

        /// The most calls that were ever in flight at once.
        max_in_flight: usize = |state| state.max_in_flight;

        /// How many scripted outcomes no call has taken yet.
        remaining_outcomes: usize = |state| state.script.len();
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
            if !state.keeps_no_log {
                state.reports.push(RecordedReport {
                    solution: solution.clone(),
                    verdict,
                });
            }
            (state.answer_report.clone(), state.report_latency)
        };
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        answer.map_or(Ok(()), |answer| answer(solution, verdict))
    }

    fn profile(&self) -> Profile {
        let state = self.state();
        let cost = state.is_free.then_some(Usd::ZERO).or(state.cost);
        let mut once = WorstCase::one_purchase();
        once.cost = cost;
        Profile::new(state.worst_case.unwrap_or(once)).with_limits(state.limits)
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
