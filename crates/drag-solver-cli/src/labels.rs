//! A file of labels: where the true drag of each screenshot is, a JSON object a line.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use drag_solver::{Drag, DragChallenge, Point, Rect, json_problem};
use serde::{Deserialize, Serialize};

use crate::input_file;
use crate::json_line::ScreenshotName;
use crate::output_file::folder_of;
use crate::ui::console::eprint_unless_quiet;
use crate::ui::text::file_name;

/// Longest file that is read, in bytes: hundreds of thousands of labels.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// How each line that was written here begins.
const BEGINNING: &[u8] = br#"{"screenshot":""#;

/// The true drag of a screenshot, in its pixels, and what else was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Label {
    /// Seen from the folder of the labels.
    #[serde(flatten)]
    screenshot: ScreenshotName,
    start: Point,
    end: Point,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instruction: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<Rect>,
}

/// What is in a file of labels, before anything is added.
#[derive(Debug)]
pub(crate) struct Labels {
    path: PathBuf,
    folder: PathBuf,
    labelled: HashSet<PathBuf>,
    /// Up to where the file is whole lines, or whole but for the end of the last one.
    whole: u64,
    ends_line: bool,
    cut_off: bool,
}

impl Labels {
    /// Reads what is there; a file that is not there has no labels.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is no file of labels.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let folder = real_folder(path)
            .with_context(|| format!("--output {}: its folder does not exist", file_name(path)))?;
        let text = read_file(path).with_context(|| format!("--output {}", file_name(path)))?;
        let mut labels = Self {
            path: path.to_owned(),
            folder,
            labelled: HashSet::new(),
            whole: text.len() as u64,
            ends_line: text.last().is_none_or(|&last| last == b'\n'),
            cut_off: false,
        };
        let marked = text.strip_prefix(b"\xef\xbb\xbf"); // as some editors begin a file
        let lines = marked.unwrap_or(&text).split(|&byte| byte == b'\n');
        let lines: Vec<&[u8]> = lines.collect();
        for (number, line) in (1..).zip(&lines) {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let is_last = number == lines.len();
            match serde_json::from_slice::<Label>(line) {
                Ok(label) => {
                    let path = labels.folder.join(label.screenshot.path());
                    labels.labelled.insert(identity(&path));
                }
                // The power was cut, or the disk full, while it was written.
                Err(error) if is_last && error.is_eof() && line.starts_with(BEGINNING) => {
                    labels.whole -= line.len() as u64;
                    (labels.ends_line, labels.cut_off) = (true, true);
                }
                Err(error) => bail!(
                    "--output {}: line {number} is no label ({}); nothing was written to it: mend or remove the \
                     line, or name another file",
                    file_name(path),
                    json_problem(&error.to_string(), error.is_syntax())
                ),
            }
        }
        Ok(labels)
    }

    /// Whether it has a label of this screenshot.
    pub(crate) fn has(&self, screenshot: &Path) -> bool {
        self.labelled.contains(&identity(screenshot))
    }

    /// Opens it to add labels, and makes it if it is not there.
    ///
    /// # Errors
    ///
    /// It cannot be written, or another process adds labels to it.
    pub(crate) fn open(self) -> anyhow::Result<LabelsFile> {
        let name = file_name(&self.path);
        let cannot_write = || format!("--output: cannot write {name}");
        let options = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path);
        let mut file = options.with_context(cannot_write)?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            bail!("--output: another process adds labels to {name}");
        }
        if self.cut_off {
            eprint_unless_quiet(&format!(
                "note: the last line of {name} was cut off while it was written: it is removed"
            ));
            file.set_len(self.whole).with_context(cannot_write)?;
        }
        if !self.ends_line {
            file.write_all(b"\n").with_context(cannot_write)?;
        }
        Ok(LabelsFile {
            file,
            name,
            folder: self.folder,
        })
    }
}

/// A file that labels are added to.
#[derive(Debug)]
pub(crate) struct LabelsFile {
    file: File,
    name: String,
    folder: PathBuf,
}

