//! 2Captcha's `CoordinatesTask`.
//!
//! Pictures: JPEG, PNG, GIF, at most 600 kB and 1000 px a side. An unsolvable task is refunded.

use drag_solver_core::{ImageFormat, Point, ScreenshotLimits, Verdict};
use serde_json::{Value, json};

use super::create_task::{self, click};
use super::request::{base64_of, decode};
use super::{Answer, Format, Quirk, Refusal};

/// Largest picture with instructions for the workers, in bytes.
const MAX_INSTRUCTION_PICTURE: usize = 100_000;

pub(super) const FORMAT: Format = Format {
    reports: &[
        ("reportCorrect", Verdict::Correct),
        ("reportIncorrect", Verdict::Incorrect),
    ],
    takes_data_uris: true,
    check,
    limits: ScreenshotLimits::none()
        .with_max_bytes(600_000)
        .with_max_side(1_000)
        .with_formats(&[ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif]),
    // Above 2^32, as the documentation's own sample.
    first_id: Some(72_345_678_901),
    ..Format::new(&["CoordinatesTask"], |reply, quirks| {
        create_task::write_with_cost(reply, quirks, solution)
    })
};

fn check(body: &Value) -> Result<(), Refusal> {
    let clicks = |name| body.pointer(name).and_then(Value::as_u64);
    let (least, most) = (clicks("/task/minClicks"), clicks("/task/maxClicks"));
    if most.is_some_and(|most| most < 2) || least.is_some_and(|least| least > 2) {
        return Err(Refusal::Malformed("a drag needs exactly two clicks".into()));
    }
    if let Some(Value::String(encoded)) = body.pointer("/task/imgInstructions")
        && decode(base64_of(encoded), "/task/imgInstructions")?.len() > MAX_INSTRUCTION_PICTURE
    {
        return Err(Refusal::InstructionPictureTooLarge);
    }
    Ok(())
}

fn solution(answer: &Answer, quirks: &[Quirk]) -> Value {
    let point = |point: Point| json!({"x": click(point.x, quirks), "y": click(point.y, quirks)});
    json!({"coordinates": [point(answer.drag.start), point(answer.drag.end)]})
}

#[cfg(test)]
mod tests {
    use super::super::request::new_job;
    use super::*;

    #[test]
    fn a_data_uri_is_taken_like_its_base64() {
        for picture in ["AAEC", "data:image/png;base64,AAEC"] {
            let body =
                json!({"task": {"type": "CoordinatesTask", "body": picture, "comment": "c"}});
            let job = new_job(&FORMAT, &body).unwrap();
            assert_eq!(&job.picture[..], [0, 1, 2]);
            assert_eq!(job.instruction.as_deref(), Some("c"));
        }
    }

    #[test]
    fn a_task_that_cannot_be_a_drag_is_refused() {
        let refusal = |task: Value| new_job(&FORMAT, &json!({"task": task})).unwrap_err();
        let one_click = json!({"type": "CoordinatesTask", "body": "AAEC", "maxClicks": 1});
        assert!(matches!(refusal(one_click), Refusal::Malformed(_)));
        let three = json!({"type": "CoordinatesTask", "body": "AAEC", "minClicks": 3});
        assert!(matches!(refusal(three), Refusal::Malformed(_)));
        let other = json!({"type": "GridTask", "body": "AAEC"});
        assert_eq!(refusal(other), Refusal::TaskType("GridTask".into()));
        let empty = json!({"type": "CoordinatesTask", "body": ""});
        assert_eq!(refusal(empty), Refusal::PictureEmpty);
        let hint = "A".repeat(MAX_INSTRUCTION_PICTURE / 3 * 4 + 8);
        let large = json!({"type": "CoordinatesTask", "body": "AAEC", "imgInstructions": hint});
        assert_eq!(refusal(large), Refusal::InstructionPictureTooLarge);
    }
}
