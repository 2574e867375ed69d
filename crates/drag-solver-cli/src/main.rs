//! The command `drag-solver`: a screenshot in, the two points of its drag out.
//!
//! Each command is a file of [`commands`], with its flags; [`commands::solve`] is the main one.

mod annotation_targets;
mod batch;
mod chain;
mod cli;
mod commands;
#[cfg(test)]
mod errors_page_tests;
mod evaluate;
mod exit;
mod format;
mod help;
mod input_file;
mod json_input;
mod json_line;
mod json_version;
mod label_page;
mod labels;
mod output_file;
mod parse;
mod practice;
mod sandbox;
mod screenshot_input;
mod screenshot_paths;
mod signals;
mod target;
mod task;
mod text_input;
mod ui;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{CommandFactory as _, Parser as _};

use crate::cli::Cli;
use crate::exit::Exit;

fn main() -> ExitCode {
    ui::colour::set(ui::colour::of_args(std::env::args_os()));
    let cli = Cli::parse(); // wrong usage ends here, with exit status 2
    ui::colour::set(cli.color);
    ui::console::set_quiet(cli.quiet);
    if !cli.command.is_service() {
        ui::logging::start(cli.verbose);
    }
    let exit = run(cli).unwrap_or_else(|error| {
        if ui::console::has_seen_enough(&error) {
            return Exit::Success;
        }
        ui::console::eprint_line(&format!("error: {error:#}"));
        Exit::Config
    });
    exit.into()
}

fn run(cli: Cli) -> anyhow::Result<Exit> {
    let mut runtime = if cli.command.is_service() {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    let runtime = runtime.enable_all().build();
    let runtime = runtime.context("cannot start the async runtime")?;
    // The log and the spinner would write over each other.
    let spinner = cli.verbose == 0 && !cli.quiet;
    let exit = runtime.block_on(cli.command.run(Cli::command(), spinner, cli.verbose));
    // A read of standard input that is still blocked must not hold up the exit.
    runtime.shutdown_background();
    exit
}
