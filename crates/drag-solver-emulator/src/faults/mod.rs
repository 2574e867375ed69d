//! What can go wrong between a client and a provider, on demand.

mod answers;
mod corrupt;
mod script;
mod table;

use std::borrow::Cow;
use std::fmt;

pub(crate) use self::answers::RightAnswer;
pub(crate) use self::script::Script;
pub(crate) use self::table::Delivery;
use self::table::Effect;
pub use self::table::Fault;
use crate::Operation;

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
    /// [`Traffic::redirects_followed`](crate::Traffic::redirects_followed).
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
