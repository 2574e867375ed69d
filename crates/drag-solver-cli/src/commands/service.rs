//! `drag-solver service`: a service that is declared in TOML, before it costs anything.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use clap::Subcommand;
use drag_solver::config::{Declared, read_service};
use drag_solver::http::Recording;
use drag_solver_declared::testing::{TestOptions, replay, test_with};

use crate::chain::registry;
use crate::exit::Exit;
use crate::ui::console;
use crate::ui::text::file_name;

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
  drag-solver service test --replay wire.jsonl pointing.toml")]
    Test {
        /// Files that declare a service, or names that `drag-solver services` lists
        #[arg(value_name = "FILE", required = true)]
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

pub(crate) async fn run(command: &Command) -> anyhow::Result<Exit> {
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
                let report = test_with(&service, options.clone()).await;
                let report = report.context("the double of the service cannot be started")?;
                let name = service.name();
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

/// Holds each service against the recording at `path`.
async fn replay_all(services: &[String], path: &Path) -> anyhow::Result<Exit> {
    let services = services.iter().map(|name| find(name));
    let services = services.collect::<anyhow::Result<Vec<_>>>()?;
    let name = file_name(path);
    let recording = Recording::read(path).with_context(|| format!("cannot read {name}"))?;
    let mut exit = Exit::Success;
    for service in services {
        let report = replay(&service, &recording).await;
        let report = report.map_err(|why| anyhow!("{name}: {why}"))?;
        let text = format!("{}\n{report}", service.name());
        console::print(&text).map_err(console::cannot_print)?;
        if !report.passed() {
            exit = Exit::Unsolved;
        }
    }
    Ok(exit)
}

/// The service that the file at `name` declares, or the one of the gallery that is called so.
fn find(name: &str) -> anyhow::Result<Declared> {
    if let Some(declared) = registry::find(name).and_then(|kind| kind.declared.clone()) {
        return Ok(declared);
    }
    if Path::new(name).exists() {
        return read_service(name).with_context(|| name.to_owned());
    }
    bail!("there is no file {name}, and no service of that name: `drag-solver services` lists them")
}
