use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use drag_solver_core::{ErrorKind, Event, Verdict, WorstCase, solver_fn};
use drag_solver_mock::{MockSolver, Outcome};

use super::*;
use crate::DragSolverExt;
use crate::tests::{Named, Script, challenge, error, job, secs};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Inspector for Log {
    fn before(&self, solver: &str, challenge: &DragChallenge) {
        let line = format!("{solver} asked, {:?} left", challenge.remaining());
        self.0.lock().unwrap().push(line);
    }

    fn after(&self, call: &CallInfo<'_>) {
        let how = match call.outcome {
            CallOutcome::Solved(solution) => format!("solved {}", solution.drag()),
            CallOutcome::Failed(error) => format!("failed {}", error.kind()),
            CallOutcome::Dropped => "dropped".to_owned(),
        };
        let line = format!("{} {how} after {:?}", call.solver, call.elapsed);
        self.0.lock().unwrap().push(line);
    }
}

#[tokio::test(start_paused = true)]
async fn every_call_is_seen_before_and_after() {
    let log = Log::default();
    let a = MockSolver::new("a")
        .answers(secs(3))
        .fails(secs(2), error(ErrorKind::Unavailable));
    let seen = a.inspect(log.clone());
    let due = challenge().within(secs(60));
    seen.solve(&due).await.unwrap();
    seen.solve(&due).await.unwrap_err();
    let expected = [
        "a asked, Some(60s) left",
        "a solved 83,560 -> 320,560 after 3s",
        "a asked, Some(57s) left",
        "a failed unavailable after 2s",
    ];
    assert_eq!(log.lines(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_is_seen_once_and_one_never_polled_not_at_all() {
    let log = Log::default();
    let seen = MockSolver::new("a").stalls().inspect(log.clone());
    let challenge = challenge();
    drop(seen.solve(&challenge));
    assert!(log.lines().is_empty());
    let call = tokio::time::timeout(secs(7), seen.solve(&challenge));
    assert!(call.await.is_err());
    assert_eq!(log.lines(), ["a asked, None left", "a dropped after 7s"]);
}

#[tokio::test(start_paused = true)]
async fn a_callback_may_call_back_into_the_chain() {
    // With a lock held across the callback, this would hang or panic.
    let price = drag_solver_core::Usd::from_micros(900);
    let budget = crate::Budget::new(crate::BudgetPolicy::default().total(price * 5));
    let looks = budget.clone();
    let spent = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&spent);
    let chain = MockSolver::new("a")
        .answers(secs(1))
        .inspect(move |_: &CallInfo<'_>| noted.lock().unwrap().push(looks.reserved()))
        .budget(&budget, price);
    chain.solve(&challenge()).await.unwrap();
    assert_eq!(*spent.lock().unwrap(), [price]);
}

#[tokio::test(start_paused = true)]
async fn everything_else_passes_through() {
    let worst = WorstCase::one_purchase().with_time(secs(9));
    let a = MockSolver::new("a").with_worst_case(worst).answers(secs(1));
    let seen = a.clone().inspect(|_: &CallInfo<'_>| {});
    assert_eq!((seen.name(), seen.profile()), ("a", a.profile()));
    assert_eq!(seen.get_ref().name(), "a");
    let solution = seen.solve(&challenge()).await.unwrap();
    seen.report(&solution, Verdict::Correct).await.unwrap();
    assert_eq!(a.heard(), [(solution, Verdict::Correct)]);
}

#[test]
fn it_prints_like_the_code_that_built_it() {
    let seen = Named("a").inspect(|_: &CallInfo<'_>| {});
    assert_eq!(seen.to_string(), "a.inspect(..)");
}

#[tokio::test(start_paused = true)]
async fn what_was_spent_is_known_of_every_outcome_and_of_a_dropped_call_unless_it_is_open() {
    let price = Usd::from_micros(900);
    let wrong = error(ErrorKind::InvalidAnswer)
        .with_billed(Billed::Yes)
        .with_cost(price);
    let a = MockSolver::new("a")
        .with_cost(price)
        .answers(secs(1))
        .fails(secs(1), wrong)
        .then(Outcome::hang());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let spent = Arc::clone(&seen);
    let inspected = a.inspect(move |call: &CallInfo<'_>| {
        let bought = call.purchases().as_slice().len();
        spent.lock().unwrap().push((bought, call.spent()));
    });
    inspected.solve(&challenge()).await.unwrap();
    inspected.solve(&challenge()).await.unwrap_err();
    let challenge = challenge();
    let dropped = tokio::time::timeout(secs(5), inspected.solve(&challenge));
    assert!(dropped.await.is_err());
    drop(inspected.solve(&challenge)); // was never begun
    let expected = [(1, Some(price)), (1, Some(price)), (1, None)];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_with_nothing_open_spent_what_its_ends_say() {
    let spent = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&spent);
    let price = Usd::from_micros(900);
    let told = Arc::new(AtomicBool::new(false));
    let tells = Arc::clone(&told);
    let settled = solver_fn("a", move |challenge| {
        let tells = Arc::clone(&tells);
        async move {
            let solver = "a";
            if tells.load(Ordering::Relaxed) {
                challenge.notify(Event::Buying { solver }).await?;
                let (job, billed, cost) = (None, Billed::Yes, Some(price));
                let end = Event::Settled {
                    solver,
                    job,
                    billed,
                    cost,
                };
                challenge.notify(end).await?;
            }
            std::future::pending().await
        }
    });
    let inspected = settled.inspect(move |call: &CallInfo<'_>| {
        seen.lock().unwrap().push(call.spent());
    });
    let challenge = challenge();
    for tells in [false, true] {
        told.store(tells, Ordering::Relaxed);
        let dropped = tokio::time::timeout(secs(1), inspected.solve(&challenge));
        assert!(dropped.await.is_err());
    }
    assert_eq!(
        *spent.lock().unwrap(),
        [None, Some(price)],
        "a silent one may have bought"
    );
}

#[tokio::test(start_paused = true)]
async fn a_job_that_was_resumed_when_the_call_was_dropped_is_on_the_bill_of_who_bought_it() {
    let spent = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&spent);
    let inspected = MockSolver::new("a")
        .stalls()
        .inspect(move |call: &CallInfo<'_>| *seen.lock().unwrap() = call.spent());
    let challenge = challenge().resume_job(job("a", 7));
    let dropped = tokio::time::timeout(secs(1), inspected.solve(&challenge));
    assert!(dropped.await.is_err());
    assert_eq!(*spent.lock().unwrap(), Some(Usd::ZERO));
}
