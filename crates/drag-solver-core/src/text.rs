//! Text that came from outside, made safe to print: for errors that show what others wrote.

#[cfg(feature = "serde")]
use crate::config_error::serde::in_words;

/// Longest text of a provider's that an error or an attempt keeps, in characters.
const MAX_CHARS: usize = 500;

/// Replaces control characters (terminal escapes, line breaks) by spaces and cuts at 500 characters,
/// so that a hostile answer or a damaged file cannot forge log lines or flood them.
///
/// ```
/// use drag_solver_core::text::printable;
///
/// assert_eq!(printable("bad\n2026 INFO solved\u{1b}[2J"), "bad 2026 INFO solved [2J");
/// ```
#[must_use]
pub fn printable(text: &str) -> String {
    let mut clean: String = text
        .trim()
        .chars()
        .take(MAX_CHARS)
        .map(|c| if is_hostile(c) { ' ' } else { c })
        .collect();
    if text.trim().chars().nth(MAX_CHARS).is_some() {
        clean.push('…');
    }
    clean
}

/// The message of an error of `serde_json` about one line, for people who know no Rust: what is wrong, and at which column.
/// It repeats no text and no number of the line: it may be a secret.
///
/// ```
/// use drag_solver_core::text::json_problem;
///
/// let problem = |line| {
///     let error = serde_json::from_str::<(f64, u8)>(line).unwrap_err();
///     json_problem(&error.to_string(), error.is_syntax())
/// };
/// assert_eq!(problem(r#"[1, "a"]"#), r"at column 7 is a text, and there must be a whole number from 0 to 255");
/// assert_eq!(problem("[1]"), "at column 3 ends what has too many or too few parts");
/// assert_eq!(problem("[1,"), "it is cut off");
/// assert_eq!(problem("# a"), "it is no JSON, from column 1 on");
/// ```
#[cfg(feature = "serde")]
#[doc(hidden)]
#[must_use]
pub fn json_problem(message: &str, is_syntax: bool) -> String {
    let (problem, place) = message.rsplit_once(" at line ").unwrap_or((message, ""));
    let column = place.rsplit_once(' ').map_or("1", |(_, column)| column);
    let wrong = problem.strip_prefix("invalid type: ");
    let wrong = wrong.or(problem.strip_prefix("invalid value: "));
    let wrong = wrong.and_then(|wrong| wrong.rsplit_once(", expected "));
    let missing = problem.strip_prefix("missing field ");
    let unknown = problem.strip_prefix("unknown variant ");
    let unknown = unknown.and_then(|unknown| unknown.rsplit_once("`, expected "));
    match (wrong, missing, unknown) {
        _ if problem.starts_with("EOF ") => "it is cut off".to_owned(),
        _ if is_syntax => format!("it is no JSON, from column {column} on"),
        (Some((found, expected)), ..) => {
            let found = json_word(found.split([' ', ',']).next().unwrap_or_default(), found);
            let expected = in_words(expected);
            let kind = expected.split(' ').next().unwrap_or_default();
            let expected = json_word(kind, &expected);
            match column {
                "0" => format!("it is {found}, and must be {expected}"),
                _ => format!("at column {column} is {found}, and there must be {expected}"),
            }
        }
        _ if problem.starts_with("invalid length ") => {
            format!("at column {column} ends what has too many or too few parts")
        }
        (_, Some(member), _) => format!("{} is missing", printable(member)),
        (_, _, Some((_, expected))) => format!("at column {column} there must be {expected}"),
        _ => without_tokens(problem),
    }
}

/// What serde calls by the word `kind` in what it says, as JSON calls it.
#[cfg(feature = "serde")]
fn json_word(kind: &str, said: &str) -> String {
    match kind {
        "string" => "a text".to_owned(),
        "map" | "struct" => "an object".to_owned(),
        "sequence" => "a list".to_owned(),
        "integer" | "floating" => "a number".to_owned(),
        _ => printable(said),
    }
}

/// What is shown instead of a text that looks like a token.
const HIDDEN: &str = "[hidden: it looks like a token]";

/// No word of a file, a setting or a message is so long and holds digits. Tokens have 32 characters
/// and more.
const TOKEN_CHARS: usize = 24;

