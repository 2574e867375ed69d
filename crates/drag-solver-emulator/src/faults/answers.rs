//! What a fault sends in place of the right answer. Pure: bytes out of the right answer.

use serde_json::{Map, Value};

use super::{ErrorBody, RedirectTo, corrupt};
use crate::Protocol;
use crate::http1::{Response, status_line};
use crate::protocol::Refusal;

pub(super) const SWITCH: &str =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n";

/// The right answer, and what else goes into wrong ones.
pub(crate) struct RightAnswer<'a> {
    pub(crate) protocol: Protocol,
    pub(crate) json: &'a Value,
    /// The token that the request brought.
    pub(crate) token: &'a str,
    /// Path and query of the request.
    pub(crate) target: &'a str,
    /// The emulator's own port.
    pub(crate) port: u16,
}

pub(super) fn whole(right: &RightAnswer<'_>) -> Vec<u8> {
    Response::json(200, right.json.to_string()).encode()
}

/// The head and half of the body.
pub(super) fn half(right: &RightAnswer<'_>) -> Vec<u8> {
    let mut bytes = whole(right);
    bytes.truncate(bytes.len() - right.json.to_string().len() / 2);
    bytes
}

/// Behind headers that other clients read.
pub(super) fn with_odd_headers(right: &RightAnswer<'_>) -> Vec<u8> {
    let answer = String::from_utf8_lossy(&whole(right)).into_owned();
    let many = "X-Header: one of many\r\n".repeat(150);
    let odd = format!("\r\nX-Folded: one\r\n two\r\nX-Blank : one\r\n{many}");
    answer.replacen("\r\n", &odd, 1).into_bytes()
}

pub(super) fn as_html(right: &RightAnswer<'_>) -> Vec<u8> {
    Response::new(200, "text/html", right.json.to_string()).encode()
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
    let redirect = Response::json(code, "{}").with_header("Location", &target);
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
                _ => Refusal::Malformed("it did not arrive in good order".to_owned()),
            };
            let body = right.protocol.write(&Err(refusal), &[]);
            Response::json(code, body.to_string())
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
    let bomb = Response::json(200, corrupt::BOMB.clone());
    bomb.with_header("Content-Encoding", "gzip").encode()
}

/// A refusal of the token, with what `encode` makes of the token in its text.
pub(super) fn echo(encode: impl Fn(&str) -> String) -> impl Fn(&RightAnswer<'_>) -> Vec<u8> {
    move |right| {
        let mut refusal = right.protocol.write(&Err(Refusal::BadToken), &[]);
        for member in ["message", "errorDescription"] {
            if let Some(message) = refusal.get_mut(member) {
                *message = format!("Invalid api token: {MARK}").into();
            }
        }
        let body = refusal.to_string().replace(MARK, &encode(right.token));
        Response::json(200, body).encode()
    }
}

/// Stands for the token until the rest is JSON.
const MARK: &str = "@token@";

/// The right answer, with the token for every text and number.
pub(super) fn echo_everywhere(right: &RightAnswer<'_>) -> Vec<u8> {
    let mut body = right.json.clone();
    for value in body.as_object_mut().into_iter().flat_map(Map::values_mut) {
        if value.is_string() || value.is_number() {
            *value = right.token.into();
        }
    }
    Response::json(200, body.to_string()).encode()
}

pub(super) fn login(right: &RightAnswer<'_>) -> Vec<u8> {
    let target = format!("/login?key={}", corrupt::percent_encoded(right.token));
    let page = format!("<a href=\"{target}\">{}</a>", right.token);
    let redirect = Response::new(307, "text/html", page).with_header("Location", &target);
    redirect.encode()
}

pub(super) fn bad_key(right: &RightAnswer<'_>) -> Vec<u8> {
    Response::new(500, "text/plain", format!("bad key {}", right.token)).encode()
}
