//! The protocols that are JSON throughout: `createTask` and its family, and `createJob`.

use serde_json::Value;

use super::route::Route;
use super::task::{Format, TASKS, shown};
use super::{Incoming, Reading, scalar};
use crate::{Call, Manner, Operation, Protocol, Refusal, Request};

pub(super) fn read(route: Route, request: &Request, reading: Reading) -> Incoming {
    let body = scalar::json(request.body());
    let key = body.pointer(Format::of(route.protocol).key);
    let key = key.and_then(|key| match reading {
        Reading::Documented => key.as_str().map(str::to_owned),
        Reading::Lenient => scalar::text(key),
    });
    let (protocol, call) = if route.operation == Operation::Unknown {
        (route.protocol, Err(Refusal::NoSuchMethod))
    } else if request.method() != "POST" {
        (route.protocol, Err(Refusal::NotPost))
    } else if !body.is_object() {
        let what = "the body is not a JSON object".to_owned();
        (route.protocol, Err(Refusal::Unreadable(what)))
    } else {
        call(route, &body, reading)
    };
    Incoming {
        protocol,
        operation: route.operation,
        key: key.unwrap_or_default().into(),
        call,
        manner: Manner::new(route.protocol, route.operation),
    }
}

fn call(route: Route, body: &Value, reading: Reading) -> (Protocol, Result<Call, Refusal>) {
    let format = Format::of(route.protocol);
    let id = || {
        body.pointer(format.job)
            .and_then(scalar::id)
            .ok_or(Refusal::NoSuchJob)
    };
    let call = match (route.operation, route.verdict) {
        (Operation::Create, _) if route.is_shared => return create_anywhere(body, reading),
        (Operation::Create, _) => create(route.protocol, body, reading),
        (Operation::Poll, _) => id().map(|id| Call::Poll { ids: vec![id] }),
        (Operation::Report, Some(verdict)) => id().map(|id| Call::Report { id, verdict }),
        (Operation::Balance, _) => Ok(Call::Balance),
        (Operation::Services, _) => Ok(Call::Services),
        _ => Err(Refusal::NoSuchMethod),
    };
    (route.protocol, call)
}

fn create(protocol: Protocol, body: &Value, reading: Reading) -> Result<Call, Refusal> {
    let job = Format::of(protocol).new_job(body, reading)?;
    Ok(Call::Create(Box::new(job)))
}

/// A task whose type says whose it is.
fn create_anywhere(body: &Value, reading: Reading) -> (Protocol, Result<Call, Refusal>) {
    let kind = match Format::of(Protocol::TwoCaptcha).kind(body, reading) {
        Ok(kind) => kind,
        Err(refusal) => return (Protocol::TwoCaptcha, Err(refusal)),
    };
    let mut tasks = TASKS.into_iter();
    match tasks.find(|&it| Format::of(it).kinds.contains(&&*kind)) {
        Some(protocol) => (protocol, create(protocol, body, reading)),
        None => (Protocol::TwoCaptcha, Err(Refusal::TaskType(shown(&kind)))),
    }
}
