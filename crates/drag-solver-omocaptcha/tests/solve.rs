//! Whole jobs, over a scripted transport on a paused clock.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

use std::time::Duration;

use drag_solver_core::DragSolver;
use drag_solver_http::testing::{Reply, ScriptedTransport};
use drag_solver_mock::fixtures::challenge;
use drag_solver_omocaptcha::{ApiVersion, Omocaptcha};
use serde_json::json;

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
