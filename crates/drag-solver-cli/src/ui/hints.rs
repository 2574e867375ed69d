//! What to do next: first the jobs that can be saved, then the settings that can be mended.

use std::error::Error;
use std::iter;
use std::path::{Path, PathBuf};

use drag_solver::http::ProxyRefused;
use drag_solver::store::OtherPicture;
use drag_solver::{ErrorKind, PaidJob, SolveError};

use super::text::{file_name, one_line, shell_word};
use crate::chain::registry;
use crate::chain::store::StorePlace;
use crate::sandbox;
use crate::task::Task;

/// What a command asks with, so that its hints can name it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// The file of the chain.
    pub(crate) config: Option<PathBuf>,
    /// Where what is paid for is on record.
    pub(crate) store: Option<StorePlace>,
    /// The providers that are people.
    pub(crate) people: Vec<String>,
}

/// All hints about a task that was not solved, each once.
pub(crate) fn hints(task: &Task, error: &SolveError, asked: &Asked) -> Vec<String> {
    let config = asked.config.as_deref();
    let jobs = error.unfinished_jobs();
    let mut hints: Vec<String> = jobs
        .iter()
        .map(|job| {
            let how = how_to_resume(task, job, asked);
            format!("{} is unfinished; {how}", one_line(&job.to_string()))
        })
        .collect();
    for attempt in error.attempts() {
        let solver = attempt.solver.as_deref().unwrap_or_default();
        let hint = match attempt.kind {
            ErrorKind::Unauthorized if refused_by_proxy(error) == Some(solver) => {
                Some(proxy_hint(config))
            }
            ErrorKind::InvalidChallenge if caused_by::<OtherPicture>(error).is_some() => {
                Some("give it an --id of its own, or name another store".to_owned())
            }
            ErrorKind::Overloaded if asked.people.iter().any(|person| person == solver) => {
                Some(PEOPLE_HINT.to_owned())
            }
            ErrorKind::BudgetExhausted if is_out_of_money(error) => Some(budget_hint(config)),
            kind => hint(kind, solver, config),
        };
        hints.extend(hint.filter(|hint| !hints.contains(hint)));
    }
    hints
}

/// How to continue with a job that was paid for.
pub(crate) fn how_to_resume(task: &Task, job: &PaidJob, asked: &Asked) -> String {
    if job.solver == sandbox::NAME {
        return "the sandbox takes no money, and ends with the command".to_owned();
    }
    let config = config_option(asked.config.as_deref());
    let instead = "instead of buying another";
    match &asked.store {
        None => {}
        Some(StorePlace::Option(store)) => {
            return format!("to wait for it {instead}: drag-solver resume{config}{store}");
        }
        Some(StorePlace::Unnamed) => {
            return format!("the same line again waits for it {instead}");
        }
    }
    let id = task.id.as_deref();
    let id = id.map(|id| format!(" --id {}", shell_word(id)));
    let region = task.region.map(|region| format!(" --region {region}"));
    format!(
        "to wait for it {instead}: drag-solver solve{config} {}{}{} --resume {}",
        shell_word(&task.path),
        id.unwrap_or_default(),
        region.unwrap_or_default(),
        shell_word(format!("{}:{}", job.solver, job.id)),
    )
}

/// How to repeat the choice of a chain in a command: ` --config chain.toml`, or nothing.
fn config_option(config: Option<&Path>) -> String {
    config.map_or_else(String::new, |path| {
        format!(" --config {}", shell_word(path))
    })
}

/// What to do about an account that cannot be used.
pub(crate) fn hint_for_account(error: &SolveError) -> Option<String> {
    match error.kind() {
        _ if refused_by_proxy(error).is_some() => Some(proxy_hint(None)),
        kind @ (ErrorKind::Unauthorized | ErrorKind::Unavailable | ErrorKind::Protocol) => {
            hint(kind, error.solver().unwrap_or_default(), None)
        }
        _ => None,
    }
}

/// The solver whose request did not come past the proxy.
fn refused_by_proxy(error: &SolveError) -> Option<&str> {
    caused_by::<ProxyRefused>(error)?.solver()
}

/// The error and what is underneath: of a chain's, its last part.
fn parts(error: &SolveError) -> impl Iterator<Item = &SolveError> {
    let chain = iter::successors(Some(error as &(dyn Error + 'static)), |&error| {
        error.source()
    });
    chain.filter_map(|part| part.downcast_ref::<SolveError>())
}

/// The error, or that of its parts, which has such a source.
fn caused_by<E: Error + 'static>(error: &SolveError) -> Option<&SolveError> {
    parts(error).find(|part| part.source().is_some_and(<dyn Error>::is::<E>))
}

