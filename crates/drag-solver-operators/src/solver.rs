//! People, as a solver.

use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{
    Billed, Drag, DragChallenge, DragSolver, ErrorKind, Event, JobId, Profile, Solution,
    SolveError, Verdict, WorstCase, async_trait,
};
use tokio::time::{Instant, sleep_until};

use crate::desk::{self, Place, Presence, Step};
use crate::{Desk, OperatorsPolicy, WhenAbsent};

/// What it is called unless it is named.
const NAME: &str = "person";

/// What a challenge waits for while no operator has the time, in [`Event::Waiting`].
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
/// before anybody has worked. It has an id ([`Event::Bought`]): a challenge that
/// [resumes](DragChallenge::resume_job) it is shown again, before all that wait, and is still one purchase. An answer is
/// billed; a challenge that an operator says cannot be solved ([`ErrorKind::Unsolvable`]), or that is too late, is not.
/// What one costs is what [`priced`] says around it.
///
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
/// Dropping the future takes the challenge from the screen at once. If somebody had it there already, it stays a purchase
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
/// assert_eq!(error.kind(), ErrorKind::Overloaded); // nobody is at the page
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Operators {
    desk: Desk,
    name: Arc<str>,
    policy: OperatorsPolicy,
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

/// One call of `solve`.
struct Call<'a> {
    people: &'a Operators,
    challenge: &'a DragChallenge,
    started: Instant,
    /// What an earlier call has shown to somebody. One is enough; the others end with it.
    paid: Vec<JobId>,
}

/// What an operator said.
struct Said {
    drag: Option<Drag>,
    operator: Arc<str>,
}

