//! Where everything goes, by seed and size.

use super::seeded::Seeded;
use super::shapes::{Jigsaw, Side};

/// Size of the card in units of its own; the unit is chosen so that the card fits the picture.
const CARD: (f64, f64) = (340.0, 304.0);
/// The picture on the card: width and height, and the distance of its top from the card's.
const PICTURE: (f64, f64, f64) = (308.0, 184.0, 46.0);
/// Side of the piece's body.
const PIECE: f64 = 48.0;

/// The places that matter, in pixels of the whole picture.
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    /// Pixels to a unit of the card.
    pub(super) unit: f64,
    /// Pixels to a unit of the screen behind the card: about a 360th of a phone's width.
    pub(super) screen_unit: f64,
    /// Centre and size of the card.
    pub(super) card: ((f64, f64), (f64, f64)),
    /// Centre and size of the picture on the card.
    pub(super) picture: ((f64, f64), (f64, f64)),
    pub(super) jigsaw: Jigsaw,
    /// Centre of the piece, in whole pixels.
    pub(super) piece: (f64, f64),
    /// Centre of the gap, in whole pixels; as high as the piece's.
    pub(super) gap: (f64, f64),
    /// How high the slider's track is; the handle is under the piece.
    pub(super) track_y: f64,
}

impl Layout {
    pub(super) fn new(seeded: &mut Seeded, width: u32, height: u32) -> Self {
        let (width, height) = (f64::from(width), f64::from(height));
        let unit = (width * 0.94 / CARD.0).min(height * 0.86 / CARD.1);
        let card_size = (CARD.0 * unit, CARD.1 * unit);
        let free_height = height - card_size.1;
        let card = (
            (
                width / 2.0,
                height / 2.0 + free_height * seeded.between(-0.06, 0.06),
            ),
            card_size,
        );
        let card_top = card.0.1 - card_size.1 / 2.0;
        let picture_size = (PICTURE.0 * unit, PICTURE.1 * unit);
        let picture = (
            (card.0.0, card_top + PICTURE.2 * unit + picture_size.1 / 2.0),
            picture_size,
        );
        let left = picture.0.0 - picture_size.0 / 2.0;
        let y = (picture.0.1 + picture_size.1 * seeded.between(-0.22, 0.22)).round();
        let piece_x = (left + PIECE * 0.85 * unit).round();
        let gap_x = (left + picture_size.0 * seeded.between(0.46, 0.85)).round();
        Self {
            width,
            height,
            unit,
            screen_unit: width.min(height) / 360.0,
            card,
            picture,
            jigsaw: Jigsaw {
                size: PIECE * unit,
                sides: sides(seeded),
            },
            piece: (piece_x, y),
            gap: (gap_x, y),
            track_y: card_top + 267.0 * unit,
        }
    }
}

/// Two knobs, so that every piece is clearly a jigsaw piece; the rest by chance.
fn sides(seeded: &mut Seeded) -> [Side; 4] {
    let other = |seeded: &mut Seeded| {
        if seeded.coin() {
            Side::Socket
        } else {
            Side::Flat
        }
    };
    let (a, b) = (other(seeded), other(seeded));
    *seeded.pick(&[
        [Side::Knob, Side::Knob, a, b],
        [a, Side::Knob, Side::Knob, b],
        [Side::Knob, a, Side::Knob, b],
        [Side::Knob, Side::Knob, b, a],
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_fits_whatever_the_size_and_seed() {
        let sizes = [
            (64, 64),
            (64, 32_767),
            (32_767, 64),
            (591, 1149),
            (2400, 1080),
            (32_767, 32_767),
        ];
        for (width, height) in sizes {
            for seed in 0..500 {
                let it = Layout::new(&mut Seeded::new(seed), width, height);
                let label = format!("{width}x{height}, seed {seed}");
                let reach = it.jigsaw.reach();
                let ((cx, cy), (w, h)) = it.picture;
                for (x, y) in [it.piece, it.gap] {
                    // Rounding to whole pixels moves them by half a pixel at most.
                    assert!(x - reach > cx - w / 2.0 - 1.0, "{label}");
                    assert!(x + reach < cx + w / 2.0 + 1.0, "{label}");
                    assert!(y - reach > cy - h / 2.0 - 1.0, "{label}");
                    assert!(y + reach < cy + h / 2.0 + 1.0, "{label}");
                }
                assert!(it.gap.0 - it.piece.0 > 1.5 * it.jigsaw.size, "{label}");
                let ((x, y), (w, h)) = it.card;
                assert!(x - w / 2.0 >= 0.0 && x + w / 2.0 <= it.width, "{label}");
                assert!(y - h / 2.0 >= 0.0 && y + h / 2.0 <= it.height, "{label}");
                assert!(it.track_y < y + h / 2.0, "{label}");
            }
        }
    }
}
