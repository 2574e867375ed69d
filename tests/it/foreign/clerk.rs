//! A service that is sent web forms: two secrets, a job that is asked about by its path, "not yet" as a
//! status, and an answer that is JSON within a text.

use std::sync::Arc;

use drag_solver::JobId;
use drag_solver::http::secrecy::{ExposeSecret as _, SecretString};
use drag_solver::http::{
    ApiRequest, ApiResponse, Context, Created, HttpSolver, JobApi, JobState, Picture,
    ResponseError, Secret, Service,
};
use drag_solver::prelude::*;
use drag_solver::testing::emulator::{Emulator, Request, Response, StandIn, stand_in};
use serde::Deserialize;
use serde_json::json;

use super::workers::{Jobs, Work, base64};
use super::{Foreign, KEY, USER};

// The provider: what is counted begins here,

/// User name and password.
#[derive(Debug)]
pub(super) struct Clerk(SecretString, SecretString);

#[derive(Default, Deserialize)]
pub(super) struct Login {
    user: Option<Secret>,
}

impl Service for Clerk {
    const NAME: &'static str = "clerk";
    const BASE_URL: &'static str = "https://clerk.example/api";
    const KEY_VARIABLE: &'static str = "CLERK_PASSWORD";
    type Config = Login;

    fn from_config(key: SecretString, own: Login, context: &Context) -> Result<Self, ConfigError> {
        let user = context.secret_or("user", own.user, "CLERK_USER")?;
        Ok(Self(user, key))
    }
}

impl JobApi for Clerk {
    fn create(&self, challenge: &DragChallenge) -> Result<ApiRequest, SolveError> {
        let form = json!({"user": self.0.expose_secret(), "password": self.1.expose_secret(),
                          "picture": Picture, "hint": challenge.instruction()});
        ApiRequest::form_with_picture("captcha", &form, challenge.screenshot())
    }

    fn parse_created(&self, response: &ApiResponse) -> Result<Created, ResponseError> {
        response.job_id("captcha").map(Created::Job)
    }

    fn poll(&self, job: &JobId) -> ApiRequest {
        ApiRequest::get("captcha").segment(job.as_str())
    }

    fn parse_poll(&self, response: &ApiResponse) -> Result<JobState, ResponseError> {
        Ok(match response.status() {
            202 => JobState::Running,
            422 => JobState::Failed(SolveError::new(ErrorKind::Unsolvable, "gave up")),
            _ => JobState::Solved(response.answer("text")?),
        })
    }

    fn report(&self, job: &JobId, verdict: Verdict) -> Option<ApiRequest> {
        let form = json!({"password": self.1.expose_secret(), "captcha": job.as_str()});
        (verdict == Verdict::Incorrect).then(|| ApiRequest::form("wrong", &form))
    }
}

// and ends here. What follows is the service.

pub(super) type Solver = HttpSolver<Clerk>;

pub(super) const FOREIGN: Foreign<Solver> =
    Foreign::new(include_str!("clerk.rs"), include_str!("clerk.toml"), 30);

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
    let form = request.form();
    let of_form = |name| form.get(name).unwrap_or_default();
    let is_owner = of_form("password") == KEY;
    let segments = request.segments();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    let job = |id: &str| jobs.ask(id.parse().unwrap_or_default());
    match (request.method(), path.as_slice()) {
        ("POST", _) if !is_owner => Response::empty(403),
        ("POST", ["captcha"]) if of_form("user") != USER => Response::empty(403),
        ("POST", ["captcha"]) => {
            let work = Work::on(base64(&of_form("picture").into()), &of_form("hint").into()).await;
            json!({"captcha": jobs.begin(work), "text": ""}).into()
        }
        ("GET", ["captcha", id]) => match job(id) {
            None => Response::text(404, "no such captcha"),
            Some(Work::Endless) => Response::empty(202),
            Some(Work::GivenUp) => Response::empty(422),
            Some(Work::Solved(solved)) => {
                let [x1, y1, x2, y2] = solved.numbers;
                json!({"text": format!("[[{x1}, {y1}], [{x2}, {y2}]]")}).into()
            }
        },
        ("POST", ["wrong"]) if job(of_form("captcha")).is_some() => Response::empty(204),
        _ => Response::text(404, "no such call"),
    }
}

#[tokio::test]
async fn both_forms_keep_the_contract() {
    let service = start().await;
    for form in FOREIGN.both(&service) {
        super::keeps_contract(
            form.subject()
                .reporting([Verdict::Incorrect])
                .with_secret(USER),
        )
        .await;
    }
    service.shutdown().await;
}
