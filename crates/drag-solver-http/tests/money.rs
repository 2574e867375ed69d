//! What the events say about money: every purchase has one end, with what it cost.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

mod support;

use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{
    Billed, DragSolver, ErrorKind, JobId, PaidJob, Recovery, SolveError, Usd, Verdict,
};
use drag_solver_http::HttpOptions;
use drag_solver_http::testing::{Reply, ScriptedTransport};
use drag_solver_mock::fixtures::challenge;
use tokio::time::Instant;

use crate::support::{CREATED, SOLVED, Told, paid_job, resuming, solve, solver};

const SECOND: Duration = Duration::from_secs(1);

fn usd(text: &str) -> Usd {
    text.parse().unwrap()
}

/// An answer costs $0.001 where the service names no cost.
fn priced() -> HttpOptions {
    HttpOptions::default().price(usd("0.001"))
}

async fn fails(script: impl IntoIterator<Item = Reply>) -> (SolveError, Vec<String>) {
    let (outcome, told) = solve(script, priced(), challenge()).await;
    (outcome.unwrap_err(), told)
}

#[tokio::test(start_paused = true)]
async fn an_answer_costs_what_the_provider_says_or_else_the_price() {
    for (cost, options, expected) in [
        (r#", "cost": "0.0007""#, priced(), Some("0.0007")),
        ("", priced(), Some("0.001")),
        (r#", "cost": "-0.0007""#, priced(), Some("0.001")),
        (r#", "cost": "-0.0007""#, HttpOptions::default(), None),
        ("", HttpOptions::default(), None),
    ] {
        let solved = SOLVED.replace('}', &format!("{cost}}}"));
        let script = [Reply::json(CREATED), Reply::json(solved)];
        let (outcome, told) = solve(script, options, challenge()).await;
        let solution = outcome.unwrap();
        assert_eq!(solution.cost(), expected.map(usd), "{cost}");
        assert_eq!(solution.spent(), expected.map(usd), "{cost}");
        let expected = expected.unwrap_or("unknown");
        let settled = format!("settled 7: billed yes, cost {expected}");
        assert_eq!(told, ["started", "buying", "bought 7", &settled]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_at_once_is_bought_and_settled_with_and_without_an_id() {
    let (outcome, told) = solve([Reply::json(SOLVED)], priced(), challenge()).await;
    assert_eq!(outcome.unwrap().job(), None);
    let settled = "settled no job: billed yes, cost 0.001";
    assert_eq!(told, ["started", "buying", settled]);

    let both = SOLVED.replace('{', r#"{"job": 7, "#);
    let (outcome, told) = solve([Reply::json(both)], priced(), challenge()).await;
    assert_eq!(outcome.unwrap().job(), Some(&JobId::from(7)));
    let settled = "settled 7: billed yes, cost 0.001";
    assert_eq!(told, ["started", "buying", "bought 7", settled]);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_sent_or_was_refused_is_not_bought() {
    for reply in [
        Reply::not_sent(),
        Reply::hang_connecting(),
        Reply::status(503, "<html>"),
        Reply::status(429, "slow down"),
        Reply::json(r#"{"refused": "bad key", "kind": "unauthorized"}"#),
    ] {
        let what = format!("{reply:?}");
        let (error, told) = fails([reply]).await;
        assert_eq!(told, ["started", "buying", "not bought"], "{what}");
        assert_eq!(error.billed(), Billed::No, "{what}");
        assert_eq!(error.spent(), Some(Usd::ZERO), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_purchase_without_a_readable_response_is_settled_at_its_price() {
    for (reply, kind, took) in [
        (Reply::lost().after(SECOND), ErrorKind::Unavailable, 1),
        (Reply::hang(), ErrorKind::Unavailable, 30),
        (Reply::status(500, "<html>"), ErrorKind::Unavailable, 0),
        (Reply::json("OK|7"), ErrorKind::Protocol, 0),
        (Reply::json("{}"), ErrorKind::Protocol, 0),
    ] {
        let what = format!("{reply:?}");
        let (error, told) = fails([reply]).await;
        let settled = "settled no job: billed maybe, cost 0.001";
        assert_eq!(told, ["started", "buying", settled], "{what}");
        assert_eq!((error.kind(), error.billed()), (kind, Billed::Maybe));
        assert_eq!(error.spent(), Some(usd("0.001")), "{what}");
        assert_eq!(error.elapsed(), SECOND * took, "{what}");
        assert!(error.unfinished_jobs().is_empty(), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_failed_is_settled_as_the_provider_bills_it() {
    for (billed, cost) in [("no", "0"), ("maybe", "0.001"), ("yes", "0.001")] {
        let failed = format!(r#"{{"failed": "{billed}"}}"#);
        let (error, told) = fails([Reply::json(CREATED), Reply::json(failed)]).await;
        let settled = format!("settled 7: billed {billed}, cost {cost}");
        assert_eq!(told, ["started", "buying", "bought 7", &settled]);
        assert_eq!(error.billed().as_str(), billed);
        let spent = if billed == "no" { "0" } else { "0.001" };
        assert_eq!(error.spent(), Some(usd(spent)));
        assert_eq!(error.elapsed(), SECOND * 2);
        assert!(error.unfinished_jobs().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_none_is_billed_at_its_own_cost() {
    for (drag, says) in [
        ("[1, 2, 3]", "job 7: not four numbers"),
        ("[83, 560, 591, 560]", "job 7: "),
        ("[83, 560, 83, 560]", "job 7: "),
    ] {
        let solved = format!(r#"{{"drag": {drag}, "cost": "0.0007"}}"#);
        let (error, told) = fails([Reply::json(CREATED), Reply::json(solved)]).await;
        let settled = "settled 7: billed yes, cost 0.0007";
        assert_eq!(told, ["started", "buying", "bought 7", settled]);
        assert_eq!(error.kind(), ErrorKind::InvalidAnswer);
        assert_eq!(error.billed(), Billed::Yes);
        assert_eq!(error.spent(), Some(usd("0.0007")));
        assert!(error.message().starts_with(says), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_prevents_a_purchase() {
    let told = Arc::new(Told::refusing());
    let observed = challenge().with_observer(Arc::clone(&told) as _);
    let transport = ScriptedTransport::default();
    let error = solver(&transport, priced()).solve(&observed).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BudgetExhausted);
    assert_eq!(
        (error.billed(), error.solver()),
        (Billed::No, Some("example"))
    );
    assert_eq!(told.events(), ["started", "buying"]);
    assert!(transport.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_observer_that_writes_until_too_little_time_is_left_prevents_it_too() {
    let told = Arc::new(Told::slow(59 * SECOND));
    let observed = challenge().within(60 * SECOND);
    let observed = observed.with_observer(Arc::clone(&told) as _);
    let transport = ScriptedTransport::default();
    let error = solver(&transport, priced()).solve(&observed).await;
    let error = error.unwrap_err();
    assert_eq!(
        (error.kind(), error.billed()),
        (ErrorKind::DeadlineExceeded, Billed::No)
    );
    assert_eq!(told.events(), ["started", "buying", "not bought"]);
    assert!(transport.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_unfinished_job_has_no_end_and_is_settled_by_the_call_that_resumes_it() {
    let transport = ScriptedTransport::new([Reply::json(CREATED)]).then_always(Reply::json("{}"));
    let solver = solver(&transport, priced().job_timeout(SECOND * 5));
    let (observed, tracker) = challenge().tracked();
    let error = solver.solve(&observed).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.unfinished_jobs(), [paid_job(7)]);
    assert_eq!(error.billed(), Billed::Maybe);
    assert_eq!(error.spent(), Some(usd("0.001")));
    assert_eq!(error.elapsed(), SECOND * 4);
    assert_eq!(error.retry_after(), Some(SECOND * 2));
    assert_eq!(tracker.purchases().open_jobs(), [paid_job(7)]);

    let (outcome, told) = solve([Reply::json(SOLVED)], priced(), resuming([7])).await;
    assert_eq!(outcome.unwrap().job(), Some(&JobId::from(7)));
    let settled = "settled 7: billed yes, cost 0.001";
    assert_eq!(told, ["started", "resumed 7", settled]);
}

#[tokio::test(start_paused = true)]
async fn several_paid_jobs_are_asked_about_in_turn_and_nothing_is_bought() {
    let transport = ScriptedTransport::new([
        Reply::json("{}"),                  // 1
        Reply::json(r#"{"failed": "no"}"#), // 2
        Reply::json("{}"),                  // 3
        Reply::json("{}"),                  // 1
        Reply::json(SOLVED),                // 3
    ]);
    let told = Arc::new(Told::default());
    let observed = resuming([1, 2, 3]).with_observer(Arc::clone(&told) as _);
    let solution = solver(&transport, priced()).solve(&observed).await.unwrap();
    assert_eq!(solution.job(), Some(&JobId::from(3)));
    let asked: Vec<u64> = transport
        .sent()
        .iter()
        .filter_map(|s| s.json()["job"].as_u64())
        .collect();
    assert_eq!(asked, [1, 2, 3, 1, 3]);
    // Never faster than the provider's interval.
    let sent = transport.sent();
    assert!(
        sent.windows(2)
            .all(|two| two[1].at - two[0].at == SECOND * 2)
    );
    assert_eq!(
        told.events(),
        [
            "started",
            "resumed 1",
            "resumed 2",
            "resumed 3",
            "settled 2: billed no, cost 0",
            "settled 3: billed yes, cost 0.001",
        ]
    );
    // What it came to, and what is left.
    let [failed, left] = solution.failed_attempts() else {
        panic!("{solution:?}")
    };
    assert_eq!(
        (failed.kind, failed.billed),
        (ErrorKind::Unsolvable, Billed::No)
    );
    assert_eq!(
        (left.billed, &*left.jobs),
        (Billed::Maybe, &[paid_job(1)][..])
    );
    assert_eq!(solution.spent(), Some(usd("0.002")));
}

#[tokio::test(start_paused = true)]
async fn a_paid_job_without_an_answer_loses_none_of_the_others() {
    let script = [
        Reply::json(r#"{"failed": "yes"}"#),
        Reply::json(r#"{"drag": []}"#),
    ];
    let (outcome, _) = solve(script, priced(), resuming([1, 2])).await;
    let error = outcome.unwrap_err();
    assert!(error.unfinished_jobs().is_empty());
    assert_eq!(error.attempts().len(), 2);
    assert_eq!(error.spent(), Some(usd("0.002")));
    assert_eq!(error.recovery(), Recovery::Retry);

    // Refused while others are open: all are handed back.
    let refused = Reply::json(r#"{"refused": "bad key", "kind": "unauthorized"}"#);
    let script = [Reply::json(r#"{"failed": "no"}"#), refused];
    let (outcome, _) = solve(script, priced(), resuming([1, 2, 3])).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.unfinished_jobs(), [paid_job(2), paid_job(3)]);
    assert_eq!(
        (error.kind(), error.billed()),
        (ErrorKind::Unauthorized, Billed::Maybe)
    );
    assert_eq!(error.spent(), Some(usd("0.002")));

    // Out of time: likewise.
    let transport = ScriptedTransport::default().then_always(Reply::json("{}"));
    let late = resuming([1, 2]).within(SECOND * 5);
    let error = solver(&transport, priced()).solve(&late).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    let mut jobs = error.unfinished_jobs();
    jobs.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(jobs, [paid_job(1), paid_job(2)]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_on_this_side_hands_every_paid_job_back() {
    let transport = ScriptedTransport::default();
    let solver = solver(&transport, priced());
    let elsewhere = PaidJob::new("elsewhere", JobId::from(9));

    let expired = resuming([1, 2]).with_deadline(Instant::now());
    let error = solver.solve(&expired).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(error.unfinished_jobs(), [paid_job(1), paid_job(2)]);

    let too_near = challenge().resume_job(elsewhere.clone()).within(SECOND * 2);
    let error = solver.solve(&too_near).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert!(error.message().contains("nothing was bought"), "{error}");
    assert_eq!(error.unfinished_jobs(), [elsewhere]);
    assert!(transport.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_job_that_was_sent_another_size_of_the_picture_is_handed_back_unread() {
    let transport = ScriptedTransport::default();
    let resumed = resuming([1]);
    let whole = drag_solver_core::Frame::whole(resumed.screenshot());
    let half = drag_solver_core::Frame {
        sent_width: whole.width / 2,
        sent_height: whole.height / 2,
        ..whole
    };
    let solver = solver(&transport, priced());
    let smaller = resumed.with_frame(solver.name(), half);
    let error = solver.solve(&smaller).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidChallenge);
    assert!(error.message().contains("put `fit` around it"), "{error}");
    assert_eq!(error.unfinished_jobs(), [paid_job(1)]);
    assert!(transport.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn time_that_is_up_is_named_by_whose_it_is() {
    // The deadline ends a purchase.
    let near = challenge().within(SECOND * 3);
    let (outcome, told) = solve([Reply::hang()], priced(), near).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    let settled = "settled no job: billed maybe, cost 0.001";
    assert_eq!(told, ["started", "buying", settled]);
    // The job's own timeout does.
    let options = priced().job_timeout(SECOND * 3);
    let (outcome, _) = solve([Reply::hang()], options, challenge()).await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Timeout);
    // Of both, the nearer one; and the deadline if they are the same.
    for (deadline, job, kind, says) in [
        (90, 30, ErrorKind::Timeout, "not done within 30s"),
        (
            30,
            90,
            ErrorKind::DeadlineExceeded,
            "the challenge's deadline leaves no time",
        ),
        (
            30,
            30,
            ErrorKind::DeadlineExceeded,
            "the challenge's deadline leaves no time",
        ),
    ] {
        let options = priced().job_timeout(SECOND * job);
        let running = std::iter::repeat_n(Reply::json("{}"), 60);
        let script = [Reply::json(CREATED)].into_iter().chain(running);
        let within = challenge().within(SECOND * deadline);
        let (outcome, _) = solve(script, options, within).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), kind, "{deadline} {job}");
        assert!(error.message().contains(says), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_poll_begins_at_the_instant_at_which_time_is_up() {
    let transport = ScriptedTransport::new([CREATED, "{}", "{}"].map(Reply::json));
    let begun = Instant::now();
    // Polls would come after 2 s and after 4 s.
    let options = priced().job_timeout(SECOND * 4);
    let error = solver(&transport, options)
        .solve(&challenge())
        .await
        .unwrap_err();
    assert_eq!(transport.paths(), ["create", "poll"]);
    assert_eq!(begun.elapsed(), SECOND * 2, "and nobody waits for it");
    assert_eq!(error.retry_after(), Some(SECOND * 2));
}

#[tokio::test(start_paused = true)]
async fn the_error_tells_the_last_poll_that_says_something_about_the_provider() {
    let page = || Reply::status(404, "<html>");
    for (polls, says) in [
        (vec![page(), Reply::hang()], "with an HTML page"), // cut off by our own time
        (vec![page(), Reply::status(503, "")], "with an empty body"),
        (vec![Reply::status(503, ""), page()], "with an HTML page"),
        (
            vec![Reply::json("{}"), Reply::hang()],
            "no answer within 1.5s",
        ),
    ] {
        let script = [Reply::json(CREATED)].into_iter().chain(polls);
        let options = priced().job_timeout(Duration::from_millis(5_500));
        let (outcome, _) = solve(script, options, challenge()).await;
        let error = outcome.unwrap_err();
        let last = error
            .message()
            .split("; the last poll failed: poll: ")
            .nth(1);
        assert!(
            last.is_some_and(|last| last.ends_with(says)),
            "{says}: {error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_alternative_end_is_kept_if_it_is_on_the_screenshot() {
    for (end, kept) in [
        ("{\"x\": 90, \"y\": 560}", true),
        ("{\"x\": 9000, \"y\": 560}", false),
    ] {
        let solved = SOLVED.replace('}', &format!(", \"end2\": {end}}}"));
        let (outcome, _) = solve([CREATED, &solved].map(Reply::json), priced(), challenge()).await;
        let solution = outcome.unwrap();
        assert_eq!(solution.drag().alternative_end.is_some(), kept);
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_has_a_second_for_each_32_kib_and_a_poll_no_more_than_ten() {
    let transport = ScriptedTransport::new([CREATED, SOLVED].map(Reply::json));
    let options = HttpOptions::default().request_timeout(SECOND * 20);
    let big = challenge().with_instruction("x".repeat(100 * 1024));
    solver(&transport, options).solve(&big).await.unwrap();
    let limits: Vec<_> = transport.sent().iter().map(|sent| sent.limit).collect();
    assert_eq!(limits, [SECOND * 23, SECOND * 10]);
}

#[tokio::test(start_paused = true)]
async fn a_report_and_a_request_beside_a_job_never_cost_anything() {
    let transport = ScriptedTransport::new([
        Reply::json(CREATED),
        Reply::json(SOLVED),
        Reply::json("{}"),
        Reply::lost().after(SECOND),
    ]);
    let solver = solver(&transport, priced());
    let solution = solver.solve(&challenge()).await.unwrap();
    solver.report(&solution, Verdict::Incorrect).await.unwrap();
    let lost = solver.report(&solution, Verdict::Incorrect).await;
    let lost = lost.unwrap_err();
    assert_eq!(
        (lost.kind(), lost.billed()),
        (ErrorKind::Unavailable, Billed::No)
    );
    assert_eq!((lost.elapsed(), lost.spent()), (SECOND, Some(Usd::ZERO)));
    let deaf = solver.report(&solution, Verdict::Correct).await;
    let deaf = deaf.unwrap_err();
    assert_eq!(deaf.kind(), ErrorKind::Unsupported);
    assert_eq!(
        deaf.message(),
        "the provider takes no reports of correct answers"
    );
}
