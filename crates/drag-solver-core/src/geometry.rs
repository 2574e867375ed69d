//! Points and shapes in pixels of the original screenshot, origin top left.

use std::fmt;
use std::str::FromStr;

/// A place on the screenshot, in pixels from its top left corner.
///
/// Providers answer in whole or fractional pixels, so both coordinates are `f64`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Point {
    /// Pixels from the left edge.
    pub x: f64,
    /// Pixels from the top edge.
    pub y: f64,
}

impl Point {
    /// The point `x` pixels from the left and `y` pixels from the top.
    #[must_use]
    pub const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    /// Distance to `other`, in pixels.
    #[must_use]
    pub fn distance(self, other: Self) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    /// Whether the point lies on a picture of this size: `0 <= x < width`, `0 <= y < height`, and
    /// neither is NaN.
    #[must_use]
    pub fn is_on(self, width: u32, height: u32) -> bool {
        (0.0..f64::from(width)).contains(&self.x) && (0.0..f64::from(height)).contains(&self.y)
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.x, self.y)
    }
}

/// Where a drag starts and where it ends, in pixels of the original screenshot.
///
/// ```
/// use drag_solver_core::{Drag, Point};
///
/// let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.5, 560.0));
/// assert_eq!(drag.to_string(), "83,560 -> 320.5,560");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Drag {
    /// Where to press.
    pub start: Point,
    /// Where to let go.
    pub end: Point,
    /// A second place to let go that the provider thinks may be right. Most name none.
    #[cfg_attr(feature = "serde", serde(default))]
    pub alternative_end: Option<Point>,
}

impl Drag {
    /// A drag from `start` to `end`.
    #[must_use]
    pub const fn new(start: Point, end: Point) -> Self {
        Self {
            start,
            end,
            alternative_end: None,
        }
    }

    /// Adds the provider's second guess at the end point.
    #[must_use]
    pub const fn with_alternative_end(mut self, end: Point) -> Self {
        self.alternative_end = Some(end);
        self
    }

    /// Distance from start to end, in pixels.
    #[must_use]
    pub fn length(&self) -> f64 {
        self.start.distance(self.end)
    }

    /// Checks that start and end lie on a picture of `width` by `height` pixels and are at least
    /// `min_length` pixels apart. A drag of no length is never valid.
    pub fn check(&self, width: u32, height: u32, min_length: f64) -> Result<(), InvalidDrag> {
        for (which, point) in [("start", self.start), ("end", self.end)] {
            if !point.is_on(width, height) {
                return Err(InvalidDrag::OffPicture {
                    which,
                    point,
                    width,
                    height,
                });
            }
        }
        let length = self.length();
        if length <= 0.0 || length < min_length {
            return Err(InvalidDrag::TooShort { length, min_length });
        }
        Ok(())
    }
}

impl fmt::Display for Drag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.start, self.end)
    }
}

/// Why a [`Drag`] cannot be the answer to a challenge.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum InvalidDrag {
    /// A point that is not on the screenshot, or is not a number.
    OffPicture {
        /// `"start"` or `"end"`.
        which: &'static str,
        /// The offending point.
        point: Point,
        /// Width of the screenshot, in pixels.
        width: u32,
        /// Height of the screenshot, in pixels.
        height: u32,
    },
    /// Start and end are the same place, or nearly.
    TooShort {
        /// Distance from start to end, in pixels.
        length: f64,
        /// The least that was asked for, in pixels.
        min_length: f64,
    },
}

impl fmt::Display for InvalidDrag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OffPicture {
                which,
                point,
                width,
                height,
            } => {
                write!(
                    f,
                    "the {which} {point} is not on the {width}x{height} px screenshot"
                )
            }
            Self::TooShort { length, min_length } => write!(
                f,
                "start and end are {length:.1} px apart, and a drag must be longer than nothing and at least {min_length} px"
            ),
        }
    }
}

impl std::error::Error for InvalidDrag {}

/// A rectangle on the screenshot, in pixels. Parses from `x,y,w,h`.
///
/// ```
/// use drag_solver_core::Rect;
///
/// let card: Rect = "40,380,510,400".parse()?;
/// assert_eq!(card.right(), 550.0);
/// # Ok::<(), drag_solver_core::SolveError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rect {
    /// Pixels from the left edge of the screenshot to the left edge of the rectangle.
    pub x: f64,
    /// Pixels from the top edge of the screenshot to the top edge of the rectangle.
    pub y: f64,
    /// Width in pixels.
    pub width: f64,
    /// Height in pixels.
    pub height: f64,
}

