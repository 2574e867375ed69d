//! What the provider does with a call, whatever protocol it came by.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, JobId, Screenshot, Solution, SolveError, Usd, Verdict,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::faults::{Fault, Script};
use super::jobs::{Books, Job, JobRecord, Ledger, Outcome, Status};
use super::protocol::{Answer, Call, Order, Refusal, Reply, Terms};
use super::quirks::{Quirk, Quirks};
use super::requests::{Parts, ReceivedRequest, RequestLog};
use super::{Dialect, Step};

/// When the emulator's own clock starts, in seconds since 1970: the moment of the documentation's
/// sample. The real time of day would make answers differ from run to run.
const EPOCH: u64 = 1_692_863_536;

/// How a service is set up.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) solver: Arc<dyn DragSolver>,
    pub(super) token: Option<SecretString>,
    pub(super) balance: Usd,
    pub(super) price: Usd,
    pub(super) answer_after: Duration,
    pub(super) running_polls: u32,
    pub(super) seed: u64,
    pub(super) quirks: Quirks,
    pub(super) remembered: usize,
    pub(super) faults: Script,
}

/// One account at one provider.
#[derive(Debug)]
pub(super) struct Service {
    settings: Settings,
    started: Instant,
    ledger: Mutex<Ledger>,
    log: Mutex<RequestLog>,
    solving: Mutex<JoinSet<()>>,
    faults: Mutex<Script>,
    /// How long nobody is to listen, for the task that does.
    refusing: Mutex<Option<Duration>>,
    refuse: Notify,
}

