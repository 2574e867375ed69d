//! Asking the same solver again.

mod budget;
mod history;
mod policy;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use drag_solver_core::{
    Charge, DragChallenge, DragSolver, ErrorKind, Recovery, ScreenshotLimits, Solution, SolveError,
    Verdict, WorstCase, async_trait,
};
use tokio::time::Instant;

use self::budget::Withdrawal;
pub use self::budget::{RetryBudget, RetryBudgetPolicy};
use self::history::History;
pub use self::policy::RetryPolicy;
use crate::InvalidPolicy;
use crate::describe::{Call, display_like_debug};
use crate::jitter::Jitter;

/// Asks the same solver again after an error whose [`recovery`](SolveError::recovery) is
/// [`Recovery::Retry`], and goes on waiting for a job that was already paid for.
///
/// - Waits are random, up to a cap that doubles, and never shorter than a provider asked for. A wait
///   that would end at the challenge's deadline or later is not begun: the error comes back at once.
/// - An error with an unfinished job that was paid for, a [`Timeout`](crate::Timeout) too, is not
///   followed by another purchase: the next attempt [resumes](DragChallenge::resuming) the job.
/// - If it is unknown whether a failed attempt bought anything, nothing is bought again, unless the
///   policy says so. A job that came to its end without an answer (`Unsolvable`, `InvalidAnswer`) is
///   no such case: no second answer can come of it.
/// - The last error is returned as it was, with every attempt in its
///   [`attempts`](SolveError::attempts) and the worst charge among them. It is marked
///   [`exhausted`](SolveError::exhausted), so that a retry further out does not start over.
///
/// Dropping the future abandons the attempt or wait at hand; nothing is held during a wait.
///
/// ```
/// use drag_solver_combinators::{DragSolverExt, RetryPolicy};
/// # use std::sync::atomic::{AtomicU32, Ordering};
/// # use drag_solver_core::{async_trait, Drag, DragChallenge, DragSolver, ErrorKind, Point, Screenshot, Solution, SolveError};
/// # #[derive(Debug, Default)]
/// # struct Flaky(AtomicU32);
/// # #[async_trait]
/// # impl DragSolver for Flaky {
/// #     fn name(&self) -> &str { "flaky" }
/// #     async fn solve(&self, _: &DragChallenge) -> Result<Solution, SolveError> {
/// #         if self.0.fetch_add(1, Ordering::Relaxed) == 0 {
/// #             return Err(SolveError::new(ErrorKind::Unavailable, "connection refused"));
/// #         }
/// #         Ok(Solution::new(Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0)), "flaky"))
/// #     }
/// # }
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let challenge = DragChallenge::new(Screenshot::from_bytes(b"GIF89a\x4f\x02\x7d\x04\x00\x00\x00;".to_vec())?);
/// # let flaky = Flaky::default();
/// let solver = flaky.retry(RetryPolicy::default().max_attempts(2))?;
///
/// let solution = solver.solve(&challenge).await?; // the first attempt fails
/// assert_eq!(solution.failed_attempts().len(), 1);
/// # Ok(())
/// # }
/// ```
pub struct Retry<S> {
    inner: S,
    policy: RetryPolicy,
    jitter: Jitter,
    budget: Option<RetryBudget>,
}

impl<S: DragSolver> Retry<S> {
    /// Asks `inner` as often as `policy` says.
    ///
    /// # Errors
    ///
    /// See [`RetryPolicy::check`].
    pub fn new(inner: S, policy: RetryPolicy) -> Result<Self, InvalidPolicy> {
        policy.check()?;
        Ok(Self {
            inner,
            policy,
            jitter: Jitter::random(),
            budget: None,
        })
    }

