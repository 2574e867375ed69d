//! The faults as a table, a row each: what it is called, what becomes of the request, how an answer is
//! delivered, and what is sent in place of the right one.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;

use super::answers::{self, RightAnswer, body, members};
use super::corrupt::{self, before, values};
use super::{Echo, ErrorBody, RedirectTo, ResetPoint};
use crate::response::{Response, status_line};

/// What a fault is.
pub(crate) struct Row<'a> {
    pub(super) name: Cow<'static, str>,
    pub(super) effect: Effect,
    pub(crate) delivery: Delivery,
    /// Makes what is sent out of the right answer.
    pub(crate) send: MakeBytes<'a>,
}

pub(crate) type MakeBytes<'a> = Box<dyn Fn(&RightAnswer<'_>) -> Vec<u8> + Send + 'a>;

/// What becomes of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It is not executed.
    NotExecuted,
    /// It is executed, and the client does not get the answer.
    AnswerLost,
    /// It is executed, and a tolerant client gets the answer.
    Tolerable,
}

/// How an answer is sent, and what becomes of the connection then.
#[derive(Clone, Debug)]
pub(crate) enum Delivery {
    /// It is sent, and the connection may carry another request.
    Whole,
    /// As [`Whole`](Self::Whole), with this pause before each byte.
    Drip(Duration),
    /// The connection is closed in good order.
    ThenClose,
    /// Nothing else comes until the client leaves.
    ThenSilence,
    /// The connection ends with RST instead of FIN.
    ThenReset,
    /// Every connection is reset, and others are refused for this long.
    ThenRefuse(Duration),
    /// A piece follows, so many times, with a pause after each.
    ThenRepeat(Vec<u8>, u64, Duration),
}

use Delivery::{Drip, ThenClose, ThenRefuse, ThenReset, ThenSilence, Whole};
use Effect::{AnswerLost, NotExecuted, Tolerable};

