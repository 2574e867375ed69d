//! The providers' protocols, from the server's side: what a request asks for, and how a reply reads.
//! Pure functions over bytes and JSON; sockets, clocks and money are elsewhere.

mod anticaptcha;
mod create_task;
mod format;
mod job_id;
mod omocaptcha_v1;
mod omocaptcha_v2;
mod quirk;
mod reply;
mod request;
mod twocaptcha;

use std::fmt;

use serde_json::Value;

pub(crate) use self::format::Format;
pub(crate) use self::job_id::mix;
pub use self::quirk::Quirk;
pub(crate) use self::reply::{Answer, Refusal, Reply};
pub(crate) use self::request::{Call, NewJob, Route};

/// A wire protocol that the emulator speaks. Each has a path of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// omocaptcha's `createJob` protocol, under `/api`.
    OmocaptchaV1,
    /// omocaptcha's `createTask` protocol, under `/v2`.
    OmocaptchaV2,
    /// 2Captcha's `createTask` protocol, under `/2captcha`.
    TwoCaptcha,
    /// Anti-Captcha's `createTask` protocol, under `/anticaptcha`.
    AntiCaptcha,
}

impl Protocol {
    /// Every protocol there is.
    pub const ALL: &'static [Self] = &[
        Self::OmocaptchaV1,
        Self::OmocaptchaV2,
        Self::TwoCaptcha,
        Self::AntiCaptcha,
    ];

    /// The path that its methods are under.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::OmocaptchaV1 => "/api",
            Self::OmocaptchaV2 => "/v2",
            Self::TwoCaptcha => "/2captcha",
            Self::AntiCaptcha => "/anticaptcha",
        }
    }

    pub(crate) fn format(self) -> &'static Format {
        match self {
            Self::OmocaptchaV1 => &omocaptcha_v1::FORMAT,
            Self::OmocaptchaV2 => &omocaptcha_v2::FORMAT,
            Self::TwoCaptcha => &twocaptcha::FORMAT,
            Self::AntiCaptcha => &anticaptcha::FORMAT,
        }
    }

    /// The body of an answer.
    pub(crate) fn write(self, reply: &Result<Reply, Refusal>, quirks: &[Quirk]) -> Value {
        (self.format().write)(reply, quirks)
    }
}

/// What a client is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Opens a connection.
    Connect,
    /// Creates a job: `createJob`, `createTask`.
    Create,
    /// Asks for a job's result: `getJobResult`, `getTaskResult`.
    Poll,
    /// Says whether an answer was right: `reportCorrect` and the like.
    Report,
    /// Asks for the balance: `getBalance`.
    Balance,
    /// Asks for the list of services: omocaptcha's `getService`.
    Services,
    /// Asks for something that no protocol has.
    Unknown,
}

/// The name in lower case, as in `create`.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{self:?}").to_lowercase())
    }
}
