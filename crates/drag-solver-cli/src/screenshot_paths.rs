//! Which screenshots there are: files, folders of them, and lists of both.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use walkdir::{DirEntry, WalkDir};

use crate::input_file;
use crate::screenshot_input::{PICTURE_ENDINGS, STDIN};
use crate::text_input::without_mark;
use crate::ui::text::{file_name, with_sources};

/// Longest list of paths that is read, in bytes: millions of paths.
const MAX_LIST_BYTES: u64 = 1 << 30;

/// The options that say which screenshots there are.
#[derive(Debug, clap::Args)]
pub(crate) struct PathArgs {
    /// Screenshots (PNG, JPEG, WebP or GIF), and folders of them with all folders inside; `-`
    /// reads one picture from standard input
    #[arg(value_name = "SCREENSHOT", required_unless_present = "files_from")]
    screenshots: Vec<PathBuf>,

    /// Pictures and folders from the lines of this file, after those of the command line; `-` reads them
    /// from standard input
    #[arg(long, value_name = "FILE")]
    files_from: Option<PathBuf>,

    /// The paths in --files-from end with a NUL byte and not with a line, as `find -print0` writes them
    #[arg(short = '0', long, requires = "files_from")]
    null: bool,
}

impl PathArgs {
    /// Every screenshot in the order given; those of a folder sorted by name. No picture is read. A folder
    /// without a picture stays in its place: that it cannot be used is told like that of any other file.
    ///
    /// # Errors
    ///
    /// A list or a folder that cannot be read, a list without a path, and standard input named twice.
    pub(crate) fn all(&self) -> anyhow::Result<Vec<PathBuf>> {
        read_stdin_once(self.screenshots.iter().chain(&self.files_from))?;
        let mut given = self.screenshots.clone();
        if let Some(list) = &self.files_from {
            given.extend(self.listed(list)?);
            read_stdin_once(given.iter().chain([list]))?;
        }
        expand(given)
    }

    fn listed(&self, list: &Path) -> anyhow::Result<Vec<PathBuf>> {
        let bytes = if list.as_os_str() == STDIN {
            input_file::read_all(io::stdin().lock(), MAX_LIST_BYTES)
        } else {
            input_file::read(list, MAX_LIST_BYTES)
        };
        let name = file_name(list);
        let bytes = bytes.with_context(|| format!("cannot read --files-from {name}"))?;
        let paths = parse(&without_mark(&bytes), self.null)
            .with_context(|| format!("--files-from {name}"))?;
        ensure!(!paths.is_empty(), "--files-from {name} has no path in it");
        Ok(paths)
    }
}

/// The same, with the pictures of each folder in its place, if there are any.
pub(crate) fn expand(given: Vec<PathBuf>) -> anyhow::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for path in given {
        let before = paths.len();
        if path.is_dir() {
            push_pictures(&path, &mut paths)?;
        }
        if paths.len() == before {
            paths.push(path);
        }
    }
    Ok(paths)
}

fn read_stdin_once<'a>(mut paths: impl Iterator<Item = &'a PathBuf>) -> anyhow::Result<()> {
    let mut is_stdin = |path: &PathBuf| path.as_os_str() == STDIN;
    let twice = paths.any(&mut is_stdin) && paths.any(is_stdin);
    ensure!(
        !twice,
        "standard input can be read once, and `-` is given twice"
    );
    Ok(())
}

/// The paths of a list. Lines that are empty are none.
fn parse(bytes: &[u8], null: bool) -> anyhow::Result<Vec<PathBuf>> {
    let end = if null { b'\0' } else { b'\n' };
    if !null && bytes.contains(&b'\0') {
        bail!("it has NUL bytes: add --null if its paths end with them");
    }
    let mut paths = Vec::new();
    for path in bytes.split(|&byte| byte == end) {
        let without_return = path.strip_suffix(b"\r").filter(|_| !null);
        let path = without_return.unwrap_or(path);
        if !path.is_empty() {
            paths.push(PathBuf::from(os_string(path)));
        }
    }
    Ok(paths)
}

#[cfg(unix)]
fn os_string(bytes: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStrExt as _;

    std::ffi::OsStr::from_bytes(bytes).to_owned()
}

