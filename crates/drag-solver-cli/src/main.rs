//! The command `drag-solver`: a screenshot in, the two points of its drag out.
//!
//! [`solve`] is the main job and reads from top to bottom; everything else serves it.

mod annotate;
mod args;
mod balance;
mod chain;
mod challenge;
mod check;
mod config;
mod console;
mod draw;
mod drive;
#[cfg(test)]
mod errors_page;
mod explain;
mod input;
mod interrupt;
mod lines;
mod logging;
mod outcome;
mod output;
mod printer;
mod progress;
mod providers;
mod report;
mod resume;
mod sandbox;
mod solve;
mod text;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{CommandFactory as _, Parser as _};

use crate::args::{Args, Command};
use crate::outcome::Exit;

fn main() -> ExitCode {
    let args = Args::parse(); // wrong usage ends here, with exit status 2
    logging::start(args.verbose);
    let exit = run(args).unwrap_or_else(|error| {
        console::note(&format!("error: {error:#}"));
        Exit::Unusable
    });
    exit.into()
}

fn run(args: Args) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    // The log and the spinner would write over each other.
    let spinner = args.verbose == 0;
    let exit = runtime.block_on(async {
        match args.command {
            Command::Solve(args) => solve::run(args, spinner).await,
            Command::Balance(args) => balance::run(&args).await,
            Command::Check(args) => check::run(&args).await,
            Command::Report(args) => report::run(&args).await,
            Command::Resume(args) => resume::run(args, spinner).await,
            Command::Challenge(args) => challenge::run(&args),
            Command::Completions { shell } => completions(shell),
        }
    });
    // A read of standard input that is still blocked must not hold up the exit.
    runtime.shutdown_background();
    exit
}

fn completions(shell: clap_complete::Shell) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "drag-solver", &mut script);
    console::print_bytes(&script)
        .map(|()| Exit::Success)
        .or_else(console::closed)
}
