//! The providers, all asked in the same way.

use std::time::Duration;

use drag_solver::http::{PollInterval, Recorder, ReplayTransport};
use drag_solver::providers::AntiCaptcha;
use drag_solver::providers::TwoCaptcha;
use drag_solver::providers::{ApiVersion, Omocaptcha};
use drag_solver::testing::emulator::{Emulator, Protocol};
use drag_solver::{DragSolver, SolveError};

/// Full of characters that JSON, URLs and HTML write in another way.
pub(super) const TOKEN: &str = r#"q9Zv7"\/+=%&<'k3y8s"#;

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Provider {
    OmocaptchaV1,
    OmocaptchaV2,
    TwoCaptcha,
    AntiCaptcha,
}

impl Provider {
    pub(super) const ALL: [Self; 4] = [
        Self::OmocaptchaV1,
        Self::OmocaptchaV2,
        Self::TwoCaptcha,
        Self::AntiCaptcha,
    ];

    pub(super) fn takes_reports(self) -> bool {
        matches!(self, Self::TwoCaptcha | Self::AntiCaptcha)
    }

    pub(super) fn has_services(self) -> bool {
        self == Self::OmocaptchaV1
    }

    pub(super) fn protocol(self) -> Protocol {
        match self {
            Self::OmocaptchaV1 => Protocol::OmocaptchaV1,
            Self::OmocaptchaV2 => Protocol::OmocaptchaV2,
            Self::TwoCaptcha => Protocol::TwoCaptcha,
            Self::AntiCaptcha => Protocol::AntiCaptcha,
        }
    }
}

/// How patient a client is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) request: Duration,
    pub(super) job: Duration,
    pub(super) every: Duration,
}

/// A client of one account.
#[derive(Debug)]
pub(super) enum Account {
    Omocaptcha(Omocaptcha),
    TwoCaptcha(TwoCaptcha),
    AntiCaptcha(AntiCaptcha),
}

/// What carries the requests of a client.
#[derive(Clone, Debug)]
pub(super) enum Wire {
    Http,
    Recorded(Recorder),
    Replayed(ReplayTransport),
}

macro_rules! build {
    ($builder:expr, $url:expr, $patience:expr, $wire:expr) => {{
        let builder = $builder
            .token(TOKEN)
            .base_url($url)
            .poll(PollInterval::new(Duration::from_millis(1), $patience.every))
            .request_timeout($patience.request)
            .job_timeout($patience.job);
        let builder = match $wire {
            Wire::Http => builder,
            Wire::Recorded(recorder) => builder.recorder(recorder),
            Wire::Replayed(transport) => builder.transport(transport),
        };
        builder.build().unwrap()
    }};
}

impl Account {
    pub(super) fn open(provider: Provider, emulator: &Emulator, patience: Patience) -> Self {
        let url = emulator.url(provider.protocol());
        Self::open_over(Wire::Http, provider, &url, patience)
    }

    pub(super) fn open_over(wire: Wire, provider: Provider, url: &str, patience: Patience) -> Self {
        match provider {
            Provider::OmocaptchaV1 => {
                Self::Omocaptcha(build!(Omocaptcha::builder(), url, patience, wire))
            }
            Provider::OmocaptchaV2 => {
                let builder = Omocaptcha::builder().api_version(ApiVersion::V2);
                Self::Omocaptcha(build!(builder, url, patience, wire))
            }
            Provider::TwoCaptcha => {
                Self::TwoCaptcha(build!(TwoCaptcha::builder(), url, patience, wire))
            }
            Provider::AntiCaptcha => {
                Self::AntiCaptcha(build!(AntiCaptcha::builder(), url, patience, wire))
            }
        }
    }

    pub(super) fn solver(&self) -> &dyn DragSolver {
        match self {
            Self::Omocaptcha(solver) => solver,
            Self::TwoCaptcha(solver) => solver,
            Self::AntiCaptcha(solver) => solver,
        }
    }

    pub(super) async fn balance(&self) -> Result<String, SolveError> {
        let balance = match self {
            Self::Omocaptcha(account) => account.balance().await,
            Self::TwoCaptcha(account) => account.balance().await,
            Self::AntiCaptcha(account) => account.balance().await,
        };
        balance.map(|balance| format!("{balance} {balance:?}"))
    }

    pub(super) async fn services(&self) -> Result<String, SolveError> {
        match self {
            Self::Omocaptcha(account) => {
                let services = account.services().await?;
                Ok(format!(
                    "{services:?} {}",
                    serde_json::to_string(&services).unwrap()
                ))
            }
            _ => Ok(String::new()),
        }
    }
}
