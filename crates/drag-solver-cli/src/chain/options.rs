//! The chain that options make, by way of the settings that a file would have.

use std::env;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{bail, ensure};
use clap::builder::{PossibleValue, PossibleValuesParser};
use drag_solver::config::{ChainConfig, ProviderConfig, ProviderKind};
use drag_solver::http::PollInterval;
use drag_solver::{ConfigError, FitPolicy, RetryPolicy, ValidatePolicy};

use super::registry::{self, registry};
use super::source::ChainSource;
use super::store::StoreArgs;
use crate::parse::poll_interval;
use crate::sandbox;
use crate::ui::console::eprint_unless_quiet;
use crate::ui::text::file_name;

/// Time for a screenshot, unless something else is said.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);

/// The options that say who is asked.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ChainArgs {
    /// Who is asked, also one that `drag-solver services` lists; give it again for a provider to fall back on, in
    /// that order. Without it: those whose credentials are in the environment, else the sandbox, which knows only test pictures
    #[arg(long = "provider", value_name = "NAME", value_parser = names())]
    names: Vec<String>,

    /// Who is asked, and how: the chain in this file
    #[arg(long, value_name = "TOML")]
    pub(crate) config: Option<PathBuf>,

    /// Time between two questions whether a job is done, instead of the provider's own advice
    #[arg(long, value_name = "DURATION", value_parser = poll_interval)]
    poll_interval: Option<Duration>,
}

/// Refuses an option that says what the chain's file at `path` is to say.
fn refuse_beside(path: &Path, is_given: bool, option: &str, instead: &str) -> anyhow::Result<()> {
    let file = file_name(path);
    ensure!(
        !is_given,
        "{option} cannot be used with --config: {instead} in {file} instead"
    );
    Ok(())
}

/// Refuses `--poll-interval` beside the chain's file at `path`.
pub(super) fn refuse_poll_interval(path: &Path, interval: Option<Duration>) -> anyhow::Result<()> {
    let instead = "set `poll = { first = \"5s\", every = \"5s\" }` of a provider";
    refuse_beside(path, interval.is_some(), "--poll-interval", instead)
}

/// What `--provider` accepts.
pub(crate) fn names() -> PossibleValuesParser {
    let values = registry().kinds().map(|kind| {
        let aliases = kind.aliases;
        let also = aliases
            .first()
            .map(|alias| format!(", also called {alias}"));
        let about = kind.about.clone() + &also.unwrap_or_default();
        // Of those that are declared there are many; `drag-solver services` lists them.
        let value = PossibleValue::new(&*kind.name).help(about);
        value.aliases(aliases).hide(kind.declared.is_some())
    });
    PossibleValuesParser::new(values)
}

impl ChainArgs {
    /// Whether it is left to the environment who is asked.
    pub(crate) fn is_open(&self) -> bool {
        self.names.is_empty() && self.config.is_none()
    }

    /// What makes the chain, and how a gateway in front of it is set: what the file says, or else the options.
    pub(crate) fn source(
        &self,
        attempts: Option<NonZeroU32>,
        timeout: Option<Duration>,
        store: &StoreArgs,
    ) -> anyhow::Result<ChainSource> {
        if let Some(path) = &self.config {
            let instead = "set `retry = { max_attempts = N }` of a provider";
            refuse_beside(path, attempts.is_some(), "--attempts", instead)?;
            let is_named = !self.names.is_empty();
            refuse_beside(path, is_named, "--provider", "add a [[providers]]")?;
            refuse_poll_interval(path, self.poll_interval)?;
            return ChainSource::of_file(path, store);
        }
        let mut options = ChainOptions::new(kinds(&self.names)?);
        options.attempts = attempts.unwrap_or(options.attempts);
        options.timeout = timeout.unwrap_or(options.timeout);
        options.poll_interval = self.poll_interval;
        options.source(store)
    }
}

