//! The providers that a configuration can name.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::InvalidConfig;
use super::provider::{POLICIES, ProviderConfig};
use super::value;
use crate::core::{DragSolver, SolveError, async_trait};
use crate::http::{Balance, ConfigError, Context, Provider, Variable, check_name};

/// The providers that a [`ChainConfig`](super::ChainConfig) can name, and how each is made.
///
/// [`Registry::standard`] knows those whose features are enabled. A program adds its own with
/// [`register`](Self::register), under its own name and with its own settings:
///
/// ```
/// use drag_solver::config::{ChainConfig, Registry};
/// use drag_solver::http::Secret;
/// use drag_solver::prelude::*;
/// use serde::Deserialize;
/// # use drag_solver::core::ErrorKind;
///
/// #[derive(Debug)]
/// struct House {
///     rooms: u32,
/// }
///
/// #[async_trait]
/// impl DragSolver for House {
///     fn name(&self) -> &str {
///         "house"
///     }
///     async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
/// #       let _ = challenge;
///         // ...
/// #       Err(SolveError::new(ErrorKind::Unsolvable, format!("none of {} rooms", self.rooms)))
///     }
/// }
///
/// /// Its table in a file: keys beside these are refused.
/// #[derive(Deserialize)]
/// struct HouseConfig {
///     rooms: u32,
///     token: Secret, // `{ env = "HOUSE_TOKEN" }`, never the token itself
/// }
///
/// let registry = Registry::standard().register("house", |config: HouseConfig, context| {
///     let _token = context.secret("token", &config.token)?;
///     Ok(House { rooms: config.rooms })
/// })?;
/// # let registry = registry.with_variables(|name| (name == "HOUSE_TOKEN").then(|| "x".into()));
///
/// let config: ChainConfig = serde_json::from_str(
///     r#"{"providers": [{"kind": "house", "rooms": 3, "token": {"env": "HOUSE_TOKEN"}, "timeout": "30s"}]}"#,
/// )?;
/// let chain = config.build(&registry)?;
/// assert_eq!(chain.to_string(), "house.timeout(30s)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Registry {
    kinds: Vec<Kind>,
    context: Context,
}

/// A kind of provider.
#[derive(Clone)]
pub struct Kind {
    name: String,
    aliases: &'static [&'static str],
    about: &'static str,
    variables: &'static [Variable],
    open: Arc<Open>,
}

type Open = dyn Fn(Map<String, Value>, &Context) -> Result<Opened, InvalidConfig> + Send + Sync;

/// A provider that is ready to be asked.
#[derive(Clone, Debug)]
pub struct Opened {
    solver: Arc<dyn DragSolver>,
    account: Option<Arc<dyn Account>>,
}

/// [`Provider`] for calls at run time.
#[async_trait]
trait Account: fmt::Debug + Send + Sync {
    async fn balance(&self) -> Result<Balance, SolveError>;
}

#[async_trait]
impl<P: Provider> Account for P {
    async fn balance(&self) -> Result<Balance, SolveError> {
        Provider::balance(self).await
    }
}

