//! What a provider's call that an answer is there does, to the instant.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

mod support;

use std::time::Duration;

use drag_solver_core::{DragSolver, ErrorKind, Solution, SolveError};
use drag_solver_http::testing::{Reply, ScriptedTransport};
use drag_solver_http::{ApiResponse, CallbackReceiver, HttpOptions, HttpSolver, NoCallbacks};
use drag_solver_mock::fixtures::challenge;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use crate::support::{CREATED, INTERVAL, SOLVED, resuming, solver};

fn receiver() -> CallbackReceiver {
    CallbackReceiver::new("https://hooks.example.com").unwrap()
}

fn options(receiver: &CallbackReceiver) -> HttpOptions {
    HttpOptions::default().callbacks_to(receiver)
}

/// The address that the latest create request has.
fn callback_url(transport: &ScriptedTransport) -> Option<String> {
    let sent = transport.sent();
    let create = sent.iter().rfind(|sent| sent.request.path() == "create");
    let body = create.unwrap().json();
    body["callback"].as_str().map(str::to_owned)
}

/// Paths that are known.
fn waiting(receiver: &CallbackReceiver) -> String {
    let shown = format!("{receiver:?}");
    shown.split("waiting: ").nth(1).unwrap().to_owned()
}

/// A call of `solve` under way, and when each of its requests was sent, in seconds from the first.
struct Job {
    transport: ScriptedTransport,
    receiver: CallbackReceiver,
    started: Instant,
    solving: JoinHandle<Result<Solution, SolveError>>,
}

impl Job {
    fn start(script: impl IntoIterator<Item = Reply>) -> Self {
        let receiver = receiver();
        let options = options(&receiver);
        Self::start_with(script, receiver, options)
    }

    fn start_with(
        script: impl IntoIterator<Item = Reply>,
        receiver: CallbackReceiver,
        options: HttpOptions,
    ) -> Self {
        let transport = ScriptedTransport::new(script);
        let solver = solver(&transport, options);
        let solving = tokio::spawn(async move { solver.solve(&challenge()).await });
        Self {
            transport,
            receiver,
            started: Instant::now(),
            solving,
        }
    }

    async fn call_at(&self, seconds: f64) {
        sleep_until(self.started + Duration::from_secs_f64(seconds)).await;
        self.receiver
            .receive(&callback_url(&self.transport).unwrap());
    }

    async fn solved(self) -> Vec<f64> {
        self.solving.await.unwrap().unwrap();
        let sent = self.transport.sent();
        let at = sent
            .iter()
            .map(|sent| (sent.at - self.started).as_secs_f64());
        at.collect()
    }
}

fn running() -> Reply {
    Reply::json("{}")
}