fn proxy_hint(config: Option<&Path>) -> String {
    let in_file = config.map(|path| format!("`proxy` in {}, or ", file_name(path)));
    format!(
        "check the user name and password of the proxy: {}HTTPS_PROXY or ALL_PROXY in the environment",
        in_file.unwrap_or_default()
    )
}

/// Why a provider that is a person does not answer in a command.
pub(crate) const PEOPLE_HINT: &str = "people answer on the page of `drag-solver serve`";

/// Whether a budget refused, and will refuse the same again however long one waits.
fn is_out_of_money(error: &SolveError) -> bool {
    let mut budgets = parts(error).filter(|part| part.kind() == ErrorKind::BudgetExhausted);
    budgets.any(|part| part.retry_after().is_none())
}

fn budget_hint(config: Option<&Path>) -> String {
    match config.map(file_name) {
        Some(file) => format!("raise the budget in {file}"),
        None => "raise the budget".to_owned(),
    }
}

/// What to do about an error of this kind.
pub(crate) fn hint(kind: ErrorKind, solver: &str, config: Option<&Path>) -> Option<String> {
    let provider = registry::find(solver).filter(|_| config.is_none());
    let solver = &one_line(solver);
    let credentials = provider.map(registry::all_credentials_of);
    let credentials = credentials.filter(|names| !names.is_empty());
    let credentials =
        credentials.map_or_else(|| format!("{solver}'s token"), |names| names.join(" and "));
    let base_url = provider.and_then(registry::base_url);
    let base_url = base_url.map_or_else(|| format!("{solver}'s base_url"), str::to_owned);
    let file = config.map(file_name);
    let another = match &file {
        Some(file) => format!("add another provider to {file}"),
        None => "name another provider with --provider".to_owned(),
    };
    let is_sandbox = solver == sandbox::NAME;
    Some(match kind {
        ErrorKind::Unauthorized => format!("check {credentials}"),
        ErrorKind::InsufficientBalance => {
            let options = config_option(config);
            format!(
                "add money to the account (`drag-solver balance{options}` shows what is left), \
                 or {another}"
            )
        }
        ErrorKind::Timeout | ErrorKind::DeadlineExceeded => match file {
            // --timeout is the challenge's deadline, and changes nothing about a provider's limit.
            Some(file) if kind == ErrorKind::Timeout => format!("raise `timeout` in {file}"),
            Some(file) => format!("allow more time with --timeout, or in {file}"),
            None => "allow more time with --timeout".to_owned(),
        },
        ErrorKind::RateLimited | ErrorKind::Overloaded => {
            "wait a little, or ask for less at a time with --concurrency".to_owned()
        }
        ErrorKind::Unavailable if !is_sandbox => {
            format!("check the network and {base_url}, or {another}")
        }
        ErrorKind::Unsolvable if is_sandbox => format!(
            "the sandbox solves only pictures drawn by `drag-solver challenge`; for others, set {}",
            registry::all_credentials()
        ),
        ErrorKind::Protocol if !is_sandbox => format!(
            "see what was sent and answered with -vv; {base_url} may be another version of the \
             service"
        ),
        ErrorKind::InvalidChallenge => {
            "give the whole screenshot, unchanged, as PNG, JPEG, WebP or GIF".to_owned()
        }
        ErrorKind::Unsupported => format!("change what it does not take, or {another}"),
        ErrorKind::CircuitOpen => {
            format!("{solver} is left alone for a while: wait, or {another}")
        }
        ErrorKind::NotRecorded => {
            "make the store writable, and run the same line again: nothing is bought that is not on record"
                .to_owned()
        }
        ErrorKind::Unconfirmed => format!(
            "look at {solver}'s bill, and if nothing was bought there, or it may be paid twice, add \
             --buy-unconfirmed; `drag-solver jobs unsure` lists them"
        ),
        ErrorKind::BudgetExhausted => {
            format!("{}, or wait for its period to end", budget_hint(config))
        }
        ErrorKind::Unsolvable | ErrorKind::InvalidAnswer if !is_sandbox => {
            format!("ask again, with a new screenshot if the challenge has changed, or {another}")
        }
        // Its parts have said what to do.
        _ => return None,
    })
}
