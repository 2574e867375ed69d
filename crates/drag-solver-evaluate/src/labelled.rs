//! Pictures whose true drag is known.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

use drag_solver_core::text::printable;
use drag_solver_core::{Drag, DragChallenge, Rect, Screenshot, ScreenshotError, SolveError};

/// A screenshot whose true drag is known.
///
/// One of a file is read when it is made, so that what cannot be used is known before anything is bought, and
/// again when it is asked about: of thousands of pictures, a few are in memory.
#[derive(Clone, Debug)]
pub struct LabelledPicture {
    name: String,
    source: Source,
    drag: Drag,
    pub(crate) instruction: Option<String>,
    pub(crate) region: Option<Rect>,
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

#[cfg(test)]
mod tests {
    use drag_solver_core::Point;
    use drag_solver_mock::fixtures;

    use super::*;

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
