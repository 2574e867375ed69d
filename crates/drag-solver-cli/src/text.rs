//! Text for a person's terminal.

use std::error::Error;

use drag_solver::core::Charge;

/// `text` without what could move the cursor or break the line: a file's name may hold anything.
pub(crate) fn one_line(text: &str) -> String {
    let hostile = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.replace(hostile, "\u{fffd}")
}

/// An error and everything underneath it, each once, in one line.
pub(crate) fn with_sources(error: &dyn Error) -> String {
    let mut whole = one_line(&error.to_string());
    for source in std::iter::successors(error.source(), |&error| error.source()) {
        let text = one_line(&source.to_string());
        // Some errors repeat their source in their own text.
        if !whole.ends_with(&text) {
            whole.push_str(": ");
            whole.push_str(&text);
        }
    }
    whole
}

/// `text` as one word of a command that can be pasted into a shell.
pub(crate) fn shell_word(text: &str) -> String {
    let text = one_line(text);
    let plain = |c: char| c.is_alphanumeric() || "/._-+:,@%=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// What an error cost, in words.
pub(crate) fn charge(charge: Charge) -> &'static str {
    match charge {
        Charge::No => "cost nothing",
        Charge::Unknown => "may have cost money",
        Charge::Yes => "cost money",
    }
}

#[cfg(test)]
mod tests {
    use drag_solver::core::{ErrorKind, SolveError};

    use super::*;

    #[test]
    fn a_hostile_file_name_stays_on_its_line() {
        let name = one_line("a\x1b[2J\nb\u{202e}.png");
        assert_eq!(name, "a\u{fffd}[2J\u{fffd}b\u{fffd}.png");
        assert_eq!(one_line("ảnh chụp.png"), "ảnh chụp.png");
    }

    #[test]
    fn a_file_name_can_be_pasted_into_a_shell() {
        assert_eq!(shell_word("shots/phone-1.png"), "shots/phone-1.png");
        assert_eq!(shell_word("my shot's.png"), r"'my shot'\''s.png'");
        assert_eq!(shell_word("$(reboot).png"), "'$(reboot).png'");
        assert_eq!(shell_word(""), "''");
    }

    #[test]
    fn sources_are_told_once() {
        let bottom = std::io::Error::other("the socket\nbroke");
        let error = SolveError::new(ErrorKind::Unavailable, "refused").with_source(bottom);
        assert_eq!(
            with_sources(&error),
            "refused (unavailable): the socket\u{fffd}broke"
        );
        let echo = std::io::Error::other(std::io::Error::other("once"));
        assert_eq!(with_sources(&echo), "once");
    }
}
