//! What was bought and not waited for.

use std::num::NonZeroU32;

use drag_solver_core::{DragSolver, Usd};

use crate::sync::{Mutex, lock};
use crate::watch::Watch;

/// Answers that may be billed although nobody waited for them.
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
pub(crate) struct Ledger {
    /// What an answer of each solver costs.
    prices: Vec<Usd>,
    total: Mutex<Abandoned>,
}

impl Ledger {
    pub(crate) fn new(prices: Vec<Usd>) -> Self {
        Self {
            prices,
            total: Mutex::default(),
        }
    }

    pub(crate) fn total(&self) -> Abandoned {
        *lock(&self.total)
    }

    /// Counts what `child` may have bought without an end, and says how many that is.
    pub(super) fn book(&self, child: usize, watch: &Watch) -> u32 {
        let answers = watch.unfinished_purchases();
        if answers > 0 {
            let price = self.prices.get(child).copied().unwrap_or_default();
            let mut total = lock(&self.total);
            total.answers += u64::from(answers);
            total.cost = total.cost + price * answers;
        }
        answers
    }
}

/// What one answer of `solver` costs at the worst, on average over those a call may buy.
pub(crate) fn per_answer(solver: &impl DragSolver) -> Usd {
    let worst = solver.worst_case();
    let attempts = worst.attempts.and_then(NonZeroU32::new);
    match (worst.cost, attempts) {
        (Some(cost), Some(attempts)) => cost / attempts,
        _ => Usd::ZERO,
    }
}
