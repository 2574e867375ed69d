//! What plots have in common: axes, colours, and how many points are drawn.

use std::fmt::Write as _;

/// How many colours there are; further solvers begin anew.
pub(in crate::report) const COLOURS: usize = 6;

/// At most so many points of a solver are drawn, evenly taken from all: more make no other cloud, and a large file.
const MAX_POINTS: usize = 500;

/// A point of `range`, mapped onto the `pixels` of a plot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    pub(super) range: (f64, f64),
    pub(super) pixels: (f64, f64),
}

impl Axis {
    pub(super) fn at(&self, value: f64) -> f64 {
        let (low, high) = self.range;
        let span = if high > low { high - low } else { 1.0 };
        let share = ((value - low) / span).clamp(0.0, 1.0);
        self.pixels.0 + share * (self.pixels.1 - self.pixels.0)
    }

    /// Some five round numbers of its range.
    pub(super) fn ticks(&self) -> Vec<f64> {
        let (low, high) = self.range;
        let rough = (high - low) / 5.0;
        if !(rough.is_finite() && rough > 0.0) {
            return vec![low];
        }
        let ten = 10.0_f64.powf(rough.log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * ten);
        let step = steps
            .into_iter()
            .find(|step| *step >= rough)
            .unwrap_or(rough);
        let first = (low / step).ceil();
        (0..12)
            .map(|index| (first + f64::from(index)) * step)
            .take_while(|tick| *tick <= high + step * 1e-6)
            .collect()
    }
}

/// A plot called `name` with an axis below, which counts `what`, and one beside; their ticks are told by `below` and
/// `beside`. Its end is still to be written.
pub(super) fn frame(
    name: &str,
    (x, below, what): (&Axis, impl Fn(f64) -> String, &str),
    (y, beside): (&Axis, impl Fn(f64) -> String),
) -> String {
    let mut svg = format!("<svg viewBox=\"0 0 640 324\" role=\"img\" aria-label=\"{name}\">");
    let ((left, right), (bottom, top)) = (x.pixels, y.pixels);
    // Writing to a String cannot fail.
    for tick in y.ticks() {
        let (at, text) = (y.at(tick), beside(tick));
        let _ = write!(
            svg,
            "<path class=\"axis\" d=\"M{left} {at:.1}H{right}\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
            left - 6.0,
            at + 4.0
        );
    }
    for tick in x.ticks() {
        let (at, text) = (x.at(tick), below(tick));
        let _ = write!(
            svg,
            "<path class=\"axis\" d=\"M{at:.1} {top}V{bottom}\"/>\
             <text x=\"{at:.1}\" y=\"292\" text-anchor=\"middle\">{text}</text>"
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"352\" y=\"317\" text-anchor=\"middle\">{what}</text>"
    );
    svg
}

/// A number of an axis with these ticks, as short as it can be told from its neighbours.
pub(super) fn short(value: f64, ticks: &[f64]) -> String {
    let step = match ticks {
        [one, other, ..] => other - one,
        _ => 1.0,
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a few digits
    let places = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
    format!("{value:.places$}")
}

/// Every so many of the points that no more than [`MAX_POINTS`] are left.
pub(super) fn thinned<T>(points: Vec<T>) -> Vec<T> {
    let every = points.len().div_ceil(MAX_POINTS).max(1);
    points.into_iter().step_by(every).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let axis = |low, high| Axis {
            range: (low, high),
            pixels: (0.0, 100.0),
        };
        assert_eq!(axis(0.0, 10.0).ticks(), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(axis(0.0, 0.0).ticks(), [0.0]);
        let ticks = axis(0.9, 1.0).ticks();
        assert_eq!(ticks.len(), 6);
        assert!((axis(0.9, 1.0).at(0.95) - 50.0).abs() < 1e-9);
        assert!(
            (axis(0.0, 1.0).at(7.0) - 100.0).abs() < 1e-9,
            "what is outside is at the edge"
        );
        assert_eq!(short(0.00096, &[0.0008, 0.0010]), "0.0010");
    }

    #[test]
    fn no_more_points_than_can_be_told_apart() {
        assert_eq!(thinned((0..10).collect::<Vec<_>>()).len(), 10);
        assert_eq!(thinned((0..501).collect::<Vec<_>>()).len(), 251);
    }
}
