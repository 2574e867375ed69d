//! Draws a drag into a picture.
//!
//! Every mark has a light core and a dark outline, so that it shows on light and on dark alike. The
//! start is a ring, the end the tip of an arrow: they differ in more than their colour.

use drag_solver::{Drag, Point};
use image::{Pixel as _, Rgba, RgbaImage};

const OUTLINE: [u8; 3] = [16, 16, 24];
const LINE: [u8; 3] = [255, 236, 92];
const START: [u8; 3] = [96, 255, 160];
const END: [u8; 3] = [255, 120, 200];

/// How far a point is outside of a shape, in pixels; negative inside.
type Distance = Box<dyn Fn(Point) -> f64>;

/// Draws `drag` into `picture`. Parts of it that are off the picture are left out.
pub(crate) fn draw(picture: &mut RgbaImage, drag: &Drag) {
    // Marks keep their share of the picture at any size, and never vanish.
    let unit = (f64::from(picture.width().min(picture.height())) / 240.0).max(1.5);
    let marks = marks(drag, unit);
    let ends = [
        drag.start,
        drag.end,
        drag.alternative_end.unwrap_or(drag.end),
    ];
    let columns = span(ends.map(|end| end.x), unit * 16.0, picture.width());
    for y in span(ends.map(|end| end.y), unit * 16.0, picture.height()) {
        for x in columns.clone() {
            let point = Point::new(f64::from(x), f64::from(y));
            let pixel = picture.get_pixel_mut(x, y);
            for (distance, _) in &marks {
                blend(pixel, distance(point) - unit, OUTLINE);
            }
            for (distance, colour) in &marks {
                blend(pixel, distance(point), *colour);
            }
        }
    }
}

/// The shapes that make up the drawing, each with the colour of its core.
fn marks(drag: &Drag, unit: f64) -> Vec<(Distance, [u8; 3])> {
    let (start, end) = (drag.start, drag.end);
    let length = drag.length().max(f64::MIN_POSITIVE);
    let towards = Point::new((end.x - start.x) / length, (end.y - start.y) / length);
    let along = |from: Point, distance: f64| {
        Point::new(from.x + towards.x * distance, from.y + towards.y * distance)
    };
    let (radius, width) = (unit * 5.0, unit * 1.8);
    let head_length = (unit * 11.0).min(length * 0.6);
    let mut marks = Vec::new();
    if length > radius + head_length {
        let shaft = line(along(start, radius), along(end, -head_length * 0.7), width);
        marks.push((shaft, LINE));
    }
    if let Some(centre) = drag.alternative_end {
        marks.push((ring(centre, unit * 3.0, unit), END));
    }
    marks.push((ring(start, radius, width), START));
    marks.push((head(end, towards, head_length), END));
    marks
}

fn line(from: Point, to: Point, width: f64) -> Distance {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    Box::new(move |p| {
        let along = ((p.x - from.x) * dx + (p.y - from.y) * dy) / (dx * dx + dy * dy);
        let share = along.clamp(0.0, 1.0);
        p.distance(Point::new(from.x + dx * share, from.y + dy * share)) - width / 2.0
    })
}

fn ring(centre: Point, radius: f64, width: f64) -> Distance {
    Box::new(move |p| (p.distance(centre) - radius).abs() - width / 2.0)
}

/// A triangle as long as it is wide, with its tip where the drag ends.
fn head(tip: Point, towards: Point, length: f64) -> Distance {
    Box::new(move |p| {
        // Behind the tip, and to the side of the axis; both sides look alike.
        let (dx, dy) = (p.x - tip.x, p.y - tip.y);
        let behind = -(dx * towards.x + dy * towards.y);
        let aside = (dx * towards.y - dy * towards.x).abs();
        // The slanted side has the slope 1:2, so its unit normal is (2, -1) / sqrt(5).
        let slant = (2.0 * aside - behind) / 5.0_f64.sqrt();
        slant.max(behind - length)
    })
}

/// Covers a pixel that is so far `outside` of a shape, with soft edges.
fn blend(pixel: &mut Rgba<u8>, outside: f64, [red, green, blue]: [u8; 3]) {
    let alpha = whole((0.5 - outside).clamp(0.0, 1.0) * 255.0);
    if alpha > 0 {
        let opaque = pixel.0[3];
        pixel.blend(&Rgba([
            red,
            green,
            blue,
            alpha.try_into().unwrap_or(u8::MAX),
        ]));
        // Rounding must not make it more transparent.
        pixel.0[3] = pixel.0[3].max(opaque);
    }
}

