//! `in.php` and `res.php`: one text, alone or in JSON.

use serde_json::{Value, json};

use super::code::code;
use super::number::clicks;
use crate::{Answer, Manner, Quirk, Refusal, Reply, Shape};

const NOT_READY: &str = "CAPCHA_NOT_READY";

/// The JSON of a reply.
pub(super) fn json(manner: Manner, reply: &Result<Reply, Refusal>) -> Value {
    let good = |request: Value| json!({"status": 1, "request": request});
    match reply {
        Ok(Reply::Created(job) | Reply::Answered(job, _)) => {
            let id = job.parse::<u64>().ok();
            let is_text = id.is_none() || !manner.has(Quirk::NumericIds);
            good(if is_text { json!(job) } else { json!(id) })
        }
        Ok(Reply::Running) => json!({"status": 0, "request": NOT_READY}),
        Ok(Reply::Solved(answer)) => {
            let request = match answer.shape {
                Shape::End => end(answer, manner).into(),
                _ => clicks(answer, manner)
                    .map(|[x, y]| json!({"x": x.to_string(), "y": y.to_string()}))
                    .to_vec()
                    .into(),
            };
            let mut body = good(request);
            if manner.with_price {
                body["price"] = json!(answer.cost);
            }
            body
        }
        Ok(Reply::Several(_) | Reply::Reported | Reply::Balance(_)) => {
            good(text(manner, reply).into())
        }
        Ok(Reply::Services(_)) => refused(&Refusal::NoSuchMethod),
        Err(refusal) => refused(refusal),
    }
}

fn refused(refusal: &Refusal) -> Value {
    let (.., name) = code(refusal);
    json!({"status": 0, "request": name, "error_text": refusal.to_string()})
}

/// The plain text of a reply.
pub(super) fn text(manner: Manner, reply: &Result<Reply, Refusal>) -> String {
    match reply {
        Ok(Reply::Created(job) | Reply::Answered(job, _)) => format!("OK|{job}"),
        Ok(Reply::Running) => NOT_READY.to_owned(),
        Ok(Reply::Solved(answer)) if manner.with_price => {
            format!("OK|{}|{}", found(answer, manner), answer.cost)
        }
        Ok(Reply::Solved(answer)) => format!("OK|{}", found(answer, manner)),
        Ok(Reply::Several(jobs)) => {
            let texts = jobs.iter().map(|job| match job {
                Ok(Some(answer)) => found(answer, manner),
                Ok(None) => NOT_READY.to_owned(),
                Err(refusal) => code(refusal).2.to_owned(),
            });
            texts.collect::<Vec<_>>().join("|")
        }
        Ok(Reply::Reported) => "OK_REPORT_RECORDED".to_owned(),
        Ok(Reply::Balance(balance)) => balance.to_string(),
        Ok(Reply::Services(_)) => code(&Refusal::NoSuchMethod).2.to_owned(),
        Err(refusal) => code(refusal).2.to_owned(),
    }
}

fn found(answer: &Answer, manner: Manner) -> String {
    if answer.shape == Shape::End {
        return end(answer, manner);
    }
    let prefix = if manner.has(Quirk::SingularPrefix) {
        "coordinate"
    } else {
        "coordinates"
    };
    let [start, end] = clicks(answer, manner).map(|[x, y]| format!("x={x},y={y}"));
    format!("{prefix}:{start};{end}")
}

/// Where the one piece goes.
fn end(answer: &Answer, manner: Manner) -> String {
    let [_, [x, y]] = clicks(answer, manner);
    format!("{x},{y}")
}
