//! Reading members that providers write now as a number, now as a string.
//!
//! Each function takes a member that may be missing (`object.get("cost")`) and returns `None` when
//! it is missing, `null`, or not of that kind.

use std::borrow::Cow;

use drag_solver_core::{JobId, Usd};
use serde_json::Value;

/// A finite number, or a string that is one.
#[must_use]
pub fn number(value: Option<&Value>) -> Option<f64> {
    match value? {
        Value::Number(number) => number.as_f64(),
        // Rust also reads "inf", "infinity" and "nan".
        Value::String(text) => trimmed(text).parse().ok(),
        _ => None,
    }
    .filter(|number: &f64| number.is_finite())
}

/// A string, without blanks around it, or a number as it would be written: a whole one without a
/// fraction, also if it came as `7.0`.
#[must_use]
pub fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(trimmed(text).to_owned()),
        Value::Number(number) => Some(match number.as_f64().and_then(exact) {
            Some(whole) if number.is_f64() => whole.to_string(),
            _ => number.to_string(),
        }),
        _ => None,
    }
}

/// What a provider says to people: [`text`], or all texts of a list or an object, which is how web
/// frameworks say what is wrong with each field. `None` if nothing is said.
#[must_use]
pub fn message(value: Option<&Value>) -> Option<String> {
    let parts: Vec<_> = match value? {
        Value::Array(values) => values.iter().filter_map(|v| message(Some(v))).collect(),
        Value::Object(members) => members.values().filter_map(|v| message(Some(v))).collect(),
        other => text(Some(other)).into_iter().collect(),
    };
    Some(parts.join(" ")).filter(|message| !message.is_empty())
}

/// `true` and `false`, also as `1` and `0` or in quotes.
#[must_use]
pub fn flag(value: Option<&Value>) -> Option<bool> {
    match value? {
        Value::Bool(flag) => Some(*flag),
        other => match text(Some(other))?.as_str() {
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

/// A job's id: a positive whole number, also one that is written as a float (`7.2e3`, `7200.0`), or a
/// string of visible characters.
///
/// A number too large to be read exactly and a string that was not UTF-8 are refused: asking for
/// another job's result is worse than an error. `0`, `""` and `"0"` are refused too; services send
/// them in place of an id.
#[must_use]
pub fn job_id(value: Option<&Value>) -> Option<JobId> {
    let id = match value? {
        Value::String(id) => trimmed(id).to_owned(),
        Value::Number(id) => id.as_u64().or_else(|| exact(id.as_f64()?))?.to_string(),
        _ => return None,
    };
    let is_id =
        |id: &JobId| id.as_str() != "0" && !id.as_str().contains(char::REPLACEMENT_CHARACTER);
    JobId::new(id).ok().filter(is_id)
}

/// The whole number that a float is. From 2^53 on, several are the same float.
fn exact(number: f64) -> Option<u64> {
    let is_exact = number.fract() == 0.0 && (0.0..9_007_199_254_740_992.0).contains(&number);
    // Of a zero below zero, nothing is left but a zero.
    is_exact.then(|| format!("{:.0}", number.abs()).parse().ok())?
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(is_padding)
}

/// A job's id as providers expect it back: a number if it reads as one, otherwise a string.
#[must_use]
pub fn job_id_value(job: &JobId) -> Value {
    match job.as_str().parse::<u64>() {
        Ok(number) if number.to_string() == job.as_str() => number.into(),
        _ => job.as_str().into(),
    }
}

/// How `NaN` and its kind are written. JSON has no such numbers.
const NO_NUMBERS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];

/// A body as text, made JSON again where it is clear what was meant, since one stray byte must not lose
/// what was paid for: a byte order mark, blanks and NULs around it go; bytes that are not UTF-8 become
/// `U+FFFD`, control characters inside of texts blanks, and numbers that are none `null`.
pub(crate) fn repaired(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut rest = text.trim_matches(is_padding);
    let mut json = String::with_capacity(rest.len());
    let mut is_text = false;
    while let Some(c) = rest.chars().next() {
        let (piece, length) = match c {
            '\\' if is_text => {
                let length = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
                (Cow::Borrowed(&rest[..length]), length)
            }
            _ if is_text && c.is_ascii_control() => (" ".into(), 1),
            _ => match NO_NUMBERS.iter().find(|word| rest.starts_with(**word)) {
                Some(word) if !is_text => ("null".into(), word.len()),
                _ => (Cow::Borrowed(&rest[..c.len_utf8()]), c.len_utf8()),
            },
        };
        is_text ^= c == '"';
        json.push_str(&piece);
        rest = &rest[length..];
    }
    json
}

/// What stands around a text and is no part of it.
pub(crate) fn is_padding(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\0' | '\u{feff}')
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
    fn texts_read_alike_in_and_out_of_quotes() {
        for zero in [
            json!(0),
            json!(0.0),
            json!(-0.0),
            json!("0"),
            json!(" 0\u{0}"),
        ] {
            assert_eq!(text(Some(&zero)).as_deref(), Some("0"));
        }
        assert_eq!(text(Some(&json!(-1.5))).as_deref(), Some("-1.5"));
        assert_eq!(text(Some(&json!(u64::MAX))).unwrap(), u64::MAX.to_string());
    }

    #[test]
    fn a_message_is_read_however_deep_it_is() {
        let said = |value: Value| message(Some(&value));
        assert_eq!(said(json!(" No money. ")).as_deref(), Some("No money."));
        let laravel = json!({"image_base64": ["The image field is required.", "Too small."]});
        let both = "The image field is required. Too small.";
        assert_eq!(said(laravel).as_deref(), Some(both));
        for nothing in [json!(""), json!({}), json!([null]), json!(null)] {
            assert_eq!(said(nothing), None);
        }
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
        // As gateways in Lua write whole numbers.
        for float in [
            "7.2345678901e+10",
            "72345678901.0",
            "\"72345678901\\u0000\"",
        ] {
            assert_eq!(there_and_back(float).as_deref(), Some("72345678901"));
        }
        for bad in [
            "18446744073709551616", // beyond u64: a float has lost its last digits
            "9007199254740992.0",   // 2^53: as a float, 2^53 + 1 is the same
            "0.0",
            "-1.0",
            "\"7\u{fffd}\"", // it was not UTF-8: the id is not known
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

    #[test]
    fn what_was_meant_is_read() {
        let cases: [(&[u8], &str); 8] = [
            (b"\xef\xbb\xbf{\"a\": 1}", "{\"a\": 1}"),
            (b"{\"a\": 1}\0\0\r\n", "{\"a\": 1}"),
            (
                b"{\"a\": \"\xed\xe5\xf2\"}",
                "{\"a\": \"\u{fffd}\u{fffd}\u{fffd}\"}",
            ),
            (b"{\"cost\": NaN}", "{\"cost\": null}"),
            (
                b"{\"cost\": -Infinity, \"b\": Infinity}",
                "{\"cost\": null, \"b\": null}",
            ),
            (
                b"{\"a\": \"NaN\", \"b\\\"NaN\": 1}",
                "{\"a\": \"NaN\", \"b\\\"NaN\": 1}",
            ),
            (b"{\"a\": \"one\ntwo\"}", "{\"a\": \"one two\"}"),
            (b"{\"a\": \"\\", "{\"a\": \"\\"),
        ];
        for (body, json) in cases {
            assert_eq!(repaired(body), json);
        }
    }
}
