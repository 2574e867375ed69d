//! Leaving a solver alone that failed too often recently.

mod machine;
mod policy;
mod state;
#[cfg(test)]
mod state_tests;
#[cfg(test)]
mod tests;
mod transition;

use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, Solution, SolveError, async_trait, forward_solver,
};
use tokio::time::Instant;

use self::machine::Refusal;
pub use self::policy::CircuitBreakerPolicy;
pub use self::state::Circuit;
pub use self::transition::CircuitState;
use self::transition::{Sample, Transition};
use crate::chain_debug::{DebugCall, wrapper};
use crate::measure::{self, CIRCUIT_TRANSITIONS};
use crate::resume::resumes;
use crate::settings::shared_form;

/// Stops asking a solver that failed, or was slow, too often recently; and after a while lets a few
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
/// | `Unauthorized`, `InsufficientBalance` | a failure: every call will be refused until a person sees to the account |
/// | `InvalidAnswer` | a failure: it costs money for nothing |
/// | `DeadlineExceeded` | slow if it took as long as `slow_call`, nothing otherwise: the caller was in a hurry |
/// | `Unsolvable` | nothing: it says as much about the picture as about the solver |
/// | `InvalidChallenge`, `Unsupported` | nothing: it says nothing about the solver's health |
/// | `CircuitOpen`, `Overloaded`, `BudgetExhausted` | nothing: the solver was not asked |
/// | an error with several attempts behind it, `AllFailed` | a failure if any of them is one |
/// | a dropped future | nothing |
/// | a call that resumes a paid job | nothing: it is never refused, and what is left of a wait says little |
///
/// - A probe whose end counts for nothing, or that is dropped, frees its place for another and
///   neither opens nor closes the circuit.
/// - A call that was let through before the state changed says nothing about the state it comes back
///   to: it is ignored.
/// - Verdicts ([`report`](DragSolver::report)) do not count, and pass through an open circuit. The
///   circuit asks whether a solver can be reached and answers in time; a drag that was refused comes
///   to light late, may be the fault of who dragged, and is often not reported at all.
/// - A challenge that brings a paid job of the solver, or of one inside of it, passes through an open
///   circuit: fetching costs nothing, and the timeout that opened the circuit must not make every
///   call under way pay twice. The jobs of other solvers are handed back by a refusal.
///
/// Clones share the circuit, and so do solvers that are given the same [`Circuit`]:
/// `.circuit_breaker(&circuit)`. It is also what a dashboard looks at.
///
/// Goes around the [`Timeout`](crate::Timeout), which makes failures out of answers that never come,
/// and inside the [`Retry`](crate::Retry). Dropping the future leaves no trace.
///
/// ```
/// use std::time::Duration;
/// use drag_solver_combinators::{Circuit, CircuitBreakerPolicy, CircuitState, DragSolverExt};
/// # use drag_solver_core::{DragSolver, ErrorKind};
/// # use drag_solver_mock::{MockSolver, fixtures};
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// # let challenge = fixtures::challenge();
/// # let provider = MockSolver::new("example").always(ErrorKind::Unavailable);
/// let circuit = Circuit::new(CircuitBreakerPolicy::default());
/// let solver = provider.circuit_breaker(&circuit);
///
/// for _ in 0..10 {
///     assert!(solver.solve(&challenge).await.is_err()); // the provider is down
/// }
/// assert_eq!(circuit.state(), CircuitState::Open);
/// let error = solver.solve(&challenge).await.unwrap_err(); // and is not asked any more
/// assert_eq!(error.kind(), ErrorKind::CircuitOpen);
/// assert_eq!(error.retry_after(), Some(Duration::from_secs(30)));
/// # }
/// ```
#[derive(Clone)]
pub struct CircuitBreaker<S> {
    inner: S,
    circuit: Circuit,
}

impl<S: DragSolver> CircuitBreaker<S> {
    /// Puts `inner` behind a circuit: one of its own, or one that other solvers are behind, too.
    pub fn new(inner: S, circuit: impl Into<Circuit>) -> Self {
        let circuit = circuit.into();
        Self { inner, circuit }
    }

    /// The circuit: to be shared, or to be looked at.
    #[must_use]
    pub fn circuit(&self) -> &Circuit {
        &self.circuit
    }

    fn refused(&self, challenge: &DragChallenge, refusal: Refusal) -> SolveError {
        let Refusal { cause, retry_after } = refusal;
        let problem = match cause {
            Some(cause) => format!("nothing was sent: the circuit is open, as {cause}"),
            None => {
                "nothing was sent: the circuit is half-open, and its probes are under way".into()
            }
        };
        let solver = self.name();
        tracing::debug!(solver, ?retry_after, "refused: the circuit is open");
        let error = challenge.refuse(solver, ErrorKind::CircuitOpen, problem);
        error.with_retry_after(retry_after)
    }

    fn log(&self, transitions: &[Transition]) {
        measure::circuit(self.name(), &self.circuit);
        for Transition { from, to, cause } in transitions {
            let (solver, from, to) = (self.name(), from.as_str(), to.as_str());
            measure::count(CIRCUIT_TRANSITIONS, &[("solver", solver), ("to", to)], 1);
            if let Some(cause) = cause {
                tracing::warn!(solver, from, to, %cause, "the circuit opened");
            } else {
                tracing::info!(solver, from, to, "the circuit changed its state");
            }
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: DragSolver> DragSolver for CircuitBreaker<S> {
    forward_solver!(inner: name, report, profile);

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        if resumes(&self.inner, challenge.paid_jobs()) {
            return self.inner.solve(challenge).await;
        }
        let begun = Instant::now();
        let (admission, transitions) = self.circuit.admit(begun);
        self.log(&transitions);
        let admission = admission.map_err(|refusal| self.refused(challenge, refusal))?;
        let outcome = self.inner.solve(challenge).await;
        let now = Instant::now();
        let sample = Sample::of(&outcome, now - begun, admission.slow_call);
        self.log(&admission.end(sample, now));
        outcome
    }
}

shared_form!(Circuit of CircuitBreakerPolicy);

wrapper!(CircuitBreaker(S), |breaker, f| {
    let policy = breaker.circuit.policy();
    DebugCall::on(f, &breaker.inner, "circuit_breaker")
        .with("max_samples", policy.max_samples)
        .with("window", policy.window)
        .with("min_samples", policy.min_samples)
        .with("failure_ratio", policy.failure_ratio)
        .with("slow_call", policy.slow_call)
        .with("slow_ratio", policy.slow_ratio)
        .with("open_for", policy.open_for)
        .with("probes", policy.probes)
});
