//! What the providers do with a request of any of their protocols.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, JobId, Screenshot, Solution, SolveError, Usd, solver_fn,
};
use drag_solver_wire::{Call, Incoming, Manner, NewJob, Refusal, Reply, redacted_json, write};
use futures_util::FutureExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::callbacks::Callbacks;
use crate::faults::Fault;
use crate::host::{Heard, Site, lock};
use crate::ledger::{Ledger, Picture};
use crate::rules::ProviderRules;
use crate::{Operation, Protocol, Quirk, ReceivedRequest, Request, Response};

/// What an [`Emulator`](crate::Emulator) serves by default: one account at each of the providers. `Debug`
/// does not show the token.
#[derive(Debug)]
pub struct Providers {
    pub(crate) solver: Arc<dyn DragSolver>,
    pub(crate) token: Option<SecretString>,
    pub(crate) answer_after: Duration,
    pub(crate) seed: u64,
    pub(crate) quirks: Vec<Quirk>,
    pub(crate) callbacks: Callbacks,
    ledger: Mutex<Ledger>,
    /// Says that the outcome of a job is known.
    pub(crate) settled: Notify,
    /// Works on jobs, and calls clients.
    solving: Mutex<JoinSet<()>>,
}

impl Providers {
    pub(crate) fn new() -> Self {
        let knows_nothing = solver_fn("knows-nothing", |_| async {
            let why = "the emulator was given no solver";
            Err(SolveError::new(ErrorKind::Unsolvable, why))
        });
        let (balance, price) = (Usd::from_micros(10_000_000), Usd::from_micros(900));
        Self {
            solver: Arc::new(knows_nothing),
            token: None,
            answer_after: Duration::ZERO,
            seed: 0,
            quirks: Vec::new(),
            callbacks: Callbacks::default(),
            ledger: Mutex::new(Ledger::new(balance, price)),
            settled: Notify::new(),
            solving: Mutex::default(),
        }
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.ledger)
    }

    /// Whether `token` opens the account.
    fn is_token(&self, token: &str) -> bool {
        let right = self.token.as_ref();
        !token.is_empty() && right.is_none_or(|right| right.expose_secret() == token)
    }

    /// Does what a request asks for. What comes of it counts as fetched if the client `is_told`.
    async fn handle(
        self: &Arc<Self>,
        protocol: Protocol,
        call: Call,
        quirks: &[Quirk],
        is_told: bool,
    ) -> Result<Reply, Refusal> {
        Ok(match call {
            Call::Create(job) => return self.create(protocol, *job, quirks, is_told).await,
            Call::Poll { ids } => {
                let mut ledger = self.ledger();
                let mut poll = |id: &String| ledger.poll(protocol, id, is_told);
                match &*ids {
                    [id] => poll(id)?.map_or(Reply::Running, Reply::Solved),
                    ids => Reply::Several(ids.iter().map(poll).collect()),
                }
            }
            Call::Report { id, verdict } => {
                let solution = self.ledger().report(protocol, &id, verdict)?;
                // The provider takes the report, even if its solver takes none.
                let _ = self.solver.report(&solution, verdict).await;
                Reply::Reported
            }
            Call::Balance => Reply::Balance(self.ledger().stats.balance),
            Call::Services => Reply::Services(self.ledger().price),
        })
    }

    async fn create(
        self: &Arc<Self>,
        protocol: Protocol,
        job: NewJob,
        quirks: &[Quirk],
        is_told: bool,
    ) -> Result<Reply, Refusal> {
        self.ledger().can_pay()?;
        let rules = ProviderRules::of(protocol);
        let callback = job.callback.as_deref();
        let screenshot = Screenshot::from_bytes(job.picture.clone())?;
        rules.limits.check(&screenshot)?;
        let (width, height) = (screenshot.width(), screenshot.height());
        let longest = f64::from(width.max(height));
        let scaled = rules.scaled_to.map_or(longest, f64::from).min(longest);
        let picture = Picture {
            width,
            height,
            scale: scaled / longest,
            shape: job.shape,
        };
        let mut solve = self.solve(screenshot, job.instruction);

        // A solver that answers at once has answered when the client first asks, on every run; and
        // one that refuses at once does so before there is a job to pay for.
        let mut outcome = solve.as_mut().now_or_never();
        let mut delay = self.answer_after;
        let has_tasks = !matches!(protocol, Protocol::OmocaptchaV1 | Protocol::InPhp);
        let waits = has_tasks && quirks.contains(&Quirk::ResultInCreate);
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
        let name = |number| rules.job_id(number, self.seed, quirks);
        let job = ledger.open(protocol, picture, delay, name)?;
        let mut reply = Reply::Created(job.to_string());
        if let Some(outcome) = outcome {
            ledger.settle(&job, outcome);
            if waits && let Some(answer) = ledger.fetch(&job, is_told)? {
                reply = Reply::Answered(job.to_string(), answer);
            }
        } else {
            self.settle_later(job.clone(), solve);
        }
        drop(ledger);
        self.call_back(protocol, job, callback);
        Ok(reply)
    }

    fn solve(&self, screenshot: Screenshot, instruction: Option<String>) -> Solve {
        let mut challenge = DragChallenge::new(screenshot);
        if let Some(instruction) = instruction {
            challenge = challenge.with_instruction(instruction);
        }
        let solver = Arc::clone(&self.solver);
        Box::pin(async move {
            let found = solver.solve(&challenge).await;
            found.map_err(|error| refusal(error.kind()))
        })
    }

    fn settle_later(self: &Arc<Self>, job: JobId, solve: Solve) {
        let service = Arc::clone(self);
        self.work(async move {
            let outcome = solve.await.map_err(|refusal| match refusal {
                // Nothing to say of a job that was taken already.
                Refusal::NoWorker | Refusal::OutOfOrder => Refusal::Unsolvable,
                refusal => refusal,
            });
            service.ledger().settle(&job, outcome);
            service.settled.notify_waiters();
        });
    }

    /// Works on `task` until it or the emulator ends.
    pub(crate) fn work(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut solving = lock(&self.solving);
        while solving.try_join_next().is_some() {}
        solving.spawn(task);
    }
}

