//! The tail of each chain, as a picture.

use std::fmt::Write as _;
use std::time::Duration;

use super::DEADLINE;
use super::figures::Figures;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 440.0;
/// The area of the lines.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 740.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 385.0;
/// From all challenges down to one in ten thousand.
const DECADES: f64 = 4.0;

/// Okabe and Ito's colours, which the colour-blind tell apart, and a dash for those who see none.
const STYLES: [(&str, &str); 6] = [
    ("#999999", "2 3"),
    ("#d55e00", "8 4"),
    ("#cc79a7", "8 3 2 3"),
    ("#0072b2", "4 2"),
    ("#009e73", ""),
    ("#e69f00", "1 2"),
];

/// The part of the challenges that was not solved within so many seconds, for each chain.
pub(crate) fn svg(all: &[Figures]) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">\n\
         <title>How many challenges are not solved within so many seconds, in six chains</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"28\" font-size=\"16\">Challenges that are not solved within so \
         many seconds</text>\n"
    );
    grid(&mut svg);
    for (figures, style) in all.iter().zip(STYLES) {
        line(&mut svg, figures, style);
    }
    legend(&mut svg, all);
    svg.push_str("</svg>\n");
    svg
}

fn x(seconds: f64) -> f64 {
    LEFT + (RIGHT - LEFT) * seconds / DEADLINE.as_secs_f64()
}

/// Logarithmic, because the tail is what matters.
fn y(part: f64) -> f64 {
    TOP + (BOTTOM - TOP) * (-part.log10() / DECADES).clamp(0.0, 1.0)
}

// Writing to a string does not fail.

fn grid(svg: &mut String) {
    for seconds in [0.0, 20.0, 40.0, 60.0, 80.0, 100.0, 120.0] {
        let x = x(seconds);
        let _ = writeln!(
            svg,
            "<path d=\"M{x:.1} {TOP}V{BOTTOM}\" stroke=\"#ddd\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{seconds} s</text>",
            BOTTOM + 20.0
        );
    }
    for (part, label) in [
        (1.0, "100 %"),
        (0.1, "10 %"),
        (0.01, "1 %"),
        (0.001, "0.1 %"),
        (0.0001, "0.01 %"),
    ] {
        let y = y(part);
        let _ = writeln!(
            svg,
            "<path d=\"M{LEFT} {y:.1}H{RIGHT}\" stroke=\"#ddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            LEFT - 8.0,
            y + 4.0
        );
    }
}

/// A step for each tenth of a second at which something was solved.
#[allow(clippy::cast_precision_loss)] // some ten thousand
fn line(svg: &mut String, figures: &Figures, (colour, dash): (&str, &str)) {
    let _ = write!(
        svg,
        "<path fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dash}\" d=\""
    );
    let count = figures.sorted.len() as f64;
    let _ = write!(svg, "M{:.1} {:.1}", x(0.0), y(1.0));
    let mut last = None;
    for tenth in 0..=1_200_u32 {
        let seconds = f64::from(tenth) / 10.0;
        let within = |took: &Duration| took.as_secs_f64() <= seconds;
        let solved = figures.solved.partition_point(within);
        if last != Some(solved) || tenth == 1_200 {
            let unsolved = 1.0 - solved as f64 / count;
            let _ = write!(svg, "H{:.1}V{:.1}", x(seconds), y(unsolved));
            last = Some(solved);
        }
    }
    svg.push_str("\"/>\n");
}

fn legend(svg: &mut String, all: &[Figures]) {
    for (row, (figures, (colour, dash))) in (0_u32..).zip(all.iter().zip(STYLES)) {
        let y = TOP + 15.0 + 16.0 * f64::from(row);
        let _ = writeln!(
            svg,
            "<path d=\"M330 {:.1}h34\" stroke=\"{colour}\" stroke-width=\"2\" \
             stroke-dasharray=\"{dash}\"/><text x=\"374\" y=\"{y:.1}\" font-size=\"12\">{}: p99 {:.1} s, \
             {:.2} % solved</text>",
            y - 4.0,
            figures.chain,
            figures.quantile(0.99).as_secs_f64(),
            figures.solved_percent(),
        );
    }
}
