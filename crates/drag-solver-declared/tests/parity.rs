//! A provider that is declared reads every response as the one in Rust does.

#![allow(clippy::unwrap_used, clippy::panic)] // a failed `unwrap` is a failed test

use drag_solver_core::{DragChallenge, JobId, SolveError, Verdict};
use drag_solver_declared::{Declared, DeclaredApi, Definition};
use drag_solver_http::secrecy::SecretString;
use drag_solver_http::task_api::TaskApi;
use drag_solver_http::{ApiRequest, ApiResponse, Created, JobApi, JobState, ResponseError};
use drag_solver_mock::fixtures::challenge;
use drag_solver_omocaptcha::{OmocaptchaV1, OmocaptchaV2};
use drag_solver_twocaptcha::CoordinatesTask;
use serde_json::Value;

const OMOCAPTCHA_V1: &str = r#"
    family = "createJob"
    key = "OMOCAPTCHA_API_TOKEN"
    base_url = "https://omocaptcha.com/api"
    create.json.data = { type_job_id = "24", image_base64 = "{picture.base64}" }
"#;

const OMOCAPTCHA_V2: &str = r#"
    family = "createTask"
    key = "OMOCAPTCHA_API_TOKEN"
    base_url = "https://api.omocaptcha.com/v2"
    create.json.task = { type = "TiktokSliderPhoneTask", imageBase64 = "{picture.base64}" }
    poll = { first = "2s", every = "2s" }
    answer.at = "/solution"
"#;

const TWOCAPTCHA: &str = include_str!("twocaptcha.toml");

/// What services of the createTask family say, beside what omocaptcha's fixtures have.
const TASK_ANSWERS: &str = r#"
{"errorId": 0, "taskId": 72345678901}
{"errorId": "0", "taskId": "72345678901"}
{"errorId": 0.0, "taskId": 7.2345678901e+10}
{"errorId": 0, "errorCode": "ERROR_NEW", "taskId": 7}
{"errorId": 0, "status": "idle", "taskId": 7}
{"errorId": 0, "status": "ready", "solution": {"coordinates": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]}, "cost": "0.0012"}
{"errorId": 0, "status": "ready", "taskId": 7, "solution": {"coordinates": [{"x": 1, "y": 2}, {"x": "3", "y": 4}]}, "cost": 0.0012}
{"errorId": 0, "status": "ready ", "solution": {"coordinates": [[1, 2], [3, 4]]}, "cost": null}
{"errorId": 0, "status": "ready", "solution": {"coordinates": [{"x": 1, "y": 2}]}}
{"errorId": 0, "status": "ready", "solution": null}
{"errorId": 0, "status": "processing"}
{"errorId": 0, "status": "Processing"}
{"errorId": 0, "status": "napping"}
{"errorId": 0, "status": "failed"}
{"errorId": 0}
{"errorId": 1, "errorCode": "ERROR_KEY_DOES_NOT_EXIST", "errorDescription": "no such key"}
{"errorId": 1, "errorCode": "key_does_not_exist"}
{"errorId": 2, "errorCode": "ERROR_NO_SLOT_AVAILABLE"}
{"errorId": 10}
{"errorId": 10, "errorCode": "", "errorDescription": "no money"}
{"errorCode": "ERROR_ZERO_BALANCE"}
{"errorId": "", "errorCode": "ERROR_ZERO_BALANCE", "taskId": 7}
{"errorId": 12, "errorCode": "ERROR_CAPTCHA_UNSOLVABLE", "errorDescription": "no idea"}
{"errorId": 16, "errorCode": "ERROR_NO_SUCH_CAPCHA_ID"}
{"errorId": 1, "errorCode": "CAPCHA_NOT_READY"}
{"errorId": 1, "errorCode": "CAPCHA_NOT_READY", "taskId": 7}
{"errorId": 1, "errorCode": "ERROR_NEW", "errorDescription": "what is that"}
{"errorId": 1, "errorCode": "ERROR_NEW", "taskId": 7}
{"errorId": 1, "errorCode": "ERROR_NEW", "status": "failed"}
{"errorId": 1, "errorCode": "ERROR_JOB_STATUS", "status": "fail", "solution": {}}
{"errorId": 0, "balance": "12.5"}
{"errorId": 0, "status": "success"}
<br />Warning: foreach() in api.php {"errorId": 0, "taskId": 7}
<html>Bad gateway
OK|7
[]
"#;

