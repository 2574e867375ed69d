//! Over real sockets, with no HTTP client in between. No test waits for a real clock.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use drag_solver_core::{Drag, ErrorKind, Point, Usd, Verdict};
use drag_solver_mock::{MockSolver, Outcome, fixtures};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::server::MAX_CONNECTIONS;
use super::*;

/// The picture of [`fixtures`], in base64.
fn picture() -> String {
    STANDARD.encode(fixtures::screenshot().bytes())
}

fn drag() -> Drag {
    Drag::new(Point::new(83.5, 560.0), Point::new(320.0, 560.25))
}

fn answering() -> MockSolver {
    MockSolver::new("mock").then(drag())
}

async fn emulator(solver: MockSolver) -> Emulator {
    let builder = Emulator::builder().token("secret").solver(solver);
    builder.start().await.unwrap()
}

/// Sends a POST on a connection of its own and gives back status and JSON.
async fn post(emulator: &Emulator, path: &str, body: &Value) -> (u16, Value) {
    let body = body.to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut socket = TcpStream::connect(emulator.address()).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

fn v1_job(token: &str) -> Value {
    json!({"api_token": token, "data": {"type_job_id": "24", "image_base64": picture()}})
}

fn v2_task() -> Value {
    json!({
        "clientKey": "secret",
        "task": {"type": "TiktokSliderPhoneTask", "imageBase64": picture()},
    })
}

fn coordinates(kind: &str, picture: &[u8]) -> Value {
    let task = json!({"type": kind, "body": STANDARD.encode(picture), "comment": "drag it"});
    json!({"clientKey": "secret", "task": task})
}

/// A GIF of this size with `padding` more bytes behind it.
fn gif(width: u16, height: u16, padding: usize) -> Vec<u8> {
    let mut gif = fixtures::screenshot_sized(width, height).bytes().to_vec();
    gif.resize(gif.len() + padding, 0);
    gif
}

#[tokio::test]
async fn v1_from_job_to_answer() {
    let emulator = emulator(answering()).await;
    let (status, created) = post(&emulator, "/api/createJob", &v1_job("secret")).await;
    assert_eq!(status, 200);
    assert_eq!(
        created,
        json!({"error": false, "job_id": 123_456, "message": "Create job success."})
    );
    let poll = json!({"api_token": "secret", "job_id": 123_456});
    let (_, result) = post(&emulator, "/api/getJobResult", &poll).await;
    assert_eq!(
        result,
        json!({"error": false, "status": "success", "result": "83.5|560|320|560.25"})
    );

    let request = &emulator.requests()[0];
    assert_eq!(
        request.picture.as_ref(),
        Some(fixtures::screenshot().bytes())
    );
    assert_eq!(request.json["data"]["type_job_id"], "24");
    assert!(request.has_right_token);
    let told = emulator.stats();
    assert_eq!(
        (told.jobs_created, told.jobs_paid, told.answers_fetched),
        (1, 1, 1)
    );
    assert_eq!(told.balance, "9.9991".parse().unwrap());
    emulator.shutdown().await;
}

#[tokio::test]
async fn v1_running_balance_and_services() {
    let builder = Emulator::builder().solver(answering()).running_polls(1);
    let emulator = builder.start().await.unwrap();
    post(&emulator, "/api/createJob", &v1_job("any")).await;
    let poll = json!({"api_token": "any", "job_id": "123456"});
    let (_, first) = post(&emulator, "/api/getJobResult", &poll).await;
    assert_eq!(
        first,
        json!({"error": false, "status": "running", "result": null})
    );
    let (_, second) = post(&emulator, "/api/getJobResult", &poll).await;
    assert_eq!(second["status"], "success");
    let token = json!({"api_token": "any"});
    let (_, balance) = post(&emulator, "/api/getBalance", &token).await;
    assert_eq!(balance["balance"], "9.99910");
    let (_, services) = post(&emulator, "/api/getService", &token).await;
    assert_eq!(services["service"][0]["price"], "0.0009");
}

#[tokio::test]
async fn v2_from_task_to_answer() {
    let with_end2 = drag().with_alternative_end(Point::new(1.0, 2.0));
    let emulator = emulator(MockSolver::new("mock").then(with_end2)).await;
    let (_, created) = post(&emulator, "/v2/createTask", &v2_task()).await;
    let id = created["taskId"].as_str().unwrap();
    assert_eq!((created["errorId"].as_u64(), id.len()), (Some(0), 36));
    let poll = json!({"clientKey": "secret", "taskId": id});
    let (_, result) = post(&emulator, "/v2/getTaskResult", &poll).await;
    let solution = json!({
        "start": {"x": 83.5, "y": 560}, "end": {"x": 320, "y": 560.25}, "end2": {"x": 1, "y": 2},
    });
    assert_eq!(
        result,
        json!({"errorId": 0, "status": "ready", "solution": solution})
    );
    let (_, balance) = post(&emulator, "/v2/getBalance", &json!({"clientKey": "secret"})).await;
    assert_eq!(balance["balance"], 9.9991);
}

#[tokio::test]
async fn the_task_family_reports_costs_and_scales() {
    let solver = MockSolver::new("mock").then_times(3, drag());
    let emulator = emulator(solver.clone()).await;
    let task = coordinates("CoordinatesTask", &gif(600, 1_000, 0));
    let (_, created) = post(&emulator, "/2captcha/createTask", &task).await;
    let poll = json!({"clientKey": "secret", "taskId": created["taskId"]});
    let (_, result) = post(&emulator, "/2captcha/getTaskResult", &poll).await;
    let expected = json!([{"x": 84, "y": 560}, {"x": 320, "y": 560}]);
    assert_eq!(result["solution"]["coordinates"], expected);
    assert_eq!(
        (&result["cost"], &result["solveCount"]),
        (&json!("0.0009"), &json!(1))
    );
    let (_, report) = post(&emulator, "/2captcha/reportIncorrect", &poll).await;
    assert_eq!(report, json!({"errorId": 0, "status": "success"}));
    assert_eq!(emulator.jobs()[0].verdict, Some(Verdict::Incorrect));
    assert_eq!(emulator.stats().reported_incorrect, 1);

    // Twice as large as the workers get to see, and smaller, which stays as it is.
    for (height, clicks) in [
        (1_000, json!([[42, 280], [160, 280]])),
        (400, json!([[84, 560], [320, 560]])),
    ] {
        let task = coordinates("ImageToCoordinatesTask", &gif(400, height, 0));
        let (_, created) = post(&emulator, "/anticaptcha/createTask", &task).await;
        let poll = json!({"clientKey": "secret", "taskId": created["taskId"]});
        let (_, result) = post(&emulator, "/anticaptcha/getTaskResult", &poll).await;
        assert_eq!(result["solution"]["coordinates"], clicks);
    }
    assert_eq!(solver.call_count(), 3);
}

#[tokio::test]
async fn pictures_beyond_the_limits_are_refused_and_cost_nothing() {
    let emulator = emulator(answering()).await;
    let cases = [
        ("/2captcha", "CoordinatesTask", gif(1_001, 10, 0), 4),
        ("/2captcha", "CoordinatesTask", gif(10, 10, 600_000), 4),
        ("/2captcha", "CoordinatesTask", Vec::new(), 3),
        (
            "/2captcha",
            "CoordinatesTask",
            b"not a picture".to_vec(),
            15,
        ),
        ("/2captcha", "OtherTask", gif(10, 10, 0), 23),
        (
            "/anticaptcha",
            "ImageToCoordinatesTask",
            gif(10, 10, 500_000),
            4,
        ),
    ];
    for (path, kind, picture, code) in cases {
        let path = format!("{path}/createTask");
        let (status, body) = post(&emulator, &path, &coordinates(kind, &picture)).await;
        assert_eq!((status, &body["errorId"]), (200, &json!(code)), "{body}");
    }
    assert_eq!(emulator.stats().jobs_created, 0);
}

#[tokio::test]
async fn the_solver_says_who_gave_up_and_who_refused() {
    let solver = MockSolver::new("mock")
        .then(ErrorKind::Unsolvable)
        .then(ErrorKind::Unsolvable)
        .then(ErrorKind::RateLimited);
    let emulator = emulator(solver).await;
    post(&emulator, "/api/createJob", &v1_job("secret")).await;
    let poll = json!({"api_token": "secret", "job_id": 123_456});
    let (_, result) = post(&emulator, "/api/getJobResult", &poll).await;
    assert_eq!(
        result,
        json!({"error": false, "status": "fail", "result": null})
    );
    let (_, created) = post(&emulator, "/v2/createTask", &v2_task()).await;
    let poll = json!({"clientKey": "secret", "taskId": created["taskId"]});
    let (_, result) = post(&emulator, "/v2/getTaskResult", &poll).await;
    assert_eq!(result["errorCode"], "ERROR_JOB_STATUS");
    let (_, refused) = post(&emulator, "/v2/createTask", &v2_task()).await;
    assert_eq!(refused["errorCode"], "ERROR_NO_SLOT_AVAILABLE");
    let stats = emulator.stats();
    assert_eq!(
        (stats.jobs_created, stats.jobs_refunded, stats.jobs_paid),
        (2, 2, 0)
    );
}

#[tokio::test]
async fn without_a_solver_nothing_is_ever_answered() {
    let emulator = Emulator::builder().start().await.unwrap();
    post(&emulator, "/api/createJob", &v1_job("any")).await;
    assert_eq!(emulator.jobs()[0].status, JobStatus::GaveUp);
}

#[tokio::test]
async fn wrong_tokens_methods_and_bodies_are_refused() {
    let emulator = emulator(answering()).await;
    let (_, refused) = post(&emulator, "/api/createJob", &v1_job("wrong")).await;
    assert_eq!(
        refused,
        json!({"error": true, "message": "Invalid api token."})
    );
    let (_, refused) = post(&emulator, "/v2/getBalance", &json!({"clientKey": ""})).await;
    assert_eq!(refused["errorCode"], "ERROR_KEY_DOES_NOT_EXIST");
    let (status, _) = post(
        &emulator,
        "/v2/reportCorrect",
        &json!({"clientKey": "secret"}),
    )
    .await;
    assert_eq!(status, 404);
    let (_, refused) = post(&emulator, "/v2/createTask", &json!("text")).await;
    assert_eq!(refused["errorCode"], "ERROR_BAD_PARAMETERS");
    emulator.set_balance(Usd::ZERO);
    let (_, refused) = post(&emulator, "/v2/createTask", &v2_task()).await;
    assert_eq!(refused["errorCode"], "ERROR_ZERO_BALANCE");
    // One dialect does not know another's jobs.
    let poll = json!({"clientKey": "secret", "taskId": 123_456});
    let (_, refused) = post(&emulator, "/2captcha/getTaskResult", &poll).await;
    assert_eq!(refused["errorCode"], "ERROR_NO_SUCH_CAPCHA_ID");
    assert_eq!(emulator.stats().jobs_created, 0);
    assert!(!format!("{emulator:?} {:?}", emulator.requests()).contains("secret"));
}

#[tokio::test]
async fn quirks_change_the_wire_alone() {
    let builder = Emulator::builder()
        .solver(
            MockSolver::new("mock")
                .then(drag())
                .then(drag())
                .then(drag()),
        )
        .running_polls(1)
        .quirk(Quirk::HugeIds)
        .quirk(Quirk::IdsAsStrings)
        .quirk(Quirk::SuccessFlag)
        .quirk(Quirk::Waiting)
        .quirk(Quirk::Idle)
        .quirk(Quirk::EmptyResult);
    let emulator = builder.start().await.unwrap();
    let (_, created) = post(&emulator, "/api/createJob", &v1_job("any")).await;
    assert_eq!(created["job_id"], "9007199254740993");
    assert_eq!(
        (&created["success"], created.get("error")),
        (&json!(true), None)
    );
    let poll = json!({"api_token": "any", "job_id": 9_007_199_254_740_993_u64});
    let (_, running) = post(&emulator, "/api/getJobResult", &poll).await;
    assert_eq!(
        running,
        json!({"success": true, "status": "waiting", "result": ""})
    );
    let (_, solved) = post(&emulator, "/api/getJobResult", &poll).await;
    assert_eq!(solved["result"], "83.5|560|320|560.25");
    let (_, created) = post(&emulator, "/v2/createTask", &v2_task()).await;
    let poll = json!({"clientKey": "any", "taskId": created["taskId"]});
    let (_, running) = post(&emulator, "/v2/getTaskResult", &poll).await;
    assert_eq!(running["status"], "idle");
}

#[tokio::test(start_paused = true)]
async fn a_result_in_the_answer_to_create_waits_for_the_solver() {
    let slow = Outcome::answer(drag()).after(Duration::from_secs(3));
    let builder = Emulator::builder()
        .solver(MockSolver::new("mock").then(slow))
        .quirk(Quirk::ResultInCreate);
    let emulator = builder.start().await.unwrap();
    let (_, created) = post(&emulator, "/v2/createTask", &v2_task()).await;
    assert_eq!(created["status"], "ready");
    assert_eq!(created["solution"]["end"], json!({"x": 320, "y": 560.25}));
    assert_eq!(emulator.stats().answers_fetched, 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_not_there_before_its_time_and_gone_after_it() {
    let builder = Emulator::builder()
        .solver(answering())
        .answer_after(Duration::from_secs(10));
    let emulator = builder.start().await.unwrap();
    let task = coordinates("ImageToCoordinatesTask", &gif(10, 10, 0));
    let (_, created) = post(&emulator, "/anticaptcha/createTask", &task).await;
    let poll = json!({"clientKey": "any", "taskId": created["taskId"]});
    let expected = [(9, "processing"), (1, "ready"), (60, "ready")];
    for (seconds, status) in expected {
        tokio::time::advance(Duration::from_secs(seconds)).await;
        let (_, result) = post(&emulator, "/anticaptcha/getTaskResult", &poll).await;
        assert_eq!(result["status"], status, "{result}");
    }
    tokio::time::advance(Duration::from_secs(1)).await;
    let (_, gone) = post(&emulator, "/anticaptcha/getTaskResult", &poll).await;
    assert_eq!(gone["errorCode"], "ERROR_NO_SUCH_CAPCHA_ID");
    let (_, late) = post(&emulator, "/anticaptcha/reportIncorrectImageCaptcha", &poll).await;
    assert_eq!(late["errorCode"], "ERROR_NO_SUCH_CAPCHA_ID");
    assert_eq!(emulator.stats().reported_incorrect, 0);
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let emulator = emulator(answering()).await;
    let mut socket = TcpStream::connect(emulator.address()).await.unwrap();
    let body = json!({"api_token": "secret"}).to_string();
    for _ in 0..3 {
        let head = "POST /api/getBalance HTTP/1.1\r\nContent-Length";
        let request = format!("{head}: {}\r\n\r\n{body}", body.len());
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        while !answer.ends_with('}') {
            let mut piece = [0; 512];
            let read = socket.read(&mut piece).await.unwrap();
            assert_ne!(read, 0, "closed after {answer:?}");
            answer.push_str(std::str::from_utf8(&piece[..read]).unwrap());
        }
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
    let traffic = emulator.traffic();
    assert_eq!((traffic.connections, traffic.requests), (1, 3));
}

#[tokio::test]
async fn it_comes_back_on_its_port_with_its_jobs() {
    let emulator = emulator(answering()).await;
    post(&emulator, "/api/createJob", &v1_job("secret")).await;
    let mut idle = TcpStream::connect(emulator.address()).await.unwrap();
    // Served, so that the connection is not one that was never accepted.
    idle.write_all(b"GET /x HTTP/1.1\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 404");

    emulator.suspend().await.unwrap();
    let refused = TcpStream::connect(emulator.address()).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    let mut rest = Vec::new();
    let _ = idle.read_to_end(&mut rest).await; // ends, or this test does not

    emulator.resume().await.unwrap();
    let poll = json!({"api_token": "secret", "job_id": 123_456});
    let (_, result) = post(&emulator, "/api/getJobResult", &poll).await;
    assert_eq!(result["result"], "83.5|560|320|560.25");
}

#[tokio::test]
async fn nothing_is_left_after_shutdown() {
    let emulator = emulator(MockSolver::new("mock").then(Outcome::hang())).await;
    post(&emulator, "/api/createJob", &v1_job("secret")).await;
    let address = emulator.address();
    let idle = TcpStream::connect(address).await.unwrap();
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    assert_ne!(tasks(), 0);
    emulator.shutdown().await;
    assert_eq!(tasks(), 0);
    assert!(TcpStream::connect(address).await.is_err());
    drop(idle);
}

#[tokio::test]
async fn a_price_below_zero_is_refused() {
    let error = Emulator::builder()
        .price(Usd::from_micros(-1))
        .start()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("price"), "{error}");
}

#[tokio::test]
async fn it_survives_clients_that_reset_at_any_byte() {
    let emulator = emulator(MockSolver::new("mock").always(drag())).await;
    let body = v1_job("secret").to_string();
    let request = format!(
        "POST /api/createJob HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let alive = || {
        let handle = tokio::runtime::Handle::current();
        handle.metrics().num_alive_tasks()
    };
    let before = alive();
    for sent in 0..=request.len() {
        let mut socket = TcpStream::connect(emulator.address()).await.unwrap();
        socket.write_all(&request.as_bytes()[..sent]).await.unwrap();
        socket.set_zero_linger().unwrap();
    }
    while alive() > before {
        tokio::task::yield_now().await;
    }
    let (_, created) = post(&emulator, "/api/createJob", &v1_job("secret")).await;
    assert_eq!(created["error"], false);
}

#[tokio::test]
async fn a_solver_that_panics_costs_its_own_request_alone() {
    let panics = drag_solver_core::solver_fn("panics", |_| async { panic!("on purpose") });
    let emulator = Emulator::builder().solver(panics).start().await.unwrap();
    let (status, _) = post(&emulator, "/api/createJob", &v1_job("any")).await;
    assert_eq!((status, emulator.stats().jobs_created), (500, 0));
    let (status, _) = post(&emulator, "/api/getBalance", &json!({"api_token": "any"})).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn connections_are_bounded_and_their_places_come_free() {
    let emulator = emulator(answering()).await;
    let mut open = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        open.push(TcpStream::connect(emulator.address()).await.unwrap());
    }
    let mut one_too_many = TcpStream::connect(emulator.address()).await.unwrap();
    assert_eq!(one_too_many.read(&mut [0; 16]).await.unwrap_or(0), 0);
    drop(open);
    let ask = json!({"api_token": "secret"}).to_string();
    let request = format!(
        "POST /api/getBalance HTTP/1.1\r\nContent-Length: {}\r\n\r\n{ask}",
        ask.len()
    );
    loop {
        let mut socket = TcpStream::connect(emulator.address()).await.unwrap();
        let _ = socket.write_all(request.as_bytes()).await;
        if socket.read(&mut [0; 16]).await.unwrap_or(0) > 0 {
            break;
        }
    }
}
