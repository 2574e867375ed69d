//! The provider: the emulator, in a process of its own, so that its work is not the client's.

use std::process::Stdio;

use drag_solver::testing::emulator::{Emulator, Protocol};
use drag_solver::{Drag, Point, Solution, solver_fn};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::Result;

/// Serves until its standard input is closed. Says on the first line of its output where it is.
pub(crate) async fn serve() -> Result<()> {
    let workers = solver_fn("workers", |_| async {
        let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
        Ok(Solution::new(drag, "workers"))
    });
    let emulator = Emulator::builder()
        .solver(workers)
        .balance("1000000".parse()?)
        .remembered_requests(0)
        .start()
        .await?;
    println!("{}", emulator.url(Protocol::TwoCaptcha));
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    Ok(())
}

/// A server that runs as long as this lives.
pub(crate) struct Server {
    pub(crate) url: String,
    _process: Child,
}

impl Server {
    pub(crate) async fn start() -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = process.stdout.take().ok_or("the server has no output")?;
        let line = BufReader::new(output).lines().next_line().await?;
        Ok(Self {
            url: line.ok_or("the server did not start")?,
            _process: process,
        })
    }
}
