//! `drag-solver report`: tells providers whether their answers were right.

use std::path::PathBuf;

use drag_solver::{DragSolver as _, ErrorKind, JobId, Solution, SolveError, Verdict};
use serde::Serialize;

use crate::chain::lookup::ProviderLookup;
use crate::chain::record::RecordArgs;
use crate::exit::Exit;
use crate::format::Format;
use crate::json_input;
use crate::json_line::{ScreenshotName, Status};
use crate::json_version::versioned;
use crate::ui::console::{cannot_print, eprint_unless_quiet, print};
use crate::ui::hints::hint_for_account;
use crate::ui::text::{file_name, one_line, with_sources};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  # the answers in these lines were wrong
  drag-solver report --incorrect < lines.json
  # the one about a screenshot was right
  grep phone.png lines.json | drag-solver report --correct")]
pub(crate) struct Args {
    #[command(flatten)]
    verdict: VerdictArgs,

    /// The file of the chain that was asked
    #[arg(long, value_name = "TOML")]
    config: Option<PathBuf>,

    #[command(flatten)]
    record: RecordArgs,

    /// How results are printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct VerdictArgs {
    /// The drags were accepted
    #[arg(long)]
    correct: bool,

    /// The drags were refused
    #[arg(long)]
    incorrect: bool,
}

/// One report as a line of JSON.
#[derive(Serialize)]
struct ReportLine<'a> {
    #[serde(flatten)]
    screenshot: &'a ScreenshotName,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    status: &'static str,
    solver: &'a str,
    job: Option<&'a JobId>,
    verdict: Verdict,
    error: Option<&'a SolveError>,
}

/// Reads the lines of screenshots that were solved, and reports each to its provider. A line that
/// cannot be reported keeps no other from being reported: refunds have a window of seconds.
pub(crate) async fn run(args: &Args) -> anyhow::Result<Exit> {
    let _recording = args.record.start()?;
    let providers = ProviderLookup::new(args.config.as_deref(), None)?;
    let verdict = if args.verdict.correct {
        Verdict::Correct
    } else {
        Verdict::Incorrect
    };
    let (lines, mut exit) = json_input::from_stdin()?;
    for line in lines {
        let name = file_name(&line.screenshot.path());
        let Status::Solved(solution) = line.status else {
            eprint_unless_quiet(&format!(
                "error: {name} was not solved: there is no answer to report"
            ));
            exit = exit.max(Exit::Unsolved);
            continue;
        };
        for solution in answers(&solution) {
            let (outcome, if_failed) = match providers.find(solution.solver()) {
                Ok(found) => {
                    let reported = found.provider.report(solution, verdict);
                    (reported.await, Exit::Unsolved)
                }
                Err(error) => {
                    let error = SolveError::new(ErrorKind::Unsupported, format!("{error:#}"));
                    (Err(error), Exit::Config)
                }
            };
            if let Err(error) = &outcome {
                exit = exit.max(if_failed);
                eprint_unless_quiet(&explanation(&name, error));
            }
            let line = match (args.format, &outcome) {
                (Format::Json, _) => {
                    let about = (&line.screenshot, line.id.as_deref());
                    json(about, solution, verdict, outcome.as_ref().err())?
                }
                (Format::Text, Ok(())) => {
                    let solver = one_line(solution.solver());
                    format!("{name}: reported to {solver} as {verdict}")
                }
                (Format::Text, Err(_)) => continue,
            };
            print(&line).map_err(cannot_print)?;
        }
    }
    Ok(exit)
}

/// The answers that a solution was made of: itself, unless several agreed.
fn answers(solution: &Solution) -> Vec<&Solution> {
    match solution.contributors() {
        [] => vec![solution],
        several => several.iter().flat_map(answers).collect(),
    }
}

fn json(
    (screenshot, id): (&ScreenshotName, Option<&str>),
    solution: &Solution,
    verdict: Verdict,
    error: Option<&SolveError>,
) -> serde_json::Result<String> {
    versioned(ReportLine {
        screenshot,
        id,
        status: if error.is_none() {
            "reported"
        } else {
            "failed"
        },
        solver: solution.solver(),
        job: solution.job(),
        verdict,
        error,
    })
}

fn explanation(name: &str, error: &SolveError) -> String {
    let text = format!("error: {name} was not reported: {}", with_sources(error));
    match hint_for_account(error) {
        Some(hint) => format!("{text}\n  hint: {hint}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use drag_solver::{Drag, Point};

    use super::*;

    #[test]
    fn answers_that_agreed_are_reported_one_by_one() {
        let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
        let part = |solver: &str, job| Solution::new(drag, solver).with_job(JobId::from(job));
        let inner = Solution::new(drag, "b|c").with_contributors(vec![part("b", 2), part("c", 3)]);
        let whole = Solution::new(drag, "a|b|c").with_contributors(vec![part("a", 1), inner]);
        let expected = [part("a", 1), part("b", 2), part("c", 3)];
        assert_eq!(answers(&whole), expected.iter().collect::<Vec<_>>());
        assert_eq!(answers(&expected[0]), [&expected[0]]);
    }
}
