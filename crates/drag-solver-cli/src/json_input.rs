//! Lines of JSON that `solve` printed, from standard input.

use std::io::{self, IsTerminal as _, Read as _};

use anyhow::{Context as _, ensure};
use drag_solver::json_problem;

use crate::exit::Exit;
use crate::json_line::JsonLine;
use crate::text_input::without_mark;
use crate::ui::console::eprint_unless_quiet;

/// Longest input accepted, in bytes: tens of thousands of lines.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Reads every line of standard input. Blocks while it reads. A line that cannot be used is
/// named on standard error and left out, and the exit status says so; it keeps no other from being used.
///
/// # Errors
///
/// Input that cannot be read, or has no lines at all.
pub(crate) fn from_stdin() -> anyhow::Result<(Vec<JsonLine>, Exit)> {
    let stdin = io::stdin();
    ensure!(
        !stdin.is_terminal(),
        "standard input is a terminal; send what `solve --format json` printed, as in `... < line.json`"
    );
    let mut input = Vec::new();
    stdin
        .lock()
        .take(MAX_BYTES + 1)
        .read_to_end(&mut input)
        .context("cannot read standard input")?;
    ensure!(
        input.len() as u64 <= MAX_BYTES,
        "standard input is longer than {MAX_BYTES} bytes: send it in parts"
    );
    let lines = parse(&input);
    ensure!(
        !lines.is_empty(),
        "standard input has no lines; send what `solve --format json` printed"
    );
    let (mut read, mut exit) = (Vec::new(), Exit::Success);
    for (number, line) in lines {
        match line {
            Ok(line) => read.push(line),
            Err(error) => {
                let why = json_problem(&error.to_string(), error.is_syntax());
                eprint_unless_quiet(&format!(
                    "error: cannot use line {number} of standard input as a line of `solve --format json`: {why}"
                ));
                exit = Exit::Config;
            }
        }
    }
    Ok((read, exit))
}

type Parsed = Result<JsonLine, serde_json::Error>;

/// Every line that is not blank, with its number.
fn parse(input: &[u8]) -> Vec<(usize, Parsed)> {
    (1..)
        .zip(without_mark(input).split(|&byte| byte == b'\n'))
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .map(|(number, line)| (number, serde_json::from_slice(line)))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const LINE: &str = r#"{"v":1,"screenshot":"ảnh.png","status":"solved","drag":{"start":{"x":1,"y":2},"end":{"x":3,"y":4}},"solver":"a","job":null,"cost_usd":null,"elapsed_ms":1}"#;

    fn numbers(input: &[u8]) -> (Vec<usize>, Vec<usize>) {
        let (good, bad): (Vec<_>, Vec<_>) =
            parse(input).into_iter().partition(|(_, line)| line.is_ok());
        let of = |lines: Vec<(usize, Parsed)>| lines.iter().map(|(number, _)| *number).collect();
        (of(good), of(bad))
    }

    #[test]
    fn one_bad_line_keeps_no_other_from_being_read() {
        let torn = &LINE[..60];
        let input = format!("\n{LINE}\r\n{{}}\n[]\n83,560 -> 320,560\n{LINE}\n \n{torn}");
        let mut input = input.into_bytes();
        assert_eq!(numbers(&input), (vec![2, 6], vec![3, 4, 5, 8]));
        input.extend(b"\xff");
        assert_eq!(numbers(&input), (vec![2, 6], vec![3, 4, 5, 8]));
        assert!(parse(b"\n \n").is_empty());
    }

    #[test]
    fn a_line_of_another_version_is_refused_wherever_its_version_is() {
        let (rest, newer) = (LINE.replace(r#""v":1,"#, ""), r#""v":2"#);
        let first = rest.replacen('{', &format!("{{{newer},"), 1);
        let last = rest.trim_end_matches('}').to_owned() + "1}," + newer + "}";
        let last = last.replace(r#""elapsed_ms":11}"#, r#""elapsed_ms":1"#);
        for line in [first, last] {
            let why = parse(line.as_bytes()).remove(0).1.unwrap_err().to_string();
            assert!(
                why.contains("version 2") && why.contains("knows version 1"),
                "{why}: {line}"
            );
        }
        let why = parse(rest.as_bytes()).remove(0).1.unwrap_err().to_string();
        assert!(why.contains("missing field `v`"), "{why}");
    }

    #[test]
    fn what_windows_makes_of_a_file_is_read_too() {
        let text = format!("\u{feff}{LINE}\r\n");
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for input in [utf16, text.into_bytes()] {
            let (number, line) = parse(&input).remove(0);
            let path = line.unwrap().screenshot.path();
            assert_eq!((number, path.as_path()), (1, Path::new("ảnh.png")));
        }
    }
}