/// The pixels of one axis that are within `reach` of the drag, as far as there are any.
fn span(ends: [f64; 3], reach: f64, size: u32) -> std::ops::Range<u32> {
    let first = ends.into_iter().fold(f64::INFINITY, f64::min) - reach;
    let last = ends.into_iter().fold(f64::NEG_INFINITY, f64::max) + reach;
    whole(first.floor())..whole(last.ceil()).saturating_add(1).min(size)
}

/// `number` as an integer: negative ones and NaN become 0.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // `as` saturates, as wanted here
fn whole(number: f64) -> u32 {
    number as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canvas(level: u8) -> RgbaImage {
        RgbaImage::from_pixel(300, 600, Rgba([level, level, level, 255]))
    }

    fn drag() -> Drag {
        Drag::new(Point::new(60.0, 500.0), Point::new(240.0, 500.0))
    }

    fn luma(picture: &RgbaImage, x: u32, y: u32) -> u8 {
        picture.get_pixel(x, y).to_luma().0[0]
    }

    #[test]
    fn it_shows_on_light_and_on_dark() {
        for ground in [0, 16, 128, 240, 255] {
            let mut picture = canvas(ground);
            draw(&mut picture, &drag());
            let column: Vec<u8> = (480..520).map(|y| luma(&picture, 150, y)).collect();
            let (darkest, lightest) = (column.iter().min().unwrap(), column.iter().max().unwrap());
            assert!(*darkest < 40 && *lightest > 200, "on {ground}: {column:?}");
        }
    }

    #[test]
    fn the_picture_stays_as_opaque_as_it_was() {
        for alpha in [255, 128, 0] {
            let mut picture = RgbaImage::from_pixel(300, 600, Rgba([9, 99, 199, alpha]));
            draw(&mut picture, &drag());
            assert!(picture.pixels().all(|pixel| pixel.0[3] >= alpha), "{alpha}");
        }
    }

    #[test]
    fn start_and_end_are_marked_differently() {
        let mut picture = canvas(255);
        draw(&mut picture, &drag());
        let colour = |x, y| picture.get_pixel(x, y).to_rgb().0;
        assert_eq!(
            colour(60, 500),
            [255; 3],
            "the ring leaves the start itself visible"
        );
        assert_eq!(colour(60, 507), START);
        assert_eq!(colour(236, 500), END);
        assert_eq!(colour(250, 500), [255; 3], "nothing is drawn past the tip");
    }

    #[test]
    fn nothing_else_is_touched() {
        let mut picture = canvas(77);
        draw(&mut picture, &drag());
        let far = |y: u32| !(470..530).contains(&y);
        assert!(
            picture
                .enumerate_pixels()
                .all(|(_, y, pixel)| !far(y) || pixel.0 == [77, 77, 77, 255])
        );
    }

    #[test]
    fn an_alternative_end_is_marked_too() {
        let (mut with, mut without) = (canvas(255), canvas(255));
        draw(&mut without, &drag());
        draw(
            &mut with,
            &drag().with_alternative_end(Point::new(200.0, 100.0)),
        );
        assert_ne!(with.get_pixel(204, 100), without.get_pixel(204, 100));
    }

    #[test]
    fn points_that_no_picture_has_do_no_harm() {
        let odd = [
            0.0,
            -1e300,
            1e300,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ];
        for x in odd {
            for y in odd {
                let mut picture = RgbaImage::new(3, 1);
                let point = Point::new(x, y);
                let drag = Drag::new(Point::new(1.0, 0.0), point).with_alternative_end(point);
                draw(&mut picture, &drag);
                draw(&mut picture, &Drag::new(point, point));
            }
        }
    }

    #[test]
    fn a_drag_shorter_than_its_marks_is_still_drawn() {
        let mut picture = canvas(255);
        let short = Drag::new(Point::new(100.0, 100.0), Point::new(103.0, 100.0));
        draw(&mut picture, &short);
        assert!(picture.pixels().any(|pixel| pixel.0[..3] == START));
    }
}
