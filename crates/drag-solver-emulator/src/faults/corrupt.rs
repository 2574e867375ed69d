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

use super::answers::{RightAnswer, members};

/// How deep [`nested`] goes.
const DEPTH: usize = 100_000;

/// What one member of the bomb unpacks to, and how many there are.
const BOMB_MEMBER: usize = 4 * 1024 * 1024;
const BOMB_MEMBERS: usize = 250;

/// Members that no provider documents, of every type.
pub(super) const UNKNOWN: &str = r#""":"","request_id":"r-1","debug":{"took":1.5e300,"hops":[null,true,{}]},"constructor":"x","Error":1,"statusCode":200,"результат":"1|2|3|4","#;

/// Every member twice, first as `null`.
pub(super) fn duplicated(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| {
                let name = Value::from(name.as_str());
                format!("{name}:null,{name}:{}", duplicated(value))
            });
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(duplicated).collect();
            format!("[{}]", items.join(","))
        }
        other => other.to_string(),
    }
}

/// Every text, number and the like as what `retype` makes of it, if it makes anything.
pub(super) fn values(retype: fn(&Value) -> Option<Value>) -> impl Fn(&RightAnswer<'_>) -> Vec<u8> {
    members(move |value| retyped(value, retype).to_string().into_bytes())
}

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

/// These members, which end with a comma, in front of the answer's own.
pub(super) fn before(others: &'static [u8]) -> impl Fn(&RightAnswer<'_>) -> Vec<u8> {
    members(|value| preceded(value, others))
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
    use crate::faults::Fault;
    use crate::response::Response;

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

    /// What `fault` makes of this answer.
    fn sent(fault: &Fault, answer: &Value) -> Vec<u8> {
        let right = RightAnswer {
            response: &Response::json(200, answer),
            refuse: &|_| Response::empty(400),
            token: "",
            target: "/",
            port: 1,
        };
        let bytes = (fault.row().send)(&right);
        let head = bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
        bytes[head + 4..].to_vec()
    }

    #[test]
    fn changed_answers_still_say_the_same() {
        let answer = json!({"errorId": 0, "taskId": "7", "solution": {"x": [1, "2.5", "x"]}});
        let read = |fault| serde_json::from_slice::<Value>(&sent(&fault, &answer)).unwrap();
        assert_eq!(read(Fault::DuplicateFields), answer);
        assert_eq!(read(Fault::UnknownFields)["taskId"], "7");
        assert_eq!(
            read(Fault::NumbersAsStrings),
            json!({"errorId": "0", "taskId": "7", "solution": {"x": ["1", "2.5", "x"]}})
        );
        assert_eq!(
            read(Fault::StringsAsNumbers),
            json!({"errorId": 0, "taskId": 7, "solution": {"x": [1, 2.5, "x"]}})
        );
        let beyond = String::from_utf8(sent(&Fault::IdsBeyondU64, &answer)).unwrap();
        assert!(
            beyond.contains(r#""taskId":123456789012345678901"#),
            "{beyond}"
        );
        let own = br#"],"errorId":0,"solution":{"x":[1,"2.5","x"]},"taskId":"7"}"#;
        assert!(sent(&Fault::DeepNesting, &answer).ends_with(own));
        assert!(std::str::from_utf8(&sent(&Fault::InvalidUtf8, &answer)).is_err());
        let numbers = json!({"taskId": 72_345_678_901_u64, "cost": 0.5});
        let floats = sent(&Fault::WholeNumbersAsFloats, &numbers);
        assert_eq!(floats, br#"{"cost":0.5,"taskId":72345678901.0}"#);
        let padded = sent(&Fault::PaddedTexts, &json!({"a": ["b"]}));
        assert_eq!(padded, br#"{"a":["b \u0000"]}"#);
    }
}
