//! Services whose workers click on a picture.

use drag_solver_core::{Drag, Point};
use serde_json::Value;

/// What workers are asked to do, unless the challenge has an instruction of its own.
pub const TWO_CLICKS: &str = "Click exactly two points, in this order: 1) the center of the piece or \
     handle that must be dragged; 2) the center of the place where it must be dropped.";

/// Reads the two clicks in `coordinates`, in their order, each of them with `point`, which reads what is
/// written like `shape`.
///
/// # Errors
///
/// What is wrong with the solution.
pub fn two_clicks(
    solution: &Value,
    shape: &str,
    point: impl Fn(&Value) -> Option<Point>,
) -> Result<Drag, String> {
    let clicks = solution.get("coordinates").and_then(Value::as_array);
    match clicks.map(Vec::as_slice) {
        Some([first, second]) => match (point(first), point(second)) {
            (Some(start), Some(end)) => Ok(Drag::new(start, end)),
            _ => Err(format!("a click is not {shape} in numbers: {solution}")),
        },
        Some(clicks) => Err(format!(
            "{} clicks instead of two: {solution}",
            clicks.len()
        )),
        None => Err(format!("the solution has no `coordinates`: {solution}")),
    }
}
