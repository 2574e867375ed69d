//! A service of the `createTask` family that takes a list of pictures, and answers in four numbers.

use std::sync::Arc;
use std::time::Duration;

use drag_solver::ScreenshotLimits;
use drag_solver::http::task_api::{TaskApi, TaskService};
use drag_solver::http::{HttpSolver, Picture, PollInterval, points};
use drag_solver::prelude::*;
use drag_solver::testing::emulator::{Emulator, Request, Response, StandIn, stand_in};
use serde::Deserialize;
use serde_json::{Value, json};

use super::workers::{Jobs, Work, base64};
use super::{Foreign, KEY};

// The provider: what is counted begins here,

#[derive(Debug, Default, Deserialize)]
pub(super) struct Pieces {}

impl TaskService for Pieces {
    const NAME: &'static str = "pieces";
    const BASE_URL: &'static str = "https://api.pieces.example";
    const KEY_VARIABLE: &'static str = "PIECES_API_KEY";
    const POLL_INTERVAL: PollInterval =
        PollInterval::new(Duration::from_secs(5), Duration::from_secs(5));
    const LIMITS: ScreenshotLimits = ScreenshotLimits::none();
    const UNSOLVABLE_BILLED: Billed = Billed::Maybe;

    fn task(&self, challenge: &DragChallenge) -> Value {
        json!({"type": "PiecesTask", "images": [Picture], "question": challenge.instruction()})
    }

    fn drag(&self, solution: &Value) -> Result<Drag, String> {
        points::drag(solution.get("answer"))
    }
}

// and ends here. What follows is the service.

pub(super) type Solver = HttpSolver<TaskApi<Pieces>>;

pub(super) const FOREIGN: Foreign<Solver> =
    Foreign::new(include_str!("pieces.rs"), include_str!("pieces.toml"), 8);

/// The service, on a port of this machine.
pub(super) async fn start() -> Emulator<StandIn> {
    let jobs = Arc::new(Jobs::default());
    let served = move |request: Request| {
        let jobs = Arc::clone(&jobs);
        async move { answer(&jobs, &request).await }
    };
    stand_in(served).token(KEY).start().await.unwrap()
}

async fn answer(jobs: &Jobs, request: &Request) -> Response {
    let asked = request.json();
    let refuse = |code: &str| json!({"errorId": 1, "errorCode": code}).into();
    match request.path() {
        _ if asked["clientKey"] != KEY => refuse("ERROR_KEY_DOES_NOT_EXIST"),
        "/createTask" => {
            let task = &asked["task"];
            let work = Work::on(base64(&task["images"][0]), &task["question"]).await;
            json!({"errorId": 0, "taskId": jobs.begin(work)}).into()
        }
        "/getTaskResult" => {
            let id = asked["taskId"].as_u64().unwrap_or_default();
            match jobs.ask(id) {
                None => refuse("ERROR_NO_SUCH_CAPCHA_ID"),
                Some(Work::Endless) => json!({"errorId": 0, "status": "processing"}).into(),
                Some(Work::GivenUp) => refuse("ERROR_CAPTCHA_UNSOLVABLE"),
                Some(Work::Solved(solved)) => {
                    let [x1, y1, x2, y2] = solved.numbers;
                    // Now in one way, now in the other, as such services do.
                    let answer = match id % 2 {
                        0 => json!([x1, y1, x2, y2]),
                        _ => json!(format!("{x1}|{y1}|{x2}|{y2}")),
                    };
                    json!({"errorId": 0, "status": "ready", "solution": {"answer": answer}}).into()
                }
            }
        }
        _ => refuse("ERROR_NO_SUCH_METHOD"),
    }
}

#[tokio::test]
async fn both_forms_keep_the_contract() {
    let service = start().await;
    for form in FOREIGN.both(&service) {
        super::keeps_contract(form.subject().reporting([])).await;
    }
    service.shutdown().await;
}
