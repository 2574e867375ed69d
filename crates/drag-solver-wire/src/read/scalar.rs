//! Values that are a text from one client and a number from another, and the JSON that they are in.

use serde_json::Value;

/// Longest id that is looked for, in bytes.
const MAX_ID: usize = 64;

/// Values that are read out of one body, at most: in memory each takes many times the two bytes that it has in
/// a hostile one.
const MAX_VALUES: usize = 10_000;

/// The JSON in `bytes`; null if it is none, or far more than clients send.
pub(super) fn json(bytes: &[u8]) -> Value {
    let begins_value = |byte: &&u8| matches!(byte, b',' | b'[' | b'{');
    if bytes.iter().filter(begins_value).count() > MAX_VALUES {
        return Value::Null;
    }
    serde_json::from_slice(bytes).unwrap_or_default()
}

/// A text, or a number or truth value as one: `1` for true. Nothing else has a text.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(is_true) => Some(u8::from(*is_true).to_string()),
        Value::Number(_) => whole(value).or_else(|| Some(value.to_string())),
        _ => None,
    }
}

/// A whole number, sent as one, as a float or as a text.
pub(super) fn number(value: &Value) -> Option<u64> {
    text(value)?.trim().parse().ok()
}

/// A job's id, sent as a number or as a text.
pub(super) fn id(value: &Value) -> Option<String> {
    let id = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(_) => whole(value)?,
        _ => return None,
    };
    let is_id = (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    is_id.then_some(id)
}

/// The digits of a whole number. A float that is whole counts as one.
fn whole(value: &Value) -> Option<String> {
    if let Some(number) = value.as_u64() {
        return Some(number.to_string());
    }
    let number = value.as_f64()?;
    let is_whole = number.fract() == 0.0 && (0.0..9e15).contains(&number);
    is_whole.then(|| format!("{number:.0}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_id_is_a_number_or_a_text() {
        let uuid = "49f9f60a-c809-4af0-93c0-0409b72e67e0";
        let most = (1_u64 << 53) + 1;
        for (sent, read) in [
            (json!(70_000_000_001_u64), Some("70000000001")),
            (json!("70000000001"), Some("70000000001")),
            (json!(" 7\n"), Some("7")),
            (json!(7.0), Some("7")),
            (json!(most), Some("9007199254740993")),
            (json!(uuid), Some(uuid)),
            (json!(null), None),
            (json!(""), None),
            (json!(7.5), None),
            (json!(-1), None),
            (json!([7]), None),
            (json!("a b"), None),
            (json!("7".repeat(65)), None),
        ] {
            assert_eq!(id(&sent).as_deref(), read, "{sent}");
        }
    }

    #[test]
    fn far_too_many_values_are_not_read() {
        let list = |length: usize| json(format!("[{}0]", "0,".repeat(length)).as_bytes());
        assert!(list(MAX_VALUES - 1).is_array());
        assert!(list(MAX_VALUES).is_null());
    }

    #[test]
    fn a_number_may_be_a_text() {
        for (sent, read) in [
            (json!(340), Some(340)),
            (json!("340"), Some(340)),
            (json!(340.0), Some(340)),
            (json!(true), Some(1)),
            (json!("wide"), None),
            (json!(-1), None),
            (json!(null), None),
        ] {
            assert_eq!(number(&sent), read, "{sent}");
        }
    }
}
