//! The protocol that a declaration is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use drag_solver_core::{
    Billed, DragChallenge, ErrorKind, JobId, Point, ScreenshotLimits, SolveError, Verdict,
};
use drag_solver_http::task_api::codes::Refusal;
use drag_solver_http::{
    ApiRequest, ApiResponse, Balance, Created, JobApi, JobState, PollInterval, ResponseError, json,
};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::answer::AnswerReader;
use crate::call::Request;
use crate::definition::State;
use crate::pointer::{Places, word};
use crate::refusal::Refusals;
use crate::template::Fill;

/// The longest response that is read as plain text, in bytes.
const LONGEST_TEXT: usize = 4096;

/// One account with a declared service: its protocol, as pure functions. `Debug` does not show the key.
#[derive(Clone, Debug)]
pub struct DeclaredApi {
    pub(crate) name: String,
    pub(crate) base_url: String,
    pub(crate) key: SecretString,
    pub(crate) secrets: BTreeMap<String, SecretString>,
    pub(crate) create: Request,
    pub(crate) poll: Option<Poll>,
    pub(crate) state: Option<(Places, State)>,
    pub(crate) answer: AnswerReader,
    pub(crate) refusals: Refusals,
    pub(crate) report_correct: Option<Request>,
    pub(crate) report_incorrect: Option<Request>,
    pub(crate) balance: Option<(Request, Places)>,
    pub(crate) plain_text: bool,
    pub(crate) limits: ScreenshotLimits,
    pub(crate) unsolvable: Billed,
}

/// How a job is asked about.
#[derive(Clone, Debug)]
pub(crate) struct Poll {
    pub(crate) request: Request,
    pub(crate) job: Places,
    pub(crate) interval: PollInterval,
}

/// How far a response says that a job is.
enum Progress {
    Running,
    Solved,
    Failed,
    Unknown(String),
    /// It does not say.
    Unsaid,
}

impl DeclaredApi {
    pub(crate) fn with_key(
        mut self,
        key: SecretString,
        secrets: BTreeMap<String, SecretString>,
    ) -> Self {
        self.key = key;
        self.secrets = secrets;
        self
    }

    /// What a job costs that the service gave up on.
    #[must_use]
    pub fn unsolvable(&self) -> Billed {
        self.unsolvable
    }

    pub(crate) fn preview(&self) -> String {
        let poll = self.poll.as_ref().map(|poll| &poll.request);
        let balance = self.balance.as_ref().map(|(request, _)| request);
        let calls = [
            ("create", Some(&self.create)),
            ("poll", poll),
            ("balance", balance),
            ("report correct", self.report_correct.as_ref()),
            ("report incorrect", self.report_incorrect.as_ref()),
        ];
        let shown = calls.iter().filter_map(|(name, call)| {
            Some(format!("{name}: {}", (*call)?.preview(&self.base_url)))
        });
        shown.collect::<Vec<_>>().join("\n\n")
    }

    /// What fills a request that is not about a challenge.
    fn fill<'a>(&'a self, job: Option<&'a JobId>) -> Fill<'a> {
        Fill::Real {
            key: &self.key,
            secrets: &self.secrets,
            challenge: None,
            job,
            callback: None,
        }
    }

    /// The request that buys, with what is to be called when the job has ended.
    fn order(
        &self,
        challenge: &DragChallenge,
        callback: Option<&str>,
    ) -> Result<ApiRequest, SolveError> {
        let shot = challenge.screenshot();
        let is_off = |start: &Point| !start.is_on(shot.width(), shot.height());
        if let Some(start) = self.answer.known_start().filter(is_off) {
            let (width, height) = (shot.width(), shot.height());
            let message = format!(
                "the start {start} that is set is not on the {width}x{height} px picture: nothing was sent"
            );
            return Err(SolveError::new(ErrorKind::Unsupported, message));
        }
        let fill = Fill::Real {
            key: &self.key,
            secrets: &self.secrets,
            challenge: Some(challenge),
            job: None,
            callback,
        };
        self.create.make(&fill, Some(shot))
    }

    fn about_job(&self, request: &Request, job: &JobId) -> ApiRequest {
        let made = request.make(&self.fill(Some(job)), None);
        // Only a request with a picture can fail to be made, and none of these has one.
        made.unwrap_or_else(|_| ApiRequest::get(""))
    }

