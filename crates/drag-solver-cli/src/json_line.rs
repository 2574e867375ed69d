//! A line of JSON: what `solve` and `resume` print, and what `resume` and `report` read.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use drag_solver::{Rect, Solution, SolveError};
use serde::{Deserialize, Serialize};

use crate::json_version::JsonVersion;
use crate::task::TaskResult;

/// What became of one screenshot. A solution and an error are what the library makes of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct JsonLine {
    v: JsonVersion,
    #[serde(flatten)]
    pub(crate) screenshot: ScreenshotName,
    /// What the user calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    /// `resume` needs it again, to know what the answer is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<Rect>,
    /// It was solved before, and cost nothing now.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) on_record: bool,
    #[serde(flatten)]
    pub(crate) status: Status,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub(crate) enum Status {
    Solved(Box<Solution>),
    Failed { error: SolveError },
}

/// Where a screenshot is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ScreenshotName {
    screenshot: String,
    /// The exact name, if it is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    screenshot_os: Option<OsString>,
}

impl From<&Path> for ScreenshotName {
    fn from(path: &Path) -> Self {
        let is_text = path.to_str().is_some();
        Self {
            screenshot: path.to_string_lossy().into_owned(),
            screenshot_os: (!is_text).then(|| path.as_os_str().to_owned()),
        }
    }
}

impl ScreenshotName {
    pub(crate) fn path(&self) -> PathBuf {
        let exact = self.screenshot_os.clone();
        exact.map_or_else(|| PathBuf::from(&self.screenshot), PathBuf::from)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_false(flag: &bool) -> bool {
    !flag
}

impl From<&TaskResult<'_>> for JsonLine {
    fn from(result: &TaskResult<'_>) -> Self {
        let TaskResult {
            task,
            on_record,
            result,
        } = result;
        Self {
            v: JsonVersion,
            screenshot: ScreenshotName::from(task.path.as_path()),
            id: task.id.clone(),
            region: task.region,
            on_record: *on_record,
            status: match result {
                Ok(solution) => Status::Solved(Box::new(solution.clone())),
                Err(failure) => Status::Failed {
                    error: failure.error().clone(),
                },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use drag_solver::{Attempt, Drag, ErrorKind, JobId, PaidJob, Point, Usd};

    use super::*;
    use crate::task::{Failure, Task};

    fn solution() -> Solution {
        let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
        Solution::new(drag, "omocaptcha")
            .with_job(JobId::from(123_456))
            .with_elapsed(Duration::from_millis(2140))
    }

    fn line(path: impl Into<PathBuf>, result: Result<Solution, Failure>) -> JsonLine {
        let task = Task {
            path: path.into(),
            id: None,
            region: None,
            paid_jobs: Vec::new(),
        };
        let task = &task;
        let on_record = false;
        JsonLine::from(&TaskResult {
            task,
            on_record,
            result,
        })
    }

    fn printed(line: &JsonLine) -> String {
        serde_json::to_string(line).unwrap()
    }

    fn read(text: &str) -> JsonLine {
        serde_json::from_str(text).unwrap()
    }

    fn failed(error: SolveError) -> JsonLine {
        line("phone.png", Err(Failure::Unsolved(error)))
    }

    #[test]
    fn a_solved_line_is_this_to_the_byte() {
        let whole = solution()
            .with_cost(Usd::from_micros(900))
            .with_drag(solution().drag().with_alternative_end(Point::new(1.5, 2.0)));
        assert_eq!(
            printed(&line("phone.png", Ok(whole))),
            r#"{"v":1,"screenshot":"phone.png","status":"solved","drag":{"start":{"x":83.0,"y":560.0},"end":{"x":320.0,"y":560.0},"alternative_end":{"x":1.5,"y":2.0}},"solver":"omocaptcha","job":"123456","cost_usd":"0.0009","elapsed_ms":2140,"failed_attempts":[],"route":[]}"#
        );
    }

    #[test]
    fn a_failed_line_is_this_to_the_byte() {
        let error = SolveError::new(ErrorKind::Timeout, "too slow")
            .with_solver("omocaptcha")
            .with_unfinished_jobs([PaidJob::new("omocaptcha", JobId::from(7))])
            .with_elapsed(Duration::from_millis(40))
            .with_source(std::io::Error::other("a cause"));
        assert_eq!(
            printed(&failed(error)),
            r#"{"v":1,"screenshot":"phone.png","status":"failed","error":{"kind":"timeout","solver":"omocaptcha","message":"too slow","billed":"maybe","spent_usd":null,"recovery":"switch","exhausted":false,"retry_after_ms":null,"unfinished_jobs":[{"solver":"omocaptcha","id":"7"}],"elapsed_ms":40,"attempts":[{"solver":"omocaptcha","kind":"timeout","message":"too slow","billed":"maybe","cost_usd":null,"jobs":[{"solver":"omocaptcha","id":"7"}],"elapsed_ms":40}],"causes":["a cause"]}}"#
        );
    }

    #[test]
    fn what_was_printed_is_read_back_to_the_byte() {
        let failed_before = || -> Vec<Attempt> {
            let slow = |solver: &str, job| {
                SolveError::new(ErrorKind::Timeout, "slow")
                    .with_solver(solver)
                    .with_unfinished_jobs([PaidJob::new(solver, JobId::from(job))])
            };
            SolveError::all_failed(vec![slow("a", 1), slow("b", 2), slow("a", 3)]).attempts()
        };
        let solved = solution().with_failed_attempts(failed_before());
        let chain = SolveError::new(ErrorKind::DeadlineExceeded, "late");
        let mut chain = failed(chain.with_failed_attempts(failed_before()));
        chain.region = Some(Rect::new(1.0, 2.0, 30.0, 40.5));
        for line in [line("a.png", Ok(solved)), chain] {
            let text = printed(&line);
            assert_eq!(printed(&read(&text)), text);
        }
    }

    #[test]
    fn every_unfinished_job_is_read_back() {
        let jobs = [1, 2].map(|id| PaidJob::new("a", JobId::from(id)));
        let error = SolveError::new(ErrorKind::Timeout, "x").with_unfinished_jobs(jobs.clone());
        let Status::Failed { error } = read(&printed(&failed(error))).status else {
            panic!("not failed");
        };
        assert_eq!(error.unfinished_jobs(), jobs);
    }

    #[test]
    fn a_line_stays_one_line_whatever_the_file_is_called() {
        let line = line("a\nb.png", Ok(solution()));
        assert!(!printed(&line).contains('\n'));
        assert_eq!(
            read(&printed(&line)).screenshot.path(),
            Path::new("a\nb.png")
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_file_name_that_is_no_text_is_read_back_to_the_byte() {
        use std::os::unix::ffi::OsStrExt as _;

        let path = Path::new(std::ffi::OsStr::from_bytes(b"caf\xe9.png"));
        let line = line(path, Ok(solution()));
        let start = "{\"v\":1,\"screenshot\":\"caf\u{fffd}.png\",";
        assert!(printed(&line).starts_with(start), "{}", printed(&line));
        assert_eq!(read(&printed(&line)).screenshot.path(), path);
    }
}
