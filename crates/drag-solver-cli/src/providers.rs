//! The providers this command knows, and which of them are asked.

use std::env;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use anyhow::{bail, ensure};
use drag_solver::combinators::TimeoutPolicy;
use drag_solver::config::{Kind, Opened, ProviderConfig, Registry};
use drag_solver::core::DragSolver;
use drag_solver::http::Pace;
use drag_solver::image::{Fit, FitExt as _, FitPolicy};

use crate::args::ProviderArgs;
use crate::sandbox::{self, Sandbox};
use crate::{config, console};

/// Every provider: those of the library, and the sandbox.
static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::standard().with::<Sandbox>());

pub(crate) fn registry() -> &'static Registry {
    &REGISTRY
}

/// The one that goes by `name`.
pub(crate) fn find(name: &str) -> Option<&'static Kind> {
    registry().find(name)
}

/// The variable that holds the credentials, for all but the sandbox.
pub(crate) fn credentials(kind: &Kind) -> Option<&'static str> {
    kind.variables().first().map(|variable| variable.name)
}

/// The variable that says where the provider is.
pub(crate) fn base_url(kind: &Kind) -> Option<&'static str> {
    let names = kind.variables().iter().map(|variable| variable.name);
    names.into_iter().find(|name| name.ends_with("_BASE_URL"))
}

/// The variables that hold credentials, in words: `A, B or C`.
pub(crate) fn all_credentials() -> String {
    let names: Vec<_> = registry().kinds().filter_map(credentials).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

/// Makes the providers that were asked for ready, in that order: those of the file, or those named,
/// else those whose credentials are in the environment, else the sandbox. Nothing is sent.
pub(crate) fn open(args: &ProviderArgs) -> anyhow::Result<Vec<Opened>> {
    if let Some(path) = &args.config {
        let chain = config::load(path)?;
        return Ok(chain
            .links()
            .iter()
            .map(|link| link.provider().clone())
            .collect());
    }
    let asked: Vec<&Kind> = if args.names.is_empty() {
        chosen_by_environment()
    } else {
        args.names.iter().filter_map(|name| find(name)).collect()
    };
    let mut providers: Vec<Opened> = Vec::new();
    for kind in asked {
        let name = kind.name();
        ensure!(
            providers
                .iter()
                .all(|provider| provider.solver().name() != name),
            "--provider {name} is given twice; --attempts says how often one is asked"
        );
        providers.push(open_one(kind, args.poll_interval)?);
    }
    Ok(providers)
}

/// Makes the provider called `name` ready, to ask about a job of its own: in the chain of the file,
/// or with the environment's settings.
pub(crate) fn open_named(name: &str, poll_interval: Option<Duration>) -> anyhow::Result<Opened> {
    match find(name) {
        Some(kind) => open_one(kind, poll_interval),
        None => bail!("there is no provider `{name}`: if it is in a chain's file, add --config"),
    }
}

/// The provider, with screenshots made to fit what it takes. Solving and resuming go through this one
/// place, so that an answer is mapped back in the same way.
pub(crate) fn fitted(provider: &Opened) -> anyhow::Result<Fit<Arc<dyn DragSolver>>> {
    Ok(Arc::clone(provider.solver()).fit(FitPolicy::default())?)
}

fn chosen_by_environment() -> Vec<&'static Kind> {
    let is_set = |kind: &&Kind| credentials(kind).is_some_and(|name| env::var_os(name).is_some());
    let set: Vec<_> = registry().kinds().filter(is_set).collect();
    if !set.is_empty() {
        return set;
    }
    console::note(&format!(
        "no account: asking the sandbox, which solves only the project's own test pictures \
         (for others, set {})",
        all_credentials()
    ));
    find(sandbox::NAME).into_iter().collect()
}

fn open_one(kind: &Kind, poll_interval: Option<Duration>) -> anyhow::Result<Opened> {
    if let Some(variable) = credentials(kind) {
        let problem = match env::var_os(variable) {
            None => "is not set: set it to the token of your account",
            Some(token) if token.is_empty() => {
                "is empty: set it to the token of your account, or unset it"
            }
            Some(_) => "",
        };
        ensure!(problem.is_empty(), "{variable}: {problem}");
    }
    let mut config = ProviderConfig::new(kind.name());
    // The limit on a job is the challenge's deadline: --timeout, or the provider's share of it.
    config.timeout = Some(TimeoutPolicy::new(Duration::MAX));
    if let Some(interval) = poll_interval {
        let pace = serde_json::to_value(Pace::new(interval, interval))?;
        config = config.with("poll", pace);
    }
    Ok(registry().open(&config)?)
}

/// How to repeat the choice of providers in a command: ` --config chain.toml`, or nothing.
pub(crate) fn as_options(config: Option<&Path>) -> String {
    config.map_or_else(String::new, |path| {
        format!(
            " --config {}",
            crate::text::shell_word(&path.to_string_lossy())
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_and_alias_is_one_providers_alone() {
        let goes_by =
            |kind: &Kind, name: &str| kind.name() == name || kind.aliases().contains(&name);
        for kind in registry().kinds() {
            for name in [kind.name()].iter().chain(kind.aliases()) {
                let owners = registry().kinds().filter(|other| goes_by(other, name));
                assert_eq!(owners.count(), 1, "{name}");
                assert_eq!(find(name).map(Kind::name), Some(kind.name()));
            }
        }
    }

    #[test]
    fn credentials_are_listed_in_words() {
        assert_eq!(
            all_credentials(),
            "OMOCAPTCHA_API_TOKEN, TWOCAPTCHA_API_KEY or ANTICAPTCHA_API_KEY"
        );
    }

    #[test]
    fn every_provider_but_the_sandbox_has_the_variables_that_hints_name() {
        for kind in registry().kinds() {
            let is_sandbox = kind.name() == sandbox::NAME;
            assert_eq!(credentials(kind).is_none(), is_sandbox, "{kind:?}");
            assert_eq!(base_url(kind).is_none(), is_sandbox, "{kind:?}");
            assert!(!kind.about().is_empty(), "{kind:?}");
        }
    }
}
