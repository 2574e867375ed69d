//! Whether text for people is coloured, and how: as clap colours its own.

use std::ffi::OsString;
use std::io;

use anstream::{AutoStream, ColorChoice as Choice};
use clap::builder::Styles;
use clap::{ColorChoice, ValueEnum as _};

/// Colours everything from now on as `choice` says. Automatic is: on a terminal, unless `NO_COLOR` is
/// set; and elsewhere, too, if `CLICOLOR_FORCE` is.
pub(crate) fn set(choice: ColorChoice) {
    match choice {
        ColorChoice::Auto => Choice::Auto,
        ColorChoice::Always => Choice::Always,
        ColorChoice::Never => Choice::Never,
    }
    .write_global();
}

/// The value of `--color` among `args`, known before they are parsed: help and wrong usage are
/// printed while they are.
pub(crate) fn of_args(args: impl IntoIterator<Item = OsString>) -> ColorChoice {
    let mut args = args.into_iter().take_while(|arg| arg != "--");
    let mut choice = ColorChoice::Auto;
    while let Some(arg) = args.next() {
        let value = match arg.to_str() {
            Some("--color") => args.next().and_then(|value| value.into_string().ok()),
            Some(arg) => arg.strip_prefix("--color=").map(str::to_owned),
            None => None,
        };
        let value = value.and_then(|value| ColorChoice::from_str(&value, false).ok());
        choice = value.unwrap_or(choice);
    }
    choice
}

/// Whether standard error is coloured.
pub(crate) fn of_stderr() -> bool {
    AutoStream::choice(&io::stderr()) != Choice::Never
}

/// `text` with the labels at the start of its lines coloured: `error:`, `hint:`, ...
pub(crate) fn with_coloured_labels(text: &str) -> String {
    let styles = Styles::styled();
    let labels = [
        ("error:", styles.get_error()),
        ("interrupted:", styles.get_invalid()),
        ("hint:", styles.get_valid()),
    ];
    let coloured = |line: &str| {
        let text = line.trim_start();
        let (label, style) = labels.iter().find(|(label, _)| text.starts_with(label))?;
        let (indent, rest) = (&line[..line.len() - text.len()], &text[label.len()..]);
        Some(format!("{indent}{style}{label}{style:#}{rest}"))
    };
    let lines = text.split('\n');
    let lines: Vec<_> = lines
        .map(|line| coloured(line).unwrap_or_else(|| line.to_owned()))
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_is_known_before_the_command_line_is_parsed() {
        let choice = |args: &str| of_args(args.split(' ').map(OsString::from));
        assert_eq!(choice("drag-solver solve a.png"), ColorChoice::Auto);
        assert_eq!(choice("x --color=never solve"), ColorChoice::Never);
        assert_eq!(choice("x solve --color always"), ColorChoice::Always);
        assert_eq!(choice("x --color"), ColorChoice::Auto);
        assert_eq!(choice("x --color=loud"), ColorChoice::Auto); // clap refuses it
        assert_eq!(choice("x -- --color=never"), ColorChoice::Auto);
    }

    #[test]
    fn labels_are_coloured_and_nothing_else() {
        let text = with_coloured_labels("error: a.png: error: b\n  hint: wait\n  1. error: c\n");
        assert_eq!(
            anstream::adapter::strip_str(&text).to_string(),
            "error: a.png: error: b\n  hint: wait\n  1. error: c\n"
        );
        assert_eq!(text.matches("\u{1b}[0m").count(), 2, "{text:?}");
        let plain = r#"{"screenshot":"error:"}"#;
        assert_eq!(with_coloured_labels(plain), plain);
    }
}