impl LabelsFile {
    /// Adds the true drag of the screenshot at `path`. It is on the disk when this returns.
    pub(crate) fn add(
        &mut self,
        path: &Path,
        challenge: &DragChallenge,
        drag: &Drag,
    ) -> anyhow::Result<()> {
        let label = Label {
            screenshot: seen_from(&self.folder, path).as_path().into(),
            start: drag.start,
            end: drag.end,
            instruction: challenge.instruction().map(str::to_owned),
            region: challenge.region(),
        };
        let line = serde_json::to_string(&label)? + "\n";
        let written = self.file.write_all(line.as_bytes());
        written
            .and_then(|()| self.file.sync_data())
            .with_context(|| format!("--output: cannot write {}", self.name))
    }
}

/// All of a file, or nothing if it is not there.
fn read_file(path: &Path) -> anyhow::Result<Vec<u8>> {
    ensure!(
        !path.is_dir(),
        "it is no file: name one that labels go into"
    );
    ensure!(
        !input_file::is_special(path),
        "it is no regular file: name one that labels go into"
    );
    match input_file::read(path, MAX_BYTES) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.context("cannot read it"),
    }
}

/// The folder that a file is in, or will be, without links in its own path.
fn real_folder(path: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(folder_of(path))
}

/// One path for all that lead to a file. A link to a picture is a picture of its own.
pub(crate) fn identity(path: &Path) -> PathBuf {
    let whole = || Some(real_folder(path).ok()?.join(path.file_name()?));
    whole().unwrap_or_else(|| path.to_owned())
}

/// The way from `folder` to a file, with the same strokes on every system; the whole path if they have no folder in
/// common.
fn seen_from(folder: &Path, path: &Path) -> PathBuf {
    let path = identity(path);
    let both = folder.components().zip(path.components());
    let common = both.take_while(|(one, other)| one == other).count();
    let is_name = |part: &Component<'_>| matches!(part, Component::Normal(_));
    if !path.components().take(common).any(|part| is_name(&part)) {
        return path;
    }
    let up = folder.components().skip(common).map(|_| "..".as_ref());
    let down = path.components().skip(common).map(Component::as_os_str);
    let parts: Vec<_> = up.chain(down).collect();
    parts.join("/".as_ref()).into()
}

#[cfg(test)]
mod tests {
    use drag_solver_mock::fixtures;

    use super::*;

