//! A service that answers in one call, in fractions of the picture, and refuses by status alone.

use std::future::pending;

use drag_solver::http::secrecy::SecretString;
use drag_solver::http::{
    Answer, AnswerApi, ApiRequest, ApiResponse, Context, HttpSolver, NoConfig, OneCall, Picture,
    ResponseError, Service, Unit,
};
use drag_solver::prelude::*;
use drag_solver::testing::emulator::{Emulator, Request, Response, StandIn, stand_in};
use serde_json::{Value, json};

use super::workers::{Work, base64};
use super::{Foreign, KEY};

// The provider: what is counted begins here,

#[derive(Debug)]
pub(super) struct Fractions {
    key: SecretString,
}

impl Service for Fractions {
    const NAME: &'static str = "fractions";
    const BASE_URL: &'static str = "https://api.fractions.example/v2";
    const KEY_VARIABLE: &'static str = "FRACTIONS_API_KEY";
    type Config = NoConfig;

    fn from_config(key: SecretString, _: NoConfig, _: &Context) -> Result<Self, ConfigError> {
        Ok(Self { key })
    }
}

impl AnswerApi for Fractions {
    fn request(&self, challenge: &DragChallenge) -> Result<ApiRequest, SolveError> {
        let shot = challenge.screenshot();
        let picture = Picture::data_uri(shot.format());
        let order = json!({"image": picture, "prompt": challenge.instruction()});
        let request = ApiRequest::json_with_picture("detect", &order, shot)?;
        Ok(request.query("model", "slider").bearer(&self.key))
    }

    fn parse(&self, response: &ApiResponse) -> Result<Answer, ResponseError> {
        if response.status() == 422 {
            return Err(SolveError::new(ErrorKind::Unsolvable, "found nothing").into());
        }
        Ok(response.answer("points")?.with_unit(Unit::Fraction))
    }
}

// and ends here. What follows is the service.

pub(super) type Solver = HttpSolver<OneCall<Fractions>>;

pub(super) const FOREIGN: Foreign<Solver> = Foreign::new(
    include_str!("fractions.rs"),
    include_str!("fractions.toml"),
    30,
);

/// Accounts without money, and with too many requests.
const POOR: &str = "poor-hunter2";
const BUSY: &str = "busy-hunter2";

/// The service, on a port of this machine.
pub(super) async fn start() -> Emulator<StandIn> {
    stand_in(answer).token(KEY).start().await.unwrap()
}

async fn answer(request: Request) -> Response {
    let is_call = request.method() == "POST" && request.path() == "/detect";
    if !is_call || request.query().get("model") != Some("slider") {
        return Response::empty(404);
    }
    let authorization = request.header("authorization").unwrap_or_default();
    match authorization.strip_prefix("Bearer ").unwrap_or_default() {
        KEY => {}
        POOR => return Response::empty(402),
        BUSY => return Response::empty(429).with_header("Retry-After", "2"),
        _ => return Response::empty(401),
    }
    let asked = request.json();
    let image = asked["image"].as_str().unwrap_or_default();
    let image: Value = image.replace("data:image/png;base64,", "").into();
    match Work::on(base64(&image), &asked["prompt"]).await {
        Work::Endless => pending().await,
        Work::GivenUp => Response::empty(422),
        Work::Solved(solved) => {
            let (width, height) = solved.size;
            let [x1, y1, x2, y2] = solved.numbers;
            let point = |x: f64, y: f64| [x / f64::from(width), y / f64::from(height)];
            json!({"points": [point(x1, y1), point(x2, y2)]}).into()
        }
    }
}

#[tokio::test]
async fn both_forms_keep_the_contract() {
    let service = start().await;
    for form in FOREIGN.both(&service) {
        let (poor, busy) = ((form.of_account)(POOR), (form.of_account)(BUSY));
        let subject = form
            .subject()
            .with_unrelated_failure(ErrorKind::InsufficientBalance, &poor, super::known())
            .with_unrelated_failure(ErrorKind::RateLimited, &busy, super::known())
            .reporting([])
            .answering_in_one_call();
        super::keeps_contract(subject).await;
    }
    service.shutdown().await;
}
