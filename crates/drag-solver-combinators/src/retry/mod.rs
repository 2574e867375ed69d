//! Asking the same solver again.

mod budget;
mod history;
mod policy;
#[cfg(test)]
mod resume_tests;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{
    Billed, DragChallenge, DragSolver, ErrorKind, Profile, Recovery, Solution, SolveError,
    async_trait, forward_solver,
};
use tokio::time::Instant;

use self::budget::Withdrawal;
pub use self::budget::{RetryBudget, RetryBudgetPolicy};
use self::history::History;
pub use self::policy::RetryPolicy;
use crate::chain_debug::{DebugCall, wrapper};
use crate::jitter::Jitter;
use crate::measure::{self, RETRIES};

/// Asks the same solver again after an error whose [`recovery`](SolveError::recovery) is
/// [`Recovery::Retry`], and continues to wait for a job that was already paid for.
///
/// - Waits are random, up to a cap that doubles, and never shorter than a provider asked for. A wait
///   that would end at the challenge's deadline or later is not begun: the error comes back at once.
/// - An error with an unfinished job that was paid for, a [`Timeout`](crate::Timeout) too, is not
///   followed by another purchase: the next attempt [resumes](DragChallenge::resume_job) the job.
/// - If it is unknown whether a failed attempt bought anything, nothing is bought again, unless the
///   policy says so. A job that came to its end without an answer (`Unsolvable`, `InvalidAnswer`) is
///   no such case: no second answer can come of it.
/// - The last error is returned as it was, with every attempt in its
///   [`attempts`](SolveError::attempts). It is marked exhausted, so that a retry further out does not
///   start over.
///
/// Dropping the future abandons the attempt or wait at hand; nothing is held during a wait.
///
/// ```
/// use drag_solver_combinators::{DragSolverExt, RetryPolicy};
/// # use drag_solver_core::{DragSolver, ErrorKind};
/// # use drag_solver_mock::{MockSolver, fixtures};
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let challenge = fixtures::challenge();
/// # let flaky = MockSolver::new("flaky").then(ErrorKind::Unavailable).then(fixtures::drag());
/// let solver = flaky.retry(RetryPolicy::default().max_attempts(2));
///
/// let solution = solver.solve(&challenge).await?; // the first attempt fails
/// assert_eq!(solution.failed_attempts().len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Retry<S> {
    inner: S,
    policy: RetryPolicy,
    /// Shared by clones: one copied would give every clone the same "random" waits.
    jitter: Arc<Jitter>,
    budget: Option<RetryBudget>,
}

impl<S: DragSolver> Retry<S> {
    /// Asks `inner` as often as `policy` says.
    pub fn new(inner: S, policy: RetryPolicy) -> Self {
        Self {
            inner,
            policy,
            jitter: Arc::new(Jitter::random()),
            budget: None,
        }
    }

    /// Makes the random waits the same in every run, for tests and simulations.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.jitter = Arc::new(Jitter::seeded(seed));
        self
    }

    /// Shares a limit on retries with all others that have a clone of `budget`.
    #[must_use]
    pub fn with_retry_budget(mut self, budget: impl Into<RetryBudget>) -> Self {
        self.budget = Some(budget.into());
        self
    }

    /// The next attempt, or why there is none.
    fn next(
        &self,
        error: &SolveError,
        history: &History<'_>,
        deadline: Option<Instant>,
    ) -> Result<Next, &'static str> {
        let policy = &self.policy;
        let (failures, resumes) = (history.failures(), history.resumes(&self.inner));
        match error.recovery() {
            Recovery::Stop => return Err("no solver can solve it"),
            _ if error.is_exhausted() => return Err("a retry inside already gave up on it"),
            Recovery::Switch if !resumes && !buys_again_after(error, policy) => {
                return Err("asking again will not help");
            }
            _ => {}
        }
        if failures >= policy.max_attempts.get() {
            return Err("max_attempts reached");
        }
        if !policy.retry_maybe_billed && may_have_bought(error) {
            return Err("it is unknown whether the attempt bought an answer");
        }
        let asked = error.retry_after().unwrap_or_default();
        if asked > policy.max_retry_after {
            return Err("told to wait longer than max_retry_after");
        }
        let backoff = if resumes && error.kind() == ErrorKind::Timeout {
            Duration::ZERO // there was waiting enough
        } else {
            policy.backoff(failures, self.jitter.fraction())
        };
        let wait = backoff.max(asked);
        let end = Instant::now().checked_add(wait);
        if deadline.is_some_and(|deadline| end.is_none_or(|end| end >= deadline)) {
            return Err("the wait would not end before the deadline");
        }
        let token = match &self.budget {
            Some(budget) if !resumes => Some(budget.withdraw().ok_or("the retry budget is empty")?),
            _ => None,
        };
        Ok(Next { wait, token })
    }
}

