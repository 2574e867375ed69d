//! The faults, and what each does to the request behind it.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::emulator::Step;

/// One thing that goes wrong: with the connection, with HTTP, or with what an answer says.
///
/// Each happens at a [`Step`] of the emulator's client, see
/// [`EmulatorBuilder::fault`](super::super::EmulatorBuilder::fault). `Display` is a short name,
/// different for different faults.
///
/// Where a real provider might have done what was asked before the fault, this one does
/// ([`is_carried_out`](Self::is_carried_out)): the job exists and is paid for, and the client does
/// not know. That is the case that costs money.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// Every connection is reset, and connecting is refused for this long, as if the server were
    /// started again. At [`Step::Connect`] nobody listens from the beginning.
    Refuse(Duration),
    /// The connection is reset.
    Reset(Moment),
    /// The request is read and never answered.
    Hang,
    /// Half of the answer comes, and then nothing more.
    Stall,
    /// The answer comes a byte at a time, with this pause before each.
    Drip(Duration),
    /// The connection is closed in good order after half of the body.
    Truncate,

    /// An HTML page with status 200.
    Html,
    /// Nothing, with status 200.
    EmptyBody,
    /// The right answer, called `text/html`.
    ContentType,
    /// The right answer, with a text in it that is not UTF-8.
    InvalidUtf8,
    /// The right answer, with a member of 100,000 arrays inside each other.
    DeepNesting,
    /// An answer of 1 GiB, as `Content-Length` says. It is sent as fast as it is read, and never
    /// held in memory.
    Gigabyte,
    /// A chunked answer without an end.
    EndlessBody,
    /// `Content-Encoding: gzip`, under 1 MiB, and a gigabyte when unpacked.
    GzipBomb,

    /// The right answer with every member twice; the first is `null`.
    DuplicateFields,
    /// The right answer with members that nobody documents.
    UnknownFields,
    /// The right answer with every number as a string.
    NumbersAsStrings,
    /// The right answer with every numeric string as a number.
    StringsAsNumbers,
    /// A job id above 2^53, which a binary float cannot hold. The job is known by that id. Where ids
    /// are UUIDs it changes nothing.
    HugeIds,
    /// A job id above 2^64, which the job is not known by.
    IdsBeyondU64,

    /// A redirect with this status, and a JSON object as its body.
    Redirect(u16, RedirectTo),
    /// This informational status before the right answer.
    Informational(u16),
    /// Informational answers without an end.
    EndlessInformational,
    /// Status 101 in place of an answer.
    SwitchProtocols,
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

/// When a connection is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Moment {
    /// Before the whole request was read.
    BeforeRequest,
    /// When the request was read and carried out, and nothing of the answer was sent.
    BeforeAnswer,
    /// After half of the answer.
    DuringAnswer,
    /// After all of it.
    AfterAnswer,
}

/// Where a redirect points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RedirectTo {
    /// To the very same URL.
    Itself,
    /// To another host name, which is the emulator too: a client that follows it shows up in
    /// [`Books::redirects_followed`](super::super::Books::redirects_followed).
    OtherHost,
    /// To an absolute URL that begins with `http:`; seen when followed, like
    /// [`OtherHost`](Self::OtherHost).
    PlainHttp,
}

/// What comes with an error's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorBody {
    /// Nothing.
    Empty,
    /// A page for people, as proxies send it.
    Html,
    /// An error in the provider's own words that goes with the status.
    Json,
}

/// How an answer repeats the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Echo {
    /// In the message of a refusal, as it is.
    Plain,
    /// In the message of a refusal, every character as `\u0068`.
    JsonEscaped,
    /// In the message of a refusal, percent-encoded.
    Percent,
    /// In the message of a refusal, in base64, behind other text.
    Base64,
    /// As every text and number of an answer: id, status, code, message.
    EveryMember,
    /// In the `Location` of a redirect, percent-encoded, and in its body.
    Location,
    /// In a body that is not JSON, with the status 500.
    Page,
}

impl Fault {
    /// The status `code` in place of an answer.
    #[must_use]
    pub const fn status(code: u16, body: ErrorBody) -> Self {
        Self::Status {
            code,
            body,
            retry_after: None,
        }
    }

    /// Status 429 and no body, with this value as `Retry-After`.
    #[must_use]
    pub fn retry_after(value: impl Into<Cow<'static, str>>) -> Self {
        Self::Status {
            code: 429,
            body: ErrorBody::Empty,
            retry_after: Some(value.into()),
        }
    }

