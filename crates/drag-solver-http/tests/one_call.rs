//! Services that answer in one call, and answers in other units than pixels.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

use std::time::Duration;

use drag_solver_core::{
    Billed, DragChallenge, DragSolver, ErrorKind, JobId, PaidJob, SolveError, Verdict,
};
use drag_solver_http::secrecy::SecretString;
use drag_solver_http::testing::{Reply, ScriptedTransport};
use drag_solver_http::{
    Answer, AnswerApi, ApiRequest, ApiResponse, HttpOptions, HttpSolver, OneCall, Picture,
    ResponseError, Unit, points,
};
use drag_solver_mock::fixtures::challenge_sized;
use serde_json::json;

const SOLVED: &str = r#"{"points": [[0.25, 0.5], [0.75, 0.5]], "cost": "0.002"}"#;

#[derive(Debug)]
struct Api {
    user: SecretString,
    key: SecretString,
}

impl AnswerApi for Api {
    fn name(&self) -> &'static str {
        "fractions"
    }

    fn base_url(&self) -> &'static str {
        "https://fractions.example"
    }

    fn secrets(&self) -> Vec<&SecretString> {
        vec![&self.user, &self.key]
    }

    fn request(&self, challenge: &DragChallenge) -> Result<ApiRequest, SolveError> {
        let order = json!({"image": Picture});
        let request = ApiRequest::json_with_picture("solve", &order, challenge.screenshot())?;
        Ok(request
            .secret_query("user", &self.user)
            .bearer(&self.key)
            .labelled("solve it"))
    }

    fn parse(&self, response: &ApiResponse) -> Result<Answer, ResponseError> {
        let members = response.object()?;
        let found = members.get("points");
        let found = found.ok_or_else(|| response.missing_field("points"))?;
        let cost = drag_solver_http::json::usd(members.get("cost"));
        let answer = Answer::parsed(points::drag(Some(found)));
        Ok(answer.with_unit(Unit::Fraction).with_cost(cost))
    }
}

fn solver(transport: &ScriptedTransport, options: HttpOptions) -> HttpSolver<OneCall<Api>> {
    let api = OneCall(Api {
        user: "user-hunter2-hunter2".into(),
        key: "key-hunter2-hunter2".into(),
    });
    HttpSolver::with_transport(api, options, transport.clone()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_answer_comes_in_one_call_and_in_pixels() {
    let transport = ScriptedTransport::new([Reply::json(SOLVED).after(Duration::from_secs(100))]);
    let solver = solver(&transport, HttpOptions::default());
    let solution = solver.solve(&challenge_sized(400, 200)).await.unwrap();
    assert_eq!(solution.drag().to_string(), "100,100 -> 300,100");
    assert_eq!(solution.cost().unwrap().to_string(), "0.002");
    assert_eq!(solution.job(), None);
    let sent = transport.sent();
    assert_eq!(sent.len(), 1);
    // There is nothing but this request, so it has the time of the whole job.
    assert_eq!(sent[0].limit, Duration::from_secs(120));
    assert!(sent[0].request.is_purchase());

    let refused = solver.report(&solution, Verdict::Correct).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unsupported);
    let refused = solver.balance().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert_eq!(transport.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_was_given_a_limit_keeps_it() {
    let transport = ScriptedTransport::new([Reply::hang()]);
    let options = HttpOptions::default().request_timeout(Duration::from_secs(5));
    let error = solver(&transport, options);
    let error = error.solve(&challenge_sized(400, 200)).await.unwrap_err();
    assert_eq!(error.billed(), Billed::Maybe);
    assert_eq!(error.elapsed(), Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_job_cannot_be_resumed_and_nothing_is_sent() {
    let transport = ScriptedTransport::new([Reply::json(SOLVED)]);
    let job = PaidJob::new("fractions", JobId::new("7").unwrap());
    let challenge = challenge_sized(400, 200).resume_job(job.clone());
    let error = solver(&transport, HttpOptions::default());
    let error = error.solve(&challenge).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.unfinished_jobs(), [job]);
    assert!(error.message().contains("in one call"), "{error}");
    assert!(transport.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_checked_in_pixels() {
    // In fractions, this would be on any picture but one of a pixel.
    let off = r#"{"points": [[0.25, 0.5], [1.5, 0.5]]}"#;
    let transport = ScriptedTransport::new([Reply::json(off)]);
    let error = solver(&transport, HttpOptions::default());
    let error = error.solve(&challenge_sized(400, 200)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidAnswer);
    assert_eq!(error.billed(), Billed::Yes);
    assert!(error.message().contains("600,100"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn each_of_several_secrets_is_masked_and_the_label_is_shown() {
    let text = "no such user-hunter2-hunter2 with key-hunter2-hunter2";
    let transport = ScriptedTransport::new([Reply::status(500, text)]);
    let error = solver(&transport, HttpOptions::default());
    let error = error.solve(&challenge_sized(400, 200)).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    assert!(error.message().starts_with("solve it: HTTP 500"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_is_not_bought() {
    #[derive(Debug)]
    struct Mistaken;
    impl AnswerApi for Mistaken {
        fn name(&self) -> &'static str {
            "mistaken"
        }
        fn base_url(&self) -> &'static str {
            "https://mistaken.example"
        }
        fn request(&self, _: &DragChallenge) -> Result<ApiRequest, SolveError> {
            Ok(ApiRequest::get("solve?key=hunter2"))
        }
        fn parse(&self, response: &ApiResponse) -> Result<Answer, ResponseError> {
            Err(response.missing_field("points"))
        }
    }
    let transport = ScriptedTransport::new([Reply::json("{}")]);
    let options = HttpOptions::default();
    let solver = HttpSolver::with_transport(OneCall(Mistaken), options, transport.clone()).unwrap();
    let error = solver.solve(&challenge_sized(400, 200)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.billed(), Billed::No);
    assert!(transport.sent().is_empty());
}