impl Rect {
    /// The rectangle with its top left corner at `x`, `y`.
    #[must_use]
    pub const fn new(x: f64, y: f64, width: f64, height: f64) -> Self {
        Self {
            x,
            y,
            width,
            height,
        }
    }

    /// Pixels from the left edge of the screenshot to the right edge of the rectangle.
    #[must_use]
    pub fn right(&self) -> f64 {
        self.x + self.width
    }

    /// Pixels from the top edge of the screenshot to the bottom edge of the rectangle.
    #[must_use]
    pub fn bottom(&self) -> f64 {
        self.y + self.height
    }

    /// Whether the rectangle has an area and lies wholly on a picture of this size.
    #[must_use]
    pub fn is_on(&self, width: u32, height: u32) -> bool {
        // Written so that a NaN anywhere makes it false.
        self.x >= 0.0
            && self.y >= 0.0
            && self.width > 0.0
            && self.height > 0.0
            && self.right() <= f64::from(width)
            && self.bottom() <= f64::from(height)
    }
}

impl fmt::Display for Rect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{},{}", self.x, self.y, self.width, self.height)
    }
}

impl FromStr for Rect {
    type Err = crate::SolveError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Result<Vec<f64>, _> = text.split(',').map(|part| part.trim().parse()).collect();
        match parts.as_deref() {
            Ok(&[x, y, width, height]) if [x, y, width, height].iter().all(|n| n.is_finite()) => {
                Ok(Self::new(x, y, width, height))
            }
            _ => Err(crate::SolveError::new(
                crate::ErrorKind::InvalidChallenge,
                format!(
                    "`{text}` is not a rectangle: write x,y,w,h in pixels, as in 40,380,510,400"
                ),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drag(x1: f64, y1: f64, x2: f64, y2: f64) -> Drag {
        Drag::new(Point::new(x1, y1), Point::new(x2, y2))
    }

    #[test]
    fn a_point_on_the_far_edge_is_off_the_picture() {
        assert!(Point::new(0.0, 0.0).is_on(10, 20));
        assert!(Point::new(9.999, 19.999).is_on(10, 20));
        assert!(!Point::new(10.0, 5.0).is_on(10, 20));
        assert!(!Point::new(5.0, 20.0).is_on(10, 20));
        assert!(!Point::new(-0.1, 5.0).is_on(10, 20));
        assert!(!Point::new(f64::NAN, 5.0).is_on(10, 20));
        assert!(!Point::new(5.0, f64::INFINITY).is_on(10, 20));
    }

    #[test]
    fn check_refuses_points_off_the_picture_and_drags_of_no_length() {
        assert!(drag(1.0, 1.0, 9.0, 9.0).check(10, 10, 0.0).is_ok());
        let off_end = drag(1.0, 1.0, 10.0, 9.0).check(10, 10, 0.0);
        assert_eq!(
            off_end.unwrap_err().to_string(),
            "the end 10,9 is not on the 10x10 px screenshot"
        );
        let off_start = drag(-1.0, 1.0, 5.0, 9.0).check(10, 10, 0.0);
        assert!(matches!(
            off_start,
            Err(InvalidDrag::OffPicture { which: "start", .. })
        ));
        let nowhere = drag(1.0, 1.0, 1.0, 1.0).check(10, 10, 0.0);
        assert!(matches!(nowhere, Err(InvalidDrag::TooShort { .. })));
        let short = drag(1.0, 1.0, 3.0, 1.0).check(10, 10, 5.0);
        assert!(matches!(short, Err(InvalidDrag::TooShort { .. })));
    }

    #[test]
    fn rectangles_parse_or_say_how() {
        let rect: Rect = "1, 2,3.5,4".parse().unwrap();
        assert_eq!(rect, Rect::new(1.0, 2.0, 3.5, 4.0));
        for bad in [
            "",
            "1,2,3",
            "1,2,3,4,5",
            "a,b,c,d",
            "NaN,0,1,1",
            "0,0,inf,1",
        ] {
            let message = bad.parse::<Rect>().unwrap_err().to_string();
            assert!(message.contains("x,y,w,h"), "{message}");
        }
    }

    #[test]
    fn a_rectangle_must_have_an_area_on_the_picture() {
        assert!(Rect::new(0.0, 0.0, 10.0, 10.0).is_on(10, 10));
        assert!(!Rect::new(0.0, 0.0, 10.1, 10.0).is_on(10, 10));
        assert!(!Rect::new(0.0, 0.0, 0.0, 10.0).is_on(10, 10));
        assert!(!Rect::new(-1.0, 0.0, 5.0, 5.0).is_on(10, 10));
        assert!(!Rect::new(f64::NAN, 0.0, 5.0, 5.0).is_on(10, 10));
    }
}
