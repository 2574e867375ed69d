//! The providers this command knows, and which of them are asked.

use std::env;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{bail, ensure};
use drag_solver::core::{DragSolver, SolveError, async_trait};
use drag_solver::http::{Balance, Pace};
use drag_solver::omocaptcha::{Omocaptcha, OmocaptchaBuilder, OmocaptchaConfig};

use crate::args::ProviderArgs;
use crate::console;
use crate::sandbox;

/// A solver with an account.
#[async_trait]
pub(crate) trait Provider: DragSolver {
    /// What is left in the account.
    async fn balance(&self) -> Result<Balance, SolveError>;
}

/// One line of what `--provider` knows. Another provider is another line here and in [`open_one`].
#[derive(Debug)]
pub(crate) struct Known {
    /// Its name on the command line and in results.
    pub(crate) name: &'static str,
    /// How the names of its environment variables begin; `None` if it has none.
    pub(crate) prefix: Option<&'static str>,
    /// The environment variable that holds its credentials.
    credentials: Option<&'static str>,
}

const KNOWN: &[Known] = &[
    Known {
        name: drag_solver::omocaptcha::NAME,
        prefix: Some("OMOCAPTCHA"),
        credentials: Some(drag_solver::omocaptcha::variables::API_TOKEN),
    },
    Known {
        name: sandbox::NAME,
        prefix: None,
        credentials: None,
    },
];

/// The names of all, in the order in which they are asked.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|known| known.name)
}

/// The one called `name`.
pub(crate) fn find(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name == name)
}

/// Makes the providers that were asked for ready, in that order: those named, else those whose
/// credentials are in the environment, else the sandbox. Nothing is sent.
pub(crate) fn open(args: &ProviderArgs) -> anyhow::Result<Vec<Arc<dyn Provider>>> {
    let names = if args.names.is_empty() {
        chosen_by_environment()
    } else {
        args.names.iter().map(String::as_str).collect()
    };
    let mut providers: Vec<Arc<dyn Provider>> = Vec::new();
    for name in names {
        ensure!(
            providers.iter().all(|provider| provider.name() != name),
            "--provider {name} is given twice; --attempts says how often one is asked"
        );
        providers.push(open_one(name, args.poll_interval)?);
    }
    Ok(providers)
}

fn chosen_by_environment() -> Vec<&'static str> {
    let is_set = |known: &&Known| {
        known
            .credentials
            .is_some_and(|name| env::var_os(name).is_some())
    };
    let set: Vec<_> = KNOWN
        .iter()
        .filter(is_set)
        .map(|known| known.name)
        .collect();
    if !set.is_empty() {
        return set;
    }
    let variables: Vec<_> = KNOWN.iter().filter_map(|known| known.credentials).collect();
    console::note(&format!(
        "no account: asking the sandbox, which solves only the project's own test pictures \
         (set {} for others)",
        variables.join(" or ")
    ));
    vec![sandbox::NAME]
}

fn open_one(name: &str, poll_interval: Option<Duration>) -> anyhow::Result<Arc<dyn Provider>> {
    Ok(match name {
        drag_solver::omocaptcha::NAME => Arc::new(omocaptcha(poll_interval)?),
        sandbox::NAME => Arc::new(sandbox::open(poll_interval)?),
        other => bail!("there is no provider `{other}`"), // clap knows the names, and refused it
    })
}

fn omocaptcha(poll_interval: Option<Duration>) -> anyhow::Result<Omocaptcha> {
    use drag_solver::omocaptcha::variables;

    if env::var_os(variables::API_TOKEN).is_some_and(|token| token.is_empty()) {
        bail!(
            "{}: is empty: set it to the token of your account, or unset it",
            variables::API_TOKEN
        );
    }
    // The limit is the challenge's deadline: --timeout, or this provider's share of it.
    let mut builder =
        OmocaptchaBuilder::from(OmocaptchaConfig::from_env()?).job_timeout(Duration::MAX);
    if let Some(interval) = poll_interval {
        builder = builder.pace(Pace::new(interval, interval));
    }
    // The builder knows settings; whoever reads the error knows variables.
    let built = builder.build().map_err(|error| match error.setting() {
        "base_url" => error.of_setting(variables::BASE_URL),
        "job_type" => error.of_setting(variables::JOB_TYPE),
        _ => error,
    });
    Ok(built?)
}

#[async_trait]
impl Provider for Omocaptcha {
    async fn balance(&self) -> Result<Balance, SolveError> {
        Self::balance(self).await
    }
}
