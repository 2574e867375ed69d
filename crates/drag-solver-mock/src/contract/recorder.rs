//! What a solver says of money while it works.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, Event, Observer, PaidJob, Purchases, Solution,
    SolveError, async_trait,
};
use tokio::task::yield_now;
use tokio::time::Instant;

use super::SolverUnderTest;

/// Hears the events of one call, and holds each against those before it.
///
/// It takes a while for each purchase, as a store does that writes to a disk: a solver that does not
/// wait for it says the next thing too early.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    refuses_purchases: bool,
    heard: Mutex<Heard>,
}

#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) purchases: Purchases,
    /// The solvers that started.
    pub(super) solvers: Vec<String>,
    /// The solvers that began to buy, in order, also of purchases that came to nothing.
    pub(super) buyers: Vec<String>,
    /// The first event that came too early, if any did.
    pub(super) out_of_order: Option<String>,
    events: Vec<String>,
}

impl Recorder {
    /// Prevents every purchase.
    pub(super) fn refusing() -> Self {
        Self {
            refuses_purchases: true,
            ..Self::default()
        }
    }

    /// The challenge, and what will be heard of it.
    pub(super) fn listen_to(self, challenge: &DragChallenge) -> (DragChallenge, Arc<Self>) {
        let recorder = Arc::new(self);
        let heard = challenge.clone().with_observer(Arc::clone(&recorder) as _);
        (heard, recorder)
    }

    /// Must not be held across an await.
    pub(super) fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Observer for Recorder {
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
        self.heard().check_order(event);
        if let Event::Buying { solver } = *event {
            for _ in 0..3 {
                yield_now().await;
            }
            self.heard().buyers.push(solver.to_owned());
            if self.refuses_purchases {
                let message = "the contract's observer prevents every purchase";
                return Err(SolveError::new(ErrorKind::BudgetExhausted, message));
            }
        }
        let mut heard = self.heard();
        if let Event::Started { solver } = *event {
            heard.solvers.push(solver.to_owned());
        }
        heard.purchases.apply(event);
        heard.events.push(format!("{event:?}"));
        Ok(())
    }
}

impl Heard {
    /// No solver buys or resumes before it has started, nothing is bought that was not about to be, and
    /// nothing ends twice, or that was never bought.
    fn check_order(&mut self, event: &Event<'_>) {
        let is_undecided = |name: &str| {
            let mut purchases = self.purchases.as_slice().iter();
            purchases.any(|p| p.solver == name && p.job.is_none() && p.settlement.is_none())
        };
        let is_due = match *event {
            Event::WaitEnded { .. } => self.purchases.is_waiting(),
            Event::Buying { solver } | Event::Resumed { solver, .. } => {
                self.solvers.iter().any(|started| started == solver)
            }
            Event::Settled {
                solver,
                job: Some(job),
                ..
            } => {
                let job = PaidJob::new(solver, job.clone());
                self.purchases.open_jobs().contains(&job)
            }
            Event::NotBought { solver }
            | Event::Bought { solver, .. }
            | Event::Settled { solver, .. } => is_undecided(solver),
            _ => true,
        };
        if !is_due && self.out_of_order.is_none() {
            let before = self.events.join(", ");
            self.out_of_order = Some(format!(
                "it said {event:?} too early, or did not wait for its observer (the order is `Started`, \
                 `Buying`, `Bought` or `NotBought`, `Settled`): before were [{before}]"
            ));
        }
    }
}

/// One call: what was heard of it, what it came to, and how long it took.
pub(super) struct Observed {
    pub(super) heard: Heard,
    pub(super) outcome: Result<Solution, SolveError>,
    pub(super) took: Duration,
}

impl Observed {
    pub(super) async fn call(
        subject: &SolverUnderTest<'_>,
        solver: &dyn DragSolver,
        challenge: &DragChallenge,
        recorder: Recorder,
    ) -> Result<Self, String> {
        let (challenge, recorder) = recorder.listen_to(challenge);
        let started = Instant::now();
        let outcome = subject.ask(solver, &challenge).await?;
        let heard = std::mem::take(&mut *recorder.heard());
        Ok(Self {
            heard,
            outcome,
            took: started.elapsed(),
        })
    }
}
