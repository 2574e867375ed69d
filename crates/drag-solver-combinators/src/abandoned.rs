//! What was bought and not waited for.

use std::num::NonZeroU32;

use drag_solver_core::{DragSolver, Purchases, Usd};

use crate::measure::{self, ABANDONED, ABANDONED_COST};
use crate::sync::{Mutex, lock};

/// Answers that may be billed although the call did not wait for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Abandoned {
    /// How many.
    pub answers: u64,
    /// What they cost if all are billed, in US dollars, at the worst-case cost of one answer of
    /// their solver. A solver without a [price](crate::Priced) counts as free here.
    pub cost: Usd,
}

/// Counts them for one combinator.
#[derive(Debug)]
pub(crate) struct AbandonedCount {
    /// What an answer of each solver costs, if that is known.
    prices: Vec<Option<Usd>>,
    total: Mutex<Abandoned>,
}

impl AbandonedCount {
    pub(crate) fn new<S: DragSolver>(solvers: &[S]) -> Self {
        Self {
            prices: solvers.iter().map(per_answer).collect(),
            total: Mutex::default(),
        }
    }

    pub(crate) fn total(&self) -> Abandoned {
        *lock(&self.total)
    }

    pub(crate) fn price(&self, child: usize) -> Option<Usd> {
        self.prices.get(child).copied().flatten()
    }

    /// Counts what `child`, which is called `solver`, may have bought without an end, and says how many
    /// that is.
    pub(crate) fn add(&self, child: usize, solver: &str, purchases: &Purchases) -> u32 {
        let answers = purchases.unfinished();
        let cost = self.price(child).unwrap_or_default() * answers;
        let mut total = lock(&self.total);
        total.answers += u64::from(answers);
        total.cost = total.cost + cost;
        drop(total);
        if answers > 0 {
            let labels = [("solver", solver)];
            measure::count(ABANDONED, &labels, answers.into());
            measure::change(ABANDONED_COST, &labels, cost.to_f64_lossy());
        }
        answers
    }
}

/// What one answer of `solver` costs at most, on average over those a call may buy.
pub(crate) fn per_answer(solver: &(impl DragSolver + ?Sized)) -> Option<Usd> {
    let worst = solver.profile().worst_case;
    let purchases = worst.purchases.and_then(NonZeroU32::new)?;
    Some(worst.cost? / purchases)
}
