//! `drag-solver services`: the services that come as declarations.

use drag_solver::config::{Declared, ProviderKind};
use serde::Serialize;

use crate::chain::registry::{all_credentials_of, registry};
use crate::exit::Exit;
use crate::format::Format;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  drag-solver services
  # the services and the variables of their keys, for a program
  drag-solver services --format json")]
pub(crate) struct Args {
    /// How they are printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// One service as a line of JSON.
#[derive(Serialize)]
struct ServiceLine<'a> {
    kind: &'a str,
    about: &'a str,
    key: Option<&'a str>,
    /// All that have to be set, the key's first.
    variables: Vec<&'a str>,
    source: Option<&'a str>,
    read: Option<&'a str>,
    guessed: &'a [String],
}

/// Prints each, with the variables of its account, where its facts come from, and what is a guess.
pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let declared = |kind: &'static ProviderKind| Some((kind, kind.declared.as_ref()?));
    for (kind, service) in registry().kinds().filter_map(declared) {
        let line = json(kind, service);
        args.format.print(&line, || text(&line))?;
    }
    Ok(Exit::Success)
}

fn json<'a>(kind: &'a ProviderKind, service: &'a Declared) -> ServiceLine<'a> {
    let definition = service.definition();
    ServiceLine {
        kind: &kind.name,
        about: &kind.about,
        key: definition.key.as_deref(),
        variables: all_credentials_of(kind),
        source: definition.source.as_deref(),
        read: definition.read.as_deref(),
        guessed: &definition.guessed,
    }
}

fn text(line: &ServiceLine<'_>) -> String {
    let (name, about, key) = (line.kind, line.about, line.variables.join(" and "));
    let (source, read) = (
        line.source.unwrap_or_default(),
        line.read.unwrap_or_default(),
    );
    let guessed = line.guessed.join("; ");
    format!("{name}: {about}\n  key: {key}\n  source: {source} ({read})\n  guessed: {guessed}")
}
