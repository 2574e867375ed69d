//! `drag-solver service`: a service that is declared in TOML, before it costs anything.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Error, anyhow, bail, ensure};
use clap::Subcommand;
use drag_solver::config::{Declared, ProviderKind, read_service};
use drag_solver::http::{Context, Provider as _, Recording};
use drag_solver::providers::{AntiCaptcha, Omocaptcha, TwoCaptcha};
use drag_solver_declared::testing::{
    ReplayReport, TestOptions, replay, replay_provider, test_with,
};

use crate::chain::registry::{self, registry};
use crate::exit::Exit;
use crate::input_file;
use crate::sandbox;
use crate::ui::console::{self, eprint_unless_quiet};
use crate::ui::progress_view::bar;
use crate::ui::text::{file_name, one_line};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Try it on a double of the service that is made of the same file: what every solver promises, and
    /// what can go wrong on the way. No account is asked and nothing is sent beyond this machine
    #[command(after_help = "\
Examples:
  # one of your own
  drag-solver service test pointing.toml
  # one that comes with the command, without its faults
  drag-solver service test --without-faults azcaptcha
  # what the real service answered, after a change to the file
  drag-solver service test --replay wire.jsonl pointing.toml
  # the providers that the recording is of, also those that are no files
  drag-solver service test --replay wire.jsonl")]
    Test {
        /// Files that declare a service, or names that `drag-solver services` lists; with --replay providers, too, and
        /// without any those that the recording is of
        #[arg(value_name = "FILE", required_unless_present = "replay")]
        services: Vec<String>,

        /// Only what every solver promises: no faults, which take most of the time
        #[arg(long)]
        without_faults: bool,

        /// Hold it against what `solve --record` wrote instead: the same calls are made, get the answers that are in
        /// the recording, and should come to the same. Nothing is sent; a call that had run out of time takes as long
        /// again
        #[arg(long, value_name = "RECORDING", conflicts_with = "without_faults")]
        replay: Option<PathBuf>,
    },
    /// Print the requests that it makes, with names in place of keys, picture and job
    #[command(after_help = "\
Examples:
  drag-solver service show pointing.toml")]
    Show {
        /// A file that declares a service, or a name that `drag-solver services` lists
        #[arg(value_name = "FILE")]
        service: String,
    },
}

pub(crate) async fn run(command: &Command, spinner: bool) -> anyhow::Result<Exit> {
    match command {
        Command::Test {
            services,
            without_faults,
            replay,
        } => {
            if let Some(recording) = replay {
                return replay_all(services, recording).await;
            }
            let mut options = TestOptions::default();
            if *without_faults {
                options = options.without_faults();
            }
            // What cannot be read is told before anything takes time.
            let services = services.iter().map(|name| find(name));
            let services = services.collect::<anyhow::Result<Vec<_>>>()?;
            let mut exit = Exit::Success;
            for service in services {
                let name = service.name();
                let bar = bar(1, spinner);
                if !without_faults {
                    eprint_unless_quiet(&format!(
                        "{name}: faults are tried, too, which takes seconds, and minutes with some services; --without-faults leaves them \
                         out"
                    ));
                }
                bar.set_message(format!("{name}: what every solver promises"));
                let (told, of) = (bar.clone(), name.to_owned());
                let options = options.clone().on_progress(move |tried, all| {
                    told.set_message(format!("{of}: {tried} of {all} faults tried"));
                });
                let report = test_with(&service, options).await;
                bar.finish_and_clear();
                let report = report.context("the double of the service cannot be started")?;
                let text = format!("{name}\n{report}");
                console::print(&text).map_err(console::cannot_print)?;
                if !report.passed() {
                    exit = Exit::Unsolved;
                }
            }
            Ok(exit)
        }
        Command::Show { service } => {
            console::print(&find(service)?.preview()).map_err(console::cannot_print)?;
            Ok(Exit::Success)
        }
    }
}

/// Holds each service against the recording at `path`, or all that are in it.
async fn replay_all(names: &[String], path: &Path) -> anyhow::Result<Exit> {
    let file = file_name(path);
    let recording = input_file::check(path).map_err(Error::msg);
    let recording = recording.and_then(|()| Ok(Recording::read(path)?));
    let recording = recording.with_context(|| format!("cannot read {file}"))?;
    let mut all = Vec::new();
    for name in names {
        all.push((Subject::find(name)?, recording.clone()));
    }
    if names.is_empty() {
        for solver in recording.solvers() {
            let subject = Subject::of_solver(solver).with_context(|| file.clone())?;
            all.push((subject, recording.clone().of_solver(solver)));
        }
        ensure!(!all.is_empty(), "{file}: the recording is empty");
    }
    let mut exit = Exit::Success;
    for (subject, recording) in all {
        let report = subject.replay(&recording).await;
        let report = report.map_err(|why| anyhow!("{file}: {why}"))?;
        let text = format!("{}\n{report}", subject.name());
        console::print(&text).map_err(console::cannot_print)?;
        if !report.passed() {
            exit = Exit::Unsolved;
            subject.tell_variables();
        }
    }
    Ok(exit)
}