impl Service {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            started: Instant::now(),
            ledger: Mutex::new(Ledger::new(settings.balance, settings.price)),
            log: Mutex::new(RequestLog::new(settings.remembered)),
            solving: Mutex::new(JoinSet::new()),
            faults: Mutex::new(settings.faults.clone()),
            refusing: Mutex::new(None),
            refuse: Notify::new(),
            settings,
        }
    }

    pub(super) fn quirks(&self) -> &Quirks {
        &self.settings.quirks
    }

    pub(super) fn books(&self) -> Books {
        self.ledger().books
    }

    pub(super) fn records(&self) -> Vec<JobRecord> {
        self.ledger().records()
    }

    pub(super) fn requests(&self) -> Vec<ReceivedRequest> {
        lock(&self.log).all()
    }

    pub(super) fn set_balance(&self, balance: Usd) {
        self.ledger().books.balance = balance;
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Books)) {
        change(&mut self.ledger().books);
    }

    /// The fault for a client that is at `step` now.
    pub(super) fn next_fault(&self, step: Step) -> Option<Fault> {
        let fault = lock(&self.faults).next(step)?;
        self.count(|books| books.faults += 1);
        Some(fault)
    }

    /// For how long nobody is to listen from now on, if that is the next fault of connecting.
    pub(super) fn take_refusal(&self) -> Option<Duration> {
        let lasting = lock(&self.faults).take_refusal()?;
        self.count(|books| books.faults += 1);
        Some(lasting)
    }

    pub(super) fn change_faults(&self, change: impl FnOnce(&mut Script)) {
        change(&mut lock(&self.faults));
        // Whoever listens looks whether it is to stop.
        self.refuse.notify_one();
    }

    /// Cuts every connection and refuses others for this long.
    pub(super) fn refuse_connections(&self, lasting: Duration) {
        *lock(&self.refusing) = Some(lasting);
        self.refuse.notify_one();
    }

    /// Waits until nobody is to listen, and says for how long.
    pub(super) async fn refused(&self) -> Duration {
        loop {
            if let Some(lasting) = lock(&self.refusing).take() {
                return lasting;
            }
            if let Some(lasting) = self.take_refusal() {
                return lasting;
            }
            self.refuse.notified().await;
        }
    }

    pub(super) fn remember(&self, request: Parts) {
        lock(&self.log).push(request);
    }

    /// Whether `token` opens the account.
    pub(super) fn is_token(&self, token: Option<&str>) -> bool {
        match (&self.settings.token, token) {
            (_, None | Some("")) => false,
            (None, Some(_)) => true,
            (Some(right), Some(token)) => right.expose_secret() == token,
        }
    }

    /// Does what a request asks for.
    pub(super) async fn carry_out(
        self: &Arc<Self>,
        dialect: Dialect,
        method: &str,
        body: &Value,
        quirks: &Quirks,
    ) -> Reply {
        let protocol = dialect.protocol();
        if protocol.step(method).is_none() {
            return Reply::Refused(Refusal::NoSuchMethod);
        }
        if !body.is_object() {
            return Reply::Refused(Refusal::Malformed("the body is not a JSON object".into()));
        }
        let token = body.pointer(protocol.token_at()).and_then(Value::as_str);
        if !self.is_token(token) {
            return Reply::Refused(Refusal::BadToken);
        }
        let terms = protocol.terms();
        match protocol.call(method, body) {
            Err(refusal) => Reply::Refused(refusal),
            Ok(Call::Create(order)) => self.create(dialect, order, quirks).await,
            Ok(Call::Poll { job }) => self.poll(dialect, &job, terms),
            Ok(Call::Report { job, verdict }) => self.report(dialect, &job, verdict, terms).await,
            Ok(Call::Balance) => Reply::Balance(self.books().balance),
            Ok(Call::Services) => Reply::Services {
                price: self.settings.price,
            },
        }
    }

    /// The answer with `job`'s drag is about to be sent whole.
    pub(super) fn fetched(&self, job: &JobId) {
        self.ledger().fetched(job);
    }

    /// Stops working on every job.
    pub(super) fn abandon_jobs(&self) -> JoinSet<()> {
        let mut solving = std::mem::take(&mut *lock(&self.solving));
        solving.abort_all();
        solving
    }

    async fn create(self: &Arc<Self>, dialect: Dialect, order: Order, quirks: &Quirks) -> Reply {
        if !self.ledger().can_pay() {
            return Reply::Refused(Refusal::NoMoney);
        }
        let terms = dialect.protocol().terms();
        let screenshot = match accept(order.picture, terms) {
            Ok(screenshot) => screenshot,
            Err(refusal) => return Reply::Refused(refusal),
        };
        let longest = screenshot.width().max(screenshot.height());
        let scale = match terms.scaled_to {
            Some(most) if longest > most => f64::from(most) / f64::from(longest),
            _ => 1.0,
        };
        let mut challenge = DragChallenge::new(screenshot);
        if let Some(instruction) = order.instruction {
            challenge = challenge.with_instruction(instruction);
        }
        let solver = Arc::clone(&self.settings.solver);
        let mut solve: Solve = Box::pin(async move { solver.solve(&challenge).await });

        // A solver that answers at once has answered when the client first asks, on every run; and
        // one that refuses at once does so before there is a job to pay for.
        let mut result = match poll_fn(|context| Poll::Ready(solve.as_mut().poll(context))).await {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        };
        let at_once = dialect != Dialect::OmocaptchaV1 && self.quirks().has(Quirk::ResultInCreate);
        if at_once {
            sleep(self.settings.answer_after).await;
            if result.is_none() {
                result = Some(solve.as_mut().await);
            }
        }
        if let Some(Err(error)) = &result
            && let Some(refusal) = refusal(error.kind())
        {
            return Reply::Refused(refusal);
        }

        let delay = if at_once {
            Duration::ZERO
        } else {
            self.settings.answer_after
        };
        let job = {
            let mut ledger = self.ledger();
            if !ledger.can_pay() {
                return Reply::Refused(Refusal::NoMoney);
            }
            let name = |number| {
                dialect
                    .protocol()
                    .job_id(number, self.settings.seed, quirks)
            };
            let job = ledger.open(dialect, scale, delay, name);
            if let Some(result) = result {
                ledger.settle(&job, outcome(result), terms.refunds);
                if at_once && let Some((found, solution)) = ledger.solved(&job) {
                    let answer = self.answer(found, solution);
                    return Reply::CreatedSolved { job, answer };
                } else if at_once {
                    return Reply::GaveUp;
                }
                return Reply::Created { job };
            }
            job
        };
        self.go_on_solving(solve, job.clone(), terms.refunds);
        Reply::Created { job }
    }

    fn go_on_solving(self: &Arc<Self>, solve: Solve, job: JobId, refunds: bool) {
        let service = Arc::clone(self);
        let mut solving = lock(&self.solving);
        while solving.try_join_next().is_some() {}
        solving.spawn(async move {
            let outcome = outcome(solve.await);
            service.ledger().settle(&job, outcome, refunds);
        });
    }

    fn poll(&self, dialect: Dialect, job: &str, terms: &Terms) -> Reply {
        let mut ledger = self.ledger();
        match ledger.poll(dialect, job, self.settings.running_polls, terms.kept) {
            None => Reply::Refused(Refusal::NoSuchJob),
            Some(Status::Running) => Reply::Running,
            Some(Status::GaveUp) => Reply::GaveUp,
            Some(Status::Refused(refusal)) => Reply::Refused(refusal.clone()),
            Some(Status::Solved {
                job: found,
                solution,
            }) => match JobId::new(job) {
                Ok(job) => Reply::Solved {
                    job,
                    answer: self.answer(found, solution),
                },
                Err(_) => Reply::Refused(Refusal::NoSuchJob),
            },
        }
    }

    async fn report(&self, dialect: Dialect, job: &str, verdict: Verdict, terms: &Terms) -> Reply {
        let Some(solution) = self.ledger().report(dialect, job, verdict, terms.kept) else {
            return Reply::Refused(Refusal::NoSuchJob);
        };
        // The provider takes the report, whether or not whoever answered for it wants to hear it.
        let _ = self.settings.solver.report(&solution, verdict).await;
        Reply::Reported
    }

    fn answer(&self, job: &Job, solution: &Solution) -> Answer {
        let mut drag = *solution.drag();
        let ends = [&mut drag.start, &mut drag.end];
        for point in ends.into_iter().chain(drag.alternative_end.as_mut()) {
            point.x *= job.scale;
            point.y *= job.scale;
        }
        let time = |instant: Instant| EPOCH + instant.duration_since(self.started).as_secs();
        Answer {
            drag,
            cost: self.settings.price,
            created: time(job.created),
            ended: time(job.ended()),
        }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.ledger)
    }
}

