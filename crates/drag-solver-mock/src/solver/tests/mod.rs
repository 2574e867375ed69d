mod log;
mod money;

use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{Billed, Event, JobId, Observer, PaidJob};
use tokio::time::Instant;

use super::*;
use crate::fixtures::{challenge, drag};

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

#[async_trait]
impl Observer for Heard {
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
        // As a store does: what the solver says next must wait for it.
        tokio::task::yield_now().await;
        let said = match event {
            Event::Started { .. } => "started".to_owned(),
            Event::Buying { .. } => "buying".to_owned(),
            Event::NotBought { .. } => "not bought".to_owned(),
            Event::Bought { job, .. } => format!("bought {job}"),
            Event::Resumed { job, .. } => format!("resumed {job}"),
            Event::Settled {
                job, billed, cost, ..
            } => {
                let job = job.map_or("none", JobId::as_str);
                let cost = cost.map_or(String::new(), |cost| format!(" ${cost}"));
                format!("settled {job} {billed}{cost}")
            }
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(said);
        Ok(())
    }
}

fn heard() -> (Arc<Heard>, DragChallenge) {
    let heard = Arc::new(Heard::default());
    let challenge = challenge().with_observer(Arc::clone(&heard) as _);
    (heard, challenge)
}

fn job(id: u64) -> PaidJob {
    PaidJob::new("a", JobId::from(id))
}

/// What an error says of money.
fn bill(error: &SolveError) -> (Billed, Vec<PaidJob>) {
    (error.billed(), error.unfinished_jobs())
}

#[tokio::test(start_paused = true)]
async fn the_script_is_taken_in_order_and_its_end_is_an_error_that_says_so() {
    let solver = MockSolver::new("a")
        .then(drag())
        .then(ErrorKind::RateLimited);
    assert!(solver.solve(&challenge()).await.is_ok());
    let error = solver.solve(&challenge()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.solver(), Some("a"));
    let error = solver.solve(&challenge()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("call 3"), "{error}");
    assert!(error.message().contains("2 outcomes"), "{error}");
    assert_eq!(solver.purchases(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_the_script_always_holds() {
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
    assert_eq!(solution.solver(), "a");
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
    assert_eq!(bill(&error), (Billed::Maybe, vec![job(2)]));
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
    assert_eq!(bill(&error), (Billed::Maybe, vec![job(1)]));
    let endless = tokio::time::timeout(secs(1_000_000), solver.solve(&challenge())).await;
    assert!(endless.is_err());
    assert_eq!(solver.calls()[1].status, CallStatus::Dropped);
}

#[tokio::test(start_paused = true)]
async fn a_call_may_ignore_the_deadline() {
    let outcome = Outcome::answer(drag()).after(secs(9)).ignoring_deadline();
    let solver = MockSolver::new("a").then(outcome);
    let start = Instant::now();
    assert!(solver.solve(&challenge().within(secs(3))).await.is_ok());
    assert_eq!(start.elapsed(), secs(9));
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
