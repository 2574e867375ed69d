//! The page.

use std::fmt::Write as _;

use super::Report;
use super::html::{escaped, table};
use super::plots::{COLOURS, cloud, latency, on_picture, value};
use super::text::{between, between_money, failures, number, percent_of, percents};
use crate::figures::{Estimate, SolverFigures};
use crate::propose::{Estimated, money};

const STYLE: &str = include_str!("report.css");

/// How many candidates are shown.
const SHOWN: usize = 12;

pub(super) fn page(report: &Report) -> String {
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
         <title>Evaluation of {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n",
        escaped(&report.names().join(", "))
    );
    html += &head(report);
    html += &proposal(report);
    html += &section("Solvers", &solvers(report));
    if let Some(svg) = value(report) {
        let caption = "Further up is right more often, further left is cheaper; lines through a point are its 95 % intervals. \
                       The dashed line joins those that no other beats.";
        html += &section("Cost against accuracy", &figure(&svg, caption));
    }
    let caption = "The share of calls that have ended after so many seconds, failed ones included.";
    let svg = legend(report) + &figure(&latency(report), caption);
    html += &section("Latency", &svg);
    html += &section("Errors", &errors(report));
    html += &section("Failures", &failure_table(report));
    if !report.agreement.is_empty() {
        html += &section("Agreement", &agreement(report));
    }
    html + "</main>\n</body>\n</html>\n"
}

fn section(title: &str, html: &str) -> String {
    format!("<section>\n<h2>{title}</h2>\n{html}\n</section>\n")
}

fn figure(svg: &str, caption: &str) -> String {
    format!("<figure class=\"plot\">{svg}<figcaption>{caption}</figcaption></figure>")
}

fn head(report: &Report) -> String {
    let calls: u64 = report.solvers.iter().map(|one| one.calls).sum();
    let mut html = format!(
        "<h1>Evaluation</h1>\n<p class=\"soft\">Pictures: {}. Solvers: {}. Calls: {calls}. Right is at most {} px off, at the start and at the \
         end; each call had {:?}. Ranges hold the true figure with 95 %.</p>\n",
        report.pictures.len(),
        report.solvers.len(),
        report.tolerance_px,
        report.limit
    );
    if let Some(why) = &report.stopped {
        let _ = writeln!(
            html,
            "<section class=\"stopped\"><h2>Stopped before the end</h2><p>{}</p></section>",
            escaped(why)
        );
    }
    html
}

/// The name with the colour that it has in all plots.
fn name(report: &Report, solver: usize) -> String {
    let name = report.solvers.get(solver).map_or("", |one| &*one.name);
    format!(
        "<span class=\"dot f{}\"></span>{}",
        solver % COLOURS,
        escaped(name)
    )
}

fn legend(report: &Report) -> String {
    let entries =
        (0..report.solvers.len()).map(|solver| format!("<li>{}</li>", name(report, solver)));
    format!("<ul class=\"legend\">{}</ul>", entries.collect::<String>())
}

/// A figure with its bounds below it.
fn cell(value: &str, range: &str) -> String {
    format!("<span>{value}<span class=\"range\">{range}</span></span>")
}

fn solvers(report: &Report) -> String {
    let seconds = |one: Option<Estimate>| cell(&number(one, 1), &between(one, 1));
    let row = |(solver, one): (usize, &SolverFigures)| {
        let front = if one.on_front {
            " <span class=\"badge\">best at its price</span>"
        } else {
            ""
        };
        let share = one.share_right.map_or(cell("-", ""), |share| {
            cell(&percent_of(share.value), &percents(share))
        });
        let usd = one.usd_per_right.map_or(cell("not known", ""), |usd| {
            cell(&money(usd.value), &between_money(usd))
        });
        vec![
            name(report, solver) + front,
            cell(&one.calls.to_string(), ""),
            share,
            seconds(one.error_px_p50),
            seconds(one.error_px_p95),
            seconds(one.seconds_p50),
            seconds(one.seconds_p95),
            seconds(one.seconds_p99),
            usd,
            cell(&format!("${}", one.spent_usd), ""),
        ]
    };
    let rows: Vec<Vec<String>> = report.solvers.iter().enumerate().map(row).collect();
    let header = [
        "solver",
        "calls",
        "right",
        "off, median px",
        "off, p95 px",
        "p50 s",
        "p95 s",
        "p99 s",
        "a right answer",
        "spent",
    ];
    table("cards", &header, &rows)
}

