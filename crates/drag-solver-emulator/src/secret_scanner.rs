//! A token, and how to find it wherever it went.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// The shortest run of letters and digits of a token that cannot be there by chance.
const SHORTEST_PART: usize = 5;

/// Looks for one token in texts that must not hold it: errors, logs, what a command printed.
///
/// It is found plain, escaped as JSON, Rust, URLs and HTML do it, in base64 (wherever in the encoded
/// text it begins), and byte by byte. So is each run of five or more of its letters and digits: half
/// a token is a leak, too. Choose one with such runs, and with characters that need escaping.
///
/// ```
/// use drag_solver_emulator::SecretScanner;
///
/// let scanner = SecretScanner::new("q9Zv7+/k3y8s");
/// assert_eq!(scanner.find("key=q9Zv7%2B%2Fk3y8s"), Some("plain"));
/// assert_eq!(scanner.find(r"\u0071\u0039\u005a\u0076\u0037"), Some("escaped"));
/// assert_eq!(scanner.find("Basic dXNlcjpxOVp2NysvazN5OHM="), Some("base64"));
/// assert_eq!(scanner.find("no token here"), None);
/// ```
pub struct SecretScanner {
    parts: Vec<String>,
    /// What is looked for as it is, and what it is called.
    encoded: Vec<(String, &'static str)>,
}

impl SecretScanner {
    /// A scanner for `token`.
    #[must_use]
    pub fn new(token: &str) -> Self {
        let runs = token.split(|c: char| !c.is_ascii_alphanumeric());
        let runs = runs.filter(|run| run.len() >= SHORTEST_PART);
        let parts: Vec<_> = runs.chain([token]).map(str::to_owned).collect();
        let base64 = base64_forms(token).into_iter().map(|form| (form, "base64"));
        let bytes = parts.iter().flat_map(|part| {
            let part = part.as_bytes();
            let hex = format!("{part:02x?}").replace(['[', ']', ',', ' '], "");
            let list = format!("{part:?}").replace(['[', ']'], "");
            [list, hex.to_uppercase(), hex].map(|form| (form, "byte by byte"))
        });
        let encoded = base64.chain(bytes).collect();
        Self { parts, encoded }
    }

    /// How the token shows in `text`, if it does.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<&'static str> {
        let has = |text: &str| self.parts.iter().any(|part| text.contains(part));
        if has(text) {
            return Some("plain");
        }
        let escapes = [
            ("\\u", 4, "escaped"),
            ("&#x", 2, "escaped"),
            ("%", 2, "percent-encoded"),
        ];
        for (mark, digits, name) in escapes {
            if text.contains(mark) && has(&unescaped(text, mark, digits)) {
                return Some(name);
            }
        }
        let mut encoded = self.encoded.iter();
        encoded.find_map(|(form, how)| text.contains(form).then_some(*how))
    }
}

impl std::fmt::Debug for SecretScanner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretScanner")
    }
}

/// `text` with every `mark` and so many hexadecimal digits replaced by the character they stand for.
fn unescaped(text: &str, mark: &str, digits: usize) -> String {
    let mut parts = text.split(mark);
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..digits);
        match code.and_then(|code| u32::from_str_radix(code, 16).ok()) {
            Some(code) => {
                clean.extend(char::from_u32(code));
                clean.push_str(part[digits..].trim_start_matches(';'));
            }
            None => clean.push_str(part),
        }
    }
    clean
}

/// What base64 makes of the token alone, with any text before and behind it.
fn base64_forms(token: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for before in 0..3_usize {
        let text = [&vec![b' '; before][..], token.as_bytes()].concat();
        // The characters that hold bits of nothing but the token.
        let (first, last) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
        for encoded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
            let form = encoded.get(first..last).unwrap_or_default();
            if form.len() >= SHORTEST_PART {
                forms.push(form.to_owned());
            }
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn the_token_is_found_in_every_encoding() {
        let token = r#"q9Zv7"\/+=%&<'k3y8s"#;
        let scanner = SecretScanner::new(token);
        let json = serde_json::Value::from(token).to_string();
        let mut escaped = String::new();
        let mut percent = String::new();
        let mut html = String::new();
        for byte in token.bytes() {
            let _ = write!(escaped, "\\u{byte:04X}");
            let _ = write!(percent, "%{byte:02x}");
            let _ = write!(html, "&#x{byte:02x};");
        }
        for (text, how) in [
            (format!("key {token} is"), "plain"),
            (json, "plain"),
            (format!("{token:?}"), "plain"),
            (token[..6].to_owned(), "plain"),
            (format!("x{escaped}"), "escaped"),
            (format!("x{html}"), "escaped"),
            (format!("?key={percent}&"), "percent-encoded"),
            (format!("{:?}", token.as_bytes()), "byte by byte"),
            (
                format!("{:02X?}", token.as_bytes()).replace(", ", ""),
                "byte by byte",
            ),
        ] {
            assert_eq!(scanner.find(&text), Some(how), "{text}");
        }
        for before in ["", "u", "us", "user:", "user::"] {
            for behind in ["", "1", "22", "333"] {
                let text = format!("{before}{token}{behind}");
                for encoded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                    assert_eq!(scanner.find(&encoded), Some("base64"), "{encoded}");
                }
            }
        }
        assert_eq!(scanner.find("nothing % to \\u see: [113, 57] 100%"), None);
        assert!(!format!("{scanner:?}").contains("q9Zv7"));
    }
}
