//! When a job is first asked about: as documented, or later once it is known to be of no use before.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

mod support;

use std::time::Duration;

use drag_solver_core::DragSolver;
use drag_solver_http::HttpOptions;
use drag_solver_http::testing::{Reply, ScriptedTransport};
use drag_solver_mock::fixtures::challenge;

use crate::support::{CREATED, INTERVAL, SOLVED, resuming, solver};

/// A create request, and polls that find the job running this often before it is done.
fn job(running: usize) -> impl Iterator<Item = Reply> {
    let running = std::iter::repeat_n(Reply::json("{}"), running);
    let created = std::iter::once(Reply::json(CREATED));
    created.chain(running).chain([Reply::json(SOLVED)])
}

/// Seconds from creating the last job to each of its polls.
fn polls_of_the_last_job(transport: &ScriptedTransport) -> Vec<f64> {
    let sent = transport.sent();
    let created = sent.iter().rposition(|s| s.request.path() == "create");
    let mut sent = sent[created.unwrap()..].iter().map(|sent| sent.at);
    let created = sent.next().unwrap();
    sent.map(|at| (at - created).as_secs_f64()).collect()
}

#[tokio::test(start_paused = true)]
async fn polls_that_never_found_an_answer_are_left_out() {
    let sixteen = (0..16).flat_map(|_| job(3)); // each is done at 8 s
    let transport = ScriptedTransport::new(sixteen.chain(job(1)).chain(job(1)));
    let solver = solver(&transport, HttpOptions::default());
    for _ in 0..16 {
        solver.solve(&challenge()).await.unwrap();
        assert_eq!(polls_of_the_last_job(&transport), [2.0, 4.0, 6.0, 8.0]);
    }
    // Clones have learnt it, too.
    solver.clone().solve(&challenge()).await.unwrap();
    assert_eq!(polls_of_the_last_job(&transport), [6.0, 8.0]);
    // A challenge that cannot wait so long is asked about as documented.
    let urgent = challenge().within(Duration::from_secs(5));
    solver.solve(&urgent).await.unwrap();
    assert_eq!(polls_of_the_last_job(&transport), [2.0, 4.0]);
}

#[tokio::test(start_paused = true)]
async fn jobs_that_were_done_when_first_asked_about_bring_the_documented_wait_back() {
    let sixteen = (0..16).flat_map(|_| job(3));
    let at_once = (0..3).flat_map(|_| job(0));
    let transport = ScriptedTransport::new(sixteen.chain(at_once).chain(job(1)));
    let solver = solver(&transport, HttpOptions::default());
    for _ in 0..19 {
        solver.solve(&challenge()).await.unwrap();
    }
    assert_eq!(polls_of_the_last_job(&transport), [6.0]);
    solver.solve(&challenge()).await.unwrap();
    assert_eq!(polls_of_the_last_job(&transport), [2.0, 4.0]);
}

#[tokio::test(start_paused = true)]
async fn a_resumed_job_teaches_nothing() {
    let sixteen = (0..16).flat_map(|_| job(3));
    let resumed = (0..3).flat_map(|_| job(0).skip(1));
    let transport = ScriptedTransport::new(sixteen.chain(resumed).chain(job(1)));
    let solver = solver(&transport, HttpOptions::default());
    for _ in 0..16 {
        solver.solve(&challenge()).await.unwrap();
    }
    for _ in 0..3 {
        let resumed = resuming([7]);
        solver.solve(&resumed).await.unwrap();
    }
    solver.solve(&challenge()).await.unwrap();
    assert_eq!(polls_of_the_last_job(&transport), [6.0, 8.0]);
}

#[tokio::test(start_paused = true)]
async fn an_interval_that_was_set_is_kept() {
    let seventeen = (0..17).flat_map(|_| job(3));
    let transport = ScriptedTransport::new(seventeen);
    let solver = solver(&transport, HttpOptions::default().poll(INTERVAL));
    for _ in 0..17 {
        solver.solve(&challenge()).await.unwrap();
        assert_eq!(polls_of_the_last_job(&transport), [2.0, 4.0, 6.0, 8.0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_hangs_is_asked_again_long_before_an_upload_would_be() {
    let transport =
        ScriptedTransport::new([Reply::json(CREATED), Reply::hang(), Reply::json(SOLVED)]);
    let solver = solver(&transport, HttpOptions::default());
    solver.solve(&challenge()).await.unwrap();
    assert_eq!(polls_of_the_last_job(&transport), [2.0, 2.0 + 10.0 + 2.0]);
    let limits: Vec<_> = transport.sent().iter().map(|c| c.limit.as_secs()).collect();
    assert_eq!(limits, [30, 10, 10]);
}
