//! The provider omocaptcha, protocol v1 (the default) and v2.
//!
//! ```no_run
//! use drag_solver_core::{DragChallenge, DragSolver, Screenshot};
//! use drag_solver_omocaptcha::Omocaptcha;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let solver = Omocaptcha::builder().token("YOUR_API_KEY").build()?;
//! let challenge = DragChallenge::new(Screenshot::from_file("screenshot.png")?);
//! let solution = solver.solve(&challenge).await?;
//! println!("{}", solution.drag()); // 83,560 -> 320,560
//! # Ok(())
//! # }
//! ```
//!
//! [`Omocaptcha::from_env`] takes its settings from the environment:
//!
//! | variable | meaning | unless set |
//! |---|---|---|
//! | `OMOCAPTCHA_API_TOKEN` | token of the account | an error |
//! | `OMOCAPTCHA_API_VERSION` | `v1` or `v2` | `v1` |
//! | `OMOCAPTCHA_BASE_URL` | where the API is | the provider's own, see [`ApiVersion`] |
//! | `OMOCAPTCHA_JOB_TYPE` | kind of job | `24` (v1), `TiktokSliderPhoneTask` (v2) |
//! | `OMOCAPTCHA_VIEW_WIDTH` | how wide a slider's picture is shown | an error where it is needed |
//! | `OMOCAPTCHA_START` | where a slider's drag begins, as in `83,560` | an error where it is needed |
//!
//! # Kinds of jobs
//!
//! | kind | sent beside the picture | answer |
//! |---|---|---|
//! | `24`, `TiktokSliderPhoneTask`, `ZaloSliderPhoneTask` | | both points, in pixels |
//! | `21`, `TiktokSliderWebTask` | `width_view`, `widthView` | how far to drag the handle, in pixels of the view |
//! | `SliderAllWebTask` | `widthView` | the same, or the rectangle of the gap, whose centre is the end |
//! | `HcaptchaImageTask` | `isScreenshot` | a list of drags, in pixels; one is a solution |
//! | `23`, `26`, `52` | a second picture | refused: a challenge has one screenshot |
//! | any other | | as for `24` |
//!
//! The sliders on web pages need two settings, [`view_width`](OmocaptchaBuilder::view_width) and
//! [`start`](OmocaptchaBuilder::start). The start is in pixels of the screenshot that is sent: of the
//! handle's centre, or, for a gap's rectangle, of the centre of the piece that goes there. A screenshot
//! that it is not on is refused before anything is sent.
//!
//! ```
//! use std::num::NonZeroU32;
//!
//! use drag_solver_core::Point;
//! use drag_solver_omocaptcha::Omocaptcha;
//!
//! let solver = Omocaptcha::builder()
//!     .token("YOUR_API_KEY")
//!     .job_type("21")
//!     .view_width(NonZeroU32::new(340).expect("not 0"))
//!     .start(Point::new(20.0, 400.0))
//!     .build()?;
//! # Ok::<(), drag_solver_core::ConfigError>(())
//! ```
//!
//! The documents do not say what a slider's numbers are measured from. Of v1's `21` they say "drag the
//! slider by the result", and the provider's browser extension does the same with `end.x`. Its numbers
//! scale with the width, so one of a picture that is sent as it is shown needs `view_width` too: it is
//! the picture's width then. Sources: `github.com/thaodajk/API-OMOcaptcha.com` (v1) and
//! `github.com/adminomocaptcha/OMOCaptcha-Documents`, `tai-lieu-api` (v2), read in November 2026.

mod builder;
mod config;
mod kind;
mod services;
mod v1;
mod v2;

use drag_solver_core::{
    ConfigError, DragChallenge, DragSolver, ErrorKind, Profile, Solution, SolveError, Verdict,
    async_trait,
};
use drag_solver_http::task_api::TaskApi;
use drag_solver_http::{
    Balance, CallbackReceiver, Context, EnvVar, HttpOptions, HttpSolver, NoCallbacks, Provider,
};

pub use crate::builder::OmocaptchaBuilder;
pub use crate::config::{ApiVersion, OmocaptchaConfig, variables};
pub use crate::services::Service;
pub use crate::v1::OmocaptchaV1;
pub use crate::v2::OmocaptchaV2;

