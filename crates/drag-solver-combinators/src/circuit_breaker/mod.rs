//! Leaving a solver alone that failed too often of late.

mod effect;
mod policy;
mod state;
#[cfg(test)]
mod state_tests;
#[cfg(test)]
mod tests;

use std::fmt;

use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, ScreenshotLimits, Solution, SolveError, Verdict,
    WorstCase, async_trait,
};
use tokio::time::Instant;

pub use self::policy::CircuitBreakerPolicy;
pub use self::state::CircuitState;
use self::state::{Admission, Change, Limits, Refusal, Shared};
use crate::InvalidPolicy;
use crate::describe::{Call, display_like_debug};

/// Stops asking a solver that failed, or was slow, too often of late; and after a while lets a few
/// calls through, to find out whether it is back.
///
/// Closed, it lets every call through and remembers how the last ones ended. When too many of them
/// failed or were slow, it opens: every call is refused at once with [`ErrorKind::CircuitOpen`], which
/// says [after how long](SolveError::retry_after) to come back, and costs nothing. Then it is
/// half-open: a fixed number of probes is let through, and the rest still refused. If all probes
/// succeed it closes; the first that fails, or is still not back when it counts as slow, opens it
/// again.
///
/// What counts:
///
/// | outcome | effect |
/// |---|---|
/// | an answer | a success, and slow if it took as long as `slow_call` |
/// | `Unavailable`, `Timeout`, `RateLimited`, `Protocol` | a failure, and slow if it took that long |
/// | `Unauthorized`, `InsufficientBalance` | a failure: every call will be refused until somebody sees to the account |
/// | `InvalidAnswer` | a failure: it costs money for nothing |
/// | `DeadlineExceeded` | slow if it took as long as `slow_call`, nothing otherwise: the caller was in a hurry |
/// | `Unsolvable` | nothing: it says as much about the picture as about the solver |
/// | `InvalidChallenge`, `Unsupported` | nothing: it says nothing about the solver's health |
/// | `CircuitOpen`, `Overloaded`, `BudgetExhausted` | nothing: the solver was not asked |
/// | an error with several attempts behind it, `AllFailed` | a failure if any of them is one |
/// | a dropped future | nothing |
///
/// - A probe whose end counts for nothing, or that is dropped, frees its place for another and
///   neither opens nor closes the circuit.
/// - A call that was let through before the state changed says nothing about the state it comes back
///   to: it is ignored.
/// - Verdicts ([`report`](DragSolver::report)) do not count. The circuit asks whether a solver can be
///   reached and answers in time; a drag that was refused comes to light late, may be the fault of
///   whoever dragged, and is often not reported at all.
/// - A job that was paid for is refused like any other call. It stays named in the history of the
///   [`Retry`](crate::Retry) outside, and can be resumed later.
///
/// Clones share the circuit. See [`sharing`](Self::sharing) for several solvers behind one circuit,
/// and [`circuit`](Self::circuit) for a dashboard.
///
/// Goes around the [`Timeout`](crate::Timeout), which makes failures out of answers that never come,
/// and inside the [`Retry`](crate::Retry). Dropping the future leaves no trace.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_combinators::{CircuitBreakerPolicy, CircuitState, DragSolverExt};
/// # use drag_solver_core::{DragChallenge, DragSolver, ErrorKind, Screenshot};
/// # use drag_solver_mock::MockSolver;
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let challenge = DragChallenge::new(Screenshot::from_bytes(b"GIF89a\x4f\x02\x7d\x04\x00\x00\x00;".to_vec())?);
/// # let provider = MockSolver::new("example").always(ErrorKind::Unavailable);
/// let solver = provider.circuit_breaker(CircuitBreakerPolicy::default())?;
/// let circuit = solver.circuit().clone(); // for a dashboard
///
/// for _ in 0..10 {
///     assert!(solver.solve(&challenge).await.is_err()); // the provider is down
/// }
/// assert_eq!(circuit.state(), CircuitState::Open);
/// let error = solver.solve(&challenge).await.unwrap_err(); // and is not asked any more
/// assert_eq!(error.kind(), ErrorKind::CircuitOpen);
/// assert_eq!(error.retry_after(), Some(Duration::from_secs(30)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct CircuitBreaker<S> {
    inner: S,
    circuit: Circuit,
}

/// The circuit of a [`CircuitBreaker`]. Clones are the same circuit.
///
/// Make it yourself to put several solvers behind one circuit, with [`CircuitBreaker::sharing`], or
/// to look at it from outside.
#[derive(Clone)]
pub struct Circuit {
    policy: CircuitBreakerPolicy,
    shared: Shared,
}

