//! Whole tasks, over a scripted transport on a paused clock.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

use std::time::Duration;

use drag_solver_core::{Billed, DragSolver, ErrorKind, SolveError, Verdict};
use drag_solver_http::testing::{Reply, ScriptedTransport};
use drag_solver_http::{CallbackReceiver, Context, Provider};
use drag_solver_mock::fixtures::challenge_sized;
use drag_solver_twocaptcha::{COMMENT, TwoCaptcha};
use serde_json::json;

const CREATED: &str = r#"{"errorId": 0, "taskId": 72345678901}"#;
const READY: &str = r#"{"errorId": 0, "status": "ready",
    "solution": {"coordinates": [{"x": 358, "y": 268}, {"x": 120, "y": 44}]},
    "cost": "0.0012", "ip": "1.2.3.4", "createTime": 1692863536, "endTime": 1692863556,
    "solveCount": 1}"#;

fn solver(transport: &ScriptedTransport) -> TwoCaptcha {
    TwoCaptcha::builder()
        .token("YOUR_API_KEY")
        .transport(transport.clone())
        .build()
        .unwrap()
}

async fn fails(script: impl IntoIterator<Item = Reply>) -> SolveError {
    let transport = ScriptedTransport::new(script);
    solver(&transport)
        .solve(&challenge_sized(400, 300))
        .await
        .unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn where_there_is_a_public_address_the_service_is_asked_to_call_it() {
    let transport = ScriptedTransport::new([Reply::json(CREATED), Reply::json(READY)]);
    let callbacks = CallbackReceiver::new("https://hooks.example.com").unwrap();
    let solver = TwoCaptcha::builder()
        .token("YOUR_API_KEY")
        .transport(transport.clone())
        .callbacks_to(&callbacks)
        .build()
        .unwrap();
    let call = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let sent = transport.sent()[0].json();
        callbacks.receive(sent["callbackUrl"].as_str().unwrap());
    };
    let challenge = challenge_sized(400, 300);
    let (solution, ()) = tokio::join!(solver.solve(&challenge), call);
    assert_eq!(solution.unwrap().elapsed(), Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_task_is_bought_and_fetched() {
    let transport = ScriptedTransport::new([
        Reply::json(CREATED),
        Reply::json(r#"{"errorId": 0, "status": "processing"}"#),
        Reply::json(READY),
        Reply::json(r#"{"errorId": 0, "status": "success"}"#),
        Reply::json(r#"{"errorId": 0, "status": "success"}"#),
    ]);
    let solver = solver(&transport);
    let solution = solver.solve(&challenge_sized(400, 300)).await.unwrap();
    assert_eq!(solution.drag().to_string(), "358,268 -> 120,44");
    assert_eq!(solution.solver(), "twocaptcha");
    assert_eq!(solution.job().unwrap().as_str(), "72345678901");
    assert_eq!(solution.cost().unwrap().to_string(), "0.0012");
    assert_eq!(solution.elapsed(), Duration::from_secs(10));
    let task = &transport.sent()[0].json()["task"];
    assert_eq!(
        *task,
        json!({
            "type": "CoordinatesTask", "body": "R0lGODlhkAEsAQAAACwAAAAAAQABAAACADs=", "comment": COMMENT,
            "minClicks": 2, "maxClicks": 2,
        })
    );

    solver.report(&solution, Verdict::Correct).await.unwrap();
    solver.report(&solution, Verdict::Incorrect).await.unwrap();
    assert_eq!(
        transport.paths(),
        [
            "createTask",
            "getTaskResult",
            "getTaskResult",
            "reportCorrect",
            "reportIncorrect"
        ]
    );
    for call in &transport.sent()[1..] {
        assert_eq!(
            call.json(),
            json!({"clientKey": "YOUR_API_KEY", "taskId": 72_345_678_901_u64})
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_challenges_instruction_replaces_the_comment() {
    let transport = ScriptedTransport::new([Reply::json(CREATED), Reply::json(READY)]);
    let challenge = challenge_sized(400, 300).with_instruction("Drag the star onto the moon");
    solver(&transport).solve(&challenge).await.unwrap();
    let sent = transport.sent()[0].json();
    assert_eq!(sent["task"]["comment"], "Drag the star onto the moon");
}

#[tokio::test(start_paused = true)]
async fn independent_clients_habits_are_understood() {
    for (created, ready, cost) in [
        (
            r#"{"errorId": "0", "taskId": "72345678901"}"#,
            r#""cost": 0.0012"#,
            Some("0.0012"),
        ),
        (
            r#"{"errorId": 0, "taskId": 72345678901, "status": "idle"}"#,
            r#""solveCount": "1""#,
            None,
        ),
    ] {
        let transport = ScriptedTransport::new([
            Reply::json(created),
            Reply::json(r#"{"errorId": 0, "status": "idle"}"#),
            Reply::json(format!(
                r#"{{"errorId": 0, "status": "ready", {ready}, "solution":
                    {{"coordinates": [{{"x": "358.5", "y": 268.25}}, {{"x": 120, "y": "44"}}]}}}}"#
            )),
        ]);
        let solution = solver(&transport)
            .solve(&challenge_sized(400, 300))
            .await
            .unwrap();
        assert_eq!(solution.drag().to_string(), "358.5,268.25 -> 120,44");
        assert_eq!(
            solution.cost().map(|cost| cost.to_string()).as_deref(),
            cost
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_result_in_the_answer_to_create_task_is_taken_at_once() {
    let transport = ScriptedTransport::new([Reply::json(
        READY.replace(r#""status""#, r#""taskId": "7", "status""#),
    )]);
    let solution = solver(&transport)
        .solve(&challenge_sized(400, 300))
        .await
        .unwrap();
    assert_eq!(solution.job().unwrap().as_str(), "7");
    assert_eq!(solution.elapsed(), Duration::ZERO);
    assert_eq!(transport.paths(), ["createTask"]);
}

#[tokio::test(start_paused = true)]
async fn anything_but_two_points_is_no_answer_and_was_paid_for() {
    for (solution, says) in [
        (
            r#"{"coordinates": [{"x": 1, "y": 2}]}"#,
            "not two points but 1",
        ),
        (
            r#"{"coordinates": [{"x":1,"y":2},{"x":3,"y":4},{"x":5,"y":6}]}"#,
            "not two points but 3",
        ),
        (
            r#"{"coordinates": [{"x":1,"y":2},{"x":"NaN","y":4}]}"#,
            "not two points in numbers",
        ),
        (
            r#"{"coordinates": [[1, 2, 3], [3, 4]]}"#,
            "not two points in numbers",
        ),
        (r#"{"coordinates": null}"#, "the answer has no points"),
        ("{}", "the answer has no points"),
        ("null", "the answer has no points"),
    ] {
        let ready = format!(r#"{{"errorId": 0, "status": "ready", "solution": {solution}}}"#);
        let error = fails([Reply::json(CREATED), Reply::json(ready)]).await;
        assert_eq!(error.kind(), ErrorKind::InvalidAnswer, "{solution}");
        assert_eq!(error.billed(), Billed::Yes, "{solution}");
        assert!(error.message().contains(says), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unsolvable_task_is_refunded() {
    let error = fails([
        Reply::json(CREATED),
        Reply::json(
            r#"{"errorId": 12, "errorCode": "ERROR_CAPTCHA_UNSOLVABLE",
                "errorDescription": "Workers could not solve the captcha"}"#,
        ),
    ])
    .await;
    assert_eq!(
        (error.kind(), error.billed()),
        (ErrorKind::Unsolvable, Billed::No)
    );
}

#[tokio::test(start_paused = true)]
async fn every_code_has_its_kind_and_its_wait() {
    use ErrorKind::{
        InsufficientBalance, Protocol, RateLimited, Unauthorized, Unsolvable, Unsupported,
    };
    for (id, code, kind, wait) in [
        (1, "KEY_DOES_NOT_EXIST", Unauthorized, None),
        (11, "IP_NOT_ALLOWED", Unauthorized, None),
        (21, "IP_BLOCKED", Unauthorized, None),
        (55, "ACCOUNT_SUSPENDED", Unauthorized, None),
        (2, "NO_SLOT_AVAILABLE", RateLimited, Some(5)),
        (1, "TOO_MUCH_REQUESTS", RateLimited, Some(5)),
        (10, "ZERO_BALANCE", InsufficientBalance, Some(60)),
        (12, "CAPTCHA_UNSOLVABLE", Unsolvable, None),
        (13, "BAD_DUPLICATES", Unsolvable, None),
        (57, "TASK_CANCELED", Unsolvable, None),
        (1, "JOB_STATUS", Unsolvable, None),
        (3, "ZERO_CAPTCHA_FILESIZE", Unsupported, None),
        (4, "TOO_BIG_CAPTCHA_FILESIZE", Unsupported, None),
        (15, "IMAGE_TYPE_NOT_SUPPORTED", Unsupported, None),
        (14, "NO_SUCH_METHOD", Protocol, None),
        (22, "TASK_ABSENT", Protocol, None),
        (23, "TASK_NOT_SUPPORTED", Protocol, None),
        (110, "BAD_PARAMETERS", Protocol, None),
        (115, "BAD_IMGINSTRUCTIONS", Protocol, None),
        (16, "NO_SUCH_CAPCHA_ID", Protocol, None),
    ] {
        let body = format!(
            r#"{{"errorId": {id}, "errorCode": "ERROR_{code}", "errorDescription": "in words"}}"#
        );
        for status in [200, 402, 403, 429, 503] {
            let error = fails([Reply::status(status, body.clone())]).await;
            assert_eq!(error.kind(), kind, "{code} with {status}");
            assert_eq!(error.retry_after(), wait.map(Duration::from_secs), "{code}");
            assert!(error.message().contains(code), "{error}");
            assert!(error.message().contains("in words"), "{error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_code_that_nobody_explains_is_shown_and_judged_by_the_status() {
    use ErrorKind::{InsufficientBalance, Protocol, RateLimited, Unauthorized, Unavailable};
    let body = r#"{"errorId": 999, "errorCode": "ERROR_NEVER_SEEN_BEFORE", "errorDescription": "in words"}"#;
    for (status, kind) in [
        (200, Protocol),
        (402, InsufficientBalance),
        (403, Unauthorized),
        (429, RateLimited),
        (503, Unavailable),
    ] {
        let error = fails([Reply::status(status, body)]).await;
        assert_eq!(error.kind(), kind, "{status}");
        assert_eq!(error.billed(), Billed::No, "{status}");
        assert_eq!(
            error.message(),
            "ERROR_NEVER_SEEN_BEFORE: in words",
            "{status}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_picture_beyond_the_limits_is_refused_before_anything_is_sent() {
    let transport = ScriptedTransport::default();
    let error = solver(&transport)
        .solve(&challenge_sized(1001, 10))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.billed()),
        (ErrorKind::Unsupported, Billed::No)
    );
    assert!(error.message().contains("1000 px"), "{error}");
    assert!(transport.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_late_report_is_refused_with_the_reason() {
    let transport = ScriptedTransport::new([
        Reply::json(CREATED),
        Reply::json(READY),
        Reply::json(
            r#"{"errorId": 16, "errorCode": "ERROR_NO_SUCH_CAPCHA_ID", "errorDescription": ""}"#,
        ),
    ]);
    let solver = solver(&transport);
    let solution = solver.solve(&challenge_sized(400, 300)).await.unwrap();
    let error = solver
        .report(&solution, Verdict::Incorrect)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.billed()),
        (ErrorKind::Protocol, Billed::No)
    );
    assert!(error.message().contains("too late"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_balance_reads_as_number_and_as_string() {
    for body in [
        r#"{"errorId": 0, "balance": 345.678}"#,
        r#"{"errorId": 0, "balance": "345.678"}"#,
    ] {
        let transport = ScriptedTransport::new([Reply::json(body)]);
        let balance = solver(&transport).balance().await.unwrap();
        assert_eq!(balance.available.to_string(), "345.678");
        assert_eq!(transport.paths(), ["getBalance"]);
    }
}

#[test]
fn settings_come_from_the_environment_and_errors_name_the_variable() {
    let from = |key: Option<&'static str>, url: Option<&'static str>| {
        TwoCaptcha::from_variables(&Context::with_variables(move |name| match name {
            "TWOCAPTCHA_API_KEY" => key.map(Into::into),
            "TWOCAPTCHA_BASE_URL" => url.map(Into::into),
            other => panic!("no such variable: {other}"),
        }))
    };
    assert_eq!(from(Some("hunter2\n"), None).unwrap().name(), "twocaptcha");
    let debug = format!(
        "{:?}",
        from(Some("hunter2"), Some("http://127.0.0.1:1")).unwrap()
    );
    assert!(
        debug.contains("127.0.0.1:1") && !debug.contains("hunter2"),
        "{debug}"
    );
    for missing in [None, Some(""), Some("hunter2 x")] {
        let error = from(missing, None).unwrap_err();
        assert_eq!(error.path(), "TWOCAPTCHA_API_KEY");
    }
    let error = from(Some("hunter2"), Some("http://api.2captcha.com")).unwrap_err();
    assert_eq!(error.path(), "TWOCAPTCHA_BASE_URL");
}

#[tokio::test(start_paused = true)]
async fn an_answer_never_costs_less_than_nothing() {
    for cost in ["\"-0.0012\"", "-0.0012", "-1e9"] {
        let ready = READY.replace("\"0.0012\"", cost);
        let transport = ScriptedTransport::new([Reply::json(CREATED), Reply::json(ready)]);
        let solution = solver(&transport)
            .solve(&challenge_sized(400, 300))
            .await
            .unwrap();
        assert_eq!(solution.cost(), None, "{cost}");
    }
}
