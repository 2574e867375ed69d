//! A solution for people.

use std::fmt::Write as _;
use std::path::Path;

use drag_solver::{Drag, Point, Solution, Usd};

use super::text::{file_name, one_line};

/// A solution in one line. With `several` screenshots, it says which one it is about.
pub(crate) fn solution_text(screenshot: &Path, solution: &Solution, several: bool) -> String {
    let mut line = String::new();
    // Writing to a String cannot fail.
    if several {
        let _ = write!(line, "{}: ", file_name(screenshot));
    }
    line += &drag_text(solution.drag());
    let seconds = solution.elapsed().as_secs_f64();
    let _ = write!(line, "  {} {seconds:.1} s", one_line(solution.solver()));
    // Free is no news.
    if let Some(cost) = solution.cost().filter(|&cost| cost != Usd::ZERO) {
        let _ = write!(line, " ${cost}");
    }
    line
}

/// Where it starts and ends.
pub(crate) fn drag_text(drag: &Drag) -> String {
    let text = format!("{} -> {}", pixels(drag.start), pixels(drag.end));
    match drag.alternative_end {
        Some(other) => format!("{text} (or {})", pixels(other)),
        None => text,
    }
}

/// A point to the tenth of a pixel, which is more than any hand can hit.
fn pixels(point: Point) -> Point {
    let tenth = |number: f64| (number * 10.0).round() / 10.0;
    Point::new(tenth(point.x), tenth(point.y))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use drag_solver::Drag;

    use super::*;

    fn text(drag: Drag, several: bool) -> String {
        let solution = Solution::new(drag, "omocaptcha").with_elapsed(Duration::from_millis(2140));
        let solution = if several {
            solution.with_cost(Usd::from_micros(900))
        } else {
            solution
        };
        solution_text(Path::new("phone.png"), &solution, several)
    }

    #[test]
    fn text_is_the_drag_then_the_provider_then_seconds() {
        let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
        assert_eq!(text(drag, false), "83,560 -> 320,560  omocaptcha 2.1 s");
        assert_eq!(
            text(drag.with_alternative_end(Point::new(330.5, 560.0)), true),
            "phone.png: 83,560 -> 320,560 (or 330.5,560)  omocaptcha 2.1 s $0.0009"
        );
    }

    #[test]
    fn a_pixel_has_one_decimal_at_most() {
        let start = Point::new(24.645_914_396_887_16, 46.609);
        let drag = Drag::new(start, Point::new(99.96, 0.04));
        assert_eq!(text(drag, false), "24.6,46.6 -> 100,0  omocaptcha 2.1 s");
    }

    #[test]
    fn no_name_breaks_the_line() {
        let drag = Drag::new(Point::new(1.0, 2.0), Point::new(3.0, 4.0));
        let solution = Solution::new(drag, "a\x1b[2J\nforged");
        let line = solution_text(Path::new("a\nb.png"), &solution, true);
        assert!(!line.contains(char::is_control), "{line:?}");
    }
}
