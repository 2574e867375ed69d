//! "Not yet" in the words of an error: a poll costs nothing, so it is asked again.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

mod support;

use drag_solver_core::{Billed, ErrorKind};
use drag_solver_http::HttpOptions;
use drag_solver_http::testing::Reply;
use drag_solver_mock::fixtures::challenge;

use support::{CREATED, SOLVED, paid_job, resuming, solve};

const MISSING: &str = r#"{"missing": true}"#;
const UNEXPLAINED: &str = r#"{"unexplained": "hold your horses"}"#;

fn each() -> [Reply; 5] {
    [
        Reply::json(MISSING),
        Reply::json(UNEXPLAINED),
        Reply::status(409, UNEXPLAINED),
        Reply::status(409, "not yet"),
        Reply::status(404, "<html>"),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_not_there_yet_is_asked_for_again() {
    for not_yet in each() {
        let script = [
            Reply::json(CREATED),
            not_yet.clone(),
            not_yet,
            Reply::json(SOLVED),
        ];
        let (outcome, told) = solve(script, HttpOptions::default(), challenge()).await;
        assert_eq!(outcome.unwrap().job().unwrap().as_str(), "7");
        let settled = "settled 7: billed yes, cost unknown";
        assert_eq!(told, ["started", "buying", "bought 7", settled]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_never_appears_is_named_when_time_is_up() {
    for not_yet in each() {
        let polls = std::iter::repeat_n(not_yet, 60);
        let script = [Reply::json(CREATED)].into_iter().chain(polls);
        let (outcome, told) = solve(script, HttpOptions::default(), challenge()).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(error.billed(), Billed::Maybe);
        assert_eq!(error.unfinished_jobs(), [paid_job(7)]);
        assert_eq!(told, ["started", "buying", "bought 7"], "it has no end yet");
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_of_an_earlier_call_is_gone_when_that_is_said_three_times_in_a_row() {
    let missing = || Reply::json(MISSING);
    let script = [
        missing(),
        missing(),
        Reply::json("{}"),
        missing(),
        missing(),
        missing(),
    ];
    let (outcome, told) = solve(script, HttpOptions::default(), resuming([7])).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert_eq!(
        error.unfinished_jobs(),
        [],
        "there is nothing left to resume"
    );
    let settled = "settled 7: billed maybe, cost unknown";
    assert_eq!(told, ["started", "resumed 7", settled]);
}

#[tokio::test(start_paused = true)]
async fn each_job_of_several_is_counted_by_itself() {
    // Three jobs, none of them there yet when first asked about: 1, 2, 3, then 1 again.
    let missing = || Reply::json(MISSING);
    let script = [missing(), missing(), missing(), Reply::json(SOLVED)];
    let (outcome, _) = solve(script, HttpOptions::default(), resuming([1, 2, 3])).await;
    assert_eq!(outcome.unwrap().job().unwrap().as_str(), "1");

    // One that is gone is given up although another is running all the time.
    let turns = std::iter::repeat_n([missing(), Reply::json("{}")], 30).flatten();
    let (outcome, told) = solve(turns, HttpOptions::default(), resuming([1, 2])).await;
    assert_eq!(outcome.unwrap_err().unfinished_jobs(), [paid_job(2)]);
    let settled = "settled 1: billed maybe, cost unknown".to_owned();
    assert!(told.contains(&settled), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_is_refused_for_now_is_asked_again() {
    for kind in ["rate_limited", "unavailable"] {
        let refused = format!(r#"{{"refused": "not now", "kind": "{kind}"}}"#);
        let script = [CREATED, &refused, &refused, SOLVED].map(Reply::json);
        let (outcome, _) = solve(script, HttpOptions::default(), challenge()).await;
        outcome.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_is_known_to_be_final_names_the_job_at_once() {
    let refused = Reply::json(r#"{"refused": "bad key", "kind": "unauthorized"}"#);
    let (outcome, _) = solve(
        [Reply::json(CREATED), refused],
        HttpOptions::default(),
        challenge(),
    )
    .await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(error.unfinished_jobs(), [paid_job(7)]);
}
