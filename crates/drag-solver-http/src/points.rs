//! Reading points in every shape that services write them in.

use drag_solver_core::{Drag, Point};
use serde_json::Value;

use crate::json::{is_padding, number};

/// One point: `{"x": 83.5, "y": 560}`, `[83.5, 560]` or `"x=83.5,y=560"`; and of a rectangle, which has
/// `w` and `h` too, the centre. `None` if it is none of these; four numbers are none, since services disagree on what the
/// last two of a rectangle are.
#[must_use]
pub fn point(value: Option<&Value>) -> Option<Point> {
    match value? {
        Value::Object(members) => {
            let read = |member: &str| number(members.get(member));
            let (width, height) = read("w").zip(read("h")).unwrap_or_default();
            Some(Point::new(
                read("x")? + width / 2.0,
                read("y")? + height / 2.0,
            ))
        }
        Value::Array(numbers) => match numbers.as_slice() {
            [x, y] => Some(Point::new(number(Some(x))?, number(Some(y))?)),
            _ => None,
        },
        Value::String(words) => in_words(without_prefix(words.trim_matches(is_padding))),
        _ => None,
    }
}

/// The two points of a drag, in whichever shape:
///
/// - two [points](point) in a list, `[[83, 560], [320, 560]]`, the start first;
/// - `{"start": .., "end": ..}`, possibly with an `end2`, the provider's second guess; also in a list of
///   its own;
/// - four numbers in a list, `[83, 560, 320, 560]`, or in a text, `"83|560|320|560"`;
/// - two points in a text, `"coordinates:x=83,y=560;x=320,y=560"`, with or without the word;
/// - any of them as JSON within a text.
///
/// ```
/// use drag_solver_http::points;
/// use drag_solver_http::serde_json::json;
///
/// let drag = points::drag(Some(&json!("coordinates:x=83,y=560;x=320,y=560")))?;
/// assert_eq!(drag.to_string(), "83,560 -> 320,560");
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
///
/// In words, why it is no drag.
pub fn drag(value: Option<&Value>) -> Result<Drag, String> {
    match value {
        None | Some(Value::Null) => Err("the answer has no points".to_owned()),
        Some(Value::String(text)) => in_text(text.trim_matches(is_padding)),
        Some(value) => in_json(value),
    }
}

fn in_json(value: &Value) -> Result<Drag, String> {
    match value {
        Value::Object(members) => {
            let need = |member: &str| {
                let missing = || format!("the answer has no usable `{member}`: {value}");
                point(members.get(member)).ok_or_else(missing)
            };
            let drag = Drag::new(need("start")?, need("end")?);
            Ok(match point(members.get("end2")) {
                Some(end) => drag.with_alternative_end(end),
                None => drag,
            })
        }
        Value::Array(parts) => match parts.as_slice() {
            [only @ Value::Object(members)] if members.contains_key("start") => in_json(only),
            [first, second] => two(point(Some(first)), point(Some(second))),
            [_, _, _, _] => four(parts.iter().map(|part| number(Some(part)))),
            _ => Err(format!("the answer is not two points but {}", parts.len())),
        }
        .map_err(|problem| format!("{problem}: {value}")),
        other => Err(format!("the answer is not two points: {other}")),
    }
}

fn in_text(words: &str) -> Result<Drag, String> {
    if words.starts_with(['[', '{'])
        && let Ok(value) = serde_json::from_str(words)
    {
        return in_json(&value);
    }
    let list = without_prefix(words);
    let parts: Vec<&str> = list.split(';').collect();
    match parts.as_slice() {
        _ if words.is_empty() => Err("the answer has no points".to_owned()),
        // One sign separates, and a decimal comma is no number: `83,5|560` is not taken for three.
        [one] if one.contains('|') => four(one.split('|').map(decimal)),
        [one] if !one.contains('=') => four(one.split(',').map(decimal)),
        [first, second] => two(in_words(first), in_words(second)),
        _ => Err(format!("the answer is not two points but {}", parts.len())),
    }
    .map_err(|problem| format!("{problem}: `{words}`"))
}

fn without_prefix(words: &str) -> &str {
    let words_of = ["coordinates:", "coordinate:"];
    let list = words_of.iter().find_map(|word| words.strip_prefix(word));
    list.unwrap_or(words)
}

/// `x=143,y=53`, and of a rectangle, `x=143,y=53,w=42,h=40`, the centre; or `143,53`.
fn in_words(words: &str) -> Option<Point> {
    let mut members = serde_json::Map::new();
    let mut numbers: Vec<Value> = Vec::new();
    for part in words.split(',') {
        match part.split_once('=') {
            Some((name, number)) => {
                members.insert(name.trim().to_owned(), decimal(number)?.into());
            }
            None => numbers.push(decimal(part)?.into()),
        }
    }
    if members.is_empty() {
        point(Some(&numbers.into()))
    } else {
        point(Some(&members.into()))
    }
}

fn two(start: Option<Point>, end: Option<Point>) -> Result<Drag, String> {
    match (start, end) {
        (Some(start), Some(end)) => Ok(Drag::new(start, end)),
        _ => Err("the answer is not two points in numbers".to_owned()),
    }
}

