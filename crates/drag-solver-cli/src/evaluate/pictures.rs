//! The pictures whose true drag is known.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Error, ensure};
use drag_solver::evaluate::{LabelError, LabelledPicture, read_labels};
use drag_solver::{DragChallenge, DragSolver as _};
use drag_solver_mock::pictures::AnswerKey;

use crate::input_file;
use crate::screenshot_input::{self, STDIN};
use crate::screenshot_paths::expand;
use crate::ui::console::eprint_line;
use crate::ui::text::{file_name, one_line};

/// How names of files of labels end, in any case.
const LABEL_ENDINGS: [&str; 3] = ["json", "jsonl", "ndjson"];

/// How many pictures that cannot be used are told, each in a line.
const TOLD: usize = 10;

/// The pictures that can be used, and how many cannot.
#[derive(Debug)]
pub(crate) struct Pictures {
    pub(crate) usable: Vec<LabelledPicture>,
    pub(crate) unusable: usize,
}

/// Reads every picture and every file of labels, and tells of those that cannot be used.
///
/// # Errors
///
/// A file of labels or a folder that cannot be read, or nothing that can be used.
pub(crate) async fn read(given: &[PathBuf]) -> anyhow::Result<Pictures> {
    ensure!(
        given.iter().all(|path| path.as_os_str() != STDIN),
        "`-` cannot be used here: name files, or folders"
    );
    let mut read: Vec<Result<LabelledPicture, LabelError>> = Vec::new();
    for path in expand(given.to_vec())? {
        if is_label_file(&path) {
            let labels = input_file::check(&path).map_err(Error::msg);
            let labels = labels.and_then(|()| Ok(read_labels(&path)?));
            read.extend(labels.with_context(|| format!("cannot read {}", file_name(&path)))?);
        } else {
            read.push(test_picture(&path).await);
        }
    }
    let (usable, unusable): (Vec<_>, Vec<_>) = read.into_iter().partition(Result::is_ok);
    let errors: Vec<LabelError> = unusable.into_iter().filter_map(Result::err).collect();
    for error in errors.iter().take(TOLD) {
        eprint_line(&format!("left out: {}", one_line(&error.to_string())));
    }
    if errors.len() > TOLD {
        eprint_line(&format!("left out: {} more", errors.len() - TOLD));
    }
    let usable: Vec<LabelledPicture> = usable.into_iter().flatten().collect();
    ensure!(
        !usable.is_empty(),
        "there is no picture whose true drag is known: give test pictures, which `drag-solver challenge` draws, or a file of \
         JSON lines with the true drags (docs/evaluate.md)"
    );
    Ok(Pictures {
        usable,
        unusable: errors.len(),
    })
}

fn is_label_file(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default();
    let mut known = LABEL_ENDINGS.iter();
    known.any(|known| ending.eq_ignore_ascii_case(known))
}

/// A picture that has its true drag written into it.
async fn test_picture(path: &Path) -> Result<LabelledPicture, LabelError> {
    let name = file_name(path);
    let screenshot = screenshot_input::read_again_later(path);
    let screenshot = screenshot.map_err(|why| LabelError::new(&name, why))?;
    let answer = AnswerKey.solve(&DragChallenge::new(screenshot)).await;
    let solution = answer.map_err(|_| {
        let problem = "its true drag is not written into it: name it in a file of JSON lines (docs/evaluate.md)";
        LabelError::new(&name, problem)
    })?;
    LabelledPicture::from_file(path, *solution.drag())
}
