//! The picture on the card: sky, sun, hills and a lake. Flat colours and one vertical gradient, which
//! compress well.

use super::color::Rgb;
use super::seeded::Seeded;
use super::shapes::{coverage, disc};

struct Palette {
    sky_top: Rgb,
    sky_bottom: Rgb,
    sun: Rgb,
    /// From the farthest to the nearest.
    hills: [Rgb; 3],
}

const PALETTES: [Palette; 4] = [
    Palette {
        sky_top: Rgb::new(0x4a, 0x9b, 0xe0),
        sky_bottom: Rgb::new(0xcf, 0xea, 0xfb),
        sun: Rgb::new(0xff, 0xf3, 0xb0),
        hills: [
            Rgb::new(0x8f, 0xb9, 0xd6),
            Rgb::new(0x5f, 0xa8, 0x6b),
            Rgb::new(0x3d, 0x83, 0x4f),
        ],
    },
    Palette {
        sky_top: Rgb::new(0xf0, 0x7f, 0x5a),
        sky_bottom: Rgb::new(0xff, 0xd9, 0x9a),
        sun: Rgb::new(0xff, 0xf6, 0xd8),
        hills: [
            Rgb::new(0xc9, 0x70, 0x6a),
            Rgb::new(0x8e, 0x4b, 0x64),
            Rgb::new(0x59, 0x34, 0x55),
        ],
    },
    Palette {
        sky_top: Rgb::new(0x6f, 0xc7, 0xc2),
        sky_bottom: Rgb::new(0xe6, 0xf6, 0xdf),
        sun: Rgb::new(0xff, 0xe0, 0x82),
        hills: [
            Rgb::new(0xa7, 0xcf, 0xa8),
            Rgb::new(0xd8, 0xb3, 0x6a),
            Rgb::new(0xb5, 0x84, 0x4a),
        ],
    },
    Palette {
        sky_top: Rgb::new(0x5b, 0x63, 0xb7),
        sky_bottom: Rgb::new(0xd9, 0xb8, 0xe4),
        sun: Rgb::new(0xff, 0xfd, 0xf0),
        hills: [
            Rgb::new(0x8f, 0x8c, 0xc9),
            Rgb::new(0x5f, 0x74, 0xa8),
            Rgb::new(0x3a, 0x54, 0x80),
        ],
    },
];

/// A hill: a parabola. Fractions of the picture's width and height.
#[derive(Clone, Copy)]
struct Hill {
    at: f64,
    half_width: f64,
    height: f64,
}

/// A landscape of a given size, known at every point.
pub(super) struct Landscape {
    width: f64,
    height: f64,
    palette: &'static Palette,
    sun: (f64, f64),
    ranges: [[Hill; 3]; 3],
}

impl Landscape {
    pub(super) fn new(seeded: &mut Seeded, width: f64, height: f64) -> Self {
        let palette = seeded.pick(&PALETTES);
        let sun = (seeded.between(0.15, 0.85), seeded.between(0.14, 0.3));
        let ranges = [0.66, 0.5, 0.3].map(|height| {
            [0.1, 0.5, 0.9].map(|at| Hill {
                at: at + seeded.between(-0.16, 0.16),
                half_width: seeded.between(0.3, 0.5),
                height: height * seeded.between(0.75, 1.05),
            })
        });
        Self {
            width,
            height,
            palette,
            sun,
            ranges,
        }
    }

    /// The colour `x`, `y` pixels from the top left corner.
    pub(super) fn color(&self, x: f64, y: f64) -> Rgb {
        let palette = self.palette;
        let mut color = palette.sky_top.mix(palette.sky_bottom, y / self.height);
        let (sun_x, sun_y) = (x - self.sun.0 * self.width, y - self.sun.1 * self.height);
        let sun = disc(sun_x, sun_y, self.height * 0.09);
        color = color.mix(palette.sun, coverage(sun));
        for (range, hill_color) in self.ranges.iter().zip(palette.hills) {
            let horizon = range
                .iter()
                .map(|hill| {
                    let away = (x / self.width - hill.at) / hill.half_width;
                    hill.height * (1.0 - away * away)
                })
                .fold(0.06, f64::max);
            let above = (1.0 - horizon) * self.height - y;
            color = color.mix(hill_color, coverage(above));
        }
        color
    }
}
