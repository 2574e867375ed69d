//! Where everything goes, by seed and size.

use drag_solver_core::Seeded;

use super::canvas::Xy;
use super::jigsaw::Jigsaw;

/// Size of the card in units of its own; the unit is chosen so that the card fits the picture.
pub(super) const CARD: Xy = (340.0, 304.0);
/// The picture on the card.
pub(super) const PICTURE: Xy = (308.0, 184.0);
/// How far below the card's top the middles of the picture and of the slider are.
const PICTURE_Y: f64 = 138.0;
pub(super) const SLIDER_Y: f64 = 267.0;
/// Side of the piece's body.
const PIECE: f64 = 48.0;

/// The places that matter, in pixels of the whole picture.
pub(super) struct Layout {
    pub(super) size: Xy,
    /// Pixels to a unit of the card.
    pub(super) unit: f64,
    /// Pixels to a unit of the screen behind the card: about a 360th of a phone's width.
    pub(super) screen_unit: f64,
    /// Middle of the card's upper edge.
    pub(super) card_top: Xy,
    /// Centre of the picture on the card.
    pub(super) picture: Xy,
    pub(super) jigsaw: Jigsaw,
    /// Centre of the piece, in whole pixels. The slider's handle is below it.
    pub(super) piece: Xy,
    /// Centre of the gap, in whole pixels; as high as the piece's.
    pub(super) gap: Xy,
}

impl Layout {
    pub(super) fn new(seeded: &mut Seeded, width: u32, height: u32) -> Self {
        let (width, height) = (f64::from(width), f64::from(height));
        let unit = (width * 0.94 / CARD.0).min(height * 0.86 / CARD.1);
        let free_height = height - CARD.1 * unit;
        let card_top = free_height * (0.5 + seeded.between(-0.06, 0.06));
        let picture_y = card_top + PICTURE_Y * unit;
        let left = (width - PICTURE.0 * unit) / 2.0;
        let y = (picture_y + PICTURE.1 * unit * seeded.between(-0.22, 0.22)).round();
        let gap_x = left + PICTURE.0 * unit * seeded.between(0.46, 0.85);
        Self {
            size: (width, height),
            unit,
            screen_unit: width.min(height) / 360.0,
            card_top: (width / 2.0, card_top),
            picture: (width / 2.0, picture_y),
            jigsaw: Jigsaw::new(seeded, PIECE * unit),
            piece: ((left + PIECE * 0.85 * unit).round(), y),
            gap: (gap_x.round(), y),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_fits_at_any_size_and_seed() {
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
                let (cx, cy) = it.picture;
                let (w, h) = (PICTURE.0 * it.unit / 2.0, PICTURE.1 * it.unit / 2.0);
                for (x, y) in [it.piece, it.gap] {
                    // Rounding to whole pixels moves them by half a pixel at most.
                    assert!(x - reach > cx - w - 1.0, "{label}");
                    assert!(x + reach < cx + w + 1.0, "{label}");
                    assert!(y - reach > cy - h - 1.0, "{label}");
                    assert!(y + reach < cy + h + 1.0, "{label}");
                }
                assert!(it.gap.0 - it.piece.0 > 1.5 * it.jigsaw.size, "{label}");
                let (x, top) = it.card_top;
                let (w, h) = (CARD.0 * it.unit / 2.0, CARD.1 * it.unit);
                assert!(x - w >= 0.0 && x + w <= f64::from(width), "{label}");
                assert!(top >= 0.0 && top + h <= f64::from(height), "{label}");
            }
        }
    }

    #[test]
    fn picture_and_slider_are_on_the_card_and_apart() {
        let (above, below) = (PICTURE_Y - PICTURE.1 / 2.0, PICTURE_Y + PICTURE.1 / 2.0);
        assert!(above > 40.0, "the title fits above");
        assert!(below < SLIDER_Y - 22.0 && SLIDER_Y + 22.0 < CARD.1);
    }
}
