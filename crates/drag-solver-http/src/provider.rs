//! What a registry must know of a provider, so that a configuration file can name it.

use drag_solver_core::{ConfigError, DragSolver, SolveError, async_trait};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{Balance, Context, HttpOptions};

/// A provider with an account, as a registry knows it: what it is called, which variables of the
/// environment it reads, and how a solver is made of a table in a configuration file.
#[async_trait]
pub trait Provider: DragSolver + Sized {
    /// Its name: short, stable, lower case.
    const NAME: &'static str;
    /// Other names that people know it by.
    const ALIASES: &'static [&'static str] = &[];
    /// Who that is, for a help page: where the service is, say.
    const ABOUT: &'static str;
    /// The variables it reads. The first holds the credentials.
    const VARIABLES: &'static [EnvVar];
    /// The settings that only this provider has, of which each may be absent: [`NoConfig`] if there are
    /// none. In a file they stand beside the [`HttpOptions`].
    type Config: DeserializeOwned + Default;

    /// Makes a solver. What the settings leave open is taken from the environment's variables, then
    /// from the provider's defaults. Nothing is sent.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting, or the variable it came from.
    fn from_config(
        http: HttpOptions,
        own: Self::Config,
        context: &Context,
    ) -> Result<Self, ConfigError>;

    /// Makes a solver with the settings of the environment. Nothing is sent.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the variable.
    fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(&Context::process())
    }

    /// Makes a solver with the settings that the variables of `context` are, wherever they come from.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the variable.
    fn from_variables(context: &Context) -> Result<Self, ConfigError> {
        let made = Self::from_config(HttpOptions::default(), Self::Config::default(), context);
        made.map_err(|error| match Self::VARIABLES {
            // No setting has a token, so all that can be wrong with it is that there is none.
            [credentials, ..] if error.path() == "token" => {
                let problem = "is not set: set it to the token of your account";
                ConfigError::new(credentials.name, problem)
            }
            _ => error,
        })
    }

    /// Asks what is left in the account. Costs nothing.
    async fn balance(&self) -> Result<Balance, SolveError>;
}

/// The settings of a provider that has none of its own.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[non_exhaustive]
pub struct NoConfig {}

/// A variable of the environment that a provider reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvVar {
    /// Its name.
    pub name: &'static str,
    /// What it holds, in one line.
    pub description: &'static str,
    /// What is taken unless it is set.
    pub default: Option<&'static str>,
}

impl EnvVar {
    /// The variable `name`.
    #[must_use]
    pub const fn new(name: &'static str, description: &'static str) -> Self {
        Self {
            name,
            description,
            default: None,
        }
    }

    /// Says what is taken unless it is set.
    #[must_use]
    pub const fn with_default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }
}