/// What is no text is no name there, and so no file is found.
#[cfg(not(unix))]
fn os_string(bytes: &[u8]) -> OsString {
    OsString::from(String::from_utf8_lossy(bytes).into_owned())
}

/// Adds the pictures in `folder` and in the folders inside, by their names; hidden ones are left out.
fn push_pictures(folder: &Path, paths: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let walk = WalkDir::new(folder).follow_links(true).sort_by_file_name();
    let is_shown = |entry: &DirEntry| entry.depth() == 0 || !is_hidden(entry);
    for entry in walk.into_iter().filter_entry(is_shown) {
        match entry {
            // One that is a pipe or a socket is told as one that cannot be read.
            Ok(entry) if !entry.file_type().is_dir() && is_picture(entry.path()) => {
                paths.push(entry.into_path());
            }
            Ok(_) => {}
            // A link to nothing is a picture that cannot be read, if it is called like one.
            Err(error) if error.path().is_some_and(Path::is_symlink) => {
                paths.extend(
                    error
                        .path()
                        .filter(|path| is_picture(path))
                        .map(PathBuf::from),
                );
            }
            Err(error) => bail!(
                "cannot read {}: {}",
                file_name(folder),
                with_sources(&error)
            ),
        }
    }
    Ok(())
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default();
    let mut known = PICTURE_ENDINGS.iter();
    known.any(|known| ending.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn args(screenshots: &[&Path]) -> PathArgs {
        PathArgs {
            screenshots: screenshots.iter().map(|path| path.to_path_buf()).collect(),
            files_from: None,
            null: false,
        }
    }

    #[test]
    fn a_folder_is_every_picture_in_it_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for inside in ["shots/b", ".hidden", "empty/.git", "shots/c.png"] {
            fs::create_dir_all(root.join(inside)).unwrap();
        }
        for file in [
            "shots/z.PNG",
            "shots/a.jpeg",
            "shots/b/1.webp",
            "shots/b/10.gif",
            "shots/b/2.jpg",
            "shots/notes.txt",
            "shots/png",
            "shots/.a.png",
            ".hidden/a.png",
            "empty/.git/a.png",
        ] {
            fs::write(root.join(file), "").unwrap();
        }
        let expected = [
            "shots/a.jpeg",
            "shots/b/1.webp",
            "shots/b/10.gif",
            "shots/b/2.jpg",
            "shots/z.PNG",
        ];
        let expected: Vec<_> = expected.iter().map(|name| root.join(name)).collect();
        assert_eq!(args(&[&root.join("shots")]).all().unwrap(), expected);
        assert_eq!(args(&[root]).all().unwrap(), expected);

        // What is named is taken, under any name, and in the order given.
        let named = [
            root.join("shots/notes.txt"),
            root.join("empty"),
            root.join("gone.png"),
        ];
        assert_eq!(
            args(&named.each_ref().map(PathBuf::as_path)).all().unwrap(),
            named
        );
        let hidden = root.join(".hidden");
        assert_eq!(args(&[&hidden]).all().unwrap(), [hidden.join("a.png")]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_end() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("shots")).unwrap();
        fs::write(path("real.png"), "").unwrap();
        symlink(path("real.png"), path("shots/link.png")).unwrap();
        symlink(path("nowhere.png"), path("shots/gone.png")).unwrap();
        symlink(path("shots"), path("shots/loop")).unwrap();
        let expected = [path("shots/gone.png"), path("shots/link.png")];
        assert_eq!(args(&[&path("shots")]).all().unwrap(), expected);
    }

    #[test]
    fn a_list_has_a_path_a_line() {
        let paths = |bytes: &[u8], null| parse(bytes, null).map_err(|error| error.to_string());
        let expected = |names: &[&str]| Ok(names.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(
            paths(b"a.png\r\n\nmy shot.png", false),
            expected(&["a.png", "my shot.png"])
        );
        assert_eq!(
            paths(b"a\n.png\0b\r\0", true),
            expected(&["a\n.png", "b\r"])
        );
        assert_eq!(paths(b"\n", false), expected(&[]));
        assert!(
            paths(b"a.png\0b.png\0", false)
                .unwrap_err()
                .contains("--null")
        );
    }
}
