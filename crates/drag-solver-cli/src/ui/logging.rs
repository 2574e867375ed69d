//! What `-v` shows.

use std::io;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

use super::colour;

/// What a log looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// Starts logging to standard error: nothing by default, then ever more.
pub(crate) fn start(verbose: u8) {
    if verbose == 0 {
        return;
    }
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_timer(tracing_subscriber::fmt::time::uptime())
        .with_ansi(colour::of_stderr())
        .with_target(verbose >= 2);
    tracing_subscriber::registry()
        .with(lines)
        .with(targets(verbose))
        .init();
}

/// Starts the log of a service, which says by default what its owner has to know.
pub(crate) fn start_for_service(verbose: u8, format: LogFormat) {
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(colour::of_stderr()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry()
        .with(lines)
        .with(targets(verbose))
        .init();
}

fn targets(verbose: u8) -> Targets {
    use LevelFilter as Level;

    // What lies underneath (HTTP, TLS) is of interest only when all else has been looked at.
    let (ours, theirs) = match verbose {
        0 => (Level::INFO, Level::WARN),
        1 => (Level::DEBUG, Level::WARN),
        2 => (Level::TRACE, Level::DEBUG),
        _ => (Level::TRACE, Level::TRACE),
    };
    Targets::new()
        .with_default(theirs)
        .with_target("drag_solver", ours)
}
