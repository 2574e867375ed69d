//! What a provider answers, to anything that it was asked.
//!
//! Input: the body, possibly after a line `HTTP 429` with another status than 200. The same answer
//! is given to each kind of request in turn, over the solver that a user would have.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use drag_solver::http::{ApiRequest, ApiResponse, PollInterval, Transport, TransportError};
use drag_solver::providers::AntiCaptcha;
use drag_solver::providers::TwoCaptcha;
use drag_solver::providers::{ApiVersion, Omocaptcha};
use drag_solver::{
    Billed, Drag, DragChallenge, DragSolver, Event, JobId, Observer, PaidJob, Point, Screenshot,
    Solution, SolveError, Verdict, async_trait,
};
use serde_json::Value;

use super::promises::{
    TOKEN, drag_is_sound, error_hides_the_token, error_is_sound, hides_the_token,
};

const SECOND: Duration = Duration::from_secs(1);
pub(super) const POLL: PollInterval = PollInterval::new(SECOND, SECOND);
/// Time for two polls.
pub(super) const LIMIT: Duration = Duration::from_millis(2_500);

/// A gif of 400 by 300 pixels, smaller than any provider's limit.
pub(super) const SCREENSHOT: &[u8] = b"GIF89a\x90\x01\x2c\x01\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\0;";

