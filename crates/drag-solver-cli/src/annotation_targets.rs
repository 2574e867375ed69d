//! `--annotate` and `--annotate-dir`: where the pictures with the drag drawn in go.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::output_file::{check_folder, folder_of};
use crate::screenshot_input::STDIN;
use crate::ui::text::file_name;

/// The options that say whether screenshots are drawn on.
#[derive(Debug, clap::Args)]
pub(crate) struct AnnotateArgs {
    /// Write the picture with the drag drawn in, as PNG (one screenshot only)
    #[arg(long, value_name = "PNG", conflicts_with = "annotate_dir")]
    annotate: Option<PathBuf>,

    /// Write a picture of each solved screenshot with the drag drawn in into this folder, as PNG under the
    /// name of the screenshot; of one name, the second is NAME-2.png
    #[arg(long, value_name = "DIR")]
    annotate_dir: Option<PathBuf>,
}

impl AnnotateArgs {
    pub(crate) fn any(&self) -> bool {
        self.annotate.is_some() || self.annotate_dir.is_some()
    }

    /// Where the picture of each of the `screenshots` goes, in their order; empty if none is drawn on. Makes
    /// sure that they can be written, before anything is paid.
    ///
    /// # Errors
    ///
    /// A target that is a screenshot itself, or no regular file, or whose folder cannot be written to.
    pub(crate) fn targets(&self, screenshots: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
        if let Some(folder) = &self.annotate_dir {
            return in_folder(folder, screenshots);
        }
        let Some(target) = &self.annotate else {
            return Ok(Vec::new());
        };
        let [screenshot] = screenshots else {
            anyhow::bail!(
                "--annotate takes one screenshot, and there are {}: use --annotate-dir",
                screenshots.len()
            );
        };
        Ok(vec![one(target, screenshot)?])
    }
}

/// `target`, or what it is a link to, so that it stays one.
fn one(target: &Path, screenshot: &Path) -> anyhow::Result<PathBuf> {
    ensure!(
        target.as_os_str() != STDIN,
        "--annotate needs a file: standard output is for the results"
    );
    let cannot_write = || format!("cannot write {}", file_name(target));
    let mut target = target.to_owned();
    if let Ok(there) = target.symlink_metadata() {
        if there.is_symlink() {
            target = target.canonicalize().with_context(cannot_write)?;
        }
        let there = target.metadata().with_context(cannot_write)?;
        let what = if there.is_dir() {
            "a directory: use --annotate-dir"
        } else {
            "no regular file"
        };
        ensure!(
            there.is_file(),
            "--annotate needs a file, and {} is {what}",
            file_name(&target)
        );
    }
    if let (Ok(ours), Ok(theirs)) = (target.canonicalize(), screenshot.canonicalize()) {
        ensure!(
            ours != theirs,
            "--annotate would write over the screenshot itself"
        );
    }
    let is_png = target
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("png"));
    ensure!(
        is_png,
        "--annotate writes PNG: give {} a name that ends in .png",
        file_name(&target)
    );
    let folder = folder_of(&target);
    ensure!(
        folder.is_dir(),
        "cannot write {}: its folder does not exist",
        file_name(&target)
    );
    check_folder(folder).with_context(cannot_write)?;
    Ok(target)
}

/// A name for each, all of them different, also where case makes no difference. The same screenshots have
/// the same names in every run.
fn in_folder(folder: &Path, screenshots: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let cannot_write = || format!("cannot write to --annotate-dir {}", file_name(folder));
    fs::create_dir_all(folder).with_context(cannot_write)?;
    check_folder(folder).with_context(cannot_write)?;
    let originals = screenshots
        .iter()
        .filter_map(|path| path.canonicalize().ok());
    let originals: HashSet<PathBuf> = originals.collect();
    let mut taken = Taken::new();
    let mut targets = Vec::with_capacity(screenshots.len());
    for screenshot in screenshots {
        let target = folder.join(free_name(screenshot, &mut taken));
        let is_original = |path: PathBuf| originals.contains(&path);
        ensure!(
            !target.canonicalize().is_ok_and(is_original),
            "--annotate-dir {} would write over the screenshot {}: name another folder",
            file_name(folder),
            file_name(&target)
        );
        ensure!(
            !target.is_dir(),
            "cannot write {}: it is a directory",
            file_name(&target)
        );
        targets.push(target);
    }
    Ok(targets)
}

