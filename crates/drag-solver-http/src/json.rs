//! Reading members that providers write now as a number, now as a string.
//!
//! Each function takes a member that may be missing (`object.get("cost")`) and returns `None` when
//! it is missing, `null`, or not of that kind.

use drag_solver_core::{JobId, Point, Usd};
use serde_json::Value;

/// A finite number, or a string that is one.
#[must_use]
pub fn number(value: Option<&Value>) -> Option<f64> {
    match value? {
        Value::Number(number) => number.as_f64(),
        // Rust also reads "inf", "infinity" and "nan".
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
    .filter(|number: &f64| number.is_finite())
}

/// A string, or a number as it would be written.
#[must_use]
pub fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// `true` and `false`, also as `1` and `0` or in quotes.
#[must_use]
pub fn flag(value: Option<&Value>) -> Option<bool> {
    match value? {
        Value::Bool(flag) => Some(*flag),
        other => match text(Some(other))?.trim() {
            "1" | "true" => Some(true),
            "0" | "false" => Some(false),
            _ => None,
        },
    }
}

/// An amount of US dollars.
#[must_use]
pub fn usd(value: Option<&Value>) -> Option<Usd> {
    text(value)?.parse().ok()
}

/// `{"x": 83.5, "y": 560}`
#[must_use]
pub fn point(value: Option<&Value>) -> Option<Point> {
    let value = value?;
    Some(Point::new(number(value.get("x"))?, number(value.get("y"))?))
}

/// A job's id: a positive whole number, or a string of visible characters.
///
/// A number too large to be read exactly is refused: asking for another job's result is worse than
/// an error. `0`, `""` and `"0"` are refused too; services send them in place of an id.
#[must_use]
pub fn job_id(value: Option<&Value>) -> Option<JobId> {
    let id = match value? {
        Value::String(id) => id.trim().to_owned(),
        // Anything but a u64 has been rounded to a float.
        Value::Number(id) => id.as_u64()?.to_string(),
        _ => return None,
    };
    JobId::new(id).ok().filter(|id| id.as_str() != "0")
}

/// A job's id as providers expect it back: a number if it reads as one, otherwise a string.
#[must_use]
pub fn job_id_value(job: &JobId) -> Value {
    match job.as_str().parse::<u64>() {
        Ok(number) if number.to_string() == job.as_str() => number.into(),
        _ => job.as_str().into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_read_alike_in_and_out_of_quotes() {
        for value in [json!(83.5), json!("83.5"), json!(" 83.5 ")] {
            assert_eq!(number(Some(&value)), Some(83.5));
        }
        for value in [
            json!("inf"),
            json!("NaN"),
            json!("1e999"),
            json!(""),
            json!(true),
        ] {
            assert_eq!(number(Some(&value)), None, "{value}");
        }
        assert_eq!(number(None), None);
        assert_eq!(number(Some(&Value::Null)), None);
    }

    #[test]
    fn flags_read_in_every_spelling() {
        for yes in [json!(true), json!(1), json!("1"), json!("true")] {
            assert_eq!(flag(Some(&yes)), Some(true));
        }
        for no in [json!(false), json!(0), json!("0"), json!("false")] {
            assert_eq!(flag(Some(&no)), Some(false));
        }
        for neither in [json!(null), json!(2), json!("no"), json!({})] {
            assert_eq!(flag(Some(&neither)), None);
        }
    }

    #[test]
    fn money_stays_exact() {
        for value in [json!("0.0012"), json!(0.0012)] {
            assert_eq!(usd(Some(&value)).unwrap().to_string(), "0.0012");
        }
        assert_eq!(usd(Some(&json!("free"))), None);
    }

    #[test]
    fn a_point_has_both_coordinates() {
        let read = |value: Value| point(Some(&value));
        let expected = Some(Point::new(83.5, 560.0));
        assert_eq!(read(json!({"x": "83.5", "y": 560})), expected);
        for bad in [json!({"x": 1}), json!({"x": 1, "y": null}), json!([1, 2])] {
            assert_eq!(read(bad.clone()), None, "{bad}");
        }
        assert_eq!(point(None), None);
    }

    #[test]
    fn ids_keep_every_digit_and_their_type() {
        let there_and_back = |text: &str| {
            let value: Value = serde_json::from_str(text).unwrap();
            job_id(Some(&value)).map(|id| job_id_value(&id).to_string())
        };
        for same in [
            "72345678901",
            "9007199254740993",
            "18446744073709551615",
            "\"a-b\"",
            "\"007\"",
        ] {
            assert_eq!(there_and_back(same).as_deref(), Some(same));
        }
        assert_eq!(there_and_back("\"123\"").as_deref(), Some("123"));
        for bad in [
            "18446744073709551616", // beyond u64: a float has lost its last digits
            "-1",
            "1.5",
            "0",
            "\"0\"",
            "\"\"",
            "null",
            "true",
            "[]",
            "\"a b\"",
        ] {
            assert_eq!(there_and_back(bad), None, "{bad}");
        }
    }
}
