//! The proposed chain, as a file.

use std::fmt::Write as _;
use std::time::Duration;

use drag_solver_core::{Usd, human_duration};

use super::candidate::Candidate;

/// How long a hedge wants to have left, at the least, when it asks the second: its default.
const TIME_LEFT: Duration = Duration::from_secs(5);

/// How one of the measured solvers is written in a chain's file.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::exhaustive_structs)] // made by callers of `chain_file`
pub struct ProviderEntry {
    /// Its kind.
    pub kind: String,
    /// What it is called, if not by its kind.
    pub name: Option<String>,
    /// The most that an answer costs, in US dollars, if that is known.
    pub price: Option<Usd>,
    /// Further lines of its table, in TOML: the same policies as it was measured with.
    pub policies: Vec<String>,
}

/// The chain's file, in TOML, as `drag-solver check` and `solve --config` take it: every member has the time `limit`, in all, that
/// it had when it was measured. `entry` says how each solver, counted from 0, is written. The lines of `about` come
/// first, as comments.
#[must_use]
pub fn chain_file(
    candidate: &Candidate,
    limit: Duration,
    about: &[String],
    entry: impl Fn(usize) -> ProviderEntry,
) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    for line in about {
        let one_line: String = line
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let _ = writeln!(text, "# {one_line}");
    }
    let members = u32::try_from(candidate.members.len()).unwrap_or(u32::MAX);
    let whole = match candidate.hedge_delay {
        Some(delay) => delay.saturating_add(limit),
        None => limit.saturating_mul(members),
    };
    let deadline = whole.saturating_add(TIME_LEFT);
    let _ = writeln!(text, "deadline = {}", duration(deadline));
    if let Some(delay) = candidate.hedge_delay {
        let delay = duration(delay);
        let _ = writeln!(text, "strategy = {{ kind = \"hedge\", delay = {delay} }}");
    } else if members > 1 {
        text.push_str("strategy = \"fallback\"\n");
    }
    for &member in &candidate.members {
        let entry = entry(member);
        let _ = writeln!(text, "\n[[providers]]\nkind = {}", quoted(&entry.kind));
        if let Some(name) = &entry.name {
            let _ = writeln!(text, "name = {}", quoted(name));
        }
        if let Some(price) = entry.price {
            let _ = writeln!(text, "price = \"{price}\"");
        }
        let limit = duration(limit);
        let _ = writeln!(text, "timeout = {limit}");
        if candidate.attempts > 1 {
            let attempts = candidate.attempts;
            let _ = writeln!(
                text,
                "total_timeout = {limit}\nretry = {{ max_attempts = {attempts} }}"
            );
        }
        for policy in &entry.policies {
            let _ = writeln!(text, "{policy}");
        }
    }
    text
}

fn duration(duration: Duration) -> String {
    quoted(&human_duration::display(duration).to_string())
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                let _ = write!(quoted, "\\{c}");
            }
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_this_and_hostile_names_stay_in_their_strings() {
        let candidate = Candidate {
            members: vec![1, 0],
            hedge_delay: Some(Duration::from_millis(8300)),
            attempts: 3,
        };
        let entry = |member: usize| ProviderEntry {
            kind: ["a\"b\\c\n", "twocaptcha"][member].to_owned(),
            name: None,
            price: (member == 1).then(|| Usd::from_micros(1200)),
            policies: vec!["validate = true".to_owned()],
        };
        let about = ["one\ntwo = 3".to_owned()];
        assert_eq!(
            chain_file(&candidate, Duration::from_secs(60), &about, entry),
            "# one two = 3\ndeadline = \"1m 13s 300ms\"\nstrategy = { kind = \"hedge\", delay = \"8s 300ms\" }\n\n\
             [[providers]]\nkind = \"twocaptcha\"\nprice = \"0.0012\"\ntimeout = \"1m\"\ntotal_timeout = \"1m\"\n\
             retry = { max_attempts = 3 }\nvalidate = true\n\n\
             [[providers]]\nkind = \"a\\\"b\\\\c\\u000A\"\ntimeout = \"1m\"\ntotal_timeout = \"1m\"\n\
             retry = { max_attempts = 3 }\nvalidate = true\n"
        );
    }
}
