//! What one call comes to.

use std::time::Duration;

use drag_solver_core::{Billed, Drag, ErrorKind, JobId, Solution, SolveError, builder_setters};

/// What one call of a [`MockSolver`](crate::MockSolver) comes to, and when.
///
/// A [`Drag`], a [`Solution`], a [`SolveError`] and an [`ErrorKind`] turn into one by themselves:
///
/// ```
/// use std::time::Duration;
/// use drag_solver_core::{ErrorKind, SolveError};
/// use drag_solver_mock::{MockSolver, Outcome, fixtures};
///
/// let drag = fixtures::drag();
/// let solver = MockSolver::new("mock")
///     .then(drag)
///     .then(ErrorKind::Unsolvable)
///     .then(Outcome::answer(drag).after(Duration::from_secs(3)))
///     .then(SolveError::new(ErrorKind::RateLimited, "slow down")
///         .with_retry_after(Duration::from_secs(5)))
///     .then(Outcome::hang());
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Outcome {
    pub(super) result: Scripted,
    /// From the start of the call; `None` is never.
    pub(super) latency: Option<Duration>,
    pub(super) accepted_after: Duration,
    purchase: Option<Purchase>,
    pub(super) ignores_deadline: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Scripted {
    Drag(Drag),
    Solution(Solution),
    Error(SolveError),
}

/// What becomes of the job behind an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purchase {
    /// No job was bought.
    Refused,
    /// A job was bought and has ended.
    Settled,
    /// A job was bought and may yet be answered.
    Unfinished,
}

impl Outcome {
    fn new(result: Scripted) -> Self {
        Self {
            result,
            latency: Some(Duration::ZERO),
            accepted_after: Duration::ZERO,
            purchase: None,
            ignores_deadline: false,
        }
    }

    /// A job is bought, and its answer is `drag`. The solution gets the solver's name, the job's
    /// id, the solver's [cost](crate::MockSolver::with_cost) and the time the call took.
    pub fn answer(drag: Drag) -> Self {
        Self::new(Scripted::Drag(drag))
    }

    /// Fails with an error of this kind, which gets the solver's name.
    ///
    /// What was bought follows from the kind, as with a real provider, unless
    /// [`refused`](Self::refused), [`settled`](Self::settled) or [`unfinished`](Self::unfinished)
    /// says otherwise:
    ///
    /// | kind | the job | [`billed`](SolveError::billed) |
    /// |---|---|---|
    /// | `Unsolvable` | bought and ended | `No` |
    /// | `InvalidAnswer` | bought and ended | `Yes` |
    /// | `Timeout` | bought, still running; the error names it | `Maybe` |
    /// | any other | none was bought | `No` |
    /// | any other, while a job is resumed | still running; the error names it | `Maybe` |
    pub fn error(kind: ErrorKind, message: impl AsRef<str>) -> Self {
        let billed = match kind {
            ErrorKind::InvalidAnswer => Billed::Yes,
            _ => Billed::No,
        };
        SolveError::new(kind, message).with_billed(billed).into()
    }

    /// A job is bought and never answered. The call waits until the challenge's deadline, or
    /// permanently if it has none. [`after`](Self::after) does not change that.
    pub fn hang() -> Self {
        let mut endless = Self::from(ErrorKind::Timeout);
        endless.latency = None;
        endless
    }

    builder_setters! {
        /// Comes this long after the call began, in place of at once.
        after(latency: Duration) |it| it.latency = it.latency.map(|_| latency);

        /// The job is bought this long after the call began, in place of at once. Until then it is
        /// unknown whether it is: a call whose deadline passes in between fails with [`Billed::Maybe`]
        /// and no job. Without effect when a paid job is resumed.
        accepted_after(latency: Duration) |it| it.accepted_after = latency;

        /// No job is bought: the purchase itself fails. A job that is being resumed stays unfinished.
        refused() |it| it.purchase = Some(Purchase::Refused);

        /// A job is bought, and this is how it ends: nothing is left to resume.
        settled() |it| it.purchase = Some(Purchase::Settled);

        /// A job is bought and still running when the error comes. The error names it, so that it can
        /// be resumed.
        unfinished() |it| it.purchase = Some(Purchase::Unfinished);

        /// Waits past the deadline, as a badly written solver does.
        ignoring_deadline() |it| it.ignores_deadline = true;
    }

    /// The job of the solver called `solver` that its solution or its error names.
    pub(super) fn job_of(&self, solver: &str) -> Option<JobId> {
        match &self.result {
            Scripted::Drag(_) => None,
            Scripted::Solution(solution) => solution.job().cloned(),
            Scripted::Error(error) => {
                let mut jobs = error.unfinished_jobs().into_iter();
                jobs.find(|job| job.solver == solver).map(|job| job.id)
            }
        }
    }

    /// What becomes of the job when the call comes to this.
    pub(super) fn purchase(&self, is_resuming: bool) -> Purchase {
        let Scripted::Error(error) = &self.result else {
            return Purchase::Settled;
        };
        let by_kind = match error.kind() {
            _ if !error.unfinished_jobs().is_empty() => Purchase::Unfinished,
            ErrorKind::Unsolvable | ErrorKind::InvalidAnswer => Purchase::Settled,
            ErrorKind::Timeout => Purchase::Unfinished,
            _ => Purchase::Refused,
        };
        match self.purchase.unwrap_or(by_kind) {
            Purchase::Refused if is_resuming => Purchase::Unfinished,
            purchase => purchase,
        }
    }
}

impl From<Drag> for Outcome {
    fn from(drag: Drag) -> Self {
        Self::answer(drag)
    }
}

/// A job is bought, and the answer is exactly this solution, with the solver, job, cost and time that it
/// names.
impl From<Solution> for Outcome {
    fn from(solution: Solution) -> Self {
        Self::new(Scripted::Solution(solution))
    }
}

/// The call fails with this very error, which gets the solver's name if it has none. If it names an
/// unfinished job of the solver, that is the one that is bought; otherwise what was bought follows from
/// the kind, as with [`Outcome::error`].
impl From<SolveError> for Outcome {
    fn from(error: SolveError) -> Self {
        Self::new(Scripted::Error(error))
    }
}

impl From<ErrorKind> for Outcome {
    fn from(kind: ErrorKind) -> Self {
        Self::error(kind, "scripted failure")
    }
}
