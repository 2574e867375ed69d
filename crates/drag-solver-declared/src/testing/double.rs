//! The service that a declaration describes, as far as it says.

use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};

use drag_solver_core::{Drag, DragChallenge, DragSolver as _, ErrorKind, Screenshot};
use drag_solver_emulator::{Callback, Callbacks, Request, Response};
use drag_solver_http as http;
use drag_solver_mock::pictures::AnswerKey;
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

use super::received::Received;
use crate::answer::Form;
use crate::api::DeclaredApi;
use crate::definition::{Definition, ErrorRow, Family, Pointers, RowState, Words};

/// Pictures of these widths are given up on, and never answered.
pub(super) const GIVEN_UP: u32 = 201;
pub(super) const ENDLESS: u32 = 202;

/// Full of characters that JSON, URLs and HTML write in another way.
pub(super) const KEY: &str = "q9Zv7-k3y8s_hunter2+/=%&";

/// What other secrets end in.
pub(super) const OTHER_SECRET: &str = "hunter2-hunter2";

/// The other secret called `name` of the account.
pub(super) fn secret(name: &str) -> String {
    format!("{name}-{OTHER_SECRET}")
}

/// The service, and the jobs it was given.
pub(super) struct Double {
    api: DeclaredApi,
    definition: Definition,
    key: String,
    callbacks: Callbacks,
    jobs: Mutex<Vec<Job>>,
    /// Each ends with how many calls there were about a job.
    calling: Mutex<JoinSet<usize>>,
}

/// What a job comes to, and how often it was asked about.
struct Job {
    result: JobResult,
    polls: usize,
}

#[derive(Clone, Copy)]
enum JobResult {
    Solved(Drag, (u32, u32)),
    GivenUp,
    Endless,
}

/// The id of the first job.
const FIRST_ID: usize = 7_100_001;

impl Double {
    pub(super) fn new(
        api: DeclaredApi,
        definition: &Definition,
        key: &str,
        callbacks: Callbacks,
    ) -> Self {
        Self {
            api,
            definition: definition.clone(),
            key: key.to_owned(),
            callbacks,
            jobs: Mutex::default(),
            calling: Mutex::default(),
        }
    }

    /// How many answers were bought.
    pub(super) fn bought(&self) -> usize {
        self.jobs().len()
    }

    /// Waits until all calls are made that an answer is there, and says how many there were.
    pub(super) async fn called(&self) -> usize {
        let calling = std::mem::take(&mut *self.calling());
        calling.join_all().await.into_iter().sum()
    }

