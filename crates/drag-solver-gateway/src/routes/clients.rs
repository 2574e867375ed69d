//! The protocols that published clients speak, all at one root.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use drag_solver::store::{KeyRole, Reported};
use drag_solver::{
    DragChallenge, DragSolver as _, ErrorKind, Screenshot, StoreError, Usd, Verdict,
};
use drag_solver_wire::{Call, Incoming, NewJob, Operation, Protocol, Quirk, Refusal, Reply, write};
use futures_util::stream::{self, StreamExt as _};
use tokio::time::sleep;

use crate::bodies::{NotRead, Read};
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
    let Asked {
        call,
        mut incoming,
        room,
        is_json,
        allow_origin,
    } = asked(&gateway, request).await;
    if incoming.operation != Operation::Poll {
        let told = call.answer(&mut incoming).await;
        drop(room);
        measure::request(&incoming, told.outcome());
        return told.write(&incoming);
    }
    drop(room); // a poll is held without what it was read with
    let answering = Box::pin(call.answer_poll(incoming));
    if is_json {
        held_awake(answering, allow_origin).await
    } else {
        answering.await
    }
}

/// A request that is read.
struct Asked<'a> {
    call: ClientCall,
    incoming: Incoming,
    /// What its body takes up.
    room: Option<Read<'a>>,
    /// How it is answered while there is no answer.
    is_json: bool,
    allow_origin: bool,
}

/// Reads a request. Its head ends here, and not after a hold: it is a part of the connection's buffer, and would keep it.
async fn asked(gateway: &Gateway, request: Request) -> Asked<'_> {
    let from = peer(request.extensions());
    let (head, body) = request.into_parts();
    let idempotency_key = text(head.headers.get("idempotency-key"));
    let agent = text(head.headers.get(header::USER_AGENT));
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
    let read = gateway.bodies().read(&head.headers, body, most).await;
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
    let written = write(incoming.protocol, incoming.manner, &Ok(Reply::Running));
    let is_json = written.content_type.starts_with("application/json");
    let gives_up_early = !is_json && agent.is_some_and(|agent| agent.contains("httpx"));
    let hold = gateway.jobs().policy().hold;
    let call = ClientCall {
        from,
        not_read: read.as_ref().err().copied(),
        idempotency_key,
        hold: if gives_up_early {
            hold.min(HTTPX)
        } else {
            hold
        },
        gateway: gateway.clone(),
    };
    Asked {
        call,
        incoming,
        room: read.ok(),
        is_json,
        allow_origin: written.allow_origin,
    }
}

/// How long a client may hear nothing, while its poll is held: published ones give up after 5 s of silence.
const SILENCE: Duration = Duration::from_secs(3);

/// How long the poll of a client is held that gives up after 5 s, and reads a text that nothing can stand before.
const HTTPX: Duration = Duration::from_secs(4);

/// Answers a poll as soon as that can be done. A client that waits is sent a blank now and then, which may stand before any
/// JSON and keeps it from giving up.
async fn held_awake(
    mut answering: impl Future<Output = Response> + Send + Unpin + 'static,
    allow_origin: bool,
) -> Response {
    tokio::select! {
        biased;
        response = &mut answering => return response,
        () = sleep(SILENCE) => {}
    }
    let blank = || Ok::<_, Infallible>(Bytes::from_static(b" "));
    let rest = stream::unfold(Some(answering), move |answering| async move {
        let mut answering = answering?;
        tokio::select! {
            biased;
            response = &mut answering => {
                let body = to_bytes(response.into_body(), usize::MAX).await.unwrap_or_default();
                Some((Ok(body), None))
            }
            () = sleep(SILENCE) => Some((blank(), Some(answering))),
        }
    });
    let parts = stream::once(async move { blank() }).chain(rest);
    let mut response = Response::new(Body::from_stream(parts));
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if allow_origin {
        let anybody = HeaderValue::from_static("*");
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anybody);
    }
    response
}

fn text(value: Option<&HeaderValue>) -> Option<String> {
    value?.to_str().ok().map(str::to_owned)
}

struct ClientCall {
    gateway: Gateway,
    from: Option<IpAddr>,
    /// Why its body was not read, so that nothing is known of it, and no key of it is wrong.
    not_read: Option<NotRead>,
    idempotency_key: Option<String>,
    /// How long a question for an answer that is not there is held.
    hold: Duration,
}

