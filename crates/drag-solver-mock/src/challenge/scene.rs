//! What is drawn: a phone's screen, dimmed, and on it a card with the puzzle.

use std::rc::Rc;

use super::canvas::Canvas;
use super::color::{BLACK, Rgb, WHITE};
use super::landscape::Landscape;
use super::layout::Layout;
use super::lettering::Line;
use super::seeded::Seeded;
use super::shapes::{self, coverage, outline};

/// Colours of an application.
struct Theme {
    page: Rgb,
    block: Rgb,
    ink: Rgb,
    accent: Rgb,
}

const THEMES: [Theme; 4] = [
    Theme {
        page: Rgb::new(0xf5, 0xf6, 0xf8),
        block: Rgb::new(0xdd, 0xe1, 0xe7),
        ink: Rgb::new(0x2b, 0x2f, 0x36),
        accent: Rgb::new(0xfe, 0x2c, 0x55),
    },
    Theme {
        page: Rgb::new(0xfa, 0xf7, 0xf2),
        block: Rgb::new(0xe6, 0xdd, 0xd0),
        ink: Rgb::new(0x3a, 0x33, 0x2b),
        accent: Rgb::new(0x1f, 0x8f, 0xff),
    },
    Theme {
        page: Rgb::new(0x1c, 0x1f, 0x26),
        block: Rgb::new(0x33, 0x38, 0x43),
        ink: Rgb::new(0xd5, 0xd9, 0xe0),
        accent: Rgb::new(0x00, 0xb6, 0x7a),
    },
    Theme {
        page: Rgb::new(0xee, 0xf4, 0xf1),
        block: Rgb::new(0xd3, 0xe0, 0xd9),
        ink: Rgb::new(0x24, 0x33, 0x2c),
        accent: Rgb::new(0xff, 0x8a, 0x00),
    },
];

/// What lies behind the card is seen through this much black.
const DIM: f64 = 0.5;

pub(super) fn draw(seeded: &mut Seeded, layout: &Layout) -> Canvas {
    let theme = seeded.pick(&THEMES);
    let mut canvas = Canvas::new(theme.page.mix(BLACK, DIM));
    draw_page(&mut canvas, seeded, layout, theme);
    draw_status_bar(&mut canvas, layout, theme);

    let (centre, size) = layout.card;
    canvas.rounded(centre, size, 14.0 * layout.unit, WHITE);
    draw_title(&mut canvas, layout);
    draw_puzzle(&mut canvas, seeded, layout);
    draw_slider(&mut canvas, layout, theme);
    canvas
}

/// A list of entries: a picture and two lines each.
fn draw_page(canvas: &mut Canvas, seeded: &mut Seeded, layout: &Layout, theme: &Theme) {
    let unit = layout.screen_unit;
    let block = theme.block.mix(BLACK, DIM);
    let line = |canvas: &mut Canvas, left: f64, y: f64, width: f64, thickness: f64| {
        let centre = ((left + width / 2.0) * unit, y * unit);
        let size = (width * unit, thickness * unit);
        canvas.rounded(centre, size, size.1 / 2.0, block);
    };
    line(canvas, 16.0, 58.0, 120.0, 16.0);
    line(canvas, 300.0, 58.0, 44.0, 16.0);
    // Taller screens than any phone's stay empty below.
    let entries = (2..14).map(|entry| f64::from(entry) * 76.0);
    for y in entries.take_while(|y| y * unit < layout.height) {
        let avatar = (44.0 * unit, y * unit);
        canvas.rounded(avatar, (56.0 * unit, 56.0 * unit), 12.0 * unit, block);
        line(canvas, 88.0, y - 14.0, seeded.between(120.0, 250.0), 13.0);
        line(canvas, 88.0, y + 12.0, seeded.between(70.0, 200.0), 13.0);
    }
}

/// The time, the signal and the battery.
fn draw_status_bar(canvas: &mut Canvas, layout: &Layout, theme: &Theme) {
    let unit = layout.screen_unit;
    let ink = theme.ink.mix(BLACK, DIM * 0.6);
    let y = 20.0 * unit;
    let clock = Line {
        text: "9:41",
        height: 11.0 * unit,
    };
    write(canvas, (24.0 * unit + clock.width() / 2.0, y), clock, ink);

    let right = layout.width - 20.0 * unit;
    for bar in 0..4 {
        let height = (4.0 + 2.4 * f64::from(bar)) * unit;
        let x = right - (56.0 - 5.0 * f64::from(bar)) * unit;
        let centre = (x, y + 5.6 * unit - height / 2.0);
        canvas.rounded(centre, (3.4 * unit, height), unit, ink);
    }
    let battery = (24.0 * unit, 11.0 * unit);
    let reach = (14.0 * unit, 8.0 * unit);
    canvas.paint((right - 14.0 * unit, y), reach, move |x, y| {
        let body = shapes::rounded(x, y, battery.0, battery.1, 3.0 * unit);
        let charge = shapes::rounded(x + 2.5 * unit, y, 14.0 * unit, 6.0 * unit, unit);
        (ink, coverage(outline(body, 1.4 * unit).min(charge)))
    });
}

