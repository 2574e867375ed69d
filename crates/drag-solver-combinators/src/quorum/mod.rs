//! Asking several solvers and believing what they agree on.

mod agreement;
mod call;
mod policy;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, ScreenshotLimits, Solution, SolveError, Verdict,
    WorstCase, async_trait,
};

use self::call::Call;
pub use self::policy::QuorumPolicy;
use crate::race::{Abandoned, Ledger, per_answer};
use crate::{InvalidPolicy, describe, names, report};

/// Every group of answers is looked at, and a program with more providers than this does not exist.
const MAX_SOLVERS: usize = 16;

/// Asks several solvers, and answers when enough of them agree: with the centre of what they said.
///
/// It buys certainty: for a challenge that gives one try, or to find out which provider is wrong how
/// often.
///
/// - Answers agree if the starts of every two of them, and the ends, are within the tolerance.
/// - The call ends as soon as enough agree, or as soon as no longer enough can. Whoever is still at
///   work is dropped at once; what they may have bought is counted by [`abandoned`](Self::abandoned)
///   and is in the history as attempts of kind `Timeout`, as with [`Hedge`](crate::Hedge).
/// - The [cost](Solution::cost) is the sum over the answers that agreed, if all are known. An answer
///   that disagreed is one of the [`failed_attempts`](Solution::failed_attempts): an `InvalidAnswer`
///   that was charged.
/// - If too few agree, the error is [`ErrorKind::AllFailed`], says who answered what, and holds every
///   attempt. Its recovery is the mildest of its parts: after a disagreement, asking again may help.
/// - An error whose recovery is [`Stop`](drag_solver_core::Recovery::Stop) ends the call.
/// - The order is that of the list, but a solver with a job to [resume](DragChallenge::resuming) is
///   asked first.
///
/// A report goes to everybody whose answer is in the solution, because all of them said so, and each
/// is paid for. It does not go to those who disagreed: that the others were right does not say how
/// wrong they were, and a report of a wrong answer is a claim for money. It fails only if a provider
/// that takes reports did not take this one, or if none takes any.
///
/// Its name is the names of its solvers, `"a|b|c"`; its solution's provider are those that agreed.
/// Dropping the future drops every solver at work.
///
/// ```
/// use drag_solver_combinators::{DragSolverExt, QuorumPolicy};
/// # use drag_solver_core::{Drag, DragChallenge, DragSolver, Point, Screenshot};
/// # use drag_solver_mock::MockSolver;
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let challenge = DragChallenge::new(Screenshot::from_bytes(b"GIF89a\x4f\x02\x7d\x04\x00\x00\x00;".to_vec())?);
/// # let to = |x| Drag::new(Point::new(83.0, 560.0), Point::new(x, 560.0));
/// # let (first, second, third) = (MockSolver::new("first"), MockSolver::new("second"), MockSolver::new("third"));
/// # let (first, second, third) = (first.then(to(320.0)), second.then(to(90.0)), third.then(to(324.0)));
/// let chain = first.quorum([second.shared(), third.shared()], QuorumPolicy::default())?;
///
/// // 83,560 -> 320,560 says the first, 83,560 -> 90,560 the second, 83,560 -> 324,560 the third.
/// let solution = chain.solve(&challenge).await?;
/// assert_eq!(solution.drag().to_string(), "83,560 -> 322,560");
/// assert_eq!(solution.provider(), "first|third");
/// # Ok(())
/// # }
/// ```
pub struct Quorum {
    solvers: Vec<Arc<dyn DragSolver>>,
    name: String,
    policy: QuorumPolicy,
    ledger: Ledger,
}

impl Quorum {
    /// Asks `solvers` in this order.
    ///
    /// # Errors
    ///
    /// What [`QuorumPolicy::check`] refuses, fewer solvers than must agree, or more than 16.
    pub fn new(
        solvers: impl IntoIterator<Item = Arc<dyn DragSolver>>,
        policy: QuorumPolicy,
    ) -> Result<Self, InvalidPolicy> {
        policy.check()?;
        let solvers: Vec<_> = solvers.into_iter().collect();
        let agree = usize::try_from(policy.agree).unwrap_or(usize::MAX);
        if solvers.len() < agree {
            let problem = format!(
                "must not be more than there are solvers, but {agree} > {}",
                solvers.len()
            );
            return Err(InvalidPolicy::new("quorum", "agree", problem));
        }
        if solvers.len() > MAX_SOLVERS {
            let problem = format!(
                "must hold at most {MAX_SOLVERS} solvers, not {}",
                solvers.len()
            );
            return Err(InvalidPolicy::new("quorum", "solvers", problem));
        }
        Ok(Self {
            name: names::joined(&solvers),
            policy,
            ledger: Ledger::new(solvers.iter().map(per_answer).collect()),
            solvers,
        })
    }

    /// What was bought and not waited for so far.
    #[must_use]
    pub fn abandoned(&self) -> Abandoned {
        self.ledger.total()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl DragSolver for Quorum {
    fn name(&self) -> &str {
        &self.name
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        Call::new(self, challenge).run().await
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        if solution.parts().is_empty() {
            return report::forward(&self.solvers, &self.name, solution, verdict).await;
        }
        let mut taken = false;
        let mut refused = None;
        for part in solution.parts() {
            match report::forward(&self.solvers, &self.name, part, verdict).await {
                Ok(()) => taken = true,
                // One that failed is worth more than one that takes no reports anyway.
                Err(error) if error.kind() == ErrorKind::Unsupported => {
                    refused = refused.or(Some(error));
                }
                Err(error) => refused = Some(error),
            }
        }
        match refused {
            Some(error) if !taken || error.kind() != ErrorKind::Unsupported => Err(error),
            _ => Ok(()),
        }
    }

    /// Everybody is asked and everybody is billed. Those beyond the number that must agree are asked
    /// one after the other, unless all are asked at once.
    fn worst_case(&self) -> WorstCase {
        let all: Vec<WorstCase> = self.solvers.iter().map(DragSolver::worst_case).collect();
        let together = all
            .iter()
            .copied()
            .reduce(WorstCase::alongside)
            .unwrap_or_default();
        if self.policy.all_at_once {
            return together;
        }
        // Which of them come later depends on the jobs to resume: take the slowest.
        let mut times: Vec<_> = all.iter().filter_map(|worst| worst.time).collect();
        times.sort_unstable();
        let later = self.solvers.len() - self.policy.agree as usize;
        let slowest = times.iter().rev().take(later);
        together.delayed_by(slowest.fold(std::time::Duration::ZERO, |sum, &time| {
            sum.saturating_add(time)
        }))
    }

    fn limits(&self) -> ScreenshotLimits {
        ScreenshotLimits::none() // each of its solvers has other ones
    }
}

impl fmt::Debug for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let QuorumPolicy {
            agree,
            tolerance,
            all_at_once,
        } = &self.policy;
        let mut call = describe::Call::of(f, "quorum", &self.solvers)
            .with("agree", agree)
            .with("tolerance", format_args!("{tolerance} px"));
        if *all_at_once {
            call = call.with("all_at_once", true);
        }
        call.finish()
    }
}

impl fmt::Display for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
