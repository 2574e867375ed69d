//! Anti-Captcha's `ImageToCoordinatesTask`.
//!
//! Pictures: at most 500,000 bytes. A side over 500 px is scaled down for the workers, and the
//! documentation does not say in which scale the answer comes back. Here it comes back in the
//! workers' scale, so that a client that relies on the other is found out. A result is gone, and can
//! no longer be reported, 60 s after it was found. An unsolvable task is charged.

use std::time::Duration;

use drag_solver_core::{Point, ScreenshotLimits, Verdict};
use serde_json::{Value, json};

use super::protocol::{Answer, Order, Refusal, Terms, numeric_id, picture, text};
use super::quirks::Quirks;
use super::task_api::{TaskDialect, click, unsolvable};

const PICTURE: &str = "/task/body";

pub(super) const DIALECT: TaskDialect = TaskDialect {
    picture_at: PICTURE,
    terms: Terms {
        limits: ScreenshotLimits::none().with_max_bytes(500_000),
        scaled_to: Some(500),
        kept: Some(Duration::from_secs(60)),
        refunds: false,
    },
    order,
    solution,
    reports: &[("reportIncorrectImageCaptcha", Verdict::Incorrect)],
    gave_up: unsolvable,
    tells_cost: true,
    balance_extras: || json!({}),
    job_id: |number, seed, quirks| numeric_id(7_654_321, number, seed, quirks),
};

fn order(body: &Value) -> Result<Order, Refusal> {
    let kind = text(body, "/task/type")?;
    if kind != "ImageToCoordinatesTask" {
        return Err(Refusal::TaskType(kind.to_owned()));
    }
    match body.pointer("/task/mode") {
        None => {}
        Some(mode) if mode == "points" => {}
        Some(mode) => {
            let why = format!("mode {mode} loses the direction of a drag: send \"points\"");
            return Err(Refusal::Malformed(why));
        }
    }
    let comment = body.pointer("/task/comment").and_then(Value::as_str);
    Ok(Order {
        picture: picture(body, PICTURE)?,
        instruction: comment.map(str::to_owned),
    })
}

fn solution(answer: &Answer, quirks: &Quirks) -> Value {
    let point = |point: Point| json!([click(point.x, quirks), click(point.y, quirks)]);
    json!({"coordinates": [point(answer.drag.start), point(answer.drag.end)]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pure_base64_and_points_are_taken() {
        let task = |body: &str, mode: &str| json!({"task": {"type": "ImageToCoordinatesTask", "body": body, "mode": mode}});
        assert_eq!(
            &order(&task("AAEC", "points")).unwrap().picture[..],
            [0, 1, 2]
        );
        for (body, mode) in [
            ("AAEC", "rectangles"),
            ("data:image/png;base64,AAEC", "points"),
            ("AA\nEC", "points"),
        ] {
            let refusal = order(&task(body, mode)).unwrap_err();
            assert!(matches!(refusal, Refusal::Malformed(_)), "{refusal:?}");
        }
    }
}