    /// What a response says, as JSON; `null` if its status is declared to say all.
    fn root(&self, response: &ApiResponse) -> Result<Value, ResponseError> {
        let error = match response.object() {
            Ok(members) => return Ok(members.into()),
            Err(error) => error,
        };
        if let Some(said) = plain_text(response.body()).filter(|_| self.plain_text) {
            return Ok(said);
        }
        // A page for people comes from something in front of the service.
        if !response.is_html() && self.refusals.know_status(response.status()) {
            return Ok(Value::Null);
        }
        Err(error)
    }

    fn progress(&self, root: &Value) -> Progress {
        let Some((at, words)) = &self.state else {
            return if self.answer.is_there(root) {
                Progress::Solved
            } else {
                Progress::Running
            };
        };
        let Some(word) = at.find(root).and_then(|value| word(&value)) else {
            return Progress::Unsaid;
        };
        let is = |words: &Option<crate::definition::Words>| {
            words.as_ref().is_some_and(|words| words.has(&word))
        };
        if is(&words.solved) {
            Progress::Solved
        } else if is(&words.failed) {
            Progress::Failed
        } else if is(&words.running) {
            Progress::Running
        } else {
            Progress::Unknown(word)
        }
    }

    fn job(&self, root: &Value, response: &ApiResponse) -> Option<JobId> {
        let places = &self.poll.as_ref()?.job;
        let in_body = json::job_id(places.find(root).as_deref());
        in_body.or_else(|| {
            // "Send it there instead" comes before there is a job.
            let is_moved = matches!(response.status(), 301 | 307 | 308);
            let target = response.location();
            let target = target.filter(|_| places.or_location && !is_moved)?;
            let path = target.split(['?', '#']).next()?;
            let last = path.trim_end_matches('/').rsplit('/').next()?;
            json::job_id(Some(&last.into()))
        })
    }

    /// Whether this is no job's id, but a refusal's text that stands in the same place.
    fn is_text_of_refusal(&self, root: &Value, job: &JobId) -> bool {
        let places = self.poll.as_ref().map(|poll| &poll.job);
        let elsewhere =
            places.and_then(|places| places.find_outside(root, |at| self.refusals.tells_at(at)));
        let in_body = places.and_then(|places| places.find(root));
        json::job_id(in_body.as_deref()).as_ref() == Some(job)
            && json::job_id(elsewhere.as_deref()).as_ref() != Some(job)
    }

    /// The error that a response is, for requests that are not about a job.
    fn accepted(&self, response: &ApiResponse) -> Result<Value, ResponseError> {
        let root = self.root(response)?;
        let has_failed = matches!(self.progress(&root), Progress::Failed);
        match self.refusals.read(&root, response.status(), has_failed) {
            Some(refusal) => Err(refusal.into()),
            None => Ok(root),
        }
    }
}

impl JobApi for DeclaredApi {
    fn name(&self) -> &str {
        &self.name
    }

    fn base_url(&self) -> &str {
        &self.base_url
    }

    fn secrets(&self) -> Vec<&SecretString> {
        std::iter::once(&self.key)
            .chain(self.secrets.values())
            .collect()
    }

    fn create(&self, challenge: &DragChallenge) -> Result<ApiRequest, SolveError> {
        self.order(challenge, None)
    }

    fn takes_callbacks(&self) -> bool {
        self.create.has_callback()
    }

    fn create_with_callback(
        &self,
        challenge: &DragChallenge,
        callback_url: &str,
    ) -> Result<ApiRequest, SolveError> {
        self.order(challenge, Some(callback_url))
    }

    fn parse_created(&self, response: &ApiResponse) -> Result<Created, ResponseError> {
        // A redirect to the job may have any body.
        let root = match self.root(response) {
            Err(_) if response.location().is_some() => Value::Null,
            root => root?,
        };
        let job = self.job(&root, response);
        let progress = self.progress(&root);
        let has_failed = matches!(progress, Progress::Failed);
        match (
            self.refusals.read(&root, response.status(), has_failed),
            &job,
        ) {
            (None, _) => {}
            // There is a job to be asked about, with any other text beside it.
            (
                Some(Refusal::Job(JobState::Running) | Refusal::Request(ResponseError::Unknown(_))),
                Some(job),
            ) if !self.is_text_of_refusal(&root, job) => return Ok(Created::Job(job.clone())),
            (Some(refusal), _) => return Err(refusal.into()),
        }
        match progress {
            // The word for "solved" may be the one for "accepted", too: then there is a job, and no answer
            // or only the job's id in its place.
            Progress::Solved
                if !self.is_same_place() && (job.is_none() || self.answer.is_there(&root)) =>
            {
                let answer = self.answer.read(&root);
                return Ok(Created::Answer { job, answer });
            }
            Progress::Failed if job.is_none() => {
                return Err(self.refusals.job_failed(&root).into());
            }
            _ => {}
        }
        let missing = match &self.poll {
            Some(poll) => poll.job.first(),
            None => self.answer.place().first(),
        };
        job.map(Created::Job)
            .ok_or_else(|| response.missing_field(missing))
    }

