//! The settings that only this provider has.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use drag_solver_core::{ConfigError, Point};
use drag_solver_http::{Context, points};
use serde_json::Value;

use crate::kind::{Kind, Slider};

/// Longest job type accepted, in bytes. The longest known has 21.
const MAX_JOB_TYPE: usize = 100;

/// Names of the environment's variables.
pub mod variables {
    /// Token of the account.
    pub const API_TOKEN: &str = "OMOCAPTCHA_API_TOKEN";
    /// `v1` or `v2`.
    pub const API_VERSION: &str = "OMOCAPTCHA_API_VERSION";
    /// Where the API is.
    pub const BASE_URL: &str = "OMOCAPTCHA_BASE_URL";
    /// Kind of job.
    pub const JOB_TYPE: &str = "OMOCAPTCHA_JOB_TYPE";
    /// How wide the picture of a slider is shown, in pixels.
    pub const VIEW_WIDTH: &str = "OMOCAPTCHA_VIEW_WIDTH";
    /// Where the drag of a slider begins, in pixels, as in `83,560`.
    pub const START: &str = "OMOCAPTCHA_START";
}

/// Which of the provider's two protocols to speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum ApiVersion {
    /// `createJob`, at `https://omocaptcha.com/api`.
    #[default]
    V1,
    /// `createTask`, at `https://api.omocaptcha.com/v2`.
    V2,
}

impl ApiVersion {
    /// The provider's own base URL.
    #[must_use]
    pub const fn base_url(self) -> &'static str {
        match self {
            Self::V1 => "https://omocaptcha.com/api",
            Self::V2 => "https://api.omocaptcha.com/v2",
        }
    }

    /// The kind of job that asks for a drag on a phone's screen.
    #[must_use]
    pub const fn job_type(self) -> &'static str {
        match self {
            Self::V1 => "24",
            Self::V2 => "TiktokSliderPhoneTask",
        }
    }

    /// What a kind of job is asked and answers.
    pub(crate) fn kind(self, job_type: &str) -> Kind {
        match (self, job_type) {
            (Self::V1, "21") | (Self::V2, "TiktokSliderWebTask" | "SliderAllWebTask") => {
                Kind::Slider
            }
            (Self::V1, "23" | "26" | "52") => Kind::TwoPictures,
            (Self::V2, "HcaptchaImageTask") => Kind::Hcaptcha,
            _ => Kind::Points,
        }
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        })
    }
}

impl FromStr for ApiVersion {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        match text.trim() {
            "v1" => Ok(Self::V1),
            "v2" => Ok(Self::V2),
            other => Err(ConfigError::new(
                "api_version",
                format!("`{other}` is not a version: write v1 or v2"),
            )),
        }
    }
}

/// The settings that only an [`Omocaptcha`](crate::Omocaptcha) has. What is `None` is the provider's
/// default.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
#[non_exhaustive]
pub struct OmocaptchaConfig {
    /// Protocol; v1 unless set.
    pub api_version: Option<ApiVersion>,
    /// Kind of job; [`ApiVersion::job_type`] unless set.
    pub job_type: Option<String>,
    /// How wide the picture of a slider is shown on its web page, in pixels: answers are in pixels of that
    /// view. Kinds of jobs that are sliders on a web page need it, and no others have it.
    pub view_width: Option<NonZeroU32>,
    /// Where the drag of such a slider begins, in pixels of the screenshot that is sent: the centre of its
    /// handle, for `SliderAllWebTask` of its piece. In a file `[83, 560]`, `{ x = 83, y = 560 }` or
    /// `"83,560"`.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "start"))]
    pub start: Option<Point>,
}

#[cfg(feature = "serde")]
fn start<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Point>, D::Error> {
    use serde::Deserialize as _;
    use serde::de::Error as _;

    let start = read_start(&Value::deserialize(deserializer)?).map_err(D::Error::custom)?;
    Ok(Some(start))
}

fn read_start(value: &Value) -> Result<Point, String> {
    let start = points::point(Some(value));
    start.ok_or_else(|| format!("{value} is no point: write pixels, as in `83,560`"))
}

/// Which settings of a slider come from the environment's variables: errors then name the variable.
#[derive(Clone, Copy, Default)]
pub(crate) struct FromVariables {
    view_width: bool,
    start: bool,
}

