//! The picture on the card: sky, sun, hills. Flat colours and one vertical gradient, which compress well.

use drag_solver_core::Seeded;

use super::canvas::{Rgb, Xy, coverage, disc};

/// The sky's top and bottom, the sun, and the hills from the farthest to the nearest.
#[allow(clippy::unreadable_literal)] // as colours are written
const PALETTES: [[u32; 6]; 4] = [
    [0x4a9be0, 0xcfeafb, 0xfff3b0, 0x8fb9d6, 0x5fa86b, 0x3d834f],
    [0xf07f5a, 0xffd99a, 0xfff6d8, 0xc9706a, 0x8e4b64, 0x593455],
    [0x6fc7c2, 0xe6f6df, 0xffe082, 0xa7cfa8, 0xd8b36a, 0xb5844a],
    [0x5b63b7, 0xd9b8e4, 0xfffdf0, 0x8f8cc9, 0x5f74a8, 0x3a5480],
];

/// A landscape of this size: its colour so many pixels from its middle.
pub(super) fn landscape(
    seeded: &mut Seeded,
    (width, height): Xy,
) -> impl Fn(f64, f64) -> Rgb + use<> {
    let [top, bottom, sun_color, hill_colors @ ..] = seeded.pick(&PALETTES).map(Rgb::hex);
    let sun = (seeded.between(0.15, 0.85), seeded.between(0.14, 0.3));
    // Three ranges of three hills, each a parabola: middle, half its width, and height, as fractions
    // of the picture's.
    let ranges = [0.66, 0.5, 0.3].map(|height| {
        [0.1, 0.5, 0.9].map(|middle| {
            let middle = middle + seeded.between(-0.16, 0.16);
            let half_width = seeded.between(0.3, 0.5);
            (middle, half_width, height * seeded.between(0.75, 1.05))
        })
    });
    move |x, y| {
        let (x, y) = (x + width / 2.0, y + height / 2.0);
        let disc = disc(x - sun.0 * width, y - sun.1 * height, height * 0.09);
        let sky = top.mix(bottom, y / height).mix(sun_color, coverage(disc));
        let ranges = ranges.iter().zip(hill_colors);
        ranges.fold(sky, |color, (hills, hill_color)| {
            let tops = hills.iter().map(|(middle, half_width, top)| {
                let away = (x / width - middle) / half_width;
                top * (1.0 - away * away)
            });
            let above = (1.0 - tops.fold(0.06, f64::max)) * height - y;
            color.mix(hill_color, coverage(above))
        })
    }
}