/// Whether a text may be a token that was put into the wrong place: a UUID, or 24 and more characters in
/// a row that are letters and digits, both of them, or, with `-` and `_` among them, capitals and small
/// letters too.
///
/// ```
/// use drag_solver_core::text::looks_like_token;
///
/// assert!(looks_like_token("0123456789abcdef0123456789abcdef"));
/// assert!(looks_like_token("67e55044-10b1-426f-9247-bb680e5fe0c8"));
/// assert!(!looks_like_token("OMOCAPTCHA_API_TOKEN_2"));
/// ```
#[must_use]
pub fn looks_like_token(text: &str) -> bool {
    words(text).any(|(word, is_token)| is_token && !word.is_empty())
}

/// The text of a setting's error: [printable], and without what looks like a token.
pub(crate) fn without_tokens(text: &str) -> String {
    let pieces = words(text).map(|(word, is_token)| if is_token { HIDDEN } else { word });
    printable(&pieces.collect::<String>())
}

/// The text in pieces, and of each whether it looks like a token.
fn words(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let pieces = text.split_inclusive(move |c: char| !is_part(c));
    pieces.flat_map(move |piece| {
        let word = piece.trim_end_matches(|c: char| !is_part(c));
        let rest = &piece[word.len()..];
        [(word, is_token(word)), (rest, false)]
    })
}

fn is_token(word: &str) -> bool {
    let has = |word: &str, test: fn(&u8) -> bool| word.as_bytes().iter().any(test);
    let has_digit_and = |word: &str, test| {
        word.len() >= TOKEN_CHARS && has(word, u8::is_ascii_digit) && has(word, test)
    };
    let is_uuid = word.len() == 36 && word.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let is_mixed = has_digit_and(word, u8::is_ascii_lowercase) && has(word, u8::is_ascii_uppercase);
    let is_long = |part: &str| has_digit_and(part, u8::is_ascii_alphabetic);
    is_uuid || is_mixed || word.split(['-', '_']).any(is_long)
}

/// Control characters, and the invisible ones that reorder what a terminal shows.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}' | '\u{2066}'..='\u{2069}')
}

/// Names for logs, JSON and metrics.
macro_rules! names {
    ($type:ident { $($variant:ident => $name:literal),+ $(,)? }) => {
        impl $type {
            /// Every value there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name used in logs, JSON and metrics.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
pub(crate) use names;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_floods_are_tamed() {
        assert_eq!(printable(" a\x1b[31mb\nc\u{202e}d "), "a [31mb c d");
        let flood = printable(&"x".repeat(10_000));
        assert_eq!(flood.chars().count(), MAX_CHARS + 1);
        assert!(flood.ends_with('…'));
        assert_eq!(printable("Xin chào"), "Xin chào");
    }

    #[cfg(feature = "serde")]
    #[test]
    fn what_is_wrong_with_a_line_repeats_nothing_of_it() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(rename_all = "lowercase", deny_unknown_fields)]
        #[allow(dead_code, reason = "it is never read")]
        enum Line {
            Call(u8),
            Job { count: u8 },
        }
        let key = "0123456789abcdef0123456789abcdef";
        for (line, told) in [
            (
                r#""hunter2`, expected `call""#,
                "at column 26 there must be `call` or `job`",
            ),
            (
                r#"{"call":4711}"#,
                "at column 12 is a number, and there must be a whole number from 0 to 255",
            ),
            (
                r#"{"call":47.11}"#,
                "at column 13 is a number, and there must be a whole number from 0 to 255",
            ),
            (
                &format!(r#"{{"job":{{"{key}":1}}}}"#),
                &format!("unknown field `{HIDDEN}`, expected `count`"),
            ),
        ] {
            let error = serde_json::from_str::<Line>(line).unwrap_err();
            assert_eq!(json_problem(&error.to_string(), error.is_syntax()), told);
        }
    }

    #[test]
    fn what_looks_like_a_token_is_hidden_and_nothing_else() {
        for token in [
            "0123456789abcdef0123456789abcdef",
            "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA",
            "67e55044-10b1-426f-9247-bb680e5fe0c8",
            "aB3_xY-9kLmNoPqR_sTuVwXyZ0",
        ] {
            let hidden = without_tokens(&format!("say `{token}`: no"));
            assert_eq!(hidden, format!("say `{HIDDEN}`: no"));
            assert!(looks_like_token(token));
        }
        for word in [
            "cannot read /run/secrets/omocaptcha-production-token-2: no such file",
            "there is no `TiktokSliderPhoneTask`: did you mean `max_attempts`?",
            "MY_ORGANISATION_2CAPTCHA_API_KEY_2024",
            "is longer than 18446744073709551615 bytes",
            "the name captchasolverbackup01 is taken",
            "Xin chào",
            "",
        ] {
            assert_eq!(without_tokens(word), word);
            assert!(!looks_like_token(word));
        }
    }
}