fn declared(name: &str, toml: &str) -> DeclaredApi {
    let definition: Definition = toml::from_str(toml).unwrap();
    Declared::new(name, definition).unwrap().api(key()).unwrap()
}

fn key() -> SecretString {
    "hunter2".into()
}

/// All that a caller can tell errors apart by.
fn error(error: &SolveError) -> String {
    let (kind, billed) = (error.kind(), error.billed());
    format!(
        "{kind} {billed} {:?} {:?}",
        error.retry_after(),
        error.spent()
    )
}

fn response_error(error_: &ResponseError) -> String {
    match error_ {
        ResponseError::Rejected(rejected) => format!("rejected {}", error(rejected)),
        ResponseError::Unknown(unknown) => format!("unknown {}", error(unknown)),
        ResponseError::Unparseable(_) => "unparseable".to_owned(),
        other => panic!("{other:?}"),
    }
}

fn created(api: &dyn JobApi, response: &ApiResponse) -> String {
    match api.parse_created(response) {
        Ok(Created::Answer { job, answer }) => {
            let found = answer.found.map_err(drop);
            format!(
                "answer {job:?} {found:?} {:?} {:?}",
                answer.unit, answer.cost
            )
        }
        Ok(other) => format!("{other:?}"),
        Err(error) => response_error(&error),
    }
}

fn polled(api: &dyn JobApi, response: &ApiResponse) -> String {
    match api.parse_poll(response) {
        Ok(JobState::Solved(answer)) => {
            let found = answer.found.map_err(drop);
            format!("solved {found:?} {:?} {:?}", answer.unit, answer.cost)
        }
        Ok(JobState::Failed(failed)) => format!("failed {}", error(&failed)),
        Ok(JobState::Missing(missing)) => format!("missing {}", error(&missing)),
        Ok(other) => format!("{other:?}"),
        Err(error) => response_error(&error),
    }
}

fn others(api: &dyn JobApi, response: &ApiResponse) -> String {
    let balance = match api.parse_balance(response) {
        Ok(balance) => format!("{:?}", balance.available),
        Err(error) => response_error(&error),
    };
    let report = api.parse_report(response);
    format!(
        "{balance} {}",
        report.map_or_else(|error| response_error(&error), |()| "ok".into())
    )
}

/// The bodies of omocaptcha's fixtures: those that answer `createJob` or `createTask`, or the others.
fn bodies(fixtures: &str, is_create: bool) -> Vec<String> {
    let fixtures: Vec<Value> = serde_json::from_str(fixtures).unwrap();
    let is_asked = |fixture: &&Value| {
        let call = fixture["call"].as_str().unwrap();
        call.starts_with("create") == is_create
    };
    let body = |fixture: &Value| match &fixture["text"] {
        Value::String(text) => text.clone(),
        _ => fixture["answer"].to_string(),
    };
    fixtures.iter().filter(is_asked).map(body).collect()
}

type Read = fn(&dyn JobApi, &ApiResponse) -> String;

fn same(
    read: Read,
    rust: &dyn JobApi,
    declared: &dyn JobApi,
    bodies: impl IntoIterator<Item = String>,
) {
    for body in bodies {
        for status in [200, 402, 502] {
            let response = ApiResponse::new(status, body.clone());
            let (own, other) = (read(declared, &response), read(rust, &response));
            assert_eq!(own, other, "{body}");
        }
    }
}

fn shown(request: &ApiRequest) -> (String, String, Vec<u8>) {
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    (
        request.method().to_owned(),
        request.path().to_owned(),
        body.to_string().into_bytes(),
    )
}