fn four(numbers: impl Iterator<Item = Option<f64>>) -> Result<Drag, String> {
    match numbers.collect::<Option<Vec<_>>>().as_deref() {
        Some(&[x1, y1, x2, y2]) => Ok(Drag::new(Point::new(x1, y1), Point::new(x2, y2))),
        _ => Err("the answer is not x1|y1|x2|y2 in numbers".to_owned()),
    }
}

fn decimal(words: &str) -> Option<f64> {
    number(Some(&Value::String(words.to_owned())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_point_has_both_coordinates() {
        let read = |value: Value| point(Some(&value));
        let expected = Some(Point::new(83.5, 560.0));
        for good in [
            json!({"x": "83.5", "y": 560}),
            json!([83.5, " 560 "]),
            json!("83.5,560"),
            json!("coordinates:x=83.5,y=560,w=42"),
            json!({"x": 80.5, "y": 550, "w": 6, "h": "20"}),
            // Half a size is none.
            json!({"x": 83.5, "y": 560, "w": 42}),
        ] {
            assert_eq!(read(good.clone()), expected, "{good}");
        }
        for bad in [
            json!({"x": 1}),
            json!({"x": 1, "y": null}),
            json!([1]),
            json!([1, 2, 3]),
            json!([1, 2, 3, 4]),
            json!(["inf", 2]),
            json!("1,2,3"),
            json!("x=1"),
            json!(7),
        ] {
            assert_eq!(read(bad.clone()), None, "{bad}");
        }
        assert_eq!(point(None), None);
    }

    #[test]
    fn a_drag_is_read_in_every_documented_shape() {
        for shape in [
            json!([{"x": 83, "y": 560}, {"x": "320", "y": 560.5}]),
            json!([[83, 560], [320, 560.5]]),
            json!({"start": {"x": 83, "y": 560}, "end": [320, 560.5]}),
            json!([{"start": [83, 560], "end": [320, 560.5]}]),
            json!([83, "560", 320, 560.5]),
            json!("83|560|320|560.5"),
            json!(" 83 | 560 |320|560.5\u{0}"),
            json!("83,560,320,560.5"),
            json!("83,560;320,560.5"),
            json!("coordinates:x=83,y=560;x=320,y=560.5"),
            json!("coordinate:x=83,y=560;x=320,y=560.5"),
            json!("x=80,y=550,w=6,h=20;x=320,y=560.5,w=9"),
            json!("[[83, 560], [320, 560.5]]"),
            json!(r#"{"start": {"x": 83, "y": 560}, "end": {"x": 320, "y": 560.5}}"#),
        ] {
            let drag = drag(Some(&shape)).unwrap();
            assert_eq!(drag.to_string(), "83,560 -> 320,560.5", "{shape}");
        }
        let two_ends = json!({"start": [1, 2], "end": [3, 4], "end2": [5, 6]});
        let alternative = drag(Some(&two_ends)).unwrap().alternative_end;
        assert_eq!(alternative, Some(Point::new(5.0, 6.0)));
    }

    #[test]
    fn what_is_no_drag_is_told() {
        for (shape, problem) in [
            (json!(null), "the answer has no points"),
            (json!(""), "the answer has no points"),
            (json!(7), "the answer is not two points: 7"),
            (json!([]), "the answer is not two points but 0: []"),
            (
                json!([[1, 2]]),
                "the answer is not two points but 1: [[1,2]]",
            ),
            (
                json!([[1, 2], [3, 4], [5, 6]]),
                "the answer is not two points but 3",
            ),
            (
                json!([[1, 2], [3]]),
                "the answer is not two points in numbers",
            ),
            (
                json!([[1, 2, 3, 4], [5, 6, 7, 8]]),
                "the answer is not two points in numbers",
            ),
            (
                json!([1, 2, 3, "x"]),
                "the answer is not x1|y1|x2|y2 in numbers",
            ),
            (json!({"start": [1, 2]}), "the answer has no usable `end`"),
            (
                json!("1|2|3"),
                "the answer is not x1|y1|x2|y2 in numbers: `1|2|3`",
            ),
            // A decimal comma is no separator beside another one.
            (
                json!("83,5|560"),
                "the answer is not x1|y1|x2|y2 in numbers",
            ),
            (
                json!("83,5|560|320|560"),
                "the answer is not x1|y1|x2|y2 in numbers",
            ),
            (
                json!("1|2|3|inf"),
                "the answer is not x1|y1|x2|y2 in numbers",
            ),
            (
                json!("1|2|3|4|5"),
                "the answer is not x1|y1|x2|y2 in numbers",
            ),
            (
                json!("coordinates:x=1,y=2"),
                "the answer is not two points but 1",
            ),
            (
                json!("x=1,y=2;x=3"),
                "the answer is not two points in numbers",
            ),
            (json!("\"[1]\""), "the answer is not x1|y1|x2|y2 in numbers"),
        ] {
            let told = drag(Some(&shape)).unwrap_err();
            assert!(told.starts_with(problem), "{shape}: {told}");
        }
    }
}