impl Circuit {
    /// A closed circuit.
    ///
    /// # Errors
    ///
    /// See [`CircuitBreakerPolicy::check`].
    pub fn new(policy: CircuitBreakerPolicy) -> Result<Self, InvalidPolicy> {
        policy.check()?;
        let CircuitBreakerPolicy {
            window_calls,
            window_time,
            min_calls,
            failure_ratio,
            slow_call,
            slow_ratio,
            open_for,
            probes,
        } = policy;
        let shared = Shared::new(Limits {
            window_calls,
            window_time,
            min_calls,
            failure_ratio,
            slow_call,
            slow_ratio,
            open_for,
            probes,
        });
        Ok(Self { policy, shared })
    }

    /// What it was built with.
    #[must_use]
    pub fn policy(&self) -> CircuitBreakerPolicy {
        self.policy
    }

    /// Whether calls are let through right now.
    #[must_use]
    pub fn state(&self) -> CircuitState {
        self.shared.state(Instant::now())
    }

    /// How many probes are under way. Zero unless it is half-open.
    #[must_use]
    pub fn probes(&self) -> usize {
        self.shared.probes()
    }
}

impl fmt::Debug for Circuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Circuit")
            .field("policy", &self.policy)
            .field("state", &self.state())
            .field("probes", &self.probes())
            .finish_non_exhaustive()
    }
}

impl<S: DragSolver> CircuitBreaker<S> {
    /// Leaves `inner` alone when `policy` says so.
    ///
    /// # Errors
    ///
    /// See [`CircuitBreakerPolicy::check`].
    pub fn new(inner: S, policy: CircuitBreakerPolicy) -> Result<Self, InvalidPolicy> {
        Ok(Self::sharing(inner, &Circuit::new(policy)?))
    }

    /// Puts `inner` behind a circuit together with everybody else who has it: for several solvers
    /// that ask the same service.
    pub fn sharing(inner: S, circuit: &Circuit) -> Self {
        Self {
            inner,
            circuit: circuit.clone(),
        }
    }

    /// The circuit: to be shared, or to be looked at.
    #[must_use]
    pub fn circuit(&self) -> &Circuit {
        &self.circuit
    }

    fn admit(&self, now: Instant) -> Result<Admission, SolveError> {
        let (admission, changes) = self.circuit.shared.admit(now);
        self.tell(&changes);
        admission.map_err(|refusal| self.refused(refusal))
    }

    fn refused(&self, Refusal { cause, retry_after }: Refusal) -> SolveError {
        let problem = match cause {
            Some(cause) => format!("nothing was sent: the circuit is open, as {cause}"),
            None => {
                "nothing was sent: the circuit is half-open, and its probes are under way".into()
            }
        };
        tracing::debug!(
            provider = self.name(),
            ?retry_after,
            "refused: the circuit is open"
        );
        let error = SolveError::new(ErrorKind::CircuitOpen, problem).with_provider(self.name());
        match retry_after {
            Some(wait) => error.with_retry_after(wait),
            None => error,
        }
    }

    fn tell(&self, changes: &[Change]) {
        for Change { from, to, cause } in changes {
            let (provider, from, to) = (self.name(), from.as_str(), to.as_str());
            if let Some(cause) = cause {
                tracing::warn!(provider, from, to, %cause, "the circuit opened");
            } else {
                tracing::info!(provider, from, to, "the circuit changed its state");
            }
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for CircuitBreaker<S> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let begun = Instant::now();
        let admission = self.admit(begun)?;
        let outcome = self.inner.solve(challenge).await;
        let now = Instant::now();
        let sample = effect::sample(&outcome, now - begun, self.circuit.policy.slow_call);
        let changes = admission.end(sample, now);
        self.tell(&changes);
        outcome
    }

    /// Passes through an open circuit too, and counts for nothing.
    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        self.inner.report(solution, verdict).await
    }

    fn worst_case(&self) -> WorstCase {
        self.inner.worst_case()
    }

    fn limits(&self) -> ScreenshotLimits {
        self.inner.limits()
    }
}

impl<S: DragSolver> fmt::Debug for CircuitBreaker<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CircuitBreakerPolicy {
            window_calls,
            window_time,
            min_calls,
            failure_ratio,
            slow_call,
            slow_ratio,
            open_for,
            probes,
        } = self.circuit.policy;
        Call::on(f, &self.inner, "circuit_breaker")
            .with("window_calls", window_calls)
            .with("window_time", window_time)
            .with("min_calls", min_calls)
            .with("failure_ratio", failure_ratio)
            .with("slow_call", slow_call)
            .with("slow_ratio", slow_ratio)
            .with("open_for", open_for)
            .with("probes", probes)
            .finish()
    }
}

display_like_debug!(CircuitBreaker);
