//! The `createTask` protocol, shared by several providers: `createTask`, `getTaskResult`,
//! `getBalance`, a `clientKey` in every body, an `errorId` in every answer.
//!
//! A provider brings its task (a JSON object) and a function that reads a drag out of its
//! `solution`: that is a [`TaskService`], and [`TaskSolver`] makes a solver of it, with builder,
//! config and environment. [`TaskApi`] is the envelope alone, for providers that differ more. What services are known to do differently is
//! tolerated: ids and costs as numbers or strings, `idle` for "not yet", results in the answer to
//! `createTask` itself.

mod builder;
mod codes;
mod config;
mod service;
mod solver;

use std::time::Duration;

use drag_solver_core::{Charge, Drag, ErrorKind, JobId, SolveError};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

pub use self::builder::TaskSolverBuilder;
pub use self::config::TaskConfig;
pub use self::service::{TaskJobs, TaskService};
pub use self::solver::TaskSolver;
use crate::{Answer, AnswerError, ApiRequest, ApiResponse, Balance, Created, JobState, lenient};

/// One account's view of the protocol. `Debug` does not show the key.
#[derive(Clone, Debug)]
pub struct TaskApi {
    client_key: SecretString,
    unsolvable: Charge,
    kept: Option<Duration>,
}

impl TaskApi {
    /// The protocol with this key. `unsolvable` says whether the provider bills a task that it gave
    /// up on.
    #[must_use]
    pub fn new(client_key: SecretString, unsolvable: Charge) -> Self {
        Self {
            client_key,
            unsolvable,
            kept: None,
        }
    }

    /// Says how long after its completion a task can still be asked about. It is told to whoever
    /// comes too late.
    #[must_use]
    pub fn keeping_results_for(mut self, kept: Option<Duration>) -> Self {
        self.kept = kept;
        self
    }

