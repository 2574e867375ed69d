//! One call of `solve`: it waits, buys, is answered, and says how that has ended.

use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{
    Billed, Drag, DragChallenge, DragSolver as _, ErrorKind, Event, JobId, Solution, SolveError,
};
use tokio::time::{Instant, sleep_until};

use crate::desk::{self, Place, Presence, Step};
use crate::{AN_OPERATOR, Operators, WhenAbsent};

/// One call of `solve`.
pub(super) struct Call<'a> {
    pub(super) people: &'a Operators,
    pub(super) challenge: &'a DragChallenge,
    pub(super) started: Instant,
    /// What an earlier call has shown to an operator. One is enough; the others end with it.
    pub(super) paid: Vec<JobId>,
}

/// What an operator said.
struct Said {
    drag: Option<Drag>,
    operator: Arc<str>,
}

impl Call<'_> {
    pub(super) async fn run(&self) -> Result<Solution, SolveError> {
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
            return Err(self.absent());
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
        place.show(self.people.policy.answer_timeout);
        let end = self.answer(&mut place).await;
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
                return Err(self.absent());
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
    async fn answer(&self, place: &mut Place) -> Result<Said, SolveError> {
        let mut presence_changes = place.presence_changes();
        loop {
            let step = place.step();
            let lease_end = place.lease_end().filter(|_| step == Step::Shown);
            let presence = place.presence();
            let due = place.due().or(self.challenge.deadline());
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
        presence == Presence::Absent && refuses && self.paid.is_empty()
    }

    /// How long it may wait for an operator.
    fn longest_wait(&self) -> Option<Duration> {
        let policy = &self.people.policy;
        let refuses = policy.when_absent == WhenAbsent::Refuse;
        let most = (refuses && !self.paid.is_empty()).then_some(policy.answer_timeout);
        policy.max_wait.into_iter().chain(most).min()
    }

    fn absent(&self) -> SolveError {
        self.refuse(
            ErrorKind::Overloaded,
            "no operator is at the page /operator",
        )
    }

    /// The error of a call that no operator has seen. What was paid for earlier is still to be fetched.
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
