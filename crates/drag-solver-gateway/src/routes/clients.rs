//! The protocols that published clients speak, all at one root.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use drag_solver::store::{KeyRole, Reported};
use drag_solver::{DragChallenge, DragSolver as _, Screenshot, StoreError, Usd, Verdict};
use drag_solver_wire::{Call, Incoming, NewJob, Operation, Protocol, Quirk, Refusal, Reply, write};

use crate::bodies::NotRead;
use crate::caller::{Caller, peer};
use crate::jobs::{Found, New, NotAccepted, Note};
use crate::keys::Account;
use crate::task_id::{Form, TaskId};
use crate::{Gateway, measure};

/// Ids that one request may ask about, at most.
const MOST_IDS: usize = 100;

/// What is left for a key without a limit, in US dollars: clients look whether it is enough.
const NO_LIMIT: i64 = 1_000_000;

pub(super) async fn answer(State(gateway): State<Gateway>, request: Request) -> Response {
    let from = peer(request.extensions());
    let (head, body) = request.into_parts();
    let idempotency_key = text(head.headers.get("idempotency-key"));
    let target = head
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str())
        .to_owned();
    let headers = [header::CONTENT_TYPE, header::AUTHORIZATION];
    let headers = headers.iter().filter_map(|name| {
        let value = text(head.headers.get(name))?;
        Some((name.as_str().to_owned(), value))
    });
    let headers = headers.collect();
    let most = gateway.jobs().policy().max_body;
    let read = gateway.bodies().read(body, most).await;
    let body = read
        .as_ref()
        .map(|read| read.bytes.clone())
        .unwrap_or_default();
    let request = drag_solver_wire::Request::new(head.method.as_str(), target, headers, body);
    let mut incoming = Incoming::read(&request);
    drop(request);
    if gateway.jobs().policy().singular_prefix {
        incoming.manner = incoming.manner.with_quirk(Quirk::SingularPrefix);
    }
    match &read {
        Ok(_) => {}
        Err(NotRead::Busy) => incoming.call = Err(Refusal::NoWorker),
        Err(NotRead::TooLarge) => {
            let why = format!("at most {most} bytes are read");
            incoming.call = Err(Refusal::PictureTooLarge(why));
        }
    }
    let call = ClientCall {
        gateway: &gateway,
        from,
        idempotency_key,
    };
    let is_create = incoming.operation == Operation::Create;
    let room = read.ok().filter(|_| is_create); // a poll is held without what it was read with
    let told = call.answer(&mut incoming).await;
    drop(room);
    measure::request(&incoming, &told.reply);
    told.write(&incoming)
}

fn text(value: Option<&HeaderValue>) -> Option<String> {
    value?.to_str().ok().map(str::to_owned)
}

struct ClientCall<'a> {
    gateway: &'a Gateway,
    from: Option<IpAddr>,
    idempotency_key: Option<String>,
}

/// What a client is told, in the protocol of its job.
struct Told {
    reply: Result<Reply, Refusal>,
    /// That of the job, if it is known.
    protocol: Option<Protocol>,
    /// Who answered.
    solver: Option<String>,
}

impl From<Result<Reply, Refusal>> for Told {
    fn from(reply: Result<Reply, Refusal>) -> Self {
        Self {
            reply,
            protocol: None,
            solver: None,
        }
    }
}

