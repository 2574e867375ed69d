//! The token, and how to find it wherever it went.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Full of characters that JSON, URLs and HTML write in another way.
pub(super) const TOKEN: &str = r#"q9Zv7"\/+=%&<'k3y8s"#;

/// Parts of it that every encoding but base64 and hexadecimal leaves alone: half a token is a leak.
const PARTS: [&str; 2] = ["q9Zv7", "k3y8s"];

/// How the token shows in `text`, if it does: plain, escaped for JSON or Rust, percent-encoded,
/// base64 (wherever it begins in what was encoded), or byte by byte.
pub(super) fn leak(text: &str) -> Option<&'static str> {
    let has_part = |text: &str| PARTS.iter().any(|part| text.contains(part));
    if has_part(text) {
        return Some("plain");
    }
    if text.contains("\\u") && has_part(&unescaped(text, "\\u", 4)) {
        return Some("escaped");
    }
    if text.contains('%') && has_part(&unescaped(text, "%", 2)) {
        return Some("percent-encoded");
    }
    if BASE64.iter().any(|form| text.contains(form)) {
        return Some("base64");
    }
    if BYTES.iter().any(|form| text.contains(form)) {
        return Some("byte by byte");
    }
    None
}

static BASE64: LazyLock<Vec<String>> = LazyLock::new(base64_forms);

static BYTES: LazyLock<[String; 3]> = LazyLock::new(|| {
    let part = PARTS[0].as_bytes();
    let bytes = format!("{part:?}").replace(['[', ']'], "");
    let hex = format!("{part:02x?}").replace(['[', ']', ',', ' '], "");
    [bytes, hex.to_uppercase(), hex]
});

/// `text` with every `mark` and so many hexadecimal digits replaced by the character they stand for.
fn unescaped(text: &str, mark: &str, digits: usize) -> String {
    let mut parts = text.split(mark);
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..digits);
        match code.and_then(|code| u32::from_str_radix(code, 16).ok()) {
            Some(code) => {
                clean.extend(char::from_u32(code));
                clean.push_str(&part[digits..]);
            }
            None => clean.push_str(part),
        }
    }
    clean
}

/// What base64 makes of the token alone, whatever stands before and behind it.
fn base64_forms() -> Vec<String> {
    let mut forms = Vec::new();
    for before in 0..3_usize {
        let text = [&vec![b' '; before][..], TOKEN.as_bytes()].concat();
        // The characters that hold bits of nothing but the token.
        let (first, last) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
        for encoded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
            forms.push(encoded[first..last].to_owned());
        }
    }
    forms
}

#[test]
fn the_token_is_found_in_every_encoding() {
    use std::fmt::Write as _;

    let json = serde_json::Value::from(TOKEN).to_string();
    let mut escaped = String::new();
    let mut percent = String::new();
    for byte in TOKEN.bytes() {
        let _ = write!(escaped, "\\u{byte:04X}");
        let _ = write!(percent, "%{byte:02x}");
    }
    for (text, how) in [
        (format!("key {TOKEN} is"), "plain"),
        (json, "plain"),
        (format!("{TOKEN:?}"), "plain"),
        (TOKEN[..6].to_owned(), "plain"),
        (format!("x{escaped}"), "escaped"),
        (format!("?key={percent}&"), "percent-encoded"),
        (format!("{:?}", TOKEN.as_bytes()), "byte by byte"),
        (
            format!("{:02X?}", TOKEN.as_bytes()).replace(", ", ""),
            "byte by byte",
        ),
    ] {
        assert_eq!(leak(&text), Some(how), "{text}");
    }
    for before in ["", "u", "us", "user:", "user::"] {
        for behind in ["", "1", "22", "333"] {
            let text = format!("{before}{TOKEN}{behind}");
            assert_eq!(leak(&STANDARD_NO_PAD.encode(&text)), Some("base64"));
            assert_eq!(leak(&URL_SAFE_NO_PAD.encode(&text)), Some("base64"));
        }
    }
    assert_eq!(leak("nothing % to \\u see: [113, 57] 100%"), None);
}
