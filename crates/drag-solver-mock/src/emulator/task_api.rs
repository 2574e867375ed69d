//! The envelope of the `createTask` family. Each provider brings its task and its solution.

use drag_solver_core::{JobId, Verdict};
use serde_json::{Value, json};

use super::Step;
use super::protocol::{
    Answer, Call, Order, Protocol, Refusal, Reply, Terms, id_value, job, number,
};
use super::quirks::{Quirk, Quirks};

/// What a provider of the family has of its own.
pub(super) struct TaskDialect {
    /// JSON pointer to the picture.
    pub(super) picture_at: &'static str,
    pub(super) terms: Terms,
    /// Reads the task out of a whole request.
    pub(super) order: fn(&Value) -> Result<Order, Refusal>,
    /// Writes the solution.
    pub(super) solution: fn(&Answer, &Quirks) -> Value,
    /// The methods that report an answer, and what they say of it.
    pub(super) reports: &'static [(&'static str, Verdict)],
    /// The answer that says that the provider gave up.
    pub(super) gave_up: fn() -> Value,
    /// Whether a result says what it cost and when it was made.
    pub(super) tells_cost: bool,
    /// What `getBalance` says besides the balance.
    pub(super) balance_extras: fn() -> Value,
    pub(super) job_id: fn(number: u64, seed: u64, quirks: &Quirks) -> JobId,
}

impl Protocol for TaskDialect {
    fn token_at(&self) -> &'static str {
        "/clientKey"
    }

    fn picture_at(&self) -> &'static str {
        self.picture_at
    }

    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn step(&self, method: &str) -> Option<Step> {
        match method {
            "createTask" => Some(Step::Create),
            "getTaskResult" => Some(Step::Poll),
            "getBalance" => Some(Step::Balance),
            _ => self.verdict(method).map(|_| Step::Report),
        }
    }

    fn call(&self, method: &str, body: &Value) -> Result<Call, Refusal> {
        match self.step(method) {
            Some(Step::Create) => (self.order)(body).map(Call::Create),
            Some(Step::Poll) => job(body, "/taskId").map(|job| Call::Poll { job }),
            Some(Step::Balance) => Ok(Call::Balance),
            _ => {
                let verdict = self.verdict(method).ok_or(Refusal::NoSuchMethod)?;
                job(body, "/taskId").map(|job| Call::Report { job, verdict })
            }
        }
    }

    fn job_id(&self, number: u64, seed: u64, quirks: &Quirks) -> JobId {
        (self.job_id)(number, seed, quirks)
    }

    fn body(&self, reply: &Reply, quirks: &Quirks) -> Value {
        match reply {
            Reply::Created { job } => json!({"errorId": 0, "taskId": id_value(job, quirks)}),
            Reply::CreatedSolved { job, answer } => {
                let mut body = self.ready(answer, quirks);
                body["taskId"] = id_value(job, quirks);
                body
            }
            Reply::Running => json!({
                "errorId": 0, "errorCode": "", "errorDescription": "", "status": running(quirks),
            }),
            Reply::Solved { answer, .. } => self.ready(answer, quirks),
            Reply::GaveUp => (self.gave_up)(),
            Reply::Reported => json!({"errorId": 0, "status": "success"}),
            Reply::Balance(balance) => {
                let mut body = (self.balance_extras)();
                body["errorId"] = 0.into();
                body["balance"] = if quirks.has(Quirk::OtherBalanceType) {
                    balance.to_string().into()
                } else {
                    number(balance.to_f64_lossy())
                };
                body
            }
            Reply::Services { .. } => refused(&Refusal::NoSuchMethod, quirks),
            Reply::Refused(refusal) => refused(refusal, quirks),
        }
    }
}

impl TaskDialect {
    fn verdict(&self, method: &str) -> Option<Verdict> {
        let mut reports = self.reports.iter();
        reports
            .find(|(name, _)| *name == method)
            .map(|(_, verdict)| *verdict)
    }

    fn ready(&self, answer: &Answer, quirks: &Quirks) -> Value {
        let mut body = json!({
            "errorId": 0, "status": "ready", "solution": (self.solution)(answer, quirks),
        });
        if self.tells_cost {
            // Documented as numbers, and shown as a string and a number.
            let (cost, count) = if quirks.has(Quirk::OtherCostType) {
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
}

/// One coordinate, in pixels, as it is sent.
pub(super) fn coordinate(pixels: f64, quirks: &Quirks) -> Value {
    if quirks.has(Quirk::CoordinatesAsStrings) {
        pixels.to_string().into()
    } else {
        number(pixels)
    }
}

/// One coordinate of a click, in pixels: a whole number, as a rule.
pub(super) fn click(pixels: f64, quirks: &Quirks) -> Value {
    if quirks.has(Quirk::DecimalCoordinates) {
        coordinate(pixels, quirks)
    } else {
        coordinate(pixels.round(), quirks)
    }
}

/// The answer of 2Captcha and Anti-Captcha when they give up.
pub(super) fn unsolvable() -> Value {
    json!({
        "errorId": 12,
        "errorCode": "ERROR_CAPTCHA_UNSOLVABLE",
        "errorDescription": "Workers could not solve the captcha.",
    })
}

fn running(quirks: &Quirks) -> &'static str {
    if quirks.has(Quirk::UnknownStatus) {
        "queued"
    } else if quirks.has(Quirk::Idle) {
        "idle"
    } else {
        "processing"
    }
}

fn refused(refusal: &Refusal, quirks: &Quirks) -> Value {
    if quirks.has(Quirk::BareErrors) {
        return json!({"errorId": 1, "errorCode": "", "errorDescription": ""});
    }
    let (id, code, description) = code(refusal);
    json!({
        "errorId": id, "errorCode": format!("ERROR_{code}"), "errorDescription": description,
    })
}

/// The family's number and name for a refusal, and a sentence.
fn code(refusal: &Refusal) -> (u32, &'static str, String) {
    let (id, code, description) = match refusal {
        Refusal::BadToken => (1, "KEY_DOES_NOT_EXIST", "The key is wrong."),
        Refusal::NoMoney => (10, "ZERO_BALANCE", "The balance is too low."),
        Refusal::NoWorker => (2, "NO_SLOT_AVAILABLE", "No worker is free."),
        Refusal::NoSuchMethod => (14, "NO_SUCH_METHOD", "There is no such method."),
        Refusal::NotPost => (14, "NO_SUCH_METHOD", "Send a POST request."),
        Refusal::Malformed(what) => (110, "BAD_PARAMETERS", what.as_str()),
        Refusal::TaskType(kind) => (23, "TASK_NOT_SUPPORTED", kind.as_str()),
        Refusal::PictureEmpty => (3, "ZERO_CAPTCHA_FILESIZE", "The picture is empty."),
        Refusal::PictureTooLarge(why) => (4, "TOO_BIG_CAPTCHA_FILESIZE", why.as_str()),
        Refusal::PictureType(why) => (15, "IMAGE_TYPE_NOT_SUPPORTED", why.as_str()),
        Refusal::InstructionPictureTooLarge => {
            (115, "BAD_IMGINSTRUCTIONS", "At most 100 kB are taken.")
        }
        Refusal::NoSuchJob => (16, "NO_SUCH_CAPCHA_ID", "There is no such task."),
        // The documentation has no code for it.
        Refusal::OutOfOrder => (1, "SERVICE_UNAVAILABLE", "Maintenance, try again later."),
    };
    (id, code, description.to_owned())
}