    fn poll(&self, job: &JobId) -> ApiRequest {
        match &self.poll {
            Some(poll) => self.about_job(&poll.request, job),
            None => ApiRequest::get(""), // never called: there is no job
        }
    }

    fn parse_poll(&self, response: &ApiResponse) -> Result<JobState, ResponseError> {
        let root = self.root(response)?;
        let progress = self.progress(&root);
        let has_failed = matches!(progress, Progress::Failed);
        match self.refusals.read(&root, response.status(), has_failed) {
            Some(Refusal::Request(error)) => return Err(error),
            Some(Refusal::Job(state)) => return Ok(state),
            None => {}
        }
        Ok(match progress {
            Progress::Running => JobState::Running,
            Progress::Solved => JobState::Solved(self.answer.read(&root)),
            Progress::Failed => JobState::Failed(self.refusals.job_failed(&root)),
            Progress::Unknown(word) => JobState::Unknown(word),
            Progress::Unsaid => {
                let at = self.state.as_ref().map_or("", |(at, _)| at.first());
                return Err(response.missing_field(at));
            }
        })
    }

    fn poll_interval(&self) -> PollInterval {
        let at_once = PollInterval::new(Duration::ZERO, Duration::from_secs(1));
        self.poll.as_ref().map_or(at_once, |poll| poll.interval)
    }

    fn limits(&self) -> ScreenshotLimits {
        self.limits
    }

    fn report(&self, job: &JobId, verdict: Verdict) -> Option<ApiRequest> {
        let request = match verdict {
            Verdict::Correct => &self.report_correct,
            Verdict::Incorrect => &self.report_incorrect,
        };
        Some(self.about_job(request.as_ref()?, job))
    }

    fn parse_report(&self, response: &ApiResponse) -> Result<(), ResponseError> {
        // Many have nothing to say to it.
        let says_nothing = response.body().trim_ascii().is_empty();
        if !(response.is_success() && says_nothing) {
            self.accepted(response)?;
        }
        if response.is_success() {
            return Ok(());
        }
        Err(ResponseError::Unparseable(
            "the report was not taken".into(),
        ))
    }

    fn balance(&self) -> Option<ApiRequest> {
        let (request, _) = self.balance.as_ref()?;
        request.make(&self.fill(None), None).ok()
    }

    fn parse_balance(&self, response: &ApiResponse) -> Result<Balance, ResponseError> {
        let root = self.accepted(response)?;
        let at = self.balance.as_ref().map(|(_, at)| at);
        let found = at.and_then(|at| at.find(&root));
        let missing = || response.missing_field(at.map_or("", Places::first));
        json::usd(found.as_deref())
            .map(Balance::new)
            .ok_or_else(missing)
    }

    fn has_jobs(&self) -> bool {
        self.poll.is_some()
    }
}

impl DeclaredApi {
    /// Whether the job's id and the answer stand at the same place, in different responses.
    pub(crate) fn is_same_place(&self) -> bool {
        let job = self.poll.as_ref().map(|poll| &poll.job.written);
        job.is_some_and(|job| {
            job.iter()
                .any(|at| self.answer.place().written.contains(at))
        })
    }
}

/// The older protocols' `OK|123`, `CAPCHA_NOT_READY` and `ERROR: 1005`, as the same services write them in
/// JSON.
fn plain_text(body: &[u8]) -> Option<Value> {
    let text: Cow<'_, str> = String::from_utf8_lossy(body.get(..LONGEST_TEXT).unwrap_or(body));
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\0');
    if let Some(rest) = text.strip_prefix("OK|") {
        return Some(json!({"status": 1, "request": rest}));
    }
    let is_word = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "_: ".contains(c);
    if text.is_empty() || !text.chars().all(|c| is_word(c) || c == '.') {
        return None;
    }
    let is_good = text.starts_with("OK") || text.parse::<f64>().is_ok();
    Some(json!({"status": u8::from(is_good), "request": text}))
}
