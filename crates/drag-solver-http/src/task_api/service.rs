//! What one service of the family brings along.

use std::fmt::Debug;
use std::time::Duration;

use drag_solver_core::{Charge, Drag, DragChallenge, JobId, ScreenshotLimits, SolveError, Verdict};
use secrecy::SecretString;
use serde_json::Value;

use super::TaskApi;
use crate::{AnswerError, ApiRequest, ApiResponse, Created, JobApi, JobState, Pace};

/// What tells one service of the `createTask` family from another: its task, its solution, and
/// what its documentation says of both. A [`TaskSolver`](super::TaskSolver) is made of it.
pub trait TaskService: Debug + Default + Send + Sync + 'static {
    /// Name of the provider: short, stable, lower case.
    const NAME: &'static str;
    /// Other names that people know the provider by.
    const ALIASES: &'static [&'static str] = &[];
    /// Where the provider's own API is.
    const BASE_URL: &'static str;
    /// Variable of the environment that holds the account's key.
    const KEY_VARIABLE: &'static str;
    /// Variable of the environment that holds another base URL.
    const BASE_URL_VARIABLE: &'static str;
    /// The documented waits before polls.
    const PACE: Pace;
    /// The pictures that are taken.
    const LIMITS: ScreenshotLimits;
    /// Whether a task is billed that the workers gave up on.
    const UNSOLVABLE: Charge;
    /// How long after its completion a task can still be asked about and reported on, if the
    /// documentation says.
    const KEPT: Option<Duration> = None;

    /// The task, with [`PICTURE`](crate::PICTURE) where the picture goes.
    fn task(&self, challenge: &DragChallenge) -> Value;

    /// Reads a drag out of the `solution`, or says what is wrong with it.
    fn drag(&self, solution: &Value) -> Result<Drag, String>;

    /// The path that takes reports of this verdict; `None` if there is none.
    fn report_path(&self, verdict: Verdict) -> Option<&'static str> {
        let _ = verdict;
        None
    }
}

/// One account with a [`TaskService`], as pure functions. `Debug` does not show the key.
#[derive(Clone, Debug)]
pub struct TaskJobs<S> {
    tasks: TaskApi,
    service: S,
}

impl<S: TaskService> TaskJobs<S> {
    /// The account of `service` that this key belongs to.
    pub fn new(key: SecretString, service: S) -> Self {
        let tasks = TaskApi::new(key, S::UNSOLVABLE).keeping_results_for(S::KEPT);
        Self { tasks, service }
    }

    /// The envelope around the tasks.
    #[must_use]
    pub fn tasks(&self) -> &TaskApi {
        &self.tasks
    }
}

impl<S: TaskService> JobApi for TaskJobs<S> {
    fn name(&self) -> &str {
        S::NAME
    }

    fn secret(&self) -> Option<&SecretString> {
        Some(self.tasks.secret())
    }

    fn create(&self, challenge: &DragChallenge) -> Result<ApiRequest, SolveError> {
        let task = self.service.task(challenge);
        self.tasks
            .create_task(&task, challenge.screenshot().bytes())
    }

    fn created(&self, answer: &ApiResponse) -> Result<Created, AnswerError> {
        self.tasks
            .created(answer, |solution| self.service.drag(solution))
    }

    fn poll(&self, job: &JobId) -> ApiRequest {
        self.tasks.get_task_result(job)
    }

    fn polled(&self, answer: &ApiResponse) -> Result<JobState, AnswerError> {
        self.tasks
            .polled(answer, |solution| self.service.drag(solution))
    }

    fn pace(&self) -> Pace {
        S::PACE
    }

    fn limits(&self) -> ScreenshotLimits {
        S::LIMITS
    }

    fn feedback(&self, job: &JobId, verdict: Verdict) -> Option<ApiRequest> {
        let path = self.service.report_path(verdict)?;
        Some(self.tasks.about_task(path, job))
    }

    fn feedback_taken(&self, answer: &ApiResponse) -> Result<(), AnswerError> {
        self.tasks.reported(answer)
    }
}
