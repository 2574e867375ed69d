//! Pictures whose true drag is known.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use drag_solver_core::text::printable;
use drag_solver_core::{Drag, DragChallenge, Point, Rect, Screenshot, ScreenshotError, SolveError};
use serde::Deserialize;

/// Longest file of labels that is read, in bytes: a quarter of a million lines.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// A screenshot whose true drag is known.
///
/// One of a file is read when it is made, so that what cannot be used is known before anything is bought, and
/// again when it is asked about: of thousands of pictures, a few are in memory.
#[derive(Clone, Debug)]
pub struct LabelledPicture {
    name: String,
    source: Source,
    drag: Drag,
    instruction: Option<String>,
    region: Option<Rect>,
}

#[derive(Clone, Debug)]
enum Source {
    Memory(Screenshot),
    File(PathBuf),
}

impl LabelledPicture {
    /// The picture `screenshot`, called `name`, whose true drag is `drag`.
    ///
    /// # Errors
    ///
    /// The drag is not on the picture, or has no length.
    pub fn new(
        name: impl Into<String>,
        screenshot: Screenshot,
        drag: Drag,
    ) -> Result<Self, LabelError> {
        let name = name.into();
        Self::check(&name, &screenshot, &drag)?;
        Ok(Self::of(name, Source::Memory(screenshot), drag))
    }

    /// The picture in the file at `path`, whose true drag is `drag`. Blocks while it reads.
    ///
    /// # Errors
    ///
    /// A file that is no usable screenshot, or a drag that is not on it, or has no length.
    pub fn from_file(path: impl Into<PathBuf>, drag: Drag) -> Result<Self, LabelError> {
        let path = path.into();
        let name = path.to_string_lossy().into_owned();
        check_rereadable(&path).map_err(|problem| LabelError::new(&name, problem))?;
        let read = Screenshot::from_file(&path);
        let screenshot = read.map_err(|error| LabelError::of_picture(&name, &error))?;
        Self::check(&name, &screenshot, &drag)?;
        Ok(Self::of(name, Source::File(path), drag))
    }

    fn of(name: String, source: Source, drag: Drag) -> Self {
        Self {
            name,
            source,
            drag,
            instruction: None,
            region: None,
        }
    }

    fn check(name: &str, screenshot: &Screenshot, drag: &Drag) -> Result<(), LabelError> {
        let checked = drag.check(screenshot.width(), screenshot.height(), 0.0);
        checked.map_err(|error| LabelError::new(name, format!("its drag cannot be true: {error}")))
    }

    /// Says in words what is to be dragged where. Solvers are told it.
    #[must_use]
    pub fn with_instruction(mut self, instruction: impl Into<String>) -> Self {
        self.instruction = Some(instruction.into());
        self
    }

    /// Says which part of the picture holds the challenge. Solvers are told it.
    ///
    /// # Errors
    ///
    /// The region is empty or not wholly on the picture, or the picture cannot be read any more.
    pub fn with_region(mut self, region: Rect) -> Result<Self, LabelError> {
        self.region = Some(region);
        let checked = self.challenge();
        checked.map_err(|error| LabelError::new(&self.name, error.message()))?;
        Ok(self)
    }

    /// What it is called: of a file, its path.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The true drag, in pixels.
    #[must_use]
    pub fn drag(&self) -> &Drag {
        &self.drag
    }

    /// How far `answer` is off, in pixels: the distance of the starts or that of the ends, whichever is more.
    /// A second guess at the end does not count. What is not a number is infinitely far off.
    #[must_use]
    pub fn off(&self, answer: &Drag) -> f64 {
        let (start, end) = (
            answer.start.distance(self.drag.start),
            answer.end.distance(self.drag.end),
        );
        let both = [start, end].into_iter();
        both.map(|off| if off.is_nan() { f64::INFINITY } else { off })
            .fold(0.0, f64::max)
    }

    /// The picture. Blocks while it reads a file.
    ///
    /// # Errors
    ///
    /// The file cannot be read any more.
    pub fn screenshot(&self) -> Result<Screenshot, SolveError> {
        Ok(match &self.source {
            Source::Memory(screenshot) => screenshot.clone(),
            Source::File(path) => Screenshot::from_file(path)?,
        })
    }

    /// The question, without an id and a deadline. Blocks while it reads a file.
    pub(crate) fn challenge(&self) -> Result<DragChallenge, SolveError> {
        let mut challenge = DragChallenge::new(self.screenshot()?);
        if let Some(instruction) = &self.instruction {
            challenge = challenge.with_instruction(&**instruction);
        }
        match self.region {
            Some(region) => challenge.with_region(region),
            None => Ok(challenge),
        }
    }

    /// Whether making the challenge reads a file.
    pub(crate) fn is_in_file(&self) -> bool {
        matches!(self.source, Source::File(_))
    }
}

/// Why a picture cannot be used, or a line that names one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct LabelError {
    place: String,
    problem: String,
}

impl LabelError {
    /// What is wrong with the picture, or the line, called `place`.
    pub fn new(place: impl AsRef<str>, problem: impl AsRef<str>) -> Self {
        Self {
            place: printable(place.as_ref()),
            problem: printable(problem.as_ref()),
        }
    }

    /// The name stands before it: what is underneath says why.
    fn of_picture(name: &str, error: &ScreenshotError) -> Self {
        let mut why: &dyn std::error::Error = error;
        while let Some(source) = why.source() {
            why = source;
        }
        Self::new(name, why.to_string())
    }
}

/// Refuses what has its bytes once, as a pipe does: pictures are read again for each call.
#[doc(hidden)]
pub fn check_rereadable(path: &Path) -> Result<(), &'static str> {
    let is_other = |there: Metadata| !there.is_file() && !there.is_dir();
    if path.metadata().is_ok_and(is_other) {
        return Err(
            "it is no regular file, and pictures are read more than once: save it as a file first",
        );
    }
    Ok(())
}

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
                .map_err(|error| LabelError::new(place(), error.to_string()))?;
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
            ("{", "labels.jsonl, line 2: EOF while parsing"),
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

    #[test]
    fn an_answer_is_as_far_off_as_its_worse_end() {
        let picture = LabelledPicture::new("a", fixtures::screenshot(), fixtures::drag()).unwrap();
        let answer = |x, y, nan| {
            let start = Point::new(83.0 + x, 560.0);
            Drag::new(start, Point::new(320.0, nan + 560.0 + y))
        };
        for (drag, off) in [
            (answer(3.0, 0.0, 0.0), 3.0),
            (answer(3.0, -7.0, 0.0), 7.0),
            (answer(0.0, 0.0, f64::NAN), f64::INFINITY),
        ] {
            assert_eq!(picture.off(&drag).to_bits(), off.to_bits());
        }
    }
}