/// What is needed for another attempt.
struct Next {
    wait: Duration,
    /// Goes back if the call is dropped during the wait.
    token: Option<Withdrawal>,
}

/// Whether the policy abandons unfinished jobs, and this error left one behind: then it is to be
/// tried again like any that may be.
fn buys_again_after(error: &SolveError, policy: &RetryPolicy) -> bool {
    !policy.resume_paid_jobs && error.kind() == ErrorKind::Timeout
}

/// Whether something may have been bought of which there is no trace that could be followed up. A
/// job that came to its end without an answer is none: whether it was billed or not, there is nothing
/// to be bought twice.
fn may_have_bought(error: &SolveError) -> bool {
    error.attempts().iter().any(|attempt| {
        attempt.billed == Billed::Maybe
            && attempt.jobs.is_empty()
            && !matches!(
                attempt.kind,
                ErrorKind::Unsolvable | ErrorKind::InvalidAnswer
            )
    })
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for Retry<S> {
    forward_solver!(inner: name, report);

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let mut started = Instant::now();
        let mut history = History::of(challenge, self.policy.resume_paid_jobs, started);
        loop {
            let (next, tracker) = history.next_challenge().tracked();
            let outcome = self.inner.solve(&next).await;
            // A call counts once its first attempt is over, and so not if it was dropped before.
            if let (0, Some(budget)) = (history.failures(), &self.budget) {
                budget.deposit();
            }
            let error = match outcome {
                Ok(_) if history.failures() == 0 => return outcome,
                Ok(solution) => {
                    return Ok(tracker.read(|purchases| history.solved(solution, purchases)));
                }
                Err(error) => error.with_default_elapsed(started.elapsed()),
            };
            tracker.read(|purchases| history.failed(&error, purchases));
            let (solver, attempt, kind) = (self.name(), history.failures(), error.kind().as_str());
            match self.next(&error, &history, challenge.deadline()) {
                Ok(Next { wait, token }) => {
                    let resumes = history.resumes(&self.inner);
                    tracing::debug!(solver, attempt, kind, resumes, ?wait, "trying again");
                    tokio::time::sleep(wait).await;
                    if let Some(token) = token {
                        token.spend();
                    }
                    let resumes = if resumes { "true" } else { "false" };
                    measure::count(RETRIES, &[("solver", solver), ("resumes", resumes)], 1);
                    started = Instant::now();
                }
                Err(reason) => {
                    tracing::debug!(solver, attempt, kind, reason, "giving up");
                    return Err(history.gave_up(error));
                }
            }
        }
    }

    fn profile(&self) -> Profile {
        let (profile, policy) = (self.inner.profile(), self.policy);
        let attempts = policy.max_attempts.get();
        let longest_wait = policy.max_backoff.max(policy.max_retry_after);
        let waits = longest_wait.saturating_mul(attempts - 1);
        profile.map_worst_case(|worst| worst.times(attempts).delayed_by(waits))
    }
}

wrapper!(Retry(S), |retry, f| {
    let policy = retry.policy;
    DebugCall::on(f, &retry.inner, "retry")
        .with("max_attempts", policy.max_attempts)
        .with("base_backoff", policy.base_backoff)
        .with("max_backoff", policy.max_backoff)
        .with("max_retry_after", policy.max_retry_after)
        .with(
            "resume_paid_jobs",
            (!policy.resume_paid_jobs).then_some(false),
        )
        .with(
            "retry_maybe_billed",
            policy.retry_maybe_billed.then_some(true),
        )
        .with("retry_budget", retry.budget.as_ref())
});
