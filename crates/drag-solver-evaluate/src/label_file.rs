//! Files of labels: where the true drag of each screenshot is, a JSON object a line.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use drag_solver_core::text::json_problem;
use drag_solver_core::{Drag, Point, Rect};
use serde::Deserialize;

use crate::labelled::{LabelError, LabelledPicture};

/// Longest file of labels that is read, in bytes: a quarter of a million lines.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// A line of labels. Members that are not known are ignored.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    v: Option<u64>,
    screenshot: PathBuf,
    /// The exact name, if it is no text.
    #[serde(default)]
    screenshot_os: Option<OsString>,
    #[serde(default)]
    start: Option<Point>,
    #[serde(default)]
    end: Option<Point>,
    /// The same two points, as the command prints them.
    #[serde(default)]
    drag: Option<Drag>,
    #[serde(default)]
    instruction: Option<String>,
    #[serde(default)]
    region: Option<Rect>,
}

/// Reads a file of labels: a JSON object a line, with the path of a `screenshot`, beside the file unless it is
/// absolute, and its true drag, `start` and `end`, each `x` and `y` in pixels of the screenshot; `instruction` and
/// `region` (`x`, `y`, `width`, `height`) may be there. The lines that `drag-solver solve --format json` prints, with the
/// points in `drag`, are read too. Blocks while it reads the file and every picture.
///
/// Each line is a picture, or says why it cannot be used.
///
/// # Errors
///
/// The file cannot be read, or is longer than 64 MiB.
///
/// ```
/// # use drag_solver_core::{Drag, Point};
/// # let folder = tempfile::tempdir()?;
/// # let picture = drag_solver_mock::pictures::TestPicture::draw_sized(7, 200, 400)?;
/// # std::fs::write(folder.path().join("phone.png"), picture.screenshot().bytes())?;
/// # let path = folder.path().join("labels.jsonl");
/// std::fs::write(&path, r#"{"screenshot": "phone.png", "start": {"x": 38, "y": 205}, "end": {"x": 158, "y": 205}}"#)?;
/// let labels = drag_solver_evaluate::read_labels(&path)?;
/// let drag = Drag::new(Point::new(38.0, 205.0), Point::new(158.0, 205.0));
/// assert_eq!(labels[0].as_ref().unwrap().drag(), &drag);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_labels(path: &Path) -> io::Result<Vec<Result<LabelledPicture, LabelError>>> {
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        let problem = format!("it is longer than {MAX_BYTES} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let lines = bytes.split(|&byte| byte == b'\n').enumerate();
    let lines = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    Ok(lines
        .map(|(index, line)| {
            let place = || format!("{}, line {}", path.display(), index + 1);
            let line = serde_json::from_slice(line)
                .map_err(|error| json_problem(&error.to_string(), error.is_syntax()))
                .map_err(|problem| LabelError::new(place(), problem))?;
            picture(line, folder).map_err(|problem| LabelError::new(place(), problem))
        })
        .collect())
}

fn picture(line: Line, folder: &Path) -> Result<LabelledPicture, String> {
    if let Some(version) = line.v.filter(|&version| version != 1) {
        return Err(format!(
            "it has version {version}, and only version 1 is known"
        ));
    }
    let drag = match (line.drag, line.start, line.end) {
        (Some(drag), None, None) => Drag::new(drag.start, drag.end),
        (None, Some(start), Some(end)) => Drag::new(start, end),
        (None, None, None) => {
            return Err("there is no drag in it: add `start` and `end`".to_owned());
        }
        (Some(_), _, _) => {
            return Err("it has `drag`, and `start` or `end` too: which is true?".to_owned());
        }
        (None, None, _) => return Err("`start` is missing".to_owned()),
        (None, _, None) => return Err("`end` is missing".to_owned()),
    };
    let path = line.screenshot_os.map_or(line.screenshot, PathBuf::from);
    let problem = |error: LabelError| error.to_string();
    let mut picture = LabelledPicture::from_file(folder.join(path), drag).map_err(problem)?;
    picture.instruction = line.instruction;
    match line.region {
        Some(region) => picture.with_region(region).map_err(problem),
        None => Ok(picture),
    }
}

