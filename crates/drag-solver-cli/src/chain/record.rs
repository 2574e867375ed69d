//! `--record`: what goes over the wire, in a file.

use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::{Context as _, bail};
use drag_solver::http::{Context, Recorder};

use super::registry::registry;
use crate::ui::console::{eprint_line, eprint_unless_quiet};
use crate::ui::text::file_name;

/// Who records in this process: every chain of a command goes into one file.
static RECORDER: OnceLock<Recorder> = OnceLock::new();

/// The options that say what is recorded.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct RecordArgs {
    /// Record what goes over the wire into this new file, to attach it to a bug report, or for `drag-solver service test
    /// --replay`. Keys are masked in every usual spelling; pictures are left out, but for their digest and size; what a
    /// provider answers is in it, and so are instructions
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,

    /// Keep the pictures in the recording, too: look at what they show before you send it to anyone
    #[arg(long, requires = "record")]
    record_pictures: bool,
}

/// A recording that ends when this is dropped.
#[derive(Debug)]
#[must_use = "it ends when this is dropped"]
pub(crate) struct ActiveRecording(Option<(Recorder, PathBuf)>);

impl RecordArgs {
    /// Begins to record, if that is asked for.
    ///
    /// # Errors
    ///
    /// The file exists, or cannot be made.
    pub(crate) fn start(&self) -> anyhow::Result<ActiveRecording> {
        let Some(path) = &self.record else {
            return Ok(ActiveRecording(None));
        };
        let recorder = if self.record_pictures {
            Recorder::keeping_pictures(path)
        } else {
            Recorder::create(path)
        };
        let recorder = match recorder {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => bail!(
                "--record: {} exists, and is not overwritten: choose another name, or remove it",
                file_name(path)
            ),
            other => {
                other.with_context(|| format!("--record: cannot write {}", file_name(path)))?
            }
        };
        let recorder = RECORDER.get_or_init(|| recorder).clone();
        Ok(ActiveRecording(Some((recorder, path.clone()))))
    }
}

impl Drop for ActiveRecording {
    fn drop(&mut self) {
        let Some((recorder, path)) = self.0.take() else {
            return;
        };
        let (summary, name) = (recorder.finish(), file_name(&path));
        match summary.problem {
            // Told with --quiet, too: the file looks complete.
            Some(problem) => eprint_line(&format!(
                "warning: the recording in {name} is not complete: {problem}"
            )),
            None if summary.lines == 0 => {
                // In its place the next run can have one.
                let _ = std::fs::remove_file(&path);
                eprint_unless_quiet(&format!("note: nothing was sent, so there is no {name}"));
            }
            None => eprint_unless_quiet(&format!("note: what went over the wire is in {name}")),
        }
    }
}

/// What surrounds the providers of this command.
pub(super) fn context() -> Context {
    registry()
        .context()
        .clone()
        .with_recorder(RECORDER.get().cloned())
}
