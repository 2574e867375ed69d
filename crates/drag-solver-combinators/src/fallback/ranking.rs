//! In which order the solvers of a fallback are asked, by what they did recently.

use std::time::Duration;

use drag_solver_core::{DragSolver, ErrorKind, Recovery, Solution, SolveError, Usd};

use super::OrderPolicy;
use super::figures::{Expected, Figures};
use super::record::{PastCall, TrackRecord};
use crate::abandoned::per_answer;
use crate::jitter::Jitter;
use crate::priced::with_price;

/// The records of all solvers of one fallback.
#[derive(Debug)]
pub(super) struct Records {
    pub(super) policy: OrderPolicy,
    pub(super) chance: Jitter,
    pub(super) of: Vec<TrackRecord>,
}

impl Records {
    /// A call of `child`, which is `solver`, ended like this.
    pub(super) fn add(
        &self,
        child: usize,
        solver: &dyn DragSolver,
        outcome: &Result<Solution, SolveError>,
        took: Duration,
    ) {
        let (good, job) = match outcome {
            Ok(solution) => (true, solution.job().cloned()),
            Err(error) if is_its_fault(error) => (false, None),
            Err(_) => return,
        };
        let at_its_price = || spent(&with_price(outcome.clone(), per_answer(solver)?));
        let spent = spent(outcome).or_else(at_its_price);
        self.of[child].add(PastCall::ended(took, good, spent, job));
    }

    /// An answer of `child` turned out to be wrong.
    pub(super) fn was_wrong(&self, child: usize, solution: &Solution) {
        self.of[child].was_wrong(solution.job());
    }

    /// All solvers, the best first.
    pub(super) fn order(&self) -> Vec<usize> {
        let worth = self.policy.second_worth.map(Usd::to_f64_lossy);
        let figures = |record: &TrackRecord| record.figures(self.policy.window);
        let figures: Vec<Figures> = self.of.iter().map(figures).collect();
        let needed = self.policy.samples_needed();
        let known = |one: &Figures| (one.calls as usize >= needed).then(|| Expected::of(one));
        let known: Vec<Option<Expected>> = figures.iter().map(known).collect();
        // A solver that is not known yet is thought to be as good as the best, which leaves it where it is
        // listed, unless those before it turn out to be worse.
        let scores = known.iter().flatten().map(|one| one.score(worth));
        let best = scores.fold(f64::INFINITY, f64::min);
        let score = |child: usize| known[child].map_or(best, |one| one.score(worth));
        let beaten = |own: Expected| {
            let mut others = known.iter().flatten();
            others.any(|&other| own.is_slower_and_dearer_than(other))
        };
        let is_dropped = |child: usize| worth.is_some() && known[child].is_some_and(beaten);
        let mut order: Vec<usize> = (0..self.of.len()).collect();
        order.sort_by(|&one, &other| {
            let dropped = is_dropped(one).cmp(&is_dropped(other));
            dropped.then(score(one).total_cmp(&score(other)))
        });
        let could_win = |child: usize| {
            let price = figures[child].cheapest.unwrap_or_default();
            price.to_f64_lossy() <= best
        };
        let losers: Vec<usize> = (1..order.len())
            .filter(|&place| match worth {
                // Where prices do not count, who is listed first is preferred.
                None => order[..place].iter().any(|&before| before > order[place]),
                Some(_) => could_win(order[place]),
            })
            .collect();
        self.explore(&mut order, &losers);
        order
    }

    /// Now and then, one of those at these places is asked first.
    fn explore(&self, order: &mut [usize], places: &[usize]) {
        if places.is_empty() || self.chance.fraction() >= self.policy.explore.get() {
            return;
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss
        )] // a few
        let chosen = (self.chance.fraction() * places.len() as f64) as usize;
        order[..=places[chosen]].rotate_right(1);
    }
}

fn spent(outcome: &Result<Solution, SolveError>) -> Option<Usd> {
    match outcome {
        Ok(solution) => solution.spent(),
        Err(error) => error.spent(),
    }
}

/// Whether an error says something about the solver: not if it was made on this side, and not if
/// no solver could have done better.
fn is_its_fault(error: &SolveError) -> bool {
    let attempts = error.attempts();
    let ours = |kind: ErrorKind| kind.is_local_refusal();
    let all_ours = !attempts.is_empty() && attempts.iter().all(|attempt| ours(attempt.kind));
    error.recovery() != Recovery::Stop && !ours(error.kind()) && !all_ours
}

#[cfg(test)]
#[path = "ranking_tests.rs"]
mod tests;
