//! A file that is written: never over another unless that is asked for.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::output_file::{self, check_folder, folder_of};
use crate::ui::text::file_name;

/// A file that is to be written.
#[derive(Debug)]
pub(crate) struct Target {
    path: PathBuf,
    force: bool,
}

impl Target {
    /// Makes sure that `path` can be written, before anything is paid.
    ///
    /// # Errors
    ///
    /// There is such a file already, and `force` is not set; or its folder cannot be written to.
    pub(crate) fn new(path: PathBuf, force: bool) -> anyhow::Result<Self> {
        let name = file_name(&path);
        if let Ok(there) = path.symlink_metadata() {
            ensure!(force, "{name} is there already: --force writes over it");
            ensure!(
                there.is_file(),
                "cannot write {name}: it is no regular file"
            );
        }
        check_folder(folder_of(&path)).with_context(|| format!("cannot write {name}"))?;
        Ok(Self { path, force })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn name(&self) -> String {
        file_name(&self.path)
    }

    /// Writes it, whole or not at all.
    pub(crate) fn write(&self, bytes: impl AsRef<[u8]>) -> anyhow::Result<()> {
        output_file::write(&self.path, bytes.as_ref(), self.force)
    }

    /// Removes what is there from before, as nothing is to take its place. Says whether there was anything.
    pub(crate) fn remove(&self) -> anyhow::Result<bool> {
        if !self.force {
            return Ok(false);
        }
        match fs::remove_file(&self.path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).with_context(|| format!("cannot remove {}", self.name())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_over_unless_that_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chain.toml");
        let early = Target::new(path.clone(), false).unwrap();
        std::fs::write(&path, "mine").unwrap();
        // It came meanwhile.
        assert!(early.write("new").is_err());
        let error = Target::new(path.clone(), false).unwrap_err().to_string();
        assert!(error.contains("--force"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
        Target::new(path.clone(), true)
            .unwrap()
            .write("new")
            .unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert!(Target::new(folder.path().to_owned(), true).is_err());
        assert!(Target::new(folder.path().join("no/such.toml"), false).is_err());
        // What was there when this began is removed, and nothing else.
        assert!(!early.remove().unwrap() && path.exists());
        let forced = Target::new(path.clone(), true).unwrap();
        assert!(forced.remove().unwrap() && !path.exists());
        assert!(!forced.remove().unwrap());
    }
}
