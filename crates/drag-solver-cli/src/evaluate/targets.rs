//! The files that are written: never over others unless that is asked for.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::ui::annotate::temporary_file;
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
        temporary_file(folder(&path)).with_context(|| format!("cannot write {name}"))?;
        Ok(Self { path, force })
    }

    pub(crate) fn name(&self) -> String {
        file_name(&self.path)
    }

    /// Writes it, whole or not at all.
    pub(crate) fn write(&self, text: &str) -> anyhow::Result<()> {
        let cannot_write = || format!("cannot write {}", file_name(&self.path));
        let mut file = temporary_file(folder(&self.path)).with_context(cannot_write)?;
        file.write_all(text.as_bytes()).with_context(cannot_write)?;
        let persisted = if self.force {
            file.persist(&self.path)
        } else {
            file.persist_noclobber(&self.path)
        };
        persisted.with_context(cannot_write)?;
        Ok(())
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Refuses to write one of these over another, or over what is read: not even if files may be written over.
///
/// # Errors
///
/// Two of them are the same file.
pub(crate) fn check_apart<'a>(
    targets: impl IntoIterator<Item = &'a Target>,
    read: impl IntoIterator<Item = &'a Path>,
) -> anyhow::Result<()> {
    let mut taken: Vec<PathBuf> = read.into_iter().map(full).collect();
    for target in targets {
        let path = full(&target.path);
        ensure!(
            !taken.contains(&path),
            "{} would be written over another file of this command (--report writes a .json beside its page): choose \
             another name",
            file_name(&target.path)
        );
        taken.push(path);
    }
    Ok(())
}

/// The path as it is in its folder, however it was named.
fn full(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| {
        let folder = folder(path).canonicalize().unwrap_or_default();
        folder.join(path.file_name().unwrap_or_default())
    })
}

/// The page, and the JSON beside it.
#[derive(Debug)]
pub(crate) struct ReportTargets {
    pub(crate) html: Target,
    pub(crate) json: Target,
}

impl ReportTargets {
    pub(crate) fn new(html: &Path, force: bool) -> anyhow::Result<Self> {
        let ending = html.extension().unwrap_or_default();
        ensure!(
            ending.eq_ignore_ascii_case("html") || ending.eq_ignore_ascii_case("htm"),
            "--report writes HTML: give {} a name that ends in .html",
            file_name(html)
        );
        Ok(Self {
            json: Target::new(html.with_extension("json"), force)?,
            html: Target::new(html.to_owned(), force)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_over_another_file_of_the_command() {
        let folder = tempfile::tempdir().unwrap();
        let labels = folder.path().join("labels.json");
        std::fs::write(&labels, "mine").unwrap();
        let apart = |html: &str, toml: &str, store: &str| {
            let report = ReportTargets::new(&folder.path().join(html), true).unwrap();
            let chain = Target::new(folder.path().join(toml), true).unwrap();
            let store = folder.path().join(".").join(store);
            check_apart([&report.html, &report.json, &chain], [&*labels, &*store])
        };
        assert!(apart("report.html", "chain.toml", "report.db").is_ok());
        for (html, toml, store, named) in [
            ("labels.html", "chain.toml", "a.db", "labels.json"),
            ("report.html", "chain.toml", "report.json", "report.json"),
            ("report.html", "report.html", "a.db", "report.html"),
            ("report.html", "a.db", "a.db", "a.db"),
        ] {
            let error = apart(html, toml, store).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }

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
        assert!(ReportTargets::new(&folder.path().join("report.json"), false).is_err());
    }
}
