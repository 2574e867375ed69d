//! What the tests share.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use drag_solver_core::{DragChallenge, DragSolver, Event, JobId, Solution, SolveError, solver_fn};
use drag_solver_mock::fixtures;
use drag_solver_store::{SqliteOptions, SqliteStore, StoreExt as _};
use tempfile::TempDir;

pub(crate) use crate::process::{KNOWN, NEW, Process, address_from_parent, answering, challenge};

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

/// Where it may mount what it likes; `None`, and a word about it, where that is forbidden.
pub(crate) fn start_with_mounts(role: &str, store: &Path) -> Option<Process> {
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
    Some(Process::start_with(command, role, store).unwrap())
}

/// The file that this process is to use.
pub(crate) fn path_from_parent() -> PathBuf {
    address_from_parent().into()
}

pub(crate) fn skipped(why: &str) {
    println!("SKIPPED: {why}");
}

/// Whether the command succeeded.
pub(crate) fn run(program: &str, args: &[&str]) -> bool {
    let status = Command::new(program).args(args).status();
    status.is_ok_and(|status| status.success())
}