/// Names that are taken, each with the number that is tried next.
type Taken = HashMap<String, u64>;

/// The name of the screenshot with the ending of a PNG, and a number if it is taken.
fn free_name(screenshot: &Path, taken: &mut Taken) -> OsString {
    let is_stdin = screenshot.as_os_str() == STDIN;
    let stem = screenshot.file_stem().filter(|_| !is_stdin);
    let stem = stem.unwrap_or(OsStr::new("stdin"));
    let key = |stem: &OsStr| stem.to_string_lossy().to_lowercase();
    let mut name = stem.to_owned();
    while taken.contains_key(&key(&name)) {
        let number = taken.entry(key(stem)).or_insert(2);
        stem.clone_into(&mut name);
        name.push(format!("-{number}"));
        *number += 1;
    }
    taken.insert(key(&name), 2);
    name.push(".png");
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_picture_has_the_name_of_another() {
        let mut taken = Taken::new();
        let names = [
            "shots/a.png",
            "old/A.jpg",
            "a-2.png",
            "a.gif",
            "-",
            "..",
            "b",
        ];
        let names = names.map(|name| free_name(Path::new(name), &mut taken));
        let expected = [
            "a.png",
            "A-2.png",
            "a-2-2.png",
            "a-3.png",
            "stdin.png",
            "stdin-2.png",
            "b.png",
        ];
        assert_eq!(
            names.map(|name| name.to_str().unwrap().to_owned()),
            expected
        );
    }

    #[test]
    fn the_folder_is_made_and_no_screenshot_in_it_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("a.png"), "").unwrap();
        let shots = [path("a.png"), path("b.png")];
        let targets = in_folder(&path("new/out"), &shots).unwrap();
        assert_eq!(targets, [path("new/out/a.png"), path("new/out/b.png")]);
        assert_eq!(fs::read_dir(path("new/out")).unwrap().count(), 0);
        let error = in_folder(folder.path(), &shots).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("would write over the screenshot"),
            "{error}"
        );
        let error = in_folder(&path("a.png"), &shots).unwrap_err();
        assert!(error.to_string().contains("--annotate-dir"), "{error}");
        fs::create_dir_all(path("taken/b.png")).unwrap();
        let error = in_folder(&path("taken"), &shots).unwrap_err();
        assert!(error.to_string().contains("it is a directory"), "{error}");
    }

    #[test]
    fn what_cannot_be_written_is_refused_before_anything_is_paid() {
        let folder = tempfile::tempdir().unwrap();
        let shot = folder.path().join("shot.png");
        fs::write(&shot, "").unwrap();
        let refusal = |target: &Path| format!("{:#}", one(target, &shot).unwrap_err());
        assert!(refusal(folder.path()).contains("is a directory"));
        assert!(refusal(&folder.path().join("./shot.png")).contains("the screenshot itself"));
        assert!(refusal(Path::new("-")).contains("standard output"));
        let missing = folder.path().join("missing/out.png");
        let refused = refusal(&missing);
        assert!(
            refused.ends_with("missing/out.png: its folder does not exist"),
            "{refused}"
        );
        for name in ["a.jpg", "png", "a"] {
            assert!(
                refusal(&folder.path().join(name)).contains("ends in .png"),
                "{name}"
            );
        }
        assert!(one(&folder.path().join("A.PNG"), &shot).is_ok());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_stays_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let check = |name: &str| one(&path(name), Path::new("-"));
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(path(to), path(name)).unwrap();

        let made = std::process::Command::new("mkfifo")
            .arg(path("pipe"))
            .status();
        assert!(made.unwrap().success());
        link("nowhere.png", "dangling.png");
        link("pipe", "to-pipe.png");
        for (name, why) in [
            ("pipe", "is no regular file"),
            ("to-pipe.png", "is no regular file"),
            ("dangling.png", "cannot write"),
        ] {
            let error = format!("{:#}", check(name).unwrap_err());
            assert!(error.contains(why), "{error}");
        }

        fs::write(path("real.png"), "").unwrap();
        link("real.png", "link.png");
        let real = path("real.png").canonicalize().unwrap();
        assert_eq!(check("link.png").unwrap(), real);
    }
}
