//! Which protocol a request speaks, and what it is for.

use std::fmt;

use super::protocol::Protocol;
use super::{anticaptcha, omocaptcha_v1, omocaptcha_v2, twocaptcha};

/// A wire protocol that the emulator speaks. Each has a path of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// omocaptcha's `createJob` protocol, under `/api`.
    OmocaptchaV1,
    /// omocaptcha's `createTask` protocol, under `/v2`.
    OmocaptchaV2,
    /// 2Captcha's `createTask` protocol, under `/2captcha`.
    TwoCaptcha,
    /// Anti-Captcha's `createTask` protocol, under `/anticaptcha`.
    AntiCaptcha,
}

impl Dialect {
    /// Every dialect there is.
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

    pub(super) fn protocol(self) -> &'static dyn Protocol {
        match self {
            Self::OmocaptchaV1 => &omocaptcha_v1::OmocaptchaV1,
            Self::OmocaptchaV2 => &omocaptcha_v2::DIALECT,
            Self::TwoCaptcha => &twocaptcha::DIALECT,
            Self::AntiCaptcha => &anticaptcha::DIALECT,
        }
    }
}

/// What a client does at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
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
    /// Asks for something that no dialect has.
    Unknown,
}

impl Step {
    /// Every step there is.
    pub const ALL: &'static [Self] = &[
        Self::Connect,
        Self::Create,
        Self::Poll,
        Self::Report,
        Self::Balance,
        Self::Services,
        Self::Unknown,
    ];
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Connect => "connect",
            Self::Create => "create",
            Self::Poll => "poll",
            Self::Report => "report",
            Self::Balance => "balance",
            Self::Services => "services",
            Self::Unknown => "unknown",
        })
    }
}

/// Where a request is addressed to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route<'a> {
    pub(super) dialect: Option<Dialect>,
    pub(super) method: &'a str,
    pub(super) step: Step,
}

/// Finds out what a request to `target` is for. A query is ignored.
pub(super) fn route(target: &str) -> Route<'_> {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let found = Dialect::ALL.iter().find_map(|dialect| {
        let method = path.strip_prefix(dialect.path())?.strip_prefix('/')?;
        Some((*dialect, method))
    });
    match found {
        Some((dialect, method)) => Route {
            dialect: Some(dialect),
            method,
            step: dialect.protocol().step(method).unwrap_or(Step::Unknown),
        },
        None => Route {
            dialect: None,
            method: "",
            step: Step::Unknown,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_is_found_under_its_own_path_alone() {
        let cases = [
            ("/api/createJob", Some(Dialect::OmocaptchaV1), Step::Create),
            ("/api/getJobResult", Some(Dialect::OmocaptchaV1), Step::Poll),
            (
                "/api/getService?x=1",
                Some(Dialect::OmocaptchaV1),
                Step::Services,
            ),
            (
                "/api/createTask",
                Some(Dialect::OmocaptchaV1),
                Step::Unknown,
            ),
            ("/v2/createTask", Some(Dialect::OmocaptchaV2), Step::Create),
            (
                "/v2/reportCorrect",
                Some(Dialect::OmocaptchaV2),
                Step::Unknown,
            ),
            (
                "/2captcha/reportCorrect",
                Some(Dialect::TwoCaptcha),
                Step::Report,
            ),
            (
                "/2captcha/getBalance",
                Some(Dialect::TwoCaptcha),
                Step::Balance,
            ),
            (
                "/anticaptcha/getTaskResult",
                Some(Dialect::AntiCaptcha),
                Step::Poll,
            ),
            (
                "/anticaptcha/reportCorrect",
                Some(Dialect::AntiCaptcha),
                Step::Unknown,
            ),
            ("/createTask", None, Step::Unknown),
            ("/apiary/createJob", None, Step::Unknown),
        ];
        for (target, dialect, step) in cases {
            let route = route(target);
            assert_eq!((route.dialect, route.step), (dialect, step), "{target}");
        }
    }
}
