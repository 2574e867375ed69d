//! Anti-Captcha's `ImageToCoordinatesTask`.
//!
//! Pictures: at most 500,000 bytes. A side over 500 px is scaled down for the workers, and the
//! documentation does not say in which scale the answer comes back. Here it comes back in the
//! workers' scale, so that a client that relies on the other is found out. A result is gone, and can
//! no longer be reported, 60 s after it was found. An unsolvable task is charged.

use std::time::Duration;

use drag_solver_core::{Point, ScreenshotLimits, Verdict};
use serde_json::{Value, json};

use super::create_task::{self, click};
use super::{Answer, Format, Quirk, Refusal};

pub(super) const FORMAT: Format = Format {
    reports: &[("reportIncorrectImageCaptcha", Verdict::Incorrect)],
    check,
    limits: ScreenshotLimits::none().with_max_bytes(500_000),
    scaled_to: Some(500),
    result_ttl: Some(Duration::from_secs(60)),
    refunds: false,
    first_id: Some(7_654_321),
    ..Format::new(&["ImageToCoordinatesTask"], |reply, quirks| {
        create_task::write_with_cost(reply, quirks, solution)
    })
};

fn check(body: &Value) -> Result<(), Refusal> {
    match body.pointer("/task/mode") {
        Some(mode) if mode != "points" => Err(Refusal::Malformed(format!(
            "mode {mode} loses the direction of a drag: send \"points\""
        ))),
        _ => Ok(()),
    }
}

fn solution(answer: &Answer, quirks: &[Quirk]) -> Value {
    let point = |point: Point| json!([click(point.x, quirks), click(point.y, quirks)]);
    json!({"coordinates": [point(answer.drag.start), point(answer.drag.end)]})
}

#[cfg(test)]
mod tests {
    use super::super::request::new_job;
    use super::*;

    #[test]
    fn only_pure_base64_and_points_are_taken() {
        let read = |body: &str, mode: &str| {
            let task = json!({"type": "ImageToCoordinatesTask", "body": body, "mode": mode});
            new_job(&FORMAT, &json!({"task": task}))
        };
        assert_eq!(&read("AAEC", "points").unwrap().picture[..], [0, 1, 2]);
        for (body, mode) in [
            ("AAEC", "rectangles"),
            ("data:image/png;base64,AAEC", "points"),
            ("AA\nEC", "points"),
        ] {
            let refusal = read(body, mode).unwrap_err();
            assert!(matches!(refusal, Refusal::Malformed(_)), "{refusal:?}");
        }
    }
}
