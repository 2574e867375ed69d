//! Text for a person's terminal.

use std::error::Error;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;

use drag_solver::Billed;

/// `text` without what could move the cursor or break the line: a file's name may hold anything.
pub(crate) fn one_line(text: &str) -> String {
    text.replace(is_hostile, "\u{fffd}")
}

fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A file's name in one line.
pub(crate) fn file_name(path: &Path) -> String {
    one_line(&path.to_string_lossy())
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

/// `word` as one word of a command that can be pasted into a shell, exact to the byte.
pub(crate) fn shell_word(word: impl AsRef<OsStr>) -> String {
    let word = word.as_ref();
    let plain = |c: char| c.is_alphanumeric() || "/._-+:,@%=".contains(c);
    match word.to_str() {
        Some(text) if !text.is_empty() && text.chars().all(plain) => text.to_owned(),
        Some(text) if !text.contains(is_hostile) => format!("'{}'", text.replace('\'', r"'\''")),
        _ => escaped(word),
    }
}

/// As bash, zsh and POSIX shells since 2024 write what cannot be printed.
fn escaped(word: &OsStr) -> String {
    let mut quoted = "$'".to_owned();
    // Writing to a String cannot fail.
    let escape = |quoted: &mut String, bytes: &[u8]| {
        for byte in bytes {
            let _ = write!(quoted, "\\{byte:03o}");
        }
    };
    for chunk in word.as_encoded_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_hostile(c) || c == '\'' || c == '\\' {
                escape(&mut quoted, c.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                quoted.push(c);
            }
        }
        escape(&mut quoted, chunk.invalid());
    }
    quoted + "'"
}

/// What an error cost, in words.
pub(crate) fn billed(billed: Billed) -> &'static str {
    match billed {
        Billed::No => "cost nothing",
        Billed::Maybe => "may have cost money",
        Billed::Yes => "cost money",
    }
}

#[cfg(test)]
mod tests {
    use drag_solver::{ErrorKind, SolveError};

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

    #[cfg(unix)]
    #[test]
    fn a_shell_reads_every_file_name_as_it_was() {
        use std::os::unix::ffi::OsStrExt as _;

        for name in [
            &b"plain.png"[..],
            b"it's $(reboot).png",
            b"two\nlines\\.png",
            b"caf\xe9 \x1b[2J'.png",
        ] {
            let word = shell_word(OsStr::from_bytes(name));
            assert!(!word.contains(char::is_control), "{word:?}");
            let script = format!("printf %s {word}");
            let mut shell = std::process::Command::new("bash");
            let printed = shell.args(["-c", &script]).output().unwrap();
            assert_eq!(printed.stdout, name, "{word}");
        }
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
