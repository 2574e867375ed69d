//! `drag-solver check`: what a chain's file makes, before it costs anything.

use std::fmt::Write as _;
use std::time::Duration;

use drag_solver::config::{Chain, Strategy};
use drag_solver::core::{DragSolver as _, ScreenshotLimits, WorstCase};

use crate::args::CheckArgs;
use crate::outcome::Exit;
use crate::text::with_sources;
use crate::{config, console};

/// Prints the chain, what a call of it can take at the worst, and what is strange about it. With
/// `--online`, what each account holds.
pub(crate) async fn run(args: &CheckArgs) -> anyhow::Result<Exit> {
    let chain = config::load(&args.chain)?;
    if let Err(error) = console::print(&describe(&chain)) {
        return console::closed(error);
    }
    if args.online {
        balances(&chain).await
    } else {
        Ok(Exit::Success)
    }
}

async fn balances(chain: &Chain) -> anyhow::Result<Exit> {
    let mut exit = Exit::Success;
    for link in chain.links() {
        let name = link.name();
        let line = match link.provider().balance().await {
            None => format!("{name}: has no account to ask about"),
            Some(Ok(balance)) => format!("{name}: {balance}"),
            Some(Err(error)) => {
                exit = Exit::Unsolved;
                console::note(&format!("error: {}", with_sources(&error)));
                continue;
            }
        };
        if let Err(error) = console::print(&line) {
            return console::closed(error);
        }
    }
    Ok(exit)
}

/// The chain and its worst case, without a line break at its end.
fn describe(chain: &Chain) -> String {
    let mut text = format!("{chain:#}\n");
    // Writing to a String cannot fail.
    let _ = write!(text, "\nat the worst: {}", told(chain.worst_case()));
    if chain.links().len() > 1 {
        for link in chain.links() {
            let worst = told(link.solver().worst_case());
            let _ = write!(text, "\n  {}: {worst}", link.name());
        }
    }
    for note in notes(chain) {
        let _ = write!(text, "\nnote: {note}");
    }
    text
}

/// What the file's author may not have meant.
fn notes(chain: &Chain) -> Vec<String> {
    let mut notes = Vec::new();
    // Hedges and quorums ask several at a time.
    let one_by_one = matches!(chain.strategy(), Strategy::Fallback | Strategy::Ordered(_));
    if let Some(limit) = chain.time_limit().filter(|_| one_by_one) {
        let mut before = Some(Duration::ZERO);
        for link in chain.links() {
            if let Some(before) = before.filter(|&before| before >= limit) {
                let name = link.name();
                notes.push(format!(
                    "the deadline of {limit:?} may pass before {name} is asked: those before it can \
                     take {before:?}"
                ));
                break;
            }
            let own = link.solver().worst_case().time;
            before = before
                .zip(own)
                .map(|(one, other)| one.saturating_add(other));
        }
    }
    for link in chain.links() {
        let worst = link.solver().worst_case();
        let name = link.name();
        let limits = link.checked().limits();
        if limits != ScreenshotLimits::none() {
            notes.push(format!(
                "{name} has no `fit`, so screenshots that it does not take are refused{}",
                in_numbers(&limits)
            ));
        }
        if worst.cost.is_none() {
            notes.push(format!(
                "{name} has no `price`, so nobody knows what it can cost"
            ));
        }
    }
    notes
}

fn in_numbers(limits: &ScreenshotLimits) -> String {
    let bytes = limits.max_bytes().map(|bytes| format!("{bytes} bytes"));
    let side = limits.max_side().map(|side| format!("{side} px a side"));
    match (bytes, side) {
        (Some(bytes), Some(side)) => format!(": over {bytes} or {side}"),
        (Some(limit), None) | (None, Some(limit)) => format!(": over {limit}"),
        (None, None) => String::new(),
    }
}

/// A worst case in words. A time that no clock reaches is none.
fn told(mut worst: WorstCase) -> String {
    const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    worst.time = worst.time.filter(|&time| time < FOREVER);
    worst.to_string()
}
