//! The protocols that published clients speak, all at one root.

mod call;
mod held;
mod told;

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use drag_solver_wire::{Incoming, Operation, Quirk, Reply, write};

use self::call::ClientCall;
use crate::bodies::Read;
use crate::caller::peer;
use crate::{Gateway, measure};

/// How long the poll of a client is held that gives up after 5 s, and reads a text that nothing can stand before.
const HTTPX: Duration = Duration::from_secs(4);

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
        held::held_awake(answering, allow_origin).await
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

fn text(value: Option<&HeaderValue>) -> Option<String> {
    value?.to_str().ok().map(str::to_owned)
}
