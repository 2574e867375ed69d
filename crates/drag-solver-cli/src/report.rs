//! `drag-solver report`: tells providers whether their answers were right.

use anyhow::bail;
use drag_solver::config::{Chain, Opened};
use drag_solver::core::{DragSolver as _, JobId, Solution, SolveError, Verdict};
use serde::Serialize;

use crate::args::{Format, ReportArgs};
use crate::lines::{self, Line, Solved};
use crate::outcome::Exit;
use crate::text::{one_line, with_sources};
use crate::{config, console, explain, providers};

/// One report as a line of JSON.
#[derive(Serialize)]
struct ReportLine<'a> {
    screenshot: &'a str,
    status: &'static str,
    provider: &'a str,
    job: Option<&'a JobId>,
    verdict: Verdict,
    error: Option<&'a SolveError>,
}

/// Reads the lines of screenshots that were solved, and reports each to its provider.
pub(crate) async fn run(args: &ReportArgs) -> anyhow::Result<Exit> {
    let chain = args.config.as_deref().map(config::load).transpose()?;
    let verdict = args.verdict();
    let mut exit = Exit::Success;
    for line in lines::from_stdin()? {
        let solved = match line {
            Line::Solved(solved) => solved,
            Line::Failed(failed) => {
                console::note(&format!(
                    "error: {} was not solved: there is no answer to report",
                    one_line(&failed.screenshot)
                ));
                exit = exit.max(Exit::Unsolved);
                continue;
            }
        };
        for solution in solved.solutions() {
            let provider = provider(solution.provider(), chain.as_ref())?;
            let outcome = provider.solver().report(&solution, verdict).await;
            if outcome.is_err() {
                exit = exit.max(Exit::Unsolved);
            }
            let line = match (args.format, &outcome) {
                (Format::Json, _) => json(&solved, &solution, verdict, outcome.as_ref().err())?,
                (Format::Text, Ok(())) => text(&solved, &solution, verdict),
                (Format::Text, Err(error)) => {
                    console::note(&story(&solved, error));
                    continue;
                }
            };
            if let Err(error) = console::print(&line) {
                return console::closed(error);
            }
        }
    }
    Ok(exit)
}

/// The provider that answered: of the chain in the file, or with the environment's settings.
fn provider(name: &str, chain: Option<&Chain>) -> anyhow::Result<Opened> {
    match chain.map(|chain| chain.link(name)) {
        Some(Some(link)) => Ok(link.provider().clone()),
        Some(None) => bail!("no provider of the chain is called `{}`", one_line(name)),
        None => providers::open_named(name, None),
    }
}

fn json(
    solved: &Solved,
    solution: &Solution,
    verdict: Verdict,
    error: Option<&SolveError>,
) -> serde_json::Result<String> {
    serde_json::to_string(&ReportLine {
        screenshot: &solved.screenshot,
        status: if error.is_none() {
            "reported"
        } else {
            "failed"
        },
        provider: solution.provider(),
        job: solution.job(),
        verdict,
        error,
    })
}

fn text(solved: &Solved, solution: &Solution, verdict: Verdict) -> String {
    let verdict = match verdict {
        Verdict::Correct => "correct",
        Verdict::Incorrect => "incorrect",
    };
    let (screenshot, provider) = (one_line(&solved.screenshot), one_line(solution.provider()));
    format!("{screenshot}: reported to {provider} as {verdict}")
}

fn story(solved: &Solved, error: &SolveError) -> String {
    let screenshot = one_line(&solved.screenshot);
    let mut story = format!(
        "error: {screenshot} was not reported: {}",
        with_sources(error)
    );
    if let Some(hint) = explain::hint_for_account(error) {
        story.push_str("\n  hint: ");
        story.push_str(&hint);
    }
    story
}
