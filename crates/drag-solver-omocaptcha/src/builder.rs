//! Settings, checked.

use drag_solver_core::ConfigError;
use drag_solver_http::task_api::TaskApi;
use drag_solver_http::{Carrier, HttpOptions, HttpSolverBuilder};

use crate::{ApiVersion, Omocaptcha, OmocaptchaConfig, OmocaptchaV1, OmocaptchaV2, Protocol};

/// Makes an [`Omocaptcha`]. The token is the only setting that must be given. `Debug` does not show
/// it.
#[derive(Debug, Default)]
pub struct OmocaptchaBuilder {
    http: HttpOptions,
    own: OmocaptchaConfig,
    carrier: Carrier,
}

impl OmocaptchaBuilder {
    /// Protocol; v1 unless set.
    #[must_use]
    pub fn api_version(mut self, version: ApiVersion) -> Self {
        self.own.api_version = Some(version);
        self
    }

    /// Kind of job: a number with v1 (`24` unless set), a name with v2 (`TiktokSliderPhoneTask`
    /// unless set; `ZaloSliderPhoneTask` has the same shape).
    #[must_use]
    pub fn job_type(mut self, job_type: impl Into<String>) -> Self {
        self.own.job_type = Some(job_type.into());
        self
    }

    /// Replaces the settings that only this provider has.
    #[must_use]
    pub fn config(mut self, own: OmocaptchaConfig) -> Self {
        self.own = own;
        self
    }

    drag_solver_http::http_option_setters!(http, carrier);

    /// Checks the settings and makes the solver. Nothing is sent.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting.
    pub fn build(self) -> Result<Omocaptcha, ConfigError> {
        let job_type = self.own.checked_job_type()?.to_owned();
        Ok(Omocaptcha(match self.own.api_version.unwrap_or_default() {
            ApiVersion::V1 => {
                let api = HttpSolverBuilder::new(|token| OmocaptchaV1::new(token, job_type));
                Protocol::V1(api.options(self.http).carrier(self.carrier).build()?)
            }
            ApiVersion::V2 => {
                let api = |token| TaskApi::new(token, OmocaptchaV2::new(job_type));
                let api = HttpSolverBuilder::new(api);
                Protocol::V2(api.options(self.http).carrier(self.carrier).build()?)
            }
        }))
    }
}
