//! Requests as clients send them, and answers to be written.

use bytes::Bytes;
use drag_solver_core::{Drag, Point, Usd};
use drag_solver_wire::{
    Answer, Call, Incoming, Manner, NewJob, Operation, Protocol, Refusal, Reply, Request, Response,
    Shape, write,
};
use secrecy::ExposeSecret as _;

/// Bytes that are no picture: nobody looks.
pub(crate) const PICTURE: &[u8] = b"\x89PNG\xfb\xff\xfe";
pub(crate) const BASE64: &str = "iVBOR/v//g==";
/// The same in a form or a query.
pub(crate) const ESCAPED: &str = "iVBOR%2Fv%2F%2Fg%3D%3D";

pub(crate) fn read(
    method: &str,
    target: &str,
    content_type: &str,
    body: impl Into<Bytes>,
) -> Incoming {
    let headers = vec![("content-type".to_owned(), content_type.to_owned())];
    Incoming::read(&Request::new(method, target, headers, body.into()))
}

/// A JSON body, in which `PICTURE` stands for the picture.
pub(crate) fn json(target: &str, body: &str) -> Incoming {
    let body = body.replace("PICTURE", BASE64);
    read("POST", target, "application/json", body)
}

/// A form, in which `PICTURE` stands for the picture.
pub(crate) fn form(body: &str) -> Incoming {
    let body = body.replace("PICTURE", ESCAPED);
    read("POST", "/in.php", "application/x-www-form-urlencoded", body)
}

pub(crate) fn get(target: &str) -> Incoming {
    read("GET", target, "", "")
}

/// The job of the client `KEY`, with the picture in it.
#[track_caller]
pub(crate) fn job(incoming: Incoming, protocol: Protocol) -> NewJob {
    assert_eq!(incoming.operation, Operation::Create);
    assert_eq!(incoming.protocol, protocol);
    assert_eq!(incoming.key.expose_secret(), "KEY");
    let Ok(Call::Create(job)) = incoming.call else {
        panic!("{:?}", incoming.call)
    };
    assert_eq!(&job.picture[..], PICTURE);
    *job
}

#[track_caller]
pub(crate) fn refusal(incoming: Incoming) -> Refusal {
    incoming.call.unwrap_err()
}

/// The manner of a client that asks for this.
pub(crate) fn manner(target: &str) -> Manner {
    read("POST", target, "", "{}").manner
}

/// From one place to another, on a picture of 591 x 1280 pixels.
pub(crate) fn answer(start: (f64, f64), end: (f64, f64), shape: Shape) -> Answer {
    Answer {
        drag: Drag::new(Point::new(start.0, start.1), Point::new(end.0, end.1)),
        width: 591,
        height: 1_280,
        shape,
        cost: Usd::from_micros(1_200),
        created: 1_795_676_797,
        ended: 1_795_676_799,
    }
}

pub(crate) fn solved(shape: Shape) -> Result<Reply, Refusal> {
    Ok(Reply::Solved(answer((83.0, 560.0), (320.0, 560.0), shape)))
}

pub(crate) fn created(id: &str) -> Result<Reply, Refusal> {
    Ok(Reply::Created(id.to_owned()))
}

pub(crate) fn balance(amount: &str) -> Result<Reply, Refusal> {
    Ok(Reply::Balance(amount.parse().unwrap()))
}

pub(crate) fn text(response: &Response) -> &str {
    std::str::from_utf8(&response.body).unwrap()
}

/// What a client that asks for `target` is told.
#[track_caller]
pub(crate) fn says(
    protocol: Protocol,
    target: &str,
    reply: &Result<Reply, Refusal>,
    expected: &str,
) {
    let response = write(protocol, manner(target), reply);
    assert_eq!(text(&response), expected, "{target} {reply:?}");
    assert_eq!(response.status, 200);
    let is_text = target.contains(".php") && !target.contains("json=1");
    let content_type = if is_text {
        "text/plain; charset=utf-8"
    } else {
        "application/json"
    };
    assert_eq!(response.content_type, content_type);
}
