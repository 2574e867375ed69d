//! A made-up service, and events that are kept.

#![allow(dead_code, unreachable_pub)] // each test takes what it needs

use std::sync::{Arc, Mutex};
use std::time::Duration;

use drag_solver_core::{
    Billed, Drag, DragChallenge, DragSolver, ErrorKind, Event, JobId, Observer, PaidJob, Point,
    SolveError, Verdict, async_trait,
};
use drag_solver_http::secrecy::SecretString;
use drag_solver_http::testing::{Reply, ScriptedTransport};
use drag_solver_http::{
    Answer, ApiRequest, ApiResponse, Created, HttpOptions, HttpSolver, JobApi, JobState,
    PollInterval, ResponseError, json, points,
};
use drag_solver_mock::fixtures;
use serde_json::{Map, Value, json};

pub const INTERVAL: PollInterval =
    PollInterval::new(Duration::from_secs(2), Duration::from_secs(2));

/// One account with the service.
#[derive(Debug)]
pub struct Api(pub SecretString);

impl Api {
    pub fn new() -> Self {
        Self("hunter2-hunter2-hunter2".into())
    }
}

impl JobApi for Api {
    fn name(&self) -> &'static str {
        "example"
    }

    fn base_url(&self) -> &'static str {
        "https://api.example.com"
    }

    fn secrets(&self) -> Vec<&SecretString> {
        vec![&self.0]
    }

    fn create(&self, challenge: &DragChallenge) -> Result<ApiRequest, SolveError> {
        let order = json!({"hint": challenge.instruction()});
        Ok(ApiRequest::json("create", &order))
    }

    fn takes_callbacks(&self) -> bool {
        true
    }

    fn create_with_callback(
        &self,
        challenge: &DragChallenge,
        callback_url: &str,
    ) -> Result<ApiRequest, SolveError> {
        let order = json!({"hint": challenge.instruction(), "callback": callback_url});
        Ok(ApiRequest::json("create", &order))
    }

    /// `{"job": 7}`, or a job that is done.
    fn parse_created(&self, response: &ApiResponse) -> Result<Created, ResponseError> {
        let members = accepted(response)?;
        let job = json::job_id(members.get("job"));
        if let Some(answer) = answer(&members) {
            return Ok(Created::Answer { job, answer });
        }
        job.map(Created::Job)
            .ok_or_else(|| response.missing_field("job"))
    }

    fn poll(&self, job: &JobId) -> ApiRequest {
        ApiRequest::json("poll", &json!({"job": json::job_id_value(job)}))
    }

    /// `{}`, `{"status": "napping"}`, `{"missing": true}`, `{"failed": "maybe"}`, or a drag and its cost.
    fn parse_poll(&self, response: &ApiResponse) -> Result<JobState, ResponseError> {
        let members = accepted(response)?;
        if let Some(answer) = answer(&members) {
            return Ok(JobState::Solved(answer));
        }
        if let Some(billed) = members.get("failed") {
            let billed: Billed = serde_json::from_value(billed.clone()).unwrap();
            let error = SolveError::new(ErrorKind::Unsolvable, "gave up").with_billed(billed);
            return Ok(JobState::Failed(error));
        }
        if members.contains_key("missing") {
            let error = SolveError::new(ErrorKind::Protocol, "no such job");
            return Ok(JobState::Missing(error.with_billed(Billed::Maybe)));
        }
        Ok(match json::text(members.get("status")) {
            Some(status) => JobState::Unknown(status),
            None => JobState::Running,
        })
    }

    fn poll_interval(&self) -> PollInterval {
        INTERVAL
    }

    fn report(&self, job: &JobId, verdict: Verdict) -> Option<ApiRequest> {
        let request = || ApiRequest::json("report", &json!({"job": job.as_str()}));
        (verdict == Verdict::Incorrect).then(request)
    }
}

