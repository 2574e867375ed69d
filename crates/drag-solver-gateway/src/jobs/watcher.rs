//! How a job is getting on, from what its call says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use drag_solver::operators::AN_OPERATOR;
use drag_solver::{Billed, Event, Observer, SolveError, async_trait};
use tokio::time::Instant;

use super::live::{Job, Progress};
use crate::overview::{End, Figures};

/// Hears how a job is getting on, and counts what became of each purchase.
pub(super) struct Watcher {
    figures: Arc<Figures>,
    job: Arc<Job>,
    /// When each solver was last asked to sell.
    bought: Mutex<HashMap<String, Instant>>,
}

impl Watcher {
    pub(super) fn new(figures: &Arc<Figures>, job: &Arc<Job>) -> Arc<Self> {
        Arc::new(Self {
            figures: Arc::clone(figures),
            job: Arc::clone(job),
            bought: Mutex::default(),
        })
    }

    fn is_at(&self, solver: &str, step: String) {
        let solver = solver.to_owned();
        self.job.is_at(Progress { step, solver });
    }
}

#[async_trait]
impl Observer for Watcher {
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
        let solver = event.solver();
        let mut bought = self.bought.lock().unwrap_or_else(PoisonError::into_inner);
        match *event {
            Event::Waiting { reason, .. } => {
                self.job.waits_for_people(reason == AN_OPERATOR);
                self.is_at(solver, format!("waiting for {reason}"));
            }
            Event::WaitEnded { .. } | Event::Started { .. } => {
                self.job.waits_for_people(false);
                self.is_at(solver, format!("asking {solver}"));
            }
            Event::Buying { .. } => {
                self.figures.bought(solver);
                bought.insert(solver.to_owned(), Instant::now());
            }
            Event::Bought { .. } => self.is_at(solver, format!("bought at {solver}")),
            Event::Resumed { .. } => self.is_at(solver, format!("fetching from {solver}")),
            Event::NotBought { .. } => {
                bought.remove(solver);
                self.figures.ended(solver, End::Failed);
            }
            Event::Settled { billed, .. } => {
                let since = bought.remove(solver);
                let end = match billed {
                    Billed::Yes => End::Answered(since.map(|since| since.elapsed())),
                    Billed::No | Billed::Maybe => End::Failed,
                };
                self.figures.ended(solver, end);
            }
            _ => {}
        }
        Ok(())
    }
}

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watcher").finish_non_exhaustive()
    }
}
