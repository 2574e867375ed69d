//! What a fault sends in place of the right answer. Pure: bytes out of the right answer.

use drag_solver_wire::Refusal;
use serde_json::{Map, Value, json};

use super::{ErrorBody, RedirectTo, corrupt};
use crate::response::{Response, status_line};

pub(super) const SWITCH: &str =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n";

/// The right answer, and what else goes into wrong ones.
pub(crate) struct RightAnswer<'a> {
    pub(crate) response: &'a Response,
    /// A refusal in the service's own words.
    pub(crate) refuse: &'a dyn Fn(Refusal) -> Response,
    /// The token that the request brought.
    pub(crate) token: &'a str,
    /// Path and query of the request.
    pub(crate) target: &'a str,
    /// The emulator's own port.
    pub(crate) port: u16,
}

pub(super) fn whole(right: &RightAnswer<'_>) -> Vec<u8> {
    right.response.encode()
}

/// The head and half of the body; of an answer without one, half of the head.
pub(super) fn half(right: &RightAnswer<'_>) -> Vec<u8> {
    let mut bytes = whole(right);
    let cut = match right.response.body.len() {
        0 => bytes.len() / 2,
        length => length.div_ceil(2),
    };
    bytes.truncate(bytes.len() - cut);
    bytes
}

/// Another body, made of the right one.
pub(super) fn body(change: fn(&[u8]) -> Vec<u8>) -> impl Fn(&RightAnswer<'_>) -> Vec<u8> {
    move |right| {
        let response = right.response;
        response.with_body(change(&response.body)).encode()
    }
}

/// Another body, made of the JSON in the right one. An answer that is no JSON is sent as it is.
pub(super) fn members(change: impl Fn(&Value) -> Vec<u8>) -> impl Fn(&RightAnswer<'_>) -> Vec<u8> {
    move |right| match serde_json::from_slice(&right.response.body) {
        Ok(json) => right.response.with_body(change(&json)).encode(),
        Err(_) => whole(right),
    }
}

/// Behind headers that other clients read.
pub(super) fn with_odd_headers(right: &RightAnswer<'_>) -> Vec<u8> {
    let mut answer = whole(right);
    let many = "X-Header: one of many\r\n".repeat(150);
    let odd = format!("\r\nX-Folded: one\r\n two\r\nX-Blank : one\r\n{many}");
    if let Some(at) = answer.windows(2).position(|two| two == b"\r\n") {
        answer.splice(at..at + 2, odd.into_bytes());
    }
    answer
}

/// The right answer behind this informational status.
pub(super) fn after(status: u16, right: &RightAnswer<'_>) -> Vec<u8> {
    let first = format!("{}\r\n", status_line(status));
    [first.into_bytes(), whole(right)].concat()
}

pub(super) fn redirect(code: u16, to: RedirectTo, right: &RightAnswer<'_>) -> Vec<u8> {
    let (target, port) = (right.target, right.port);
    let target = match to {
        RedirectTo::Itself => target.to_owned(),
        RedirectTo::OtherHost => format!("//localhost:{port}{target}?redirected"),
        RedirectTo::PlainHttp => format!("http://127.0.0.1:{port}{target}?redirected"),
    };
    let redirect = Response::json(code, &json!({})).with_header("Location", &target);
    redirect.encode()
}

/// An error in the provider's own words, or in none.
pub(super) fn error(
    code: u16,
    body: ErrorBody,
    retry_after: Option<&str>,
    right: &RightAnswer<'_>,
) -> Vec<u8> {
    let error = match body {
        ErrorBody::Empty => Response::empty(code),
        ErrorBody::Html => html(code),
        ErrorBody::Json => {
            let refusal = match code {
                401 | 403 => Refusal::BadToken,
                402 => Refusal::NoMoney,
                404 => Refusal::NoSuchMethod,
                429 => Refusal::NoWorker,
                408 | 500..=599 => Refusal::OutOfOrder,
                _ => Refusal::BadParameters("it did not arrive in good order".to_owned()),
            };
            (right.refuse)(refusal).with_status(code)
        }
    };
    match retry_after {
        Some(value) => error.with_header("Retry-After", value).encode(),
        None => error.encode(),
    }
}

/// A page for people, as proxies send it.
pub(super) fn html(code: u16) -> Response {
    let title = "It is broken";
    let page = format!(
        "<!DOCTYPE html>\n<html><head><title>{title}</title></head>\
         <body><h1>{title}</h1><hr>nginx</body></html>\n"
    );
    Response::new(code, "text/html; charset=utf-8", page)
}

pub(super) fn gzip_bomb() -> Vec<u8> {
    let bomb = Response::new(200, "application/json", corrupt::BOMB.clone());
    bomb.with_header("Content-Encoding", "gzip").encode()
}

/// A refusal of the token, with what `encode` makes of the token in its text.
pub(super) fn echo(encode: impl Fn(&str) -> String) -> impl Fn(&RightAnswer<'_>) -> Vec<u8> {
    move |right| {
        let refusal = (right.refuse)(Refusal::BadToken);
        let (words, token) = (Refusal::BadToken.to_string(), encode(right.token));
        let body = String::from_utf8_lossy(&refusal.body);
        let body = if body.contains(&words) {
            let said = format!("{}: {token}", words.trim_end_matches('.'));
            body.replacen(&words, &said, 1)
        } else {
            format!("{body}: {token}") // a code and no words
        };
        refusal.with_body(body).encode()
    }
}

/// The right answer, with the token for every text and number.
pub(super) fn echo_everywhere(right: &RightAnswer<'_>) -> Vec<u8> {
    let mut body: Value = serde_json::from_slice(&right.response.body).unwrap_or_default();
    for value in body.as_object_mut().into_iter().flat_map(Map::values_mut) {
        if value.is_string() || value.is_number() {
            *value = right.token.into();
        }
    }
    Response::json(200, &body).encode()
}

pub(super) fn login(right: &RightAnswer<'_>) -> Vec<u8> {
    let target = format!("/login?key={}", corrupt::percent_encoded(right.token));
    let page = format!("<a href=\"{target}\">{}</a>", right.token);
    let redirect = Response::new(307, "text/html", page).with_header("Location", &target);
    redirect.encode()
}