    /// Whether the provider does what it was asked before the fault shows: a job is created and
    /// paid for.
    ///
    /// A status that by its definition says that the request was not carried out (every 4xx, 503,
    /// 521, the redirects 301, 307 and 308) is sent only when it was not. All others may come after
    /// the work, so here they do.
    #[must_use]
    pub const fn is_carried_out(&self) -> bool {
        match self {
            Self::Refuse(_) | Self::Reset(Moment::BeforeRequest) | Self::Echo(_) => false,
            Self::Redirect(code, _) => !matches!(code, 301 | 307 | 308),
            Self::Status { code, .. } => !matches!(code, 400..=499 | 503 | 521),
            _ => true,
        }
    }

    /// Whether the client gets an answer all the same, if it is tolerant and patient.
    #[must_use]
    pub const fn is_bearable(&self) -> bool {
        matches!(
            self,
            Self::Reset(Moment::AfterAnswer)
                | Self::Drip(_)
                | Self::ContentType
                | Self::DuplicateFields
                | Self::UnknownFields
                | Self::NumbersAsStrings
                | Self::StringsAsNumbers
                | Self::HugeIds
                | Self::Informational(_)
        )
    }

    /// Whether it means anything at `step`. Before there is a request there can be no answer, so
    /// [`Step::Connect`] knows only [`Refuse`](Self::Refuse), [`Hang`](Self::Hang) and the reset
    /// [before the request](Moment::BeforeRequest).
    #[must_use]
    pub fn works_at(&self, step: Step) -> bool {
        let is_early = matches!(
            self,
            Self::Refuse(_) | Self::Hang | Self::Reset(Moment::BeforeRequest)
        );
        step != Step::Connect || is_early
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Refuse(lasting) => return write!(f, "refuse for {lasting:?}"),
            Self::Reset(Moment::BeforeRequest) => "reset before the request",
            Self::Reset(Moment::BeforeAnswer) => "reset before the answer",
            Self::Reset(Moment::DuringAnswer) => "reset during the answer",
            Self::Reset(Moment::AfterAnswer) => "reset after the answer",
            Self::Hang => "hang",
            Self::Stall => "stall",
            Self::Drip(pause) => return write!(f, "drip every {pause:?}"),
            Self::Truncate => "truncate",
            Self::Html => "html",
            Self::EmptyBody => "empty body",
            Self::ContentType => "wrong content type",
            Self::InvalidUtf8 => "invalid utf-8",
            Self::DeepNesting => "deep nesting",
            Self::Gigabyte => "gigabyte",
            Self::EndlessBody => "endless body",
            Self::GzipBomb => "gzip bomb",
            Self::DuplicateFields => "duplicate fields",
            Self::UnknownFields => "unknown fields",
            Self::NumbersAsStrings => "numbers as strings",
            Self::StringsAsNumbers => "strings as numbers",
            Self::HugeIds => "ids beyond 2^53",
            Self::IdsBeyondU64 => "ids beyond 2^64",
            Self::Redirect(code, to) => {
                let to = match to {
                    RedirectTo::Itself => "itself",
                    RedirectTo::OtherHost => "another host",
                    RedirectTo::PlainHttp => "http",
                };
                return write!(f, "{code} to {to}");
            }
            Self::Informational(code) => return write!(f, "{code} first"),
            Self::EndlessInformational => "endless 1xx",
            Self::SwitchProtocols => "101",
            Self::Status {
                code,
                body,
                retry_after,
            } => {
                write!(f, "{code}")?;
                match body {
                    ErrorBody::Empty => {}
                    ErrorBody::Html => f.write_str(" html")?,
                    ErrorBody::Json => f.write_str(" json")?,
                }
                return match retry_after {
                    Some(value) => write!(f, " retry-after {value}"),
                    None => Ok(()),
                };
            }
            Self::Echo(echo) => match echo {
                Echo::Plain => "echo",
                Echo::JsonEscaped => "echo json-escaped",
                Echo::Percent => "echo percent-encoded",
                Echo::Base64 => "echo base64",
                Echo::EveryMember => "echo in every member",
                Echo::Location => "echo in location",
                Echo::Page => "echo on a page",
            },
        };
        f.pad(name)
    }
}
