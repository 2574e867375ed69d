//! What `-v` shows.

use std::io;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

use super::colour;

/// Starts logging to standard error: nothing by default, then ever more.
pub(crate) fn start(verbose: u8) {
    use LevelFilter as Level;

    // What lies underneath (HTTP, TLS) is of interest only when all else has been looked at.
    let (ours, theirs) = match verbose {
        0 => return,
        1 => (Level::DEBUG, Level::WARN),
        2 => (Level::TRACE, Level::DEBUG),
        _ => (Level::TRACE, Level::TRACE),
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_timer(tracing_subscriber::fmt::time::uptime())
        .with_ansi(colour::of_stderr())
        .with_target(verbose >= 2);
    tracing_subscriber::registry()
        .with(lines)
        .with(
            Targets::new()
                .with_default(theirs)
                .with_target("drag_solver", ours),
        )
        .init();
}
