//! When a job is first asked about: as documented, or later once it is known to be of no use before.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

use std::time::Duration;

use drag_solver_core::{
    Drag, DragChallenge, DragSolver, JobId, PaidJob, Point, Screenshot, SolveError,
};
use drag_solver_http::testing::{Reply, ScriptedTransport};
use drag_solver_http::{
    Answer, AnswerError, ApiRequest, ApiResponse, Created, HttpSolver, JobApi, JobState, Pace,
};
use serde_json::json;

const PACE: Pace = Pace::new(Duration::from_secs(2), Duration::from_secs(2));

#[derive(Debug)]
struct Api;

impl JobApi for Api {
    fn name(&self) -> &'static str {
        "example"
    }

    fn create(&self, _: &DragChallenge) -> Result<ApiRequest, SolveError> {
        Ok(ApiRequest::json("create", &json!({})))
    }

    fn created(&self, _: &ApiResponse) -> Result<Created, AnswerError> {
        Ok(Created::Pending(JobId::from(7)))
    }

    fn poll(&self, _: &JobId) -> ApiRequest {
        ApiRequest::json("poll", &json!({}))
    }

    fn polled(&self, answer: &ApiResponse) -> Result<JobState, AnswerError> {
        if answer.object()?.is_empty() {
            return Ok(JobState::Running);
        }
        let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
        Ok(JobState::Solved(Answer::new(drag)))
    }

    fn pace(&self) -> Pace {
        PACE
    }
}

/// A create request, and polls that find the job running this often before it is done.
fn job(running: usize) -> impl Iterator<Item = Reply> {
    let created_and_running = std::iter::repeat_n(Reply::json("{}"), running + 1);
    created_and_running.chain([Reply::json(r#"{"done": true}"#)])
}

fn challenge() -> DragChallenge {
    let gif = b"GIF89a\x4f\x02\x7d\x04\x00\x00\x00;".to_vec();
    DragChallenge::new(Screenshot::from_bytes(gif).unwrap())
}

/// Seconds from creating the last job to each of its polls.
fn polls_of_the_last_job(transport: &ScriptedTransport) -> Vec<f64> {
    let calls = transport.calls();
    let created = calls.iter().rposition(|c| c.request.path() == "create");
    let mut calls = calls[created.unwrap()..].iter().map(|call| call.at);
    let created = calls.next().unwrap();
    calls.map(|at| (at - created).as_secs_f64()).collect()
}

#[tokio::test(start_paused = true)]
async fn polls_that_never_found_an_answer_are_left_out() {
    let sixteen = (0..16).flat_map(|_| job(3)); // each is done at 8 s
    let transport = ScriptedTransport::new(sixteen.chain(job(1)).chain(job(1)));
    let solver = HttpSolver::builder(Api, transport.clone()).build().unwrap();
    for _ in 0..16 {
        solver.solve(&challenge()).await.unwrap();
        assert_eq!(polls_of_the_last_job(&transport), [2.0, 4.0, 6.0, 8.0]);
    }
    // Clones have learnt it, too.
    solver.clone().solve(&challenge()).await.unwrap();
    assert_eq!(polls_of_the_last_job(&transport), [6.0, 8.0]);
    // A challenge that cannot wait so long is asked about as documented.
    let urgent = challenge().within(Duration::from_secs(5));
    solver.solve(&urgent).await.unwrap();
    assert_eq!(polls_of_the_last_job(&transport), [2.0, 4.0]);
}

#[tokio::test(start_paused = true)]
async fn jobs_that_were_done_when_first_asked_about_bring_the_documented_wait_back() {
    let sixteen = (0..16).flat_map(|_| job(3));
    let at_once = (0..3).flat_map(|_| job(0));
    let transport = ScriptedTransport::new(sixteen.chain(at_once).chain(job(1)));
    let solver = HttpSolver::builder(Api, transport.clone()).build().unwrap();
    for _ in 0..19 {
        solver.solve(&challenge()).await.unwrap();
    }
    assert_eq!(polls_of_the_last_job(&transport), [6.0]);
    solver.solve(&challenge()).await.unwrap();
    assert_eq!(polls_of_the_last_job(&transport), [2.0, 4.0]);
}

#[tokio::test(start_paused = true)]
async fn a_resumed_job_teaches_nothing() {
    let sixteen = (0..16).flat_map(|_| job(3));
    let resumed = (0..3).flat_map(|_| job(0).skip(1));
    let transport = ScriptedTransport::new(sixteen.chain(resumed).chain(job(1)));
    let solver = HttpSolver::builder(Api, transport.clone()).build().unwrap();
    for _ in 0..16 {
        solver.solve(&challenge()).await.unwrap();
    }
    for _ in 0..3 {
        let resumed = challenge().resuming(PaidJob::new("example", JobId::from(7)));
        solver.solve(&resumed).await.unwrap();
    }
    solver.solve(&challenge()).await.unwrap();
    assert_eq!(polls_of_the_last_job(&transport), [6.0, 8.0]);
}

#[tokio::test(start_paused = true)]
async fn a_pace_that_was_set_is_kept() {
    let seventeen = (0..17).flat_map(|_| job(3));
    let transport = ScriptedTransport::new(seventeen);
    let solver = HttpSolver::builder(Api, transport.clone())
        .pace(PACE)
        .build()
        .unwrap();
    for _ in 0..17 {
        solver.solve(&challenge()).await.unwrap();
        assert_eq!(polls_of_the_last_job(&transport), [2.0, 4.0, 6.0, 8.0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_hangs_is_asked_again_long_before_an_upload_would_be() {
    let transport = ScriptedTransport::new([
        Reply::json("{}"),
        Reply::hang(),
        Reply::json(r#"{"done": true}"#),
    ]);
    let solver = HttpSolver::builder(Api, transport.clone()).build().unwrap();
    solver.solve(&challenge()).await.unwrap();
    assert_eq!(polls_of_the_last_job(&transport), [2.0, 2.0 + 10.0 + 2.0]);
    let limits: Vec<_> = transport
        .calls()
        .iter()
        .map(|c| c.limit.as_secs())
        .collect();
    assert_eq!(limits, [30, 10, 10]);
}