/// The provider's name, unless a [builder](OmocaptchaBuilder::name) gives another.
pub const NAME: &str = "omocaptcha";

/// A [`DragSolver`] that asks omocaptcha. Cloning is cheap and shares the connections.
///
/// See the [crate docs](crate) for an example, and [`HttpSolver`] for what it does about lost
/// connections, deadlines and paid jobs.
#[derive(Clone, Debug)]
pub struct Omocaptcha(Protocol);

#[derive(Clone, Debug)]
enum Protocol {
    V1(HttpSolver<OmocaptchaV1>),
    V2(HttpSolver<TaskApi<OmocaptchaV2>>),
}

impl Omocaptcha {
    /// Settings, to be given one by one.
    #[must_use]
    pub fn builder() -> OmocaptchaBuilder {
        OmocaptchaBuilder::default()
    }

    /// A solver with the settings of the environment, named in the [crate docs](crate).
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the variable.
    pub fn from_env() -> Result<Self, ConfigError> {
        <Self as Provider>::from_env()
    }

    /// Which of the two protocols it speaks.
    #[must_use]
    pub fn api_version(&self) -> ApiVersion {
        match &self.0 {
            Protocol::V1(_) => ApiVersion::V1,
            Protocol::V2(_) => ApiVersion::V2,
        }
    }

    /// Asks what is left in the account. Costs nothing.
    pub async fn balance(&self) -> Result<Balance, SolveError> {
        match &self.0 {
            Protocol::V1(solver) => solver.balance().await,
            Protocol::V2(solver) => solver.balance().await,
        }
    }

    /// Asks for the services on offer, with their prices. Costs nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] with v2, which has no such list.
    pub async fn services(&self) -> Result<Vec<Service>, SolveError> {
        match &self.0 {
            Protocol::V1(solver) => {
                let request = solver.api().about_account("getService");
                solver.request(request, services::parse).await
            }
            Protocol::V2(solver) => {
                let message = "API v2 has no list of services: ask with v1";
                Err(SolveError::new(ErrorKind::Unsupported, message).with_solver(solver.name()))
            }
        }
    }

    fn solver(&self) -> &dyn DragSolver {
        match &self.0 {
            Protocol::V1(solver) => solver,
            Protocol::V2(solver) => solver,
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl DragSolver for Omocaptcha {
    fn name(&self) -> &str {
        self.solver().name()
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        self.solver().solve(challenge).await
    }

    /// Always [`ErrorKind::Unsupported`]: the provider documents no way to tell it.
    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        self.solver().report(solution, verdict).await
    }

    fn profile(&self) -> Profile {
        self.solver().profile()
    }
}

#[async_trait]
impl Provider for Omocaptcha {
    const NAME: &'static str = NAME;
    const ABOUT: &'static str = "https://omocaptcha.com";
    type Config = OmocaptchaConfig;

    fn variables() -> Vec<EnvVar> {
        vec![
            EnvVar::new(variables::API_TOKEN, "token of the account"),
            EnvVar::new(variables::API_VERSION, "`v1` or `v2`").with_default("v1"),
            EnvVar::new(variables::BASE_URL, "where the API is")
                .with_default("https://omocaptcha.com/api, for v2 https://api.omocaptcha.com/v2"),
            EnvVar::new(variables::JOB_TYPE, "kind of job")
                .with_default("24, for v2 TiktokSliderPhoneTask"),
            EnvVar::new(
                variables::VIEW_WIDTH,
                "how wide a web page shows a slider's picture",
            ),
            EnvVar::new(
                variables::START,
                "where a slider's drag begins, as in `83,560`",
            ),
        ]
    }

    fn from_config(
        http: HttpOptions,
        own: OmocaptchaConfig,
        context: &Context,
    ) -> Result<Self, ConfigError> {
        let http = http.resolve(variables::API_TOKEN, variables::BASE_URL, context)?;
        let own = own.resolve(context)?;
        Self::builder().options(http).config(own).build()
    }

    async fn balance(&self) -> Result<Balance, SolveError> {
        Self::balance(self).await
    }

    fn callbacks(&self) -> Result<&CallbackReceiver, NoCallbacks> {
        match &self.0 {
            Protocol::V1(solver) => solver.callbacks(),
            Protocol::V2(solver) => solver.callbacks(),
        }
    }
}
