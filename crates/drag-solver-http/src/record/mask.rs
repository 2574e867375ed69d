//! Secrets in what is recorded: each is replaced where it stands, and the rest is kept.
//!
//! [`redact`](crate::redact) gives up a whole text in which a secret is escaped or encoded. An answer that is
//! to be played back has to stay one, so here the place of each is found, in the same spellings.

use std::borrow::Cow;
use std::iter::repeat_n;
use std::ops::Range;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::redact::{
    LONGEST_CHANCE, MASK, MAX_ESCAPED, SHORTEST_START, base64_forms, redact, spellings, unescape,
    with_pluses,
};

/// What a secret is replaced by that an id of a job may hold by chance. Played back, such an id is still one:
/// with the other mask it would be taken for the token in place of an id.
pub(crate) const SHORT_MASK: &str = "[masked]";

/// A secret of fewer characters, a user's name say, is masked only where it is a word, and one of digits where
/// it is all there is, or from four on in quotes: they are part of other words and of numbers by chance.
const SHORTEST_PART: usize = 6;

/// What an account may not show in a recording.
#[derive(Default)]
pub(super) struct Masker {
    secrets: Vec<Words>,
    /// What a provider is to call begins with this, and ends with what that job's provider alone knows.
    calls_below: Option<String>,
}

/// One secret in its spellings.
struct Words {
    secret: SecretString,
    plain: Vec<String>,
    base64: Vec<String>,
    mask: &'static str,
}

/// A text with escapes undone, and where its bytes are in the text that it was made of.
struct Spelling {
    text: String,
    starts: Vec<usize>,
}

impl Masker {
    pub(super) fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let words = |secret: &SecretString| {
            let plain = secret.expose_secret().trim();
            if plain.is_empty() {
                return None;
            }
            let spelled = spellings(plain).filter(|word| word.len() >= SHORTEST_START);
            let is_long = plain.len() >= LONGEST_CHANCE;
            Some(Words {
                secret: secret.clone(),
                plain: std::iter::once(plain.to_owned())
                    .chain(spelled)
                    .chain(with_pluses(plain))
                    .collect(),
                base64: if plain.len() >= SHORTEST_PART {
                    base64_forms(plain)
                } else {
                    Vec::new()
                },
                mask: if is_long { MASK } else { SHORT_MASK },
            })
        };
        let mut secrets: Vec<_> = secrets.into_iter().filter_map(words).collect();
        // One may be a part of another.
        secrets.sort_by_key(|words| std::cmp::Reverse(words.plain[0].len()));
        Self {
            secrets,
            calls_below: None,
        }
    }

    /// The same, and what stands behind this address is no other's business.
    pub(super) fn with_calls_below(mut self, url: Option<&str>) -> Self {
        self.calls_below = url.map(|url| format!("{url}/"));
        self
    }

    /// `text` without the secrets.
    pub(super) fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.masked(text, false)
    }

    /// Whether there is a secret in `text`.
    pub(super) fn is_shown(&self, text: &str) -> bool {
        self.text(text) != text
    }

    /// The text of some JSON without the secrets. It stays JSON: within a bare number, ones take the place
    /// of a secret's digits.
    pub(super) fn json<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let masked = self.masked(text, false);
        let is_json = |text: &str| serde_json::from_str::<Value>(text).is_ok();
        if masked == text || is_json(&masked) {
            return masked;
        }
        self.masked(text, true)
    }

    /// A value without the secrets, in its keys, texts and numbers.
    pub(super) fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => self.text(&text).into_owned().into(),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => members
                .into_iter()
                .map(|(name, value)| (self.text(&name).into_owned(), self.value(value)))
                .collect(),
            Value::Number(number) => {
                let text = number.to_string();
                match self.masked(&text, true) {
                    masked if masked == text => number.into(),
                    masked => serde_json::from_str(&masked).unwrap_or_default(),
                }
            }
            other => other,
        }
    }

    fn masked<'a>(&self, text: &'a str, in_numbers: bool) -> Cow<'a, str> {
        let mut clean = Cow::Borrowed(text);
        if let Some(url) = &self.calls_below
            && text.contains(url)
        {
            clean = without_calls(text, url).into();
        }
        for words in &self.secrets {
            let places = words.places(&clean, in_numbers);
            if !places.is_empty() {
                clean = replaced(&clean, &places).into();
            }
            // What is not found by its place is found all the same.
            let is_shown = words.plain[0].len() >= SHORTEST_PART
                && redact(&clean, &[&words.secret]) != clean.as_ref();
            if is_shown {
                return words.mask.into();
            }
        }
        clean
    }
}