    /// The key.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.client_key
    }

    /// `createTask`, with [`PICTURE`](crate::PICTURE) in `task` replaced by the picture.
    ///
    /// # Errors
    ///
    /// As [`ApiRequest::with_picture`].
    pub fn create_task(&self, task: &Value, picture: &[u8]) -> Result<ApiRequest, SolveError> {
        let envelope = json!({"clientKey": self.key(), "task": task});
        ApiRequest::with_picture("createTask", &envelope, picture)
    }

    /// `getTaskResult`.
    #[must_use]
    pub fn get_task_result(&self, job: &JobId) -> ApiRequest {
        self.about_task("getTaskResult", job)
    }

    /// Any call that names a task: `reportCorrect`, say.
    #[must_use]
    pub fn about_task(&self, path: &'static str, job: &JobId) -> ApiRequest {
        let id = lenient::job_id_value(job);
        ApiRequest::json(path, &json!({"clientKey": self.key(), "taskId": id}))
    }

    /// `getBalance`.
    #[must_use]
    pub fn get_balance(&self) -> ApiRequest {
        ApiRequest::json("getBalance", &json!({"clientKey": self.key()}))
    }

    /// Reads the answer to `createTask`. `drag_of` reads a drag out of a `solution`, or says what is
    /// wrong with it.
    pub fn created(
        &self,
        answer: &ApiResponse,
        drag_of: impl FnOnce(&Value) -> Result<Drag, String>,
    ) -> Result<Created, AnswerError> {
        let members = answer.object()?;
        if let Some(error) = self.refusal(&members) {
            return Err(error.into());
        }
        let job = lenient::job_id(members.get("taskId"));
        if is_status(&members, "ready") {
            let answer = solved(&members, drag_of)?;
            return Ok(Created::Solved { job, answer });
        }
        job.map(Created::Pending)
            .ok_or_else(|| answer.lacks("taskId"))
    }

    /// Reads the answer to `getTaskResult`; `drag_of` as for [`created`](Self::created).
    pub fn polled(
        &self,
        answer: &ApiResponse,
        drag_of: impl FnOnce(&Value) -> Result<Drag, String>,
    ) -> Result<JobState, AnswerError> {
        let members = answer.object()?;
        if let Some(refusal) = self.refusal(&members) {
            return match refusal {
                Refusal::Job(error) => Ok(JobState::Failed(error)),
                Refusal::Request(error) => Err(error),
            };
        }
        let Some(status) = lenient::text(members.get("status")) else {
            return Err(answer.lacks("status"));
        };
        Ok(match status.to_ascii_lowercase().as_str() {
            "processing" | "idle" => JobState::Running,
            "ready" => match solved(&members, drag_of) {
                Ok(answer) => JobState::Solved(answer),
                Err(error) => JobState::Failed(error),
            },
            "fail" | "failed" => JobState::Failed(self.gave_up("the task failed")),
            _ => JobState::Unknown(status),
        })
    }

    /// Reads the answer to a report.
    pub fn reported(&self, answer: &ApiResponse) -> Result<(), AnswerError> {
        let members = answer.object()?;
        match self.refusal(&members) {
            Some(refusal) => Err(refusal.into()),
            None if members.contains_key("errorId") => Ok(()),
            None => Err(answer.lacks("errorId")),
        }
    }

    /// Reads the answer to `getBalance`. `voucher_balance` is omocaptcha's.
    pub fn balance(&self, answer: &ApiResponse) -> Result<Balance, AnswerError> {
        let members = answer.object()?;
        if let Some(refusal) = self.refusal(&members) {
            return Err(refusal.into());
        }
        let available =
            lenient::usd(members.get("balance")).ok_or_else(|| answer.lacks("balance"))?;
        let vouchers = lenient::usd(members.get("voucher_balance"));
        Ok(Balance::new(available).with_vouchers(vouchers))
    }

    fn key(&self) -> &str {
        self.client_key.expose_secret()
    }

    fn gave_up(&self, message: &str) -> SolveError {
        SolveError::new(ErrorKind::Unsolvable, message).with_charge(self.unsolvable)
    }

    fn gone(&self, message: &str) -> String {
        match self.kept {
            Some(kept) => format!(
                "{message} (too late: the provider forgets a task {kept:?} after it was completed; \
                 or the task belongs to another account)"
            ),
            None => format!(
                "{message} (too late: the provider has forgotten the task; or it belongs to \
                 another account)"
            ),
        }
    }

    /// The error that an answer reports, if it does.
    fn refusal(&self, members: &Map<String, Value>) -> Option<Refusal> {
        let id = lenient::text(members.get("errorId")).filter(|id| id != "0");
        let code = lenient::text(members.get("errorCode")).filter(|code| !code.is_empty());
        // An `errorId` of 0 is success, whatever else is there. Without any, the code counts.
        if id.is_none() && (members.contains_key("errorId") || code.is_none()) {
            return None;
        }
        let id = id.unwrap_or_default();
        let meaning = codes::meaning(&id, code.as_deref());
        let code = code.unwrap_or_else(|| format!("error {id} without a code"));
        let message = match lenient::text(members.get("errorDescription")) {
            Some(description) if !description.is_empty() => format!("{code}: {description}"),
            _ => code,
        };
        let has_failed = is_status(members, "fail") || is_status(members, "failed");
        Some(match meaning {
            codes::Meaning::GaveUp => Refusal::Job(self.gave_up(&message)),
            codes::Meaning::Unknown if has_failed => Refusal::Job(self.gave_up(&message)),
            codes::Meaning::Gone => Refusal::Job(
                SolveError::new(ErrorKind::Protocol, self.gone(&message))
                    .with_charge(Charge::Unknown),
            ),
            codes::Meaning::Unknown => {
                let error = SolveError::new(ErrorKind::Protocol, message);
                Refusal::Request(AnswerError::Unexplained(error))
            }
            codes::Meaning::Kind(kind, wait) => {
                let error = SolveError::new(kind, message);
                let error = match wait {
                    Some(wait) => error.with_retry_after(wait),
                    None => error,
                };
                Refusal::Request(error.into())
            }
        })
    }
}

/// What is refused.
enum Refusal {
    /// The task: there will be no answer.
    Job(SolveError),
    /// This one request.
    Request(AnswerError),
}

impl From<Refusal> for AnswerError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Job(error) => error.into(),
            Refusal::Request(error) => error,
        }
    }
}

fn is_status(members: &Map<String, Value>, status: &str) -> bool {
    lenient::text(members.get("status")).is_some_and(|own| own.eq_ignore_ascii_case(status))
}

fn solved(
    members: &Map<String, Value>,
    drag_of: impl FnOnce(&Value) -> Result<Drag, String>,
) -> Result<Answer, SolveError> {
    let solution = members.get("solution").unwrap_or(&Value::Null);
    match drag_of(solution) {
        Ok(drag) => Ok(Answer::new(drag).with_cost(lenient::usd(members.get("cost")))),
        Err(wrong) => {
            Err(SolveError::new(ErrorKind::InvalidAnswer, wrong).with_charge(Charge::Yes))
        }
    }
}
