//! Results, as they appear on standard output.

use std::fmt::Write as _;
use std::time::Duration;

use drag_solver::core::{
    Attempt, Charge, ErrorKind, JobId, Point, Rect, Solution, SolveError, Usd,
};
use serde::Serialize;

use crate::outcome::{Failure, Outcome};
use crate::text::{one_line, with_sources};

/// One result as a line of JSON. The order of the fields is part of the format.
#[derive(Serialize)]
struct SolvedLine<'a> {
    screenshot: &'a str,
    status: &'static str,
    provider: &'a str,
    start: Point,
    end: Point,
    alternative_end: Option<Point>,
    job: Option<&'a JobId>,
    cost_usd: Option<Usd>,
    elapsed_ms: u128,
    attempts: usize,
    /// Whose answers agreed, if several did: `report` tells each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Part<'a>>,
}

#[derive(Serialize)]
struct Part<'a> {
    provider: &'a str,
    job: Option<&'a JobId>,
}

/// The answers that `solution` is made of, if there are several.
fn parts(solution: &Solution) -> Vec<Part<'_>> {
    let mut all = Vec::new();
    for part in solution.parts() {
        let inner = parts(part);
        if inner.is_empty() {
            all.push(Part {
                provider: part.provider(),
                job: part.job(),
            });
        } else {
            all.extend(inner);
        }
    }
    all
}

#[derive(Serialize)]
struct FailedLine<'a> {
    screenshot: &'a str,
    status: &'static str,
    error: FailedError,
    /// `resume` needs it again, to know what the answer is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Rect>,
}

#[derive(Serialize)]
struct FailedError {
    kind: ErrorKind,
    provider: Option<String>,
    message: String,
    charge: Charge,
    job: Option<JobId>,
    attempts: Vec<Attempt>,
}

/// A result for programs: one JSON object, whatever the outcome.
pub(crate) fn json(outcome: &Outcome) -> serde_json::Result<String> {
    let screenshot = outcome.screenshot.as_str();
    match &outcome.result {
        Ok(solution) => serde_json::to_string(&SolvedLine {
            screenshot,
            status: "solved",
            provider: solution.provider(),
            start: solution.drag().start,
            end: solution.drag().end,
            alternative_end: solution.drag().alternative_end,
            job: solution.job(),
            cost_usd: solution.cost(),
            elapsed_ms: solution.elapsed().as_millis(),
            attempts: solution.failed_attempts().len() + 1,
            parts: parts(solution),
        }),
        Err(failure) => serde_json::to_string(&FailedLine {
            screenshot,
            status: "failed",
            error: failed(failure),
            region: outcome.region,
        }),
    }
}

fn failed(failure: &Failure) -> FailedError {
    match failure {
        Failure::Unusable(why) => FailedError {
            kind: ErrorKind::InvalidChallenge,
            provider: None,
            message: why.clone(),
            charge: Charge::No,
            job: None,
            attempts: Vec::new(),
        },
        Failure::Unsolved { error, elapsed } => unsolved(error, *elapsed),
        Failure::Interrupted(work) => unsolved(&work.abandoned(), Duration::ZERO),
    }
}

fn unsolved(error: &SolveError, elapsed: Duration) -> FailedError {
    FailedError {
        kind: error.kind(),
        provider: error.provider().map(str::to_owned),
        message: message(error),
        charge: error.charge(),
        job: error.job().cloned(),
        attempts: error.history(elapsed),
    }
}

/// The error's message and what is underneath it. The parts of a chain are in `attempts` instead.
fn message(error: &SolveError) -> String {
    let mut message = error.message().to_owned();
    if error.kind() != ErrorKind::AllFailed
        && let Some(source) = std::error::Error::source(error)
    {
        let _ = write!(message, ": {}", with_sources(source));
    }
    message
}

/// A solution for people. With several screenshots, each line says which one it is about.
pub(crate) fn text(screenshot: &str, solution: &Solution, several: bool) -> String {
    let mut line = String::new();
    // Writing to a String cannot fail.
    if several {
        let _ = write!(line, "{}: ", one_line(screenshot));
    }
    let _ = write!(line, "{}", solution.drag());
    if let Some(other) = solution.drag().alternative_end {
        let _ = write!(line, " (or {other})");
    }
    let seconds = solution.elapsed().as_secs_f64();
    let _ = write!(line, "  {} {seconds:.1} s", one_line(solution.provider()));
    if let Some(cost) = solution.cost() {
        let _ = write!(line, " ${cost}");
    }
    line
}

#[cfg(test)]
mod tests {
    use drag_solver::core::Drag;

    use super::*;