fn accepted(response: &ApiResponse) -> Result<Map<String, Value>, ResponseError> {
    let members = response.object()?;
    if let Some(message) = json::text(members.get("unexplained")) {
        let error = SolveError::new(ErrorKind::Protocol, message);
        return Err(ResponseError::Unknown(error));
    }
    match json::text(members.get("refused")) {
        Some(message) => {
            let kind = serde_json::from_value(members["kind"].clone()).unwrap();
            Err(SolveError::new(kind, message).into())
        }
        None => Ok(members),
    }
}

fn answer(members: &Map<String, Value>) -> Option<Answer> {
    let numbers = members.get("drag")?.as_array()?.iter();
    let numbers: Option<Vec<f64>> = numbers.map(Value::as_f64).collect();
    let drag = match numbers.as_deref() {
        Some(&[x1, y1, x2, y2]) => Ok(Drag::new(Point::new(x1, y1), Point::new(x2, y2))),
        _ => Err("not four numbers".to_owned()),
    };
    let drag = match points::point(members.get("end2")) {
        Some(end) => drag.map(|drag: Drag| drag.with_alternative_end(end)),
        None => drag,
    };
    let cost = json::usd(members.get("cost"));
    Some(Answer::parsed(drag).with_cost(cost))
}

pub const CREATED: &str = r#"{"job": 7}"#;
pub const SOLVED: &str = r#"{"drag": [83, 560, 320, 560]}"#;

pub fn solver(transport: &ScriptedTransport, options: HttpOptions) -> HttpSolver<Api> {
    HttpSolver::with_transport(Api::new(), options, transport.clone()).unwrap()
}

/// What the events of a challenge said, in words.
#[derive(Debug, Default)]
pub struct Told {
    events: Mutex<Vec<String>>,
    refuses: bool,
    writes_for: Duration,
}

impl Told {
    pub fn refusing() -> Self {
        Self {
            refuses: true,
            ..Self::default()
        }
    }

    /// Takes this long to write down a purchase.
    pub fn slow(writes_for: Duration) -> Self {
        Self {
            writes_for,
            ..Self::default()
        }
    }

    pub fn events(&self) -> Vec<String> {
        self.events.lock().unwrap().clone()
    }
}

#[async_trait]
impl Observer for Told {
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
        let told = match *event {
            Event::Started { .. } => "started".to_owned(),
            Event::Buying { .. } => "buying".to_owned(),
            Event::NotBought { .. } => "not bought".to_owned(),
            Event::Bought { job, .. } => format!("bought {job}"),
            Event::Resumed { job, .. } => format!("resumed {job}"),
            Event::Settled {
                job, billed, cost, ..
            } => {
                let job = job.map_or("no job".to_owned(), ToString::to_string);
                let cost = cost.map_or("unknown".to_owned(), |cost| cost.to_string());
                format!("settled {job}: billed {billed}, cost {cost}")
            }
            _ => format!("{event:?}"),
        };
        self.events.lock().unwrap().push(told);
        if matches!(event, Event::Buying { .. }) {
            tokio::time::sleep(self.writes_for).await;
        }
        if self.refuses && matches!(event, Event::Buying { .. }) {
            return Err(SolveError::new(ErrorKind::BudgetExhausted, "not recorded"));
        }
        Ok(())
    }
}

/// One call: what came of it, and what was told.
pub async fn solve(
    script: impl IntoIterator<Item = Reply>,
    options: HttpOptions,
    challenge: DragChallenge,
) -> (Result<drag_solver_core::Solution, SolveError>, Vec<String>) {
    let told = Arc::new(Told::default());
    let challenge = challenge.with_observer(Arc::clone(&told) as _);
    let transport = ScriptedTransport::new(script);
    let outcome = solver(&transport, options).solve(&challenge).await;
    (outcome, told.events())
}

pub fn paid_job(id: u64) -> PaidJob {
    PaidJob::new("example", JobId::from(id))
}

pub fn resuming(ids: impl IntoIterator<Item = u64>) -> DragChallenge {
    let ids = ids.into_iter();
    ids.fold(fixtures::challenge(), |challenge, id| {
        challenge.resume_job(paid_job(id))
    })
}
