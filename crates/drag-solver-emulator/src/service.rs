//! What the provider does with a request of any protocol.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use drag_solver_core::{DragChallenge, DragSolver as _, ErrorKind, JobId, Screenshot, Solution};
use futures_util::FutureExt as _;
use secrecy::ExposeSecret as _;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::faults::Script;
use crate::ledger::Ledger;
use crate::protocol::{Call, NewJob, Quirk, Refusal, Reply};
use crate::requests::RequestLog;
use crate::stats::Stats;
use crate::{EmulatorBuilder, Protocol};

/// One account at one provider.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) settings: EmulatorBuilder,
    ledger: Mutex<Ledger>,
    log: Mutex<RequestLog>,
    solving: Mutex<JoinSet<()>>,
    faults: Mutex<Script>,
    /// Says that the server may have to stop listening.
    refuse: Notify,
}

impl Service {
    pub(crate) fn new(mut settings: EmulatorBuilder) -> Self {
        let ledger = Ledger::new(settings.balance, settings.price, settings.running_polls);
        Self {
            ledger: Mutex::new(ledger),
            log: Mutex::default(),
            solving: Mutex::default(),
            faults: Mutex::new(std::mem::take(&mut settings.faults)),
            refuse: Notify::new(),
            settings,
        }
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.ledger)
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, RequestLog> {
        lock(&self.log)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Script> {
        lock(&self.faults)
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats {
            faults: self.faults().happened,
            ..self.ledger().stats
        }
    }

    /// Changes the faults to come, and has the server look whether it is to refuse connections.
    pub(crate) fn change_faults(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.faults());
        self.refuse.notify_one();
    }

    /// Waits until connections are to be refused, and says for how long.
    pub(crate) async fn refused(&self) -> Duration {
        loop {
            let refusal = self.faults().take_refusal();
            if let Some(lasting) = refusal {
                return lasting;
            }
            self.refuse.notified().await;
        }
    }

    /// Whether `token` opens the account.
    pub(crate) fn is_token(&self, token: &str) -> bool {
        let right = self.settings.token.as_ref();
        !token.is_empty() && right.is_none_or(|right| right.expose_secret() == token)
    }

    /// Does what a request asks for.
    pub(crate) async fn handle(
        self: &Arc<Self>,
        protocol: Protocol,
        call: Call,
        quirks: &[Quirk],
    ) -> Result<Reply, Refusal> {
        match call {
            Call::Create(job) => self.create(protocol, job, quirks).await,
            Call::Poll(job) => self.ledger().poll(protocol, &job),
            Call::Report(job, verdict) => {
                let solution = self.ledger().report(protocol, &job, verdict)?;
                // The provider takes the report, even if its solver takes none.
                let _ = self.settings.solver.report(&solution, verdict).await;
                Ok(Reply::Reported)
            }
            Call::Balance => Ok(Reply::Balance(self.ledger().stats.balance)),
            Call::Services => Ok(Reply::Services(self.settings.price)),
        }
    }

    async fn create(
        self: &Arc<Self>,
        protocol: Protocol,
        job: NewJob,
        quirks: &[Quirk],
    ) -> Result<Reply, Refusal> {
        self.ledger().can_pay()?;
        let format = protocol.format();
        let screenshot = Screenshot::from_bytes(job.picture)?;
        format.limits.check(&screenshot)?;
        let longest = screenshot.width().max(screenshot.height());
        let scale = match format.scaled_to {
            Some(most) if longest > most => f64::from(most) / f64::from(longest),
            _ => 1.0,
        };
        let mut solve = self.solve(screenshot, job.instruction);

        // A solver that answers at once has answered when the client first asks, on every run; and
        // one that refuses at once does so before there is a job to pay for.
        let mut outcome = solve.as_mut().now_or_never();
        let mut delay = self.settings.answer_after;
        let waits = protocol != Protocol::OmocaptchaV1 && quirks.contains(&Quirk::ResultInCreate);
        if waits {
            sleep(std::mem::take(&mut delay)).await;
            if outcome.is_none() {
                outcome = Some(solve.as_mut().await);
            }
        }
        if let Some(Err(refusal)) = &outcome
            && *refusal != Refusal::Unsolvable
        {
            return Err(refusal.clone());
        }

        let mut ledger = self.ledger();
        let name = |number| format.job_id(number, self.settings.seed, quirks);
        let job = ledger.open(protocol, scale, delay, name)?;
        let Some(outcome) = outcome else {
            self.settle_later(job.clone(), solve);
            return Ok(Reply::Created(job, None));
        };
        ledger.settle(&job, outcome);
        let answer = ledger.answer(&job).filter(|_| waits).transpose()?;
        Ok(Reply::Created(job, answer))
    }

    fn solve(&self, screenshot: Screenshot, instruction: Option<String>) -> Solve {
        let mut challenge = DragChallenge::new(screenshot);
        if let Some(instruction) = instruction {
            challenge = challenge.with_instruction(instruction);
        }
        let solver = Arc::clone(&self.settings.solver);
        Box::pin(async move {
            let found = solver.solve(&challenge).await;
            found.map_err(|error| refusal(error.kind()))
        })
    }

    fn settle_later(self: &Arc<Self>, job: JobId, solve: Solve) {
        let service = Arc::clone(self);
        let mut solving = lock(&self.solving);
        while solving.try_join_next().is_some() {}
        solving.spawn(async move {
            let outcome = solve.await.map_err(|refusal| match refusal {
                // Nothing to say of a job that was taken already.
                Refusal::NoWorker | Refusal::OutOfOrder => Refusal::Unsolvable,
                refusal => refusal,
            });
            service.ledger().settle(&job, outcome);
        });
    }

    /// Stops working on every job.
    pub(crate) async fn abandon_jobs(&self) {
        let mut solving = std::mem::take(&mut *lock(&self.solving));
        solving.shutdown().await;
    }
}

type Solve = Pin<Box<dyn Future<Output = Result<Solution, Refusal>> + Send>>;

/// How the provider says what its solver's error means.
fn refusal(kind: ErrorKind) -> Refusal {
    match kind {
        ErrorKind::Unauthorized => Refusal::BadToken,
        ErrorKind::InsufficientBalance | ErrorKind::BudgetExhausted => Refusal::NoMoney,
        ErrorKind::RateLimited | ErrorKind::Overloaded | ErrorKind::CircuitOpen => {
            Refusal::NoWorker
        }
        ErrorKind::InvalidChallenge => Refusal::PictureType("the picture cannot be used".into()),
        ErrorKind::Unsupported => Refusal::TaskType("this task is not done here".into()),
        ErrorKind::Unavailable => Refusal::OutOfOrder,
        _ => Refusal::Unsolvable,
    }
}

/// A panic elsewhere does not make what is behind the lock wrong.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
