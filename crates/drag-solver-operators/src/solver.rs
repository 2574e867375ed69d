//! People, as a solver.

use std::sync::Arc;

use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, Profile, Solution, SolveError, Verdict, WorstCase,
    async_trait,
};
use tokio::time::Instant;

use crate::call::Call;
use crate::{Desk, OperatorsPolicy};

/// What it is called unless it is named.
const NAME: &str = "person";

/// What a challenge waits for while no operator has the time, in
/// [`Event::Waiting`](drag_solver_core::Event::Waiting).
pub const AN_OPERATOR: &str = "an operator";

/// A [`DragSolver`] whose answers come from the people at a [`Desk`].
///
/// # Waiting
///
/// A challenge waits in line until an operator has the time for it, which is told as [`Event::Waiting`]. While no operator
/// is there it is refused with [`ErrorKind::Overloaded`], or waits, as the [policy](OperatorsPolicy::when_absent) says.
///
/// # Money
///
/// The purchase begins ([`Event::Buying`]) when an operator is about to see the challenge, and so a budget can refuse it
/// before a person has worked. It has an id ([`Event::Bought`]): a challenge that
/// [resumes](DragChallenge::resume_job) it is shown again, before all that wait, and is still one purchase. An answer is
/// billed; a challenge that an operator says cannot be solved ([`ErrorKind::Unsolvable`]), or that is too late, is not.
/// What one costs is what [`priced`] says around it.
///
/// [`Event::Waiting`]: drag_solver_core::Event::Waiting
/// [`Event::Buying`]: drag_solver_core::Event::Buying
/// [`Event::Bought`]: drag_solver_core::Event::Bought
/// [`priced`]: https://docs.rs/drag-solver-combinators/latest/drag_solver_combinators/struct.Priced.html
///
/// # Time
///
/// From when the first operator sees it, the answer has [`answer_timeout`](OperatorsPolicy::answer_timeout), but no longer
/// than the challenge's deadline. Who closes the page gives it back, and the next operator has what is left. An answer
/// counts when it cannot be [undone](crate::DeskPolicy::undo) any more.
///
/// # Cancellation
///
/// Dropping the future takes the challenge from the screen at once. If an operator had it there already, it stays a purchase
/// without an end: they have worked on it.
///
/// ```
/// use drag_solver_core::{DragSolver, ErrorKind};
/// use drag_solver_operators::{Desk, DeskPolicy, Operators, OperatorsPolicy};
/// # use drag_solver_mock::fixtures;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let challenge = fixtures::challenge();
/// let desk = Desk::new(DeskPolicy::default());
/// let person = Operators::new(&desk, OperatorsPolicy::default());
///
/// let error = person.solve(&challenge).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Overloaded); // no operator is at the page
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Operators {
    pub(crate) desk: Desk,
    name: Arc<str>,
    pub(crate) policy: OperatorsPolicy,
}

impl Operators {
    /// The people at `desk`, called `person`.
    #[must_use]
    pub fn new(desk: &Desk, policy: OperatorsPolicy) -> Self {
        Self {
            desk: desk.clone(),
            name: NAME.into(),
            policy,
        }
    }

    /// Replaces the name.
    #[must_use]
    pub fn named(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = name.into();
        self
    }

    /// The desk where they sit.
    #[must_use]
    pub fn desk(&self) -> &Desk {
        &self.desk
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl DragSolver for Operators {
    fn name(&self) -> &str {
        &self.name
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let call = Call {
            people: self,
            challenge,
            started: Instant::now(),
            paid: challenge.paid_jobs_of(&self.name).cloned().collect(),
        };
        let outcome = call.run().await;
        let solver = self.name();
        outcome.map_err(|error| {
            let error = error.with_default_solver(solver);
            error.with_default_elapsed(call.started.elapsed())
        })
    }

    /// Counts for the operator who gave the answer, who sees it. It is known for the last 10,000 answers of this process.
    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        let is_known = solution.solver() == self.name()
            && solution
                .job()
                .is_some_and(|job| self.desk.report(job, verdict));
        if is_known {
            return Ok(());
        }
        let why = "it is not known any more who gave this answer";
        Err(SolveError::new(ErrorKind::Unsupported, why).with_solver(self.name()))
    }

    fn profile(&self) -> Profile {
        let policy = &self.policy;
        let mut worst = WorstCase::one_purchase();
        worst.time = policy
            .max_wait
            .map(|wait| wait.saturating_add(policy.answer_timeout));
        Profile::new(worst)
    }
}
