//! What the calls of one solver came to, and what is to be expected of its next ones.

use std::time::Duration;

use drag_solver_core::Usd;

use super::record::PastCall;

/// What the calls of one solver came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    pub(super) calls: u32,
    pub(super) good: u32,
    pub(super) took: Duration,
    /// Of how many it is known what they cost.
    pub(super) priced: u32,
    /// What these cost.
    pub(super) spent: Usd,
    /// The least that a good answer cost.
    pub(super) cheapest: Option<Usd>,
}

impl Figures {
    pub(super) fn of<'a>(calls: impl Iterator<Item = &'a PastCall>) -> Self {
        let mut figures = Self::default();
        for call in calls {
            figures.calls += 1;
            figures.good += u32::from(call.good);
            figures.took = figures.took.saturating_add(call.took);
            let Some(spent) = call.spent else { continue };
            figures.priced += 1;
            figures.spent = figures.spent + spent;
            if call.good {
                figures.cheapest = Some(figures.cheapest.map_or(spent, |least| least.min(spent)));
            }
        }
        figures
    }
}

/// What a good answer of a solver takes, on average, failures included: the means of a call, divided by the chance
/// that it succeeds. Infinite if there was none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    pub(super) seconds: f64,
    dollars: f64,
}

impl Expected {
    pub(super) fn of(figures: &Figures) -> Self {
        if figures.good == 0 {
            let (seconds, dollars) = (f64::INFINITY, f64::INFINITY);
            return Self { seconds, dollars };
        }
        let good = f64::from(figures.good);
        // Those of which it is not known cost as much as the others.
        let spent_by_one = figures.spent.to_f64_lossy() / f64::from(figures.priced.max(1));
        Self {
            seconds: figures.took.as_secs_f64() / good,
            dollars: spent_by_one * f64::from(figures.calls) / good,
        }
    }

    /// To ask in the order of this finds an answer with the least of it, on average: seconds, or dollars if it is
    /// known what a second is worth.
    pub(super) fn score(self, second_worth: Option<f64>) -> f64 {
        match second_worth {
            None => self.seconds,
            Some(_) if self.seconds.is_infinite() => f64::INFINITY,
            Some(worth) => self.seconds * worth + self.dollars,
        }
    }

    pub(super) fn is_slower_and_dearer_than(self, other: Self) -> bool {
        self.seconds > other.seconds && self.dollars > other.dollars
    }
}