    const LABEL: &str =
        r#"{"screenshot":"a.png","start":{"x":1.0,"y":2.5},"end":{"x":3.0,"y":4.0}}"#;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            for inside in ["shots/old", "labels"] {
                fs::create_dir_all(folder.path().join(inside)).unwrap();
            }
            Self(folder)
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        /// A file of labels with this in it.
        fn labels(&self, text: &str) -> anyhow::Result<Labels> {
            fs::write(self.path("labels/l.jsonl"), text).unwrap();
            Labels::read(&self.path("labels/l.jsonl"))
        }

        fn text(&self) -> String {
            fs::read_to_string(self.path("labels/l.jsonl")).unwrap()
        }
    }

    #[test]
    fn a_label_is_this_to_the_byte_and_is_found_again() {
        let folder = Folder::new();
        let output = folder.path("labels/l.jsonl");
        let labels = Labels::read(&output).unwrap();
        let shots = [
            folder.path("labels/a.png"),
            folder.path("shots/old/b.png"),
            folder.path("shots/../shots/ảnh \"1\".png"),
        ];
        assert!(!shots.iter().any(|shot| labels.has(shot)));
        let mut file = labels.open().unwrap();
        let plain = fixtures::challenge();
        let region = Rect::new(1.0, 2.0, 30.0, 40.5);
        let asked = plain.clone().with_instruction("to the hole");
        let asked = asked.with_region(region).unwrap();
        for (shot, challenge) in shots.iter().zip([&plain, &asked, &plain]) {
            file.add(shot, challenge, &fixtures::drag()).unwrap();
        }
        let ends = r#""start":{"x":83.0,"y":560.0},"end":{"x":320.0,"y":560.0}"#;
        let more =
            r#","instruction":"to the hole","region":{"x":1.0,"y":2.0,"width":30.0,"height":40.5}"#;
        assert_eq!(
            folder.text(),
            format!(
                "{{\"screenshot\":\"a.png\",{ends}}}\n\
                 {{\"screenshot\":\"../shots/old/b.png\",{ends}{more}}}\n\
                 {{\"screenshot\":\"../shots/ảnh \\\"1\\\".png\",{ends}}}\n"
            )
        );
        drop(file);
        let labels = Labels::read(&output).unwrap();
        assert!(shots.iter().all(|shot| labels.has(shot)));
        assert!(labels.has(&folder.path("labels/../labels/./a.png")));
        assert!(!labels.has(&folder.path("shots/a.png")));
    }

    #[test]
    fn what_has_nothing_in_common_but_the_root_is_named_whole() {
        let whole = identity(Path::new("/no such folder/a.png"));
        assert_eq!(seen_from(Path::new("/home"), &whole), whole);
    }

    #[test]
    fn a_file_of_anything_else_is_refused_and_not_touched() {
        let folder = Folder::new();
        let solved =
            r#"{"v":1,"screenshot":"a.png","drag":{"start":{"x":1,"y":2},"end":{"x":3,"y":4}}}"#;
        for (text, number) in [
            ("# notes\n".to_owned(), 1),
            ("no line".to_owned(), 1),
            (solved.to_owned(), 1),
            (format!("{LABEL}\n\n{{}}\n"), 3),
            (format!("{LABEL}\n{}\n", &LABEL[..40]), 2),
            (format!("{LABEL}\n[1"), 2),
        ] {
            let error = folder.labels(&text).unwrap_err().to_string();
            let why = format!("line {number} is no label");
            assert!(error.contains(&why), "{text}: {error}");
            assert!(!error.contains("at line"), "{error}");
            assert_eq!(folder.text(), text);
        }
        for (output, why) in [
            ("labels", "it is no file"),
            ("gone/l.jsonl", "its folder does not exist"),
        ] {
            let error = Labels::read(&folder.path(output)).unwrap_err();
            assert!(format!("{error:#}").contains(why), "{error:#}");
        }
    }

    #[test]
    fn a_last_line_without_its_end_is_ended_and_one_that_is_cut_off_goes() {
        let folder = Folder::new();
        let begin = |line: &str| line.chars().take(20).collect::<String>();
        let added = |text: &str| {
            let labels = folder.labels(text).unwrap();
            let has = labels.has(&folder.path("labels/a.png"));
            let is_cut_off = labels.cut_off;
            let (shot, challenge) = (folder.path("labels/b.png"), fixtures::challenge());
            let mut file = labels.open().unwrap();
            file.add(&shot, &challenge, &fixtures::drag()).unwrap();
            let lines = folder.text().lines().map(begin).collect::<Vec<_>>();
            (is_cut_off, has, lines)
        };
        let (a, b) = (begin(LABEL), begin(r#"{"screenshot":"b.png""#));
        let both = || vec![a.clone(), b.clone()];
        assert_eq!(added(LABEL), (false, true, both()));
        let marked = folder.labels(&format!("\u{feff}{LABEL}\r\n")).unwrap();
        assert!(marked.has(&folder.path("labels/a.png")));
        let torn = format!("{LABEL}\n{}", &LABEL[..45]);
        assert_eq!(added(&torn), (true, true, both()));
        assert_eq!(added(&LABEL[..45]), (true, false, vec![b.clone()]));
    }

    #[test]
    fn two_do_not_write_one_file() {
        let folder = Folder::new();
        let output = folder.path("labels/l.jsonl");
        let open = || Labels::read(&output).unwrap().open();
        let first = open().unwrap();
        let error = open().unwrap_err().to_string();
        assert!(error.contains("another process adds labels"), "{error}");
        drop(first);
        open().unwrap();
    }
}
