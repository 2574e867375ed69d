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

mod builder;
mod config;
mod services;
mod v1;
mod v2;

use drag_solver_core::{
    ConfigError, DragChallenge, DragSolver, ErrorKind, Profile, Solution, SolveError, Verdict,
    async_trait,
};
use drag_solver_http::task_api::TaskApi;
use drag_solver_http::{Balance, Context, EnvVar, HttpOptions, HttpSolver, Provider};

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
}
