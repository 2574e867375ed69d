//! What a job came to.

use drag_solver_core::{Drag, JobId, Point, SolveError, Usd};

/// What a job came to. The solver turns it into pixels and checks it.
///
/// ```
/// use drag_solver_http::{Answer, Unit, points};
/// use drag_solver_http::serde_json::json;
///
/// let response = json!({"answer": [[0.2, 0.5], [0.8, 0.5]]});
/// let answer = Answer::parsed(points::drag(response.get("answer"))).with_unit(Unit::Fraction);
/// assert!(answer.found.is_ok());
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// What was found on the screenshot that was sent, in `unit`; or, in words, why what the provider
    /// answered is no drag: that is billed like any other answer.
    pub found: Result<Found, String>,
    /// What its numbers are.
    pub unit: Unit,
    /// What it cost, in US dollars, if the provider says.
    pub cost: Option<Usd>,
}

/// What a provider found on a screenshot.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Found {
    /// Two points.
    Drag(Drag),
    /// How far to the right of a start that was known before.
    Distance {
        /// The start, in pixels of the screenshot that was sent.
        start: Point,
        /// How far, in the answer's unit.
        distance: f64,
    },
    /// Where the end is, for a start that was known before.
    End {
        /// The start, in pixels of the screenshot that was sent.
        start: Point,
        /// How far the end is from the left edge, in the answer's unit.
        x: f64,
        /// How far the end is from the upper edge, in the answer's unit; as far as the start if this is
        /// not said.
        y: Option<f64>,
    },
}

/// What the numbers of an answer are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Unit {
    /// Pixels of the screenshot that was sent.
    #[default]
    Pixels,
    /// Fractions of its width and height: 0.5 is the middle.
    Fraction,
    /// Percent of its width and height.
    Percent,
    /// Pixels of the screenshot as it is shown, this many pixels wide.
    ViewWidth(f64),
}

impl Answer {
    /// The answer `drag`, in pixels, of unknown cost.
    #[must_use]
    pub const fn new(drag: Drag) -> Self {
        Self::of(Ok(Found::Drag(drag)))
    }

    /// The answer as far as it could be read, in pixels, of unknown cost.
    #[must_use]
    pub fn parsed(drag: Result<Drag, String>) -> Self {
        Self::of(drag.map(Found::Drag))
    }

    /// What was found, in pixels, of unknown cost.
    #[must_use]
    pub const fn of(found: Result<Found, String>) -> Self {
        Self {
            found,
            unit: Unit::Pixels,
            cost: None,
        }
    }

    /// Says what its numbers are.
    #[must_use]
    pub const fn with_unit(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self
    }

    /// Adds what it cost.
    #[must_use]
    pub const fn with_cost(mut self, cost: Option<Usd>) -> Self {
        self.cost = cost;
        self
    }

    /// The drag in pixels of a screenshot of this size.
    pub(crate) fn drag_on(self, width: u32, height: u32) -> Result<Drag, String> {
        let (x, y) = self.unit.scale(width, height);
        let scale = |point: Point| Point::new(point.x * x, point.y * y);
        Ok(match self.found? {
            Found::Drag(mut drag) => {
                drag.start = scale(drag.start);
                drag.end = scale(drag.end);
                drag.alternative_end = drag.alternative_end.map(scale);
                drag
            }
            Found::Distance { start, distance } => {
                Drag::new(start, Point::new(start.x + distance * x, start.y))
            }
            Found::End {
                start,
                x: end_x,
                y: end_y,
            } => {
                let end_y = end_y.map_or(start.y, |end_y| end_y * y);
                Drag::new(start, Point::new(end_x * x, end_y))
            }
        })
    }
}

impl Unit {
    /// How many pixels one of it is, to the right and down.
    fn scale(self, width: u32, height: u32) -> (f64, f64) {
        let (width, height) = (f64::from(width), f64::from(height));
        match self {
            Self::Pixels => (1.0, 1.0),
            Self::Fraction => (width, height),
            Self::Percent => (width / 100.0, height / 100.0),
            Self::ViewWidth(view) => (width / view, width / view),
        }
    }
}

/// A create request was accepted.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Created {
    /// The result is to be asked for with this id.
    Job(JobId),
    /// Some providers answer at once.
    Answer {
        /// The job's id, if one was given all the same.
        job: Option<JobId>,
        /// The answer.
        answer: Answer,
    },
}

impl Created {
    pub(crate) fn job(&self) -> Option<&JobId> {
        match self {
            Self::Job(job) => Some(job),
            Self::Answer { job, .. } => job.as_ref(),
        }
    }
}

/// The state of a job.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum JobState {
    /// Not done yet.
    Running,
    /// A status the documentation does not know, neither success nor failure. The solver continues to
    /// ask, and says so in the error if nothing else comes.
    Unknown(String),
    /// The provider knows no such job: not yet, or no longer. The solver continues to ask, and if it has
    /// bought the job itself, until time is up. The error is what it fails with otherwise, and says
    /// whether the job was billed.
    Missing(SolveError),
    /// Done.
    Solved(Answer),
    /// The job has ended and there will be no answer. The error says whether it was billed.
    Failed(SolveError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_comes_to_pixels() {
        let drag = |x1, y1, x2, y2| Drag::new(Point::new(x1, y1), Point::new(x2, y2));
        let start = Point::new(40.0, 90.0);
        let end = |y| Found::End { start, x: 50.0, y };
        let distance = Found::Distance {
            start,
            distance: 50.0,
        };
        let halves = Found::Drag(drag(0.25, 0.5, 0.5, 0.5).with_alternative_end(start));
        for (found, unit, expected) in [
            (
                Found::Drag(drag(1.0, 2.0, 3.0, 4.0)),
                Unit::Pixels,
                drag(1.0, 2.0, 3.0, 4.0),
            ),
            (
                Found::Drag(drag(0.25, 0.5, 0.5, 0.5)),
                Unit::Fraction,
                drag(100.0, 100.0, 200.0, 100.0),
            ),
            (
                Found::Drag(drag(25.0, 50.0, 50.0, 50.0)),
                Unit::Percent,
                drag(100.0, 100.0, 200.0, 100.0),
            ),
            // A view of half the width: both sides are twice as long.
            (
                Found::Drag(drag(1.0, 2.0, 3.0, 4.0)),
                Unit::ViewWidth(200.0),
                drag(2.0, 4.0, 6.0, 8.0),
            ),
            // The start is in pixels, with any unit of the end.
            (distance, Unit::Pixels, drag(40.0, 90.0, 90.0, 90.0)),
            (distance, Unit::Percent, drag(40.0, 90.0, 240.0, 90.0)),
            (
                distance,
                Unit::ViewWidth(200.0),
                drag(40.0, 90.0, 140.0, 90.0),
            ),
            (
                end(None),
                Unit::ViewWidth(200.0),
                drag(40.0, 90.0, 100.0, 90.0),
            ),
            (
                end(Some(25.0)),
                Unit::Percent,
                drag(40.0, 90.0, 200.0, 50.0),
            ),
        ] {
            let answer = Answer::of(Ok(found)).with_unit(unit);
            assert_eq!(answer.drag_on(400, 200), Ok(expected), "{found:?} {unit:?}");
        }
        let both = Answer::of(Ok(halves)).with_unit(Unit::Fraction);
        let alternative = both.drag_on(400, 200).unwrap().alternative_end;
        assert_eq!(alternative, Some(Point::new(16_000.0, 18_000.0)));
        assert!(Answer::of(Err("no".into())).drag_on(1, 1).is_err());
    }
}
