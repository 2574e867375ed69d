//! The providers this command knows, and which of them are asked.

use std::env;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{bail, ensure};
use drag_solver::anticaptcha::{self, ImageToCoordinatesTask};
use drag_solver::core::{DragSolver, SolveError, async_trait};
use drag_solver::http::task_api::{TaskConfig, TaskService, TaskSolver, TaskSolverBuilder};
use drag_solver::http::{Balance, ConfigError, Pace};
use drag_solver::omocaptcha::{self, Omocaptcha, OmocaptchaBuilder, OmocaptchaConfig, variables};
use drag_solver::twocaptcha::{self, CoordinatesTask};

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
    /// Another name that it goes by on the command line.
    pub(crate) alias: Option<&'static str>,
    /// Who that is, for the help.
    pub(crate) about: &'static str,
    /// The environment variables it reads; `None` if it has no account.
    pub(crate) variables: Option<Variables>,
}

/// Names of environment variables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variables {
    pub(crate) credentials: &'static str,
    pub(crate) base_url: &'static str,
}

pub(crate) const KNOWN: &[Known] = &[
    Known {
        name: omocaptcha::NAME,
        alias: None,
        about: "omocaptcha.com",
        variables: Some(Variables {
            credentials: variables::API_TOKEN,
            base_url: variables::BASE_URL,
        }),
    },
    Known {
        name: twocaptcha::NAME,
        alias: Some("2captcha"),
        about: "2captcha.com, also called 2captcha",
        variables: Some(variables_of::<CoordinatesTask>()),
    },
    Known {
        name: anticaptcha::NAME,
        alias: Some("anti-captcha"),
        about: "anti-captcha.com, also called anti-captcha",
        variables: Some(variables_of::<ImageToCoordinatesTask>()),
    },
    Known {
        name: sandbox::NAME,
        alias: None,
        about: "an emulated provider inside this command; it knows only test pictures",
        variables: None,
    },
];

const fn variables_of<S: TaskService>() -> Variables {
    Variables {
        credentials: S::KEY_VARIABLE,
        base_url: S::BASE_URL_VARIABLE,
    }
}

/// The one that goes by `name`.
pub(crate) fn find(name: &str) -> Option<&'static Known> {
    KNOWN
        .iter()
        .find(|known| known.name == name || known.alias == Some(name))
}

/// The variables that hold credentials, in words: `A, B or C`.
pub(crate) fn credentials() -> String {
    let names: Vec<_> = credentials_of_all().collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

fn credentials_of_all() -> impl Iterator<Item = &'static str> {
    let variables = KNOWN.iter().filter_map(|known| known.variables);
    variables.map(|variables| variables.credentials)
}

/// Makes the providers that were asked for ready, in that order: those named, else those whose
/// credentials are in the environment, else the sandbox. Nothing is sent.
pub(crate) async fn open(args: &ProviderArgs) -> anyhow::Result<Vec<Arc<dyn Provider>>> {
    let asked: Vec<&Known> = if args.names.is_empty() {
        chosen_by_environment()
    } else {
        args.names.iter().filter_map(|name| find(name)).collect()
    };
    let mut providers: Vec<Arc<dyn Provider>> = Vec::new();
    for known in asked {
        let name = known.name;
        ensure!(
            providers.iter().all(|provider| provider.name() != name),
            "--provider {name} is given twice; --attempts says how often one is asked"
        );
        providers.push(open_one(known, args.poll_interval).await?);
    }
    Ok(providers)
}

fn chosen_by_environment() -> Vec<&'static Known> {
    let is_set = |known: &&Known| {
        known
            .variables
            .is_some_and(|variables| env::var_os(variables.credentials).is_some())
    };
    let set: Vec<_> = KNOWN.iter().filter(is_set).collect();
    if !set.is_empty() {
        return set;
    }
    console::note(&format!(
        "no account: asking the sandbox, which solves only the project's own test pictures \
         (for others, set {})",
        credentials()
    ));
    find(sandbox::NAME).into_iter().collect()
}

async fn open_one(
    known: &Known,
    poll_interval: Option<Duration>,
) -> anyhow::Result<Arc<dyn Provider>> {
    if let Some(Variables { credentials, .. }) = known.variables
        && env::var_os(credentials).is_some_and(|token| token.is_empty())
    {
        bail!("{credentials}: is empty: set it to the token of your account, or unset it");
    }
    let pace = poll_interval.map(|interval| Pace::new(interval, interval));
    Ok(match known.name {
        omocaptcha::NAME => Arc::new(omocaptcha(pace)?),
        twocaptcha::NAME => Arc::new(task_solver::<CoordinatesTask>(pace)?),
        anticaptcha::NAME => Arc::new(task_solver::<ImageToCoordinatesTask>(pace)?),
        sandbox::NAME => Arc::new(sandbox::open(pace).await?),
        other => bail!("there is no provider `{other}`"), // clap knows the names, and refused it
    })
}

// Below, the limit on a job is the challenge's deadline: --timeout, or the provider's share of it.
// The builders know settings; whoever reads their errors knows variables.

fn omocaptcha(pace: Option<Pace>) -> Result<Omocaptcha, ConfigError> {
    let config = OmocaptchaConfig::from_env()?;
    let mut builder = OmocaptchaBuilder::from(config).job_timeout(Duration::MAX);
    if let Some(pace) = pace {
        builder = builder.pace(pace);
    }
    builder.build().map_err(|error| match error.setting() {
        "base_url" => error.of_setting(variables::BASE_URL),
        "job_type" => error.of_setting(variables::JOB_TYPE),
        _ => error,
    })
}

fn task_solver<S: TaskService>(pace: Option<Pace>) -> Result<TaskSolver<S>, ConfigError> {
    let config = TaskConfig::from_variables::<S>(|name| env::var_os(name))?;
    let mut builder = TaskSolverBuilder::<S>::from(config).job_timeout(Duration::MAX);
    if let Some(pace) = pace {
        builder = builder.pace(pace);
    }
    builder.build().map_err(|error| match error.setting() {
        "base_url" => error.of_setting(S::BASE_URL_VARIABLE),
        _ => error,
    })
}

#[async_trait]
impl Provider for Omocaptcha {
    async fn balance(&self) -> Result<Balance, SolveError> {
        Self::balance(self).await
    }
}

#[async_trait]
impl<S: TaskService> Provider for TaskSolver<S> {
    async fn balance(&self) -> Result<Balance, SolveError> {
        Self::balance(self).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_and_alias_is_one_providers_alone() {
        for known in KNOWN {
            for name in [Some(known.name), known.alias].into_iter().flatten() {
                let owners = KNOWN
                    .iter()
                    .filter(|other| other.name == name || other.alias == Some(name));
                assert_eq!(owners.count(), 1, "{name}");
                assert_eq!(find(name).map(|found| found.name), Some(known.name));
            }
        }
    }

    #[test]
    fn credentials_are_listed_in_words() {
        assert_eq!(
            credentials(),
            "OMOCAPTCHA_API_TOKEN, TWOCAPTCHA_API_KEY or ANTICAPTCHA_API_KEY"
        );
    }
}
