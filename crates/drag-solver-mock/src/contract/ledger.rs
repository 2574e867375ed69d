//! What a solver says of money while it works, and what was bought by it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use drag_solver_core::{
    Charge, DragChallenge, DragSolver, JobId, PaidJob, Progress, ProgressListener, Solution,
    SolveError, Usd,
};
use tokio::time::{Instant, timeout};

use super::Subject;

/// One thing that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Started(String),
    Buying(String),
    NotBought(String),
    Bought(PaidJob),
    Resumed(PaidJob),
    Settled(PaidJob),
}

impl Said {
    fn provider(&self) -> &str {
        match self {
            Self::Started(provider) | Self::Buying(provider) | Self::NotBought(provider) => {
                provider
            }
            Self::Bought(job) | Self::Resumed(job) | Self::Settled(job) => &job.provider,
        }
    }
}

/// Hears everything that is said about one challenge.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<Vec<Said>>);

impl Ledger {
    /// The challenge, and the ledger that listens to it.
    pub(super) fn listen_to(challenge: &DragChallenge) -> (DragChallenge, Arc<Self>) {
        let ledger = Arc::new(Self::default());
        let heard = challenge.clone().with_listener(Arc::clone(&ledger) as _);
        (heard, ledger)
    }

    fn said(&self) -> MutexGuard<'_, Vec<Said>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.said().is_empty()
    }

    /// How often something may have been bought.
    pub(super) fn purchases(&self) -> usize {
        let said = self.said();
        let bought = said.iter().filter(|said| matches!(said, Said::Buying(_)));
        bought.count()
    }

    /// How often something may have been bought from `provider`.
    pub(super) fn purchases_from(&self, provider: &str) -> usize {
        let said = self.said();
        let from = |said: &&Said| matches!(said, Said::Buying(name) if name == provider);
        said.iter().filter(from).count()
    }

    /// The first job that was bought.
    pub(super) fn bought(&self) -> Option<PaidJob> {
        self.said().iter().find_map(|said| match said {
            Said::Bought(job) => Some(job.clone()),
            _ => None,
        })
    }

    pub(super) fn has_resumed(&self, job: &PaidJob) -> bool {
        self.said().contains(&Said::Resumed(job.clone()))
    }

    fn has_paid_for(&self, id: &JobId) -> bool {
        self.said().iter().any(|said| match said {
            Said::Bought(job) | Said::Resumed(job) => job.id == *id,
            _ => false,
        })
    }

    /// Whether money may have been spent, or a job gone on with that was.
    fn has_spent(&self) -> bool {
        let said = self.said();
        said.iter()
            .any(|said| matches!(said, Said::Buying(_) | Said::Bought(_) | Said::Resumed(_)))
    }

    /// What was said is in order: nobody buys who has not started, nothing is bought that was not
    /// about to be, and nothing is settled that was not bought.
    fn check_order(&self, subject: &Subject<'_>) -> Result<(), String> {
        let said = self.said();
        for (at, now) in said.iter().enumerate() {
            let provider = now.provider();
            if !subject.providers.iter().any(|name| name == provider) {
                return Err(format!(
                    "progress is told of `{provider}`, and only {:?} may answer",
                    subject.providers
                ));
            }
            let before = &said[..at];
            let has_said = |wanted: &Said| before.contains(wanted);
            let is_due = match now {
                Said::Started(_) => true,
                Said::Buying(name) => has_said(&Said::Started(name.clone())),
                Said::NotBought(name) => has_said(&Said::Buying(name.clone())),
                Said::Bought(job) => has_said(&Said::Buying(job.provider.clone())),
                Said::Resumed(job) => has_said(&Said::Started(job.provider.clone())),
                Said::Settled(job) => {
                    has_said(&Said::Bought(job.clone())) || has_said(&Said::Resumed(job.clone()))
                }
            };
            if !is_due {
                return Err(format!("it said {now:?} too early: before were {before:?}"));
            }
        }
        Ok(())
    }
}

impl ProgressListener for Ledger {
    fn on_progress(&self, progress: &Progress<'_>) {
        let paid = |provider: &str, job: &JobId| PaidJob::new(provider, job.clone());
        let now = match *progress {
            Progress::Started { provider } => Said::Started(provider.to_owned()),
            Progress::Buying { provider } => Said::Buying(provider.to_owned()),
            Progress::NotBought { provider } => Said::NotBought(provider.to_owned()),
            Progress::Bought { provider, job } => Said::Bought(paid(provider, job)),
            Progress::Resumed { provider, job } => Said::Resumed(paid(provider, job)),
            Progress::Settled { provider, job } => Said::Settled(paid(provider, job)),
            _ => return,
        };
        self.said().push(now);
    }
}

/// One call, what was said in it, and how long it took.
pub(super) struct Watched {
    pub(super) outcome: Result<Solution, SolveError>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) took: Duration,
}

impl Watched {
    /// Fails if it takes longer than the deadline and the subject's patience together.
    pub(super) async fn solve(
        subject: &Subject<'_>,
        solver: &dyn DragSolver,
        challenge: &DragChallenge,
    ) -> Result<Self, String> {
        let limit = subject.patience + challenge.remaining().unwrap_or_default();
        let (challenge, ledger) = Ledger::listen_to(challenge);
        let started = Instant::now();
        let outcome = timeout(limit, solver.solve(&challenge))
            .await
            .map_err(|_| format!("a call was stuck for {limit:?}"))?;
        Ok(Self {
            outcome,
            ledger,
            took: started.elapsed(),
        })
    }

    /// What was said, and what came of it, agree.
    pub(super) fn check(&self, subject: &Subject<'_>) -> Result<(), String> {
        self.ledger.check_order(subject)?;
        match &self.outcome {
            Ok(solution) => self.check_solution(solution),
            Err(error) if error.charge() != Charge::No && !self.ledger.has_spent() => Err(format!(
                "it said nothing of buying, and then that it may have cost money: {error}"
            )),
            Err(_) => Ok(()),
        }
    }

    fn check_solution(&self, solution: &Solution) -> Result<(), String> {
        let is_free = solution.cost().is_none_or(|cost| cost <= Usd::ZERO);
        if !is_free && !self.ledger.has_spent() {
            return Err("its answer cost money, and it said nothing of buying".to_owned());
        }
        match solution.job() {
            Some(job) if !self.ledger.is_empty() && !self.ledger.has_paid_for(job) => Err(format!(
                "its answer is that of job {job}, which it did not say it bought"
            )),
            _ => Ok(()),
        }
    }
}
