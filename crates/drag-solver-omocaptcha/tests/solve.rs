//! Whole jobs, over a scripted transport on a paused clock.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

use std::num::NonZeroU32;
use std::time::Duration;

use drag_solver_core::{Billed, DragSolver, ErrorKind, Point};
use drag_solver_http::testing::{Reply, ScriptedTransport};
use drag_solver_mock::fixtures::{challenge, challenge_sized};
use drag_solver_omocaptcha::{ApiVersion, Omocaptcha, OmocaptchaBuilder};
use serde_json::{Value, json};

#[tokio::test(start_paused = true)]
async fn a_v1_job_is_bought_and_fetched() {
    let transport = ScriptedTransport::new([
        Reply::json(r#"{"error": false, "job_id": 123456, "message": "Create job success."}"#),
        Reply::json(r#"{"error": false, "status": "running", "result": null}"#),
        Reply::json(r#"{"error": false, "status": "success", "result": "83|560|320|560"}"#),
    ]);
    let solver = Omocaptcha::builder()
        .token("YOUR_API_KEY")
        .transport(transport.clone())
        .build()
        .unwrap();
    let solution = solver.solve(&challenge()).await.unwrap();
    assert_eq!(solution.drag().to_string(), "83,560 -> 320,560");
    assert_eq!(solution.job().unwrap().as_str(), "123456");
    assert_eq!(solution.elapsed(), Duration::from_secs(4));
    assert_eq!(
        transport.paths(),
        ["createJob", "getJobResult", "getJobResult"]
    );
    assert_eq!(
        transport.sent()[0].json(),
        json!({
            "api_token": "YOUR_API_KEY",
            "data": {"type_job_id": "24", "image_base64": "R0lGODlhTwJ9BAAAACwAAAAAAQABAAACADs="},
        })
    );
    assert_eq!(
        transport.sent()[1].json(),
        json!({"api_token": "YOUR_API_KEY", "job_id": 123_456})
    );
}

#[tokio::test(start_paused = true)]
async fn a_v2_job_is_bought_and_fetched() {
    let transport = ScriptedTransport::new([
        Reply::json(r#"{"errorId": 0, "taskId": "49f9f60a-c809-4af0-93c0-0409b72e67e0"}"#),
        Reply::json(
            r#"{"errorId": 0, "errorCode": "", "errorDescription": "", "status": "processing"}"#,
        ),
        Reply::json(
            r#"{"errorId": 0, "status": "ready", "solution": {"start": {"x": 50, "y": 30},
                "end": {"x": 100, "y": 70}, "end2": {"x": 110, "y": 70}}}"#,
        ),
    ]);
    let solver = Omocaptcha::builder()
        .token("YOUR_API_KEY")
        .api_version(ApiVersion::V2)
        .transport(transport.clone())
        .build()
        .unwrap();
    let solution = solver.solve(&challenge()).await.unwrap();
    assert_eq!(solution.drag().to_string(), "50,30 -> 100,70");
    assert_eq!(
        solution.drag().alternative_end.unwrap().to_string(),
        "110,70"
    );
    assert_eq!(
        transport.sent()[0].json(),
        json!({
            "clientKey": "YOUR_API_KEY",
            "task": {"type": "TiktokSliderPhoneTask", "imageBase64": "R0lGODlhTwJ9BAAAACwAAAAAAQABAAACADs="},
        })
    );
    assert_eq!(
        transport.sent()[2].json(),
        json!({"clientKey": "YOUR_API_KEY", "taskId": "49f9f60a-c809-4af0-93c0-0409b72e67e0"})
    );
}

/// A builder for a slider whose picture is shown 340 pixels wide.
fn slider(version: ApiVersion, job_type: &str) -> OmocaptchaBuilder {
    Omocaptcha::builder()
        .token("YOUR_API_KEY")
        .api_version(version)
        .job_type(job_type)
        .view_width(NonZeroU32::new(340).unwrap())
        .start(Point::new(20.0, 250.0))
}

/// What a job on a picture of 680 by 300 pixels comes to, and what was sent for it but the picture.
async fn solved(builder: OmocaptchaBuilder, replies: [&str; 2]) -> (String, Value) {
    let transport = ScriptedTransport::new(replies.map(Reply::json));
    let solver = builder.transport(transport.clone()).build().unwrap();
    let solution = solver.solve(&challenge_sized(680, 300)).await.unwrap();
    let mut sent = transport.sent()[0].json();
    for at in ["/data/image_base64", "/task/imageBase64", "/task/queries/0"] {
        if let Some(picture) = sent.pointer_mut(at) {
            assert!(picture.as_str().unwrap().starts_with("R0lGOD"), "{sent}");
            *picture = "PICTURE".into();
        }
    }
    (solution.drag().to_string(), sent)
}

#[tokio::test(start_paused = true)]
async fn a_v1_slider_goes_as_far_as_the_answer_says_in_its_view() {
    let replies = [
        r#"{"error": false, "job_id": 1}"#,
        r#"{"error": false, "status": "success", "result": "50.25"}"#,
    ];
    let (drag, sent) = solved(slider(ApiVersion::V1, "21"), replies).await;
    // Twice as far: the picture is sent twice as wide as it is shown.
    assert_eq!(drag, "20,250 -> 120.5,250");
    let data = json!({"type_job_id": "21", "image_base64": "PICTURE", "width_view": 340});
    assert_eq!(sent["data"], data);
}

#[tokio::test(start_paused = true)]
async fn a_v2_slider_goes_as_far_as_the_answer_says_in_its_view() {
    let replies = [
        r#"{"errorId": 0, "taskId": "49f9f60a"}"#,
        r#"{"errorId": 0, "status": "ready", "solution": {"end": {"x": 150}}}"#,
    ];
    for task_type in ["TiktokSliderWebTask", "SliderAllWebTask"] {
        let (drag, sent) = solved(slider(ApiVersion::V2, task_type), replies).await;
        assert_eq!(drag, "20,250 -> 320,250");
        let task = json!({"type": task_type, "imageBase64": "PICTURE", "widthView": 340});
        assert_eq!(sent["task"], task);
    }
}

#[tokio::test(start_paused = true)]
async fn a_piece_goes_to_the_centre_of_its_gap() {
    let replies = [
        r#"{"errorId": 0, "taskId": "49f9f60a"}"#,
        r#"{"errorId": 0, "status": "ready",
            "solution": {"rects": [{"x": 237, "y": 70, "w": 53, "h": 47}]}}"#,
    ];
    let (drag, _) = solved(slider(ApiVersion::V2, "SliderAllWebTask"), replies).await;
    assert_eq!(drag, "20,250 -> 527,250");
}

#[tokio::test(start_paused = true)]
async fn a_screenshot_of_hcaptcha_is_bought_as_one() {
    let replies = [
        r#"{"errorId": 0, "taskId": "49f9f60a"}"#,
        r#"{"errorId": 0, "status": "ready",
            "solution": {"type": "drag", "box": [{"start": [446, 200], "end": [100, 224]}]}}"#,
    ];
    let builder = Omocaptcha::builder().token("YOUR_API_KEY");
    let builder = builder.api_version(ApiVersion::V2);
    let (drag, sent) = solved(builder.job_type("HcaptchaImageTask"), replies).await;
    assert_eq!(drag, "446,200 -> 100,224");
    let task = json!({"type": "HcaptchaImageTask", "queries": ["PICTURE"], "isScreenshot": true});
    assert_eq!(sent["task"], task);
}

