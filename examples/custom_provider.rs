//! A provider of your own, whole: its protocol, a service to try it on, and the suite that every
//! solver must pass.
//!
//! ```sh
//! cargo run -p drag-solver-examples --example custom_provider
//! ```
//!
//! What a provider says for itself is [`JobApi`]: pure functions from a challenge to a request, and
//! from a response to what it means. `HttpSolver` does the rest: it polls through lost connections,
//! keeps deadlines, bounds what comes back, and never buys twice what was paid for.
//!
//! The service below is made up and lives on a port of this process.

#![allow(clippy::print_stdout)] // printing is what a program is for

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use drag_solver::config::{ChainConfig, Registry};
use drag_solver::http::secrecy::{ExposeSecret as _, SecretString};
use drag_solver::http::serde_json::{Map, Value, json};
use drag_solver::http::{
    Answer, ApiRequest, ApiResponse, Created, HttpOptions, HttpSolverBuilder, JobApi, JobState,
    Picture, PollInterval, ResponseError, json, points,
};
use drag_solver::prelude::*;
use drag_solver::testing::emulator::{Fault, Operation, Request, stand_in};
use drag_solver::testing::pictures::{AnswerKey, TestPicture};
use drag_solver::testing::{contract, fixtures};
use drag_solver::{ImageFormat, JobId, ScreenshotLimits};

/// One account with the service. `SecretString` keeps the key out of `Debug`.
#[derive(Debug)]
struct ClickworksApi {
    key: SecretString,
}

impl JobApi for ClickworksApi {
    fn name(&self) -> &'static str {
        "clickworks"
    }

    fn base_url(&self) -> &'static str {
        "https://api.clickworks.example/v1"
    }

    /// Masked in every error, should a response repeat it.
    fn secrets(&self) -> Vec<&SecretString> {
        vec![&self.key]
    }

    fn create(&self, challenge: &DragChallenge) -> Result<ApiRequest, SolveError> {
        let order = json!({
            "key": self.key.expose_secret(),
            "picture": Picture, // becomes base64, encoded straight into the body
            "hint": challenge.instruction(),
        });
        ApiRequest::json_with_picture("jobs", &order, challenge.screenshot())
    }

    /// `{"job": 7}`
    fn parse_created(&self, response: &ApiResponse) -> Result<Created, ResponseError> {
        let job = json::job_id(accepted(response)?.get("job"));
        job.map(Created::Job)
            .ok_or_else(|| response.missing_field("job"))
    }

    fn poll(&self, job: &JobId) -> ApiRequest {
        ApiRequest::json("result", &self.about(job))
    }

    /// `{"state": "working"}`; `{"state": "done", "from": {"x": 1, "y": 2}, "to": .., "price": "0.002"}`;
    /// or `{"state": "gave up"}`, which is not billed.
    fn parse_poll(&self, response: &ApiResponse) -> Result<JobState, ResponseError> {
        let members = accepted(response)?;
        let state = json::text(members.get("state"));
        let state = state.ok_or_else(|| response.missing_field("state"))?;
        Ok(match state.as_str() {
            "working" => JobState::Running,
            "done" => {
                let from = points::point(members.get("from"));
                let to = points::point(members.get("to"));
                let drag = from.zip(to).map(|(from, to)| Drag::new(from, to));
                // An answer that is no drag is billed all the same.
                let drag = drag.ok_or_else(|| "done, but without two points".to_owned());
                JobState::Solved(Answer::parsed(drag).with_cost(json::usd(members.get("price"))))
            }
            "gave up" => JobState::Failed(SolveError::new(ErrorKind::Unsolvable, "gave up")),
            _ => JobState::Unknown(state), // asked again, and named if nothing else comes
        })
    }

    /// As the service's documentation has it: first after 3 s, then every second.
    fn poll_interval(&self) -> PollInterval {
        PollInterval::new(Duration::from_secs(3), Duration::from_secs(1))
    }

    /// What is beyond them is refused before anything is sent.
    fn limits(&self) -> ScreenshotLimits {
        ScreenshotLimits::none()
            .with_max_bytes(2_000_000)
            .with_formats(&[ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif])
    }

    fn report(&self, job: &JobId, verdict: Verdict) -> Option<ApiRequest> {
        let mut report = self.about(job);
        report["right"] = (verdict == Verdict::Correct).into();
        Some(ApiRequest::json("report", &report))
    }
}

impl ClickworksApi {
    fn about(&self, job: &JobId) -> Value {
        json!({"key": self.key.expose_secret(), "job": json::job_id_value(job)})
    }
}

