//! The tables, for a terminal.

use std::fmt::Write as _;

use super::Report;
use crate::figures::{Estimate, SolverFigures};
use crate::propose::money;

/// What is shown where nothing is known.
const NONE: &str = "-";

/// Columns of text, each as wide as its widest cell; all but the first are right-aligned.
fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
            // Writing to a String cannot fail.
            let _ = match column {
                0 => write!(line, "{cell}{padding}"),
                _ => write!(line, "  {padding}{cell}"),
            };
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    let header = [
        "solver",
        "calls",
        "right",
        "(95 %)",
        "off p50 px",
        "p95 px",
        "p50 s",
        "p95 s",
        "p99 s",
        "a right answer",
        "(95 %)",
        "",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(report.solvers.iter().map(row));
    text += &columns(&rows);
    // Writing to a String cannot fail.
    for solver in &report.solvers {
        let failures = failures(solver);
        if !failures.is_empty() {
            let _ = write!(text, "\n{}: {}", solver.name, failures.join(", "));
        }
    }
    for pair in report
        .agreement
        .iter()
        .filter(|pair| pair.both_answered > 0)
    {
        let name = |solver: usize| report.solvers.get(solver).map_or(NONE, |one| &*one.name);
        let share = pair.share.map_or(NONE.to_owned(), percent);
        let _ = write!(
            text,
            "\n{} and {} agree in {share} of the {} that both answered",
            name(pair.one),
            name(pair.other),
            pair.both_answered
        );
    }
    if let Some(proposal) = &report.proposal {
        let title = if proposal.is_met {
            "proposed"
        } else {
            "no chain is proposed"
        };
        let gap = if text.ends_with('\n') { "\n" } else { "\n\n" };
        let _ = write!(text, "{gap}{title}: {}", proposal.why.join("\n  "));
    }
    text.trim_end().to_owned()
}

fn row(solver: &SolverFigures) -> Vec<String> {
    let seconds = |estimate: Option<Estimate>| number(estimate, 1);
    let pixels = |estimate: Option<Estimate>| number(estimate, 1);
    vec![
        solver.name.clone(),
        solver.calls.to_string(),
        solver
            .share_right
            .map_or(NONE.to_owned(), |share| percent_of(share.value)),
        solver.share_right.map_or(NONE.to_owned(), percents),
        pixels(solver.error_px_p50),
        pixels(solver.error_px_p95),
        seconds(solver.seconds_p50),
        seconds(solver.seconds_p95),
        seconds(solver.seconds_p99),
        solver
            .usd_per_right
            .map_or(NONE.to_owned(), |usd| money(usd.value)),
        solver.usd_per_right.map_or(NONE.to_owned(), between_money),
        if solver.on_front {
            "best at its price"
        } else {
            ""
        }
        .to_owned(),
    ]
}

/// What went wrong, how often.
pub(super) fn failures(solver: &SolverFigures) -> Vec<String> {
    let mut all = Vec::new();
    if solver.wrong > 0 {
        all.push(format!("{} wrong", solver.wrong));
    }
    let failed = solver
        .failed
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"));
    all.extend(failed);
    let not_measured = solver.not_measured.iter();
    all.extend(not_measured.map(|(kind, count)| format!("{count} not measured ({kind})")));
    if solver.from_store > 0 {
        all.push(format!("{} on record before", solver.from_store));
    }
    if solver.unknown_times > 0 {
        all.push(format!("{} of unknown time", solver.unknown_times));
    }
    if solver.unknown_costs > 0 {
        all.push(format!("{} of unknown cost", solver.unknown_costs));
    }
    all
}

pub(super) fn number(estimate: Option<Estimate>, places: usize) -> String {
    estimate.map_or(NONE.to_owned(), |estimate| {
        if estimate.value.is_finite() {
            format!("{:.places$}", estimate.value)
        } else {
            NONE.to_owned()
        }
    })
}

/// The bounds of an estimate, in numbers.
pub(super) fn between(estimate: Option<Estimate>, places: usize) -> String {
    match estimate {
        None => NONE.to_owned(),
        Some(one) if one.high.is_finite() => format!("{:.places$}–{:.places$}", one.low, one.high),
        Some(one) => format!("at least {:.places$}", one.low),
    }
}

pub(super) fn between_money(usd: Estimate) -> String {
    if usd.high.is_finite() {
        format!("{}–{}", money(usd.low), money(usd.high))
    } else {
        format!("at least {}", money(usd.low))
    }
}

pub(super) fn percent_of(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A share with its bounds.
fn percent(share: Estimate) -> String {
    format!("{} ({})", percent_of(share.value), percents(share))
}

pub(super) fn percents(share: Estimate) -> String {
    format!("{:.1}–{:.1} %", share.low * 100.0, share.high * 100.0)
}
