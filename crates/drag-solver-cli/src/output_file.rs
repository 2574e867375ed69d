//! Files that are written: whole, or not at all.

use std::io::{self, Write as _};
use std::path::Path;

use anyhow::Context as _;
use tempfile::NamedTempFile;

use crate::ui::text::file_name;

/// The folder that a file is in, or will be.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Makes sure that there can be new files in the folder, and leaves none.
///
/// # Errors
///
/// There cannot.
pub(crate) fn check_folder(folder: &Path) -> io::Result<()> {
    temporary_file(folder).map(drop)
}

/// Writes a file whole or not at all, over one that is there only if `force` is set.
///
/// # Errors
///
/// It cannot be written, or is there already.
pub(crate) fn write(path: &Path, contents: &[u8], force: bool) -> anyhow::Result<()> {
    let written = || -> io::Result<()> {
        let mut file = temporary_file(folder_of(path))?;
        file.write_all(contents)?;
        if force {
            file.persist(path)?;
        } else {
            file.persist_noclobber(path)?;
        }
        Ok(())
    };
    written().with_context(|| format!("cannot write {}", file_name(path)))
}

/// A temporary file that others may read if they may read the user's files: these are private by
/// default, and this one is to stay.
fn temporary_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".drag-solver-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666)); // less the user's umask
    }
    let file = builder.tempfile_in(folder);
    // Its own text shows a name that no reader knows.
    file.map_err(|error| match error.kind() {
        kind @ io::ErrorKind::NotFound => {
            io::Error::new(kind, format!("there is no folder {}", file_name(folder)))
        }
        kind => kind.into(),
    })
}
