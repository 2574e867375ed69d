//! Answers that repeat the token.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};

use crate::ApiResponse;

/// What a token is replaced by. No word that a provider's message might be judged by.
const BLOT: &str = "[redacted]";

/// Base64 of less than this many characters is too short to be told from chance.
const SHORTEST_BASE64: usize = 8;

/// Blots `secret` out of an answer before anybody reads it, so that no message, id or status made of
/// it can hold the token: some services answer "Invalid key: ..." with the key in full.
///
/// Found as it is, escaped as JSON, URLs and HTML do it, each character in its own way, and in
/// base64, wherever in the encoded text it begins. A server that hides the token better than that
/// knows it and is not stopped from telling.
pub(crate) fn blot(answer: ApiResponse, secret: Option<&SecretString>) -> ApiResponse {
    let Some(secret) = secret.map(ExposeSecret::expose_secret) else {
        return answer;
    };
    if secret.is_empty() {
        return answer;
    }
    let mut answer = answer;
    if let Some(clean) = blotted(answer.body(), secret) {
        answer = answer.with_body(clean.into());
    }
    if let Some(clean) = answer
        .location()
        .and_then(|location| blotted(location.as_bytes(), secret))
    {
        // Only ASCII was replaced, so it is text as before.
        answer = answer.with_location(String::from_utf8(clean).ok());
    }
    answer
}

/// `text` without `secret`; `None` if it was not there.
fn blotted(text: &[u8], secret: &str) -> Option<Vec<u8>> {
    let mut clean = replace(text, secret.as_bytes(), |_| false);
    for form in base64_forms(secret) {
        let text = clean.as_deref().unwrap_or(text);
        clean = replace(text, form.as_bytes(), is_base64).or(clean);
    }
    clean
}

/// What base64, in both alphabets, makes of the secret alone, whatever stands before and behind it.
fn base64_forms(secret: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for before in 0..3_usize {
        let text = [&vec![0; before][..], secret.as_bytes()].concat();
        // The characters that hold bits of nothing but the secret.
        let (first, last) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
        for encoded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
            let form = encoded.get(first..last).unwrap_or_default();
            if form.len() >= SHORTEST_BASE64 && !forms.iter().any(|known| known == form) {
                forms.push(form.to_owned());
            }
        }
    }
    forms
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte)
}

/// Replaces `word`, however it is spelled, together with what `belongs` to it on both sides.
fn replace(text: &[u8], word: &[u8], belongs: impl Fn(u8) -> bool) -> Option<Vec<u8>> {
    let first = *word.first()?;
    let mut clean = Vec::new();
    let mut done = 0;
    let mut at = 0;
    while at < text.len() {
        let may_begin = text[at] == first || matches!(text[at], b'\\' | b'%' | b'&');
        let Some(end) = may_begin.then(|| spelled(text, at, word)).flatten() else {
            at += 1;
            continue;
        };
        let before = text[done..at].iter().rev().take_while(|&&b| belongs(b));
        let start = at - before.count();
        let end = end + text[end..].iter().take_while(|&&b| belongs(b)).count();
        clean.extend_from_slice(&text[done..start]);
        clean.extend_from_slice(BLOT.as_bytes());
        (done, at) = (end, end);
    }
    if done == 0 {
        return None;
    }
    clean.extend_from_slice(&text[done..]);
    Some(clean)
}

/// Where `word` ends if it begins at `at`.
fn spelled(text: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    // A backslash may be a character or escape the next one: every reading is followed.
    let mut ends = vec![at];
    for &byte in word {
        let mut next = Vec::new();
        for end in ends {
            let rest = &text[end..];
            let plain = (rest.first() == Some(&byte)).then_some(1);
            for length in plain.into_iter().chain(escape(rest, byte)) {
                if !next.contains(&(end + length)) {
                    next.push(end + length);
                }
            }
        }
        if next.is_empty() {
            return None;
        }
        ends = next;
    }
    ends.into_iter().max()
}

/// Most backslashes in a row that are taken for one escape: JSON in JSON in JSON has 7.
const MAX_BACKSLASHES: usize = 8;

/// How long the escape is that `text` begins with, if it stands for `byte`.
fn escape(text: &[u8], byte: u8) -> Option<usize> {
    let backslashes = text
        .iter()
        .take(MAX_BACKSLASHES)
        .take_while(|&&b| b == b'\\');
    match backslashes.count() {
        // A service that quotes the request inside its answer escapes the escape.
        more @ 2.. if byte != b'\\' => {
            let extra = more - 1;
            Some(extra + simple_escape(text.get(extra..)?, byte)?)
        }
        _ => simple_escape(text, byte),
    }
}

