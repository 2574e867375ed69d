//! What is under way, and what was paid for and not fetched.

use std::sync::{Arc, Mutex, PoisonError};

use drag_solver::evaluate::{Call, CallOutcome};
use drag_solver::{Event, Observer, PaidJob, Purchases, SolveError, Usd, async_trait};
use indicatif::ProgressBar;

use crate::ui::progress_view::bar;

/// A bar of all calls, if standard error is a terminal.
#[derive(Debug)]
pub(crate) struct CallBar {
    bar: ProgressBar,
    tolerance: f64,
    right: u64,
    spent: Usd,
}

impl CallBar {
    /// A bar of `total` calls, which shows only if `show` is set.
    pub(crate) fn new(total: usize, show: bool, tolerance: f64) -> Self {
        Self {
            bar: bar(total, show),
            tolerance,
            right: 0,
            spent: Usd::ZERO,
        }
    }

    pub(crate) fn count(&mut self, call: &Call) {
        if let CallOutcome::Answered { off_px, .. } = call.outcome {
            self.right += u64::from(off_px <= self.tolerance);
        }
        if !call.from_store {
            self.spent = self.spent + call.spent.unwrap_or_default();
        }
        self.bar.inc(1);
        let text = format!("{} right · ${}", self.right, self.spent);
        self.bar.set_message(text);
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// What all calls buy: for the jobs that are left when the command is interrupted.
#[derive(Debug, Default)]
pub(crate) struct Bought(Mutex<Purchases>);

impl Bought {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The jobs that were paid for and are not fetched.
    pub(crate) fn open_jobs(&self) -> Vec<PaidJob> {
        let purchases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        purchases.open_jobs()
    }
}

#[async_trait]
impl Observer for Bought {
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
        let mut purchases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        purchases.apply(event);
        Ok(())
    }
}
