//! What every answer of the service means: the documented ones, and what is seen besides. Adding an
//! answer is adding a line to `fixtures/`.

#![allow(clippy::unwrap_used, clippy::panic)] // a failed `unwrap` is a failed test

use std::num::NonZeroU32;

use drag_solver_core::{Drag, DragSolver, ErrorKind, Point, SolveError};
use drag_solver_http::task_api::TaskApi;
use drag_solver_http::testing::{Reply, ScriptedTransport};
use drag_solver_http::{
    Answer, ApiResponse, Created, Found, JobApi, JobState, ResponseError, Unit,
};
use drag_solver_mock::fixtures::challenge;
use drag_solver_omocaptcha::{ApiVersion, Omocaptcha, OmocaptchaV1, OmocaptchaV2};
use serde::Deserialize;
use serde_json::Value;

const V1: &str = include_str!("fixtures/v1.json");
const V2: &str = include_str!("fixtures/v2.json");
const V1_SLIDER: &str = include_str!("fixtures/v1_slider.json");
const V2_SLIDER: &str = include_str!("fixtures/v2_slider.json");
const V2_HCAPTCHA: &str = include_str!("fixtures/v2_hcaptcha.json");

const VIEW_WIDTH: NonZeroU32 = NonZeroU32::new(340).unwrap();
const START: Point = Point::new(20.0, 400.0);

/// One answer, and what it means.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    about: String,
    call: String,
    answer: Option<Value>,
    text: Option<String>,
    means: String,
}

impl Fixture {
    fn response(&self) -> ApiResponse {
        let body = match (&self.answer, &self.text) {
            (Some(answer), None) => answer.to_string(),
            (None, Some(text)) => text.clone(),
            _ => panic!("{}: either an answer or a text", self.about),
        };
        ApiResponse::new(200, body)
    }
}

fn check(api: &dyn JobApi, fixtures: &str, create: &str) {
    let fixtures: Vec<Fixture> = serde_json::from_str(fixtures).unwrap();
    for fixture in fixtures {
        let response = fixture.response();
        let means = if fixture.call == create {
            match api.parse_created(&response) {
                Ok(Created::Job(job)) => format!("job {job}"),
                Ok(other) => panic!("{other:?}"),
                Err(error) => unread(&error),
            }
        } else {
            match api.parse_poll(&response) {
                Ok(JobState::Running) => "running".to_owned(),
                Ok(JobState::Unknown(status)) => format!("unknown {status}"),
                Ok(JobState::Solved(answer)) => found(&answer),
                Ok(JobState::Failed(error)) => format!("failed: {}", told(&error)),
                Ok(other) => panic!("{other:?}"),
                Err(error) => unread(&error),
            }
        };
        let expected = &fixture.means;
        let about = format!("{} / {}", fixture.call, fixture.about);
        match expected.strip_prefix("unparseable: ") {
            // The reason is for people; it has to name what was missing.
            Some(missing) => assert!(
                means.starts_with("unparseable: ") && means.contains(missing),
                "{about}: {means}"
            ),
            None => assert_eq!(means, *expected, "{about}"),
        }
    }
}

fn found(answer: &Answer) -> String {
    match (&answer.found, answer.unit) {
        (Ok(Found::Drag(drag)), Unit::Pixels) => format!("solved {}", both_ends(drag)),
        (Ok(Found::Distance { start, distance }), Unit::ViewWidth(width)) => {
            format!("{distance} from {start} in a view of {width}")
        }
        (Ok(Found::End { start, x, y: None }), Unit::ViewWidth(width)) => {
            format!("end {x} for {start} in a view of {width}")
        }
        (Err(wrong), _) => format!("no drag: {wrong}"),
        other => panic!("{other:?}"),
    }
}

fn both_ends(drag: &Drag) -> String {
    match drag.alternative_end {
        Some(end) => format!("{drag} or {end}"),
        None => drag.to_string(),
    }
}

fn told(error: &SolveError) -> String {
    let (kind, billed) = (error.kind(), error.billed());
    format!("{kind}, billed {billed}: {}", error.message())
}