impl ClientCall<'_> {
    async fn answer(&self, incoming: &mut Incoming) -> Told {
        if let Err(refusal) = &incoming.call
            && matches!(
                refusal,
                Refusal::NoSuchMethod | Refusal::NotPost | Refusal::Unreadable(_)
            )
        {
            // There is no key in it, and none would open what is not there.
            return Err(refusal.clone()).into();
        }
        let caller = Caller {
            key: std::mem::take(&mut incoming.key),
            from: self.from,
        };
        let Some(account) = self.gateway.account(&caller).await else {
            return Err(Refusal::BadToken).into();
        };
        // Taken out, so that a picture is gone as soon as it is on record.
        let call = std::mem::replace(&mut incoming.call, Err(Refusal::NoSuchMethod));
        match call {
            Err(refusal) => Err(refusal).into(),
            Ok(Call::Create(job)) => self.create(&account, incoming.protocol, *job).await.into(),
            Ok(Call::Poll { ids }) => self.poll(&account, ids).await,
            Ok(Call::Report { id, verdict }) => self.report(&account, &id, verdict).await.into(),
            Ok(Call::Balance) => self.balance(&account).await.into(),
            Ok(Call::Services) => Ok(Reply::Services(self.price())).into(),
        }
    }

    async fn create(
        &self,
        account: &Arc<Account>,
        protocol: Protocol,
        job: NewJob,
    ) -> Result<Reply, Refusal> {
        if account.role() != KeyRole::Client {
            tracing::info!(
                key = account.name,
                "refused: this key is not a client's, and buys nothing"
            );
            return Err(Refusal::BadToken);
        }
        if let Some(url) = &job.callback {
            self.gateway.jobs().check_callback(url)?;
        }
        let screenshot = Screenshot::from_bytes(job.picture)?;
        self.gateway.jobs().limits().check(&screenshot)?;
        let mut challenge = DragChallenge::new(screenshot);
        if let Some(instruction) = job.instruction {
            challenge = challenge.with_instruction(instruction);
        }
        let form = match protocol {
            Protocol::OmocaptchaV2 => Form::Uuid,
            _ => Form::Number,
        };
        let new = New {
            challenge,
            note: Note {
                protocol: Some(protocol),
                shape: job.shape,
                callback: job.callback,
            },
            form,
            idempotency_key: self.idempotency_key.clone(),
            deadline: None,
        };
        let task = self.gateway.jobs().accept(account, new).await;
        task.map(|task| Reply::Created(task.to_string()))
            .map_err(not_accepted)
    }

    async fn poll(&self, account: &Account, ids: Vec<String>) -> Told {
        let hold = self.gateway.jobs().policy().hold;
        if let [id] = &ids[..] {
            return match self.find(account, id, hold).await {
                Ok(Found::Ended(outcome)) => Told {
                    reply: outcome.answer().map(Reply::Solved),
                    protocol: outcome.protocol,
                    solver: outcome
                        .result
                        .as_ref()
                        .ok()
                        .map(|answered| answered.solver.clone()),
                },
                Ok(Found::Open) => Ok(Reply::Running).into(),
                Ok(Found::Unknown) => Err(Refusal::NoSuchJob).into(),
                Err(refusal) => Err(refusal).into(),
            };
        }
        if ids.len() > MOST_IDS {
            let why = format!("ids: at most {MOST_IDS} at once");
            return Err(Refusal::BadParameters(why)).into();
        }
        let mut several = Vec::new();
        for id in &ids {
            several.push(
                match self.find(account, id, std::time::Duration::ZERO).await {
                    Ok(Found::Ended(outcome)) => outcome.answer().map(Some),
                    Ok(Found::Open) => Ok(None),
                    Ok(Found::Unknown) => Err(Refusal::NoSuchJob),
                    Err(refusal) => Err(refusal),
                },
            );
        }
        Ok(Reply::Several(several)).into()
    }

    async fn find(
        &self,
        account: &Account,
        id: &str,
        hold: std::time::Duration,
    ) -> Result<Found, Refusal> {
        let Some(task) = TaskId::read(id) else {
            return Ok(Found::Unknown);
        };
        let found = self.gateway.jobs().result(account, &task, hold).await;
        found.map_err(|error| unreadable(&error))
    }

    async fn report(
        &self,
        account: &Account,
        id: &str,
        verdict: Verdict,
    ) -> Result<Reply, Refusal> {
        let task = TaskId::read(id).ok_or(Refusal::NoSuchJob)?;
        let reported = self.gateway.jobs().report(account, &task, verdict).await;
        match reported.map_err(|error| unreadable(&error))? {
            Reported::First | Reported::Again(_) => Ok(Reply::Reported),
            _ => Err(Refusal::NoSuchJob),
        }
    }

    async fn balance(&self, account: &Account) -> Result<Reply, Refusal> {
        let left = self.gateway.jobs().left(account).await;
        let left = left
            .map_err(|error| unreadable(&error))?
            .unwrap_or_else(|| Usd::from_micros(NO_LIMIT * 1_000_000));
        Ok(Reply::Balance(left.max(Usd::ZERO)))
    }

    fn price(&self) -> Usd {
        let worst = self.gateway.chain().profile().worst_case;
        let purchases = worst.purchases.unwrap_or(1).max(1);
        let cost = worst.cost.unwrap_or_default();
        Usd::from_nanos(cost.to_nanos_ceil() / i64::from(purchases))
    }
}

/// Why a job was not accepted, as every client understands it.
fn not_accepted(why: NotAccepted) -> Refusal {
    match why {
        NotAccepted::TooFast | NotAccepted::TooMany => Refusal::NoWorker,
        NotAccepted::NoMoney => Refusal::NoMoney,
        NotAccepted::Stopping => Refusal::Draining,
        NotAccepted::OtherRequest => {
            Refusal::BadParameters("this Idempotency-Key was used for another request".to_owned())
        }
        NotAccepted::Store(error) => unreadable(&error),
    }
}

/// What cannot be put on record is not acknowledged.
fn unreadable(error: &StoreError) -> Refusal {
    tracing::error!(%error, "the store cannot be used");
    Refusal::OutOfOrder
}

impl Told {
    fn write(self, incoming: &Incoming) -> Response {
        let protocol = self.protocol.unwrap_or(incoming.protocol);
        let written = write(protocol, incoming.manner, &self.reply);
        let mut response = Response::new(Body::from(written.body));
        *response.status_mut() = StatusCode::from_u16(written.status).unwrap_or_default();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(written.content_type),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if written.allow_origin {
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_ORIGIN,
                HeaderValue::from_static("*"),
            );
        }
        if let Some(solver) = self
            .solver
            .and_then(|solver| HeaderValue::from_str(&solver).ok())
        {
            headers.insert(HeaderName::from_static("x-drag-solver-provider"), solver);
        }
        response
    }
}
