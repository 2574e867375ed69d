//! What can go wrong between a client and a provider, on demand.

mod answers;
mod catalogue;
mod corrupt;
mod script;
mod table;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

pub(crate) use self::answers::RightAnswer;
pub(crate) use self::script::Script;
pub(crate) use self::table::Delivery;
use self::table::Effect;
use crate::Operation;

/// One thing that goes wrong: with the connection, with HTTP, or with what an answer says.
///
/// It happens to an [`Operation`] of the emulator's client, see
/// [`EmulatorBuilder::fault`](crate::EmulatorBuilder::fault). `Display` is a short name,
/// different for different faults.
///
/// Where a real provider might have done what was asked before the fault, this one does
/// ([`executes_request`](Self::executes_request)): the job exists and is paid for, and the client does
/// not know. That is the case that costs money.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// Every connection is reset, and connecting is refused for this long, as if the server were
    /// started again. At [`Operation::Connect`] the port is closed from the beginning.
    Refuse(Duration),
    /// The connection is reset.
    Reset(ResetPoint),
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
    /// The right answer behind a byte order mark.
    ByteOrderMark,
    /// The right answer with NULs and a line end behind it.
    TrailingNuls,
    /// The right answer, with control characters in a text.
    ControlCharacters,
    /// The right answer, with `NaN` and `-Infinity` among its members.
    NotANumber,
    /// The right answer with a blank and a NUL behind every text.
    PaddedTexts,
    /// The right answer with every whole number as a float.
    WholeNumbersAsFloats,
    /// The right answer with 150 headers, one of them folded, one with a blank in front of its colon.
    OddHeaders,
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
    /// The right answer with members that no provider documents.
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
pub enum ResetPoint {
    /// Before the whole request was read.
    BeforeRequest,
    /// When the request was read and executed, and nothing of the answer was sent.
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
    /// [`Stats::redirects_followed`](crate::Stats::redirects_followed).
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
    /// A status that by its definition says that the request was not executed (every 4xx, 503, 521, the
    /// redirects 301, 307 and 308) is sent only when it was not. All others may come after the work, so
    /// here they do.
    #[must_use]
    pub fn executes_request(&self) -> bool {
        self.row().effect != Effect::NotExecuted
    }

    /// Whether the client gets an answer all the same, if it is tolerant and patient.
    #[must_use]
    pub fn is_tolerable(&self) -> bool {
        self.row().effect == Effect::Tolerable
    }

    /// Whether it means anything to `operation`. Before there is a request there can be no answer, so
    /// [`Operation::Connect`] knows only [`Refuse`](Self::Refuse), [`Hang`](Self::Hang) and the reset
    /// [before the request](ResetPoint::BeforeRequest).
    #[must_use]
    pub fn applies_to(&self, operation: Operation) -> bool {
        operation != Operation::Connect
            || matches!(
                self,
                Self::Refuse(_) | Self::Hang | Self::Reset(ResetPoint::BeforeRequest)
            )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.row().name)
    }
}
