//! The few letters the pictures need, as strokes: legible at any size.

use super::canvas::Xy;

/// Height of a letter, in the grid's units. It is 4 wide.
pub(super) const HEIGHT: f64 = 6.0;

/// From one letter's middle to the next one's.
pub(super) const ADVANCE: f64 = 6.0;

/// Strokes on the grid, origin top left: each word is one, and two digits are a point of it.
fn strokes(letter: char) -> &'static str {
    match letter {
        'A' => "062046 1434",
        'C' => "4130100105163645",
        'D' => "00304145360600",
        'E' => "40000646 0333",
        'G' => "41301001051636454323",
        'H' => "0006 4046 0343",
        'I' => "1030 2026 1636",
        'N' => "06004640",
        'O' => "103041453616050110",
        'P' => "06003041423303",
        'R' => "06003041423303 2346",
        'T' => "0040 2026",
        '1' => "112026",
        '4' => "36300444",
        '9' => "423313020110304144351606",
        ':' => "2222 2525",
        '>' => "104316",
        '→' => "0343 214325",
        _ => "",
    }
}

/// The strokes of a letter, from point to point around its middle.
pub(super) fn segments(letter: char) -> Vec<(Xy, Xy)> {
    let from = |digit: u8, middle: f64| f64::from(digit - b'0') - middle;
    let mut segments = Vec::new();
    for stroke in strokes(letter).split(' ') {
        let points = stroke.as_bytes().chunks_exact(2);
        let points = points.map(|digits| (from(digits[0], 2.0), from(digits[1], 3.0)));
        let points: Vec<Xy> = points.collect();
        segments.extend(points.windows(2).map(|ends| (ends[0], ends[1])));
    }
    segments
}
