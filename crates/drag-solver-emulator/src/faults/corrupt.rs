//! Answers changed in their text.

use std::io::Write as _;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// How deep [`nested`] goes.
const DEPTH: usize = 100_000;

/// What one member of the bomb unpacks to, and how many there are.
const BOMB_MEMBER: usize = 4 * 1024 * 1024;
const BOMB_MEMBERS: usize = 250;

/// Every member twice, first as `null`.
pub(super) fn duplicated(value: &Value) -> Vec<u8> {
    fn text(value: &Value) -> String {
        match value {
            Value::Object(members) => {
                let members = members.iter().map(|(name, value)| {
                    let name = Value::from(name.as_str());
                    format!("{name}:null,{name}:{}", text(value))
                });
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }
            Value::Array(items) => {
                let items: Vec<_> = items.iter().map(text).collect();
                format!("[{}]", items.join(","))
            }
            other => other.to_string(),
        }
    }
    text(value).into_bytes()
}

/// With members that no provider documents, of every type.
pub(super) fn extended(value: &Value) -> Vec<u8> {
    let debug = r#""":"","request_id":"r-1","debug":{"took":1.5e300,"hops":[null,true,{}]}"#;
    let names = r#""constructor":"x","Error":1,"statusCode":200,"результат":"1|2|3|4""#;
    preceded(value, format!("{debug},{names},").as_bytes())
}

/// Every number as a string.
pub(super) fn numbers_as_strings(value: &Value) -> Vec<u8> {
    let to_string = |value: &Value| value.is_number().then(|| value.to_string().into());
    retyped(value, to_string).to_string().into_bytes()
}

/// Every string that is a number as a number.
pub(super) fn strings_as_numbers(value: &Value) -> Vec<u8> {
    let to_number = |value: &Value| {
        let number = serde_json::from_str(value.as_str()?).ok();
        number.map(Value::Number)
    };
    retyped(value, to_number).to_string().into_bytes()
}

/// `value` with what `retype` makes of each text, number and the like in it, if it makes anything.
fn retyped(value: &Value, retype: fn(&Value) -> Option<Value>) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| retyped(item, retype)).collect(),
        Value::Object(members) => {
            let members = members.iter();
            let members = members.map(|(name, value)| (name.clone(), retyped(value, retype)));
            members.collect()
        }
        other => retype(other).unwrap_or_else(|| other.clone()),
    }
}

/// A job id that no integer of 64 bits can hold.
pub(super) fn beyond_u64(value: &Value) -> Vec<u8> {
    let mut text = value.to_string();
    for member in ["job_id", "taskId"] {
        if let Some(id) = value.get(member) {
            let huge = format!("\"{member}\":123456789012345678901");
            text = text.replace(&format!("\"{member}\":{id}"), &huge);
        }
    }
    text.into_bytes()
}

/// Arrays inside each other, in front of the answer's own members.
pub(super) fn nested(value: &Value) -> Vec<u8> {
    let deep = format!("\"deep\":{}{},", "[".repeat(DEPTH), "]".repeat(DEPTH));
    preceded(value, deep.as_bytes())
}

/// A text that is not UTF-8, in front of the answer's own members.
pub(super) fn not_utf8(value: &Value) -> Vec<u8> {
    preceded(value, b"\"note\":\"\xff\xfe\xc3(\",")
}

pub(super) fn marked(body: &[u8]) -> Vec<u8> {
    [b"\xef\xbb\xbf", body].concat()
}

pub(super) fn with_nuls_behind(body: &[u8]) -> Vec<u8> {
    [body, b"\0\0\r\n"].concat()
}

pub(super) fn with_control_characters(value: &Value) -> Vec<u8> {
    preceded(value, b"\"note\":\"one\ttwo\x1b[2J\nthree\",")
}

pub(super) fn with_no_numbers(value: &Value) -> Vec<u8> {
    preceded(
        value,
        b"\"rate\":NaN,\"least\":-Infinity,\"most\":Infinity,",
    )
}

