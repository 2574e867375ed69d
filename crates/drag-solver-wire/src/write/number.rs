//! Numbers as they are sent.

use drag_solver_core::{Point, Usd};
use serde_json::{Number, Value};

use crate::{Answer, Manner, Quirk};

/// A number of pixels, or of dollars, as a person would write it: 83, not 83.0.
pub(super) fn number(number: f64) -> Value {
    #[allow(clippy::cast_possible_truncation)] // in range: that is what is checked
    if number.fract() == 0.0 && number.abs() < 1e15 {
        Value::from(number as i64)
    } else {
        Number::from_f64(number).map_or(Value::Null, Value::Number)
    }
}

pub(super) fn dollars(amount: Usd) -> Value {
    number(amount.to_f64_lossy())
}

/// A job's id: those of digits alone are numbers.
pub(super) fn id(job: &str, manner: Manner) -> Value {
    match job.parse::<u64>() {
        Ok(number) if !manner.has(Quirk::IdsAsStrings) => number.into(),
        _ => job.into(),
    }
}

/// The start and the end as clicks: whole pixels, half ones away from zero, on the picture. A double of a
/// provider says what its solver says, on the picture or not.
pub(super) fn clicks(answer: &Answer, manner: Manner) -> [[f64; 2]; 2] {
    let click = |pixels: f64, size: u32| {
        let whole = if manner.has(Quirk::DecimalCoordinates) {
            pixels
        } else {
            pixels.round()
        };
        if manner.documented {
            whole
        } else {
            // Of NaN, which is no place, this makes the edge.
            whole.max(0.0).min(f64::from(size.max(1) - 1))
        }
    };
    let point = |it: Point| [click(it.x, answer.width), click(it.y, answer.height)];
    [point(answer.drag.start), point(answer.drag.end)]
}

/// How far to the right the drag goes where the picture is shown `view_width` pixels wide.
pub(super) fn distance(answer: &Answer, view_width: u32) -> f64 {
    let scale = f64::from(view_width) / f64::from(answer.width.max(1));
    ((answer.drag.end.x - answer.drag.start.x) * scale).round()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_write_them() {
        for (sent, written) in [
            (83.0, "83"),
            (83.5, "83.5"),
            (-0.0, "0"),
            (f64::NAN, "null"),
        ] {
            assert_eq!(number(sent).to_string(), written);
        }
    }
}
