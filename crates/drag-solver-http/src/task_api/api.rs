//! The protocol around the tasks of a service.

use drag_solver_core::{
    Billed, DragChallenge, ErrorKind, JobId, ScreenshotLimits, SolveError, Verdict,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use super::codes::{self, Meaning, Refusal};
use super::service::TaskService;
use crate::json::{job_id, job_id_value, message, number, text, usd};
use crate::{
    Answer, ApiRequest, ApiResponse, Balance, Created, JobApi, JobState, PollInterval,
    ResponseError,
};

/// One account with a [`TaskService`]: the protocol, as pure functions. `Debug` does not show the key.
#[derive(Clone, Debug)]
pub struct TaskApi<S> {
    client_key: SecretString,
    service: S,
}

impl<S: TaskService> TaskApi<S> {
    /// The account of `service` that this key belongs to.
    pub fn new(client_key: SecretString, service: S) -> Self {
        Self {
            client_key,
            service,
        }
    }

    fn key(&self) -> &str {
        self.client_key.expose_secret()
    }

    /// A call that names a task.
    fn about_task(&self, path: &'static str, job: &JobId) -> ApiRequest {
        let body = json!({"clientKey": self.key(), "taskId": job_id_value(job)});
        ApiRequest::json(path, &body)
    }

    fn order(
        &self,
        challenge: &DragChallenge,
        callback_url: Option<&str>,
    ) -> Result<ApiRequest, SolveError> {
        self.service.check_challenge(challenge)?;
        let mut envelope = json!({"clientKey": self.key(), "task": self.service.task(challenge)});
        if let Some(url) = callback_url {
            envelope["callbackUrl"] = url.into();
        }
        ApiRequest::json_with_picture("createTask", &envelope, challenge.screenshot())
    }

    fn answer(&self, members: &Map<String, Value>) -> Answer {
        let solution = members.get("solution").unwrap_or(&Value::Null);
        let answer = self.service.answer(solution);
        answer.with_cost(usd(members.get("cost")))
    }
}

impl<S: TaskService> JobApi for TaskApi<S> {
    fn name(&self) -> &str {
        S::NAME
    }

    fn base_url(&self) -> &str {
        S::BASE_URL
    }

    fn secrets(&self) -> Vec<&SecretString> {
        vec![&self.client_key]
    }

    fn create(&self, challenge: &DragChallenge) -> Result<ApiRequest, SolveError> {
        self.order(challenge, None)
    }

    fn takes_callbacks(&self) -> bool {
        S::TAKES_CALLBACK_URL
    }

    fn create_with_callback(
        &self,
        challenge: &DragChallenge,
        callback_url: &str,
    ) -> Result<ApiRequest, SolveError> {
        self.order(challenge, Some(callback_url))
    }

    fn parse_created(&self, response: &ApiResponse) -> Result<Created, ResponseError> {
        let members = response.object()?;
        let job = job_id(members.get("taskId"));
        match (refusal::<S>(&members), &job) {
            (None, _) => {}
            // There is a task to be asked about, with any other text beside it.
            (
                Some(Refusal::Job(JobState::Running) | Refusal::Request(ResponseError::Unknown(_))),
                Some(job),
            ) => return Ok(Created::Job(job.clone())),
            (Some(refusal), _) => return Err(refusal.into()),
        }
        if is_status(&members, &["ready"]) {
            let answer = self.answer(&members);
            return Ok(Created::Answer { job, answer });
        }
        match job {
            Some(job) => Ok(Created::Job(job)),
            None if is_status(&members, &["fail", "failed"]) => {
                Err(gave_up::<S>("the task failed").into())
            }
            None => Err(response.missing_field("taskId")),
        }
    }

    fn poll(&self, job: &JobId) -> ApiRequest {
        self.about_task("getTaskResult", job)
    }

    fn parse_poll(&self, response: &ApiResponse) -> Result<JobState, ResponseError> {
        let members = response.object()?;
        match refusal::<S>(&members) {
            Some(Refusal::Request(error)) => return Err(error),
            Some(Refusal::Job(state)) => return Ok(state),
            None => {}
        }
        let Some(status) = text(members.get("status")) else {
            return Err(response.missing_field("status"));
        };
        Ok(match status.to_ascii_lowercase().as_str() {
            "processing" | "idle" => JobState::Running,
            "ready" => JobState::Solved(self.answer(&members)),
            "fail" | "failed" => JobState::Failed(gave_up::<S>("the task failed")),
            _ => JobState::Unknown(status),
        })
    }

    fn poll_interval(&self) -> PollInterval {
        S::POLL_INTERVAL
    }

    fn limits(&self) -> ScreenshotLimits {
        S::LIMITS
    }

    fn report(&self, job: &JobId, verdict: Verdict) -> Option<ApiRequest> {
        let path = self.service.report_path(verdict)?;
        Some(self.about_task(path, job))
    }

    fn parse_report(&self, response: &ApiResponse) -> Result<(), ResponseError> {
        let members = accepted::<S>(response)?;
        match members.get("errorId") {
            Some(_) => Ok(()),
            None => Err(response.missing_field("errorId")),
        }
    }

    fn balance(&self) -> Option<ApiRequest> {
        let body = json!({"clientKey": self.key()});
        Some(ApiRequest::json("getBalance", &body))
    }

    /// `voucher_balance` is omocaptcha's.
    fn parse_balance(&self, response: &ApiResponse) -> Result<Balance, ResponseError> {
        let members = accepted::<S>(response)?;
        let available = usd(members.get("balance"));
        let available = available.ok_or_else(|| response.missing_field("balance"))?;
        Ok(Balance::new(available).with_vouchers(usd(members.get("voucher_balance"))))
    }
}

/// The members of a response that reports no error.
fn accepted<S: TaskService>(response: &ApiResponse) -> Result<Map<String, Value>, ResponseError> {
    let members = response.object()?;
    match refusal::<S>(&members) {
        None => Ok(members),
        Some(refusal) => Err(refusal.into()),
    }
}

/// The error that a response reports, if it does.
fn refusal<S: TaskService>(members: &Map<String, Value>) -> Option<Refusal> {
    let id = members.get("errorId");
    let id = text(id).filter(|text| !text.is_empty() && number(id) != Some(0.0));
    let code = text(members.get("errorCode")).filter(|code| !code.is_empty());
    // An `errorId` of 0 is success, no matter what else is there. Without any, the code counts.
    if id.is_none() && (members.contains_key("errorId") || code.is_none()) {
        return None;
    }
    let id = id.unwrap_or_default();
    let meaning = codes::meaning(&id, code.as_deref());
    let code = code.unwrap_or_else(|| format!("error {id} without a code"));
    let message = match message(members.get("errorDescription")) {
        Some(description) => format!("{code}: {description}"),
        None => code,
    };
    let has_failed = is_status(members, &["fail", "failed"]);
    let error = |kind, message: &str| SolveError::new(kind, message);
    Some(match meaning {
        Meaning::Kind(kind, wait) => {
            Refusal::Request(error(kind, &message).with_retry_after(wait).into())
        }
        Meaning::Unknown if !has_failed => {
            Refusal::Request(ResponseError::Unknown(error(ErrorKind::Protocol, &message)))
        }
        Meaning::GaveUp | Meaning::Unknown => {
            Refusal::Job(JobState::Failed(gave_up::<S>(&message)))
        }
        Meaning::NotReady => Refusal::Job(JobState::Running),
        Meaning::Missing => {
            let error = error(ErrorKind::Protocol, &missing::<S>(&message));
            Refusal::Job(JobState::Missing(error.with_billed(Billed::Maybe)))
        }
    })
}

fn gave_up<S: TaskService>(message: &str) -> SolveError {
    SolveError::new(ErrorKind::Unsolvable, message).with_billed(S::UNSOLVABLE_BILLED)
}

fn missing<S: TaskService>(message: &str) -> String {
    let late = match S::RESULT_TTL {
        Some(ttl) => format!("the provider forgets a task {ttl:?} after it was completed"),
        None => "the provider has forgotten the task".to_owned(),
    };
    format!("{message} (too late: {late}; or the task belongs to another account)")
}

fn is_status(members: &Map<String, Value>, any_of: &[&str]) -> bool {
    let own = text(members.get("status")).unwrap_or_default();
    any_of.iter().any(|status| own.eq_ignore_ascii_case(status))
}
