//! How many calls have ended after how long.

use std::fmt::Write as _;

use super::frame::{Axis, COLOURS, frame, short, thinned};
use crate::figures::float;
use crate::report::Report;

/// A curve of each solver: the share of its calls that ended, right, wrong or failed, within so many seconds.
pub(crate) fn latency(report: &Report) -> String {
    let seconds = |solver: usize| {
        let own = report.calls.iter().filter(|call| call.solver == solver);
        let measured = own.filter(|call| call.is_measured());
        let mut seconds: Vec<f64> = measured
            .filter_map(|call| Some(call.took?.as_secs_f64()))
            .collect();
        seconds.sort_by(f64::total_cmp);
        seconds
    };
    let curves: Vec<Vec<f64>> = (0..report.solvers.len()).map(seconds).collect();
    let longest = curves
        .iter()
        .filter_map(|curve| curve.last())
        .copied()
        .fold(0.0, f64::max);
    let x = Axis {
        range: (0.0, if longest > 0.0 { longest } else { 1.0 }),
        pixels: (74.0, 630.0),
    };
    let y = Axis {
        range: (0.0, 1.0),
        pixels: (270.0, 12.0),
    };
    let ticks = x.ticks();
    let seconds = |tick| short(tick, &ticks);
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let mut svg = frame("latency", (&x, seconds, "seconds"), (&y, percent));
    // Writing to a String cannot fail.
    for (solver, curve) in curves
        .iter()
        .enumerate()
        .filter(|(_, curve)| !curve.is_empty())
    {
        let count = float(curve.len() as u64);
        let mut path = format!("M{:.1} {:.1}", x.at(0.0), y.at(0.0));
        let steps: Vec<(usize, f64)> = curve.iter().copied().enumerate().collect();
        let last = steps.last().copied();
        for (index, seconds) in thinned(steps).into_iter().chain(last) {
            let _ = write!(
                path,
                "H{:.1}V{:.1}",
                x.at(seconds),
                y.at(float(index as u64 + 1) / count)
            );
        }
        let _ = writeln!(
            svg,
            "<path class=\"curve l{}\" d=\"{path}\"/>",
            solver % COLOURS
        );
    }
    svg + "</svg>"
}
