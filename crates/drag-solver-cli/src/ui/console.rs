//! Writing to the terminal: results to standard output, all else to standard error.

use std::error::Error;
use std::fmt;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::ensure;

use super::colour::with_coloured_labels;

/// `--quiet`. Standard error is one for the whole process, and so is this.
static QUIET: AtomicBool = AtomicBool::new(false);

pub(crate) fn set_quiet(quiet: bool) {
    QUIET.store(quiet, Ordering::Relaxed);
}

/// Whether lines for standard error go to the log, which says when each was written.
static LOGGED: AtomicBool = AtomicBool::new(false);

/// From now on all that is written to standard error is a line of the log.
pub(crate) fn log_lines() {
    LOGGED.store(true, Ordering::Relaxed);
}

/// Writes one line to standard output, at once.
pub(crate) fn print(line: &str) -> io::Result<()> {
    print_bytes(format!("{line}\n").as_bytes())
}

/// Writes bytes to standard output, at once.
pub(crate) fn print_bytes(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Writes one line to standard error, with `--quiet`, too: it says why the command stops, or what would be
/// lost without it. If that is closed as well, there is no reader left.
pub(crate) fn eprint_line(line: &str) {
    if LOGGED.load(Ordering::Relaxed) {
        if let Some(error) = line.strip_prefix("error: ") {
            tracing::error!("{error}");
        } else {
            tracing::info!("{}", line.strip_prefix("note: ").unwrap_or(line));
        }
        return;
    }
    let _ = writeln!(anstream::stderr(), "{}", with_coloured_labels(line));
}

/// Writes one line to standard error, unless the command is to be quiet.
pub(crate) fn eprint_unless_quiet(line: &str) {
    if !QUIET.load(Ordering::Relaxed) {
        eprint_line(line);
    }
}

/// A write to standard output failed.
#[derive(Debug)]
struct CannotPrint(io::Error);

impl fmt::Display for CannotPrint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot write to standard output: {}", self.0)
    }
}

impl Error for CannotPrint {}

/// What a failed write to standard output means for a command with nothing else to lose: it ends,
/// `print(line).map_err(cannot_print)?`.
pub(crate) fn cannot_print(error: io::Error) -> anyhow::Error {
    CannotPrint(error).into()
}

/// Whether a command ended because the reader of its output went away: it has seen enough.
pub(crate) fn has_seen_enough(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<CannotPrint>();
    error.is_some_and(|CannotPrint(error)| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Refuses to go on if what was paid for would be written to nowhere.
pub(crate) fn check_stdout() -> anyhow::Result<()> {
    ensure!(
        !was_closed().unwrap_or(false),
        "standard output is closed, and the answers would be lost: to throw them away on purpose, \
         write `> /dev/null`"
    );
    Ok(())
}

/// Whether the command was started without a standard output. The standard library has then opened
/// the null device in its place, for reading and writing, which `> /dev/null` does not.
#[cfg(unix)]
fn was_closed() -> io::Result<bool> {
    use std::fs::{File, metadata};
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::MetadataExt as _;

    use rustix::fs::{OFlags, fcntl_getfl};

    let stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let is_null = stdout.metadata()?.rdev() == metadata("/dev/null")?.rdev();
    Ok(is_null && fcntl_getfl(&stdout)? & OFlags::ACCMODE == OFlags::RDWR)
}

#[cfg(not(unix))]
fn was_closed() -> io::Result<bool> {
    Ok(false)
}
