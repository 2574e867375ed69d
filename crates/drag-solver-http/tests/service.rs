//! What a service says as constants, and what is known of the secrets that it was made of.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use drag_solver_core::{ConfigError, DragChallenge, DragSolver, JobId, SolveError};
use drag_solver_http::secrecy::{ExposeSecret as _, SecretString};
use drag_solver_http::testing::{Reply, ScriptedTransport};
use drag_solver_http::{
    Answer, AnswerApi, ApiRequest, ApiResponse, Context, Created, HttpOptions, HttpSolver, JobApi,
    JobState, OneCall, Picture, Provider, ResponseError, Secret, Service,
};
use drag_solver_mock::fixtures::challenge;
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const KEY: &str = "key-hunter2-hunter2";
const USER: &str = "user-hunter2-hunter2";

/// User name and password. It does not say itself which its secrets are.
#[derive(Debug)]
struct Clerk(SecretString, SecretString);

#[derive(Default)]
struct Login {
    user: Option<Secret>,
}

impl Service for Clerk {
    const NAME: &'static str = "the-clerk";
    const BASE_URL: &'static str = "https://clerk.example/api";
    const KEY_VARIABLE: &'static str = "CLERK_PASSWORD";
    type Config = Login;

    fn from_config(key: SecretString, own: Login, context: &Context) -> Result<Self, ConfigError> {
        let user = context.secret_or("user", own.user, "CLERK_USER")?;
        Ok(Self(user, key))
    }
}

impl AnswerApi for Clerk {
    fn request(&self, challenge: &DragChallenge) -> Result<ApiRequest, SolveError> {
        let order = json!({"user": self.0.expose_secret(), "image": Picture});
        let request = ApiRequest::json_with_picture("solve", &order, challenge.screenshot())?;
        Ok(request.bearer(&self.1))
    }

    fn parse(&self, response: &ApiResponse) -> Result<Answer, ResponseError> {
        response.answer("drag")
    }
}

type Solver = HttpSolver<OneCall<Clerk>>;

fn login() -> Login {
    Login {
        user: Some(USER.into()),
    }
}

