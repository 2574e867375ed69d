//! The faults as a table: what each is called, what becomes of the request, how an answer is delivered,
//! and what is sent in place of the right one.

use std::borrow::Cow;
use std::time::Duration;

use super::answers::{self, RightAnswer, body, members};
use super::{Echo, ErrorBody, Fault, RedirectTo, ResetPoint, corrupt};
use crate::response::status_line;

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

impl Fault {
    /// The table.
    #[rustfmt::skip]
    pub(crate) fn row(&self) -> Row<'_> {
        use Delivery::{Drip, ThenClose, ThenRefuse, ThenReset, ThenSilence, Whole};
        use Effect::{AnswerLost, NotExecuted, Tolerable};
        match self {
            // name, the request, how an answer is delivered, what is sent
            Self::Refuse(lasting) => row(format!("refuse for {lasting:?}"), NotExecuted, ThenRefuse(*lasting), nothing),
            Self::Reset(ResetPoint::BeforeRequest) => row("reset before the request", NotExecuted, ThenReset, nothing),
            Self::Reset(ResetPoint::BeforeAnswer)  => row("reset before the answer",  AnswerLost,  ThenReset, nothing),
            Self::Reset(ResetPoint::DuringAnswer)  => row("reset during the answer",  AnswerLost,  ThenReset, answers::half),
            Self::Reset(ResetPoint::AfterAnswer)   => row("reset after the answer",   Tolerable,   ThenReset, answers::whole),
            Self::Hang             => row("hang",               AnswerLost, ThenSilence, nothing),
            Self::Stall            => row("stall",              AnswerLost, ThenSilence, answers::half),
            Self::Drip(pause)      => row(format!("drip every {pause:?}"), Tolerable, Drip(*pause), answers::whole),
            Self::Truncate         => row("truncate",           AnswerLost, ThenClose,   answers::half),

            Self::Html             => row("html",               AnswerLost, Whole, |_| answers::html(200).encode()),
            Self::EmptyBody        => row("empty body",         AnswerLost, Whole, body(|_| Vec::new())),
            Self::ContentType      => row("wrong content type", Tolerable,  Whole, answers::as_html),
            Self::InvalidUtf8      => row("invalid utf-8",      Tolerable,  Whole, members(corrupt::not_utf8)),
            Self::ByteOrderMark    => row("byte order mark",    Tolerable,  Whole, body(corrupt::marked)),
            Self::TrailingNuls     => row("trailing nuls",      Tolerable,  Whole, body(corrupt::with_nuls_behind)),
            Self::ControlCharacters => row("control characters", Tolerable, Whole, members(corrupt::with_control_characters)),
            Self::NotANumber       => row("not a number",       Tolerable,  Whole, members(corrupt::with_no_numbers)),
            Self::PaddedTexts      => row("padded texts",       Tolerable,  Whole, members(corrupt::padded)),
            Self::WholeNumbersAsFloats => row("whole numbers as floats", Tolerable, Whole, members(corrupt::whole_numbers_as_floats)),
            Self::OddHeaders       => row("odd headers",        Tolerable,  Whole, answers::with_odd_headers),
            Self::DeepNesting      => row("deep nesting",       AnswerLost, Whole, members(corrupt::nested)),
            Self::Gigabyte         => row("gigabyte",           AnswerLost, spaces(1 << 30), head("Content-Length: 1073741824")),
            Self::EndlessBody      => row("endless body",       AnswerLost, endless_chunks(), head("Transfer-Encoding: chunked")),
            Self::GzipBomb         => row("gzip bomb",          AnswerLost, Whole, |_| answers::gzip_bomb()),

            Self::DuplicateFields  => row("duplicate fields",   Tolerable,  Whole, members(corrupt::duplicated)),
            Self::UnknownFields    => row("unknown fields",     Tolerable,  Whole, members(corrupt::extended)),
            Self::NumbersAsStrings => row("numbers as strings", Tolerable,  Whole, members(corrupt::numbers_as_strings)),
            Self::StringsAsNumbers => row("strings as numbers", Tolerable,  Whole, members(corrupt::strings_as_numbers)),
            Self::HugeIds          => row("ids beyond 2^53",    Tolerable,  Whole, answers::whole),
            Self::IdsBeyondU64     => row("ids beyond 2^64",    AnswerLost, Whole, members(corrupt::beyond_u64)),

            Self::Redirect(code, to)  => row(format!("{code} to {}", redirect_name(*to)), effect_of(*code), Whole, |right| answers::redirect(*code, *to, right)),
            Self::Informational(code) => row(format!("{code} first"), Tolerable, Whole, |right| answers::after(*code, right)),
            Self::EndlessInformational => row("endless 1xx",    AnswerLost, endless_informational(), nothing),
            Self::SwitchProtocols  => row("101",                AnswerLost, ThenSilence, |_| answers::SWITCH.into()),
            Self::Status { code, body: kind, retry_after } => {
                let retry_after = retry_after.as_deref();
                row(status_name(*code, *kind, retry_after), effect_of(*code), Whole, move |right| answers::error(*code, *kind, retry_after, right))
            }

            Self::Echo(Echo::Plain)       => row("echo",                 NotExecuted, Whole, answers::echo(corrupt::json_plain)),
            Self::Echo(Echo::JsonEscaped) => row("echo json-escaped",    NotExecuted, Whole, answers::echo(corrupt::json_escaped)),
            Self::Echo(Echo::Percent)     => row("echo percent-encoded", NotExecuted, Whole, answers::echo(corrupt::percent_encoded)),
            Self::Echo(Echo::Base64)      => row("echo base64",          NotExecuted, Whole, answers::echo(corrupt::basic)),
            Self::Echo(Echo::EveryMember) => row("echo in every member", NotExecuted, Whole, answers::echo_everywhere),
            Self::Echo(Echo::Location)    => row("echo in location",     NotExecuted, Whole, answers::login),
            Self::Echo(Echo::Page)        => row("echo on a page",       NotExecuted, Whole, answers::bad_key),
        }
    }
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
        301 | 307 | 308 | 400..=499 | 503 | 521 => Effect::NotExecuted,
        _ => Effect::AnswerLost,
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
    match retry_after {
        Some(value) => format!("{code}{body} retry-after {value}"),
        None => format!("{code}{body}"),
    }
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
