//! `drag-solver challenge`: a test picture whose answer is known.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use anyhow::ensure;
use drag_solver_mock::pictures::TestPicture;

use crate::exit::Exit;
use crate::parse::size;
use crate::screenshot_input::STDIN;
use crate::target::Target;
use crate::ui::console;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  # a picture, and the command that solves it without an account
  drag-solver challenge --seed 7 --out challenge.png
  drag-solver solve challenge.png
  # the same without a file; the true drag is on standard error
  drag-solver challenge --size 200x400 --out - | drag-solver solve -")]
pub(crate) struct Args {
    /// Which picture: the same seed and size always draw the same one
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Where to write the picture; `-` writes it to standard output, and the drag to standard error
    #[arg(long, value_name = "PNG")]
    out: PathBuf,

    /// Write over the file if it is there
    #[arg(long)]
    force: bool,

    /// Size of the picture in pixels
    #[arg(long, value_name = "WxH", value_parser = size)]
    size: Option<(u32, u32)>,
}

/// Draws the picture, writes it, and prints its true drag.
pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let to_stdout = args.out.as_os_str() == STDIN;
    ensure!(
        !(to_stdout && io::stdout().is_terminal()),
        "standard output is a terminal, and the picture is not for reading: give --out a file"
    );
    let picture = match args.size {
        None => TestPicture::draw(args.seed)?,
        Some((width, height)) => TestPicture::draw_sized(args.seed, width, height)?,
    };
    let png = picture.screenshot().bytes();
    let drag = picture.drag().to_string();

    let printed = if to_stdout {
        console::eprint_line(&drag);
        console::print_bytes(png)
    } else {
        Target::new(args.out.clone(), args.force)?.write(png)?;
        console::print(&drag)
    };
    printed.map_err(console::cannot_print)?;
    Ok(Exit::Success)
}
