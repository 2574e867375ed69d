//! A real process is killed, and started again: what it paid for is not lost, and not paid for twice.

mod boundaries;
mod child;
mod instants;
mod place;
mod provider;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use self::place::Address;
use self::provider::Provider;

/// What a child is told by its environment.
const ROLE: &str = "DRAG_SOLVER_CRASH_CHILD";

/// A process that solves challenges, which can be killed at any time.
struct Process {
    child: Child,
    lines: BufReader<ChildStdout>,
}

/// What a process says of itself.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// It has come to the boundary at which it is to be killed, and stands still.
    AtBoundary,
    /// It has ended, with so many challenges solved.
    Done(usize),
    /// Nothing any more: it was killed.
    Nothing,
}

impl Process {
    /// Starts a process that solves the challenges of these seeds, and stands still at the boundary of this
    /// number, if there is one.
    fn start(provider: &Provider, store: &Address, seeds: &[u64], boundary: Option<usize>) -> Self {
        let role = child::Role {
            url: provider.url(),
            store: store.clone(),
            seeds: seeds.to_vec(),
            boundary,
        };
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "crash::child::solves",
                "--nocapture",
                "--include-ignored",
            ])
            .env(ROLE, serde_json::to_string(&role).unwrap())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// What it says next. Blocks until then.
    fn said(&mut self) -> Said {
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).unwrap() == 0 {
                return Said::Nothing;
            }
            // The test harness of the child says things, too.
            if line.contains(child::AT_BOUNDARY) {
                return Said::AtBoundary;
            }
            if let Some((_, count)) = line.split_once(child::DONE) {
                return Said::Done(count.trim().parse().unwrap());
            }
        }
    }

    /// Kills it as `kill -9` does: nothing of it is told, and nothing is written by it any more.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