impl Site for Providers {
    /// What was sent may have been worked on, and paid for, even if no client waits for it.
    const ENDS_WITH_CLIENT: bool = false;

    type Call = Option<(Protocol, Manner, Result<Call, Refusal>)>;

    fn prepare(&mut self) -> Result<(), String> {
        let price = self.ledger().price;
        if price.is_negative() {
            return Err(format!("price: {price} US dollars is below zero"));
        }
        Ok(())
    }

    fn why_not(&self, _: Operation, _: &Fault) -> Option<String> {
        None
    }

    fn operation(&self, head: &Request) -> Option<Operation> {
        let incoming = Incoming::read_documented(head)?;
        Some(match (incoming.protocol, incoming.operation) {
            // What it is asked is in the body.
            (Protocol::InPhp, Operation::Unknown) => Operation::Poll,
            (_, operation) => operation,
        })
    }

    fn read(&self, request: Request, received: Instant) -> Heard<Self::Call> {
        let mut note = ReceivedRequest::new(Operation::Unknown, received, request);
        let Some(incoming) = Incoming::read_documented(&note.request) else {
            let (token, call) = (String::new(), None);
            return Heard { note, token, call };
        };
        let (protocol, manner) = (incoming.protocol, incoming.manner);
        let token = incoming.key.expose_secret().to_owned();
        note.protocol = Some(protocol);
        note.operation = incoming.operation;
        note.json = redacted_json(protocol, &note.request);
        note.has_right_token = self.is_token(&token);
        if let Ok(Call::Create(job)) = &incoming.call {
            note.picture = Some(job.picture.clone());
        }
        let call = Some((protocol, manner, incoming.authorized(note.has_right_token)));
        Heard { note, token, call }
    }

    async fn answer(self: Arc<Self>, call: Self::Call, fault: Option<Fault>) -> Response {
        let Some((protocol, manner, call)) = call else {
            return Response::text(404, "no provider has this path");
        };
        let mut quirks = self.quirks.clone();
        if fault == Some(Fault::HugeIds) {
            quirks.push(Quirk::HugeIds);
        }
        let is_told = fault.as_ref().is_none_or(Fault::is_tolerable);
        let reply = match call {
            _ if fault.is_some_and(|it| !it.executes_request()) => Ok(Reply::Running),
            Ok(call) => self.handle(protocol, call, &quirks, is_told).await,
            Err(refusal) => Err(refusal),
        };
        let manner = quirks.into_iter().fold(manner, Manner::with_quirk);
        response(write(protocol, manner, &reply))
    }

    fn refusal(&self, asked: &Request, refusal: Refusal) -> Response {
        match Incoming::read_documented(asked) {
            Some(it) => response(write(it.protocol, it.manner, &Err(refusal))),
            None => Response::json(200, &Value::Null),
        }
    }

    /// Stops working on every job.
    async fn stop(&self) {
        let mut solving = std::mem::take(&mut *lock(&self.solving));
        solving.shutdown().await;
    }
}

fn response(written: drag_solver_wire::Response) -> Response {
    let response = Response::new(written.status, written.content_type, written.body);
    if written.allow_origin {
        response.with_header("Access-Control-Allow-Origin", "*")
    } else {
        response
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
        ErrorKind::Unavailable | ErrorKind::NotRecorded => Refusal::OutOfOrder,
        _ => Refusal::Unsolvable,
    }
}
