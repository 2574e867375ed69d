//! Whose protocol it is, and what a client does in it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A protocol that clients of such services speak. `Display` is the name in serde's spelling, as in
/// `two_captcha`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Protocol {
    /// omocaptcha's `createJob` protocol, under `/api`.
    OmocaptchaV1,
    /// omocaptcha's `createTask` protocol, under `/v2`.
    OmocaptchaV2,
    /// 2Captcha's `createTask` protocol, under `/2captcha` or at the root.
    TwoCaptcha,
    /// Anti-Captcha's `createTask` protocol, under `/anticaptcha` or at the root.
    AntiCaptcha,
    /// 2Captcha's older protocol, `in.php` and `res.php`, at the root.
    InPhp,
}

impl Protocol {
    /// Every protocol there is.
    pub const ALL: &'static [Self] = &[
        Self::OmocaptchaV1,
        Self::OmocaptchaV2,
        Self::TwoCaptcha,
        Self::AntiCaptcha,
        Self::InPhp,
    ];

    /// A path that its methods are under, and those of no other protocol; empty for `in.php`.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::OmocaptchaV1 => "/api",
            Self::OmocaptchaV2 => "/v2",
            Self::TwoCaptcha => "/2captcha",
            Self::AntiCaptcha => "/anticaptcha",
            Self::InPhp => "",
        }
    }

    /// The name in serde's spelling, as in `two_captcha`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OmocaptchaV1 => "omocaptcha_v1",
            Self::OmocaptchaV2 => "omocaptcha_v2",
            Self::TwoCaptcha => "two_captcha",
            Self::AntiCaptcha => "anti_captcha",
            Self::InPhp => "in_php",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a client is doing. `Display` is the name in lower case, as in `create`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Opens a connection. No request is read as this.
    Connect,
    /// Creates a job: `createJob`, `createTask`, `in.php`.
    Create,
    /// Asks for a job's result: `getJobResult`, `getTaskResult`, `res.php?action=get`.
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

impl fmt::Display for Operation {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_has_one_spelling() {
        for &protocol in Protocol::ALL {
            let name = serde_json::to_value(protocol).unwrap();
            assert_eq!(name, protocol.to_string());
            assert_eq!(serde_json::from_value::<Protocol>(name).unwrap(), protocol);
        }
        assert_eq!(Operation::Services.to_string(), "services");
    }
}
