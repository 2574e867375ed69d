//! Shapes, painted row by row, so that a picture of any size takes the memory of one row.
//!
//! A shape is a signed distance in pixels: negative inside, positive outside. Only `+ - * /`, `sqrt`
//! and comparisons, whose results IEEE 754 fixes to the last bit: a picture is the same on every
//! machine.

use super::lettering::{ADVANCE, HEIGHT, segments};

/// A place or a size.
pub(super) type Xy = (f64, f64);

/// Red, green and blue, 0 to 255 each.
#[derive(Clone, Copy)]
pub(super) struct Rgb([f64; 3]);

pub(super) const WHITE: Rgb = Rgb([255.0; 3]);
pub(super) const BLACK: Rgb = Rgb([0.0; 3]);

impl Rgb {
    pub(super) fn hex(color: u32) -> Self {
        let [_, red, green, blue] = color.to_be_bytes();
        Self([red, green, blue].map(f64::from))
    }

    /// This colour with `part` (0 to 1) of `other` in it.
    pub(super) fn mix(self, other: Self, part: f64) -> Self {
        let part = part.clamp(0.0, 1.0);
        let mix = |i: usize| self.0[i] + (other.0[i] - self.0[i]) * part;
        Self([mix(0), mix(1), mix(2)])
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // such casts saturate
    fn bytes(self) -> [u8; 3] {
        let [red, green, blue] = self.0;
        [(red + 0.5) as u8, (green + 0.5) as u8, (blue + 0.5) as u8]
    }
}

/// One row of a picture. What is painted on it lies over what was painted before, and costs next to
/// nothing unless the row crosses it.
pub(super) struct Row<'a> {
    y: f64,
    /// Three bytes each.
    pixels: &'a mut [u8],
    origin: Xy,
    unit: f64,
}

impl<'a> Row<'a> {
    pub(super) fn new(y: u32, pixels: &'a mut [u8]) -> Self {
        Self {
            y: f64::from(y) + 0.5,
            pixels,
            origin: (0.0, 0.0),
            unit: 1.0,
        }
    }

    /// Shapes and text that follow are measured from `origin`, in units of this many pixels.
    pub(super) fn measure_from(&mut self, origin: Xy, unit: f64) {
        (self.origin, self.unit) = (origin, unit);
    }

    /// Paints what `paint` says of each pixel in a box around `centre`: its colour, and how much of it is
    /// covered (0 to 1). It gets the pixel's place relative to the centre. All in pixels of the picture.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // such casts saturate
    pub(super) fn paint(&mut self, centre: Xy, size: Xy, paint: impl Fn(f64, f64) -> (Rgb, f64)) {
        // A pixel more on each side, for edges that end within one.
        let (reach, y) = (size.0 / 2.0 + 1.0, self.y - centre.1);
        if y.abs() > size.1 / 2.0 + 1.0 {
            return;
        }
        let (first, last) = ((centre.0 - reach) as u32, (centre.0 + reach) as u32);
        let pixels = self.pixels.chunks_exact_mut(3).skip(first as usize);
        for (x, pixel) in (first..=last).zip(pixels) {
            let (color, coverage) = paint(f64::from(x) + 0.5 - centre.0, y);
            if coverage >= 1.0 {
                pixel.copy_from_slice(&color.bytes());
            } else if coverage > 0.0 {
                let below = Rgb([pixel[0].into(), pixel[1].into(), pixel[2].into()]);
                pixel.copy_from_slice(&below.mix(color, coverage).bytes());
            }
        }
    }

    /// Paints a rounded rectangle of one colour around `centre`.
    pub(super) fn rounded(&mut self, centre: Xy, (width, height): Xy, radius: f64, color: Rgb) {
        let unit = self.unit;
        let size = (width * unit, height * unit);
        self.paint(self.in_pixels(centre), size, |x, y| {
            (color, coverage(rounded(x, y, size, radius * unit)))
        });
    }

    /// Paints one line of text around `centre`, its letters `height` high.
    pub(super) fn text(&mut self, centre: Xy, height: f64, text: &str, ink: Rgb) {
        let (mut x, y) = self.in_pixels(centre);
        let scale = height * self.unit / HEIGHT;
        let gaps = text.chars().skip(1);
        x -= gaps.map(|_| ADVANCE * scale / 2.0).sum::<f64>();
        for letter in text.chars() {
            let strokes = segments(letter);
            self.paint((x, y), (6.0 * scale, 8.0 * scale), |x, y| {
                let place = (x / scale, y / scale);
                let distances = strokes.iter().map(|&ends| segment(place, ends) * scale);
                let edge = distances.fold(f64::MAX, f64::min) - scale.max(0.8) / 2.0;
                (ink, coverage(edge))
            });
            x += ADVANCE * scale;
        }
    }

    fn in_pixels(&self, (x, y): Xy) -> Xy {
        (self.origin.0 + x * self.unit, self.origin.1 + y * self.unit)
    }
}

/// How much of a pixel a shape covers (0 to 1), by the distance of the pixel's centre from its edge.
pub(super) fn coverage(distance: f64) -> f64 {
    (0.5 - distance).clamp(0.0, 1.0)
}

/// A disc around the origin.
pub(super) fn disc(x: f64, y: f64, radius: f64) -> f64 {
    (x * x + y * y).sqrt() - radius
}

/// A rectangle around the origin with rounded corners.
pub(super) fn rounded(x: f64, y: f64, (width, height): Xy, radius: f64) -> f64 {
    let radius = radius.min(width / 2.0).min(height / 2.0);
    let dx = x.abs() - width / 2.0 + radius;
    let dy = y.abs() - height / 2.0 + radius;
    disc(dx.max(0.0), dy.max(0.0), radius) + dx.max(dy).min(0.0)
}

/// A stroke of no thickness from `a` to `b`.
fn segment((x, y): Xy, (a, b): (Xy, Xy)) -> f64 {
    let ((px, py), (dx, dy)) = ((x - a.0, y - a.1), (b.0 - a.0, b.1 - a.1));
    // A dot has no length to be along of.
    let length = (dx * dx + dy * dy).max(f64::MIN_POSITIVE);
    let along = ((px * dx + py * dy) / length).clamp(0.0, 1.0);
    disc(px - dx * along, py - dy * along, 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_negative_inside_and_positive_outside() {
        assert!(rounded(0.0, 0.0, (10.0, 10.0), 2.0) < 0.0);
        assert!(
            rounded(4.9, 4.9, (10.0, 10.0), 2.0) > 0.0,
            "a rounded corner"
        );
        assert!(disc(3.0, 0.0, 2.0) > 0.0);
        assert!((segment((5.0, 3.0), ((0.0, 0.0), (10.0, 0.0))) - 3.0).abs() < 1e-12);
        assert!((segment((5.0, 0.0), ((1.0, 0.0), (1.0, 0.0))) - 4.0).abs() < 1e-12);
    }
}
