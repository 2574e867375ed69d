//! A declaration that was checked.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use drag_solver_core::text::looks_like_token;
use drag_solver_core::{Billed, ConfigError, ImageFormat, ScreenshotLimits};
use drag_solver_http::{
    Context, EnvVar, HttpOptions, HttpSolver, PollInterval, Secret, check_base_url, check_name,
};
use secrecy::SecretString;
use serde_json::Value;

use crate::advice;
use crate::answer::AnswerReader;
use crate::api::{DeclaredApi, Poll};
use crate::call::Request;
use crate::definition::{Call, Definition, Limits, NO_VARIABLE, State, Unit, Words};
use crate::keys::taken;
use crate::pointer::Places;
use crate::refusal::Refusals;
use crate::template::Scope;

/// Asking more often is a busy loop, which the solver would refuse later, under another name.
const FASTEST_POLL: Duration = Duration::from_millis(1);

/// A service that is declared and checked: accounts with it can be made.
///
/// ```
/// use std::collections::BTreeMap;
/// use drag_solver_declared::{Declared, Definition};
/// use drag_solver_http::{Context, HttpOptions};
///
/// let definition: Definition = toml::from_str(
///     r#"
///     family = "createTask"
///     key = "POINTING_API_KEY"
///     base_url = "https://api.pointing.example"
///     create.json.task = { type = "CoordinatesTask", body = "{picture.base64}" }
///     answer.at = "/solution/coordinates"
///     "#,
/// )?;
/// let service = Declared::new("pointing", definition)?;
/// let options = HttpOptions::default().token("YOUR_API_KEY");
/// let solver = service.solver(options, BTreeMap::new(), &Context::process())?;
/// println!("{}", service.preview());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    name: String,
    definition: Arc<Definition>,
}

type Settings = BTreeMap<String, Value>;
type Secrets = BTreeMap<String, SecretString>;

