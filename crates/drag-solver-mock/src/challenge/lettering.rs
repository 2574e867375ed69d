//! The few letters the pictures need, as strokes: legible at any size.

use super::shapes::segment;

/// Strokes on a grid 4 wide and 6 high, origin top left.
type Glyph = &'static [&'static [(f64, f64)]];

/// From one letter's left edge to the next one's, in grid units.
const ADVANCE: f64 = 6.0;

const A: Glyph = &[
    &[(0.0, 6.0), (2.0, 0.0), (4.0, 6.0)],
    &[(0.7, 4.0), (3.3, 4.0)],
];
const C: Glyph = &[&[
    (4.0, 1.0),
    (3.0, 0.0),
    (1.0, 0.0),
    (0.0, 1.0),
    (0.0, 5.0),
    (1.0, 6.0),
    (3.0, 6.0),
    (4.0, 5.0),
]];
const D: Glyph = &[&[
    (0.0, 0.0),
    (2.5, 0.0),
    (4.0, 1.5),
    (4.0, 4.5),
    (2.5, 6.0),
    (0.0, 6.0),
    (0.0, 0.0),
]];
const E: Glyph = &[
    &[(4.0, 0.0), (0.0, 0.0), (0.0, 6.0), (4.0, 6.0)],
    &[(0.0, 3.0), (3.2, 3.0)],
];
const G: Glyph = &[&[
    (4.0, 1.0),
    (3.0, 0.0),
    (1.0, 0.0),
    (0.0, 1.0),
    (0.0, 5.0),
    (1.0, 6.0),
    (3.0, 6.0),
    (4.0, 5.0),
    (4.0, 3.2),
    (2.4, 3.2),
]];
const H: Glyph = &[
    &[(0.0, 0.0), (0.0, 6.0)],
    &[(4.0, 0.0), (4.0, 6.0)],
    &[(0.0, 3.0), (4.0, 3.0)],
];
const I: Glyph = &[
    &[(0.7, 0.0), (3.3, 0.0)],
    &[(2.0, 0.0), (2.0, 6.0)],
    &[(0.7, 6.0), (3.3, 6.0)],
];
const N: Glyph = &[&[(0.0, 6.0), (0.0, 0.0), (4.0, 6.0), (4.0, 0.0)]];
const O: Glyph = &[&[
    (1.0, 0.0),
    (3.0, 0.0),
    (4.0, 1.0),
    (4.0, 5.0),
    (3.0, 6.0),
    (1.0, 6.0),
    (0.0, 5.0),
    (0.0, 1.0),
    (1.0, 0.0),
]];
const P: Glyph = &[&[
    (0.0, 6.0),
    (0.0, 0.0),
    (3.0, 0.0),
    (4.0, 1.0),
    (4.0, 2.3),
    (3.0, 3.3),
    (0.0, 3.3),
]];
const R: Glyph = &[
    &[
        (0.0, 6.0),
        (0.0, 0.0),
        (3.0, 0.0),
        (4.0, 1.0),
        (4.0, 2.3),
        (3.0, 3.3),
        (0.0, 3.3),
    ],
    &[(1.9, 3.3), (4.0, 6.0)],
];
const T: Glyph = &[&[(0.0, 0.0), (4.0, 0.0)], &[(2.0, 0.0), (2.0, 6.0)]];
const ONE: Glyph = &[&[(0.9, 1.2), (2.2, 0.0), (2.2, 6.0)]];
const FOUR: Glyph = &[&[(3.0, 6.0), (3.0, 0.0), (0.0, 4.2), (4.0, 4.2)]];
const NINE: Glyph = &[&[
    (4.0, 2.6),
    (3.0, 3.4),
    (1.0, 3.4),
    (0.0, 2.4),
    (0.0, 1.0),
    (1.0, 0.0),
    (3.0, 0.0),
    (4.0, 1.0),
    (4.0, 4.0),
    (2.4, 6.0),
]];
const COLON: Glyph = &[&[(2.0, 2.0), (2.0, 2.1)], &[(2.0, 4.6), (2.0, 4.7)]];

fn glyph(letter: u8) -> Glyph {
    match letter {
        b'A' => A,
        b'C' => C,
        b'D' => D,
        b'E' => E,
        b'G' => G,
        b'H' => H,
        b'I' => I,
        b'N' => N,
        b'O' => O,
        b'P' => P,
        b'R' => R,
        b'T' => T,
        b'1' => ONE,
        b'4' => FOUR,
        b'9' => NINE,
        b':' => COLON,
        _ => &[],
    }
}

/// One line of text, its top left corner at the origin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) text: &'static str,
    /// Height of the letters in pixels.
    pub(super) height: f64,
}

impl Line {
    pub(super) fn width(&self) -> f64 {
        let letters = self.text.bytes().fold(0.0, |sum, _| sum + 1.0);
        (letters * ADVANCE - (ADVANCE - 4.0)) * self.height / 6.0
    }

    /// Distance from the middle of the nearest stroke near `x`, `y`; huge where there is none.
    pub(super) fn distance(&self, x: f64, y: f64) -> f64 {
        let scale = self.height / 6.0;
        let (gx, gy) = (x / scale, y / scale);
        // The letter whose cell this is, with half the space on either side of it.
        let cell = ((gx + 1.0) / ADVANCE).floor();
        if cell < 0.0 {
            return f64::MAX;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // not negative
        let Some(&letter) = self.text.as_bytes().get(cell as usize) else {
            return f64::MAX;
        };
        let gx = gx - cell * ADVANCE;
        glyph(letter)
            .iter()
            .flat_map(|stroke| stroke.windows(2))
            .map(|ends| segment(gx, gy, ends[0], ends[1]) * scale)
            .fold(f64::MAX, f64::min)
    }
}
