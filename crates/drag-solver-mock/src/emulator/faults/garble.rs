//! Answers changed in their text.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value, json};

/// How deep [`nested`] goes.
const DEPTH: usize = 100_000;

/// What one member of the bomb unpacks to, and how many there are.
const BOMB_MEMBER: usize = 4 * 1024 * 1024;
const BOMB_MEMBERS: usize = 250;

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
            let items = items.iter().map(duplicated).collect::<Vec<_>>();
            format!("[{}]", items.join(","))
        }
        other => other.to_string(),
    }
}

/// Members that nobody documents, of every type.
pub(super) fn extended(mut value: Value) -> Value {
    if let Value::Object(members) = &mut value {
        let more = json!({
            "": "", "request_id": "r-1", "debug": {"took": 1.5e300, "hops": [null, true, {}]},
            "constructor": "x", "Error": 1, "statusCode": 200, "результат": "1|2|3|4",
        });
        if let Value::Object(more) = more {
            members.extend(more);
        }
    }
    value
}

/// Every number as a string, or every string that is one as a number.
pub(super) fn retyped(value: Value, to_strings: bool) -> Value {
    match value {
        Value::Number(number) if to_strings => number.to_string().into(),
        Value::String(text) if !to_strings => match serde_json::from_str(&text) {
            Ok(Value::Number(number)) => Value::Number(number),
            _ => text.into(),
        },
        Value::Array(items) => items
            .into_iter()
            .map(|item| retyped(item, to_strings))
            .collect(),
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| (name, retyped(value, to_strings)))
                .collect(),
        ),
        other => other,
    }
}

/// A job id that no integer of 64 bits can hold.
pub(super) fn beyond_u64(mut value: Value) -> String {
    const MARK: &str = "\u{1}id\u{1}";
    for member in ["job_id", "taskId"] {
        if let Some(id) = value.get_mut(member) {
            *id = MARK.into();
        }
    }
    let mark = Value::from(MARK).to_string();
    value.to_string().replace(&mark, "123456789012345678901")
}

/// Arrays inside each other, in front of the answer's own members.
pub(super) fn nested(value: &Value) -> String {
    let own = value.to_string();
    format!(
        "{{\"deep\":{}{},{}",
        "[".repeat(DEPTH),
        "]".repeat(DEPTH),
        own.strip_prefix('{').unwrap_or("}")
    )
}

/// A text that is not UTF-8, in front of the answer's own members.
pub(super) fn not_utf8(value: &Value) -> Vec<u8> {
    let own = value.to_string();
    let mut bytes = b"{\"note\":\"\xff\xfe\xc3(\",".to_vec();
    bytes.extend_from_slice(own.strip_prefix('{').unwrap_or("}").as_bytes());
    bytes
}

/// A gigabyte of spaces, in gzip, less than 1 MiB.
pub(super) fn bomb() -> Bytes {
    static BOMB: OnceLock<Bytes> = OnceLock::new();
    let bomb = BOMB.get_or_init(|| {
        let mut member = GzEncoder::new(Vec::new(), Compression::best());
        // Writing to memory does not fail.
        let _ = member.write_all(&vec![b' '; BOMB_MEMBER]);
        let member = member.finish().unwrap_or_default();
        // Members of a gzip file may stand one behind the other.
        member.repeat(BOMB_MEMBERS).into()
    });
    bomb.clone()
}

/// `text` with every character as `\u0068`.
pub(super) fn json_escaped(text: &str) -> String {
    text.encode_utf16().fold(String::new(), |mut out, unit| {
        let _ = write!(out, "\\u{unit:04x}");
        out
    })
}

/// `text` with every byte that is not a letter or a digit as `%2B`.
pub(super) fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() {
            out.push(byte.into());
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// `text` behind a user name, as in an `Authorization` header.
pub(super) fn basic(text: &str) -> String {
    STANDARD.encode(format!("user:{text}"))
}

/// A refusal in which what is meant for people is `text`.
pub(super) fn saying(mut refusal: Value, text: &str) -> Value {
    for member in ["message", "errorDescription"] {
        if let Some(message) = refusal.get_mut(member) {
            *message = text.into();
        }
    }
    refusal
}

/// The members of an answer, each with `text` in place of its text or number.
pub(super) fn all_saying(value: &Value, text: &str) -> Value {
    let Value::Object(members) = value else {
        return value.clone();
    };
    let members = members.iter().map(|(name, value)| {
        let value = match value {
            Value::String(_) | Value::Number(_) => text.into(),
            other => other.clone(),
        };
        (name.clone(), value)
    });
    Value::Object(members.collect::<Map<_, _>>())
}

/// A page as proxies send it.
pub(super) fn page(title: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html><head><title>{title}</title></head>\
         <body><h1>{title}</h1><hr>nginx</body></html>\n"
    )
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_bomb_is_small_and_becomes_large() {
        let bomb = bomb();
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
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(&duplicated(&answer)), answer);
        assert_eq!(extended(answer.clone())["taskId"], "7");
        assert_eq!(
            retyped(answer.clone(), true),
            json!({"errorId": "0", "taskId": "7", "solution": {"x": ["1", "2.5", "x"]}})
        );
        assert_eq!(
            retyped(answer.clone(), false),
            json!({"errorId": 0, "taskId": 7, "solution": {"x": [1, 2.5, "x"]}})
        );
        let beyond = beyond_u64(answer.clone());
        assert!(
            beyond.contains(r#""taskId":123456789012345678901"#),
            "{beyond}"
        );
        assert!(
            nested(&answer)
                .ends_with(r#"],"errorId":0,"solution":{"x":[1,"2.5","x"]},"taskId":"7"}"#)
        );
        assert!(std::str::from_utf8(&not_utf8(&answer)).is_err());
    }
}