impl Registry {
    /// No provider at all.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            kinds: Vec::new(),
            context: Context::of_process(),
        }
    }

    /// The providers whose features are enabled.
    #[must_use]
    pub fn standard() -> Self {
        let registry = Self::empty();
        // One line a provider, in the order in which the command line asks them.
        #[cfg(feature = "omocaptcha")]
        let registry = registry.with::<crate::omocaptcha::Omocaptcha>();
        #[cfg(feature = "twocaptcha")]
        let registry = registry.with::<crate::twocaptcha::TwoCaptcha>();
        #[cfg(feature = "anticaptcha")]
        let registry = registry.with::<crate::anticaptcha::AntiCaptcha>();
        registry
    }

    /// Adds the provider `P`, or replaces the one of its name.
    #[must_use]
    pub fn with<P: Provider>(self) -> Self {
        let open = |settings: Map<String, Value>, context: &Context| {
            let config = value::read(Value::Object(settings), POLICIES)?;
            let provider = P::open(config, context).map_err(|error| refused(&error))?;
            let provider = Arc::new(provider);
            Ok(Opened {
                account: Some(Arc::clone(&provider) as _),
                solver: provider,
            })
        };
        self.with_kind(Kind {
            name: P::NAME.to_owned(),
            aliases: P::ALIASES,
            about: P::ABOUT,
            variables: P::VARIABLES,
            open: Arc::new(open),
        })
    }

    /// Adds a provider of the program's own as `name`, or replaces the one of that name.
    ///
    /// `make` gets the provider's table in the file without the chain's own keys (`kind`, `price`
    /// and the policies), read as a `C`. Keys that `C` does not have are refused. If `C` has a member
    /// `name`, the solver can be given another name than `name`; it has to answer to it.
    ///
    /// # Errors
    ///
    /// A name that is not 1 to 64 of `a-z`, `0-9`, `-`, `_` and `.`.
    pub fn register<C: DeserializeOwned, S: DragSolver + 'static>(
        self,
        name: &str,
        make: impl Fn(C, &Context) -> Result<S, ConfigError> + Send + Sync + 'static,
    ) -> Result<Self, InvalidConfig> {
        check_name(name).map_err(|error| refused(&error))?;
        let open = move |settings: Map<String, Value>, context: &Context| {
            let config = value::read(Value::Object(settings), POLICIES)?;
            let solver = make(config, context).map_err(|error| refused(&error))?;
            Ok(Opened {
                solver: Arc::new(solver),
                account: None,
            })
        };
        Ok(self.with_kind(Kind {
            name: name.to_owned(),
            aliases: &[],
            about: "",
            variables: &[],
            open: Arc::new(open),
        }))
    }

    fn with_kind(mut self, kind: Kind) -> Self {
        self.kinds.retain(|known| known.name != kind.name);
        self.kinds.push(kind);
        self
    }

    /// Takes variables of the environment from `lookup` instead of the process.
    #[must_use]
    pub fn with_variables(
        self,
        lookup: impl Fn(&str) -> Option<std::ffi::OsString> + Send + Sync + 'static,
    ) -> Self {
        self.with_context(Context::with_variables(lookup))
    }

    /// Makes providers in these surroundings: where variables and the files of secrets are.
    #[must_use]
    pub fn with_context(mut self, context: Context) -> Self {
        self.context = context;
        self
    }

    /// Where variables and the files of secrets are looked for.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Every kind of provider, in the order in which they were added.
    pub fn kinds(&self) -> impl Iterator<Item = &Kind> {
        self.kinds.iter()
    }

    /// The kind that is called `name`, or is also known by it.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Kind> {
        self.kinds
            .iter()
            .find(|kind| kind.name == name || kind.aliases.contains(&name))
    }

    /// Makes a provider ready, without the policies around it. Nothing is sent.
    ///
    /// # Errors
    ///
    /// A kind that there is not, and settings that the provider refuses.
    pub fn open(&self, config: &ProviderConfig) -> Result<Opened, InvalidConfig> {
        let Some(kind) = self.find(&config.kind) else {
            let known: Vec<String> = self.kinds.iter().map(|kind| kind.name.clone()).collect();
            return Err(InvalidConfig::not_one_of(&config.kind, &known).inside("kind"));
        };
        let limit = config.timeout.map(|policy| policy.limit);
        let context = self.context.clone().limited_to(limit);
        let opened = (kind.open)(config.settings(), &context)?;
        let name = opened.solver.name();
        check_name(name).map_err(|error| refused(&error))?; // a chain's name is made of these
        match &config.name {
            Some(wanted) if wanted != name => Err(InvalidConfig::new(format!(
                "a solver of kind `{}` is always called `{name}`",
                kind.name
            ))
            .inside("name")),
            _ => Ok(opened),
        }
    }
}

/// A setting that a provider refused.
fn refused(error: &ConfigError) -> InvalidConfig {
    InvalidConfig::new(error.problem()).inside(error.setting())
}

impl Kind {
    /// What `kind` in a file is set to.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Other names that are taken for it.
    #[must_use]
    pub fn aliases(&self) -> &'static [&'static str] {
        self.aliases
    }

    /// Who that is, for a help page; empty for a provider of the program's own.
    #[must_use]
    pub fn about(&self) -> &'static str {
        self.about
    }

    /// The variables of the environment that it reads. The first holds the credentials.
    #[must_use]
    pub fn variables(&self) -> &'static [Variable] {
        self.variables
    }
}

impl Opened {
    /// The provider, as a solver.
    #[must_use]
    pub fn solver(&self) -> &Arc<dyn DragSolver> {
        &self.solver
    }

    /// Asks what is left in the account; `None` if it has none that could be asked. Costs nothing.
    pub async fn balance(&self) -> Option<Result<Balance, SolveError>> {
        match &self.account {
            Some(account) => Some(account.balance().await),
            None => None,
        }
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::standard()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("kinds", &self.kinds)
            .field("context", &self.context)
            .finish()
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kind")
            .field("name", &self.name)
            .field("aliases", &self.aliases)
            .field("about", &self.about)
            .field("variables", &self.variables)
            .finish_non_exhaustive()
    }
}