/// Every text with a blank and a NUL behind it.
pub(super) fn padded(value: &Value) -> Vec<u8> {
    let pad = |value: &Value| Some(format!("{} \0", value.as_str()?).into());
    retyped(value, pad).to_string().into_bytes()
}

/// As programs in Lua write them.
pub(super) fn whole_numbers_as_floats(value: &Value) -> Vec<u8> {
    let to_float = |value: &Value| value.is_u64().then(|| value.as_f64().into());
    retyped(value, to_float).to_string().into_bytes()
}

/// The members of an object behind others, which end with a comma. What is no object has no members.
fn preceded(value: &Value, members: &[u8]) -> Vec<u8> {
    let own = value.to_string();
    match own.strip_prefix('{') {
        Some("}") => [b"{", &members[..members.len() - 1], b"}"].concat(),
        Some(own) => [b"{", members, own.as_bytes()].concat(),
        None => own.into_bytes(),
    }
}

/// A gigabyte of spaces, in gzip, less than 1 MiB.
pub(super) static BOMB: LazyLock<Bytes> = LazyLock::new(|| {
    let mut member = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to memory does not fail.
    let _ = member.write_all(&vec![b' '; BOMB_MEMBER]);
    let member = member.finish().unwrap_or_default();
    // Members of a gzip file may stand one behind the other.
    member.repeat(BOMB_MEMBERS).into()
});

/// `text` as it stands in a JSON string.
pub(super) fn json_plain(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// `text` with every character as `\u0068`.
pub(super) fn json_escaped(text: &str) -> String {
    let escaped = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
    escaped.collect::<Vec<_>>().concat()
}

/// `text` with every byte that is not a letter or a digit as `%2B`.
pub(super) fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// `text` behind a user name, as in an `Authorization` header.
pub(super) fn basic(text: &str) -> String {
    STANDARD.encode(format!("user:{text}"))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use serde_json::json;

    use super::*;

    #[test]
    fn the_bomb_is_small_and_becomes_large() {
        let bomb = BOMB.clone();
        assert!(bomb.len() < 1024 * 1024, "{}", bomb.len());
        let mut unpacked = 0;
        let mut reader = flate2::read::MultiGzDecoder::new(&bomb[..bomb.len() / BOMB_MEMBERS]);
        let mut piece = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = reader.read(&mut piece) {
            unpacked += read;
        }
        assert_eq!(unpacked, BOMB_MEMBER);
    }

    #[test]
    fn changed_answers_still_say_the_same() {
        let answer = json!({"errorId": 0, "taskId": "7", "solution": {"x": [1, "2.5", "x"]}});
        let read = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).unwrap();
        assert_eq!(read(duplicated(&answer)), answer);
        assert_eq!(read(extended(&answer))["taskId"], "7");
        assert_eq!(
            read(numbers_as_strings(&answer)),
            json!({"errorId": "0", "taskId": "7", "solution": {"x": ["1", "2.5", "x"]}})
        );
        assert_eq!(
            read(strings_as_numbers(&answer)),
            json!({"errorId": 0, "taskId": 7, "solution": {"x": [1, 2.5, "x"]}})
        );
        let beyond = String::from_utf8(beyond_u64(&answer)).unwrap();
        assert!(
            beyond.contains(r#""taskId":123456789012345678901"#),
            "{beyond}"
        );
        let own = br#"],"errorId":0,"solution":{"x":[1,"2.5","x"]},"taskId":"7"}"#;
        assert!(nested(&answer).ends_with(own));
        assert!(std::str::from_utf8(&not_utf8(&answer)).is_err());
        let floats = whole_numbers_as_floats(&json!({"taskId": 72_345_678_901_u64, "cost": 0.5}));
        assert_eq!(floats, br#"{"cost":0.5,"taskId":72345678901.0}"#);
        assert_eq!(padded(&json!({"a": ["b"]})), br#"{"a":["b \u0000"]}"#);
    }
}
