//! One call, from its first poll to its end or its drop.

use std::future;
use std::time::Duration;

use drag_solver_core::{
    Billed, Drag, DragChallenge, DragSolver as _, ErrorKind, Event, JobId, PaidJob, Solution,
    SolveError, Usd,
};
use tokio::time::{Instant, sleep_until};

use super::MockSolver;
use super::log::CallStatus;
use super::outcome::{Outcome, Purchase, Scripted};

/// A call under way. Dropping it before its end logs it as dropped.
pub(super) struct Running<'a> {
    mock: &'a MockSolver,
    challenge: &'a DragChallenge,
    started: Instant,
    number: usize,
    is_free: bool,
    /// The job that it waits for: the first that it is to resume, or the one it bought.
    job: Option<JobId>,
    /// Further jobs of its own that the challenge brought, which this call does not touch.
    others: Vec<PaidJob>,
    status: CallStatus,
}

impl<'a> Running<'a> {
    pub(super) fn begin(mock: &'a MockSolver, challenge: &'a DragChallenge) -> Self {
        let mut state = mock.state();
        let is_free = state.is_free;
        let mut own = challenge.paid_jobs_of(&mock.name).filter(|_| !is_free);
        let job = own.next().cloned();
        let others = own.map(|job| PaidJob::new(&*mock.name, job.clone()));
        let number = state.begin(challenge, job.clone());
        Self {
            mock,
            challenge,
            started: Instant::now(),
            number,
            is_free,
            job,
            others: others.collect(),
            status: CallStatus::Dropped,
        }
    }

    pub(super) async fn finish(mut self) -> Result<Solution, SolveError> {
        let result = self.run().await.map_err(|error| {
            error
                .handing_back(self.others.drain(..))
                .with_default_elapsed(self.started.elapsed())
        });
        self.status = match &result {
            Ok(_) => CallStatus::Solved,
            Err(error) => CallStatus::Failed {
                kind: error.kind(),
                billed: error.billed(),
            },
        };
        result
    }

    async fn run(&mut self) -> Result<Solution, SolveError> {
        let solver = self.mock.name();
        self.announce(Event::Started { solver }).await;
        if self.challenge.is_expired() {
            let message = "the challenge's deadline had already passed";
            return Err(self.refuse(ErrorKind::DeadlineExceeded, message));
        }
        let outcome = self.next_outcome()?;
        let purchase = outcome.purchase(self.job.is_some());
        self.buy(&outcome, purchase).await?;
        self.wait(outcome.latency, &outcome, "before the answer came")
            .await?;
        let solution = match outcome.result {
            Scripted::Drag(drag) => self.solution(drag),
            Scripted::Solution(solution) => solution,
            Scripted::Error(error) => return Err(self.fail(error, purchase).await),
        };
        self.settle(Billed::Yes, solution.cost()).await;
        Ok(solution)
    }

    fn next_outcome(&self) -> Result<Outcome, SolveError> {
        let mut state = self.mock.state();
        if let Some(outcome) = state.script.pop_front() {
            return Ok(outcome);
        }
        let (rest, scripted) = (state.rest.clone(), state.script_len);
        drop(state); // a callback may look at the mock
        if let Some(decide) = rest {
            return Ok(decide(self.challenge, self.number));
        }
        let message = format!(
            "this is call {}, and the mock's script of {scripted} outcomes is at its end: \
             add an outcome, or say what further calls come to with `always`",
            self.number
        );
        Err(self.refuse(ErrorKind::Unsupported, &message))
    }

    fn refuse(&self, kind: ErrorKind, message: &str) -> SolveError {
        self.challenge.refuse(self.mock.name(), kind, message)
    }

    /// Buys a job, unless there is one to resume or the outcome is that nothing is bought.
    async fn buy(&mut self, outcome: &Outcome, purchase: Purchase) -> Result<(), SolveError> {
        let solver = self.mock.name();
        if let Some(job) = &self.job {
            self.announce(Event::Resumed { solver, job }).await;
            return Ok(());
        }
        if self.is_free {
            return Ok(());
        }
        self.challenge.notify(Event::Buying { solver }).await?;
        if purchase == Purchase::Refused {
            return Ok(());
        }
        let accepted = Some(outcome.accepted_after);
        self.wait(accepted, outcome, "during the purchase").await?;
        let named = outcome.job_of(solver);
        let job = self.mock.state().buy(named, self.number);
        self.job = Some(job.clone());
        self.announce(Event::Bought { solver, job: &job }).await;
        Ok(())
    }

    /// Waits until so long after the call's start, or fails at the deadline if that comes first. Does
    /// not yield when it is time.
    async fn wait(
        &self,
        latency: Option<Duration>,
        outcome: &Outcome,
        what: &str,
    ) -> Result<(), SolveError> {
        let at = latency.and_then(|latency| self.started.checked_add(latency));
        let deadline = self.challenge.deadline();
        let due = deadline.filter(|due| !outcome.ignores_deadline && at.is_none_or(|at| at > *due));
        match due.or(at) {
            None => future::pending().await,
            Some(until) if until > Instant::now() => sleep_until(until).await,
            Some(_) => {}
        }
        match due {
            Some(_) => Err(self.too_late(what).await),
            None => Ok(()),
        }
    }

    /// What was sent has not been answered yet, so it may be billed.
    async fn too_late(&self, what: &str) -> SolveError {
        let (billed, purchase) = match &self.job {
            Some(_) => (Billed::Maybe, Purchase::Unfinished),
            None if self.is_free => (Billed::No, Purchase::Refused),
            None => (Billed::Maybe, Purchase::Refused),
        };
        let message = format!("the challenge's deadline passed {what}");
        let error = SolveError::new(ErrorKind::DeadlineExceeded, message).with_billed(billed);
        self.fail(error, purchase).await
    }

    fn solution(&self, drag: Drag) -> Solution {
        let solution = Solution::new(drag, self.mock.name())
            .with_cost(self.mock.state().cost)
            .with_elapsed(self.started.elapsed());
        match &self.job {
            Some(job) => solution.with_job(job.clone()),
            None => solution,
        }
    }

    /// Says how the purchase ended, and adds to the error what it leaves behind.
    async fn fail(&self, error: SolveError, purchase: Purchase) -> SolveError {
        let solver = self.mock.name();
        let error = error.with_default_solver(solver);
        match (purchase, error.billed()) {
            (Purchase::Unfinished, _) => {
                let job = self.job.clone().map(|job| PaidJob::new(solver, job));
                return error.with_unfinished_jobs(job);
            }
            (Purchase::Refused, Billed::No) => self.announce(Event::NotBought { solver }).await,
            (_, billed) => self.settle(billed, error.spent()).await,
        }
        error
    }

    async fn settle(&self, billed: Billed, cost: Option<Usd>) {
        let (solver, job) = (self.mock.name(), self.job.as_ref());
        let settled = Event::Settled {
            solver,
            job,
            billed,
            cost,
        };
        self.announce(settled).await;
    }

    /// Tells of what has happened, which no observer can prevent. A solver that buys nothing says
    /// nothing.
    async fn announce(&self, event: Event<'_>) {
        if !self.is_free {
            let _ = self.challenge.notify(event).await;
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.mock.state().end(self.number, self.status);
    }
}
