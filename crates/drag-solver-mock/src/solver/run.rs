//! One call, from its first poll to its end or its drop.

use std::future;

use drag_solver_core::{
    Charge, DragChallenge, DragSolver as _, ErrorKind, JobId, Progress, Solution, SolveError,
};
use tokio::time::{Instant, sleep_until};

use super::MockSolver;
use super::log::Ending;
use super::outcome::{Outcome, Purchase, Scripted};

/// A call under way. Dropping it before its end logs it as dropped.
pub(super) struct Running<'a> {
    solver: &'a MockSolver,
    challenge: &'a DragChallenge,
    started: Instant,
    number: usize,
    logged_at: Option<usize>,
    is_free: bool,
    /// The job it waits for: told to resume, or bought.
    job: Option<JobId>,
    ending: Ending,
}

/// The deadline passed first.
struct Late;

impl<'a> Running<'a> {
    pub(super) fn begin(solver: &'a MockSolver, challenge: &'a DragChallenge) -> Self {
        let mut state = solver.state();
        let is_free = state.is_free;
        let job = challenge
            .paid_job(&solver.name)
            .filter(|_| !is_free)
            .cloned();
        let (number, logged_at) = state.begin(challenge, job.clone());
        drop(state);
        Self {
            solver,
            challenge,
            started: Instant::now(),
            number,
            logged_at,
            is_free,
            job,
            ending: Ending::Dropped,
        }
    }

    pub(super) async fn finish(mut self) -> Result<Solution, SolveError> {
        let result = self.run().await;
        self.ending = match &result {
            Ok(_) => Ending::Solved,
            Err(error) => Ending::Failed {
                kind: error.kind(),
                charge: error.charge(),
            },
        };
        result
    }

    async fn run(&mut self) -> Result<Solution, SolveError> {
        let provider = self.solver.name();
        self.notify(&Progress::Started { provider });
        if self.challenge.is_expired() {
            let charge = if self.job.is_some() {
                Charge::Unknown
            } else {
                Charge::No
            };
            return Err(self.expired("had already passed", charge));
        }
        let outcome = self.next_outcome()?;
        let error = outcome.make_error();
        let purchase = error.as_ref().map_or(Purchase::Settled, |error| {
            outcome.purchase_behind(error, self.job.is_some())
        });
        let named = outcome.job().or(error.as_ref().and_then(SolveError::job));
        self.buy(&outcome, purchase, named).await?;

        let done = outcome
            .latency
            .and_then(|latency| self.started.checked_add(latency));
        if let Err(Late) = self.wait(done, &outcome).await {
            // Whatever was sent, nobody has said no to it yet.
            let charge = if self.is_free {
                Charge::No
            } else {
                Charge::Unknown
            };
            return Err(self.expired("passed before the answer came", charge));
        }
        match error {
            Some(error) => Err(self.fail(error, purchase)),
            None => self.solve(&outcome.result).await,
        }
    }

    fn next_outcome(&self) -> Result<Outcome, SolveError> {
        let mut state = self.solver.state();
        if let Some(outcome) = state.script.pop_front() {
            return Ok(outcome);
        }
        let (rest, scripted) = (state.rest.clone(), state.script_len);
        drop(state); // a callback may look at the mock
        match rest {
            Some(decide) => Ok(decide(self.challenge, self.number)),
            None => Err(SolveError::new(
                ErrorKind::Unsupported,
                format!(
                    "this is call {}, and the mock's script of {scripted} outcomes is at its end: \
                     add an outcome, or say what goes for further calls with `always`",
                    self.number
                ),
            )
            .with_provider(self.solver.name())),
        }
    }

    /// Buys a job, unless there is one to resume or the outcome is that nothing is bought.
    async fn buy(
        &mut self,
        outcome: &Outcome,
        purchase: Purchase,
        named: Option<&JobId>,
    ) -> Result<(), SolveError> {
        let provider = self.solver.name();
        if let Some(job) = &self.job {
            self.notify(&Progress::Resumed { provider, job });
            return Ok(());
        }
        self.notify(&Progress::Buying { provider });
        if purchase == Purchase::Refused || self.is_free {
            return Ok(());
        }
        let accepted = self.started.checked_add(outcome.accepted_after);
        if let Err(Late) = self.wait(accepted, outcome).await {
            return Err(self.expired("passed during the purchase", Charge::Unknown));
        }
        let job = self.solver.state().buy(named.cloned(), self.logged_at);
        self.notify(&Progress::Bought {
            provider,
            job: &job,
        });
        self.job = Some(job);
        Ok(())
    }

    /// Waits until `at`, or until the deadline if that comes first. Does not yield when it is time.
    async fn wait(&self, at: Option<Instant>, outcome: &Outcome) -> Result<(), Late> {
        let due = self.challenge.deadline().filter(|_| !outcome.overstays);
        match (at, due) {
            (Some(at), due) if due.is_none_or(|due| at <= due) => {
                if at > Instant::now() {
                    sleep_until(at).await;
                }
                Ok(())
            }
            (_, Some(due)) => {
                sleep_until(due).await;
                Err(Late)
            }
            (_, None) => future::pending().await,
        }
    }

    async fn solve(&self, result: &Scripted) -> Result<Solution, SolveError> {
        let provider = self.solver.name();
        let solution = match result {
            Scripted::Solution(solution) => solution.clone(),
            Scripted::Drag(drag) => {
                let mut solution =
                    Solution::new(*drag, provider).with_elapsed(self.started.elapsed());
                if let Some(job) = &self.job {
                    solution = solution.with_job(job.clone());
                }
                if let Some(cost) = self.solver.state().cost {
                    solution = solution.with_cost(cost);
                }
                solution
            }
            Scripted::Error(_) | Scripted::Never => future::pending().await,
        };
        self.settle();
        Ok(solution)
    }

    fn fail(&self, mut error: SolveError, purchase: Purchase) -> SolveError {
        let provider = self.solver.name();
        if error.provider().is_none() {
            error = error.with_provider(provider);
        }
        match purchase {
            Purchase::Settled => self.settle(),
            Purchase::Unfinished => {
                if error.charge() == Charge::No && !self.is_free {
                    error = error.with_charge(Charge::Unknown);
                }
                if let (None, Some(job)) = (error.job(), &self.job) {
                    error = error.with_job(job.clone());
                }
            }
            Purchase::Refused => {
                if error.kind() == ErrorKind::Unavailable && error.charge() == Charge::No {
                    self.notify(&Progress::NotBought { provider });
                }
            }
        }
        error
    }

    fn settle(&self) {
        if let Some(job) = &self.job {
            let provider = self.solver.name();
            self.notify(&Progress::Settled { provider, job });
        }
    }

    fn expired(&self, when: &str, charge: Charge) -> SolveError {
        let message = format!("the challenge's deadline {when}");
        let mut error = SolveError::new(ErrorKind::DeadlineExceeded, message)
            .with_provider(self.solver.name())
            .with_charge(charge);
        if let Some(job) = &self.job {
            error = error.with_job(job.clone());
        }
        error
    }

    fn notify(&self, progress: &Progress<'_>) {
        if !self.is_free {
            self.challenge.notify(progress);
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.solver.state().end(self.logged_at, self.ending);
    }
}
