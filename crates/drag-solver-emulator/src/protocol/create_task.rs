//! The envelope of the `createTask` family. Each provider brings its task and its solution.

use serde_json::{Value, json};

use super::reply::{id, number, running};
use super::{Answer, Quirk, Refusal, Reply};

/// Writes a solution.
pub(super) type Solution = fn(&Answer, &[Quirk]) -> Value;

/// The body of an answer.
pub(super) fn write(reply: &Result<Reply, Refusal>, quirks: &[Quirk], solution: Solution) -> Value {
    let ready =
        |answer| json!({"errorId": 0, "status": "ready", "solution": solution(answer, quirks)});
    match reply {
        Ok(Reply::Created(job, answer)) => {
            let mut body = answer.as_ref().map_or_else(|| json!({"errorId": 0}), ready);
            body["taskId"] = id(job, quirks);
            body
        }
        Ok(Reply::Running) => {
            let status = running(quirks, "processing", (Quirk::Idle, "idle"));
            json!({"errorId": 0, "errorCode": "", "errorDescription": "", "status": status})
        }
        Ok(Reply::Solved(_, answer)) => ready(answer),
        Ok(Reply::Reported) => json!({"errorId": 0, "status": "success"}),
        Ok(Reply::Balance(balance)) if quirks.contains(&Quirk::OtherBalanceType) => {
            json!({"errorId": 0, "balance": balance})
        }
        Ok(Reply::Balance(balance)) => {
            json!({"errorId": 0, "balance": number(balance.to_f64_lossy())})
        }
        Ok(Reply::Services(_)) => refused(&Refusal::NoSuchMethod, quirks),
        Err(refusal) => refused(refusal, quirks),
    }
}

/// As [`write`]; a result says what it cost and when it was made, too.
pub(super) fn write_with_cost(
    reply: &Result<Reply, Refusal>,
    quirks: &[Quirk],
    solution: Solution,
) -> Value {
    let mut body = write(reply, quirks, solution);
    if let Some((_, answer)) = reply.as_ref().ok().and_then(Reply::answer) {
        // Documented as numbers, and shown as a string and a number.
        let (cost, count) = if quirks.contains(&Quirk::OtherCostType) {
            (number(answer.cost.to_f64_lossy()), json!("1"))
        } else {
            (json!(answer.cost), json!(1))
        };
        body["cost"] = cost;
        body["ip"] = "127.0.0.1".into();
        body["createTime"] = answer.created.into();
        body["endTime"] = answer.ended.into();
        body["solveCount"] = count;
    }
    body
}

/// One coordinate, in pixels, as it is sent.
pub(super) fn coordinate(pixels: f64, quirks: &[Quirk]) -> Value {
    if quirks.contains(&Quirk::CoordinatesAsStrings) {
        pixels.to_string().into()
    } else {
        number(pixels)
    }
}

/// One coordinate of a click, in pixels: a whole number, as a rule.
pub(super) fn click(pixels: f64, quirks: &[Quirk]) -> Value {
    let is_whole = !quirks.contains(&Quirk::DecimalCoordinates);
    coordinate(if is_whole { pixels.round() } else { pixels }, quirks)
}

fn refused(refusal: &Refusal, quirks: &[Quirk]) -> Value {
    if quirks.contains(&Quirk::BareErrors) && *refusal != Refusal::Unsolvable {
        return json!({"errorId": 1, "errorCode": "", "errorDescription": ""});
    }
    let (id, code) = code(refusal);
    json!({
        "errorId": id, "errorCode": format!("ERROR_{code}"), "errorDescription": refusal.to_string(),
    })
}

/// The family's number and name for a refusal.
fn code(refusal: &Refusal) -> (u32, &'static str) {
    match refusal {
        Refusal::BadToken => (1, "KEY_DOES_NOT_EXIST"),
        Refusal::NoMoney => (10, "ZERO_BALANCE"),
        Refusal::NoWorker => (2, "NO_SLOT_AVAILABLE"),
        Refusal::NoSuchMethod | Refusal::NotPost => (14, "NO_SUCH_METHOD"),
        Refusal::Malformed(_) => (110, "BAD_PARAMETERS"),
        Refusal::TaskType(_) => (23, "TASK_NOT_SUPPORTED"),
        Refusal::PictureEmpty => (3, "ZERO_CAPTCHA_FILESIZE"),
        Refusal::PictureTooLarge(_) => (4, "TOO_BIG_CAPTCHA_FILESIZE"),
        Refusal::PictureType(_) => (15, "IMAGE_TYPE_NOT_SUPPORTED"),
        Refusal::InstructionPictureTooLarge => (115, "BAD_IMGINSTRUCTIONS"),
        Refusal::NoSuchJob => (16, "NO_SUCH_CAPCHA_ID"),
        Refusal::Unsolvable => (12, "CAPTCHA_UNSOLVABLE"),
        // The documentation has no code for it.
        Refusal::OutOfOrder => (1, "SERVICE_UNAVAILABLE"),
    }
}
