//! What omocaptcha's clients are told, to the byte.

use bytes::Bytes;
use drag_solver_core::Point;
use drag_solver_wire::{Incoming, Manner, Protocol, Refusal, Reply, Request, Shape, write};

use crate::support::{answer, balance, created, says, solved, text};

/// Of 591 pixels; 237 of them are 136.7 of this view.
const DISTANCE: Shape = Shape::Distance { view_width: 341 };

#[test]
#[rustfmt::skip]
fn omocaptcha_v1() {
    let poll = "/api/getJobResult";
    let decimal = Ok(Reply::Solved(answer((83.4, 559.5), (320.0, 560.0), Shape::Drag)));
    for (target, reply, expected) in [
        ("/api/createJob", created("70000000006"), r#"{"error":false,"job_id":70000000006,"message":"Create job success.","success":true}"#),
        ("/api/createJob", Err(Refusal::BadToken), r#"{"error":true,"message":"Invalid api token.","success":false}"#),
        (poll, Ok(Reply::Running), r#"{"error":false,"result":null,"status":"running","success":true}"#),
        (poll, solved(Shape::Drag), r#"{"error":false,"result":"83|560|320|560","status":"success","success":true}"#),
        (poll, decimal, r#"{"error":false,"result":"83|560|320|560","status":"success","success":true}"#),
        (poll, solved(DISTANCE), r#"{"error":false,"result":"137","status":"success","success":true}"#),
        (poll, Err(Refusal::Unsolvable), r#"{"error":false,"result":null,"status":"fail","success":true}"#),
        (poll, Err(Refusal::NoSuchJob), r#"{"error":true,"message":"Job not found.","status":"fail","success":false}"#),
        ("/api/getBalance", balance("12.34"), r#"{"balance":"12.34000","error":false,"message":"Get balance success.","success":true}"#),
    ] {
        says(Protocol::OmocaptchaV1, target, &reply, expected);
    }
}

#[test]
#[rustfmt::skip]
fn omocaptcha_v2() {
    let poll = "/v2/getTaskResult";
    let mut with_end2 = answer((83.0, 560.0), (320.0, 560.0), Shape::Drag);
    with_end2.drag = with_end2.drag.with_alternative_end(Point::new(1.0, 2.5));
    let uuid = "49f9f60a-c809-4af0-93c0-0409b72e67e0";
    for (target, reply, expected) in [
        ("/v2/createTask", created(uuid), r#"{"errorId":0,"taskId":"49f9f60a-c809-4af0-93c0-0409b72e67e0"}"#),
        (poll, Ok(Reply::Running), r#"{"errorCode":"","errorDescription":"","errorId":0,"status":"processing"}"#),
        (poll, solved(Shape::Drag), r#"{"errorId":0,"solution":{"end":{"x":320,"y":560},"start":{"x":83,"y":560}},"status":"ready"}"#),
        (poll, Ok(Reply::Solved(with_end2)), r#"{"errorId":0,"solution":{"end":{"x":320,"y":560},"end2":{"x":1,"y":2.5},"start":{"x":83,"y":560}},"status":"ready"}"#),
        (poll, solved(DISTANCE), r#"{"errorId":0,"solution":{"end":{"x":137}},"status":"ready"}"#),
        (poll, Err(Refusal::Unsolvable), r#"{"errorCode":"ERROR_JOB_STATUS","errorDescription":"Job failed","errorId":1,"solution":{},"status":"fail"}"#),
        (poll, Err(Refusal::NoSuchJob), r#"{"errorCode":"ERROR_NO_SUCH_CAPCHA_ID","errorDescription":"Job not found.","errorId":16}"#),
        ("/v2/getBalance", balance("345.678"), r#"{"balance":345.678,"errorId":0,"quantity":10000,"voucher_balance":0}"#),
    ] {
        says(Protocol::OmocaptchaV2, target, &reply, expected);
    }
}

fn documented(target: &str) -> Manner {
    let request = Request::new("POST", target, Vec::new(), Bytes::new());
    Incoming::read_documented(&request).unwrap().manner
}

/// As the documents have it, and no friendlier: what a double of a provider sends.
#[test]
fn a_double_says_what_is_documented() {
    let poll = documented("/api/getJobResult");
    let off = Ok(Reply::Solved(answer(
        (83.5, 560.0),
        (2e3, 560.0),
        Shape::Drag,
    )));
    let told = write(Protocol::OmocaptchaV1, poll, &off);
    let expected = r#"{"error":false,"result":"83.5|560|2000|560","status":"success"}"#;
    assert_eq!(text(&told), expected);
    let refused = write(Protocol::OmocaptchaV1, poll, &Err(Refusal::NoSuchJob));
    assert_eq!(
        text(&refused),
        r#"{"error":true,"message":"Job not found."}"#
    );
    for (refusal, status) in [
        (Refusal::NoSuchMethod, 404),
        (Refusal::NotPost, 405),
        (Refusal::OutOfOrder, 503),
    ] {
        let told = write(
            Protocol::TwoCaptcha,
            documented("/2captcha/x"),
            &Err(refusal),
        );
        assert_eq!(told.status, status);
    }
}
