//! The picture on the card: sky, sun, hills. Flat colours and one vertical gradient, which compress well.

use super::canvas::{Rgb, Xy, coverage, disc};
use super::seeded::Seeded;

/// The sky's top and bottom, the sun, and the hills from the farthest to the nearest.
const PALETTES: [[u32; 6]; 4] = [
    [
        0x4a_9be0, 0xcf_eafb, 0xff_f3b0, 0x8f_b9d6, 0x5f_a86b, 0x3d_834f,
    ],
    [
        0xf0_7f5a, 0xff_d99a, 0xff_f6d8, 0xc9_706a, 0x8e_4b64, 0x59_3455,
    ],
    [
        0x6f_c7c2, 0xe6_f6df, 0xff_e082, 0xa7_cfa8, 0xd8_b36a, 0xb5_844a,
    ],
    [
        0x5b_63b7, 0xd9_b8e4, 0xff_fdf0, 0x8f_8cc9, 0x5f_74a8, 0x3a_5480,
    ],
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
            (
                middle,
                seeded.between(0.3, 0.5),
                height * seeded.between(0.75, 1.05),
            )
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
