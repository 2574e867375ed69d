//! JSON as services send it by mistake. One stray byte must not lose what was paid for.

use std::borrow::Cow;

/// How `NaN` and its kind are written. JSON has no such numbers.
const NO_NUMBERS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];

/// The body as text, made JSON again where it is clear what was meant: a byte order mark, blanks and
/// NULs around it go; bytes that are not UTF-8 become `U+FFFD`, control characters inside of texts
/// blanks, and numbers that are none `null`.
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
    use super::*;

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