fn unread(error: &ResponseError) -> String {
    match error {
        ResponseError::Unparseable(missing) => format!("unparseable: {missing}"),
        ResponseError::Rejected(error) | ResponseError::Unknown(error) => {
            format!("refused: {}", told(error))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_answer_of_v1_means_what_it_says() {
    let api = OmocaptchaV1::new("hunter2".to_owned().into(), "24");
    check(&api, V1, "createJob");
}

#[test]
fn every_answer_of_v2_means_what_it_says() {
    let service = OmocaptchaV2::new("TiktokSliderPhoneTask");
    let api = TaskApi::new("hunter2".to_owned().into(), service);
    check(&api, V2, "createTask");
}

#[test]
fn every_answer_of_a_slider_of_v1_means_what_it_says() {
    let api = OmocaptchaV1::new("hunter2".to_owned().into(), "21");
    check(&api.with_slider(VIEW_WIDTH, START), V1_SLIDER, "createJob");
}

#[test]
fn every_answer_of_a_slider_of_v2_means_what_it_says() {
    for task_type in ["TiktokSliderWebTask", "SliderAllWebTask"] {
        let service = OmocaptchaV2::new(task_type).with_slider(VIEW_WIDTH, START);
        let api = TaskApi::new("hunter2".to_owned().into(), service);
        check(&api, V2_SLIDER, "createTask");
    }
}

#[test]
fn every_answer_of_hcaptcha_means_what_it_says() {
    let service = OmocaptchaV2::new("HcaptchaImageTask");
    let api = TaskApi::new("hunter2".to_owned().into(), service);
    check(&api, V2_HCAPTCHA, "createTask");
}

fn v1(replies: impl IntoIterator<Item = Reply>) -> Omocaptcha {
    Omocaptcha::builder()
        .token("hunter2")
        .api_version(ApiVersion::V1)
        .transport(ScriptedTransport::new(replies))
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_drag_that_is_not_on_the_picture_is_no_answer() {
    for result in [
        "-1|560|320|560",
        "83|560|591|560",
        "83|560|320|1149",
        "83|560|83|560",
    ] {
        let body = format!(r#"{{"error": false, "status": "success", "result": "{result}"}}"#);
        let solver = v1([
            Reply::json(r#"{"error": false, "job_id": 1}"#),
            Reply::json(body),
        ]);
        let error = solver.solve(&challenge()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidAnswer, "{result}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_undocumented_status_is_waited_out_and_told() {
    let queued = || Reply::json(r#"{"error": false, "status": "queued", "result": null}"#);
    let created = Reply::json(r#"{"error": false, "job_id": 1}"#);
    let solver = v1(std::iter::once(created).chain((0..100).map(|_| queued())));
    let error = solver.solve(&challenge()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.message().contains("`queued`"), "{error}");
    assert_eq!(error.unfinished_jobs().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn balances_come_as_strings_and_as_numbers() {
    for (balance, dollars) in [
        ("\"0.00000\"", "0"),
        ("\"12.50\"", "12.5"),
        ("345.678", "345.678"),
    ] {
        let reply = format!(r#"{{"error": false, "balance": {balance}}}"#);
        let solver = v1([Reply::json(reply)]);
        let balance = solver.balance().await.unwrap();
        assert_eq!(balance.available, dollars.parse().unwrap());
    }
    let solver = Omocaptcha::builder()
        .token("hunter2")
        .api_version(ApiVersion::V2)
        .transport(ScriptedTransport::new([Reply::json(
            r#"{"errorId": 0, "balance": 345.678, "quantity": 10000, "voucher_balance": 123.211}"#,
        )]))
        .build()
        .unwrap();
    let balance = solver.balance().await.unwrap();
    assert_eq!(balance.available, "345.678".parse().unwrap());
    assert_eq!(balance.vouchers, Some("123.211".parse().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn the_documented_list_of_services_is_read() {
    let solver = v1([Reply::json(
        r#"{"error": false, "service": [{"id": 1, "name": "reCaptcha v2", "description": "Google Inc",
            "price": "0.00055", "require_field": null, "order": 1, "image": "recaptcha.svg",
            "avg_success": "98%", "avg_time": "15s", "is_active": 1, "created_at": null,
            "updated_at": null}], "message": "Get service success."}"#,
    )]);
    let services = solver.services().await.unwrap();
    let [service] = services.as_slice() else {
        panic!("{services:?}")
    };
    assert_eq!(
        (service.id.as_str(), service.name.as_str()),
        ("1", "reCaptcha v2")
    );
    assert_eq!(service.price, Some("0.00055".parse().unwrap()));
    assert_eq!(service.average_success.as_deref(), Some("98%"));
    assert_eq!(service.is_active, Some(true));
}
