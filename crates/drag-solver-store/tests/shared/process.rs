//! Other processes, and what they solve.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use drag_solver_core::DragChallenge;
use drag_solver_mock::{MockSolver, fixtures};

/// The id of a challenge that is solved, and of one that is not.
pub(crate) const KNOWN: &str = "known";
pub(crate) const NEW: &str = "new";

pub(crate) fn challenge(id: &str) -> DragChallenge {
    fixtures::challenge().with_id(id)
}

/// A solver that answers at once.
pub(crate) fn answering() -> MockSolver {
    MockSolver::new("a").always(fixtures::drag())
}

/// Another process: this program, at the test `role`, which is ignored otherwise.
pub(crate) struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// What a child says starts with this, unlike what the test harness says.
const MARK: &str = ">> ";

pub(crate) fn say(line: &str) {
    let mut stdout = std::io::stdout().lock();
    // The harness may have begun a line.
    writeln!(stdout, "\n{MARK}{line}").unwrap();
    stdout.flush().unwrap();
}

/// Waits until the parent says something.
pub(crate) fn hear() -> String {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

impl Process {
    /// Starts it, with the address of its store.
    pub(crate) fn start(role: &str, store: impl AsRef<OsStr>) -> Self {
        let exe = std::env::current_exe().unwrap();
        Self::start_with(Command::new(exe), role, store).unwrap()
    }

    pub(crate) fn start_with(
        mut command: Command,
        role: &str,
        store: impl AsRef<OsStr>,
    ) -> std::io::Result<Self> {
        let mut child = command
            .args([role, "--exact", "--ignored", "--nocapture"])
            .env("STORE", store.as_ref())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        Ok(Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        })
    }

    /// The next line that it says; `None` if it has ended.
    pub(crate) fn try_hear(&mut self) -> Option<String> {
        let mut line = String::new();
        while self.output.read_line(&mut line).unwrap() > 0 {
            if let Some(said) = line.strip_prefix(MARK) {
                return Some(said.trim_end().to_owned());
            }
            line.clear();
        }
        None
    }

    pub(crate) fn hear(&mut self) -> String {
        self.try_hear().expect("the other process has ended")
    }

    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end, which must be a good one.
    pub(crate) fn end(mut self) {
        drop(self.input.take());
        while let Some(line) = self.try_hear() {
            println!("{line}");
        }
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address of the store that this process is to use.
pub(crate) fn address_from_parent() -> String {
    std::env::var("STORE").expect("it is started by another test")
}