    fn solution() -> Solution {
        let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
        Solution::new(drag, "omocaptcha")
            .with_job(JobId::from(123_456))
            .with_elapsed(Duration::from_millis(2140))
    }

    fn outcome(result: Result<Solution, Failure>) -> Outcome {
        Outcome {
            screenshot: "phone.png".to_owned(),
            region: None,
            result,
        }
    }

    fn unsolved(error: SolveError) -> Outcome {
        outcome(Err(Failure::Unsolved {
            error,
            elapsed: Duration::from_millis(40),
        }))
    }

    #[test]
    fn a_solved_line_is_this_to_the_byte() {
        assert_eq!(
            json(&outcome(Ok(solution()))).unwrap(),
            r#"{"screenshot":"phone.png","status":"solved","provider":"omocaptcha","start":{"x":83.0,"y":560.0},"end":{"x":320.0,"y":560.0},"alternative_end":null,"job":"123456","cost_usd":null,"elapsed_ms":2140,"attempts":1}"#
        );
    }

    #[test]
    fn a_solved_line_counts_the_attempts_that_failed() {
        let failed = SolveError::new(ErrorKind::Unavailable, "refused").history(Duration::ZERO);
        let whole = solution()
            .after_attempts(failed)
            .with_cost(Usd::from_micros(900))
            .with_drag(solution().drag().with_alternative_end(Point::new(1.5, 2.0)));
        let line = json(&outcome(Ok(whole))).unwrap();
        assert!(
            line.ends_with(
                r#""alternative_end":{"x":1.5,"y":2.0},"job":"123456","cost_usd":"0.0009","elapsed_ms":2140,"attempts":2}"#
            ),
            "{line}"
        );
    }

    #[test]
    fn a_failed_line_is_this_to_the_byte() {
        let error = SolveError::new(ErrorKind::Unauthorized, "token refused")
            .with_provider("omocaptcha")
            .with_source(std::io::Error::other("a cause"));
        assert_eq!(
            json(&unsolved(error)).unwrap(),
            r#"{"screenshot":"phone.png","status":"failed","error":{"kind":"unauthorized","provider":"omocaptcha","message":"token refused: a cause","charge":"no","job":null,"attempts":[{"provider":"omocaptcha","kind":"unauthorized","message":"token refused","charge":"no","job":null,"elapsed_ms":40}]}}"#
        );
    }

    #[test]
    fn a_region_is_told_where_it_is_needed_again() {
        let mut failed = unsolved(SolveError::new(ErrorKind::Timeout, "too slow"));
        failed.region = Some(Rect::new(1.0, 2.0, 30.0, 40.5));
        let line = json(&failed).unwrap();
        let end = r#"]},"region":{"x":1.0,"y":2.0,"width":30.0,"height":40.5}}"#;
        assert!(line.ends_with(end), "{line}");
    }

    #[test]
    fn an_unusable_file_has_its_line_too() {
        let line = json(&outcome(Err(Failure::Unusable("it is empty".to_owned())))).unwrap();
        assert_eq!(
            line,
            r#"{"screenshot":"phone.png","status":"failed","error":{"kind":"invalid_challenge","provider":null,"message":"it is empty","charge":"no","job":null,"attempts":[]}}"#
        );
    }

    #[test]
    fn a_chain_tells_its_parts_as_attempts_only() {
        let part = SolveError::new(ErrorKind::Timeout, "too slow").with_provider("omocaptcha");
        let line = json(&unsolved(SolveError::all_failed(vec![(
            part,
            Duration::from_secs(1),
        )])))
        .unwrap();
        assert_eq!(line.matches("too slow").count(), 1, "{line}");
        assert!(
            line.contains(r#""kind":"all_failed","provider":null"#),
            "{line}"
        );
    }

    #[test]
    fn a_line_stays_one_line_whatever_the_file_is_called() {
        let named = |screenshot: &str| Outcome {
            screenshot: screenshot.to_owned(),
            region: None,
            result: Ok(solution()),
        };
        assert!(!json(&named("a\nb.png")).unwrap().contains('\n'));
        assert!(!text("a\nb.png", &solution(), true).contains('\n'));
    }

    #[test]
    fn text_is_the_drag_then_the_provider_then_seconds() {
        assert_eq!(
            text("phone.png", &solution(), false),
            "83,560 -> 320,560  omocaptcha 2.1 s"
        );
        let whole = solution().with_cost(Usd::from_micros(900)).with_drag(
            solution()
                .drag()
                .with_alternative_end(Point::new(330.5, 560.0)),
        );
        assert_eq!(
            text("phone.png", &whole, true),
            "phone.png: 83,560 -> 320,560 (or 330.5,560)  omocaptcha 2.1 s $0.0009"
        );
    }
}
