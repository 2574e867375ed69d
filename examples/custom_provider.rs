//! A provider of your own, whole: its protocol, a service to try it on, and the suite that every
//! solver must pass.
//!
//! ```sh
//! cargo run -p drag-solver-examples --example custom_provider
//! ```
//!
//! In the file of a chain it goes by the name under which the registry knows it.
//!
//! What a provider says for itself is [`JobApi`]: pure functions from a challenge to a request, and
//! from an answer to what it means. [`HttpSolver`] does the rest: it polls through lost connections,
//! keeps deadlines, bounds what comes back, and never buys twice what was paid for.
//!
//! The service below is made up and lives in this process. For a real one, replace [`Clickworks`] at
//! the end by `ReqwestTransport::builder("https://api.example.com").build()?`.

#![allow(clippy::print_stdout)] // printing is what a program is for

use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use drag_solver::config::{ChainConfig, InvalidConfig, Registry};
use drag_solver::core::{ImageFormat, JobId, ScreenshotLimits};
use drag_solver::http::secrecy::{ExposeSecret as _, SecretString};
use drag_solver::http::serde_json::{self, Value, json};
use drag_solver::http::{
    Answer, AnswerError, ApiRequest, ApiResponse, Created, JobState, PICTURE, Pace, Secret,
    Transport, TransportError, lenient,
};
use drag_solver::mock::challenge::{AnswerKey, TestPicture};
use drag_solver::mock::contract;
use drag_solver::prelude::*;
use serde::Deserialize;

/// One account with the service. `SecretString` keeps the key out of `Debug`.
#[derive(Debug)]
struct ClickworksApi {
    key: SecretString,
}

impl JobApi for ClickworksApi {
    fn name(&self) -> &'static str {
        "clickworks"
    }

    /// Blotted out of answers that repeat it.
    fn secret(&self) -> Option<&SecretString> {
        Some(&self.key)
    }

    fn create(&self, challenge: &DragChallenge) -> Result<ApiRequest, SolveError> {
        let order = json!({
            "key": self.key.expose_secret(),
            "picture": PICTURE, // becomes base64, encoded straight into the body
            "hint": challenge.instruction(),
        });
        ApiRequest::with_picture("jobs", &order, challenge.screenshot().bytes())
    }

    /// `{"job": 7}`
    fn created(&self, answer: &ApiResponse) -> Result<Created, AnswerError> {
        let members = accepted(answer)?;
        lenient::job_id(members.get("job"))
            .map(Created::Pending)
            .ok_or_else(|| answer.lacks("job"))
    }

    fn poll(&self, job: &JobId) -> ApiRequest {
        ApiRequest::json("result", &self.about(job))
    }

    /// `{"state": "working"}`, `{"state": "done", "from": [x, y], "to": [x, y]}`, or
    /// `{"state": "gave up"}`, which is not billed.
    fn polled(&self, answer: &ApiResponse) -> Result<JobState, AnswerError> {
        let members = accepted(answer)?;
        let Some(state) = lenient::text(members.get("state")) else {
            return Err(answer.lacks("state"));
        };
        Ok(match state.as_str() {
            "working" => JobState::Running,
            "done" => match (point(members.get("from")), point(members.get("to"))) {
                (Some(from), Some(to)) => {
                    let cost = lenient::usd(members.get("price"));
                    JobState::Solved(Answer::new(Drag::new(from, to)).with_cost(cost))
                }
                // Done, billed, and of no use.
                _ => JobState::Failed(
                    SolveError::new(ErrorKind::InvalidAnswer, "done, but without two points")
                        .with_charge(Charge::Yes),
                ),
            },
            "gave up" => JobState::Failed(SolveError::new(ErrorKind::Unsolvable, "gave up")),
            _ => JobState::Unknown(state), // asked again, and told if nothing else comes
        })
    }

    /// As the service's documentation has it: first after 3 s, then every second.
    fn pace(&self) -> Pace {
        Pace::new(Duration::from_secs(3), Duration::from_secs(1))
    }

    /// What is beyond them is refused before anything is sent.
    fn limits(&self) -> ScreenshotLimits {
        ScreenshotLimits::none()
            .with_max_bytes(2_000_000)
            .with_formats(&[ImageFormat::Png, ImageFormat::Jpeg])
    }

    fn feedback(&self, job: &JobId, verdict: Verdict) -> Option<ApiRequest> {
        let mut report = self.about(job);
        report["right"] = (verdict == Verdict::Correct).into();
        Some(ApiRequest::json("feedback", &report))
    }
}

impl ClickworksApi {
    fn about(&self, job: &JobId) -> Value {
        json!({"key": self.key.expose_secret(), "job": lenient::job_id_value(job)})
    }
}

/// The members of an answer that is no refusal. A refusal is `{"error": "bad key"}`.
fn accepted(answer: &ApiResponse) -> Result<serde_json::Map<String, Value>, AnswerError> {
    let members = answer.object()?;
    let Some(error) = lenient::text(members.get("error")) else {
        return Ok(members);
    };
    let kind = match error.as_str() {
        "bad key" => ErrorKind::Unauthorized,
        "no money" => ErrorKind::InsufficientBalance,
        "busy" => ErrorKind::RateLimited,
        _ => ErrorKind::Protocol,
    };
    Err(SolveError::new(kind, format!("refused: {error}")).into())
}

