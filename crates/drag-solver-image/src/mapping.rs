//! From the picture that was sent back to the screenshot.

use drag_solver_core::{Drag, Frame, Point, Rect, Screenshot};

/// The way back from the picture that was sent to the original screenshot.
///
/// A whole number names a pixel and stands for its centre, as in the answer of a person who clicked
/// on it. So the pixel 0 of a picture at half the size stands for the middle of the pixels 0 and 1 of
/// the screenshot, 0.5, and not for the left edge of the first.
///
/// An answer that is not on the picture that was sent is mapped like any other, and so may be off the
/// screenshot, or on it but outside the region: what validates it sees what it is. One that is on
/// the picture never leaves the screenshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The part of the screenshot that was sent.
    crop: Crop,
    /// How wide and high it was when it was sent, in pixels.
    sent: (u32, u32),
}

impl Mapping {
    pub(crate) fn new(crop: Crop, sent: (u32, u32)) -> Self {
        Self { crop, sent }
    }

    /// The mapping of a screenshot that was sent as it was.
    pub(crate) fn identity(screenshot: &Screenshot) -> Self {
        let whole = Crop::of(screenshot, None);
        Self::new(whole, (whole.width, whole.height))
    }

    pub(crate) fn part(&self) -> Crop {
        self.crop
    }

    /// The same as plain numbers, which outlive the process.
    #[must_use]
    pub fn frame(&self) -> Frame {
        let (crop, (sent_width, sent_height)) = (self.crop, self.sent);
        Frame {
            left: crop.left,
            top: crop.top,
            width: crop.width,
            height: crop.height,
            sent_width,
            sent_height,
        }
    }

    /// The part of the screenshot that was sent, in whole pixels.
    #[must_use]
    pub fn crop(&self) -> Rect {
        let part = self.crop;
        let (x, y) = (part.left.into(), part.top.into());
        Rect::new(x, y, part.width.into(), part.height.into())
    }

    /// How many pixels of the screenshot one pixel of the picture stands for, across and down. 1 if it
    /// was not scaled. The two differ by what rounding to whole pixels takes.
    #[must_use]
    pub fn scale(&self) -> (f64, f64) {
        (
            f64::from(self.crop.width) / f64::from(self.sent.0),
            f64::from(self.crop.height) / f64::from(self.sent.1),
        )
    }

    /// The point of the screenshot that `point` of the picture stands for.
    #[must_use]
    pub fn point_to_original(&self, point: Point) -> Point {
        let (part, (across, down)) = (self.crop, self.sent);
        Point::new(
            to_original(point.x, across, part.left, part.width),
            to_original(point.y, down, part.top, part.height),
        )
    }

    /// The drag on the screenshot that `drag` on the picture stands for, its alternative end included.
    #[must_use]
    pub fn drag_to_original(&self, drag: &Drag) -> Drag {
        let original = |point| self.point_to_original(point);
        let mut mapped = Drag::new(original(drag.start), original(drag.end));
        mapped.alternative_end = drag.alternative_end.map(original);
        mapped
    }
}

impl From<Frame> for Mapping {
    fn from(frame: Frame) -> Self {
        let crop = Crop {
            left: frame.left,
            top: frame.top,
            width: frame.width,
            height: frame.height,
        };
        Self::new(crop, (frame.sent_width, frame.sent_height))
    }
}

/// One coordinate, where `length` pixels from `from` on were sent as `sent` pixels.
fn to_original(at: f64, sent: u32, from: u32, length: u32) -> f64 {
    let (from, length, sent) = (f64::from(from), f64::from(length), f64::from(sent));
    if (length - sent).abs() < 0.5 {
        return from + at; // no rounding error where nothing was scaled
    }
    let mapped = from + (at + 0.5) * length / sent - 0.5;
    if (0.0..sent).contains(&at) {
        // A fraction beyond the centre of the last pixel would be carried off the screenshot.
        mapped.min(from + length - 1.0)
    } else {
        mapped
    }
}

/// A part of a screenshot, in whole pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crop {
    pub(crate) left: u32,
    pub(crate) top: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Crop {
    /// The smallest part that holds `region`; the whole screenshot if there is none.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // such casts saturate
    pub(crate) fn of(screenshot: &Screenshot, region: Option<Rect>) -> Self {
        let (across, down) = (screenshot.width(), screenshot.height());
        let region = region.unwrap_or(Rect::new(0.0, 0.0, across.into(), down.into()));
        let left = (region.x.floor() as u32).min(across - 1);
        let top = (region.y.floor() as u32).min(down - 1);
        let right = (region.right().ceil() as u32).clamp(left + 1, across);
        let bottom = (region.bottom().ceil() as u32).clamp(top + 1, down);
        Self {
            left,
            top,
            width: right - left,
            height: bottom - top,
        }
    }

    pub(crate) fn is_whole(self, screenshot: &Screenshot) -> bool {
        self == Self::of(screenshot, None)
    }

    /// The scale, at most 1, at which no side is longer than `max_side` pixels.
    pub(crate) fn scale_to(self, max_side: Option<u32>) -> f64 {
        let longest = self.width.max(self.height);
        max_side.map_or(1.0, |max| (f64::from(max) / f64::from(longest)).min(1.0))
    }

    /// Width and height at this scale, in whole pixels.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a scale is 0 to 1
    pub(crate) fn scaled(self, scale: f64) -> (u32, u32) {
        let side = |pixels: u32| ((f64::from(pixels) * scale).round() as u32).clamp(1, pixels);
        (side(self.width), side(self.height))
    }
}