fn draw_title(canvas: &mut Canvas, layout: &Layout) {
    let (centre, size) = layout.card;
    let line = Line {
        text: "DRAG THE PIECE INTO THE GAP",
        height: 10.5 * layout.unit,
    };
    let at = (centre.0, centre.1 - size.1 / 2.0 + 24.0 * layout.unit);
    write(canvas, at, line, Rgb::new(0x22, 0x26, 0x2c));
}

fn write(canvas: &mut Canvas, centre: (f64, f64), line: Line, ink: Rgb) {
    let (width, height) = (line.width(), line.height);
    let thickness = (height * 0.17).max(0.8);
    let reach = (width / 2.0 + thickness, height / 2.0 + thickness);
    canvas.paint(centre, reach, move |x, y| {
        let distance = line.distance(x + width / 2.0, y + height / 2.0);
        (ink, coverage(distance - thickness / 2.0))
    });
}

fn draw_puzzle(canvas: &mut Canvas, seeded: &mut Seeded, layout: &Layout) {
    let (unit, jigsaw) = (layout.unit, layout.jigsaw);
    let (centre, (width, height)) = layout.picture;
    let landscape = Rc::new(Landscape::new(seeded, width, height));

    let view = Rc::clone(&landscape);
    canvas.paint(centre, (width / 2.0 + 1.0, height / 2.0 + 1.0), {
        move |x, y| {
            let edge = shapes::rounded(x, y, width, height, 8.0 * unit);
            let color = view.color(x + width / 2.0, y + height / 2.0);
            (color, coverage(edge))
        }
    });

    let line = (1.8 * unit).max(1.0);
    let reach = (jigsaw.reach() + 3.0 * unit, jigsaw.reach() + 3.0 * unit);
    canvas.paint(layout.gap, reach, move |x, y| {
        let distance = jigsaw.distance(x, y);
        let edge = coverage(outline(distance, line));
        let hole = coverage(distance) * 0.62;
        (BLACK.mix(WHITE, edge), hole.max(edge * 0.95))
    });

    // The piece shows what is missing from the gap.
    let missing = (
        layout.gap.0 - (centre.0 - width / 2.0),
        layout.gap.1 - (centre.1 - height / 2.0),
    );
    canvas.paint(layout.piece, reach, move |x, y| {
        let distance = jigsaw.distance(x, y);
        let shadow = jigsaw.distance(x - 1.2 * unit, y - 2.0 * unit);
        let body = coverage(distance - line / 2.0);
        let color = landscape
            .color(missing.0 + x, missing.1 + y)
            .mix(WHITE, coverage(outline(distance, line)));
        let shade = coverage(shadow - line / 2.0) * 0.4;
        (BLACK.mix(color, body), body.max(shade))
    });
}

/// The track, arrows that say which way, and the handle under the piece.
fn draw_slider(canvas: &mut Canvas, layout: &Layout, theme: &Theme) {
    let unit = layout.unit;
    let (centre, (width, _)) = layout.picture;
    let track = (centre.0, layout.track_y);
    canvas.rounded(
        track,
        (width, 40.0 * unit),
        20.0 * unit,
        Rgb::new(0xe9, 0xec, 0xf0),
    );

    let thickness = (2.4 * unit).max(1.0);
    for arrow in 0..3 {
        let x = centre.0 + (f64::from(arrow) - 1.0) * 22.0 * unit + 20.0 * unit;
        let faint =
            Rgb::new(0xa4, 0xac, 0xb8).mix(Rgb::new(0xc9, 0xce, 0xd6), f64::from(arrow) / 2.0);
        let reach = (8.0 * unit + 1.0, 8.0 * unit + 1.0);
        canvas.paint((x, layout.track_y), reach, move |x, y| {
            let tip = (4.0 * unit, 0.0);
            let upper = shapes::segment(x, y, (-2.0 * unit, -6.0 * unit), tip);
            let lower = shapes::segment(x, y, (-2.0 * unit, 6.0 * unit), tip);
            (faint, coverage(upper.min(lower) - thickness / 2.0))
        });
    }

    let handle = (layout.piece.0, layout.track_y);
    let size = (56.0 * unit, 44.0 * unit);
    canvas.rounded(handle, size, 22.0 * unit, theme.accent);
    canvas.paint(handle, (size.0 / 2.0, size.1 / 2.0), move |x, y| {
        let tip = (10.0 * unit, 0.0);
        let shaft = shapes::segment(x, y, (-10.0 * unit, 0.0), tip);
        let upper = shapes::segment(x, y, (3.0 * unit, -7.0 * unit), tip);
        let lower = shapes::segment(x, y, (3.0 * unit, 7.0 * unit), tip);
        let arrow = shaft.min(upper).min(lower) - (1.6 * unit).max(0.6);
        (WHITE, coverage(arrow))
    });
}