type Solve = Pin<Box<dyn Future<Output = Result<Solution, SolveError>> + Send>>;

/// Takes a picture or says what is wrong with it.
fn accept(picture: bytes::Bytes, terms: &Terms) -> Result<Screenshot, Refusal> {
    let screenshot = Screenshot::from_bytes(picture)?;
    terms.limits.check(&screenshot)?;
    Ok(screenshot)
}

fn outcome(result: Result<Solution, SolveError>) -> Outcome {
    match result {
        Ok(solution) => Outcome::Solved(Box::new(solution)),
        Err(error) => match refusal(error.kind()) {
            // Nothing to say of a job that was taken already.
            None | Some(Refusal::NoWorker | Refusal::OutOfOrder) => Outcome::GaveUp,
            Some(refusal) => Outcome::Refused(refusal),
        },
    }
}

/// How the provider says what its solver refused; `None` if it tried and gave up.
fn refusal(kind: ErrorKind) -> Option<Refusal> {
    match kind {
        ErrorKind::Unauthorized => Some(Refusal::BadToken),
        ErrorKind::InsufficientBalance | ErrorKind::BudgetExhausted => Some(Refusal::NoMoney),
        ErrorKind::RateLimited | ErrorKind::Overloaded | ErrorKind::CircuitOpen => {
            Some(Refusal::NoWorker)
        }
        ErrorKind::InvalidChallenge => {
            Some(Refusal::PictureType("the picture cannot be used".into()))
        }
        ErrorKind::Unsupported => Some(Refusal::TaskType("this task is not done here".into())),
        ErrorKind::Unavailable => Some(Refusal::OutOfOrder),
        _ => None,
    }
}

/// A panic elsewhere does not make what is behind the lock wrong.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
