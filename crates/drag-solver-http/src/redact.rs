//! Text that may repeat a secret: some services answer "Invalid key: ..." with the key in full.
//!
//! Responses are parsed as they came, so that a token which happens to occur in one changes no id,
//! status or number. What is shown to people is masked here, in every spelling that services are known
//! to use: as it is, escaped as JSON, URLs and HTML do it, and in base64. A server that hides the token
//! better than that knows it and is not stopped from telling.

use std::borrow::Cow;
use std::error::Error;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use drag_solver_core::{JobId, SolveError};
use secrecy::{ExposeSecret as _, SecretString};

/// What a secret is replaced by. No word that a provider's message might be judged by.
pub(crate) const MASK: &str = "[redacted]";

/// Base64 of less than this many characters is too short to be told from chance.
const SHORTEST_BASE64: usize = 8;

/// The first characters of a secret at the end of a text that was cut: fewer say nothing.
pub(crate) const SHORTEST_START: usize = 4;

/// No id of a job holds so many characters of a token by chance.
pub(crate) const LONGEST_CHANCE: usize = 16;

/// How often escapes are undone: JSON in JSON in JSON, say.
pub(crate) const MAX_ESCAPED: usize = 8;

/// What escapes begin with: those of JSON, of URLs and of HTML.
const ESCAPES: [char; 3] = ['\\', '%', '&'];

/// `text` without any of `secrets`. Where one is escaped or encoded, nothing is left of the text.
pub(crate) fn redact<'a>(text: &'a str, secrets: &[&SecretString]) -> Cow<'a, str> {
    let mut clean = Cow::Borrowed(text);
    for secret in trimmed(secrets) {
        if clean.contains(secret) {
            clean = clean.replace(secret, MASK).into();
        }
        if let Some(start) = cut_secret(&clean, secret) {
            clean = format!("{}{MASK}…", &clean[..start]).into();
        }
        if hides(&clean, secret) {
            return MASK.into();
        }
    }
    clean
}

/// `error` without any of `secrets`, in its message and in its sources: of those, the text is left.
pub(crate) fn redact_error(error: SolveError, secrets: &[&SecretString]) -> SolveError {
    let message = redact(error.message(), secrets).into_owned();
    let sources = std::iter::successors(error.source(), |&source| source.source());
    let sources: Vec<_> = sources.map(|e| (e.to_string(), format!("{e:?}"))).collect();
    let error = error.with_message(message);
    if !sources
        .iter()
        .any(|(text, debug)| shows(text, secrets) || shows(debug, secrets))
    {
        return error;
    }
    let texts: Vec<_> = sources
        .iter()
        .map(|(text, _)| redact(text, secrets))
        .collect();
    error.with_source(texts.join(": "))
}

/// Whether a token stands in the place of a job's id, where errors and logs would show it.
pub(crate) fn is_echo(job: &JobId, secrets: &[&SecretString]) -> bool {
    let is_long = |secret: &&&SecretString| secret.expose_secret().len() >= LONGEST_CHANCE;
    let long: Vec<_> = secrets.iter().filter(is_long).copied().collect();
    // A recording that is played back has the mask in that place.
    job.as_str().contains(MASK) || shows(job.as_str(), &long)
}

fn shows(text: &str, secrets: &[&SecretString]) -> bool {
    redact(text, secrets) != text
}

fn trimmed<'a>(secrets: &'a [&SecretString]) -> impl Iterator<Item = &'a str> {
    let trimmed = secrets.iter().map(|secret| secret.expose_secret().trim());
    trimmed.filter(|secret| !secret.is_empty())
}

/// Where the beginning of the secret is, if the text was cut right behind it.
fn cut_secret(text: &str, secret: &str) -> Option<usize> {
    let text = text.strip_suffix('…')?;
    let starts = (SHORTEST_START..secret.len()).rev();
    let mut starts = starts.filter_map(|length| secret.get(..length));
    let start = starts.find(|start| text.ends_with(start))?;
    Some(text.len() - start.len())
}

/// Whether the secret is in the text in another spelling.
fn hides(text: &str, secret: &str) -> bool {
    let mut words = base64_forms(secret);
    words.push(secret.to_owned());
    // Of a secret that has escapes in it, these may have been undone too.
    words.extend(spellings(secret).filter(|word| word.len() >= SHORTEST_START));
    words.extend(with_pluses(secret));
    let is_there = |spelling: &str| words.iter().any(|word| spelling.contains(word));
    is_there(text) || spellings(text).any(|spelling| is_there(&spelling))
}

/// The secret as web forms have it, if there is a blank in it: their other escapes are undone like those of URLs.
pub(crate) fn with_pluses(secret: &str) -> Option<String> {
    secret.contains(' ').then(|| secret.replace(' ', "+"))
}