impl Declared {
    /// The service called `name`, which it is unless its user gives another name: 1 to 64 of `a-z`, `0-9`,
    /// `-`, `_` and `.`. Everything about the declaration is checked here.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the key, and what is near it.
    pub fn new(name: impl Into<String>, definition: Definition) -> Result<Self, ConfigError> {
        let name = name.into();
        check_name(&name)?;
        let definition = definition.complete()?;
        let declared = Self {
            name,
            definition: Arc::new(definition),
        };
        declared.check()?;
        Ok(declared)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is declared, and what its family adds.
    #[must_use]
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// The variables of the environment that it reads. The first holds the key.
    #[must_use]
    pub fn variables(&self) -> Vec<EnvVar> {
        let key = EnvVar::new(self.key().to_owned(), "API key of the account");
        let base_url = EnvVar::new(self.base_url_variable(), "where the API is");
        let mut variables = vec![key, base_url.with_default(self.base_url().to_owned())];
        for (name, variable) in &self.definition.secrets {
            variables.push(EnvVar::new(
                variable.clone(),
                format!("{name} of the account"),
            ));
        }
        variables
    }

    /// What its user may set beside the settings that every HTTP provider has.
    pub fn settings(&self) -> impl Iterator<Item = &str> {
        let (settings, secrets) = (&self.definition.settings, &self.definition.secrets);
        settings.keys().chain(secrets.keys()).map(String::as_str)
    }

    /// A solver that asks it. What `http` leaves open is taken from the environment's variables; `own` are
    /// the settings that only this service has. Nothing is sent.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that names the setting, or the variable it came from.
    pub fn solver(
        &self,
        http: HttpOptions,
        own: BTreeMap<String, Value>,
        context: &Context,
    ) -> Result<HttpSolver<DeclaredApi>, ConfigError> {
        let http = http.resolve(self.key(), &self.base_url_variable(), context)?;
        let (settings, secrets) = self.own_settings(own, context)?;
        let api = self.compile(&settings)?;
        let builder =
            drag_solver_http::HttpSolverBuilder::new(move |key| api.with_key(key, secrets));
        builder.options(http).build()
    }

    /// The protocol of an account, with what its user did not set as it is declared.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] on a setting that has to be set.
    pub fn api(&self, key: SecretString) -> Result<DeclaredApi, ConfigError> {
        Ok(self
            .compile(&self.definition.settings)?
            .with_key(key, BTreeMap::new()))
    }

    /// Whether its answers begin at a start that its user knows, in pixels of the picture that is sent.
    #[doc(hidden)]
    #[must_use]
    pub fn has_known_start(&self) -> bool {
        self.definition.answer.from.is_some()
    }

    /// The requests that it makes, in words: names stand in place of secrets, picture and job.
    #[must_use]
    pub fn preview(&self) -> String {
        match self.compile(&self.example_settings()) {
            Ok(api) => api.preview(),
            Err(error) => error.to_string(), // it was checked: there is none
        }
    }

    fn key(&self) -> &str {
        self.definition.key.as_deref().unwrap_or_default()
    }

    fn base_url(&self) -> &str {
        self.definition.base_url.as_deref().unwrap_or_default()
    }

    fn base_url_variable(&self) -> String {
        drag_solver_http::base_url_variable(&self.name)
    }

    /// Settings and secrets of a user, and what is declared where there are none.
    fn own_settings(
        &self,
        own: Settings,
        context: &Context,
    ) -> Result<(Settings, Secrets), ConfigError> {
        let is_secret = |(name, _): &(String, Value)| self.definition.secrets.contains_key(name);
        let (mut places, own): (Settings, Settings) = own.into_iter().partition(is_secret);
        let mut settings = self.definition.settings.clone();
        // An unknown one is told first: what is missing may be what was mistyped.
        for (name, value) in own {
            let Some(setting) = settings.get_mut(&name) else {
                let advice = advice::advice(&name, self.settings());
                return Err(ConfigError::unknown_key(name, advice));
            };
            *setting = value;
        }
        let mut secrets = BTreeMap::new();
        for (name, variable) in &self.definition.secrets {
            let place = places.remove(name).map(serde_json::from_value::<Secret>);
            let place = place.transpose();
            let place = place.map_err(|error| ConfigError::new(name, error.to_string()))?;
            secrets.insert(name.clone(), context.secret_or(name, place, variable)?);
        }
        if let Some((name, _)) = settings.iter().find(|(_, value)| **value == "") {
            return Err(ConfigError::new(name, "must be set"));
        }
        Ok((settings, secrets))
    }

    /// The protocol with example settings, and without a key.
    #[cfg(feature = "testing")]
    pub(crate) fn example_api(&self) -> Result<DeclaredApi, ConfigError> {
        self.compile(&self.example_settings())
    }

    /// Which requests are which: method and path, and what the query must have.
    #[cfg(feature = "testing")]
    pub(crate) fn patterns(&self) -> Vec<(drag_solver_emulator::Operation, String)> {
        use drag_solver_emulator::Operation::{Balance, Create, Poll, Report};
        let Ok(api) = self.example_api() else {
            return Vec::new(); // it was checked
        };
        let calls = [
            (Create, Some(&api.create)),
            (Poll, api.poll.as_ref().map(|poll| &poll.request)),
            (Balance, api.balance.as_ref().map(|(request, _)| request)),
            (Report, api.report_correct.as_ref()),
            (Report, api.report_incorrect.as_ref()),
        ];
        let calls = calls.into_iter();
        calls
            .filter_map(|(operation, call)| Some((operation, call?.pattern())))
            .collect()
    }

    /// The settings, with something in place of what its user has to set.
    pub(crate) fn example_settings(&self) -> Settings {
        let mut settings = self.definition.settings.clone();
        let view_width = match &self.definition.answer.unit {
            Some(Unit::ViewWidth(Value::String(text))) => text.as_str(),
            _ => "",
        };
        for (name, value) in settings.iter_mut().filter(|(_, value)| **value == "") {
            let is_width = view_width.contains(&format!("{{setting.{name}}}"));
            *value = if is_width {
                340.into()
            } else {
                serde_json::json!([1, 1])
            };
        }
        settings
    }

    fn check(&self) -> Result<(), ConfigError> {
        let variables = &self.definition.secrets;
        if self.definition.key.is_none() {
            let problem = "must be set: the variable of the environment that holds the key, as in \
                           \"HMCAPTCHA_API_KEY\"";
            return Err(ConfigError::new("key", problem));
        }
        let own_key = [("key", self.definition.key.as_deref().unwrap_or_default())];
        let others = variables
            .iter()
            .map(|(name, variable)| (name.as_str(), variable.as_str()));
        for (key, variable) in own_key.into_iter().chain(others) {
            let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            let is_variable = !variable.is_empty() && variable.chars().all(is_name);
            if !is_variable || looks_like_token(variable) {
                return Err(ConfigError::new(key, NO_VARIABLE));
            }
        }
        if self.definition.base_url.is_none() {
            let problem = "must be set, as in \"https://api.example.com\"";
            return Err(ConfigError::new("base_url", problem));
        }
        check_base_url(self.base_url())?;
        if let Some(State {
            running,
            solved,
            failed,
            ..
        }) = &self.definition.state
        {
            no_word_twice(&[("running", running), ("solved", solved), ("failed", failed)])?;
            if solved.as_ref().is_none_or(|words| words.0.is_empty()) {
                let problem = "must be set: the word that says that there is an answer";
                return Err(ConfigError::new("solved", problem).in_key("state"));
            }
        }
        self.check_names()?;
        self.check_jobs()?;
        self.compile(&self.example_settings()).map(drop)
    }

    /// Refuses names that its user could not set.
    fn check_names(&self) -> Result<(), ConfigError> {
        let Definition {
            settings, secrets, ..
        } = &*self.definition;
        for (table, names) in [
            ("settings", settings.keys().collect::<Vec<_>>()),
            ("secrets", secrets.keys().collect()),
        ] {
            for name in names {
                let problem = if taken().any(|key| key == name) {
                    "is a key of every provider: choose another name"
                } else if table == "settings" && secrets.contains_key(name) {
                    "is a secret, too: choose another name"
                } else {
                    continue;
                };
                return Err(ConfigError::new(name, problem).in_key(table));
            }
        }
        Ok(())
    }

    /// Refuses what is about jobs where there are none.
    fn check_jobs(&self) -> Result<(), ConfigError> {
        let Definition {
            create,
            poll,
            report,
            ..
        } = &*self.definition;
        let problem = "belongs to a service with `poll`: without it there are no jobs";
        if poll.is_none() && create.job.is_some() {
            return Err(ConfigError::new("job", problem).in_key("create"));
        }
        if poll.is_none() && (report.correct.is_some() || report.incorrect.is_some()) {
            return Err(ConfigError::new("report", problem));
        }
        Ok(())
    }

    /// The protocol, without a key.
    fn compile(&self, settings: &Settings) -> Result<DeclaredApi, ConfigError> {
        let definition = &*self.definition;
        let scope = |is_create, has_job| Scope {
            place: crate::template::Place::Path,
            is_create,
            has_job,
            settings,
            secrets: &definition.secrets,
        };
        let request = |call: &Call, allowed: &[&str], is_create, has_job| {
            only(call, allowed)?;
            let request = Request::compile(call, scope(is_create, has_job))?;
            if has_job && !request.has_job() {
                let problem = "must have the job in it, as in `\"{job}\"`";
                return Err(ConfigError::of_whole(problem));
            }
            Ok(request)
        };
        let in_create = |error: ConfigError| error.in_key("create");
        let create = request(&definition.create, &["job"], true, false).map_err(in_create)?;
        if create.pictures() != 1 {
            let problem = "must have the picture in its body exactly once, as in \
                           `\"{picture.base64}\"`";
            return Err(in_create(ConfigError::of_whole(problem)));
        }
        if !create.is_secret() {
            let problem = "must have the key in it, as in `\"{key}\"`";
            return Err(in_create(ConfigError::of_whole(problem)));
        }
        let poll = definition.poll.as_ref().map(|poll| {
            let job = definition.create.job.clone().unwrap_or_default();
            let job = Places::new("job", &job).map_err(in_create)?;
            let wait = |key, wait: Option<_>| {
                wait.ok_or_else(|| ConfigError::new(key, "must be set, as in \"5s\""))
            };
            let compiled = || -> Result<Poll, ConfigError> {
                let every = wait("every", poll.every)?;
                if every < FASTEST_POLL {
                    let problem = format!("must be at least {FASTEST_POLL:?}");
                    return Err(ConfigError::new("every", problem));
                }
                Ok(Poll {
                    request: request(poll, &["first", "every"], false, true)?,
                    job,
                    interval: PollInterval::new(wait("first", poll.first)?, every),
                })
            };
            compiled().map_err(|error| error.in_key("poll"))
        });
        let report = |key: &str, call: &Option<Call>| {
            let compiled = call.as_ref().map(|call| request(call, &[], false, true));
            let compiled = compiled.transpose();
            compiled.map_err(|error| error.in_key(key).in_key("report"))
        };
        let balance = definition.balance.as_ref().map(|call| {
            let at = Places::new("at", &call.at.clone().unwrap_or_default())?;
            Ok((request(call, &["at"], false, false)?, at))
        });
        let balance: Result<_, ConfigError> = balance.transpose();
        let state = definition.state.as_ref().map(|state| {
            let at = Places::new("at", &state.at.clone().unwrap_or_default());
            Ok((at.map_err(|error| error.in_key("state"))?, state.clone()))
        });
        let limits = definition.limits.as_ref();
        Ok(DeclaredApi {
            name: self.name.clone(),
            base_url: self.base_url().to_owned(),
            key: SecretString::default(),
            secrets: BTreeMap::new(),
            create,
            poll: poll.transpose()?,
            state: state.transpose()?,
            answer: AnswerReader::compile(&definition.answer, definition.cost.as_ref(), settings)?,
            refusals: Refusals::compile(definition)?,
            report_correct: report("correct", &definition.report.correct)?,
            report_incorrect: report("incorrect", &definition.report.incorrect)?,
            balance: balance.map_err(|error| error.in_key("balance"))?,
            plain_text: definition.plain_text.unwrap_or_default(),
            limits: limits.map_or(ScreenshotLimits::none(), Limits::as_screenshot_limits),
            unsolvable: definition.unsolvable.unwrap_or(Billed::Maybe),
        })
    }
}

impl Limits {
    fn as_screenshot_limits(&self) -> ScreenshotLimits {
        let mut limits = ScreenshotLimits::none();
        if let Some(bytes) = self.max_bytes {
            limits = limits.with_max_bytes(usize::try_from(bytes).unwrap_or(usize::MAX));
        }
        if let Some(side) = self.max_side {
            limits = limits.with_max_side(side);
        }
        if !self.formats.is_empty() {
            limits = limits.with_formats(set_of(&self.formats));
        }
        limits
    }
}

/// The set of these formats, of which each exists once.
fn set_of(formats: &[ImageFormat]) -> &'static [ImageFormat] {
    use ImageFormat::{Gif, Jpeg, Png, WebP};
    static SETS: [OnceLock<Vec<ImageFormat>>; 16] = [const { OnceLock::new() }; 16];
    let all = [Png, Jpeg, WebP, Gif];
    let bit =
        |(index, format): (usize, &ImageFormat)| usize::from(formats.contains(format)) << index;
    let set = &SETS[all.iter().enumerate().map(bit).sum::<usize>()];
    set.get_or_init(|| {
        all.into_iter()
            .filter(|one| formats.contains(one))
            .collect()
    })
}

/// Refuses what belongs to another kind of request.
fn only(call: &Call, allowed: &[&str]) -> Result<(), ConfigError> {
    for (key, is_set, belongs) in [
        ("job", call.job.is_some(), "create"),
        ("first", call.first.is_some(), "poll"),
        ("every", call.every.is_some(), "poll"),
        ("at", call.at.is_some(), "balance"),
    ] {
        if is_set && !allowed.contains(&key) {
            return Err(ConfigError::new(key, format!("belongs to `{belongs}`")));
        }
    }
    Ok(())
}

fn no_word_twice(states: &[(&str, &Option<Words>)]) -> Result<(), ConfigError> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for (state, words) in states {
        for word in words.iter().flat_map(|words| &words.0) {
            let other = seen.insert(word.to_lowercase(), state);
            if let Some(other) = other.filter(|other| other != state) {
                let problem = format!("`{word}` is a word of {other} and of {state}");
                return Err(ConfigError::new("state", problem));
            }
        }
    }
    Ok(())
}