impl OmocaptchaConfig {
    /// Takes what is not set from the environment's variables.
    pub(crate) fn resolve(mut self, context: &Context) -> Result<Self, ConfigError> {
        if self.api_version.is_none()
            && let Some(version) = context.variable(variables::API_VERSION)?
        {
            let version = version.parse::<ApiVersion>();
            self.api_version = Some(version.map_err(|e| e.in_variable(variables::API_VERSION))?);
        }
        if self.job_type.is_none()
            && let Some(job_type) = context.variable(variables::JOB_TYPE)?
        {
            self.job_type = Some(job_type);
            self.checked_job_type()
                .map_err(|e| e.in_variable(variables::JOB_TYPE))?;
        }
        let mut from = FromVariables::default();
        if self.view_width.is_none()
            && let Some(width) = context.variable(variables::VIEW_WIDTH)?
        {
            let problem = |_| format!("`{width}` is no width: write whole pixels, as in 340");
            let width = width.trim().parse().map_err(problem);
            let refuse = |problem| ConfigError::of_variable(variables::VIEW_WIDTH, problem);
            self.view_width = Some(width.map_err(refuse)?);
            from.view_width = true;
        }
        if self.start.is_none()
            && let Some(start) = context.variable(variables::START)?
        {
            let refuse = |problem| ConfigError::of_variable(variables::START, problem);
            self.start = Some(read_start(&start.into()).map_err(refuse)?);
            from.start = true;
        }
        self.checked_slider(from)?;
        Ok(self)
    }

    /// The kind of job, if the protocol has such.
    pub(crate) fn checked_job_type(&self) -> Result<&str, ConfigError> {
        let version = self.api_version.unwrap_or_default();
        let own = version.job_type();
        let job_type = self.job_type.as_deref().map_or(own, str::trim);
        let is_number = job_type.bytes().all(|b| b.is_ascii_digit());
        let is_word = job_type.bytes().all(|b| b.is_ascii_graphic());
        let problem = if !(1..=MAX_JOB_TYPE).contains(&job_type.len()) || !is_word {
            format!("`{job_type}` is no job type: write one word, as in `{own}`")
        } else if is_number != (version == ApiVersion::V1) {
            format!(
                "`{job_type}` is not a job type of API {version}, where they look like `{own}`: is \
                 `api_version` right?"
            )
        } else if version.kind(job_type) == Kind::TwoPictures {
            format!(
                "job type `{job_type}` takes two pictures in one request, and a challenge has one \
                 screenshot"
            )
        } else {
            return Ok(job_type);
        };
        Err(ConfigError::new("job_type", problem))
    }

    /// What a slider's answer does not say, if the kind of job is a slider on a web page.
    pub(crate) fn checked_slider(
        &self,
        from: FromVariables,
    ) -> Result<Option<Slider>, ConfigError> {
        let job_type = self.checked_job_type()?;
        let missing = |key, why, variable| {
            let problem = format!(
                "must be set for job type `{job_type}`, {why} (or set the environment variable \
                 {variable})"
            );
            Err(ConfigError::new(key, problem))
        };
        let needless = |key, variable, is_variable| {
            let problem = format!(
                "is for sliders on web pages: job type `{job_type}` answers in pixels of the \
                 screenshot, with the start"
            );
            let error = ConfigError::new(key, problem);
            Err(if is_variable {
                error.in_variable(variable)
            } else {
                error
            })
        };
        let kind = self.api_version.unwrap_or_default().kind(job_type);
        match (kind, self.view_width, self.start) {
            (Kind::Slider, Some(view_width), Some(start)) => Ok(Some(Slider { view_width, start })),
            (Kind::Slider, None, _) => missing(
                "view_width",
                "which answers in pixels of the picture as its page shows it: how many pixels wide, \
                 as in 340",
                variables::VIEW_WIDTH,
            ),
            (Kind::Slider, Some(_), None) => missing(
                "start",
                "which answers the end alone: where the drag begins, in pixels of the screenshot, as \
                 in \"83,560\"",
                variables::START,
            ),
            (_, None, None) => Ok(None),
            (_, Some(_), _) => needless("view_width", variables::VIEW_WIDTH, from.view_width),
            (_, None, Some(_)) => needless("start", variables::START, from.start),
        }
    }
}
