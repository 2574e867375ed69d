//! Asking several solvers and believing what they agree on.

mod agreement;
#[cfg(test)]
mod money_tests;
mod policy;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{
    Billed, Drag, DragChallenge, DragSolver, ErrorKind, Profile, Solution, SolveError, Usd,
    Verdict, WorstCase, async_trait,
};

pub use self::policy::QuorumPolicy;
use crate::abandoned::{Abandoned, AbandonedCount};
use crate::candidates::{Candidates, worst_of_all};
use crate::chain_debug::{DebugCall, debug_as_code};
use crate::failures::{Failures, rejected};
use crate::in_flight::{InFlight, Next};

/// Asks several solvers, and answers when enough of them agree: with the centre of what they said.
///
/// It buys certainty: for a challenge that gives one try, or to find out which provider is wrong how
/// often.
///
/// - Answers agree if the starts of every two of them, and the ends, are within the tolerance.
/// - The call ends as soon as enough agree, or as soon as no longer enough can. Any solver still at
///   work is dropped at once; what it may have bought is counted by [`abandoned`](Self::abandoned)
///   and is in the history as attempts of kind `Timeout`, as with [`Hedge`](crate::Hedge).
/// - With fewer solvers than must agree, every call is refused with [`ErrorKind::Unsupported`], and
///   nothing is sent. Every group of answers is looked at, so more than a few solvers make no sense.
/// - The [cost](Solution::cost) is the sum over the answers that agreed, if all are known. An answer
///   that disagreed is one of the [`failed_attempts`](Solution::failed_attempts): an `InvalidAnswer`
///   that was billed.
/// - If too few agree, the error is [`ErrorKind::AllFailed`], says who answered what, and holds every
///   attempt. Its recovery is the mildest of its parts: after a disagreement, asking again may help.
/// - An error whose recovery is [`Stop`](drag_solver_core::Recovery::Stop) ends the call.
/// - The order is that of the list, but a solver with a job to [resume](DragChallenge::resume_job) is
///   asked first.
///
/// A report goes to every solver whose answer is in the solution, because all of them said so, and each
/// is paid for. It does not go to those that disagreed: that the others were right does not say how
/// wrong they were, and a report of a wrong answer is a claim for money. It fails only if a provider
/// that takes reports did not take this one, or if none takes any.
///
/// Its name is the names of its solvers, `"a|b|c"`; its solution names those that agreed. Clones share
/// the counter. Dropping the future drops every solver at work.
///
/// ```
/// use drag_solver_combinators::{DragSolverExt, QuorumPolicy};
/// # use drag_solver_core::{Drag, DragSolver, Point};
/// # use drag_solver_mock::{MockSolver, fixtures};
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let challenge = fixtures::challenge();
/// # let to = |x| Drag::new(Point::new(83.0, 560.0), Point::new(x, 560.0));
/// # let (first, second, third) = (MockSolver::new("first"), MockSolver::new("second"), MockSolver::new("third"));
/// # let (first, second, third) = (first.then(to(320.0)), second.then(to(90.0)), third.then(to(324.0)));
/// let chain = first.quorum([second.into_arc(), third.into_arc()], QuorumPolicy::default());
///
/// // 83,560 -> 320,560 says the first, 83,560 -> 90,560 the second, 83,560 -> 324,560 the third.
/// let solution = chain.solve(&challenge).await?;
/// assert_eq!(solution.drag().to_string(), "83,560 -> 322,560");
/// assert_eq!(solution.solver(), "first|third");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Quorum {
    candidates: Candidates,
    policy: QuorumPolicy,
    abandoned: Arc<AbandonedCount>,
}

/// An answer, and how long its solver took.
type Answer = (Solution, Duration);

impl Quorum {
    /// Asks `solvers` in this order.
    pub fn new(
        solvers: impl IntoIterator<Item = Arc<dyn DragSolver>>,
        policy: QuorumPolicy,
    ) -> Self {
        let candidates = Candidates::new(solvers);
        Self {
            abandoned: Arc::new(AbandonedCount::new(candidates.solvers())),
            candidates,
            policy,
        }
    }

    /// What was bought and not waited for so far.
    #[must_use]
    pub fn abandoned(&self) -> Abandoned {
        self.abandoned.total()
    }

    /// Indices of the answers that agree.
    fn agreeing(&self, answers: &[Answer]) -> Vec<usize> {
        let drags: Vec<Drag> = answers.iter().map(|(answer, _)| *answer.drag()).collect();
        agreement::largest(&drags, self.policy.tolerated())
    }

    /// Who said what, in words.
    fn disagreement(&self, answers: &[Answer], failed: &[SolveError]) -> String {
        let answers = answers.iter();
        let answers =
            answers.map(|(answer, _)| format!("{} says {}", answer.solver(), answer.drag()));
        let failures = failed.iter().map(|error| {
            let solver = error.solver().unwrap_or("a solver");
            format!("{solver} failed ({})", error.kind())
        });
        let said: Vec<String> = answers.chain(failures).collect();
        format!(
            "{} of {} must agree within {} px, and they do not: {}",
            self.policy.needed(),
            self.candidates.solvers().len(),
            self.policy.tolerated(),
            said.join("; ")
        )
    }
}

