//! `drag-solver man`: manual pages.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap_mangen::{Man, generate_to};

use crate::exit::Exit;
use crate::ui::console;
use crate::ui::text::file_name;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  # reads the page of the command as a whole
  drag-solver man | man -l -
  # installs all pages for the user
  drag-solver man ~/.local/share/man/man1")]
pub(crate) struct Args {
    /// Write a page for each command into this folder, instead of the page of the command as a whole to
    /// standard output
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Prints or writes the pages of the command line of this `definition`.
pub(crate) fn run(args: &Args, definition: clap::Command) -> anyhow::Result<Exit> {
    let definition = definition.disable_help_subcommand(true);
    if let Some(folder) = &args.folder {
        fs::create_dir_all(folder)
            .and_then(|()| generate_to(definition, folder))
            .with_context(|| format!("cannot write to {}", file_name(folder)))?;
        return Ok(Exit::Success);
    }
    let mut page = Vec::new();
    Man::new(definition).render(&mut page)?;
    console::print_bytes(&page).map_err(console::cannot_print)?;
    Ok(Exit::Success)
}