#[cfg(test)]
mod tests {
    use drag_solver_mock::fixtures::screenshot_sized;

    use super::*;

    fn mapping(from: (u32, u32), size: (u32, u32), sent: (u32, u32)) -> Mapping {
        let crop = Crop {
            left: from.0,
            top: from.1,
            width: size.0,
            height: size.1,
        };
        Mapping::new(crop, sent)
    }

    #[test]
    fn a_pixel_stands_for_its_centre() {
        let half = mapping((0, 0), (100, 80), (50, 40));
        assert_eq!(
            half.point_to_original(Point::new(0.0, 0.0)),
            Point::new(0.5, 0.5)
        );
        // The last pixel stands for the middle of the last two.
        assert_eq!(
            half.point_to_original(Point::new(49.0, 39.0)),
            Point::new(98.5, 78.5)
        );
        let third = mapping((7, 9), (300, 300), (100, 100));
        assert_eq!(
            third.point_to_original(Point::new(10.0, 0.0)),
            Point::new(7.0 + 31.0, 9.0 + 1.0)
        );
    }

    #[test]
    fn a_crop_alone_only_moves() {
        let crop = mapping((40, 380), (510, 400), (510, 400));
        assert_eq!(crop.scale(), (1.0, 1.0));
        let drag = Drag::new(Point::new(0.1, 0.2), Point::new(509.0, 399.0))
            .with_alternative_end(Point::new(1.0, 2.0));
        let expected = Drag::new(Point::new(40.1, 380.2), Point::new(549.0, 779.0))
            .with_alternative_end(Point::new(41.0, 382.0));
        assert_eq!(crop.drag_to_original(&drag), expected);
    }

    #[test]
    fn each_axis_has_its_own_scale() {
        let odd = mapping((0, 0), (1_080, 2_399), (450, 1_000));
        let middle = odd.point_to_original(Point::new(224.5, 499.5));
        assert_eq!(middle, Point::new(539.5, 1_199.0));
    }

    #[test]
    fn what_is_on_the_picture_stays_on_the_screenshot_and_what_is_not_does_not() {
        let fifth = mapping((100, 0), (500, 500), (100, 100));
        for at in [0.0, 50.0, 99.0, 99.4, 99.5, 99.999_999] {
            let point = fifth.point_to_original(Point::new(at, at));
            assert!(point.is_on(600, 500), "{at}: {point}");
        }
        let outside = fifth.point_to_original(Point::new(-1.0, 100.0));
        assert_eq!(outside, Point::new(97.0 + 0.5 - 0.5, 502.0));
        let nowhere = fifth.point_to_original(Point::new(f64::NAN, f64::INFINITY));
        assert!(nowhere.x.is_nan() && nowhere.y.is_infinite());
    }

    #[test]
    fn a_crop_holds_the_whole_region_and_no_more() {
        let shot = screenshot_sized(591, 1149);
        let crop = |region: Rect| Crop::of(&shot, Some(region));
        let whole = Crop::of(&shot, None);
        assert!(whole.is_whole(&shot));
        assert!(crop(Rect::new(0.0, 0.0, 591.0, 1149.0)).is_whole(&shot));
        let part = crop(Rect::new(40.5, 380.0, 509.5, 400.2));
        let expected = Crop {
            left: 40,
            top: 380,
            width: 510,
            height: 401,
        };
        assert_eq!(part, expected);
        let thin = crop(Rect::new(590.9, 1148.9, 0.01, 0.01));
        assert_eq!((thin.left, thin.width, thin.height), (590, 1, 1));
    }

    #[test]
    fn a_scale_never_enlarges_and_leaves_at_least_a_pixel() {
        let whole = Crop::of(&screenshot_sized(10, 3_000), None);
        for side in [None, Some(5_000)] {
            assert_eq!(whole.scaled(whole.scale_to(side)), (10, 3_000));
        }
        let scale = whole.scale_to(Some(100));
        assert_eq!(whole.scaled(scale), (1, 100));
    }
}
