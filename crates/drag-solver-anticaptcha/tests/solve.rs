//! Whole tasks, over a scripted transport on a paused clock.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

use std::time::Duration;

use drag_solver_anticaptcha::{AntiCaptcha, COMMENT};
use drag_solver_core::{Billed, DragSolver, ErrorKind, JobId, PaidJob, SolveError, Verdict};
use drag_solver_http::testing::{Reply, ScriptedTransport};
use drag_solver_http::{ApiResponse, Context, Provider};
use drag_solver_mock::fixtures::challenge_sized;
use serde_json::json;

const CREATED: &str = r#"{"errorId": 0, "taskId": 7654321}"#;
const READY: &str = r#"{"errorId": 0, "status": "ready",
    "solution": {"coordinates": [[17, 48], [54, 83]]}, "cost": "0.0007", "ip": "1.2.3.4",
    "createTime": 1692863536, "endTime": 1692863556, "solveCount": "1"}"#;
const GONE: &str = r#"{"errorId": 16, "errorCode": "ERROR_NO_SUCH_CAPCHA_ID",
    "errorDescription": "Task you are requesting does not exist in your current task list or has been expired."}"#;

fn solver(transport: &ScriptedTransport) -> AntiCaptcha {
    AntiCaptcha::builder()
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
async fn a_task_is_bought_and_fetched_after_5_s_and_then_every_2_s() {
    let transport = ScriptedTransport::new([
        Reply::json(CREATED),
        Reply::json(r#"{"errorId": 0, "status": "processing"}"#),
        Reply::json(r#"{"errorId": 0, "status": "processing"}"#),
        Reply::json(READY),
        Reply::json(r#"{"errorId": 0, "status": "success"}"#),
    ]);
    let solver = solver(&transport);
    let solution = solver.solve(&challenge_sized(400, 300)).await.unwrap();
    assert_eq!(solution.drag().to_string(), "17,48 -> 54,83");
    assert_eq!(solution.solver(), "anticaptcha");
    assert_eq!(solution.cost().unwrap().to_string(), "0.0007");
    assert_eq!(solution.elapsed(), Duration::from_secs(9));
    assert_eq!(
        transport.sent()[0].json(),
        json!({"clientKey": "YOUR_API_KEY", "task": {
            "type": "ImageToCoordinatesTask", "body": "R0lGODlhkAEsAQAAACwAAAAAAQABAAACADs=",
            "comment": COMMENT, "mode": "points",
        }})
    );

    solver.report(&solution, Verdict::Incorrect).await.unwrap();
    let report = transport.sent().pop().unwrap();
    assert_eq!(report.request.path(), "reportIncorrectImageCaptcha");
    assert_eq!(
        report.json(),
        json!({"clientKey": "YOUR_API_KEY", "taskId": 7_654_321})
    );
    let error = solver
        .report(&solution, Verdict::Correct)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(transport.sent().len(), 5, "nothing is sent for it");
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
async fn anything_but_two_points_is_no_answer_and_was_paid_for() {
    for (coordinates, says) in [
        ("[[1, 2]]", "not two points but 1"),
        ("[[1, 2], [3, 4], [5, 6]]", "not two points but 3"),
        ("[[1, 2, 3, 4], [5, 6, 7, 8]]", "not two points in numbers"),
        (r#"[[1, 2], [3, "inf"]]"#, "not two points in numbers"),
        ("null", "the answer has no points"),
    ] {
        let ready = format!(
            r#"{{"errorId": 0, "status": "ready", "solution": {{"coordinates": {coordinates}}}}}"#
        );
        let error = fails([Reply::json(CREATED), Reply::json(ready)]).await;
        assert_eq!(error.kind(), ErrorKind::InvalidAnswer, "{coordinates}");
        assert_eq!(error.billed(), Billed::Yes, "{coordinates}");
        assert!(error.message().contains(says), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_not_known_or_not_ready_yet_is_asked_for_again() {
    for not_yet in [
        Reply::json(GONE),
        Reply::json(r#"{"errorId": 1, "errorCode": "CAPCHA_NOT_READY"}"#),
        Reply::json(r#"{"errorId": 1, "errorCode": "CAPTCHA_NOT_READY"}"#),
        Reply::json(
            r#"{"errorId": 1, "errorCode": "ERROR_NEW", "errorDescription": {"a": ["?"]}}"#,
        ),
        Reply::status(409, r#"{"errorId": 1, "errorCode": "ERROR_NEW"}"#),
    ] {
        let script = [Reply::json(CREATED), not_yet, Reply::json(READY)];
        let transport = ScriptedTransport::new(script);
        let solution = solver(&transport).solve(&challenge_sized(400, 300)).await;
        assert_eq!(solution.unwrap().job().unwrap().as_str(), "7654321");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stray_byte_loses_no_task() {
    let stray = [
        (
            format!("\u{feff}{CREATED}\0\0"),
            format!("\u{feff}{READY}\0\r\n"),
        ),
        (
            CREATED.replace("7654321", "7.654321e+06"),
            READY.replace("\"ready\"", "\"ready \""),
        ),
        (
            CREATED.replace("7654321", "\"7654321\\u0000\""),
            READY.replace("\"0.0007\"", "NaN"),
        ),
        (
            CREATED.replace('}', ", \"note\": \"a\tb\"}"),
            READY.replace("1.2.3.4", "a\nb"),
        ),
        (
            CREATED.replace(": 0", ": 0.0"),
            READY.replace(": 0,", ": -0.0,"),
        ),
        (
            CREATED.replace(": 0", ": \"\""),
            READY.replace(": 0,", ": \"0.0\","),
        ),
    ];
    for (created, ready) in stray {
        let transport = ScriptedTransport::new([Reply::json(&created), Reply::json(&ready)]);
        let solution = solver(&transport).solve(&challenge_sized(400, 300)).await;
        let solution = solution.unwrap_or_else(|error| panic!("{created} {ready}: {error}"));
        assert_eq!(solution.job().unwrap().as_str(), "7654321", "{created}");
        assert_eq!(solution.drag().to_string(), "17,48 -> 54,83", "{ready}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_names_a_task_loses_none() {
    for odd in [
        r#"{"errorId": 1, "errorCode": "CAPCHA_NOT_READY", "taskId": 7654321}"#,
        r#"{"errorId": 99, "errorCode": "WARNING_SLOW", "taskId": "7654321"}"#,
    ] {
        let transport = ScriptedTransport::new([odd, READY].map(Reply::json));
        let solution = solver(&transport).solve(&challenge_sized(400, 300)).await;
        assert_eq!(solution.unwrap().job().unwrap().as_str(), "7654321");
    }
    let refused = r#"{"errorId": 1, "errorCode": "ERROR_ZERO_BALANCE", "taskId": 7654321}"#;
    let error = fails([Reply::json(refused)]).await;
    assert_eq!(
        (error.billed(), error.unfinished_jobs().len()),
        (Billed::No, 0)
    );
    let not_ready = r#"{"errorId": 1, "errorCode": "CAPCHA_NOT_READY"}"#;
    assert_eq!(
        fails([Reply::json(not_ready)]).await.billed(),
        Billed::Maybe
    );
}

#[tokio::test(start_paused = true)]
async fn a_refusal_in_another_encoding_is_understood() {
    let body = [
        &br#"{"errorId": 10, "errorCode": "ERROR_ZERO_BALANCE", "errorDescription": ""#[..],
        b"\xed\xe5\xf2 \xe4\xe5\xed\xe5\xe3\"}",
    ];
    let response = ApiResponse::new(200, body.concat());
    let error = fails([Reply::response(response)]).await;
    assert_eq!(
        (error.kind(), error.billed()),
        (ErrorKind::InsufficientBalance, Billed::No)
    );
}

#[tokio::test(start_paused = true)]
async fn an_unsolvable_task_is_charged() {
    let error = fails([
        Reply::json(CREATED),
        Reply::json(r#"{"errorId": 12, "errorCode": "ERROR_CAPTCHA_UNSOLVABLE"}"#),
    ])
    .await;
    assert_eq!(
        (error.kind(), error.billed()),
        (ErrorKind::Unsolvable, Billed::Yes)
    );
}

#[tokio::test(start_paused = true)]
async fn a_result_fetched_too_late_is_gone_and_the_error_says_after_how_long() {
    let transport = ScriptedTransport::new([GONE, GONE, GONE].map(Reply::json));
    let job = PaidJob::new("anticaptcha", JobId::from(7_654_321));
    let resumed = challenge_sized(400, 300).resume_job(job);
    let error = solver(&transport).solve(&resumed).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.billed()),
        (ErrorKind::Protocol, Billed::Maybe)
    );
    assert!(
        error.message().contains("60s after it was completed"),
        "{error}"
    );
    assert!(
        error.unfinished_jobs().is_empty(),
        "there is nothing left to resume"
    );
}

#[tokio::test(start_paused = true)]
async fn a_late_report_is_refused_with_the_reason() {
    let transport =
        ScriptedTransport::new([Reply::json(CREATED), Reply::json(READY), Reply::json(GONE)]);
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
async fn a_picture_beyond_the_limits_is_refused_before_anything_is_sent() {
    let transport = ScriptedTransport::default();
    let error = solver(&transport)
        .solve(&challenge_sized(10, 501))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.billed()),
        (ErrorKind::Unsupported, Billed::No)
    );
    assert!(error.message().contains("500 px"), "{error}");
    assert!(transport.sent().is_empty());
}

#[test]
fn errors_name_the_variable() {
    let from = |url: Option<&'static str>| {
        AntiCaptcha::from_variables(&Context::with_variables(move |name| match name {
            "ANTICAPTCHA_BASE_URL" => url.map(Into::into),
            _ => url.map(|_| "hunter2".into()),
        }))
    };
    let error = from(None).unwrap_err();
    assert_eq!(error.path(), "ANTICAPTCHA_API_KEY");
    let error = from(Some("nowhere")).unwrap_err();
    assert_eq!(error.path(), "ANTICAPTCHA_BASE_URL");
}