/// `[x, y]`
fn point(value: Option<&Value>) -> Option<Point> {
    let parts = value?.as_array()?;
    match (
        lenient::number(parts.first()),
        lenient::number(parts.get(1)),
    ) {
        (Some(x), Some(y)) if parts.len() == 2 => Some(Point::new(x, y)),
        _ => None,
    }
}

// That is the provider. What follows is needed to try it without a network.

const KEY: &str = "hunter2";

/// The service: it knows the answers to test pictures, and takes forever when asked to.
#[derive(Debug, Default)]
struct Clickworks {
    jobs: Mutex<Vec<Value>>,
}

impl Clickworks {
    async fn hire(&self, order: &Value) -> Value {
        let picture = BASE64_STANDARD.decode(order["picture"].as_str().unwrap_or_default());
        let drag = match picture.map(Screenshot::from_bytes) {
            Ok(Ok(screenshot)) => AnswerKey.solve(&DragChallenge::new(screenshot)).await,
            _ => return json!({"error": "not a picture"}),
        };
        let result = match drag {
            _ if order["hint"] == "take forever" => json!({"state": "working"}),
            Ok(solution) => {
                let Drag { start, end, .. } = *solution.drag();
                json!({"state": "done", "from": [start.x, start.y], "to": [end.x, end.y], "price": "0.002"})
            }
            Err(_) => json!({"state": "gave up"}),
        };
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.push(result);
        json!({"job": jobs.len()})
    }

    fn result(&self, question: &Value) -> Value {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let number = question["job"].as_u64().and_then(|job| job.checked_sub(1));
        let job = number.and_then(|index| jobs.get(usize::try_from(index).ok()?));
        job.cloned()
            .unwrap_or_else(|| json!({"error": "no such job"}))
    }
}

#[async_trait]
impl Transport for Clickworks {
    async fn send(&self, request: ApiRequest, _: Duration) -> Result<ApiResponse, TransportError> {
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let answer = match request.path() {
            _ if body["key"] != KEY => json!({"error": "bad key"}),
            "jobs" => self.hire(&body).await,
            "result" => self.result(&body),
            "feedback" => json!({"thanks": true}),
            _ => json!({"error": "no such call"}),
        };
        Ok(ApiResponse::new(200, answer.to_string()))
    }
}

/// Its table in the file of a chain. Keys beside these are refused.
#[derive(Deserialize)]
struct ClickworksConfig {
    /// `{ env = "CLICKWORKS_KEY" }` or `{ file = "PATH" }`: never the key itself.
    key: Secret,
    poll: Option<Pace>,
}

/// The providers that a file can name: those of the library, and this one.
fn registry() -> Result<Registry, InvalidConfig> {
    Registry::standard().register("clickworks", |config: ClickworksConfig, context| {
        let key = context.secret("key", &config.key)?;
        let mut solver = HttpSolver::builder(ClickworksApi { key }, Clickworks::default());
        if let Some(pace) = config.poll {
            solver = solver.pace(pace);
        }
        if let Some(limit) = context.attempt_limit() {
            solver = solver.job_timeout(limit); // the `timeout` of the file
        }
        solver.build()
    })
}

const CHAIN: &str = r#"
    deadline = "120s"
    [[providers]]
    kind = "clickworks"
    key = { env = "CLICKWORKS_KEY" }
    poll = { first = "1ms", every = "1ms" }
    price = "0.002"
    timeout = "30s"
    retry = { max_attempts = 2 }
    validate = true
"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let api = ClickworksApi { key: KEY.into() };
    let soon = Duration::from_millis(1);
    let solver = HttpSolver::builder(api, Clickworks::default())
        .pace(Pace::new(soon, soon)) // nobody is at work behind this one
        .build()?;

    let picture = TestPicture::draw_sized(1, 200, 400)?;
    let solution = solver.solve(&picture.challenge()).await?;
    println!("drag {}\n", solution.drag());

    // The suite: give it an emulator or an in-memory service, never an account. It buys.
    let unknown = Screenshot::from_bytes(UNKNOWN_PICTURE)?;
    let subject = contract::Subject::new(&solver, picture.challenge())
        .expecting(picture.drag(), 0.0)
        .failing(DragChallenge::new(unknown))
        .never_answering(picture.challenge().with_instruction("take forever"))
        .hiding(KEY);
    let report = contract::run(&subject).await;
    println!("{report}");

    // In a chain from a file, by its name.
    let variables = |name: &str| (name == "CLICKWORKS_KEY").then(|| KEY.into());
    let registry = registry()?.with_variables(variables); // in place of the environment
    let chain = toml::from_str::<ChainConfig>(CHAIN)?.build(&registry)?;
    println!("{chain:#}\n\nat the worst: {}", chain.worst_case());
    assert_eq!(
        chain.solve(&picture.challenge()).await?.drag(),
        &picture.drag()
    );

    if report.is_clean() && report.skipped().count() == 0 {
        Ok(())
    } else {
        Err("the provider does not keep the contract".into())
    }
}

/// A PNG of 300 x 300 pixels, all of them missing.
const UNKNOWN_PICTURE: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\x2c\0\0\x01\x2c\x08\x02\0\0\0\xf6\x1f\x19\x22\0\0\0\0IEND\xaeB`\x82";
