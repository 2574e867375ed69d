//! What the command says about the whole run when it exits.

use std::process::ExitCode;

/// The exit status, from the best to the gravest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    Success,
    /// At least one screenshot was not solved.
    Unsolved,
    /// At least one screenshot cannot be read or asked about; nothing was sent for it.
    Screenshot,
    /// Wrong usage or configuration, or another file that cannot be read or written.
    Config,
    /// Stopped because the terminal is gone.
    HungUp,
    /// Stopped by Ctrl-C.
    Interrupted,
    /// Stopped by a request to terminate.
    Terminated,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Success => 0,
            Exit::Unsolved => 1,
            Exit::Config => 2,
            Exit::Screenshot => 3,
            Exit::HungUp => 129,
            Exit::Interrupted => 130,
            Exit::Terminated => 143,
        })
    }
}