fn proposal(report: &Report) -> String {
    let Some(proposal) = &report.proposal else {
        return String::new();
    };
    let names = report.names();
    let title = if proposal.is_met {
        "Proposed chain"
    } else {
        "No chain does what was asked"
    };
    let mut html = format!("<section class=\"proposal\">\n<h2>{title}</h2>\n");
    for line in &proposal.why {
        let _ = writeln!(html, "<p>{}</p>", escaped(line));
    }
    if let (Some(p99), Some(usd)) = (proposal.seconds_p99, proposal.usd_per_right) {
        let _ = writeln!(
            html,
            "<p class=\"soft\">With 95 %, its p99 is {} s, and a right answer costs {}.</p>",
            between(Some(p99), 1),
            between_money(usd)
        );
    }
    let row = |one: &Estimated| {
        let meets = if one.meets_goal { "yes" } else { "no" };
        vec![
            escaped(&one.candidate.in_words(&names)),
            cell(&one.usd_per_right.map_or("-".to_owned(), money), ""),
            cell(&percent_of(one.share_right), ""),
            cell(&format!("{:.1}", one.seconds_p50), ""),
            cell(&format!("{:.1}", one.seconds_p99), ""),
            cell(meets, ""),
        ]
    };
    let rows: Vec<Vec<String>> = proposal.candidates.iter().take(SHOWN).map(row).collect();
    let header = [
        "chain",
        "a right answer",
        "right",
        "p50 s",
        "p99 s",
        "as asked",
    ];
    let _ = write!(
        html,
        "<details><summary>The best {} of {} chains, estimated from these calls</summary>{}</details>\n</section>\n",
        rows.len(),
        proposal.candidates.len(),
        table("cards", &header, &rows)
    );
    html
}

fn errors(report: &Report) -> String {
    let clouds = (0..report.solvers.len()).map(|solver| {
        let title = format!("<h3>{}</h3>", name(report, solver));
        format!("<figure>{title}{}</figure>", cloud(report, solver))
    });
    let mut html = format!(
        "<p class=\"soft\">Where answers land, seen from the true place in the middle: circles are ends, crosses are starts, the \
         ring is the tolerance. What is further off is at the edge.</p><div class=\"plots\">{}</div>",
        clouds.collect::<String>()
    );
    if let Some((picture, screenshot)) = &report.example
        && let Some(svg) = on_picture(report, *picture, screenshot)
    {
        let shown = report.pictures.get(*picture);
        let shown = escaped(shown.map_or("", |one| &*one.screenshot));
        // Writing to a String cannot fail.
        let _ = write!(
            html,
            "{}<figure class=\"shot\">{svg}<figcaption>All of them, starts and ends, around those of one picture: \
             {shown}</figcaption></figure>",
            legend(report)
        );
    }
    html
}

fn failure_table(report: &Report) -> String {
    let row = |(solver, one): (usize, &SolverFigures)| {
        let all = failures(one);
        let all = if all.is_empty() {
            "none".to_owned()
        } else {
            all.join(", ")
        };
        vec![name(report, solver), cell(&escaped(&all), "")]
    };
    let rows: Vec<Vec<String>> = report.solvers.iter().enumerate().map(row).collect();
    table("", &["solver", "what went wrong"], &rows)
}

fn agreement(report: &Report) -> String {
    let row = |pair: &crate::figures::Agreement| {
        let share = pair.share.map_or(cell("-", ""), |share| {
            cell(&percent_of(share.value), &percents(share))
        });
        vec![
            format!(
                "{} and {}",
                name(report, pair.one),
                name(report, pair.other)
            ),
            cell(&pair.both_answered.to_string(), ""),
            share,
            cell(&pair.both_right.to_string(), ""),
        ]
    };
    let rows: Vec<Vec<String>> = report.agreement.iter().map(row).collect();
    let header = ["solvers", "both answered", "agree", "both right"];
    table("cards", &header, &rows)
}