/// A plain fault is one row, with its documentation. One with settings is a variant, and a row for each of
/// its settings that has a name of its own; [`with_settings`] lists those that tests try.
macro_rules! faults {
    (
        plain { $($(#[$doc:meta])* $fault:ident: $name:literal, $effect:ident, $delivery:expr, $send:expr;)+ }
        variants { $($variants:tt)+ }
        rows { $($rows:tt)+ }
    ) => {
        /// One thing that goes wrong: with the connection, with HTTP, or with what an answer says.
        ///
        /// It happens to an [`Operation`](crate::Operation) of the emulator's client, see
        /// [`EmulatorBuilder::fault`](crate::EmulatorBuilder::fault). `Display` is a short name,
        /// different for different faults.
        ///
        /// Where a real provider might have done what was asked before the fault, this one does
        /// ([`executes_request`](Self::executes_request)): the job exists and is paid for, and the client
        /// does not know. That is the case that costs money.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Fault {
            $($(#[$doc])* $fault,)+
            $($variants)+
        }

        impl Fault {
            /// Every fault, each with every setting that makes a difference to a client: for tests that
            /// try them all. Pauses are one millisecond, and a refusal lasts thirty.
            #[must_use]
            pub fn all() -> Vec<Self> {
                [&[$(Self::$fault),+], &*with_settings()].concat()
            }

            pub(crate) fn row(&self) -> Row<'_> {
                match self {
                    $(Self::$fault => row($name, $effect, $delivery, $send),)+
                    $($rows)+
                }
            }
        }
    };
}

faults! {
    plain {
        /// The request is read and never answered.
        Hang: "hang", AnswerLost, ThenSilence, nothing;
        /// Half of the answer comes, and then nothing more.
        Stall: "stall", AnswerLost, ThenSilence, answers::half;
        /// The connection is closed in good order after half of the body.
        Truncate: "truncate", AnswerLost, ThenClose, answers::half;

        /// An HTML page with status 200.
        Html: "html", AnswerLost, Whole, |_| answers::html(200).encode();
        /// Nothing, with status 200.
        EmptyBody: "empty body", AnswerLost, Whole, body(|_| Vec::new());
        /// The right answer, called `text/html`.
        ContentType: "wrong content type", Tolerable, Whole, |right| right.response.called("text/html").encode();
        /// The right answer, with a text in it that is not UTF-8.
        InvalidUtf8: "invalid utf-8", Tolerable, Whole, before(b"\"note\":\"\xff\xfe\xc3(\",");
        /// The right answer behind a byte order mark.
        ByteOrderMark: "byte order mark", Tolerable, Whole, body(|right| [b"\xef\xbb\xbf", right].concat());
        /// The right answer with NULs and a line end behind it.
        TrailingNuls: "trailing nuls", Tolerable, Whole, body(|right| [right, b"\0\0\r\n"].concat());
        /// The right answer, with control characters in a text.
        ControlCharacters: "control characters", Tolerable, Whole, before(b"\"note\":\"one\ttwo\x1b[2J\nthree\",");
        /// The right answer, with `NaN` and `-Infinity` among its members.
        NotANumber: "not a number", Tolerable, Whole, before(b"\"rate\":NaN,\"least\":-Infinity,\"most\":Infinity,");
        /// The right answer with a blank and a NUL behind every text.
        PaddedTexts: "padded texts", Tolerable, Whole, values(|it| Some(format!("{} \0", it.as_str()?).into()));
        /// The right answer with every whole number as a float, as programs in Lua write them.
        WholeNumbersAsFloats: "whole numbers as floats", Tolerable, Whole,
            values(|it| it.is_u64().then(|| it.as_f64().into()));
        /// The right answer with 150 headers, one of them folded, one with a blank in front of its colon.
        OddHeaders: "odd headers", Tolerable, Whole, answers::with_odd_headers;
        /// The right answer, with a member of 100,000 arrays inside each other.
        DeepNesting: "deep nesting", AnswerLost, Whole, members(corrupt::nested);
        /// An answer of 1 GiB, as `Content-Length` says. It is sent as fast as it is read, and never
        /// held in memory.
        Gigabyte: "gigabyte", AnswerLost, spaces(1 << 30), head("Content-Length: 1073741824");
        /// A chunked answer without an end.
        EndlessBody: "endless body", AnswerLost, endless_chunks(), head("Transfer-Encoding: chunked");
        /// `Content-Encoding: gzip`, under 1 MiB, and a gigabyte when unpacked.
        GzipBomb: "gzip bomb", AnswerLost, Whole, |_| answers::gzip_bomb();

        /// The right answer with every member twice; the first is `null`.
        DuplicateFields: "duplicate fields", Tolerable, Whole, members(|it| corrupt::duplicated(it).into_bytes());
        /// The right answer with members that no provider documents.
        UnknownFields: "unknown fields", Tolerable, Whole, before(corrupt::UNKNOWN.as_bytes());
        /// The right answer with every number as a string.
        NumbersAsStrings: "numbers as strings", Tolerable, Whole,
            values(|it| it.is_number().then(|| it.to_string().into()));
        /// The right answer with every numeric string as a number.
        StringsAsNumbers: "strings as numbers", Tolerable, Whole,
            values(|it| serde_json::from_str(it.as_str()?).ok().map(Value::Number));
        /// A job id above 2^53, which a binary float cannot hold. The job is known by that id. Where ids
        /// are UUIDs it changes nothing.
        HugeIds: "ids beyond 2^53", Tolerable, Whole, answers::whole;
        /// A job id above 2^64, which the job is not known by.
        IdsBeyondU64: "ids beyond 2^64", AnswerLost, Whole, members(corrupt::beyond_u64);

        /// Informational answers without an end.
        EndlessInformational: "endless 1xx", AnswerLost, endless_informational(), nothing;
        /// Status 101 in place of an answer.
        SwitchProtocols: "101", AnswerLost, ThenSilence, |_| answers::SWITCH.into();
    }
    variants {
        /// Every connection is reset, and connecting is refused for this long, as if the server were
        /// started again. At [`Operation::Connect`](crate::Operation::Connect) the port is closed from the
        /// beginning.
        Refuse(Duration),
        /// The connection is reset.
        Reset(ResetPoint),
        /// The answer comes a byte at a time, with this pause before each.
        Drip(Duration),
        /// A redirect with this status, and a JSON object as its body.
        Redirect(u16, RedirectTo),
        /// This informational status before the right answer.
        Informational(u16),
        /// This status in place of the answer. [`Fault::status`] is shorter.
        Status {
            /// The status, 200 to 599.
            code: u16,
            /// What comes with it.
            body: ErrorBody,
            /// The value of a `Retry-After` header, good or bad.
            retry_after: Option<Cow<'static, str>>,
        },
        /// An answer that repeats the token. No server should, and some do.
        Echo(Echo),
    }
    rows {
        Self::Refuse(lasting) => row(format!("refuse for {lasting:?}"), NotExecuted, ThenRefuse(*lasting), nothing),
        Self::Reset(ResetPoint::BeforeRequest) => row("reset before the request", NotExecuted, ThenReset, nothing),
        Self::Reset(ResetPoint::BeforeAnswer) => row("reset before the answer", AnswerLost, ThenReset, nothing),
        Self::Reset(ResetPoint::DuringAnswer) => row("reset during the answer", AnswerLost, ThenReset, answers::half),
        Self::Reset(ResetPoint::AfterAnswer) => row("reset after the answer", Tolerable, ThenReset, answers::whole),
        Self::Drip(pause) => row(format!("drip every {pause:?}"), Tolerable, Drip(*pause), answers::whole),

        Self::Redirect(code, to) => row(format!("{code} to {}", redirect_name(*to)), effect_of(*code), Whole, |right| answers::redirect(*code, *to, right)),
        Self::Informational(code) => row(format!("{code} first"), Tolerable, Whole, |right| answers::after(*code, right)),
        Self::Status { code, body, retry_after } => {
            let retry_after = retry_after.as_deref();
            row(status_name(*code, *body, retry_after), effect_of(*code), Whole, move |right| answers::error(*code, *body, retry_after, right))
        }

        Self::Echo(Echo::Plain) => row("echo", NotExecuted, Whole, answers::echo(corrupt::json_plain)),
        Self::Echo(Echo::JsonEscaped) => row("echo json-escaped", NotExecuted, Whole, answers::echo(corrupt::json_escaped)),
        Self::Echo(Echo::Percent) => row("echo percent-encoded", NotExecuted, Whole, answers::echo(corrupt::percent_encoded)),
        Self::Echo(Echo::Base64) => row("echo base64", NotExecuted, Whole, answers::echo(corrupt::basic)),
        Self::Echo(Echo::EveryMember) => row("echo in every member", NotExecuted, Whole, answers::echo_everywhere),
        Self::Echo(Echo::Location) => row("echo in location", NotExecuted, Whole, answers::login),
        Self::Echo(Echo::Page) => row("echo on a page", NotExecuted, Whole, |right| Response::text(500, format!("bad key {}", right.token)).encode()),
    }
}

/// The faults that have settings, each with those that tests try.
#[rustfmt::skip] // what belongs together stands together
fn with_settings() -> Vec<Fault> {
    let mut all = vec![
        Fault::Refuse(Duration::from_millis(30)), Fault::Drip(Duration::from_millis(1)),
        Fault::Redirect(302, RedirectTo::Itself), Fault::Redirect(302, RedirectTo::OtherHost),
        Fault::Redirect(307, RedirectTo::Itself), Fault::Redirect(307, RedirectTo::OtherHost),
        Fault::Redirect(307, RedirectTo::PlainHttp), Fault::Redirect(308, RedirectTo::OtherHost),
        Fault::Informational(100), Fault::Informational(102), Fault::Informational(103),
        Fault::status(204, ErrorBody::Empty),
    ];
    all.extend([
        ResetPoint::BeforeRequest, ResetPoint::BeforeAnswer, ResetPoint::DuringAnswer,
        ResetPoint::AfterAnswer,
    ].map(Fault::Reset));
    // Error statuses that occur in the wild.
    for code in [401, 402, 403, 404, 408, 409, 429, 500, 502, 503, 504, 521] {
        all.extend([ErrorBody::Empty, ErrorBody::Html, ErrorBody::Json].map(|body| Fault::status(code, body)));
    }
    all.extend([
        "3600", "Fri, 31 Dec 2100 23:59:59 GMT", "Wed, 21 Oct 2015 07:28:00 GMT", "soon",
        "18446744073709551615",
    ].map(Fault::retry_after));
    all.extend([
        Echo::Plain, Echo::JsonEscaped, Echo::Percent, Echo::Base64, Echo::EveryMember,
        Echo::Location, Echo::Page,
    ].map(Fault::Echo));
    all
}

fn row<'a>(
    name: impl Into<Cow<'static, str>>,
    effect: Effect,
    delivery: Delivery,
    send: impl Fn(&RightAnswer<'_>) -> Vec<u8> + Send + 'a,
) -> Row<'a> {
    Row {
        name: name.into(),
        effect,
        delivery,
        send: Box::new(send),
    }
}

/// What becomes of a request that is answered with this status.
fn effect_of(status: u16) -> Effect {
    match status {
        301 | 307 | 308 | 400..=499 | 503 | 521 => NotExecuted,
        _ => AnswerLost,
    }
}

fn redirect_name(to: RedirectTo) -> &'static str {
    match to {
        RedirectTo::Itself => "itself",
        RedirectTo::OtherHost => "another host",
        RedirectTo::PlainHttp => "http",
    }
}

fn status_name(code: u16, body: ErrorBody, retry_after: Option<&str>) -> String {
    let body = match body {
        ErrorBody::Empty => "",
        ErrorBody::Html => " html",
        ErrorBody::Json => " json",
    };
    let retry_after = retry_after.map(|value| format!(" retry-after {value}"));
    format!("{code}{body}{}", retry_after.unwrap_or_default())
}

fn nothing(_: &RightAnswer<'_>) -> Vec<u8> {
    Vec::new()
}

/// A head with one more header, and no body yet.
fn head(header: &'static str) -> impl Fn(&RightAnswer<'_>) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    move |_| format!("{head}{header}\r\n\r\n").into_bytes()
}

/// The size of one piece of a flood, in bytes.
const PIECE: usize = 0x10000;

fn spaces(bytes: u64) -> Delivery {
    Delivery::ThenRepeat(vec![b' '; PIECE], bytes / PIECE as u64, Duration::ZERO)
}

fn endless_chunks() -> Delivery {
    let piece = [b"10000\r\n", &vec![b' '; PIECE][..], b"\r\n"].concat();
    Delivery::ThenRepeat(piece, u64::MAX, Duration::ZERO)
}

fn endless_informational() -> Delivery {
    let piece = format!("{}\r\n", status_line(102)).into_bytes();
    // A pause, for others want to be served, too.
    Delivery::ThenRepeat(piece, u64::MAX, Duration::from_millis(1))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_fault_has_a_name_of_its_own() {
        let all = Fault::all();
        let names: HashSet<_> = all.iter().map(ToString::to_string).collect();
        assert_eq!((names.len(), all.len()), (90, 90));
    }
}
