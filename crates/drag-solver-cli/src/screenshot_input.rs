//! Screenshots from files and from standard input.

use std::io::{self, IsTerminal as _};
use std::path::Path;

use drag_solver::evaluate::check_rereadable;
use drag_solver::{Screenshot, ScreenshotError};

use crate::input_file;
use crate::ui::text::{file_name, with_sources};

/// The name that stands for standard input.
pub(crate) const STDIN: &str = "-";

/// How names of pictures end, in any case.
pub(crate) const PICTURE_ENDINGS: [&str; 5] = ["gif", "jpeg", "jpg", "png", "webp"];

/// Reads one screenshot. Blocks while it reads.
///
/// # Errors
///
/// One line that says which file and what is wrong with it.
pub(crate) fn read(path: &Path) -> Result<Screenshot, String> {
    if path.as_os_str() == STDIN {
        return read_stdin().map_err(|why| format!("cannot use standard input: {why}"));
    }
    let read = input_file::check(path).map_err(str::to_owned);
    let read = read.and_then(|()| of_file(path));
    read.map_err(|why| format!("cannot use {}: {why}", file_name(path)))
}

/// Reads one that is read again later, and says of no other file what is wrong with it: it does not name it.
pub(crate) fn read_again_later(path: &Path) -> Result<Screenshot, String> {
    check_rereadable(path)?;
    of_file(path)
}

fn of_file(path: &Path) -> Result<Screenshot, String> {
    Screenshot::from_file(path).map_err(|error| match error {
        ScreenshotError::File { source, .. } => why(&source),
        other => why(&other),
    })
}

/// The same on a thread beside the async ones, with what else `then` has to do there.
///
/// # Errors
///
/// Those of [`read`] and of `then`.
pub(crate) async fn read_and<T: Send + 'static>(
    path: &Path,
    then: impl FnOnce(Screenshot) -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || then(read(&path)?)).await;
    read.unwrap_or_else(|error| Err(error.to_string()))
}

fn read_stdin() -> Result<Screenshot, String> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return Err("it is a terminal; send a picture, as in `... < phone.png`".to_owned());
    }
    Screenshot::from_reader(stdin.lock()).map_err(|error| why(&error))
}

/// What is wrong, without the system's own number for it.
fn why(error: &ScreenshotError) -> String {
    match error {
        ScreenshotError::Read(error) if error.kind() == io::ErrorKind::NotFound => {
            "there is no such file".to_owned()
        }
        ScreenshotError::Read(error) if error.kind() == io::ErrorKind::IsADirectory => {
            format!(
                "it is a directory, and no name in it ends in .{}",
                PICTURE_ENDINGS.join(", .")
            )
        }
        other => with_sources(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_defect_is_one_line_with_the_name_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        std::fs::create_dir(folder.path().join("folder")).unwrap();
        let defects = [
            (
                write("README.md", b"# drag-solver"),
                "expected PNG, JPEG, WebP or GIF",
            ),
            (write("empty.png", b""), "the picture is empty (0 bytes)"),
            (
                write("cut.png", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0"),
                "the PNG picture is cut off inside its header",
            ),
            (
                folder.path().join("folder"),
                "it is a directory, and no name in it ends in .gif, .jpeg, .jpg, .png, .webp",
            ),
            (folder.path().join("missing.png"), "there is no such file"),
            (folder.path().join("new\nline.png"), "there is no such file"),
        ];
        for (path, expected) in defects {
            let error = read(&path).unwrap_err();
            assert!(error.ends_with(expected), "{error}");
            assert!(!error.contains('\n'), "{error}");
            let name = file_name(&path);
            assert!(
                error.starts_with(&format!("cannot use {name}: ")),
                "{error}"
            );
        }
    }
}