impl Words {
    /// Where the secret is, and what takes its place.
    fn places(&self, text: &str, in_numbers: bool) -> Vec<(Range<usize>, String)> {
        let mut places = Vec::new();
        let mut level = Some(Spelling {
            text: text.to_owned(),
            starts: (0..=text.len()).collect(),
        });
        for _ in 0..=MAX_ESCAPED {
            let Some(spelling) = level else { break };
            for word in &self.plain {
                for (start, _) in spelling.text.match_indices(word.as_str()) {
                    let end = start + word.len();
                    if let Some(mask) = self.mask_at(&spelling.text, start..end, in_numbers) {
                        places.push((spelling.range(start, end), mask));
                    }
                }
            }
            for form in &self.base64 {
                for (start, _) in spelling.text.match_indices(form.as_str()) {
                    // Its neighbours hold bits of it, too.
                    let run = base64_run(&spelling.text, start..start + form.len());
                    let range = spelling.range(run.start, run.end);
                    places.push((range, self.mask.to_owned()));
                }
            }
            level = spelling.unescaped();
        }
        places.sort_by_key(|(range, _)| range.start);
        places
    }

    fn mask_at(&self, text: &str, at: Range<usize>, in_numbers: bool) -> Option<String> {
        let before = text[..at.start].chars().next_back();
        let behind = text[at.end..].chars().next();
        let next_to = |is: fn(&char) -> bool| before.filter(is).or(behind.filter(is)).is_some();
        let is_number = text[at.clone()].bytes().all(|byte| byte.is_ascii_digit());
        if at.len() < SHORTEST_PART {
            let is_whole = at.len() == text.trim().len() && !in_numbers;
            let is_quoted =
                (before, behind) == (Some('"'), Some('"')) && at.len() >= SHORTEST_START;
            let is_word = (!is_number || is_quoted) && !next_to(|c| c.is_alphanumeric());
            return (is_whole || is_word).then(|| self.mask.to_owned());
        }
        // Part of a longer number, an id or a price: it stays a number, and each its own.
        if is_number && (in_numbers || next_to(char::is_ascii_digit)) {
            return Some("1".repeat(at.len()));
        }
        Some(self.mask.to_owned())
    }
}

impl Spelling {
    /// Where the bytes from `start` to `end` come from.
    fn range(&self, start: usize, end: usize) -> Range<usize> {
        self.starts[start]..self.starts[end]
    }

    /// With every escape replaced by what it stands for; `None` if there is none.
    fn unescaped(&self) -> Option<Self> {
        let mut plain = Self {
            text: String::with_capacity(self.text.len()),
            starts: Vec::with_capacity(self.starts.len()),
        };
        for (at, c) in unescape(&self.text) {
            plain.text.push(c);
            let start = self.starts[at];
            plain.starts.extend(repeat_n(start, c.len_utf8()));
        }
        plain.starts.push(self.starts[self.text.len()]);
        (plain.text != self.text).then_some(plain)
    }
}

/// The text with a mask for the last part of each address below `url`.
fn without_calls(text: &str, url: &str) -> String {
    let mut parts = text.split(url);
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        clean.push_str(url);
        clean.push_str(if rest.len() < part.len() {
            SHORT_MASK
        } else {
            ""
        });
        clean.push_str(rest);
    }
    clean
}

/// The whole word of base64 around `at`.
fn base64_run(text: &str, at: Range<usize>) -> Range<usize> {
    let bytes = text.as_bytes();
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(byte);
    let before = bytes[..at.start].iter().rev().take_while(is_part).count();
    let behind = bytes[at.end..].iter().take_while(is_part).count();
    at.start - before..at.end + behind
}

fn replaced(text: &str, places: &[(Range<usize>, String)]) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut done = 0;
    for (range, mask) in places {
        if range.end <= done {
            continue;
        }
        // The rest of one that overlaps goes with it.
        if range.start >= done {
            clean.push_str(&text[done..range.start]);
            clean.push_str(mask);
        }
        done = range.end;
    }
    clean.push_str(&text[done..]);
    clean
}