/// What omocaptcha answers, protocol v1.
pub fn omocaptcha_v1(data: &[u8]) {
    let transport = Canned::new("createJob", r#"{"error": false, "job_id": 7}"#);
    let settings = Omocaptcha::builder().token(TOKEN).poll(POLL);
    let solver = settings.job_timeout(LIMIT).transport(transport.clone());
    let solver = solver.build().expect("sound settings");
    block_on(async {
        asks(&solver, &transport, data).await;
        transport.gives(data, Asked::Anything);
        refusal_is_sound(solver.balance().await);
        refusal_is_sound(solver.services().await);
    });
}

/// What omocaptcha answers, protocol v2.
pub fn omocaptcha_v2(data: &[u8]) {
    let transport = Canned::new("createTask", r#"{"errorId": 0, "taskId": 7}"#);
    let settings = Omocaptcha::builder().token(TOKEN).poll(POLL);
    let solver = settings
        .api_version(ApiVersion::V2)
        .job_timeout(LIMIT)
        .transport(transport.clone());
    let solver = solver.build().expect("sound settings");
    block_on(async {
        asks(&solver, &transport, data).await;
        transport.gives(data, Asked::Anything);
        refusal_is_sound(solver.balance().await);
    });
}

/// What 2Captcha answers.
pub fn twocaptcha(data: &[u8]) {
    let transport = Canned::new("createTask", r#"{"errorId": 0, "taskId": 7}"#);
    let settings = TwoCaptcha::builder().token(TOKEN).poll(POLL);
    let solver = settings.job_timeout(LIMIT).transport(transport.clone());
    let solver = solver.build().expect("sound settings");
    block_on(async {
        asks(&solver, &transport, data).await;
        transport.gives(data, Asked::Anything);
        refusal_is_sound(solver.balance().await);
    });
}

/// What Anti-Captcha answers.
pub fn anticaptcha(data: &[u8]) {
    let transport = Canned::new("createTask", r#"{"errorId": 0, "taskId": 7}"#);
    let settings = AntiCaptcha::builder().token(TOKEN).poll(POLL);
    let solver = settings.job_timeout(LIMIT).transport(transport.clone());
    let solver = solver.build().expect("sound settings");
    block_on(async {
        asks(&solver, &transport, data).await;
        transport.gives(data, Asked::Anything);
        refusal_is_sound(solver.balance().await);
    });
}

/// The answer to a create request, to polls, to a resumed job's polls and to reports.
async fn asks(solver: &dyn DragSolver, transport: &Canned, data: &[u8]) {
    let challenge = DragChallenge::new(Screenshot::from_bytes(SCREENSHOT).expect("a picture"));
    for asked in [Asked::Create, Asked::Anything, Asked::Poll] {
        transport.gives(data, asked);
        let heard = Arc::new(Heard::default());
        let observed = challenge.clone().with_observer(Arc::clone(&heard) as _);
        let outcome = solver.solve(&observed).await;
        assert_eq!(transport.creates(), 1, "an answer is bought once");
        solve_is_sound(&outcome, &transport.body(), &heard);
        let Err(error) = outcome else { continue };
        let Some(job) = error.unfinished_jobs().pop() else {
            continue;
        };
        let again = solver.solve(&challenge.clone().resume_job(job)).await;
        assert_eq!(transport.creates(), 1, "a resumed job is not bought again");
        solve_is_sound(&again, &transport.body(), &Heard::default());
    }
    transport.gives(data, Asked::Anything);
    let drag = Drag::new(Point::new(1.0, 2.0), Point::new(30.0, 4.0));
    let solution = Solution::new(drag, solver.name()).with_job(JobId::from(7));
    for verdict in [Verdict::Correct, Verdict::Incorrect] {
        refusal_is_sound(solver.report(&solution, verdict).await);
    }
}

/// What holds of the outcome of every call of `solve`, where answers are in pixels.
fn solve_is_sound(outcome: &Result<Solution, SolveError>, body: &[u8], heard: &Heard) {
    outcome_is_sound(outcome, heard);
    if let Ok(solution) = outcome {
        let drag = solution.drag();
        let points = [Some(drag.start), Some(drag.end), drag.alternative_end];
        let numbers = numbers_in(body);
        for point in points.into_iter().flatten() {
            for coordinate in [point.x, point.y] {
                assert!(
                    numbers.contains(&coordinate),
                    "no provider said {coordinate}"
                );
            }
        }
    }
}

/// What holds of the outcome of every call of `solve`.
pub(super) fn outcome_is_sound(outcome: &Result<Solution, SolveError>, heard: &Heard) {
    match outcome {
        Ok(solution) => {
            let drag = solution.drag();
            drag_is_sound(drag);
            drag.check(400, 300, 0.0).expect("a drag on the picture");
            assert!(
                solution.cost().is_none_or(|cost| !cost.is_negative()),
                "{solution:?}"
            );
            hides_the_token(&serde_json::to_string(solution).expect("a solution serialises"));
        }
        Err(error) => {
            error_is_sound(error);
            error_hides_the_token(error);
            // What was bought and is not over can be resumed.
            if let Some(job) = heard.unsettled() {
                assert_eq!(error.unfinished_jobs(), [job], "{error}");
                assert_eq!(error.billed(), Billed::Maybe, "{error}");
            }
        }
    }
}

pub(super) fn refusal_is_sound<T>(outcome: Result<T, SolveError>) {
    if let Err(error) = outcome {
        error_is_sound(&error);
        error_hides_the_token(&error);
        assert_eq!(
            error.billed(),
            Billed::No,
            "nothing is bought by asking: {error}"
        );
    }
}

/// Every number that a JSON text says, in or out of quotes, also between bars.
fn numbers_in(body: &[u8]) -> Vec<f64> {
    let mut numbers = Vec::new();
    // As the library reads it, stray bytes or not.
    let read = ApiResponse::new(200, body.to_vec()).object();
    let mut left: Vec<Value> = read.map(Value::Object).into_iter().collect();
    while let Some(value) = left.pop() {
        match value {
            Value::Number(number) => numbers.extend(number.as_f64()),
            Value::String(text) => {
                numbers.extend(text.split('|').filter_map(|part| {
                    part.trim_matches(['\0', '\u{feff}', ' '])
                        .trim()
                        .parse::<f64>()
                        .ok()
                }));
            }
            Value::Array(values) => left.extend(values),
            Value::Object(members) => left.extend(members.into_iter().map(|(_, value)| value)),
            Value::Null | Value::Bool(_) => {}
        }
    }
    numbers
}

/// Which requests get the answer under test. The others get a good one, so that they are made.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Asked {
    Create,
    Poll,
    Anything,
}

/// Gives one answer.
#[derive(Clone, Debug)]
struct Canned {
    state: Arc<Mutex<State>>,
    creates: Arc<AtomicUsize>,
    create_path: &'static str,
    created: &'static str,
}

#[derive(Debug)]
struct State {
    answer: ApiResponse,
    asked: Asked,
}

impl Canned {
    fn new(create_path: &'static str, created: &'static str) -> Self {
        let state = State {
            answer: ApiResponse::new(200, ""),
            asked: Asked::Anything,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            creates: Arc::default(),
            create_path,
            created,
        }
    }

    /// From here on, answers with `data` to what is `asked`.
    fn gives(&self, data: &[u8], asked: Asked) {
        let answer = read(data);
        self.creates.store(0, Ordering::SeqCst);
        *self.state.lock().expect("one thread") = State { answer, asked };
    }

    fn creates(&self) -> usize {
        self.creates.load(Ordering::SeqCst)
    }

    fn body(&self) -> Vec<u8> {
        let state = self.state.lock().expect("one thread");
        state.answer.body().to_vec()
    }
}

fn read(data: &[u8]) -> ApiResponse {
    let (status, body) = match data.strip_prefix(b"HTTP ") {
        Some(rest) => match rest.split_at_checked(3) {
            Some((status, body)) => {
                let status = str::from_utf8(status)
                    .ok()
                    .and_then(|text| text.parse().ok());
                (status.unwrap_or(200), body.trim_ascii_start())
            }
            None => (200, rest),
        },
        None => (200, data),
    };
    ApiResponse::new(status, body.to_vec())
}

#[async_trait]
impl Transport for Canned {
    async fn send(&self, request: ApiRequest, _: Duration) -> Result<ApiResponse, TransportError> {
        let is_create = request.path() == self.create_path;
        self.creates.fetch_add(is_create.into(), Ordering::SeqCst);
        let state = self.state.lock().expect("one thread");
        Ok(match state.asked {
            Asked::Poll if is_create => ApiResponse::new(200, self.created),
            Asked::Create if !is_create => ApiResponse::new(503, "<html>"),
            _ => state.answer.clone(),
        })
    }
}

/// Knows which job was bought and is not over.
#[derive(Debug, Default)]
pub(super) struct Heard(Mutex<Option<PaidJob>>);

impl Heard {
    fn unsettled(&self) -> Option<PaidJob> {
        self.0.lock().expect("one thread").clone()
    }
}

#[async_trait]
impl Observer for Heard {
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
        let mut job = self.0.lock().expect("one thread");
        match *event {
            Event::Bought {
                solver,
                job: bought,
            } => *job = Some(PaidJob::new(solver, bought.clone())),
            Event::Settled { .. } => *job = None,
            _ => {}
        }
        Ok(())
    }
}

/// Runs it on a clock that leaps over every wait.
pub(super) fn block_on(future: impl Future<Output = ()>) {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
    }
    RUNTIME.with(|runtime| runtime.block_on(future));
}