/// The members of a response that is no refusal. A refusal is `{"error": "bad key"}`.
fn accepted(response: &ApiResponse) -> Result<Map<String, Value>, ResponseError> {
    let members = response.object()?;
    let Some(error) = json::text(members.get("error")) else {
        return Ok(members);
    };
    let refusal = |kind| SolveError::new(kind, format!("refused: {error}"));
    Err(match error.as_str() {
        "bad key" => refusal(ErrorKind::Unauthorized).into(),
        "no money" => refusal(ErrorKind::InsufficientBalance).into(),
        "busy" => refusal(ErrorKind::RateLimited).into(),
        // Not explained, so the HTTP status counts: with a 500 it may have been paid for.
        _ => ResponseError::Unknown(refusal(ErrorKind::Protocol)),
    })
}

// That is the provider. What follows is needed to try it without a network.

const KEY: &str = "hunter2";

/// The service: it knows the answers to test pictures, and takes forever when asked to.
#[derive(Debug, Default)]
struct Clickworks {
    jobs: Mutex<Vec<Value>>,
}

impl Clickworks {
    async fn answer(self: Arc<Self>, request: Request) -> Value {
        let asked = request.json();
        match request.path() {
            _ if asked["key"] != KEY => json!({"error": "bad key"}),
            "/jobs" => self.hire(&asked).await,
            "/result" => self.result(&asked),
            "/report" => json!({"thanks": true}),
            _ => json!({"error": "no such call"}),
        }
    }

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
                json!({"state": "done", "from": start, "to": end, "price": "0.002"})
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

/// The providers that the file of a chain can name: those of the library, and this one, with the
/// settings that every HTTP provider has.
fn registry() -> Result<Registry, ConfigError> {
    Registry::standard().register("clickworks", |options: HttpOptions, context| {
        let options = options.resolve("CLICKWORKS_KEY", "CLICKWORKS_BASE_URL", context)?;
        HttpSolverBuilder::new(|key| ClickworksApi { key })
            .options(options)
            .build()
    })
}

const CHAIN: &str = r#"
    deadline = "120s"
    [[providers]]
    kind = "clickworks"
    token = { env = "CLICKWORKS_KEY" }
    poll = { first = "1ms", every = "1ms" }
    price = "0.002"
    timeout = "30s"
    retry = { max_attempts = 2 }
    validate = true
"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let service = Arc::new(Clickworks::default());
    let service = stand_in(move |request| Arc::clone(&service).answer(request))
        .token(KEY)
        .operation(Operation::Poll, "POST /result") // what faults can happen to
        .fault(Operation::Poll, Fault::Html, 2)
        .start()
        .await?;
    let soon = Duration::from_millis(1); // no person is at work behind this one
    let solver = HttpSolverBuilder::new(|key| ClickworksApi { key })
        .base_url(service.url()) // by default that of `JobApi::base_url`
        .token(KEY)
        .poll(PollInterval::new(soon, soon))
        .build()?;

    let picture = TestPicture::draw_sized(1, 200, 400)?;
    let solution = solver.solve(&picture.challenge()).await?;
    println!("drag {}\n", solution.drag());
    // Two polls were answered with a page for people: what is paid for is waited for all the same.
    assert_eq!(service.requests_to("/jobs"), 1);

    // The suite: give it a stand-in, never an account. It buys.
    let subject = contract::SolverUnderTest::new(&solver, picture.challenge())
        .expecting(picture.drag(), 0.0)
        .failing(fixtures::challenge()) // a picture that the service does not know
        .never_answering(picture.challenge().with_instruction("take forever"))
        .reporting([Verdict::Correct, Verdict::Incorrect])
        .with_secret(KEY);
    let report = contract::run(&subject).await;
    println!("{report}");

    // In a chain from a file, by its name.
    let url = service.url();
    let variables = move |name: &str| match name {
        "CLICKWORKS_KEY" => Some(KEY.into()),
        "CLICKWORKS_BASE_URL" => Some(url.clone().into()),
        _ => None,
    };
    let registry = registry()?.with_variables(variables); // in place of the environment
    let chain = toml::from_str::<ChainConfig>(CHAIN)?.build(&registry)?;
    println!("{chain:#}\n\nat most: {}", chain.profile().worst_case);
    let solution = chain.solve(&picture.challenge()).await?;
    assert_eq!(*solution.drag(), picture.drag());

    if report.passed() && report.skipped().count() == 0 {
        Ok(())
    } else {
        Err("the provider does not keep the contract".into())
    }
}