    fn calling(&self) -> std::sync::MutexGuard<'_, JoinSet<usize>> {
        self.calling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn jobs(&self) -> std::sync::MutexGuard<'_, Vec<Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn answer(self: &Arc<Self>, request: Request) -> Response {
        if let Some(received) = self.api.create.read(&request) {
            return self.create(received).await;
        }
        let poll = self.api.poll.as_ref().map(|poll| &poll.request);
        if let Some(received) = poll.and_then(|poll| poll.read(&request)) {
            return self.poll(&received);
        }
        let balance = self.api.balance.as_ref();
        if let Some((balance, at)) = balance
            && let Some(received) = balance.read(&request)
        {
            let mut said = self.accepted();
            set(&mut said, at.first(), json!(12.5));
            return self.to_owner(&received, &said);
        }
        let reports = [&self.api.report_correct, &self.api.report_incorrect];
        let mut reports = reports.into_iter().flatten();
        match reports.find_map(|report| report.read(&request)) {
            Some(received) => self.to_owner(&received, &self.accepted()),
            None => Response::text(404, "no such call"),
        }
    }

    fn to_owner(&self, received: &Received, said: &Value) -> Response {
        if self.is_owner(received) {
            return Response::json(200, said);
        }
        self.refusal(ErrorKind::Unauthorized)
    }

    fn is_owner(&self, received: &Received) -> bool {
        let is_key = |key: &String| *key == self.key;
        let are_known = |(name, own): &(String, String)| *own == secret(name);
        received.key.as_ref().is_none_or(is_key) && received.secrets.iter().all(are_known)
    }

    async fn create(self: &Arc<Self>, received: Received) -> Response {
        if !self.is_owner(&received) {
            return self.refusal(ErrorKind::Unauthorized);
        }
        let picture = received.picture.map(Screenshot::from_bytes);
        let Some(Ok(screenshot)) = picture else {
            return Response::text(400, "no picture");
        };
        let size = (screenshot.width(), screenshot.height());
        let result = match size.0 {
            GIVEN_UP => JobResult::GivenUp,
            ENDLESS => JobResult::Endless,
            _ => match AnswerKey.solve(&DragChallenge::new(screenshot)).await {
                Ok(solution) => JobResult::Solved(*solution.drag(), size),
                Err(_) => JobResult::GivenUp,
            },
        };
        let index = {
            let mut jobs = self.jobs();
            jobs.push(Job { result, polls: 0 });
            jobs.len() - 1
        };
        if let Some(url) = received.callback {
            self.call_back(index, url);
        }
        let id = FIRST_ID + index;
        let Some(poll) = &self.api.poll else {
            return match result {
                JobResult::Endless => pending().await,
                result => self.result(result),
            };
        };
        let mut said = self.accepted();
        if self.api.is_same_place() {
            self.set_state(&mut said, |state| state.solved.as_ref());
        }
        let in_body = poll.job.written.iter().find(|place| place.starts_with('/'));
        let id = match self.definition.family {
            Some(Family::InPhp) => json!(id.to_string()),
            _ => json!(id),
        };
        match in_body {
            Some(place) => {
                set(&mut said, place, id);
                Response::json(200, &said)
            }
            None => Response::empty(303).with_header("Location", &format!("/jobs/{id}")),
        }
    }

    /// Calls the client about a job, whose answer is there from then on. What services say in such a call is in no
    /// declaration, and nothing reads it.
    fn call_back(self: &Arc<Self>, index: usize, url: String) {
        let double = Arc::clone(self);
        self.calling().spawn(async move {
            let call = |id: usize| Callback::json(&json!({ "job": id }));
            let answer = async {
                let mut jobs = double.jobs();
                let job = jobs.get_mut(index)?;
                job.polls = job.polls.max(1);
                let ends = !matches!(job.result, JobResult::Endless);
                ends.then(|| call(FIRST_ID + index))
            };
            double.callbacks.deliver(&url, call(0), answer).await
        });
    }

    fn poll(&self, received: &Received) -> Response {
        if !self.is_owner(received) {
            return self.refusal(ErrorKind::Unauthorized);
        }
        let id = received.job.as_ref().and_then(|job| job.parse().ok());
        let index = id.and_then(|id: usize| id.checked_sub(FIRST_ID));
        let result = {
            let mut jobs = self.jobs();
            let job = index.and_then(|index| jobs.get_mut(index));
            job.map(|job| {
                job.polls += 1;
                // Not yet, once: so both states are seen.
                (job.polls > 1).then_some(job.result)
            })
        };
        match result {
            None => Response::text(404, "no such job"),
            Some(None | Some(JobResult::Endless)) => self.running(),
            Some(Some(result)) => self.result(result),
        }
    }

    fn result(&self, result: JobResult) -> Response {
        let JobResult::Solved(drag, size) = result else {
            return self.failed();
        };
        let mut said = self.accepted();
        self.set_state(&mut said, |state| state.solved.as_ref());
        self.set_answer(&mut said, drag, size);
        Response::json(200, &said)
    }

    fn running(&self) -> Response {
        let mut said = self.accepted();
        if self.set_state(&mut said, |state| state.running.as_ref()) {
            return Response::json(200, &said);
        }
        let of_row = |row: &&ErrorRow| row.state == Some(RowState::Running);
        if let Some(row) = self.definition.errors.iter().find(of_row) {
            return self.of_row(row);
        }
        self.of_code("CAPCHA_NOT_READY").unwrap_or_else(|| {
            self.set_word(&mut said, "somewhere in between");
            Response::json(200, &said)
        })
    }

    fn failed(&self) -> Response {
        let mut said = self.accepted();
        if self.set_state(&mut said, |state| state.failed.as_ref()) {
            return Response::json(200, &said);
        }
        let of_row = |row: &&ErrorRow| {
            row.state == Some(RowState::Failed) || row.kind == Some(ErrorKind::Unsolvable)
        };
        if let Some(row) = self.definition.errors.iter().find(of_row) {
            return self.of_row(row);
        }
        // What cannot be said in the declaration's words is said as an answer that is no drag.
        self.of_code("ERROR_CAPTCHA_UNSOLVABLE").unwrap_or_else(|| {
            self.set_state(&mut said, |state| state.solved.as_ref());
            set(&mut said, self.api.answer.place().first(), json!("no idea"));
            Response::json(200, &said)
        })
    }

    fn refusal(&self, kind: ErrorKind) -> Response {
        let of_row = |row: &&ErrorRow| row.kind == Some(kind);
        if let Some(row) = self.definition.errors.iter().find(of_row) {
            return self.of_row(row);
        }
        let refused = || Response::json(401, &json!({}));
        self.of_code("ERROR_KEY_DOES_NOT_EXIST")
            .unwrap_or_else(refused)
    }

    fn of_code(&self, code: &str) -> Option<Response> {
        let codes = self.definition.codes.as_ref()?;
        let mut said = json!({});
        self.set_refused(&mut said);
        set(&mut said, first(codes.at.as_ref())?, json!(code));
        Some(Response::json(200, &said))
    }

    fn of_row(&self, row: &ErrorRow) -> Response {
        let mut said = json!({});
        let words = row.is.iter().map(|words| word(&words.0[..1]));
        let mut words = words.chain(row.contains.iter().map(|words| word(&words.0)));
        let text = words.next();
        let message = self.definition.message.as_ref();
        if row.at.is_none() && text.is_some() {
            self.set_refused(&mut said);
        }
        if let (Some(place), Some(text)) = (first(row.at.as_ref().or(message)), text) {
            set(&mut said, place, text);
        }
        match row.status {
            // Where the status says all, services leave the rest out.
            Some(status) if said == json!({}) => Response::empty(status),
            status => Response::json(status.unwrap_or(200), &said),
        }
    }

    /// What a response holds that is no refusal.
    fn accepted(&self) -> Value {
        let mut said = json!({});
        for condition in self.definition.refused.iter().flatten() {
            if let (Some(at), Some(not)) = (first(condition.at.as_ref()), &condition.is_not) {
                set(&mut said, at, word(&not.0[..1]));
            }
        }
        said
    }

    fn set_refused(&self, said: &mut Value) {
        let Some(condition) = self.definition.refused.iter().flatten().next() else {
            return;
        };
        let value = match &condition.is {
            Some(words) => word(&words.0[..1]),
            None => json!(1),
        };
        if let Some(at) = first(condition.at.as_ref()) {
            set(said, at, value);
        }
    }

    /// Whether there is a word for it.
    fn set_state(
        &self,
        said: &mut Value,
        words: impl Fn(&crate::definition::State) -> Option<&Words>,
    ) -> bool {
        let word = self.definition.state.as_ref().and_then(words);
        let word = word.and_then(|words| words.0.first().cloned());
        word.is_some_and(|word| self.set_word(said, &word))
    }

    fn set_word(&self, said: &mut Value, text: &str) -> bool {
        let state = self.definition.state.as_ref();
        let at = state.and_then(|state| first(state.at.as_ref()));
        if let Some(at) = at {
            set(said, at, word(&[text.to_owned()]));
        }
        at.is_some()
    }

    fn set_answer(&self, said: &mut Value, drag: Drag, (width, height): (u32, u32)) {
        let (x, y) = match self.api.answer.unit {
            http::Unit::Fraction => (f64::from(width), f64::from(height)),
            http::Unit::Percent => (f64::from(width) / 100.0, f64::from(height) / 100.0),
            http::Unit::ViewWidth(view) => (f64::from(width) / view, f64::from(width) / view),
            _ => (1.0, 1.0),
        };
        let (x1, y1) = (drag.start.x / x, drag.start.y / y);
        let (x2, y2) = (drag.end.x / x, drag.end.y / y);
        let at = self.api.answer.place().first();
        match &self.api.answer.form {
            Form::Both(_) => {
                let both = match self.definition.family {
                    Some(Family::CreateJob) => json!(format!("{x1}|{y1}|{x2}|{y2}")),
                    Some(Family::InPhp) => {
                        json!(format!("coordinates:x={x1},y={y1};x={x2},y={y2}"))
                    }
                    Some(Family::CreateTask) => json!([{"x": x1, "y": y1}, {"x": x2, "y": y2}]),
                    _ => json!([[x1, y1], [x2, y2]]),
                };
                set(said, at, both);
            }
            Form::Each(start, _) => {
                set(said, start.first(), json!([x1, y1]));
                set(said, at, json!([x2, y2]));
            }
            Form::Distance(..) => set(said, at, json!(x2 - x1)),
            Form::EndX(..) => set(said, at, json!(x2)),
            Form::End(..) => set(said, at, json!({"x": x2, "y": y2})),
        }
    }
}

fn first(pointers: Option<&Pointers>) -> Option<&str> {
    pointers?.0.first().map(String::as_str)
}

/// Words as JSON: a number or a flag if there is one that reads like it.
fn word(words: &[String]) -> Value {
    let text = words.join(" ");
    serde_json::from_str(&text)
        .ok()
        .filter(|value: &Value| value.is_number() || value.is_boolean())
        .unwrap_or(Value::String(text))
}

/// Puts `value` at the end of a JSON pointer, and objects on the way there.
fn set(root: &mut Value, pointer: &str, value: Value) {
    let mut place = root;
    for part in pointer.split('/').skip(1) {
        if !place.is_object() {
            *place = Map::new().into();
        }
        let part = part.replace("~1", "/").replace("~0", "~");
        place = &mut place[part];
    }
    *place = value;
}
