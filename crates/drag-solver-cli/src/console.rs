//! Writing to the terminal: results to standard output, all else to standard error.

use std::io::{self, Write as _};

use crate::outcome::Exit;

/// Writes one line to standard output, at once.
pub(crate) fn print(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}

/// Writes bytes to standard output.
pub(crate) fn print_bytes(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Writes one line to standard error. If that is closed too, there is nobody left to tell.
pub(crate) fn note(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// What a failed write to standard output means for a command with nothing else to lose: a reader
/// that went away has seen enough.
pub(crate) fn closed(error: io::Error) -> anyhow::Result<Exit> {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Ok(Exit::Success);
    }
    Err(anyhow::Error::new(error).context("cannot write to standard output"))
}
