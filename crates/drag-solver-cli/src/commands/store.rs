//! `drag-solver store`: what is on record moves.

use std::path::PathBuf;

use anyhow::ensure;
use clap::Subcommand;
use drag_solver::store::{SqliteOptions, SqliteStore, Store as _};

use crate::chain::store::{Place, postgres};
use crate::exit::Exit;
use crate::ui::console::eprint_unless_quiet;
use crate::ui::text::file_name;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Copy all that is on record in a file into an empty PostgreSQL database: challenges with their pictures, what was
    /// paid for, budgets and keys
    Copy(CopyArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  # all of it, or nothing; the file stays as it is. Stop what has it open first
  export DATABASE_URL=postgres://USER:PASSWORD@HOST/DATABASE
  drag-solver store copy drags.db --to env:DATABASE_URL")]
pub(crate) struct CopyArgs {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The variable that has the address of the database
    #[arg(long, value_name = "env:NAME", value_parser = Place::parser())]
    to: Place,
}

pub(crate) async fn run(command: &Command) -> anyhow::Result<Exit> {
    let Command::Copy(CopyArgs { file, to }) = command;
    ensure!(file.exists(), "there is no store {}", file_name(file));
    let target = postgres(to, "--to")?;
    let source = SqliteStore::open_with(file, SqliteOptions::default().retention(None))?;
    let rows = target.copy_from(&source).await?;
    target.flush().await?;
    eprint_unless_quiet(&format!("{rows} rows are copied from {}", file_name(file)));
    Ok(Exit::Success)
}
