//! What is counted and timed, with the crate `metrics`. Labels have few values each, and clients cannot add any.

use std::time::Duration;

use drag_solver_wire::{Incoming, Refusal, Reply};
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

const REQUESTS: &str = "drag_solver_gateway_requests_total";
const OPEN_JOBS: &str = "drag_solver_gateway_open_jobs";
const JOB_SECONDS: &str = "drag_solver_gateway_job_seconds";
const WRONG_KEYS: &str = "drag_solver_gateway_wrong_keys_total";

/// Describes the gateway's metrics to the recorder that is installed.
pub fn describe_metrics() {
    let about = "Requests of clients, by protocol, what they ask for, and what they were told";
    describe_counter!(REQUESTS, Unit::Count, about);
    describe_gauge!(
        OPEN_JOBS,
        Unit::Count,
        "Jobs that are accepted and not ended"
    );
    describe_histogram!(
        JOB_SECONDS,
        Unit::Seconds,
        "From a job's acceptance to its end, by outcome"
    );
    describe_counter!(
        WRONG_KEYS,
        Unit::Count,
        "Requests with a key that opens nothing"
    );
}

/// A request in one of the protocols of published clients.
pub(crate) fn request(incoming: &Incoming, outcome: &'static str) {
    counter!(
        REQUESTS,
        "protocol" => incoming.protocol.as_str(),
        "operation" => incoming.operation.to_string(),
        "outcome" => outcome,
    )
    .increment(1);
}

/// What a client is told, in one word.
pub(crate) fn outcome(reply: &Result<Reply, Refusal>) -> &'static str {
    match reply {
        Ok(Reply::Running) => "not_yet",
        Ok(_) => "ok",
        Err(refusal) => reason(refusal),
    }
}

/// A request of the gateway's own API, by its route and the status of its response.
pub(crate) fn own_request(route: &str, status: &str) {
    counter!(REQUESTS, "protocol" => "own", "operation" => route.to_owned(), "outcome" => status.to_owned())
        .increment(1);
}

pub(crate) fn wrong_key() {
    counter!(WRONG_KEYS).increment(1);
}

#[allow(clippy::cast_precision_loss)] // there are not that many
pub(crate) fn open_jobs(open: usize) {
    gauge!(OPEN_JOBS).set(open as f64);
}

pub(crate) fn job_ended(outcome: &'static str, took: Duration) {
    histogram!(JOB_SECONDS, "outcome" => outcome).record(took);
}

/// A refusal in one word.
fn reason(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::BadToken => "bad_key",
        Refusal::NoMoney => "no_money",
        Refusal::NoWorker => "busy",
        Refusal::Draining => "stopping",
        Refusal::OutOfOrder => "out_of_order",
        Refusal::Unsolvable => "unsolvable",
        Refusal::NoSuchJob | Refusal::BadId => "unknown_id",
        Refusal::PictureEmpty | Refusal::PictureTooLarge(_) | Refusal::PictureType(_) => {
            "bad_picture"
        }
        Refusal::TaskType(_) | Refusal::TaskAbsent => "unsupported",
        Refusal::NoSuchMethod | Refusal::NotPost | Refusal::BadAction => "no_such_method",
        _ => "bad_request",
    }
}