/// What base64, in both alphabets, makes of the secret alone, wherever in the encoded text it begins.
pub(crate) fn base64_forms(secret: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for before in 0..3_usize {
        let text = [&vec![0; before][..], secret.as_bytes()].concat();
        // The characters that hold bits of nothing but the secret.
        let (first, last) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
        for encoded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
            let form = encoded.get(first..last).unwrap_or_default();
            if form.len() >= SHORTEST_BASE64 {
                forms.push(form.to_owned());
            }
        }
    }
    forms
}

/// The text with its escapes undone once, twice, and so on until there are none.
pub(crate) fn spellings(text: &str) -> impl Iterator<Item = String> {
    let first = unescaped(text);
    std::iter::successors(first, |spelling| unescaped(spelling)).take(MAX_ESCAPED)
}

/// The text with every escape replaced by what it stands for; `None` if there is none.
fn unescaped(text: &str) -> Option<String> {
    if !text.contains(ESCAPES) {
        return None;
    }
    let plain: String = unescape(text).map(|(_, c)| c).collect();
    (plain != text).then_some(plain)
}

/// The characters of a text and where each begins, with every escape as what it stands for.
pub(crate) fn unescape(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let (at, rest) = (next, &text[next..]);
        let c = rest.chars().next()?;
        let escape = ESCAPES.contains(&c).then(|| escape(rest)).flatten();
        // What is no escape stands for itself.
        let (c, length) = escape.unwrap_or((c, c.len_utf8()));
        next += length;
        Some((at, c))
    })
}

/// What the escape that `text` begins with stands for, and how long it is.
fn escape(text: &str) -> Option<(char, usize)> {
    let number = |digits: &str, radix| {
        let code = u32::from_str_radix(digits, radix).ok()?;
        char::from_u32(code)
    };
    let behind = text.get(1..)?;
    match text.as_bytes()[0] {
        b'\\' => match behind.chars().next()? {
            'u' | 'U' => number(behind.get(1..5)?, 16)
                .map(|c| (c, 6))
                .or_else(|| surrogates(text)),
            c => Some((c, 1 + c.len_utf8())),
        },
        b'%' => percent_utf8(text).or_else(|| number(behind.get(..2)?, 16).map(|c| (c, 3))),
        _ => {
            let name = &behind[..behind.find(';')?];
            let c = match name {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                _ => match name.strip_prefix('#')?.strip_prefix(['x', 'X']) {
                    Some(digits) => number(digits, 16)?,
                    None => number(&name[1..], 10)?,
                },
            };
            Some((c, name.len() + 2))
        }
    }
}

