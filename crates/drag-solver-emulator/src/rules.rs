//! What each provider does with jobs, besides speaking its protocol.

use std::time::Duration;

use drag_solver_core::{ImageFormat, JobId, ScreenshotLimits};

use crate::{Protocol, Quirk, job_id};

/// One provider's rules.
pub(crate) struct ProviderRules {
    /// Pictures that are taken; others are refused.
    pub(crate) limits: ScreenshotLimits,
    /// Pictures with a longer side are scaled down for the workers, and the answer is in that scale.
    pub(crate) scaled_to: Option<u32>,
    /// How long a result can be fetched, and reported on, after it was found.
    pub(crate) result_ttl: Option<Duration>,
    /// Whether a job that was given up is refunded.
    pub(crate) refunds: bool,
    /// The first job's id, if ids are numbers; otherwise they are UUIDs.
    first_id: Option<u64>,
}

/// Every picture is taken as it is, every result kept, and what is given up refunded.
const FRIENDLY: ProviderRules = ProviderRules {
    limits: ScreenshotLimits::none(),
    scaled_to: None,
    result_ttl: None,
    refunds: true,
    first_id: None,
};

const OMOCAPTCHA_V1: ProviderRules = ProviderRules {
    // The id in the documentation's own sample.
    first_id: Some(123_456),
    ..FRIENDLY
};

/// 2Captcha, whichever of its protocols is spoken.
const TWO_CAPTCHA: ProviderRules = ProviderRules {
    limits: ScreenshotLimits::none()
        .with_max_bytes(600_000)
        .with_max_side(1_000)
        .with_formats(&[ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif]),
    // Above 2^32, as the documentation's own sample.
    first_id: Some(72_345_678_901),
    ..FRIENDLY
};

const IN_PHP: ProviderRules = ProviderRules {
    // As in the documentation's sample; the ids of both protocols do not meet.
    first_id: Some(2_122_988_149),
    ..TWO_CAPTCHA
};

/// A side over 500 px is scaled down for the workers, and the documentation does not say in which scale the
/// answer comes back. Here it comes back in the workers' scale, so that a client that relies on the other is
/// found out. A result is gone, and can no longer be reported, 60 s after it was found. An unsolvable task is
/// charged.
const ANTI_CAPTCHA: ProviderRules = ProviderRules {
    limits: ScreenshotLimits::none().with_max_bytes(500_000),
    scaled_to: Some(500),
    result_ttl: Some(Duration::from_secs(60)),
    refunds: false,
    first_id: Some(7_654_321),
};

impl ProviderRules {
    pub(crate) fn of(protocol: Protocol) -> &'static Self {
        match protocol {
            Protocol::OmocaptchaV1 => &OMOCAPTCHA_V1,
            Protocol::TwoCaptcha => &TWO_CAPTCHA,
            Protocol::AntiCaptcha => &ANTI_CAPTCHA,
            Protocol::InPhp => &IN_PHP,
            _ => &FRIENDLY,
        }
    }

    /// The id of the `number`th job, counted from 0.
    pub(crate) fn job_id(&self, number: u64, seed: u64, quirks: &[Quirk]) -> JobId {
        match self.first_id {
            Some(first) => job_id::numeric(first, number, seed, quirks),
            None => job_id::uuid(number, seed),
        }
    }
}