#[tokio::test(start_paused = true)]
async fn a_call_fetches_the_answer_at_once() {
    // Before the first poll, and between two.
    let job = Job::start([Reply::json(CREATED), Reply::json(SOLVED)]);
    let receiver = job.receiver.clone();
    job.call_at(0.3).await;
    assert_eq!(waiting(&receiver), "1 }");
    assert_eq!(job.solved().await, [0.0, 0.3]);
    assert_eq!(waiting(&receiver), "0 }");
    let job = Job::start([Reply::json(CREATED), running(), Reply::json(SOLVED)]);
    job.call_at(3.5).await;
    assert_eq!(job.solved().await, [0.0, 2.0, 3.5]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_overtakes_the_response_to_the_create_request_counts() {
    let created = Reply::json(CREATED).after(Duration::from_secs(1));
    let job = Job::start([created, Reply::json(SOLVED)]);
    job.call_at(0.5).await;
    assert_eq!(job.solved().await, [0.0, 1.0]);
}

#[tokio::test(start_paused = true)]
async fn a_forged_call_costs_one_poll_and_no_time_and_a_second_one_nothing() {
    let mut script = vec![Reply::json(CREATED)];
    script.extend([(); 3].map(|()| running()));
    script.push(Reply::json(SOLVED));
    let job = Job::start(script);
    for forged in [0.5, 0.7, 2.5, 3.0] {
        job.call_at(forged).await;
    }
    // The schedule is what it was.
    assert_eq!(job.solved().await, [0.0, 0.5, 2.0, 4.0, 6.0]);
}

#[tokio::test(start_paused = true)]
async fn what_a_forged_call_has_asked_cannot_put_the_schedule_off() {
    // A poll that hangs is ended when the next of the schedule is due,
    let job = Job::start([Reply::json(CREATED), Reply::hang(), Reply::json(SOLVED)]);
    job.call_at(0.5).await;
    assert_eq!(job.solved().await, [0.0, 0.5, 2.0]);
    // or after a second.
    let job = Job::start([Reply::json(CREATED), Reply::hang(), Reply::json(SOLVED)]);
    job.call_at(1.75).await;
    assert_eq!(job.solved().await, [0.0, 1.75, 2.75]);
    // A provider that asks for a pause gets it.
    let busy = r#"{"refused": "slow down", "kind": "rate_limited"}"#;
    let five = Some(Duration::from_secs(5));
    let busy = Reply::response(ApiResponse::new(429, busy).with_retry_after(five));
    let job = Job::start([Reply::json(CREATED), busy, Reply::json(SOLVED)]);
    job.call_at(0.5).await;
    assert_eq!(job.solved().await, [0.0, 0.5, 5.5]);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_know_the_path_causes_nothing() {
    let job = Job::start([Reply::json(CREATED), Reply::json(SOLVED)]);
    sleep(Duration::from_millis(500)).await;
    job.receiver.receive("/00000000000000000000000000000000");
    job.receiver.receive("/");
    assert_eq!(job.solved().await, [0.0, 2.0]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_and_one_that_fails_leave_no_path() {
    let receiver = receiver();
    let script = || [Reply::json(CREATED), running()];
    let job = Job::start_with(script(), receiver.clone(), options(&receiver));
    sleep(Duration::from_secs(3)).await;
    assert_eq!(waiting(&receiver), "1 }");
    job.solving.abort();
    let _ = job.solving.await;
    assert_eq!(waiting(&receiver), "0 }");

    let transport = ScriptedTransport::new([Reply::not_sent()]);
    let solver = solver(&transport, options(&receiver));
    let error = solver.solve(&challenge()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(waiting(&receiver), "0 }");
}

#[tokio::test(start_paused = true)]
async fn a_call_to_a_job_that_has_ended_does_nothing() {
    let job = Job::start([Reply::json(CREATED), Reply::json(SOLVED)]);
    let (receiver, transport) = (job.receiver.clone(), job.transport.clone());
    job.solving.await.unwrap().unwrap();
    receiver.receive(&callback_url(&transport).unwrap());
    sleep(Duration::from_secs(10)).await;
    assert_eq!(transport.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_to_call_where_that_is_not_wanted_or_of_no_use() {
    let receiver = receiver();
    let script = || [Reply::json(CREATED), Reply::json(SOLVED)];
    let off = options(&receiver).callbacks(false);
    for (options, why) in [
        (off, NoCallbacks::SwitchedOff),
        (HttpOptions::default(), NoCallbacks::NoReceiver),
    ] {
        let solver = solver(&ScriptedTransport::new([]), options.clone());
        assert_eq!(solver.callbacks().unwrap_err(), why);
        let job = Job::start_with(script(), receiver.clone(), options);
        let transport = job.transport.clone();
        assert_eq!(job.solved().await, [0.0, 2.0]);
        assert_eq!(callback_url(&transport), None);
    }
    assert_eq!(waiting(&receiver), "0 }");
    // Who resumes a job has no path for it, and polls.
    let transport = ScriptedTransport::new([running(), Reply::json(SOLVED)]);
    let solver = solver(&transport, options(&receiver));
    let called = solver.callbacks().unwrap();
    assert_eq!(called.public_url(), receiver.public_url());
    solver.solve(&resuming([7])).await.unwrap();
    assert_eq!(transport.paths(), ["poll", "poll"]);
    assert_eq!(waiting(&receiver), "0 }");
}

/// A create request, polls that find the job running, and one that finds it done.
fn script(running: usize) -> impl Iterator<Item = Reply> {
    let running = std::iter::repeat_n(Reply::json("{}"), running);
    std::iter::once(Reply::json(CREATED))
        .chain(running)
        .chain([Reply::json(SOLVED)])
}

/// A solver whose provider has called about this many jobs in a row, each done after 1 s, and that
/// continues with `then`.
async fn called_about(
    jobs: usize,
    options: HttpOptions,
    receiver: &CallbackReceiver,
    then: impl IntoIterator<Item = Reply>,
) -> (HttpSolver<support::Api>, ScriptedTransport) {
    let before = (0..jobs).flat_map(|_| script(0));
    let transport = ScriptedTransport::new(before.chain(then));
    let solver = solver(&transport, options);
    for _ in 0..jobs {
        let second = async {
            sleep(Duration::from_secs(1)).await;
            receiver.receive(&callback_url(&transport).unwrap());
        };
        let challenge = challenge();
        let (outcome, ()) = tokio::join!(solver.solve(&challenge), second);
        outcome.unwrap();
    }
    (solver, transport)
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
async fn forged_calls_teach_nothing_about_when_to_ask_first() {
    let receiver = receiver();
    let transport = ScriptedTransport::new((0..17).flat_map(|_| script(2)));
    let solver = solver(&transport, options(&receiver));
    for _ in 0..17 {
        let forged = async {
            sleep(Duration::from_millis(3_500)).await;
            receiver.receive(&callback_url(&transport).unwrap());
        };
        let challenge = challenge();
        let (outcome, ()) = tokio::join!(solver.solve(&challenge), forged);
        outcome.unwrap();
        assert_eq!(polls_of_the_last_job(&transport), [2.0, 3.5, 4.0]);
    }
}

#[tokio::test(start_paused = true)]
async fn polls_are_left_out_once_128_calls_in_a_row_have_come() {
    let receiver = receiver();
    // (The 128th is polled as ever, with all that is known.)
    for (jobs, polls) in [(126, [2.0, 4.0, 6.0].as_slice()), (128, &[8.0, 16.0, 24.0])] {
        let (solver, transport) =
            called_about(jobs, options(&receiver), &receiver, script(2)).await;
        solver.solve(&challenge()).await.unwrap();
        assert_eq!(polls_of_the_last_job(&transport), polls, "{jobs}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_interval_that_was_set_is_kept_however_many_calls_come() {
    let receiver = receiver();
    let options = options(&receiver).poll(INTERVAL);
    let (solver, transport) = called_about(128, options, &receiver, script(2)).await;
    solver.solve(&challenge()).await.unwrap();
    assert_eq!(polls_of_the_last_job(&transport), [2.0, 4.0, 6.0]);
}

#[tokio::test(start_paused = true)]
async fn one_missing_call_brings_the_schedule_back() {
    let receiver = receiver();
    let after = script(0).chain(script(2));
    let (solver, transport) = called_about(128, options(&receiver), &receiver, after).await;
    // Its call is lost: it is found by a poll that comes late, once.
    solver.solve(&challenge()).await.unwrap();
    assert_eq!(polls_of_the_last_job(&transport), [8.0]);
    solver.solve(&challenge()).await.unwrap();
    assert_eq!(polls_of_the_last_job(&transport), [2.0, 4.0, 6.0]);
}

#[tokio::test(start_paused = true)]
async fn a_call_just_behind_the_poll_is_not_missing() {
    let receiver = receiver();
    for (late, polls) in [(200, [8.0, 16.0].as_slice()), (300, &[2.0, 4.0])] {
        let after = script(0).chain(script(1));
        let (solver, transport) = called_about(128, options(&receiver), &receiver, after).await;
        solver.solve(&challenge()).await.unwrap();
        assert_eq!(polls_of_the_last_job(&transport), [8.0]);
        sleep(Duration::from_millis(late)).await;
        receiver.receive(&callback_url(&transport).unwrap());
        solver.solve(&challenge()).await.unwrap();
        assert_eq!(polls_of_the_last_job(&transport), polls, "{late} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn jobs_that_wait_go_back_to_the_schedule_when_another_misses_its_call() {
    let receiver = receiver();
    // The first is created at 0 s, the second at 3 s; the first is found done at 8 s, without a call.
    let then = [
        Reply::json(CREATED),
        Reply::json(CREATED),
        Reply::json(SOLVED),
        Reply::json(SOLVED),
    ];
    let (solver, transport) = called_about(128, options(&receiver), &receiver, then).await;
    let started = Instant::now();
    let second = async {
        sleep(Duration::from_secs(3)).await;
        solver.solve(&challenge()).await
    };
    let challenge = challenge();
    let (one, other) = tokio::join!(solver.solve(&challenge), second);
    one.unwrap();
    other.unwrap();
    let sent = transport.sent();
    let polls = sent
        .iter()
        .rev()
        .take(2)
        .map(|sent| (sent.at - started).as_secs_f64());
    // It would have been polled at 5, 7, 9 s, and relying on its call at 11 s.
    assert_eq!(polls.collect::<Vec<_>>(), [9.0, 8.0]);
}

#[tokio::test(start_paused = true)]
async fn a_forged_call_while_polls_are_left_out_brings_the_schedule_back_for_its_job() {
    let receiver = receiver();
    let (solver, transport) = called_about(128, options(&receiver), &receiver, script(3)).await;
    let forged = async {
        sleep(Duration::from_secs(3)).await;
        receiver.receive(&callback_url(&transport).unwrap());
    };
    let challenge = challenge();
    let (outcome, ()) = tokio::join!(solver.solve(&challenge), forged);
    outcome.unwrap();
    assert_eq!(polls_of_the_last_job(&transport), [3.0, 4.0, 6.0, 8.0]);
}

#[tokio::test(start_paused = true)]
async fn the_last_poll_before_a_deadline_is_never_left_out() {
    let receiver = receiver();
    let (solver, transport) = called_about(128, options(&receiver), &receiver, script(0)).await;
    let urgent = challenge().within(Duration::from_secs(7));
    solver.solve(&urgent).await.unwrap();
    assert_eq!(polls_of_the_last_job(&transport), [6.0]);
}

#[tokio::test(start_paused = true)]
async fn one_job_in_eight_is_polled_as_ever() {
    let receiver = receiver();
    let eight = (0..7).flat_map(|_| script(0)).chain(script(1));
    let (solver, transport) = called_about(128, options(&receiver), &receiver, eight).await;
    for job in 1..=8 {
        let call = async {
            sleep(Duration::from_secs(3)).await;
            receiver.receive(&callback_url(&transport).unwrap());
        };
        let challenge = challenge();
        let (outcome, ()) = tokio::join!(solver.solve(&challenge), call);
        outcome.unwrap();
        let polls: &[f64] = if job < 8 { &[3.0] } else { &[2.0, 3.0] };
        assert_eq!(polls_of_the_last_job(&transport), polls, "{job}");
    }
}