/// The providers that were named, or else those whose credentials are in the environment, or else
/// the sandbox.
pub(crate) fn kinds(names: &[String]) -> anyhow::Result<Vec<&'static str>> {
    let mut kinds: Vec<&str> = Vec::new();
    for ProviderKind { name, .. } in names.iter().filter_map(|name| registry::find(name)) {
        ensure!(
            !kinds.contains(&&**name),
            "--provider {name} is given twice: name each once"
        );
        kinds.push(name);
    }
    if kinds.is_empty() {
        let is_set = |name: &str| env::var_os(name).is_some();
        let has_credentials =
            |kind: &&ProviderKind| registry::credentials(kind).is_some_and(is_set);
        let with_credentials = registry::built_in().filter(has_credentials);
        kinds.extend(with_credentials.map(|kind| &*kind.name));
    }
    if kinds.is_empty() {
        eprint_unless_quiet(&format!(
            "no account: asking the sandbox, which solves only the project's own test pictures \
             (for others, set {})",
            registry::all_credentials()
        ));
        kinds.push(sandbox::NAME);
    }
    Ok(kinds)
}

/// What the options say about a chain.
#[derive(Debug)]
pub(crate) struct ChainOptions<'a> {
    kinds: Vec<&'a str>,
    /// How often each provider is asked, the first time included.
    attempts: NonZeroU32,
    /// The time for a screenshot.
    timeout: Duration,
    pub(crate) poll_interval: Option<Duration>,
}

impl<'a> ChainOptions<'a> {
    /// Asks providers of these kinds, each the fallback of the one before it.
    pub(crate) fn new(kinds: Vec<&'a str>) -> Self {
        Self {
            kinds,
            attempts: RetryPolicy::default().max_attempts,
            timeout: DEFAULT_TIMEOUT,
            poll_interval: None,
        }
    }

    /// What makes the chain, with the settings of the environment.
    pub(crate) fn source(&self, store: &StoreArgs) -> anyhow::Result<ChainSource> {
        check_credentials(&self.kinds)?;
        ChainSource::of_options(self.config()?, store)
    }

    /// The settings that a file would have.
    ///
    /// Every provider but the last has an equal share of the time, so that one that never answers leaves
    /// some for the others. A job that was paid for is waited for to the end of its share, however often
    /// its attempts fail: buying the same answer again would not bring it sooner.
    fn config(&self) -> anyhow::Result<ChainConfig> {
        let count = u32::try_from(self.kinds.len()).unwrap_or(u32::MAX);
        let share = self.timeout / count.max(1);
        let mut providers = Vec::new();
        for (index, &kind) in self.kinds.iter().enumerate() {
            let retry = RetryPolicy::default().max_attempts(self.attempts.get());
            let mut provider = provider(kind, self.timeout, self.poll_interval)?.retry(retry);
            if index + 1 < self.kinds.len() {
                provider = provider.total_timeout(share);
            }
            providers.push(provider);
        }
        Ok(ChainConfig::new(providers).deadline(self.timeout.into()))
    }
}

/// A provider with what is around each of this command's.
pub(crate) fn provider(
    kind: &str,
    timeout: Duration,
    poll_interval: Option<Duration>,
) -> anyhow::Result<ProviderConfig> {
    let provider = ProviderConfig::new(kind)
        .fit(FitPolicy::default())
        .validate(ValidatePolicy::default())
        .timeout(timeout);
    let Some(interval) = poll_interval else {
        return Ok(provider);
    };
    let poll = PollInterval::new(interval, interval);
    Ok(provider.with("poll", serde_json::to_value(poll)?))
}

