//! What the tests share.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use drag_solver_core::{DragChallenge, DragSolver, Event, JobId, Solution, SolveError, solver_fn};
use drag_solver_mock::{MockSolver, fixtures};
use drag_solver_store::{SqliteOptions, SqliteStore, StoreExt as _};
use tempfile::TempDir;

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

/// Waits for no other process.
pub(crate) fn impatient() -> SqliteOptions {
    SqliteOptions::default().busy_timeout(Duration::ZERO)
}

/// A folder with a store in it that knows one answer, and is closed.
pub(crate) async fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("drags.db");
    know_one(&path).await;
    (folder, path)
}

pub(crate) async fn know_one(path: &Path) {
    let store = SqliteStore::open(path).unwrap();
    let solver = answering().durable(&store);
    solver.solve(&challenge(KNOWN)).await.unwrap();
}

/// Calls `then` between buying and hearing of the job.
pub(crate) fn interrupted(then: impl Fn() + Clone + Send + Sync + 'static) -> impl DragSolver {
    solver_fn("a", move |challenge: DragChallenge| {
        let then = then.clone();
        async move {
            let (solver, job) = ("a", JobId::from(7));
            challenge.notify(Event::Buying { solver }).await?;
            then();
            let bought = Event::Bought { solver, job: &job };
            challenge.notify(bought).await?;
            challenge
                .notify(Event::Settled {
                    solver,
                    job: Some(&job),
                    billed: drag_solver_core::Billed::Yes,
                    cost: None,
                })
                .await?;
            Ok::<_, SolveError>(Solution::new(fixtures::drag(), solver).with_job(job))
        }
    })
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
    pub(crate) fn start(role: &str, store: &Path) -> Self {
        let exe = std::env::current_exe().unwrap();
        Self::start_with(Command::new(exe), role, store).unwrap()
    }

    /// Where it may mount what it likes; `None`, and a word about it, where that is forbidden.
    pub(crate) fn start_with_mounts(role: &str, store: &Path) -> Option<Self> {
        let is_allowed = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "true"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !is_allowed {
            skipped("nothing can be mounted here");
            return None;
        }
        let mut command = Command::new("unshare");
        command
            .args(["--user", "--map-root-user", "--mount"])
            .arg(std::env::current_exe().unwrap());
        Some(Self::start_with(command, role, store).unwrap())
    }

    fn start_with(mut command: Command, role: &str, store: &Path) -> std::io::Result<Self> {
        let mut child = command
            .args([role, "--exact", "--ignored", "--nocapture"])
            .env("STORE", store)
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

/// The file that this process is to use.
pub(crate) fn path_from_parent() -> PathBuf {
    std::env::var_os("STORE")
        .expect("it is started by another test")
        .into()
}

pub(crate) fn skipped(why: &str) {
    println!("SKIPPED: {why}");
}

/// Whether the command succeeded.
pub(crate) fn run(program: &str, args: &[&str]) -> bool {
    let status = Command::new(program).args(args).status();
    status.is_ok_and(|status| status.success())
}
