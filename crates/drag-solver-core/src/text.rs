//! Text that came from outside, made safe to print: for errors that show what somebody else wrote.

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
}
