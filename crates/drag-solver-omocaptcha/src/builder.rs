//! Settings, checked.

use std::num::NonZeroU32;

use drag_solver_core::{ConfigError, Point};
use drag_solver_http::task_api::TaskApi;
use drag_solver_http::{Carrier, HttpOptions, HttpSolverBuilder};

use crate::config::FromVariables;
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
    /// unless set). The [crate docs](crate#kinds-of-jobs) say which are known.
    #[must_use]
    pub fn job_type(mut self, job_type: impl Into<String>) -> Self {
        self.own.job_type = Some(job_type.into());
        self
    }

    /// How wide the picture of a slider is shown on its web page, in pixels. Kinds of jobs that are
    /// sliders on a web page need it, and no others have it.
    #[must_use]
    pub fn view_width(mut self, pixels: NonZeroU32) -> Self {
        self.own.view_width = Some(pixels);
        self
    }

    /// Where the drag of such a slider begins, in pixels of the screenshot that is sent.
    #[must_use]
    pub fn start(mut self, start: Point) -> Self {
        self.own.start = Some(start);
        self
    }

    /// Replaces the settings that only this provider has.
    #[must_use]
    pub fn config(mut self, own: OmocaptchaConfig) -> Self {
        self.own = own;
        self
    }

    drag_solver_http::http_option_setters!(http);
    drag_solver_http::carrier_setters!(carrier);

    /// Checks the settings and makes the solver. Nothing is sent.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting.
    pub fn build(self) -> Result<Omocaptcha, ConfigError> {
        let job_type = self.own.checked_job_type()?.to_owned();
        let slider = self.own.checked_slider(FromVariables::default())?;
        Ok(Omocaptcha(match self.own.api_version.unwrap_or_default() {
            ApiVersion::V1 => {
                let api =
                    HttpSolverBuilder::new(move |token| OmocaptchaV1::of(token, job_type, slider));
                Protocol::V1(api.options(self.http).carrier(self.carrier).build()?)
            }
            ApiVersion::V2 => {
                let api = move |token| TaskApi::new(token, OmocaptchaV2::of(job_type, slider));
                let api = HttpSolverBuilder::new(api);
                Protocol::V2(api.options(self.http).carrier(self.carrier).build()?)
            }
        }))
    }
}
