//! Runs the command the way a shell would, with nothing of this machine's environment.

use std::ffi::OsStr;
use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

/// A token that would stand out wherever it leaked.
pub(crate) const TOKEN: &str = "hunter2+/secret=";

const COMMAND: &str = env!("CARGO_BIN_EXE_drag-solver");

/// A run of the command that is yet to begin.
pub(crate) struct Run(Command);

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The command with `args`, and an empty environment.
pub(crate) fn drag_solver<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Run {
    run(Command::new(COMMAND), args)
}

/// The same, started by a shell that first does what `how` says, where `"$@"` is the command.
#[cfg(unix)]
pub(crate) fn from_shell<A: AsRef<OsStr>>(how: &str, args: impl IntoIterator<Item = A>) -> Run {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", how, "sh", COMMAND]);
    run(shell, args)
}

fn run<A: AsRef<OsStr>>(mut command: Command, args: impl IntoIterator<Item = A>) -> Run {
    command
        .args(args)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    Run(command)
}

impl Run {
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.0.arg(arg);
        self
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.0.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// An account with the provider at `base_url`.
    pub(crate) fn omocaptcha(self, base_url: &str) -> Self {
        self.env("OMOCAPTCHA_API_TOKEN", TOKEN)
            .env("OMOCAPTCHA_BASE_URL", base_url)
    }

    pub(crate) fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.0.stdin(stdin);
        self
    }

    pub(crate) fn stdout(mut self, stdout: Stdio) -> Self {
        self.0.stdout(stdout);
        self
    }

    /// Starts it, and leaves the rest to the caller.
    pub(crate) fn start(mut self) -> Child {
        self.0.spawn().unwrap()
    }

    pub(crate) async fn run(self) -> Ran {
        end_of(self.start()).await
    }

    /// Runs it with `input` on its standard input.
    pub(crate) async fn run_with(mut self, input: &[u8]) -> Ran {
        self.0.stdin(Stdio::piped());
        let mut child = self.start();
        let mut stdin = child.stdin.take().unwrap();
        let write = async {
            // It may refuse to read all of it; that is for the test to judge.
            let _ = stdin.write_all(input).await;
            drop(stdin);
        };
        let ((), ran) = tokio::join!(write, end_of(child));
        ran
    }
}

/// Sends a signal, by its name, to the command.
#[cfg(unix)]
pub(crate) fn signal(child: &Child, name: &str) {
    let id = child.id().unwrap().to_string();
    let kill = std::process::Command::new("kill")
        .args(["-s", name, &id])
        .status();
    assert!(kill.unwrap().success());
}

/// Waits until `child` has ended. No token may be in what it printed, in any test.
pub(crate) async fn end_of(child: Child) -> Ran {
    let output = child.wait_with_output().await.unwrap();
    let ran = Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    for stream in [&ran.stdout, &ran.stderr] {
        assert!(!stream.contains("hunter2"), "{ran:?}");
    }
    ran
}
