//! What is drawn: a phone's screen, dimmed, and on it a card with the puzzle.

use drag_solver_core::Seeded;

use super::canvas::{BLACK, Rgb, Row, WHITE, coverage, rounded};
use super::landscape::landscape;
use super::layout::{CARD, Layout, PICTURE, SLIDER_Y};

/// Colours of an application: its page, blocks on the page, text, and what is to be touched.
#[allow(clippy::unreadable_literal)] // as colours are written
const THEMES: [[u32; 4]; 4] = [
    [0xf5f6f8, 0xdde1e7, 0x2b2f36, 0xfe2c55],
    [0xfaf7f2, 0xe6ddd0, 0x3a332b, 0x1f8fff],
    [0x1c1f26, 0x333843, 0xd5d9e0, 0x00b67a],
    [0xeef4f1, 0xd3e0d9, 0x24332c, 0xff8a00],
];

/// What lies behind the card is seen through this much black.
const DIM: f64 = 0.5;

/// Paints one row of the picture. The seed says what is random, the same for each row.
pub(super) fn draw_row(row: &mut Row<'_>, seeded: &mut Seeded, layout: &Layout) {
    let [page, block, ink, accent] = seeded.pick(&THEMES).map(Rgb::hex);
    let dimmed = [page, block, ink].map(|color| color.mix(BLACK, DIM));
    draw_page(row, seeded, layout, dimmed);
    draw_card(row, layout, accent);
    draw_puzzle(row, seeded, layout);
}

/// The time, the battery, and a list of entries: a picture and two lines each.
fn draw_page(row: &mut Row<'_>, seeded: &mut Seeded, layout: &Layout, colors: [Rgb; 3]) {
    let ([page, block, ink], (width, height)) = (colors, layout.size);
    row.paint((width / 2.0, height / 2.0), layout.size, |_, _| (page, 1.0));
    let unit = layout.screen_unit;
    row.measure_from((0.0, 0.0), unit);
    row.text((44.0, 20.0), 11.0, "9:41", ink);
    let right = width / unit - 20.0;
    row.rounded((right - 14.0, 20.0), (24.0, 11.0), 3.0, ink);
    row.rounded((right - 0.5, 20.0), (2.0, 5.0), 1.0, ink);

    let mut draw = |left: f64, y: f64, width: f64, height: f64| {
        row.rounded((left + width / 2.0, y), (width, height), 12.0, block);
    };
    draw(16.0, 58.0, 120.0, 16.0);
    draw(300.0, 58.0, 44.0, 16.0);
    // Taller screens than any phone's stay empty below.
    let entries = (2..14).map(|entry| f64::from(entry) * 76.0);
    for y in entries.take_while(|y| y * unit < height) {
        draw(16.0, y, 56.0, 56.0);
        draw(88.0, y - 14.0, seeded.between(120.0, 250.0), 13.0);
        draw(88.0, y + 12.0, seeded.between(70.0, 200.0), 13.0);
    }
}

/// The card, its title, and the slider: a track, arrows that say which way, a handle under the piece.
fn draw_card(row: &mut Row<'_>, layout: &Layout, accent: Rgb) {
    row.measure_from(layout.card_top, layout.unit);
    row.rounded((0.0, CARD.1 / 2.0), CARD, 14.0, WHITE);
    let title = "DRAG THE PIECE INTO THE GAP";
    row.text((0.0, 24.0), 10.5, title, Rgb::hex(0x22_262c));
    let track = Rgb::hex(0xe9_ecf0);
    row.rounded((0.0, SLIDER_Y), (PICTURE.0, 40.0), 20.0, track);
    row.text((20.0, SLIDER_Y), 11.0, "> > >", Rgb::hex(0xb0_b8c4));
    row.measure_from((layout.piece.0, layout.card_top.1), layout.unit);
    row.rounded((0.0, SLIDER_Y), (56.0, 44.0), 22.0, accent);
    row.text((0.0, SLIDER_Y), 21.0, "→", WHITE);
}

/// The landscape, the gap in it, and the piece, which shows what is missing from the gap.
fn draw_puzzle(row: &mut Row<'_>, seeded: &mut Seeded, layout: &Layout) {
    let (unit, jigsaw) = (layout.unit, layout.jigsaw);
    let size = (PICTURE.0 * unit, PICTURE.1 * unit);
    let landscape = landscape(seeded, size);
    row.paint(layout.picture, size, |x, y| {
        let edge = rounded(x, y, size, 8.0 * unit);
        (landscape(x, y), coverage(edge))
    });

    let thickness = (1.8 * unit).max(1.0);
    let outline = |distance: f64| coverage(distance.abs() - thickness / 2.0);
    // With its outline and its shadow.
    let size = 2.0 * jigsaw.reach() + 6.0 * unit;
    row.paint(layout.gap, (size, size), |x, y| {
        let distance = jigsaw.distance(x, y);
        let (hole, edge) = (coverage(distance) * 0.62, outline(distance));
        (BLACK.mix(WHITE, edge), hole.max(edge * 0.95))
    });

    let dx = layout.gap.0 - layout.picture.0;
    let dy = layout.gap.1 - layout.picture.1;
    row.paint(layout.piece, (size, size), |x, y| {
        let distance = jigsaw.distance(x, y);
        let body = coverage(distance - thickness / 2.0);
        let shadow = jigsaw.distance(x - 1.2 * unit, y - 2.0 * unit) - thickness / 2.0;
        let color = landscape(x + dx, y + dy).mix(WHITE, outline(distance));
        (BLACK.mix(color, body), body.max(coverage(shadow) * 0.4))
    });
}