#[tokio::test]
async fn a_service_of_one_call_is_a_provider() {
    let transport = ScriptedTransport::new([Reply::json(r#"{"drag": "83|560|320|560"}"#)]);
    let settings = Solver::builder().token(KEY).config(login());
    let solver = settings.transport(transport.clone()).build().unwrap();
    assert_eq!(solver.name(), "the-clerk");
    let solution = solver.solve(&challenge()).await.unwrap();
    assert_eq!(solution.drag().to_string(), "83,560 -> 320,560");
    assert_eq!(transport.sent()[0].json()["user"], USER);

    let settings = Solver::builder().token(KEY).config(login());
    let solver = settings.name("second-clerk").build().unwrap();
    assert_eq!(solver.name(), "second-clerk");
    let variables = Solver::variables().into_iter();
    let variables: Vec<_> = variables.map(|it| (it.name, it.default)).collect();
    assert_eq!(variables[0].0, "CLERK_PASSWORD");
    assert_eq!(variables[1].0, "THE_CLERK_BASE_URL");
    assert_eq!(variables[1].1.as_deref(), Some(Clerk::BASE_URL));
}

#[tokio::test]
async fn what_it_was_made_of_is_not_shown() {
    for secret in [KEY, USER] {
        let refused = Reply::status(401, format!("who is {secret}?"));
        let settings = Solver::builder().token(KEY).config(login());
        let settings = settings.transport(ScriptedTransport::new([refused]));
        let solver = settings.build().unwrap();
        let error = solver.solve(&challenge()).await.unwrap_err();
        let shown = format!("{error} {error:?} {solver:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("who is [redacted]?"), "{shown}");
    }
}

/// The job of a clerk, in a status that repeats the user's name.
#[derive(Debug)]
struct Gossip(Clerk);

impl Service for Gossip {
    const NAME: &'static str = "gossip";
    const BASE_URL: &'static str = "https://gossip.example/api";
    const KEY_VARIABLE: &'static str = "GOSSIP_PASSWORD";
    type Config = Login;

    fn from_config(key: SecretString, own: Login, context: &Context) -> Result<Self, ConfigError> {
        Clerk::from_config(key, own, context).map(Self)
    }
}

impl JobApi for Gossip {
    fn create(&self, challenge: &DragChallenge) -> Result<ApiRequest, SolveError> {
        self.0.request(challenge)
    }

    fn parse_created(&self, response: &ApiResponse) -> Result<Created, ResponseError> {
        response.job_id("job").map(Created::Job)
    }

    fn poll(&self, job: &JobId) -> ApiRequest {
        ApiRequest::get("jobs").segment(job.as_str())
    }

    fn parse_poll(&self, response: &ApiResponse) -> Result<JobState, ResponseError> {
        match response.member("status") {
            Ok(status) => Ok(JobState::Unknown(status.to_string())),
            Err(_) => response.answer("drag").map(JobState::Solved),
        }
    }
}

/// What is logged on this thread, as text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        writeln!(self.0.lock().unwrap(), "{field}={value:?}").unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test(start_paused = true)]
async fn what_it_was_made_of_is_not_logged() {
    let log = Log::default();
    let _listening = tracing::subscriber::set_default(log.clone());
    let transport = ScriptedTransport::new([
        Reply::json(r#"{"job": 7}"#),
        Reply::json(format!(r#"{{"status": "waits for {USER}"}}"#)),
        Reply::json(r#"{"drag": "83|560|320|560"}"#),
    ]);
    let settings = HttpSolver::<Gossip>::builder().token(KEY).config(login());
    let solver = settings.transport(transport).build().unwrap();
    solver.solve(&challenge()).await.unwrap();
    let logged = log.0.lock().unwrap().clone();
    assert!(logged.contains("waits for [redacted]"), "{logged}");
    assert!(!logged.contains("hunter2"), "{logged}");
}

#[test]
fn a_second_secret_is_read_from_its_setting_or_its_variable() {
    let made = |user: Option<Secret>, variables: &'static [(&str, &str)]| {
        let context = Context::with_variables(|name| {
            let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
            Some(value.into())
        });
        let made = Solver::from_config(HttpOptions::default().token(KEY), Login { user }, &context);
        made.map(|solver| solver.api().0.0.expose_secret().to_owned())
    };
    let both = &[("CLERK_USER", "one \n"), ("OTHER", " other")];
    assert_eq!(made(None, both).unwrap(), "one");
    assert_eq!(made(Some(Secret::env("OTHER")), both).unwrap(), "other");
    let error = made(None, &[]).unwrap_err();
    assert_eq!(error.path(), "user");
    assert!(error.problem().contains("CLERK_USER"), "{error}");
    // Where there are variables alone, the error is theirs.
    let context = Context::with_variables(|name| (name == "CLERK_PASSWORD").then(|| KEY.into()));
    let error = Solver::from_variables(&context).unwrap_err();
    assert_eq!(error.path(), "CLERK_USER");
    let error = Solver::from_variables(&Context::with_variables(|_| None)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "environment variable CLERK_PASSWORD: is not set: set it to the token of your account"
    );
    let error = made(Some(Secret::env("OTHER")), &[("OTHER", "  ")]).unwrap_err();
    assert_eq!(error.to_string(), "user: is empty");
}

#[test]
fn a_protocol_without_a_name_needs_one() {
    let open = |options| HttpSolver::new(OneCall(Clerk(USER.into(), KEY.into())), options);
    let nameless = open(HttpOptions::default()).unwrap_err();
    assert_eq!(nameless.path(), "name");
    let homeless = open(HttpOptions::default().name("clerk")).unwrap_err();
    assert_eq!(homeless.path(), "base_url");
}