/// Refuses a provider of which the environment has no token.
pub(crate) fn check_credentials(kinds: &[&str]) -> anyhow::Result<()> {
    let kinds = kinds.iter().filter_map(|name| registry::find(name));
    for variable in kinds.flat_map(registry::all_credentials_of) {
        let problem = match env::var_os(variable) {
            None => "is not set: set it to the token of your account",
            Some(token) if token.is_empty() => {
                "is empty: set it to the token of your account, or unset it"
            }
            Some(_) => continue,
        };
        bail!(ConfigError::of_variable(variable, problem));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use drag_solver::config::{Chain, Registry};
    use drag_solver::{Drag, DragSolver as _, ErrorKind, Point, Solution, SolveError};
    use drag_solver_mock::{MockSolver, Outcome, fixtures};

    use super::*;

    #[derive(serde::Deserialize)]
    struct NoConfig {}

    fn answer(seconds: u64) -> Outcome {
        Outcome::answer(fixtures::drag()).after(Duration::from_secs(seconds))
    }

    fn build(mocks: &[&MockSolver], attempts: u32) -> Chain {
        let mut registry = Registry::empty();
        for mock in mocks {
            let (name, mock) = (mock.name().to_owned(), (*mock).clone());
            let make = move |NoConfig {}, _: &_| Ok(mock.clone());
            registry = registry.register(&name, make).unwrap();
        }
        let mut options = ChainOptions::new(mocks.iter().map(|mock| mock.name()).collect());
        options.attempts = NonZeroU32::new(attempts).unwrap();
        options.config().unwrap().build(&registry).unwrap()
    }

    async fn solve(mocks: &[&MockSolver], attempts: u32) -> Result<Solution, SolveError> {
        build(mocks, attempts).solve(&fixtures::challenge()).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_is_out_of_order_is_asked_again_then_left() {
        let first = MockSolver::new("first").always(ErrorKind::Unavailable);
        let second = MockSolver::new("second").always(answer(1));
        let solution = solve(&[&first, &second], 3).await.unwrap();
        assert_eq!(solution.solver(), "second");
        assert_eq!((first.call_count(), second.call_count()), (3, 1));
        assert_eq!(solution.failed_attempts().len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_never_answers_leaves_time_for_the_next() {
        let stalled = MockSolver::new("stalled").always(answer(100_000));
        let second = MockSolver::new("second").always(answer(30));
        let started = tokio::time::Instant::now();
        let solution = solve(&[&stalled, &second], 3).await.unwrap();
        assert_eq!(solution.solver(), "second");
        assert_eq!(started.elapsed(), Duration::from_secs(60 + 30));
        assert_eq!(
            stalled.purchases(),
            1,
            "a job that was paid for is not bought again"
        );
        assert_eq!(solution.failed_attempts()[0].kind, ErrorKind::Timeout);
    }

    #[tokio::test(start_paused = true)]
    async fn the_only_provider_has_all_the_time() {
        let slow = MockSolver::new("slow").always(answer(119));
        assert_eq!(solve(&[&slow], 3).await.unwrap().solver(), "slow");
        let slower = MockSolver::new("slower").always(answer(121));
        let error = solve(&[&slower], 3).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
        assert_eq!(error.solver(), Some("slower"));
        assert_eq!(error.unfinished_jobs().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_off_the_picture_is_not_passed_on() {
        let off = Drag::new(Point::new(1.0, 1.0), Point::new(591.0, 1.0));
        let mock = MockSolver::new("mock")
            .then(Outcome::answer(off))
            .always(answer(1));
        let error = solve(&[&mock], 1).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidAnswer);
        assert!(solve(&[&mock], 1).await.is_ok());
    }

    #[test]
    fn policies_are_in_the_order_of_a_file() {
        let mocks = [MockSolver::new("first"), MockSolver::new("second")];
        let chain = build(&[&mocks[0], &mocks[1]], 2);
        let retry =
            "retry(max_attempts: 2, base_backoff: 500ms, max_backoff: 10s, max_retry_after: 1m)";
        let one =
            |name: &str| format!("{name}.fit().validate(min_length: 8 px).timeout(2m).{retry}");
        let (first, second) = (one("first"), one("second"));
        assert_eq!(
            chain.to_string(),
            format!("fallback[{first}.timeout(1m), {second}].deadline(2m)")
        );
    }
}
