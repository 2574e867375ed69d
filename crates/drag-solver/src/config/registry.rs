//! The providers that a configuration can name.

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use drag_solver_declared::Declared;
use serde::de::DeserializeOwned;

use super::advice::not_one_of;
use super::handle::{Account, DeclaredAccount};
use super::provider::ProviderConfig;
use super::reader::Table;
use super::services::gallery;
use crate::http::{CallbackReceiver, Context, EnvVar, Provider, check_name};
use crate::{ConfigError, DragSolver};

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
#[derive(Clone, Debug)]
pub struct Registry {
    kinds: Vec<ProviderKind>,
    context: Context,
}

/// A kind of provider.
#[derive(Clone)]
#[non_exhaustive]
pub struct ProviderKind {
    /// What `kind` in a file is set to.
    pub name: String,
    /// Other names that are taken for it.
    pub aliases: &'static [&'static str],
    /// Who that is, for a help page; empty for a provider of the program's own.
    pub about: String,
    /// The variables of the environment that it reads. The first holds the credentials.
    pub variables: Vec<EnvVar>,
    /// The declaration that it is, if it is one.
    pub declared: Option<Declared>,
    pub(super) make: Arc<Make>,
}

type Make = dyn Fn(Table, &Context) -> Result<Made, ConfigError> + Send + Sync;

/// A provider, and its account if that can be asked about.
type Made = (Arc<dyn DragSolver>, Option<Arc<dyn Account>>);

/// The setting of an HTTP provider that a timeout around it takes the place of.
const JOB_TIMEOUT: &str = "job_timeout";