#[tokio::test(start_paused = true)]
async fn another_job_type_is_sent_and_read_as_the_phones() {
    let builder = || Omocaptcha::builder().token("YOUR_API_KEY");
    let replies = [
        r#"{"error": false, "job_id": 1}"#,
        r#"{"error": false, "status": "success", "result": "83|100|320|100"}"#,
    ];
    let (drag, sent) = solved(builder().job_type("99"), replies).await;
    assert_eq!(drag, "83,100 -> 320,100");
    let data = json!({"type_job_id": "99", "image_base64": "PICTURE"});
    assert_eq!(sent["data"], data);
    let replies = [
        r#"{"errorId": 0, "taskId": "49f9f60a"}"#,
        r#"{"errorId": 0, "status": "ready",
            "solution": {"start": {"x": 50, "y": 30}, "end": {"x": 100, "y": 70}}}"#,
    ];
    for task_type in ["ZaloSliderPhoneTask", "NewTask"] {
        let builder = builder().api_version(ApiVersion::V2).job_type(task_type);
        let (drag, sent) = solved(builder, replies).await;
        assert_eq!(drag, "50,30 -> 100,70");
        assert_eq!(
            sent["task"],
            json!({"type": task_type, "imageBase64": "PICTURE"})
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_not_on_the_screenshot_buys_nothing() {
    for (version, job_type) in [(ApiVersion::V1, "21"), (ApiVersion::V2, "SliderAllWebTask")] {
        let transport = ScriptedTransport::new([]);
        let builder = slider(version, job_type).transport(transport.clone());
        let solver = builder.build().unwrap();
        let error = solver.solve(&challenge_sized(680, 250)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(error.billed(), Billed::No);
        assert!(error.message().contains("`start`, 20,250"), "{error}");
        assert_eq!(transport.paths().len(), 0);
    }
}
