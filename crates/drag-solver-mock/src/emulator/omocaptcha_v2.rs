//! omocaptcha v2: the `createTask` family with UUIDs for ids. It takes no reports.

use drag_solver_core::{JobId, Point, ScreenshotLimits};
use serde_json::{Value, json};

use super::protocol::{Answer, Order, Refusal, Terms, picture, text};
use super::quirks::Quirks;
use super::random::mix;
use super::task_api::{TaskDialect, coordinate};

const PICTURE: &str = "/task/imageBase64";

const TYPES: [&str; 2] = ["TiktokSliderPhoneTask", "ZaloSliderPhoneTask"];

pub(super) const DIALECT: TaskDialect = TaskDialect {
    picture_at: PICTURE,
    terms: Terms {
        limits: ScreenshotLimits::none(),
        scaled_to: None,
        kept: None,
        refunds: true,
    },
    order,
    solution,
    reports: &[],
    gave_up: || {
        json!({
            "errorId": 1, "errorCode": "ERROR_JOB_STATUS", "errorDescription": "Job failed",
            "status": "fail", "solution": {},
        })
    },
    tells_cost: false,
    balance_extras: || json!({"quantity": 10_000, "voucher_balance": 0}),
    job_id: |number, seed, _| uuid(mix(seed, 2 * number), mix(seed, 2 * number + 1)),
};

fn order(body: &Value) -> Result<Order, Refusal> {
    let kind = text(body, "/task/type")?;
    if !TYPES.contains(&kind) {
        return Err(Refusal::TaskType(kind.to_owned()));
    }
    Ok(Order {
        picture: picture(body, PICTURE)?,
        instruction: None,
    })
}

fn solution(answer: &Answer, quirks: &Quirks) -> Value {
    let point =
        |point: Point| json!({"x": coordinate(point.x, quirks), "y": coordinate(point.y, quirks)});
    let mut solution = json!({"start": point(answer.drag.start), "end": point(answer.drag.end)});
    if let Some(end) = answer.drag.alternative_end {
        solution["end2"] = point(end);
    }
    solution
}

/// A version 4 UUID out of 128 bits.
fn uuid(high: u64, low: u64) -> JobId {
    let digits = format!("{high:016x}{low:016x}");
    let text = format!(
        "{}-{}-4{}-a{}-{}",
        &digits[..8],
        &digits[8..12],
        &digits[13..16],
        &digits[17..20],
        &digits[20..]
    );
    JobId::new(text).unwrap_or_else(|_| JobId::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_that_depend_on_seed_and_number() {
        let id = |number, seed| (DIALECT.job_id)(number, seed, &Quirks::default());
        let text = id(0, 0).to_string();
        let lengths: Vec<usize> = text.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{text}");
        assert_eq!(text.as_bytes()[14], b'4', "{text}");
        assert_ne!(id(0, 0), id(1, 0));
        assert_ne!(id(0, 0), id(0, 1));
        assert_eq!(id(7, 7), id(7, 7));
    }
}
