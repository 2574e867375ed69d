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

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use drag_solver_core::{
    DragChallenge, DragSolver, ErrorKind, ScreenshotLimits, Solution, SolveError, Verdict,
    WorstCase,
};
use drag_solver_http::{Balance, ConfigError, Context, HttpSolver, Provider, Variable};

use crate::builder::Api;
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
pub struct Omocaptcha {
    solver: HttpSolver<Api>,
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
        Self::from_variables(|name| std::env::var_os(name))
    }

    /// A solver with the settings that `lookup` returns for the names of the environment's
    /// variables: for settings that come from elsewhere, and for tests.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the variable.
    pub fn from_variables(
        lookup: impl Fn(&str) -> Option<std::ffi::OsString>,
    ) -> Result<Self, ConfigError> {
        let config = OmocaptchaConfig::from_variables(lookup)?;
        OmocaptchaBuilder::from(config)
            .build()
            .map_err(config::of_variable)
    }

    /// Which of the two protocols it speaks.
    #[must_use]
    pub fn api_version(&self) -> ApiVersion {
        match self.solver.api() {
            Api::V1(_) => ApiVersion::V1,
            Api::V2(_) => ApiVersion::V2,
        }
    }

    /// Asks what is left in the account. Costs nothing.
    pub async fn balance(&self) -> Result<Balance, SolveError> {
        match self.solver.api() {
            Api::V1(api) => self.solver.ask(api.get_balance(), v1::balance).await,
            Api::V2(api) => {
                let request = api.tasks().get_balance();
                let read = |answer: &_| api.tasks().balance(answer);
                self.solver.ask(request, read).await
            }
        }
    }

    /// Asks for the services on offer, with their prices. Costs nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] with v2, which has no such list.
    pub async fn services(&self) -> Result<Vec<Service>, SolveError> {
        match self.solver.api() {
            Api::V1(api) => self.solver.ask(api.get_service(), services::read).await,
            Api::V2(_) => Err(SolveError::new(
                ErrorKind::Unsupported,
                "API v2 has no list of services: ask with v1",
            )
            .with_provider(self.name())),
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl DragSolver for Omocaptcha {
    fn name(&self) -> &str {
        self.solver.name()
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        self.solver.solve(challenge).await
    }

    /// Always [`ErrorKind::Unsupported`]: the provider documents no way to tell it.
    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        self.solver.report(solution, verdict).await
    }

    fn worst_case(&self) -> WorstCase {
        self.solver.worst_case()
    }

    fn limits(&self) -> ScreenshotLimits {
        self.solver.limits()
    }
}

#[async_trait]
impl Provider for Omocaptcha {
    const NAME: &'static str = NAME;
    const ABOUT: &'static str = "https://omocaptcha.com";
    const VARIABLES: &'static [Variable] = &[
        Variable::new(variables::API_TOKEN, "token of the account"),
        Variable::new(variables::API_VERSION, "`v1` or `v2`").or("v1"),
        Variable::new(variables::BASE_URL, "where the API is")
            .or("https://omocaptcha.com/api, for v2 https://api.omocaptcha.com/v2"),
        Variable::new(variables::JOB_TYPE, "kind of job").or("24, for v2 TiktokSliderPhoneTask"),
    ];
    type Config = OmocaptchaConfig;

    fn open(config: OmocaptchaConfig, context: &Context) -> Result<Self, ConfigError> {
        let (base_url, job_type) = (config.base_url.is_some(), config.job_type.is_some());
        let config = config
            .or_variables(|name| context.variable(name))?
            .with_secrets(context)?;
        if config.token.is_none() {
            return Err(context.no_token(variables::API_TOKEN));
        }
        let mut builder = OmocaptchaBuilder::from(config);
        if context.attempt_limit().is_some() {
            builder = builder.job_timeout(Duration::MAX);
        }
        builder.build().map_err(|error| match error.setting() {
            "base_url" if !base_url => config::of_variable(error),
            "job_type" if !job_type => config::of_variable(error),
            _ => error,
        })
    }

    async fn balance(&self) -> Result<Balance, SolveError> {
        Self::balance(self).await
    }
}