/// The answer that all `parts` agree on.
fn agreed(parts: Vec<Solution>) -> Solution {
    let drags: Vec<Drag> = parts.iter().map(|part| *part.drag()).collect();
    let mut names: Vec<&str> = parts.iter().map(Solution::solver).collect();
    names.dedup();
    Solution::new(agreement::centre(&drags), names.join("|"))
        .with_cost(parts.iter().map(Solution::cost).sum::<Option<Usd>>())
        .with_contributors(parts)
}

/// The error of an answer that too few others gave.
fn unconfirmed((answer, took): Answer) -> SolveError {
    let message = format!("the answer {} was not confirmed", answer.drag());
    let error = rejected(&answer, message, took);
    if answer.cost().is_some_and(|cost| cost <= Usd::ZERO) {
        return error.with_billed(Billed::No);
    }
    error
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl DragSolver for Quorum {
    fn name(&self) -> &str {
        self.candidates.name()
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let (needed, all) = (self.policy.needed(), self.candidates.solvers().len());
        if needed > all {
            let problem =
                format!("nothing was sent: {needed} answers must agree, of {all} solvers");
            return Err(challenge.refuse(self.name(), ErrorKind::Unsupported, problem));
        }
        let mut failures = Failures::new(&self.candidates, challenge);
        let mut turns = self.candidates.turns(challenge);
        let mut in_flight = InFlight::new(challenge, &self.candidates, &self.abandoned);
        let mut answers: Vec<Answer> = Vec::new();
        let at_first = if self.policy.all_at_once { all } else { needed };
        in_flight.start_some(&mut turns, at_first);
        let (group, more) = loop {
            // Nothing is ever due.
            if let Next::Finished(finished) = in_flight.next(|_, _| None).await {
                for call in finished {
                    let (turn, took) = (call.turn, call.took);
                    match call.outcome {
                        Ok(solution) => answers.push((solution.push_route(turn.child), took)),
                        Err(error) => failures.add(&turn, error, took, in_flight.len()),
                    }
                }
            }
            let group = self.agreeing(&answers);
            let missing = needed.saturating_sub(group.len());
            let more = missing.saturating_sub(in_flight.len());
            let is_over = missing == 0 || failures.stops_all() || more > turns.len();
            if is_over || (more > 0 && challenge.is_expired()) {
                break (group, more);
            }
            in_flight.start_some(&mut turns, more);
        };
        let has_agreed = group.len() >= needed;
        let why = match has_agreed {
            true => "the others agreed",
            false if failures.stops_all() => "no solver can solve it",
            false => "the others disagree",
        };
        let cancelled = in_flight.cancel(why).into_iter();
        let mut lost: Vec<_> = cancelled.flat_map(|call| call.attempts).collect();
        let message = self.disagreement(&answers, failures.errors());
        let mut parts = Vec::new();
        for (index, answer) in answers.into_iter().enumerate() {
            if has_agreed && group.contains(&index) {
                parts.push(answer.0);
            } else {
                failures.add_answer(unconfirmed(answer));
            }
        }
        if has_agreed {
            lost.extend(parts.iter().flat_map(Solution::failed_attempts).cloned());
            let solution = agreed(parts).with_elapsed(failures.begun.elapsed());
            return Ok(failures.into_solution(solution, lost));
        }
        if failures.stops_all() || (more <= turns.len() && challenge.is_expired()) {
            return Err(failures.into_error(turns, lost));
        }
        // The others are not asked because no agreement can come of it any more.
        let unasked = turns.into_iter().flat_map(|turn| turn.jobs);
        let error = failures.into_error([], lost).with_message(message);
        Err(error.handing_back(unasked))
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        if solution.contributors().is_empty() {
            return self.candidates.report(solution, verdict).await;
        }
        let mut accepted = false;
        let mut refused = None;
        for part in solution.contributors() {
            match self.candidates.report(part, verdict).await {
                Ok(()) => accepted = true,
                // One that failed is worth more than one that takes no reports anyway.
                Err(error) if error.kind() == ErrorKind::Unsupported => {
                    refused = refused.or(Some(error));
                }
                Err(error) => refused = Some(error),
            }
        }
        match refused {
            Some(error) if !accepted || error.kind() != ErrorKind::Unsupported => Err(error),
            _ => Ok(()),
        }
    }

    /// All are asked, and all are billed. Those beyond the number that must agree are asked
    /// one after the other, unless all are asked at once.
    fn profile(&self) -> Profile {
        let all = self.candidates.worst_cases();
        let later = all.len().saturating_sub(self.policy.needed());
        let later = if self.policy.all_at_once { 0 } else { later };
        // Which of them come later depends on the jobs to resume: take the slowest.
        let mut times: Vec<_> = all.iter().filter_map(|worst| worst.time).collect();
        times.sort_unstable();
        let slowest = times.iter().rev().take(later);
        let waits = slowest.fold(Duration::ZERO, |sum, &time| sum.saturating_add(time));
        let together = worst_of_all(&all, WorstCase::alongside);
        self.candidates.profile(together.delayed_by(waits))
    }
}

debug_as_code!(Quorum(), |quorum, f| {
    let policy = quorum.policy;
    DebugCall::of(f, "quorum", quorum.candidates.solvers())
        .with("agree", policy.agree)
        .with("tolerance", format_args!("{} px", policy.tolerance))
        .with("all_at_once", policy.all_at_once.then_some(true))
});
