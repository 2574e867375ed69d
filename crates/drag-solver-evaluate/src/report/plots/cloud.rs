//! Where answers land, seen from where they should.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use drag_solver_core::{ImageFormat, Point, Screenshot};

use super::frame::{COLOURS, thinned};
use crate::call::CallOutcome;
use crate::report::Report;

/// How far a start and an end are from their place, of one call.
type Ends = (Point, Point);

fn ends(report: &Report, solver: usize) -> Vec<Ends> {
    let of_call = |call: &crate::Call| {
        let CallOutcome::Answered { drag, .. } = &call.outcome else {
            return None;
        };
        let truth = report.pictures.get(call.picture)?.drag;
        let off = |point: Point, truth: Point| Point::new(point.x - truth.x, point.y - truth.y);
        Some((off(drag.start, truth.start), off(drag.end, truth.end)))
    };
    let own = report.calls.iter().filter(|call| call.solver == solver);
    thinned(own.filter_map(of_call).collect())
}

/// The cloud of one solver: circles are ends, crosses are starts, the ring is the tolerance. What lies further out than four
/// times that is drawn at the edge.
pub(crate) fn cloud(report: &Report, solver: usize) -> String {
    let reach = (report.tolerance_px * 4.0).max(1.0);
    let scale = 100.0 / reach;
    let colour = solver % COLOURS;
    let mut svg = String::from(
        "<svg viewBox=\"-110 -110 220 232\" role=\"img\" aria-label=\"error cloud\">\
         <rect class=\"axis\" x=\"-105\" y=\"-105\" width=\"210\" height=\"210\"/>\
         <path class=\"axis\" d=\"M-105 0H105M0 -105V105\"/>\n",
    );
    let place = |off: f64| {
        if off.is_nan() {
            102.0
        } else {
            (off * scale).clamp(-102.0, 102.0)
        }
    };
    // Writing to a String cannot fail.
    for (start, end) in ends(report, solver) {
        let (x, y) = (place(start.x), place(start.y));
        let _ = write!(
            svg,
            "<path class=\"l{colour}\" stroke-opacity=\".45\" d=\"M{:.1} {y:.1}h4M{x:.1} {:.1}v4\"/>",
            x - 2.0,
            y - 2.0
        );
        let (x, y) = (place(end.x), place(end.y));
        let _ = write!(
            svg,
            "<circle class=\"f{colour}\" fill-opacity=\".45\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2\"/>"
        );
    }
    let _ = write!(
        svg,
        "\n<circle class=\"ring\" r=\"{:.1}\"/><text x=\"-105\" y=\"119\">{reach:.0} px to each side</text></svg>",
        report.tolerance_px * scale
    );
    svg
}

/// All clouds on one picture, around its own true start and end: how large an error is beside the piece.
pub(crate) fn on_picture(
    report: &Report,
    picture: usize,
    screenshot: &Screenshot,
) -> Option<String> {
    let truth = report.pictures.get(picture)?.drag;
    let (width, height) = (
        f64::from(screenshot.width()),
        f64::from(screenshot.height()),
    );
    let format = match screenshot.format() {
        ImageFormat::Png => "png",
        ImageFormat::Jpeg => "jpeg",
        ImageFormat::WebP => "webp",
        ImageFormat::Gif => "gif",
        _ => return None,
    };
    // Points are as large on a small picture as on a phone's, seen on the page.
    let unit = width / 420.0;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"answers on a picture\">\
         <image width=\"{width}\" height=\"{height}\" href=\"data:image/{format};base64,{}\"/>\n",
        STANDARD.encode(screenshot.bytes())
    );
    for solver in 0..report.solvers.len() {
        let colour = solver % COLOURS;
        for (start, end) in ends(report, solver) {
            for (at, off) in [(truth.start, start), (truth.end, end)] {
                let (x, y) = (at.x + off.x, at.y + off.y);
                if (0.0..=width).contains(&x) && (0.0..=height).contains(&y) {
                    let _ = write!(
                        svg,
                        "<circle class=\"f{colour}\" fill-opacity=\".5\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{:.1}\"/>",
                        1.6 * unit
                    );
                }
            }
        }
    }
    for at in [truth.start, truth.end] {
        for class in ["halo", "ring"] {
            let radius = report.tolerance_px;
            let _ = write!(
                svg,
                "<circle class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"{radius}\" stroke-width=\"{:.1}\"/>",
                at.x,
                at.y,
                unit * if class == "halo" { 3.0 } else { 1.2 }
            );
        }
    }
    Some(svg + "</svg>")
}
