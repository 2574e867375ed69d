//! What `-v` shows.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

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
    let colour =
        io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_timer(tracing_subscriber::fmt::time::uptime())
        .with_ansi(colour)
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