/// Whether `text` is what was recorded as `masked`, with anything in the place of a mask.
pub(super) fn is_of_mask(masked: &str, text: &str) -> bool {
    let masked = masked.replace(SHORT_MASK, MASK);
    let Some((first, masked)) = masked.split_once(MASK) else {
        return masked == text;
    };
    let (middle, last) = masked.rsplit_once(MASK).unwrap_or(("", masked));
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    for part in middle.split(MASK) {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

    use super::*;

    const LONG: &str = r#"q9Zv7"\/+=%&<'k3y8s"#;

    fn clean(secret: &str, text: &str) -> String {
        let secret = SecretString::from(secret);
        Masker::new([&secret]).text(text).into_owned()
    }

    #[test]
    fn only_the_secret_goes_in_every_spelling() {
        let mut escaped = String::new();
        for byte in LONG.bytes() {
            let _ = write!(escaped, "\\u{byte:04x}");
        }
        let quoted = json!(LONG).to_string();
        let quoted = &quoted[1..quoted.len() - 1];
        let twice = json!(quoted).to_string();
        for spelling in [
            LONG,
            &escaped,
            quoted,
            &twice[1..twice.len() - 1],
            "q9Zv7%22%5C%2F%2B%3D%25%26%3C%27k3y8s",
            "q9Zv7&quot;\\/+=%&amp;&lt;&#39;k3y8s",
        ] {
            let text = format!(r#"{{"id": 7, "m": "bad key {spelling}, sorry"}}"#);
            let expected = r#"{"id": 7, "m": "bad key [redacted], sorry"}"#;
            assert_eq!(clean(LONG, &text), expected, "{spelling}");
        }
        for before in ["", "u", "us", "user:"] {
            let encoded = STANDARD.encode(format!("{before}{LONG}!"));
            let text = format!("Basic {encoded}, it was");
            assert_eq!(clean(LONG, &text), "Basic [redacted], it was");
        }
    }

    #[test]
    fn a_secret_that_is_not_ascii_goes_and_nothing_else() {
        for spelling in [
            "pä ß😀9",
            "p%C3%A4%20%c3%9f%F0%9F%98%809",
            "p%C3%A4+%C3%9F%F0%9F%98%809",
            r"p\u00e4 \u00df\ud83d\ude009",
            r"p\\u00e4 \\u00df\\ud83d\\ude009",
        ] {
            assert_eq!(
                clean("pä ß😀9", &format!("x%C3{spelling}&é")),
                "x%C3[masked]&é",
                "{spelling}"
            );
        }
    }

    #[test]
    fn what_is_called_is_masked_and_its_address_stays() {
        let masker = Masker::default().with_calls_below(Some("https://me.example/callbacks"));
        let url = "https://me.example/callbacks/00ff00ff00ff00ff00ff00ff00ff00ff";
        assert_eq!(
            masker.text(&format!(
                "call {url}, or {url}?a=b; https://me.example/callbacks/"
            )),
            "call https://me.example/callbacks/[masked], or https://me.example/callbacks/[masked]?a=b; \
             https://me.example/callbacks/"
        );
        let value = masker.value(json!({"callbackUrl": url}));
        assert!(is_of_mask(value["callbackUrl"].as_str().unwrap(), url));
    }

    #[test]
    fn several_secrets_go_and_one_may_be_part_of_another() {
        let secrets = ["hunter2", "hunter2-hunter2-hunter2"].map(SecretString::from);
        let masker = Masker::new(&secrets);
        let text = masker.text("a hunter2 b hunter2-hunter2-hunter2 c");
        assert_eq!(text, "a [masked] b [redacted] c");
    }

    #[test]
    fn numbers_stay_numbers_and_ids_differ() {
        let secret = SecretString::from("1234567");
        let masker = Masker::new([&secret]);
        let created = masker.json(r#"{"id":12345678,"key":"1234567","price":0.1}"#);
        assert_eq!(created, r#"{"id":11111118,"key":"[masked]","price":0.1}"#);
        assert_eq!(masker.json(r#"{"id":1234567}"#), r#"{"id":1111111}"#);
        assert_eq!(
            masker.text("OK|12345678 or 12345679"),
            "OK|11111118 or 11111119"
        );
        let value = masker.value(json!({"id": 12_345_678, "1234567": [null, "a 1234567"]}));
        assert_eq!(
            value,
            json!({"id": 11_111_118, "[masked]": [null, "a [masked]"]})
        );
    }

    #[test]
    fn a_short_secret_is_masked_as_a_word_alone() {
        assert_eq!(
            clean("bob", "user bob, bobsled, \"bob\""),
            "user [masked], bobsled, \"[masked]\""
        );
        let digits = SecretString::from("83");
        let masker = Masker::new([&digits]);
        for untouched in [r#"{"x":83.5,"y":83}"#, "x=83,y=560"] {
            assert_eq!(masker.json(untouched), untouched);
        }
        let value = masker.value(json!({"user": "83", "x": 83}));
        assert_eq!(value, json!({"user": "[masked]", "x": 83}));
        assert_eq!(clean(" ", "a b"), "a b");
        assert_eq!(clean("83", "83\r\n"), "[masked]\r\n");
        // One of four digits is seldom a whole text by chance.
        let pin = SecretString::from("4711");
        let masker = Masker::new([&pin]);
        let told = r#"{"pin":"4711","x":4711,"at":"4711,83","in":"{\"pin\":\"4711\"}"}"#;
        assert_eq!(
            masker.json(told),
            r#"{"pin":"[masked]","x":4711,"at":"4711,83","in":"{\"pin\":\"[masked]\"}"}"#
        );
        assert_eq!(Masker::new([&digits]).json(r#"["83"]"#), r#"["83"]"#);
    }

    #[test]
    fn hostile_text_takes_no_more_time_than_it_has_bytes() {
        for flood in ["\\", "%25", "&amp;", "q9Zv7", "%u00"] {
            let flood = flood.repeat(256 * 1024 / flood.len());
            assert!(!clean(LONG, &flood).is_empty());
        }
    }

    #[test]
    fn a_mask_stands_for_anything() {
        for (masked, text, is_it) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("[redacted]", "hunter2", true),
            ("Bearer [redacted]", "Bearer x", true),
            ("Bearer [redacted]", "Basic x", false),
            ("a[redacted]b[masked]c", "a1b2c", true),
            ("a[redacted]b[masked]c", "a12c", false),
            ("ab[redacted]ba", "aba", false),
        ] {
            assert_eq!(is_of_mask(masked, text), is_it, "{masked} {text}");
        }
    }
}