#[cfg(test)]
mod tests {
    use drag_solver_mock::fixtures;

    use super::*;

    fn labels(lines: &str) -> Vec<Result<LabelledPicture, String>> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.gif"), fixtures::screenshot().bytes()).unwrap();
        let path = folder.path().join("labels.jsonl");
        std::fs::write(&path, lines).unwrap();
        let read = read_labels(&path).unwrap();
        let shown = format!("{}/", folder.path().display());
        let short = |error: LabelError| error.to_string().replace(&shown, "");
        read.into_iter().map(|line| line.map_err(short)).collect()
    }

    const ENDS: &str = r#""start": {"x": 83, "y": 560}, "end": {"x": 320, "y": 560}"#;

    #[test]
    fn both_shapes_of_a_drag_are_read_and_unknown_members_are_ignored() {
        let line = format!(
            "\u{feff}{{\"screenshot\": \"a.gif\", {ENDS}, \"instruction\": \"Drag\", \"who\": 1,\
             \"region\": {{\"x\": 0, \"y\": 1, \"width\": 500, \"height\": 900}}}}\r\n\n\
             {{\"v\": 1, \"screenshot\": \"a.gif\", \"drag\": {{{ENDS}, \"alternative_end\": null}}}}"
        );
        let read = labels(&line);
        assert_eq!(read.len(), 2);
        for picture in &read {
            assert_eq!(picture.as_ref().unwrap().drag(), &fixtures::drag());
        }
        let first = read[0].as_ref().unwrap();
        assert_eq!(first.instruction.as_deref(), Some("Drag"));
        assert_eq!(first.region, Some(Rect::new(0.0, 1.0, 500.0, 900.0)));
    }

    #[test]
    fn a_line_that_cannot_be_used_says_which_and_why_and_the_others_are_used() {
        for (line, told) in [
            ("{", "labels.jsonl, line 2: it is cut off"),
            (
                "hello",
                "labels.jsonl, line 2: it is no JSON, from column 1 on",
            ),
            (
                r#"{"screenshot": "a.gif", "start": {"x": 1}}"#,
                "line 2: `y` is missing",
            ),
            (
                r#"{"screenshot": "a.gif", "start": {"x": "1"}}"#,
                "line 2: at column 42 is a text, and there must be a number",
            ),
            (
                r#"{"screenshot": "a.gif"}"#,
                "line 2: there is no drag in it: add `start` and `end`",
            ),
            (
                r#"{"screenshot": "a.gif", "start": {"x": 1, "y": 1}}"#,
                "line 2: `end` is missing",
            ),
            (r#"{"v": 2, "screenshot": "a.gif"}"#, "version 2"),
            (&format!(r#"{{"screenshot": "b.gif", {ENDS}}}"#), "b.gif"),
            (
                r#"{"screenshot": "a.gif", "start": {"x": 1, "y": 1}, "end": {"x": 591, "y": 1}}"#,
                "its drag cannot be true: the end 591,1 is not on the 591x1149 px screenshot",
            ),
            (
                &format!(
                    r#"{{"screenshot": "a.gif", {ENDS}, "region": {{"x": 0, "y": 0, "width": 900, "height": 1}}}}"#
                ),
                "is empty or not wholly on",
            ),
        ] {
            let good = format!("{{\"screenshot\": \"a.gif\", {ENDS}}}\n");
            let read = labels(&(good.clone() + line + "\n" + &good));
            let error = read[1].as_ref().unwrap_err();
            assert!(error.contains(told), "{line}: {error}");
            assert!(read[0].is_ok() && read[2].is_ok());
        }
    }
}