impl Registry {
    /// No provider at all.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            kinds: Vec::new(),
            context: Context::process(),
        }
    }

    /// The providers whose features are enabled.
    #[must_use]
    pub fn standard() -> Self {
        let registry = Self::empty();
        // One line a provider, in the order in which the command line asks them.
        #[cfg(feature = "omocaptcha")]
        let registry = registry.with::<crate::providers::Omocaptcha>();
        #[cfg(feature = "twocaptcha")]
        let registry = registry.with::<crate::providers::TwoCaptcha>();
        #[cfg(feature = "anticaptcha")]
        let registry = registry.with::<crate::providers::AntiCaptcha>();
        registry
    }

    /// Adds the provider `P`, or replaces the one of its name.
    #[must_use]
    pub fn with<P: Provider<Config: DeserializeOwned>>(self) -> Self {
        let make = |settings: Table, context: &Context| {
            let (http, own) = settings.take_last()?;
            let provider = Arc::new(P::from_config(http, own, context)?);
            Ok((Arc::clone(&provider) as _, Some(provider as _)))
        };
        self.with_kind(ProviderKind {
            name: P::NAME.to_owned(),
            aliases: P::ALIASES,
            about: P::ABOUT.to_owned(),
            variables: P::variables(),
            declared: None,
            make: Arc::new(make),
        })
    }

    /// Adds a provider of the program's own as `name`, or replaces the one of that name.
    ///
    /// `make` gets the provider's table in the file without the chain's own keys (`kind`, `price`
    /// and the policies), read as a `C`. Keys that `C` does not have are refused, so `C` cannot be a struct that
    /// flattens others, which hides its keys: take a tuple of structs, `(HttpOptions, HouseConfig)`. If
    /// one has a member `name`, the solver can be given another name than `name`; it has to answer to
    /// it.
    ///
    /// # Errors
    ///
    /// A name that is not 1 to 64 of `a-z`, `0-9`, `-`, `_` and `.`.
    pub fn register<C: DeserializeOwned, S: DragSolver>(
        self,
        name: &str,
        make: impl Fn(C, &Context) -> Result<S, ConfigError> + Send + Sync + 'static,
    ) -> Result<Self, ConfigError> {
        check_name(name)?;
        let make = move |settings: Table, context: &Context| {
            let solver = make(settings.take_last()?, context)?;
            Ok((Arc::new(solver) as _, None))
        };
        Ok(self.with_kind(ProviderKind {
            name: name.to_owned(),
            aliases: &[],
            about: String::new(),
            variables: Vec::new(),
            declared: None,
            make: Arc::new(make),
        }))
    }

    /// Adds a service that is declared in TOML, or replaces the one of its name. A chain's file can declare
    /// services, too; those of [files of their own](super::read_service) are added here.
    #[must_use]
    pub fn with_service(self, service: Declared) -> Self {
        let declared = service.clone();
        let make = move |mut settings: Table, context: &Context| {
            let http = settings.take();
            let own = settings.take_values(service.settings())?;
            let http = settings.end(http)?;
            let solver = Arc::new(service.solver(http, own, context)?);
            let account = Arc::new(DeclaredAccount(Arc::clone(&solver)));
            Ok((solver as _, Some(account as _)))
        };
        self.with_kind(ProviderKind {
            name: declared.name().to_owned(),
            aliases: &[],
            about: declared.definition().about.clone().unwrap_or_default(),
            variables: declared.variables(),
            declared: Some(declared),
            make: Arc::new(make),
        })
    }

    /// Adds the services that come with this library as declarations: what is documented of each and what
    /// is a guess, its [definition](Declared::definition) says. None was tried on the real service.
    #[must_use]
    pub fn with_gallery(self) -> Self {
        gallery().fold(self, Self::with_service)
    }

    pub(super) fn with_kind(mut self, kind: ProviderKind) -> Self {
        self.kinds.retain(|known| known.name != kind.name);
        self.kinds.push(kind);
        self
    }

    /// Takes variables of the environment from `lookup` instead of the process.
    #[must_use]
    pub fn with_variables(
        self,
        lookup: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static,
    ) -> Self {
        self.with_context(Context::with_variables(lookup))
    }

    /// Makes providers in these surroundings: where variables and the files of secrets are.
    #[must_use]
    pub fn with_context(mut self, context: Context) -> Self {
        self.context = context;
        self
    }

    /// Has providers call `receiver` when an answer is there, where their protocols have such calls: see
    /// [`CallbackReceiver`] for what the program has to serve. [`with_context`](Self::with_context) and
    /// [`with_variables`](Self::with_variables) come before.
    ///
    /// ```
    /// use drag_solver::config::{ChainConfig, Registry};
    /// use drag_solver::http::CallbackReceiver;
    ///
    /// let callbacks = CallbackReceiver::new("https://hooks.example.com/drags")?;
    /// let registry = Registry::standard().with_callbacks(&callbacks);
    /// # let _ = registry;
    /// # Ok::<(), drag_solver::ConfigError>(())
    /// ```
    #[must_use]
    pub fn with_callbacks(mut self, receiver: &CallbackReceiver) -> Self {
        self.context = self.context.with_callback_receiver(receiver.clone());
        self
    }

    /// Where variables and the files of secrets are looked for.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Every kind of provider, in the order in which they were added.
    pub fn kinds(&self) -> impl Iterator<Item = &ProviderKind> {
        self.kinds.iter()
    }

    /// The kind that is called `name`, or is also known by it.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&ProviderKind> {
        self.kinds
            .iter()
            .find(|kind| kind.name == name || kind.aliases.contains(&name))
    }

    /// Whether answers begin at a start that is set, in pixels of the picture that is sent.
    #[cfg(feature = "image")]
    pub(super) fn has_known_start(&self, config: &ProviderConfig) -> bool {
        let declared = self
            .find(&config.keys.kind)
            .and_then(|kind| kind.declared.as_ref());
        // omocaptcha's setting has this name.
        declared.map_or_else(|| config.settings().has("start"), Declared::has_known_start)
    }

    /// Makes a provider, without the policies around it.
    pub(super) fn make(&self, config: &ProviderConfig) -> Result<Made, ConfigError> {
        let Some(kind) = self.find(&config.keys.kind) else {
            let known: Vec<&str> = self.kinds.iter().map(|kind| &*kind.name).collect();
            return Err(not_one_of(&config.keys.kind, &known).in_key("kind"));
        };
        let (key, timeout) = match config.keys.timeout {
            Some(timeout) => ("timeout", Some(timeout)),
            None => ("total_timeout", config.keys.total_timeout),
        };
        let timeout = timeout.map(|policy| policy.limit);
        let context = self.context.clone().with_attempt_timeout(timeout);
        let settings = config.settings();
        // What the provider knows by one name may be in the file under another: without a limit of its own,
        // it has the one that is around it; and a token may be called a key.
        let is_around = timeout.is_some() && !settings.has(JOB_TIMEOUT);
        let other_names = [
            (JOB_TIMEOUT, key, is_around),
            ("token", "key", settings.has("key")),
        ];
        let made = (kind.make)(settings, &context).map_err(|error| {
            let path = error.path();
            let mut names = other_names.into_iter();
            match names.find(|(name, _, is_other)| *is_other && path == *name) {
                Some((_, other, _)) => error.renamed(other),
                None => error,
            }
        });
        let (provider, account) = made?;
        let name = provider.name();
        check_name(name)?; // a chain's name is made of these
        match &config.keys.name {
            Some(wanted) if wanted != name => Err(ConfigError::new(
                "name",
                format!(
                    "a solver of kind `{}` is always called `{name}`: leave `name` out",
                    kind.name
                ),
            )),
            _ => Ok((provider, account)),
        }
    }
}

impl fmt::Debug for ProviderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}