/// What a client is told, in the protocol of its job.
struct Told {
    reply: Result<Reply, Refusal>,
    /// That of the job, if it is known.
    protocol: Option<Protocol>,
    /// Who answered.
    solver: Option<String>,
    /// What is counted, unless the reply says it.
    outcome: Option<&'static str>,
}

impl From<Result<Reply, Refusal>> for Told {
    fn from(reply: Result<Reply, Refusal>) -> Self {
        Self {
            reply,
            protocol: None,
            solver: None,
            outcome: None,
        }
    }
}

impl ClientCall {
    /// Answers a poll, which may take as long as it is held.
    #[allow(clippy::manual_async_fn)] // an `async fn` keeps its arguments twice
    fn answer_poll(self, mut incoming: Incoming) -> impl Future<Output = Response> + Send {
        async move {
            let told = self.answer(&mut incoming).await;
            measure::request(&incoming, told.outcome());
            told.write(&incoming)
        }
    }

    async fn answer(&self, incoming: &mut Incoming) -> Told {
        if let Some(why) = self.not_read {
            return self.refused("not read", incoming, self.not_read(why));
        }
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
            return self.refused("unknown", incoming, Err(Refusal::BadToken).into());
        };
        let told = self.answer_account(&account, incoming).await;
        self.refused(&account.name, incoming, told)
    }

    /// Says in the log what was refused, to whom and why, and counts it. What a client has sent may be in it, and is not
    /// taken for lines of ours.
    fn refused(&self, key: &str, incoming: &Incoming, told: Told) -> Told {
        if let Err(refusal) = &told.reply {
            let (protocol, operation) = (incoming.protocol, incoming.operation);
            let (outcome, why) = (told.outcome(), refusal.to_string());
            tracing::debug!(key, %protocol, %operation, outcome, ?why, "refused");
            self.gateway.jobs().figures().refused(outcome);
        }
        told
    }

    async fn answer_account(&self, account: &Arc<Account>, incoming: &mut Incoming) -> Told {
        // Taken out, so that a picture is gone as soon as it is on record.
        let call = std::mem::replace(&mut incoming.call, Err(Refusal::NoSuchMethod));
        match call {
            Err(refusal) => Err(refusal).into(),
            Ok(Call::Create(job)) => self.create(account, incoming.protocol, *job).await.into(),
            Ok(Call::Poll { ids }) => self.poll(account, ids).await,
            Ok(Call::Report { id, verdict }) => self.report(account, &id, verdict).await.into(),
            Ok(Call::Balance) => self.balance(account).await.into(),
            Ok(Call::Services) => Ok(Reply::Services(self.price())).into(),
        }
    }

    fn not_read(&self, why: NotRead) -> Told {
        let refusal = match why {
            NotRead::Busy => Refusal::NoWorker,
            NotRead::TooLarge => {
                let most = self.gateway.jobs().policy().max_body;
                Refusal::PictureTooLarge(format!("at most {most} bytes are read of a request"))
            }
            NotRead::CutOff => {
                let why = "the body is not whole".to_owned();
                return Told {
                    outcome: Some("cut_off"),
                    ..Told::from(Err(Refusal::Unreadable(why)))
                };
            }
        };
        Err(refusal).into()
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
            if instruction.contains('\0') {
                let why = "a NUL stands in the instruction".to_owned();
                return Err(Refusal::BadParameters(why));
            }
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
        let hold = self.hold;
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
                    outcome: outcome
                        .result
                        .as_ref()
                        .err()
                        .and_then(|failed| of_the_operator(failed.kind)),
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
        if account.role() != KeyRole::Client {
            return Err(Refusal::BadToken); // such a key buys nothing, and has no limit that could be told
        }
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

/// What is counted for a job that has failed because of an account of the gateway's own: its client can do nothing.
fn of_the_operator(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::Unauthorized | ErrorKind::InsufficientBalance => Some("provider_account"),
        _ => None,
    }
}

impl Told {
    fn outcome(&self) -> &'static str {
        self.outcome
            .unwrap_or_else(|| measure::outcome(&self.reply))
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    /// Each job that waits keeps this future for as long as its poll is held. It grows unseen: what any branch of it keeps
    /// over an await, each has room for.
    #[test]
    fn a_poll_that_is_held_keeps_little() {
        fn size<F>(_: impl FnOnce(ClientCall, Incoming) -> F) -> usize {
            size_of::<F>()
        }
        let size = size(ClientCall::answer_poll);
        assert!(size <= 1_408, "{size} bytes");
    }
}
