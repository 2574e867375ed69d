//! What a registry must know of a provider, so that a configuration file can name it.

use std::borrow::Cow;

use drag_solver_core::{ConfigError, DragSolver, SolveError, async_trait};

use crate::balance::no_balance;
use crate::{Balance, CallbackReceiver, Context, HttpOptions, NoCallbacks};

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
    /// The settings that only this provider has, of which each may be absent: [`NoConfig`] if there are
    /// none. In a file they stand beside the [`HttpOptions`]: a registry wants them to be serde's
    /// `DeserializeOwned`.
    type Config: Default;

    /// The variables it reads. The first holds the credentials.
    #[must_use]
    fn variables() -> Vec<EnvVar>;

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
        let context = context.with_variables_alone();
        Self::from_config(HttpOptions::default(), Self::Config::default(), &context)
    }

    /// Asks what is left in the account. Costs nothing.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](drag_solver_core::ErrorKind::Unsupported) if the provider has no way to ask it.
    async fn balance(&self) -> Result<Balance, SolveError> {
        Err(no_balance(self.name()))
    }

    /// What it is asked to call when an answer is there.
    ///
    /// # Errors
    ///
    /// Why it is not asked to.
    fn callbacks(&self) -> Result<&CallbackReceiver, NoCallbacks> {
        Err(NoCallbacks::NotInProtocol)
    }
}

/// The settings of a provider that has none of its own.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[non_exhaustive]
pub struct NoConfig {}

/// A variable of the environment that a provider reads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvVar {
    /// Its name.
    pub name: Cow<'static, str>,
    /// What it holds, in one line.
    pub description: Cow<'static, str>,
    /// What is taken unless it is set.
    pub default: Option<Cow<'static, str>>,
}

impl EnvVar {
    /// The variable `name`.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        description: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            name: name.into(),
            description: description.into(),
            default: None,
        }
    }

    /// Says what is taken unless it is set.
    #[must_use]
    pub fn with_default(mut self, default: impl Into<Cow<'static, str>>) -> Self {
        self.default = Some(default.into());
        self
    }
}