/// Who a recording is played back to.
enum Subject {
    Declared(Declared),
    Provider(&'static ProviderKind),
}

impl Subject {
    fn find(name: &str) -> anyhow::Result<Self> {
        match registry::find(name) {
            Some(kind) if kind.declared.is_none() => Ok(Self::Provider(kind)),
            _ => find(name).map(Self::Declared),
        }
    }

    /// The one that a solver of this name is, unless its chain has called it otherwise.
    fn of_solver(solver: &str) -> anyhow::Result<Self> {
        let kind = registry::find(solver).with_context(|| {
            format!(
                "`{}` is the name of no provider here, but of one in a chain's file, or of a service that is declared: add \
                 which one it is, as in `--replay FILE omocaptcha`, or the file that declares it, as in `--replay FILE \
                 pointing.toml`",
                one_line(solver)
            )
        })?;
        Ok(match &kind.declared {
            Some(declared) => Self::Declared(declared.clone()),
            None => Self::Provider(kind),
        })
    }

    fn name(&self) -> &str {
        match self {
            Self::Declared(service) => service.name(),
            Self::Provider(kind) => &kind.name,
        }
    }

    async fn replay(&self, recording: &Recording) -> Result<ReplayReport, String> {
        let kind = match self {
            Self::Declared(service) => return replay(service, recording).await,
            Self::Provider(kind) => kind,
        };
        let context = registry().context();
        match &*kind.name {
            Omocaptcha::NAME => replay_provider::<Omocaptcha>(recording, context).await,
            TwoCaptcha::NAME => replay_provider::<TwoCaptcha>(recording, context).await,
            AntiCaptcha::NAME => replay_provider::<AntiCaptcha>(recording, context).await,
            // It is an omocaptcha of our own, with no settings.
            sandbox::NAME => {
                let context = Context::with_variables(|_| None);
                replay_provider::<Omocaptcha>(recording, &context).await
            }
            other => Err(format!("nothing goes over the wire to `{other}`")),
        }
    }

    /// What an account sets is in no recording.
    fn tell_variables(&self) {
        let Self::Provider(kind) = self else { return };
        let of_account = [registry::credentials(kind), registry::base_url(kind)];
        let own = kind.variables.iter().map(|variable| &*variable.name);
        let own: Vec<&str> = own
            .filter(|name| !of_account.contains(&Some(name)))
            .collect();
        if !own.is_empty() {
            eprint_unless_quiet(&format!(
                "note: the settings of {} are not in a recording: {} are taken from the environment, as they are now",
                kind.name,
                own.join(", ")
            ));
        }
    }
}

/// The service that the file at `name` declares, or the one of the gallery that is called so.
fn find(name: &str) -> anyhow::Result<Declared> {
    if let Some(declared) = registry::find(name).and_then(|kind| kind.declared.clone()) {
        return Ok(declared);
    }
    if let Some(kind) = registry::find(name) {
        bail!(
            "{} is no declaration, and there is no double of it: `service test --replay RECORDING {name}` holds it against \
             what was recorded",
            kind.name
        );
    }
    let path = Path::new(name);
    if path.exists() {
        let service = input_file::check(path).map_err(Error::msg);
        let service = service.and_then(|()| Ok(read_service(path)?));
        return service.with_context(|| name.to_owned());
    }
    bail!("there is no file {name}, and no service of that name: `drag-solver services` lists them")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_provider_with_an_account_can_be_played_back() {
        let one = |solver: &str| {
            let line = format!(
                r#"{{"call":{{"solver":"{solver}","began_ms":0,"ended_ms":1,"settings":{{"base_url":"","poll_first_ms":1,"poll_every_ms":1}},"asked":"balance","result":"abandoned"}}}}"#
            );
            Recording::parse(&format!("{{\"drag_solver_recording\":1}}\n{line}")).unwrap()
        };
        for kind in registry::built_in().filter(|kind| kind.name != "person") {
            let replayed = Subject::Provider(kind).replay(&one(&kind.name)).await;
            assert!(replayed.is_ok(), "{kind:?}: {replayed:?}");
        }
    }
}
