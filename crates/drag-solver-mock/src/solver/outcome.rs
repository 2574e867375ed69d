//! What one call comes to.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{Charge, Drag, ErrorKind, JobId, Solution, SolveError};

/// What one call of a [`MockSolver`](crate::MockSolver) comes to, and when.
///
/// A [`Drag`], a [`Solution`] and an [`ErrorKind`] turn into one by themselves:
///
/// ```
/// use std::time::Duration;
/// use drag_solver_core::{Drag, ErrorKind, Point, SolveError};
/// use drag_solver_mock::{MockSolver, Outcome};
///
/// let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
/// let solver = MockSolver::new("mock")
///     .then(drag)
///     .then(ErrorKind::Unsolvable)
///     .then(Outcome::answer(drag).after(Duration::from_secs(3)))
///     .then(Outcome::error_with(|| {
///         SolveError::new(ErrorKind::RateLimited, "slow down")
///             .with_retry_after(Duration::from_secs(5))
///     }))
///     .then(Outcome::hang());
/// ```
#[derive(Clone)]
pub struct Outcome {
    pub(super) result: Scripted,
    /// From the start of the call; `None` means never.
    pub(super) latency: Option<Duration>,
    pub(super) accepted_after: Duration,
    purchase: Option<Purchase>,
    pub(super) overstays: bool,
}

#[derive(Clone)]
pub(super) enum Scripted {
    Drag(Drag),
    Solution(Solution),
    /// Made anew for each call, as errors cannot be cloned.
    Error(Arc<dyn Fn() -> SolveError + Send + Sync>),
    Never,
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
    fn new(result: Scripted, latency: Option<Duration>) -> Self {
        Self {
            result,
            latency,
            accepted_after: Duration::ZERO,
            purchase: None,
            overstays: false,
        }
    }

    /// A job is bought, and its answer is `drag`. The solution gets the solver's name, the job's
    /// id, the solver's [cost](crate::MockSolver::with_cost) and the time the call took.
    #[must_use]
    pub fn answer(drag: Drag) -> Self {
        Self::new(Scripted::Drag(drag), Some(Duration::ZERO))
    }

    /// A job is bought, and the answer is exactly this solution, whatever it says of provider, job,
    /// cost and time.
    #[must_use]
    pub fn solution(solution: Solution) -> Self {
        Self::new(Scripted::Solution(solution), Some(Duration::ZERO))
    }

    /// Fails with an error of this kind, which gets the solver's name.
    ///
    /// What was bought follows from the kind, as with a real provider, unless
    /// [`refused`](Self::refused), [`settled`](Self::settled) or [`unfinished`](Self::unfinished)
    /// says otherwise:
    ///
    /// | kind | the job | the error's charge |
    /// |---|---|---|
    /// | `Unsolvable` | bought and ended | `No` |
    /// | `InvalidAnswer` | bought and ended | `Yes` |
    /// | `Timeout` | bought, still running; the error names it | `Unknown` |
    /// | any other | none was bought | `No` |
    /// | any other, while a job is resumed | still running; the error names it | `Unknown` |
    pub fn error(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::error_with(move || {
            let charge = match kind {
                ErrorKind::InvalidAnswer => Charge::Yes,
                _ => Charge::No,
            };
            SolveError::new(kind, &message).with_charge(charge)
        })
    }

    /// Fails with the error that `make` returns, called once per call. It is left as it is, except
    /// that it gets the solver's name if it has none, and an [unfinished](Self::unfinished) job's id
    /// and [`Charge::Unknown`] where it says nothing. If it names a job, that is the job bought.
    pub fn error_with(make: impl Fn() -> SolveError + Send + Sync + 'static) -> Self {
        Self::new(Scripted::Error(Arc::new(make)), Some(Duration::ZERO))
    }

    /// A job is bought and never answered. The call waits until the challenge's deadline, or for
    /// ever if it has none. [`after`](Self::after) does not change that.
    #[must_use]
    pub fn hang() -> Self {
        Self::new(Scripted::Never, None)
    }

    /// Comes this long after the call began, in place of at once.
    #[must_use]
    pub fn after(mut self, latency: Duration) -> Self {
        if !matches!(self.result, Scripted::Never) {
            self.latency = Some(latency);
        }
        self
    }

    /// The job is bought this long after the call began, in place of at once. Until then nobody
    /// knows whether it is: a call whose deadline passes in between fails with [`Charge::Unknown`]
    /// and no job. Without effect when a paid job is resumed.
    #[must_use]
    pub fn accepted_after(mut self, latency: Duration) -> Self {
        self.accepted_after = latency;
        self
    }

    /// No job is bought: the purchase itself fails.
    #[must_use]
    pub fn refused(mut self) -> Self {
        self.purchase = Some(Purchase::Refused);
        self
    }

    /// A job is bought, and this is how it ends: nothing is left to resume.
    #[must_use]
    pub fn settled(mut self) -> Self {
        self.purchase = Some(Purchase::Settled);
        self
    }

    /// A job is bought and still running when the error comes. The error names it, so that it can
    /// be resumed.
    #[must_use]
    pub fn unfinished(mut self) -> Self {
        self.purchase = Some(Purchase::Unfinished);
        self
    }

    /// Takes no notice of the deadline while it waits, as a badly written solver does.
    #[must_use]
    pub fn overstaying(mut self) -> Self {
        self.overstays = true;
        self
    }

    /// The error it ends with, if it does.
    pub(super) fn make_error(&self) -> Option<SolveError> {
        match &self.result {
            Scripted::Error(make) => Some(make()),
            _ => None,
        }
    }

    /// The job its solution names.
    pub(super) fn job(&self) -> Option<&JobId> {
        match &self.result {
            Scripted::Solution(solution) => solution.job(),
            _ => None,
        }
    }

    /// What becomes of the job when the call ends with `error`.
    pub(super) fn purchase_behind(&self, error: &SolveError, resuming: bool) -> Purchase {
        self.purchase.unwrap_or(match error.kind() {
            _ if error.job().is_some() => Purchase::Unfinished,
            ErrorKind::Unsolvable | ErrorKind::InvalidAnswer => Purchase::Settled,
            ErrorKind::Timeout => Purchase::Unfinished,
            _ if resuming => Purchase::Unfinished,
            _ => Purchase::Refused,
        })
    }
}

impl From<Drag> for Outcome {
    fn from(drag: Drag) -> Self {
        Self::answer(drag)
    }
}

impl From<Solution> for Outcome {
    fn from(solution: Solution) -> Self {
        Self::solution(solution)
    }
}

impl From<ErrorKind> for Outcome {
    fn from(kind: ErrorKind) -> Self {
        Self::error(kind, "scripted failure")
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.result {
            Scripted::Drag(drag) => write!(f, "Outcome(answer {drag}")?,
            Scripted::Solution(solution) => write!(f, "Outcome(solution {}", solution.drag())?,
            Scripted::Error(make) => write!(f, "Outcome({}", make().kind())?,
            Scripted::Never => f.write_str("Outcome(hang")?,
        }
        if let Some(latency) = self.latency.filter(|latency| !latency.is_zero()) {
            write!(f, " after {latency:?}")?;
        }
        f.write_str(")")
    }
}
