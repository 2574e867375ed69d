use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{Charge, Drag, PaidJob, Point, Progress, ProgressListener, Screenshot};
use tokio::time::Instant;

use super::*;

fn challenge() -> DragChallenge {
    let gif = b"GIF89a\x4f\x02\x7d\x04\x00\x00\x00;".to_vec();
    DragChallenge::new(Screenshot::from_bytes(gif).unwrap())
}

fn drag() -> Drag {
    Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0))
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[derive(Debug, Default)]
struct Heard(Mutex<Vec<String>>);

impl Heard {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl ProgressListener for Heard {
    fn on_progress(&self, progress: &Progress<'_>) {
        let said = match progress {
            Progress::Started { .. } => "started".to_owned(),
            Progress::Buying { .. } => "buying".to_owned(),
            Progress::NotBought { .. } => "not bought".to_owned(),
            Progress::Bought { job, .. } => format!("bought {job}"),
            Progress::Resumed { job, .. } => format!("resumed {job}"),
            Progress::Settled { job, .. } => format!("settled {job}"),
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(said);
    }
}

fn heard() -> (Arc<Heard>, DragChallenge) {
    let heard = Arc::new(Heard::default());
    let challenge = challenge().with_listener(Arc::clone(&heard) as _);
    (heard, challenge)
}

#[tokio::test(start_paused = true)]
async fn the_script_is_taken_in_order_and_its_end_is_an_error_that_says_so() {
    let solver = MockSolver::new("a")
        .then(drag())
        .then(ErrorKind::RateLimited);
    assert!(solver.solve(&challenge()).await.is_ok());
    let error = solver.solve(&challenge()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.provider(), Some("a"));
    let error = solver.solve(&challenge()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("call 3"), "{error}");
    assert!(error.message().contains("2 outcomes"), "{error}");
    assert_eq!(solver.purchases(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_the_script_the_rest_goes_on_for_ever() {
    let solver = MockSolver::new("a")
        .then_times(2, ErrorKind::Unavailable)
        .always_with(|challenge, call| {
            assert_eq!(challenge.screenshot().width(), 591);
            if call == 3 {
                ErrorKind::Unsolvable.into()
            } else {
                drag().into()
            }
        });
    let mut kinds = Vec::new();
    for _ in 0..5 {
        kinds.push(solver.solve(&challenge()).await.err().map(|e| e.kind()));
    }
    assert_eq!(
        kinds,
        [
            Some(ErrorKind::Unavailable),
            Some(ErrorKind::Unavailable),
            Some(ErrorKind::Unsolvable),
            None,
            None
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_takes_exactly_its_latency() {
    let solver = MockSolver::new("a")
        .with_cost(Usd::from_micros(900))
        .then(Outcome::answer(drag()).after(secs(3)));
    let start = Instant::now();
    let solution = solver.solve(&challenge()).await.unwrap();
    assert_eq!(start.elapsed(), secs(3));
    assert_eq!(solution.elapsed(), secs(3));
    assert_eq!(solution.provider(), "a");
    assert_eq!(solution.cost(), Some(Usd::from_micros(900)));
    assert_eq!(solution.job(), Some(&JobId::from(1)));
    assert_eq!(*solution.drag(), drag());
}

#[tokio::test(start_paused = true)]
async fn a_whole_solution_comes_back_as_it_was_given() {
    let given = Solution::new(drag(), "somebody-else").with_elapsed(secs(77));
    let solver = MockSolver::new("a")
        .with_cost(Usd::from_micros(900))
        .then(given.clone());
    assert_eq!(solver.solve(&challenge()).await.unwrap(), given);
}

#[tokio::test(start_paused = true)]
async fn an_answer_on_the_deadline_is_in_time_and_one_after_it_fails_at_the_deadline() {
    let solver = MockSolver::new("a").always(Outcome::answer(drag()).after(secs(3)));
    let start = Instant::now();
    assert!(solver.solve(&challenge().within(secs(3))).await.is_ok());
    let error = solver
        .solve(&challenge().within(Duration::from_millis(2_999)))
        .await
        .unwrap_err();
    assert_eq!(start.elapsed(), Duration::from_millis(5_999));
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(error.charge(), Charge::Unknown);
    assert_eq!(error.unfinished_jobs(), [PaidJob::new("a", JobId::from(2))]);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_call_ends_at_the_deadline_or_never() {
    let solver = MockSolver::new("a").always(Outcome::hang());
    let start = Instant::now();
    let error = solver
        .solve(&challenge().within(secs(60)))
        .await
        .unwrap_err();
    assert_eq!(start.elapsed(), secs(60));
    assert_eq!(error.job(), Some(&JobId::from(1)));
    let endless = tokio::time::timeout(secs(1_000_000), solver.solve(&challenge())).await;
    assert!(endless.is_err());
    assert_eq!(solver.calls()[1].ending, Ending::Dropped);
}

#[tokio::test(start_paused = true)]
async fn an_overstaying_call_ignores_the_deadline() {
    let outcome = Outcome::answer(drag()).after(secs(9)).overstaying();
    let solver = MockSolver::new("a").then(outcome);
    let start = Instant::now();
    assert!(solver.solve(&challenge().within(secs(3))).await.is_ok());
    assert_eq!(start.elapsed(), secs(9));
}

#[tokio::test(start_paused = true)]
async fn an_expired_challenge_takes_no_outcome_and_buys_nothing() {
    let (heard, challenge) = heard();
    let solver = MockSolver::new("a").then(drag());
    let expired = challenge.clone().within(Duration::ZERO);
    let error = solver.solve(&expired).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!((error.charge(), error.job()), (Charge::No, None));
    assert_eq!(heard.take(), ["started"]);
    assert_eq!((solver.remaining_outcomes(), solver.purchases()), (1, 0));

    let paid = expired.resuming(PaidJob::new("a", JobId::from(7)));
    let error = solver.solve(&paid).await.unwrap_err();
    assert_eq!(error.charge(), Charge::Unknown);
    assert_eq!(error.job(), Some(&JobId::from(7)), "it is still paid for");
}

#[tokio::test(start_paused = true)]
async fn progress_is_told_as_a_provider_tells_it() {
    let (heard, challenge) = heard();
    let cases: [(Outcome, &[&str]); 6] = [
        (
            drag().into(),
            &["started", "buying", "bought 1", "settled 1"],
        ),
        (
            ErrorKind::Unsolvable.into(),
            &["started", "buying", "bought 1", "settled 1"],
        ),
        (
            ErrorKind::Timeout.into(),
            &["started", "buying", "bought 1"],
        ),
        (
            ErrorKind::Unavailable.into(),
            &["started", "buying", "not bought"],
        ),
        (ErrorKind::Unauthorized.into(), &["started", "buying"]),
        (
            Outcome::error_with(|| {
                SolveError::new(ErrorKind::Unavailable, "reset").with_charge(Charge::Unknown)
            }),
            &["started", "buying"],
        ),
    ];
    for (outcome, expected) in cases {
        let label = format!("{outcome:?}");
        let _ = MockSolver::new("a").then(outcome).solve(&challenge).await;
        assert_eq!(heard.take(), expected, "{label}");
    }
}

#[tokio::test(start_paused = true)]
async fn errors_say_what_they_cost_by_their_kind() {
    for &kind in ErrorKind::ALL {
        let solver = MockSolver::new("a").then(kind);
        let error = solver.solve(&challenge()).await.unwrap_err();
        let (charge, job, purchases) = match kind {
            ErrorKind::Timeout => (Charge::Unknown, Some(JobId::from(1)), 1),
            ErrorKind::InvalidAnswer => (Charge::Yes, None, 1),
            ErrorKind::Unsolvable => (Charge::No, None, 1),
            _ => (Charge::No, None, 0),
        };
        assert_eq!(error.kind(), kind);
        assert_eq!(error.charge(), charge, "{kind}");
        assert_eq!(error.job(), job.as_ref(), "{kind}");
        assert_eq!(solver.purchases(), purchases, "{kind}");
        let ending = Ending::Failed { kind, charge };
        assert_eq!(solver.calls()[0].ending, ending);
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_error_leaves_behind_can_be_scripted() {
    let solver = MockSolver::new("a")
        .then(Outcome::from(ErrorKind::Unavailable).unfinished())
        .then(Outcome::from(ErrorKind::Timeout).refused())
        .then(Outcome::from(ErrorKind::Protocol).settled())
        .then(Outcome::error_with(|| {
            SolveError::new(ErrorKind::Protocol, "odd")
                .with_provider("deeper")
                .with_job(JobId::from(77))
                .with_charge(Charge::Yes)
        }));
    let mut seen = Vec::new();
    for _ in 0..4 {
        let error = solver.solve(&challenge()).await.unwrap_err();
        seen.push((error.charge(), error.job().cloned(), solver.purchases()));
        if error.job() == Some(&JobId::from(77)) {
            assert_eq!(error.provider(), Some("deeper"));
        }
    }
    assert_eq!(
        seen,
        [
            (Charge::Unknown, Some(JobId::from(1)), 1),
            (Charge::No, None, 1),
            (Charge::No, None, 2),
            (Charge::Yes, Some(JobId::from(77)), 3),
        ]
    );
    assert_eq!(solver.calls()[3].bought, Some(JobId::from(77)));
}

#[tokio::test(start_paused = true)]
async fn resuming_is_no_purchase() {
    let (heard, challenge) = heard();
    let solver = MockSolver::new("a")
        .then(ErrorKind::Timeout)
        .then(ErrorKind::Unavailable)
        .then(drag());
    let error = solver.solve(&challenge).await.unwrap_err();
    let resumed = challenge.resuming(error.unfinished_jobs().remove(0));
    heard.take();

    // A failure on the way does not lose the job.
    let error = solver.solve(&resumed).await.unwrap_err();
    assert_eq!(error.job(), Some(&JobId::from(1)));
    assert_eq!(error.charge(), Charge::Unknown);
    assert_eq!(heard.take(), ["started", "resumed 1"]);

    let solution = solver.solve(&resumed).await.unwrap();
    assert_eq!(solution.job(), Some(&JobId::from(1)));
    assert_eq!(heard.take(), ["started", "resumed 1", "settled 1"]);
    assert_eq!((solver.call_count(), solver.purchases()), (3, 1));
    let call = &solver.calls()[2];
    assert_eq!(
        (&call.resumed, &call.bought),
        (&Some(JobId::from(1)), &None)
    );
}

#[tokio::test(start_paused = true)]
async fn a_job_of_another_name_is_not_resumed() {
    let solver = MockSolver::new("a").then(drag());
    let other = challenge().resuming(PaidJob::new("b", JobId::from(9)));
    let solution = solver.solve(&other).await.unwrap();
    assert_eq!(solution.job(), Some(&JobId::from(1)));
    assert_eq!(solver.purchases(), 1);
}

#[tokio::test(start_paused = true)]
async fn nobody_knows_what_a_deadline_during_the_purchase_cost() {
    let (heard, challenge) = heard();
    let solver = MockSolver::new("a").then(
        Outcome::answer(drag())
            .accepted_after(secs(5))
            .after(secs(8)),
    );
    let start = Instant::now();
    let error = solver.solve(&challenge.within(secs(2))).await.unwrap_err();
    assert_eq!(start.elapsed(), secs(2));
    assert_eq!((error.charge(), error.job()), (Charge::Unknown, None));
    assert_eq!(heard.take(), ["started", "buying"]);
    assert_eq!(solver.purchases(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_job_is_bought_when_it_is_accepted() {
    let (heard, challenge) = heard();
    let solver = MockSolver::new("a").always(
        Outcome::answer(drag())
            .accepted_after(secs(2))
            .after(secs(8)),
    );
    for (dropped_after, purchases) in [(1, 0), (3, 1)] {
        let call = tokio::time::timeout(secs(dropped_after), solver.solve(&challenge));
        assert!(call.await.is_err());
        assert_eq!(solver.purchases(), purchases);
    }
    heard.take();
    let start = Instant::now();
    solver.solve(&challenge).await.unwrap();
    assert_eq!(start.elapsed(), secs(8), "the acceptance is part of it");
}

#[tokio::test(start_paused = true)]
async fn a_free_solver_buys_nothing() {
    let (heard, challenge) = heard();
    let solver = MockSolver::new("a")
        .free()
        .then(drag())
        .then(ErrorKind::Timeout)
        .then(Outcome::hang());
    let challenge = challenge.resuming(PaidJob::new("a", JobId::from(1)));
    assert_eq!(solver.solve(&challenge).await.unwrap().job(), None);
    let error = solver.solve(&challenge).await.unwrap_err();
    assert_eq!((error.charge(), error.job()), (Charge::No, None));
    let error = solver.solve(&challenge.within(secs(1))).await.unwrap_err();
    assert_eq!((error.charge(), error.job()), (Charge::No, None));
    assert_eq!(heard.take(), [""; 0]);
    assert_eq!(solver.purchases(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_log_knows_who_is_in_flight_and_who_left() {
    let solver = MockSolver::new("a").always(Outcome::answer(drag()).after(secs(5)));
    let start = Instant::now();
    let first = tokio::spawn({
        let solver = solver.clone();
        async move { solver.solve(&challenge()).await }
    });
    let second = tokio::time::timeout(secs(2), solver.solve(&challenge())).await;
    assert!(second.is_err());
    assert_eq!((solver.in_flight(), solver.max_in_flight()), (1, 2));
    first.await.unwrap().unwrap();
    assert_eq!((solver.in_flight(), solver.max_in_flight()), (0, 2));

    let calls = solver.calls();
    let dropped = calls.iter().find(|c| c.ending == Ending::Dropped).unwrap();
    assert_eq!(dropped.ended, Some(start + secs(2)));
    let answered = calls.iter().find(|c| c.ending == Ending::Solved).unwrap();
    assert_eq!(answered.ended, Some(start + secs(5)));
    assert_eq!((answered.started, dropped.started), (start, start));
}

#[tokio::test(start_paused = true)]
async fn the_log_has_what_the_challenge_said() {
    let solver = MockSolver::new("a").then(drag());
    let due = Instant::now() + secs(9);
    let region = drag_solver_core::Rect::new(1.0, 2.0, 3.0, 4.0);
    let challenge = challenge()
        .with_instruction("piece to gap")
        .with_region(region)
        .unwrap()
        .with_deadline(due);
    solver.solve(&challenge).await.unwrap();
    let call = solver.calls().remove(0);
    assert_eq!(call.number, 1);
    assert_eq!(call.instruction.as_deref(), Some("piece to gap"));
    assert_eq!(call.region, Some(region));
    assert_eq!(call.deadline, Some(due));
    assert_eq!(call.screenshot, *challenge.screenshot());
    assert_eq!(call.bought, Some(JobId::from(1)));
}

#[tokio::test(start_paused = true)]
async fn without_a_log_the_counters_still_count() {
    let solver = MockSolver::new("a").without_log().always(drag());
    let solution = solver.solve(&challenge()).await.unwrap();
    solver.report(&solution, Verdict::Correct).await.unwrap();
    assert!(solver.calls().is_empty() && solver.reports().is_empty());
    assert_eq!((solver.call_count(), solver.purchases()), (1, 1));
    assert_eq!((solver.in_flight(), solver.max_in_flight()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn reports_are_logged_and_answered_as_told() {
    let solution = Solution::new(drag(), "a");
    let solver = MockSolver::new("a").with_report_latency(secs(4));
    let start = Instant::now();
    solver.report(&solution, Verdict::Incorrect).await.unwrap();
    assert_eq!(start.elapsed(), secs(4));
    assert_eq!(solver.reports()[0].solution, solution);
    assert_eq!(solver.reports()[0].verdict, Verdict::Incorrect);

    let solver = MockSolver::new("a").without_reports();
    let error = solver
        .report(&solution, Verdict::Correct)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.provider(), Some("a"));
    assert_eq!(solver.reports().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn jobs_are_named_by_the_test() {
    let solver = MockSolver::new("a")
        .with_job_ids(|purchase| JobId::new(format!("job-{purchase}")).unwrap())
        .always(drag());
    solver.solve(&challenge()).await.unwrap();
    let solution = solver.solve(&challenge()).await.unwrap();
    assert_eq!(solution.job().unwrap().as_str(), "job-2");
}

#[tokio::test(start_paused = true)]
async fn endless_latencies_are_no_panic() {
    let outcome = Outcome::answer(drag())
        .after(Duration::MAX)
        .accepted_after(Duration::MAX);
    let solver = MockSolver::new("a").then(outcome);
    let error = solver.solve(&challenge().within(secs(1))).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
}

#[test]
fn an_instant_answer_needs_no_runtime() {
    let solver = MockSolver::new("a").then(drag());
    let challenge = challenge();
    let mut call = std::pin::pin!(solver.solve(&challenge));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(call.as_mut().poll(&mut cx).is_ready());
}

#[test]
fn a_callback_may_look_at_the_mock() {
    let solver = MockSolver::new("a");
    let looking = solver.clone();
    let solver = solver.always_with(move |_, call| {
        assert_eq!(looking.call_count(), call);
        drag().into()
    });
    let challenge = challenge();
    let mut call = std::pin::pin!(solver.solve(&challenge));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(call.as_mut().poll(&mut cx).is_ready());
    assert!(format!("{solver:?}").contains("calls: 1"));
}

#[test]
fn the_worst_case_is_what_the_test_says_or_one_attempt_at_its_cost() {
    let cost = Usd::from_micros(900);
    let solver = MockSolver::new("a").with_cost(cost);
    let once = WorstCase::one_attempt().with_cost(cost);
    assert_eq!(solver.worst_case(), once);
    let told = once.with_time(secs(60));
    assert_eq!(solver.with_worst_case(told).worst_case(), told);
}
