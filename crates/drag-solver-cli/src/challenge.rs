//! `drag-solver challenge`: a test picture whose answer is known.

use std::fs;
use std::io::{self, IsTerminal as _};

use anyhow::{Context as _, ensure};
use drag_solver_mock::challenge::TestPicture;

use crate::args::ChallengeArgs;
use crate::outcome::Exit;
use crate::{console, input};

/// Draws the picture, writes it, and prints its true drag.
pub(crate) fn run(args: &ChallengeArgs) -> anyhow::Result<Exit> {
    let to_stdout = args.out.as_os_str() == input::STDIN;
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
        console::note(&drag);
        console::print_bytes(png)
    } else {
        fs::write(&args.out, png)
            .with_context(|| format!("cannot write {}", args.out.display()))?;
        console::print(&drag)
    };
    printed.map(|()| Exit::Success).or_else(console::closed)
}