fn same_requests(rust: &dyn JobApi, declared: &dyn JobApi) {
    let challenges: [DragChallenge; 2] = [
        challenge(),
        challenge().with_instruction("Drag \"it\" {there}"),
    ];
    for challenge in challenges {
        let of = |api: &dyn JobApi| shown(&api.create(&challenge).unwrap());
        assert_eq!(of(declared), of(rust));
        let of = |api: &dyn JobApi| {
            let url = "https://hooks.example.com/0123456789abcdef0123456789abcdef";
            let request = || shown(&api.create_with_callback(&challenge, url).unwrap());
            api.takes_callbacks().then(request)
        };
        assert_eq!(of(declared), of(rust));
    }
    for job in ["72345678901", "a-b", "007"] {
        let job = JobId::new(job).unwrap();
        assert_eq!(shown(&declared.poll(&job)), shown(&rust.poll(&job)));
        for verdict in [Verdict::Correct, Verdict::Incorrect] {
            let of = |api: &dyn JobApi| api.report(&job, verdict).as_ref().map(shown);
            assert_eq!(of(declared), of(rust));
        }
    }
    let of = |api: &dyn JobApi| api.balance().as_ref().map(shown);
    assert_eq!(of(declared), of(rust));
    assert_eq!(declared.poll_interval(), rust.poll_interval());
    let (own, other) = (declared.limits(), rust.limits());
    assert_eq!(
        (own.max_bytes(), own.max_side()),
        (other.max_bytes(), other.max_side())
    );
    for format in ["png", "jpeg", "webp", "gif"] {
        let format = serde_json::from_value(format.into()).unwrap();
        assert_eq!(own.takes(format), other.takes(format));
    }
}

fn task_answers() -> impl Iterator<Item = String> {
    TASK_ANSWERS.trim().lines().map(str::to_owned)
}

#[test]
fn omocaptcha_v1_declared_is_omocaptcha_v1() {
    let (rust, declared) = (
        OmocaptchaV1::new(key(), "24"),
        declared("omocaptcha", OMOCAPTCHA_V1),
    );
    same_requests(&rust, &declared);
    let fixtures = include_str!("../../drag-solver-omocaptcha/tests/fixtures/v1.json");
    same(created, &rust, &declared, bodies(fixtures, true));
    same(polled, &rust, &declared, bodies(fixtures, false));
    for body in bodies(fixtures, false) {
        let response = ApiResponse::new(200, body.clone());
        let balance =
            |api: &dyn JobApi| others(api, &response).split(' ').next().unwrap().to_owned();
        assert_eq!(balance(&declared), balance(&rust), "{body}");
    }
}

#[test]
fn omocaptcha_v2_declared_is_omocaptcha_v2() {
    let rust = TaskApi::new(key(), OmocaptchaV2::new("TiktokSliderPhoneTask"));
    let declared = declared("omocaptcha", OMOCAPTCHA_V2);
    same_requests(&rust, &declared);
    let fixtures = include_str!("../../drag-solver-omocaptcha/tests/fixtures/v2.json");
    same(created, &rust, &declared, bodies(fixtures, true));
    same(polled, &rust, &declared, bodies(fixtures, false));
    same(created, &rust, &declared, task_answers());
    same(polled, &rust, &declared, task_answers());
}

#[test]
fn twocaptcha_declared_is_twocaptcha() {
    let rust = TaskApi::new(key(), CoordinatesTask::default());
    let declared = declared("twocaptcha", TWOCAPTCHA);
    same_requests(&rust, &declared);
    same(created, &rust, &declared, task_answers());
    same(polled, &rust, &declared, task_answers());
    for body in task_answers() {
        let response = ApiResponse::new(200, body.clone());
        // Without an `errorId`, the one in Rust does not take a report for taken.
        if body.contains("errorId") {
            assert_eq!(
                others(&declared, &response),
                others(&rust, &response),
                "{body}"
            );
        }
    }
}
