//! One screenshot that there is something to do about, and what becomes of it.

use std::path::PathBuf;
use std::time::Duration;

use drag_solver::{DragChallenge, ErrorKind, PaidJob, Rect, Screenshot, Solution, SolveError};

use crate::exit::Exit;
use crate::ui::annotate::Annotation;
use crate::ui::text::file_name;

/// One screenshot that there is something to do about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Task {
    /// The screenshot as it was given, or `-`.
    pub(crate) path: PathBuf,
    /// What the user calls it.
    pub(crate) id: Option<String>,
    /// The part of it that is asked about.
    pub(crate) region: Option<Rect>,
    /// What was paid for before, and is to be fetched.
    pub(crate) paid_jobs: Vec<PaidJob>,
}

impl Task {
    /// The question, without the jobs that were paid for.
    pub(crate) fn challenge(
        &self,
        screenshot: Screenshot,
        limit: Duration,
    ) -> Result<DragChallenge, Failure> {
        let mut challenge = DragChallenge::new(screenshot).within(limit);
        if let Some(id) = &self.id {
            challenge = challenge.with_id(id.as_str());
        }
        match self.region {
            None => Ok(challenge),
            Some(region) => challenge.with_region(region).map_err(|error| {
                let name = file_name(&self.path);
                self.unusable(&format!("cannot use {name}: {}", error.message()))
            }),
        }
    }

    /// It cannot be asked about.
    pub(crate) fn unusable(&self, why: &str) -> Failure {
        let error = SolveError::new(ErrorKind::InvalidChallenge, why);
        Failure::Unusable(error.with_unfinished_jobs(self.paid_jobs.clone()))
    }
}

/// A task that was solved.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) solution: Solution,
    /// What is still to be drawn, when the solution was printed.
    pub(crate) annotation: Option<Annotation>,
}

impl From<Solution> for Answer {
    fn from(solution: Solution) -> Self {
        Self {
            solution,
            annotation: None,
        }
    }
}

/// What became of a task.
#[derive(Debug)]
pub(crate) struct TaskResult<'a> {
    pub(crate) task: &'a Task,
    /// Whether it was solved before, and cost nothing now.
    pub(crate) on_record: bool,
    pub(crate) result: Result<Solution, Failure>,
}

/// Why a task came to nothing, and which of them: for the exit status, and for its explanation.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Not a screenshot that could be asked about. Nothing was sent.
    Unusable(SolveError),
    /// Settings have to be mended first.
    Misconfigured(SolveError),
    /// The providers that were asked did not solve it.
    Unsolved(SolveError),
    /// The command was ended before the answer came.
    Interrupted(SolveError),
}

impl Failure {
    pub(crate) fn error(&self) -> &SolveError {
        match self {
            Self::Unusable(error)
            | Self::Misconfigured(error)
            | Self::Unsolved(error)
            | Self::Interrupted(error) => error,
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Unusable(_) => Exit::Screenshot,
            Self::Misconfigured(_) => Exit::Config,
            Self::Unsolved(_) | Self::Interrupted(_) => Exit::Unsolved,
        }
    }
}

#[cfg(test)]
mod tests {
    use drag_solver_mock::fixtures;

    use super::*;

    #[test]
    fn the_question_has_the_id_and_the_region_of_the_task() {
        let region = Rect::new(1.0, 2.0, 30.0, 40.0);
        let task = Task {
            path: "phone.png".into(),
            id: Some("order 7".to_owned()),
            region: Some(region),
            paid_jobs: Vec::new(),
        };
        let challenge = task.challenge(fixtures::screenshot(), Duration::from_secs(60));
        let challenge = challenge.unwrap();
        assert_eq!(challenge.id(), Some("order 7"));
        assert_eq!(challenge.region(), Some(region));
    }
}