    /// Makes the random waits the same in every run, for tests and simulations.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.jitter = Jitter::seeded(seed);
        self
    }

    /// Shares a limit on retries with everybody else who has a clone of `budget`.
    #[must_use]
    pub fn with_budget(mut self, budget: RetryBudget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// A call counts for the retry budget once its first attempt is over, and so not if it was
    /// dropped before.
    fn count_call(&self, failures_before: u32) {
        if let (0, Some(budget)) = (failures_before, &self.budget) {
            budget.deposit();
        }
    }

    /// The next attempt, or why there is none.
    fn next(
        &self,
        error: &SolveError,
        failures: u32,
        challenge: &DragChallenge,
    ) -> Result<Next, &'static str> {
        let policy = &self.policy;
        let resumes = policy.resume_paid_jobs && !error.unfinished_jobs().is_empty();
        match error.recovery() {
            Recovery::Stop => return Err("nobody can solve it"),
            _ if error.is_exhausted() => return Err("a retry inside already gave up on it"),
            Recovery::Switch if !resumes && !buys_again_after(error, policy) => {
                return Err("asking again will not help");
            }
            _ => {}
        }
        if failures >= policy.max_attempts {
            return Err("max_attempts reached");
        }
        if !policy.retry_unknown_charge && may_have_bought(error) {
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
        let fits = challenge.deadline().is_none_or(|deadline| {
            Instant::now()
                .checked_add(wait)
                .is_some_and(|end| end < deadline)
        });
        if !fits {
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
    error.history(Duration::ZERO).iter().any(|attempt| {
        attempt.charge == Charge::Unknown
            && attempt.job.is_none()
            && !matches!(
                attempt.kind,
                ErrorKind::Unsolvable | ErrorKind::InvalidAnswer
            )
    })
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for Retry<S> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let mut started = Instant::now();
        let mut history = History::of(challenge, self.policy.resume_paid_jobs, started);
        loop {
            let outcome = if history.failures() == 0 {
                self.inner.solve(challenge).await
            } else {
                self.inner.solve(&history.next_challenge()).await
            };
            let error = match outcome {
                Ok(solution) => {
                    self.count_call(history.failures());
                    return Ok(history.solved(solution));
                }
                Err(error) => error,
            };
            self.count_call(history.failures());
            history.failed(&error, started.elapsed());
            let attempt = history.failures();
            match self.next(&error, attempt, challenge) {
                Ok(Next { wait, token }) => {
                    tracing::debug!(
                        provider = self.name(),
                        attempt,
                        kind = error.kind().as_str(),
                        resumes = !error.unfinished_jobs().is_empty(),
                        ?wait,
                        "the attempt failed; trying again"
                    );
                    tokio::time::sleep(wait).await;
                    if let Some(token) = token {
                        token.spend();
                    }
                    started = Instant::now();
                }
                Err(reason) => {
                    tracing::debug!(
                        provider = self.name(),
                        attempt,
                        kind = error.kind().as_str(),
                        reason,
                        "the attempt failed; giving up"
                    );
                    return Err(history.gave_up(error));
                }
            }
        }
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        self.inner.report(solution, verdict).await
    }

    fn worst_case(&self) -> WorstCase {
        let RetryPolicy {
            max_attempts,
            max_backoff,
            max_retry_after,
            ..
        } = self.policy;
        let waits = max_backoff
            .max(max_retry_after)
            .saturating_mul(max_attempts - 1);
        self.inner
            .worst_case()
            .times(max_attempts)
            .delayed_by(waits)
    }

    fn limits(&self) -> ScreenshotLimits {
        self.inner.limits()
    }
}

impl<S: DragSolver> fmt::Debug for Retry<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RetryPolicy {
            max_attempts,
            base_backoff,
            max_backoff,
            max_retry_after,
            resume_paid_jobs,
            retry_unknown_charge,
        } = &self.policy;
        let mut call = Call::on(f, &self.inner, "retry")
            .with("max_attempts", max_attempts)
            .with("base_backoff", base_backoff)
            .with("max_backoff", max_backoff)
            .with("max_retry_after", max_retry_after);
        if !resume_paid_jobs {
            call = call.with("resume_paid_jobs", false);
        }
        if *retry_unknown_charge {
            call = call.with("retry_unknown_charge", true);
        }
        if let Some(budget) = &self.budget {
            call = call.with("budget", budget);
        }
        call.finish()
    }
}

display_like_debug!(Retry);