/// What two halves stand for, as JSON escapes a character beyond U+FFFF.
fn surrogates(text: &str) -> Option<(char, usize)> {
    let half = |at: usize| {
        let is_escape = matches!(text.get(at..at + 2)?, "\\u" | "\\U");
        let digits = text.get(at + 2..at + 6).filter(|_| is_escape)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let c = char::decode_utf16([half(0)?, half(6)?]).next()?.ok()?;
    Some((c, 12))
}

/// The character that a URL has as the two to four bytes of its UTF-8.
fn percent_utf8(text: &str) -> Option<(char, usize)> {
    let byte = |index: usize| {
        let escape = text.get(3 * index..3 * index + 3)?;
        u8::from_str_radix(escape.strip_prefix('%')?, 16).ok()
    };
    let length = match byte(0)? {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let bytes: Vec<u8> = (0..length).map_while(byte).collect();
    let c = std::str::from_utf8(&bytes).ok()?.chars().next()?;
    Some((c, 3 * length))
}

#[cfg(test)]
mod tests {
    use drag_solver_core::ErrorKind;

    use super::*;

    fn clean(secret: &str, text: &str) -> String {
        redact(text, &[&SecretString::from(secret)]).into_owned()
    }

    #[test]
    fn every_spelling_of_the_token_goes() {
        assert_eq!(
            clean("k/1", "k/1 k/1k/1!"),
            "[redacted] [redacted][redacted]!"
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
            let text = format!("bad {spelling}!");
            assert_eq!(clean("k+/1<", &text), MASK, "{spelling}");
        }
        assert_eq!(clean("a\"b", r#"{"m":"bad a\"b"}"#), MASK);
        for harmless in [
            "ab c a%62 %6",
            r"ab\u00 \u \",
            "&; &# &#x; &amp",
            "%é",
            r"\é",
        ] {
            assert_eq!(clean("abc", harmless), harmless);
        }
        assert_eq!(clean("", "ab c"), "ab c");
        assert_eq!(clean(" \n", "ab c\n"), "ab c\n");
        assert_eq!(clean("hunter2\n", "bad hunter2 "), "bad [redacted] ");
    }

    #[test]
    fn a_secret_that_is_not_ascii_goes_in_every_spelling() {
        for spelling in [
            "pä ß😀9",
            "p%C3%A4%20%c3%9f%F0%9F%98%809",
            "p%C3%A4+%C3%9F%F0%9F%98%809",
            "p%25C3%25A4%2520%25C3%259F%25F0%259F%2598%25809",
            r"p\u00e4 \u00df\ud83d\uDE009",
            r"p\\u00e4 \\u00df\\ud83d\\ude009",
            "p&#228; &#xDF;&#128512;9",
            "p%E4 ß😀9",
        ] {
            let shown = clean("pä ß😀9", &format!("bad {spelling}!"));
            assert!(
                ["bad [redacted]!", MASK].contains(&&*shown),
                "{spelling}: {shown}"
            );
        }
        for harmless in [
            "%C3",
            "%C3%",
            "%C3%4",
            "%F0%9F",
            r"\ud83d",
            r"\ud83d\u0041",
            "%C3é",
            r"\ud83d\ué",
        ] {
            assert_eq!(clean("abc", harmless), harmless);
        }
    }

    #[test]
    fn backslashes_are_read_both_ways() {
        for text in [r"\\", r"\\\\", r"\\\", r"\u005c\"] {
            assert!(!clean(r"\\", text).contains(r"\\"), "{text}");
        }
        assert_eq!(clean(r"\\", r"\"), r"\");
        let token = r#"q9Zv7"\/+=%&<'k3y8s"#;
        for text in [
            r#"q9Zv7\"\\/+=%&<'k3y8s"#,
            r#"q9Zv7\"\\\/+=%&<'k3y8s"#,
            r"q9Zv7&quot;\/+=%25&amp;&lt;'k3y8s",
            r#"\u00719Zv7"\/+=%&<'k3y8s"#,
            r#"q9Zv7\\\"\\\\\\/+=%&<'k3y8s"#,
        ] {
            assert_eq!(clean(token, text), MASK, "{text}");
        }
    }

    #[test]
    fn a_token_quoted_twice_over_goes() {
        for quoted in [
            r"hunter2\\/9",
            r"hunter2\\\/9",
            r"hunter2\\u002f9",
            r"\\u0068unter2/9",
            "hunter2%25252f9",
        ] {
            assert_eq!(clean("hunter2/9", quoted), MASK, "{quoted}");
        }
        // And is not looked for in more time than the text has bytes.
        for flood in ["\\", "%25", "&amp;"] {
            let flood = flood.repeat(64 * 1024 / flood.len());
            assert_eq!(clean("hunter2/9", &flood), flood);
        }
    }

    #[test]
    fn base64_of_the_token_goes_wherever_it_begins() {
        let secret = "hunter2+/?>";
        for before in ["", "u", "us", "user:"] {
            let text = format!("{before}{secret}!");
            for encoded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                assert_eq!(clean(secret, &format!("<{encoded}=>")), MASK);
                let escaped = encoded.replace('/', r"\/");
                assert_eq!(clean(secret, &format!("<{escaped}>")), MASK, "{escaped}");
            }
        }
        assert_eq!(clean(secret, "aHVudGVy"), "aHVudGVy");
    }

    #[test]
    fn the_first_half_of_a_token_goes_with_the_rest_of_a_text_that_was_cut() {
        assert_eq!(clean("hunter2/9", "bad hunter2/…"), "bad [redacted]…");
        assert_eq!(clean("hunter2/9", "bad hun…"), "bad hun…");
        assert_eq!(clean("hunter2/9", "bad hunter2/"), "bad hunter2/");
    }

    #[test]
    fn every_secret_goes() {
        let secrets = ["hunter2", "s3same"].map(SecretString::from);
        let secrets: Vec<_> = secrets.iter().collect();
        assert_eq!(
            redact("hunter2 or s3same", &secrets),
            "[redacted] or [redacted]"
        );
    }

    #[test]
    fn sources_that_show_a_secret_keep_only_their_clean_text() {
        let inner = SolveError::new(ErrorKind::Unavailable, "bad hunter2");
        let shown = SolveError::new(ErrorKind::Timeout, "late")
            .with_source(SolveError::new(ErrorKind::Unavailable, "outer").with_source(inner));
        let error = redact_error(shown, &[&SecretString::from("hunter2")]);
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        assert_eq!(
            error.source().unwrap().to_string(),
            "outer (unavailable): bad [redacted] (unavailable)"
        );
    }
}