fn simple_escape(text: &[u8], byte: u8) -> Option<usize> {
    match text {
        [b'\\', b'u' | b'U', ..] => (number(text.get(2..6)?, 16)? == u32::from(byte)).then_some(6),
        [b'\\', escaped, ..] => (*escaped == byte).then_some(2),
        [b'%', ..] => (number(text.get(1..3)?, 16)? == u32::from(byte)).then_some(3),
        [b'&', ..] => {
            // The longest of those that stand for ASCII are `&#x000026;` and the like.
            let end = text.iter().take(12).position(|&b| b == b';')?;
            let stands_for = match &text[1..end] {
                b"amp" => u32::from(b'&'),
                b"lt" => u32::from(b'<'),
                b"gt" => u32::from(b'>'),
                b"quot" => u32::from(b'"'),
                b"apos" => u32::from(b'\''),
                [b'#', b'x' | b'X', digits @ ..] => number(digits, 16)?,
                [b'#', digits @ ..] => number(digits, 10)?,
                _ => return None,
            };
            (stands_for == u32::from(byte)).then_some(end + 1)
        }
        _ => None,
    }
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(secret: &str, body: &str) -> String {
        let secret = SecretString::from(secret);
        let answer = blot(ApiResponse::new(200, body.to_owned()), Some(&secret));
        String::from_utf8(answer.body().to_vec()).unwrap()
    }

    #[test]
    fn every_spelling_of_the_token_goes() {
        let gone = "[redacted]";
        assert_eq!(clean("k/1", "k/1 k\\/1k/1"), format!("{gone} {gone}{gone}"));
        assert_eq!(
            clean("a\"b", r#"{"m":"bad a\"b"}"#),
            r#"{"m":"bad [redacted]"}"#
        );
        for spelling in [
            r"k+\/1<",
            r"\u006B\u002b\u002f\u0031\u003C",
            r"k\u002b/1<",
            "k%2B%2f1%3C",
            "%6b%2B/1<",
            "k&#43;&#x2F;1&lt;",
            "k+/1&LT;".to_lowercase().as_str(),
        ] {
            let body = format!("bad {spelling}!");
            assert_eq!(clean("k+/1<", &body), "bad [redacted]!", "{spelling}");
        }
        assert_eq!(clean("abc", "ab c a%62 %6"), "ab c a%62 %6");
        assert_eq!(clean("", "ab c"), "ab c");
    }

    #[test]
    fn backslashes_are_read_both_ways() {
        for body in [r"\\", r"\\\\", r"\\\", r"\u005c\"] {
            assert_eq!(clean(r"\\", body), "[redacted]", "{body}");
        }
        assert_eq!(clean(r"\\", r"\"), r"\");
    }

    #[test]
    fn a_token_quoted_twice_over_goes() {
        for quoted in [
            r"hunter2\\/9",
            r"hunter2\\\/9",
            r"hunter2\\u002f9",
            r"\\u0068unter2/9",
        ] {
            assert_eq!(clean("hunter2/9", quoted), BLOT, "{quoted}");
        }
        // And is not looked for in more time than the body has bytes.
        let flood = "\\".repeat(1024 * 1024);
        assert_eq!(clean("hunter2/9", &flood), flood);
    }

    #[test]
    fn base64_of_the_token_goes_wherever_it_begins() {
        let secret = "hunter2+/?>";
        for before in ["", "u", "us", "user:"] {
            let text = format!("{before}{secret}!");
            for encoded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                assert_eq!(clean(secret, &format!("<{encoded}=>")), "<[redacted]>");
                let escaped = encoded.replace('/', r"\/");
                let left = clean(secret, &format!("<{escaped}>"));
                assert!(left.contains("[redacted]"), "{escaped} -> {left}");
            }
        }
        assert_eq!(clean(secret, "aHVudGVy"), "aHVudGVy");
    }

    #[test]
    fn a_redirects_target_is_blotted_too() {
        let secret = SecretString::from("hunter2/");
        let answer = ApiResponse::new(302, "").with_location(Some("/é?key=hunter2%2F".into()));
        let answer = blot(answer, Some(&secret));
        assert_eq!(answer.location(), Some("/é?key=[redacted]"));
    }
}
