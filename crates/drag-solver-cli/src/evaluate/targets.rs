//! The files that are written: none over another of this command.

use std::path::{Path, PathBuf};

use anyhow::ensure;

use crate::output_file::folder_of;
use crate::target::Target;
use crate::ui::text::file_name;

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
        let path = full(target.path());
        ensure!(
            !taken.contains(&path),
            "{} would be written over another file of this command (--report writes a .json beside its page): choose \
             another name",
            target.name()
        );
        taken.push(path);
    }
    Ok(())
}

/// The path as it is in its folder, however it was named.
fn full(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| {
        let folder = folder_of(path).canonicalize().unwrap_or_default();
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
    fn a_report_is_a_page() {
        let folder = tempfile::tempdir().unwrap();
        assert!(ReportTargets::new(&folder.path().join("report.json"), false).is_err());
    }
}
