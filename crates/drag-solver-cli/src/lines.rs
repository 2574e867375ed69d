//! Lines of JSON that `solve` printed, read back by `report` and `resume`.

use std::io::{self, BufRead as _, IsTerminal as _};

use anyhow::{Context as _, bail, ensure};
use drag_solver::core::{Drag, JobId, PaidJob, Point, Rect, Solution};
use serde::Deserialize;

/// Longest input accepted, in bytes: tens of thousands of lines.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// What a line says that matters later. Whatever else is in it is ignored.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub(crate) enum Line {
    Solved(Solved),
    Failed(Failed),
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Solved {
    pub(crate) screenshot: String,
    pub(crate) provider: String,
    start: Point,
    end: Point,
    alternative_end: Option<Point>,
    pub(crate) job: Option<JobId>,
    #[serde(default)]
    parts: Vec<Part>,
}

/// One of several answers that agreed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Part {
    provider: String,
    job: Option<JobId>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Failed {
    pub(crate) screenshot: String,
    #[serde(default)]
    pub(crate) region: Option<Rect>,
    error: Error,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Error {
    #[serde(flatten)]
    last: Job,
    #[serde(default)]
    attempts: Vec<Job>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Job {
    provider: Option<String>,
    job: Option<JobId>,
}

impl Solved {
    /// The answers to report, each as far as a report needs it: one, unless several agreed.
    pub(crate) fn solutions(&self) -> Vec<Solution> {
        let mut drag = Drag::new(self.start, self.end);
        if let Some(other) = self.alternative_end {
            drag = drag.with_alternative_end(other);
        }
        let solution = |provider: &str, job: Option<&JobId>| {
            let solution = Solution::new(drag, provider);
            match job {
                Some(job) => solution.with_job(job.clone()),
                None => solution,
            }
        };
        if self.parts.is_empty() {
            return vec![solution(&self.provider, self.job.as_ref())];
        }
        let parts = self.parts.iter();
        parts
            .map(|part| solution(&part.provider, part.job.as_ref()))
            .collect()
    }
}

impl Failed {
    /// Every job that was paid for and is not finished, each once.
    pub(crate) fn unfinished_jobs(&self) -> Vec<PaidJob> {
        let mut jobs: Vec<PaidJob> = Vec::new();
        for Job { provider, job } in self.error.attempts.iter().chain([&self.error.last]) {
            if let (Some(provider), Some(id)) = (provider, job) {
                let job = PaidJob::new(provider.as_str(), id.clone());
                if !jobs.contains(&job) {
                    jobs.push(job);
                }
            }
        }
        jobs
    }
}

/// Reads every line of standard input. Blocks while it reads.
///
/// # Errors
///
/// No lines at all, or one that `solve` did not print.
pub(crate) fn from_stdin() -> anyhow::Result<Vec<Line>> {
    let stdin = io::stdin();
    ensure!(
        !stdin.is_terminal(),
        "standard input is a terminal; send what `solve --format json` printed, as in `... < line.json`"
    );
    read(io::Read::take(stdin.lock(), MAX_BYTES))
}

fn read(input: impl io::Read) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    for (number, line) in io::BufReader::new(input).lines().enumerate() {
        let line = line.context("cannot read standard input")?;
        if line.trim().is_empty() {
            continue;
        }
        let line = serde_json::from_str(&line).with_context(|| {
            format!(
                "line {} of standard input is not one that `solve --format json` printed",
                number + 1
            )
        })?;
        lines.push(line);
    }
    if lines.is_empty() {
        bail!("standard input has no lines; send what `solve --format json` printed");
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use drag_solver::core::{ErrorKind, SolveError};

    use super::*;
    use crate::outcome::{Failure, Outcome};
    use crate::output;

    fn printed(result: Result<Solution, Failure>) -> Line {
        let outcome = Outcome {
            screenshot: "a.png".to_owned(),
            region: Some(Rect::new(1.0, 2.0, 30.0, 40.0)),
            result,
        };
        let line = output::json(&outcome).unwrap();
        read(format!("\n{line}\n").as_bytes()).unwrap().remove(0)
    }

    #[test]
    fn what_solve_prints_of_a_solution_can_be_reported() {
        let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
        let drag = drag.with_alternative_end(Point::new(1.5, 2.0));
        let solution = Solution::new(drag, "first").with_job(JobId::from(7));
        let Line::Solved(line) = printed(Ok(solution.clone())) else {
            panic!("not solved");
        };
        assert_eq!(line.solutions(), [solution]);
        assert_eq!(line.screenshot, "a.png");
    }

    #[test]
    fn answers_that_agreed_are_reported_one_by_one() {
        let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
        let part = |provider: &str, job| Solution::new(drag, provider).with_job(JobId::from(job));
        let inner = Solution::new(drag, "b|c").with_parts(vec![part("b", 2), part("c", 3)]);
        let whole = Solution::new(drag, "a|b|c").with_parts(vec![part("a", 1), inner]);
        let Line::Solved(line) = printed(Ok(whole)) else {
            panic!("not solved");
        };
        let expected = [part("a", 1), part("b", 2), part("c", 3)];
        assert_eq!(line.solutions(), expected);
    }

    #[test]
    fn what_solve_prints_of_a_failure_names_every_job_once() {
        let slow = |provider: &str, job| {
            let error = SolveError::new(ErrorKind::Timeout, "slow").with_provider(provider);
            (error.with_job(JobId::from(job)), Duration::ZERO)
        };
        let error = SolveError::all_failed(vec![slow("a", 1), slow("b", 2), slow("a", 1)]);
        let jobs = error.unfinished_jobs();
        let elapsed = Duration::ZERO;
        let Line::Failed(line) = printed(Err(Failure::Unsolved { error, elapsed })) else {
            panic!("not failed");
        };
        assert_eq!(line.unfinished_jobs(), jobs);
        assert_eq!(line.region, Some(Rect::new(1.0, 2.0, 30.0, 40.0)));

        let (error, elapsed) = slow("alone", 3);
        let jobs = error.unfinished_jobs();
        let Line::Failed(line) = printed(Err(Failure::Unsolved { error, elapsed })) else {
            panic!("not failed");
        };
        assert_eq!(line.unfinished_jobs(), jobs);
    }

    #[test]
    fn other_lines_are_refused_by_number() {
        for bad in ["{}", "[]", "83,560 -> 320,560", r#"{"status":"solved"}"#] {
            let error = read(format!("\n{bad}\n").as_bytes())
                .unwrap_err()
                .to_string();
            assert!(error.starts_with("line 2 of standard input"), "{error}");
        }
        assert!(read("\n".as_bytes()).is_err());
    }
}