impl Call<'_> {
    async fn run(&self) -> Result<Solution, SolveError> {
        let solver = self.people.name();
        self.notify(Event::Started { solver }).await?;
        if self.challenge.is_expired() {
            return Err(self.refuse(
                ErrorKind::DeadlineExceeded,
                "the challenge's deadline has passed",
            ));
        }
        for job in &self.paid {
            self.notify(Event::Resumed { solver, job }).await?;
        }
        if self.is_hopeless(self.people.desk.presence()) {
            return Err(self.nobody());
        }
        let job = self.paid.first().cloned().unwrap_or_else(desk::new_job);
        let most = self.people.policy.max_waiting;
        let place =
            self.people
                .desk
                .place(self.challenge, job.clone(), !self.paid.is_empty(), most);
        let Some(mut place) = place else {
            let why = format!("{most} challenges wait for an operator, which is all that may");
            return Err(self.refuse(ErrorKind::Overloaded, why));
        };
        self.wait(&mut place).await?;
        if self.paid.is_empty() {
            self.buy(&job).await?;
        }
        let own = Instant::now().checked_add(self.people.policy.answer_timeout);
        let due = own.into_iter().chain(self.challenge.deadline()).min();
        place.show(due);
        let end = self.answer(&mut place, due).await;
        drop(place);
        self.settle(&job, end).await
    }

    /// Waits until an operator has the time.
    async fn wait(&self, place: &mut Place) -> Result<(), SolveError> {
        if place.step() != Step::Waiting {
            return Ok(());
        }
        let solver = self.people.name();
        let reason = AN_OPERATOR;
        self.notify(Event::Waiting { solver, reason }).await?;
        let limit = self.longest_wait();
        let limit = limit.and_then(|wait| self.started.checked_add(wait));
        let at = limit.into_iter().chain(self.challenge.deadline()).min();
        let taken = self.taken(place, at).await;
        self.notify(Event::WaitEnded { solver }).await?;
        taken
    }

    async fn taken(&self, place: &mut Place, at: Option<Instant>) -> Result<(), SolveError> {
        let mut presence_changes = place.presence_changes();
        while place.step() == Step::Waiting {
            let presence = place.presence();
            if self.is_hopeless(presence) {
                return Err(self.nobody());
            }
            let back = match presence {
                Presence::Until(back) => Some(back),
                _ => None,
            };
            tokio::select! {
                biased;
                () = place.changed() => {}
                () = until(at) => {
                    place.is_late();
                    if self.challenge.is_expired() {
                        let why = "the challenge's deadline passed before an operator had the time for it";
                        return Err(self.refuse(ErrorKind::DeadlineExceeded, why));
                    }
                    let waited = self.longest_wait().unwrap_or_default();
                    let why = format!("no operator had the time for it within {waited:?}");
                    return Err(self.refuse(ErrorKind::Overloaded, why));
                }
                _ = presence_changes.changed() => {}
                () = until(back) => {}
            }
        }
        Ok(())
    }

    async fn buy(&self, job: &JobId) -> Result<(), SolveError> {
        let solver = self.people.name();
        self.notify(Event::Buying { solver }).await?;
        // An observer that writes takes time, too.
        if self.challenge.is_expired() {
            self.notify(Event::NotBought { solver }).await?;
            let why = "the challenge's deadline passed before an operator saw it";
            return Err(self.refuse(ErrorKind::DeadlineExceeded, why));
        }
        self.notify(Event::Bought { solver, job }).await
    }

    /// Waits for what an operator says, until it counts.
    async fn answer(&self, place: &mut Place, due: Option<Instant>) -> Result<Said, SolveError> {
        let mut presence_changes = place.presence_changes();
        loop {
            let step = place.step();
            let lease_end = place.lease_end().filter(|_| step == Step::Shown);
            let presence = place.presence();
            let (counts_at, back) = match &step {
                Step::Answered { counts_at, .. } => (Some(*counts_at), None),
                Step::Waiting if self.is_hopeless(presence) => {
                    let why = "the operator gave it back, and no other one is there";
                    return Err(SolveError::new(ErrorKind::Overloaded, why));
                }
                Step::Waiting => match presence {
                    Presence::Until(back) => (None, Some(back)),
                    _ => (None, None),
                },
                _ => (None, None),
            };
            tokio::select! {
                biased;
                () = place.changed() => {}
                () = until(counts_at) => {
                    if let Some((drag, operator)) = place.count() {
                        return Ok(Said { drag, operator });
                    }
                }
                () = until(due) => {
                    place.is_late();
                    return Err(self.late());
                }
                () = until(lease_end) => place.lapse(),
                _ = presence_changes.changed() => {}
                () = until(back) => {}
            }
        }
    }

    fn late(&self) -> SolveError {
        if self.challenge.is_expired() {
            let why = "no operator had answered when the challenge's deadline passed";
            return SolveError::new(ErrorKind::DeadlineExceeded, why);
        }
        let limit = self.people.policy.answer_timeout;
        let why = format!("no operator answered within {limit:?}");
        SolveError::new(ErrorKind::Timeout, why)
    }

    /// Says how the purchase has ended.
    async fn settle(
        &self,
        job: &JobId,
        end: Result<Said, SolveError>,
    ) -> Result<Solution, SolveError> {
        let solver = self.people.name();
        let end = end.and_then(|said| {
            tracing::debug!(solver, operator = &*said.operator, %job, "an operator answered");
            said.drag.ok_or_else(|| {
                let why = "an operator says that it cannot be solved";
                SolveError::new(ErrorKind::Unsolvable, why)
            })
        });
        let billed = if end.is_ok() { Billed::Yes } else { Billed::No };
        let others = self.paid.iter().skip(1).map(|other| (other, Billed::No));
        for (job, billed) in [(job, billed)].into_iter().chain(others) {
            let (job, cost) = (Some(job), None);
            self.notify(Event::Settled {
                solver,
                job,
                billed,
                cost,
            })
            .await?;
        }
        let drag = end?;
        let solution = Solution::new(drag, solver).with_job(job.clone());
        Ok(solution.with_elapsed(self.started.elapsed()))
    }

    /// Whether there is no use in waiting. What an earlier process has shown waits in any case: the pages of a gateway that
    /// has just started come back within seconds, and another solver would be paid a second time.
    fn is_hopeless(&self, presence: Presence) -> bool {
        let refuses = self.people.policy.when_absent == WhenAbsent::Refuse;
        presence == Presence::Nobody && refuses && self.paid.is_empty()
    }

    /// How long it may wait for an operator.
    fn longest_wait(&self) -> Option<Duration> {
        let policy = &self.people.policy;
        let refuses = policy.when_absent == WhenAbsent::Refuse;
        let most = (refuses && !self.paid.is_empty()).then_some(policy.answer_timeout);
        policy.max_wait.into_iter().chain(most).min()
    }

    fn nobody(&self) -> SolveError {
        self.refuse(
            ErrorKind::Overloaded,
            "no operator is at the page /operator",
        )
    }

    /// The error of a call that nobody has seen. What was paid for earlier is still to be fetched.
    fn refuse(&self, kind: ErrorKind, why: impl AsRef<str>) -> SolveError {
        self.challenge.refuse(self.people.name(), kind, why)
    }

    async fn notify(&self, event: Event<'_>) -> Result<(), SolveError> {
        self.challenge.notify(event).await
    }
}

/// Ends at `at`, or never.
async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
