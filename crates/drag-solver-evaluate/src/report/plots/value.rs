//! How often right, for how much money.

use std::fmt::Write as _;

use super::frame::{Axis, COLOURS, frame, short};
use crate::figures::Estimate;
use crate::report::Report;
use crate::report::html::escaped;

/// Every solver with a known price, with the intervals of both figures; a line joins those that no other beats. The proposed chain
/// is a ring. `None` if no price is known.
pub(crate) fn value(report: &Report) -> Option<String> {
    let known = |one: &crate::figures::SolverFigures| {
        Some((one.usd_per_right?, one.share_right?, one.on_front))
    };
    let solvers: Vec<(usize, Estimate, Estimate, bool)> = report
        .solvers
        .iter()
        .enumerate()
        .filter_map(|(solver, one)| {
            known(one).map(|(usd, share, front)| (solver, usd, share, front))
        })
        .collect();
    let proposed = report.proposal.as_ref().and_then(|proposal| {
        let chosen = proposal.chosen()?;
        Some((chosen.usd_per_right?, chosen.share_right))
    });
    if solvers.is_empty() {
        return None;
    }
    let finite = |value: f64, otherwise: f64| if value.is_finite() { value } else { otherwise };
    let highs = solvers
        .iter()
        .map(|(_, usd, ..)| finite(usd.high, usd.value));
    let dearest = highs
        .chain(proposed.map(|(usd, _)| usd))
        .fold(0.0, f64::max);
    let lows = solvers.iter().map(|(_, _, share, _)| share.low);
    let lowest = lows
        .chain(proposed.map(|(_, share)| share))
        .fold(1.0, f64::min);
    let x = Axis {
        range: (0.0, if dearest > 0.0 { dearest * 1.1 } else { 0.001 }),
        pixels: (86.0, 596.0),
    };
    let y = Axis {
        range: ((lowest - 0.02).max(0.0), 1.0),
        pixels: (270.0, 16.0),
    };
    let (columns, rows) = (x.ticks(), y.ticks().into_iter());
    let rows: Vec<f64> = rows.map(|share| share * 100.0).collect();
    let money = |usd| format!("${}", short(usd, &columns));
    let percent = |share: f64| format!("{} %", short(share * 100.0, &rows));
    let below = (&x, money, "US dollars a right answer");
    let mut svg = frame("cost and accuracy", below, (&y, percent));
    // Writing to a String cannot fail.
    let mut front: Vec<(f64, f64)> = solvers
        .iter()
        .filter(|(.., on_front)| *on_front)
        .map(|(_, usd, share, _)| (x.at(usd.value), y.at(share.value)))
        .collect();
    front.sort_by(|one, other| one.0.total_cmp(&other.0));
    if let [first, rest @ ..] = &front[..] {
        let mut path = format!("M{:.1} 270V{:.1}", first.0, first.1);
        for (at, share) in rest {
            let _ = write!(path, "H{at:.1}V{share:.1}");
        }
        let _ = writeln!(svg, "<path class=\"front\" d=\"{path}H596\"/>");
    }
    for (solver, usd, share, _) in &solvers {
        let colour = solver % COLOURS;
        let (at, right) = (x.at(usd.value), y.at(share.value));
        let high = x.at(finite(usd.high, usd.value));
        let _ = write!(
            svg,
            "<path class=\"l{colour}\" d=\"M{:.1} {right:.1}H{high:.1}M{at:.1} {:.1}V{:.1}\"/><circle class=\"f{colour}\" cx=\"{at:.1}\" cy=\"{right:.1}\" r=\"5\"/>",
            x.at(usd.low),
            y.at(share.low),
            y.at(share.high)
        );
        let name = report.solvers.get(*solver).map_or("", |one| &*one.name);
        let _ = writeln!(svg, "{}", label(name, at, right + 18.0));
    }
    if let Some((usd, share)) = proposed {
        let (at, right) = (x.at(usd), y.at(share));
        let _ = write!(
            svg,
            "<circle class=\"ring\" cx=\"{at:.1}\" cy=\"{right:.1}\" r=\"8\"/>"
        );
        svg += &label("proposed chain", at, (right - 12.0).max(12.0));
    }
    Some(svg + "</svg>")
}

/// A name beside a point, on the side where there is room.
fn label(name: &str, x: f64, y: f64) -> String {
    let (anchor, at) = if x > 380.0 {
        ("end", x - 9.0)
    } else {
        ("start", x + 9.0)
    };
    let short: String = name.chars().take(40).collect();
    format!(
        "<text class=\"name\" x=\"{at:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>",
        escaped(&short)
    )
}
