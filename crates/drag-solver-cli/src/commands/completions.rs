//! `drag-solver completions`: a completion script for a shell.

use clap_complete::{Shell, generate};

use crate::exit::Exit;
use crate::ui::console;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  drag-solver completions bash > ~/.local/share/bash-completion/completions/drag-solver
  drag-solver completions fish > ~/.config/fish/completions/drag-solver.fish")]
pub(crate) struct Args {
    /// The shell to complete for
    shell: Shell,
}

/// Prints the script for the command line of this `definition`.
pub(crate) fn run(args: &Args, mut definition: clap::Command) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    generate(args.shell, &mut definition, "drag-solver", &mut script);
    console::print_bytes(&script).map_err(console::cannot_print)?;
    Ok(Exit::Success)
}
