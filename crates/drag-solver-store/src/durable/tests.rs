use std::sync::{LazyLock, Mutex};

use drag_solver_combinators::{DragSolverExt as _, RetryPolicy};
use drag_solver_core::{JobId, Observer, PaidJob, Rect, Usd, solver_fn};
use drag_solver_mock::{MockSolver, Outcome, contract, fixtures};

use super::*;
use crate::failing_store::Failing;
use crate::{
    Accepted, Clock, PurchaseRecord, PurchaseState, Query, SqliteStore, StatusKind, Store as _,
    StoreExt as _,
};
use jiff::Timestamp;

fn store() -> SqliteStore {
    SqliteStore::in_memory(Clock::tokio(Timestamp::UNIX_EPOCH)).unwrap()
}

fn order() -> DragChallenge {
    fixtures::challenge().with_id("order")
}

async fn on_record(store: &SqliteStore) -> ChallengeRecord {
    let found = store.find_with_picture("order").await;
    found.unwrap().unwrap()
}

fn answers_after(seconds: u64) -> Outcome {
    Outcome::answer(fixtures::drag()).after(Duration::from_secs(seconds))
}

#[tokio::test(start_paused = true)]
async fn the_same_id_again_gets_the_answer_on_record_and_buys_nothing() {
    let (store, mock) = (store(), MockSolver::new("a").always(answers_after(3)));
    let solver = mock.clone().durable(&store);
    let first = solver.solve(&order()).await.unwrap();
    let again = solver.solve(&order()).await.unwrap();
    assert_eq!(first, again);
    assert_eq!((mock.calls().len(), mock.purchases()), (1, 1));
    let record = on_record(&store).await;
    assert!(matches!(record.status, Status::Solved { .. }));
    assert_eq!(record.purchases.len(), 1);
    assert_eq!(record.purchases[0].state, PurchaseState::Settled);
    assert_eq!(record.purchases[0].billed, Billed::Yes);
    assert!(record.picture.is_none(), "no job needs it any more");
}

#[tokio::test(start_paused = true)]
async fn the_same_id_with_another_picture_is_refused_and_nothing_is_sent() {
    let (store, mock) = (store(), MockSolver::new("a").always(answers_after(3)));
    let solver = mock.clone().durable(&store);
    solver.solve(&order()).await.unwrap();
    let job = PaidJob::new("a", JobId::from(9));
    let other = fixtures::challenge_sized(10, 10).with_id("order");
    let error = solver
        .solve(&other.resume_job(job.clone()))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidChallenge);
    assert_eq!(error.unfinished_jobs(), [job]);
    assert_eq!(mock.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_paid_for_is_fetched_by_the_next_call_with_the_region_it_was_bought_with() {
    let (store, region) = (store(), Rect::new(1.0, 2.0, 300.0, 400.0));
    let slow = MockSolver::new("a").always(answers_after(100));
    let hasty = order()
        .with_region(region)
        .unwrap()
        .within(Duration::from_secs(5));
    let error = slow.durable(&store).solve(&hasty).await.unwrap_err();
    assert_eq!(error.unfinished_jobs().len(), 1);
    let record = on_record(&store).await;
    assert_eq!(
        record.open_jobs().collect::<Vec<_>>(),
        error.unfinished_jobs()
    );
    assert!(record.picture.is_some(), "the job needs it");
    assert!(record.deadline.is_some());

    let restarted = MockSolver::new("a").always(answers_after(1));
    let later = restarted.clone().durable(&store);
    let solution = later.solve(&order()).await.unwrap();
    assert_eq!(solution.job(), Some(&error.unfinished_jobs()[0].id));
    assert_eq!(restarted.purchases(), 0);
    let heard = restarted.calls().remove(0).challenge;
    assert_eq!(heard.region(), Some(region));
    let whole = Frame::whole(heard.screenshot());
    assert_eq!(heard.frame_of("a"), Some(whole), "it was sent as it is");
}

#[tokio::test(start_paused = true)]
async fn a_failed_call_is_no_answer_and_the_next_one_buys() {
    let store = store();
    let mock = MockSolver::new("a")
        .then(ErrorKind::Unsolvable)
        .always(answers_after(1));
    let solver = mock.durable(&store);
    let error = solver.solve(&order()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsolvable);
    let record = on_record(&store).await;
    assert!(
        matches!(&record.status, Status::Failed { error } if error.kind() == ErrorKind::Unsolvable)
    );
    assert!(record.picture.is_none());
    solver.solve(&order()).await.unwrap();
    assert!(on_record(&store).await.unconfirmed().next().is_none());
}

/// A solver whose process is killed between sending a purchase and hearing of it.
fn killed_while_buying() -> impl DragSolver {
    solver_fn("a", |challenge: DragChallenge| async move {
        challenge.notify(Event::Started { solver: "a" }).await?;
        challenge.notify(Event::Buying { solver: "a" }).await?;
        std::future::pending().await
    })
}

async fn dropped(solver: &impl DragSolver, challenge: &DragChallenge) {
    let second = Duration::from_secs(1);
    let ended = tokio::time::timeout(second, solver.solve(challenge)).await;
    assert!(ended.is_err());
}

#[tokio::test(start_paused = true)]
async fn what_may_be_bought_is_not_bought_again_unless_the_policy_says_so() {
    let store = store();
    dropped(&killed_while_buying().durable(&store), &order()).await;
    assert_eq!(on_record(&store).await.unconfirmed().count(), 1);
    let unconfirmed = Query {
        unconfirmed: true,
        ..Query::default()
    };
    assert_eq!(store.list(&unconfirmed).await.unwrap().len(), 1);

    let mock = MockSolver::new("a").always(answers_after(1));
    let solver = mock.clone().durable(&store);
    for _ in 0..2 {
        let error = solver.solve(&order()).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.billed()),
            (ErrorKind::Unconfirmed, Billed::Maybe)
        );
        assert!(
            error.message().contains("from a was never heard"),
            "{error}"
        );
        let record = on_record(&store).await;
        assert!(
            matches!(&record.status, Status::Failed { error: known } if known.kind() == error.kind())
        );
        assert!(record.picture.is_none(), "the caller has it");
    }
    assert_eq!(mock.calls().len(), 0);
    let bold = solver.with_policy(DurablePolicy::default().buy_unconfirmed(true));
    bold.solve(&order()).await.unwrap();
    assert_eq!(mock.purchases(), 1);
    let record = on_record(&store).await;
    assert_eq!(record.unconfirmed().count(), 1, "it is still to be listed");
}

#[tokio::test(start_paused = true)]
async fn where_something_may_be_bought_a_paid_job_is_fetched_and_nothing_else_is_bought() {
    let store = store();
    let two = solver_fn("a", |challenge: DragChallenge| async move {
        challenge.notify(Event::Buying { solver: "a" }).await?;
        let job = &JobId::from(7);
        challenge.notify(Event::Bought { solver: "a", job }).await?;
        challenge.notify(Event::Buying { solver: "b" }).await?;
        std::future::pending().await
    });
    dropped(&two.durable(&store), &order()).await;
    // Its job has failed, and it would buy another.
    let mock = MockSolver::new("a")
        .then(ErrorKind::Unsolvable)
        .always(answers_after(1));
    let retrying = mock.clone().retry(RetryPolicy::default());
    let error = retrying.durable(&store).solve(&order()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unconfirmed);
    assert_eq!(mock.purchases(), 0);
    assert_eq!(
        mock.calls()[0].challenge.paid_jobs_of("a").next(),
        Some(&JobId::from(7))
    );
}

#[tokio::test(start_paused = true)]
async fn one_call_at_a_time_has_a_challenge_and_the_others_get_its_answer() {
    let (store, mock) = (store(), MockSolver::new("a").always(answers_after(3)));
    let solver = mock.clone().durable(&store);
    let begun = Instant::now();
    let challenge = order();
    let calls = (0..20).map(|_| solver.solve(&challenge));
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(mock.purchases(), 1);
    assert!(begun.elapsed() <= Duration::from_secs(3) + LOOK_AGAIN.1);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_another_call_says_so_and_keeps_the_deadline() {
    #[derive(Debug, Default)]
    struct Heard(Mutex<Vec<&'static str>>);
    #[async_trait]
    impl Observer for Heard {
        async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
            match event {
                Event::Waiting { reason, .. } => self.0.lock().unwrap().push(reason),
                Event::WaitEnded { .. } => self.0.lock().unwrap().push("it ended"),
                _ => {}
            }
            Ok(())
        }
    }
    let (store, heard) = (store(), Arc::new(Heard::default()));
    let solver = MockSolver::new("a")
        .always(answers_after(30))
        .durable(&store);
    let job = PaidJob::new("b", JobId::from(1));
    let hasty = order()
        .within(Duration::from_secs(2))
        .resume_job(job.clone());
    let hasty = hasty.with_observer(heard.clone());
    let challenge = order();
    let (answer, error) = tokio::join!(solver.solve(&challenge), async {
        let begun = Instant::now();
        let error = solver.solve(&hasty).await.unwrap_err();
        assert!(begun.elapsed() <= Duration::from_secs(2));
        error
    });
    answer.unwrap();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(error.unfinished_jobs(), [job]);
    let heard = heard.0.lock().unwrap();
    assert_eq!(*heard, ["another call that solves it", "it ended"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_gives_its_challenge_back_with_what_it_bought() {
    let store = store();
    let slow = MockSolver::new("a").always(answers_after(100));
    dropped(&slow.clone().durable(&store), &order()).await;
    let record = on_record(&store).await;
    assert!(matches!(record.status, Status::Open { held: false }));
    assert_eq!(record.open_jobs().count(), 1);
    slow.clone().durable(&store).solve(&order()).await.unwrap();
    assert_eq!(slow.purchases(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_challenge_without_an_id_has_its_paid_jobs_on_record() {
    let store = store();
    let slow = MockSolver::new("a")
        .always(answers_after(100))
        .durable(&store);
    let tenants = fixtures::challenge().with_label("tenant");
    for _ in 0..2 {
        let hasty = tenants.clone().within(Duration::from_secs(5));
        slow.solve(&hasty).await.unwrap_err();
    }
    let unfetched = Query {
        unfetched: true,
        pictures: true,
        ..Query::default()
    };
    let records = store.list(&unfetched).await.unwrap();
    assert_eq!(records.len(), 2);
    assert_ne!(records[0].id, records[1].id);
    assert!(records[0].picture.is_some());
    assert_eq!(records[0].label.as_deref(), Some("tenant"));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_the_caller_brought_is_on_record_from_then_on() {
    let store = store();
    let slow = MockSolver::new("a")
        .always(answers_after(100))
        .durable(&store);
    let job = PaidJob::new("a", JobId::from(7));
    let brought = order()
        .resume_job(job.clone())
        .within(Duration::from_secs(5));
    slow.solve(&brought).await.unwrap_err();
    assert_eq!(
        on_record(&store).await.open_jobs().collect::<Vec<_>>(),
        std::slice::from_ref(&job)
    );
    // Once, however often it is brought.
    slow.solve(&order().resume_job(job)).await.unwrap();
    let record = on_record(&store).await;
    assert_eq!(record.purchases.len(), 1);
    assert_eq!(record.purchases[0].state, PurchaseState::Settled);
}

#[tokio::test(start_paused = true)]
async fn a_solver_that_says_nothing_is_on_record_as_one_that_bought() {
    let store = store();
    let silent = solver_fn("silent", |_| async {
        let solution = Solution::new(fixtures::drag(), "silent");
        Ok(solution.with_cost(Usd::from_micros(900)))
    });
    silent.durable(&store).solve(&order()).await.unwrap();
    let record = on_record(&store).await;
    assert_eq!(record.purchases.len(), 1);
    assert_eq!(record.purchases[0].cost, Some(Usd::from_micros(900)));
    let failing = solver_fn("silent", |_| async {
        let error = SolveError::new(ErrorKind::Timeout, "late");
        Err(error.with_unfinished_jobs([PaidJob::new("silent", JobId::from(3))]))
    });
    let other = fixtures::challenge().with_id("other");
    failing.durable(&store).solve(&other).await.unwrap_err();
    let record = store.find("other").await.unwrap().unwrap();
    assert_eq!(record.open_jobs().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_job_on_record_is_there_once_however_often_it_is_refused_or_fetched_in_silence() {
    let store = store();
    let job = PaidJob::new("silent", JobId::from(3));
    let late = job.clone();
    let failing = solver_fn("silent", move |_| {
        let error = SolveError::new(ErrorKind::Timeout, "late");
        let error = error.with_unfinished_jobs([late.clone()]);
        async move { Err(error) }
    });
    for _attempt in 0..3 {
        let failing = failing.clone();
        failing.durable(&store).solve(&order()).await.unwrap_err();
        assert_eq!(
            on_record(&store).await.open_jobs().collect::<Vec<_>>(),
            std::slice::from_ref(&job)
        );
        assert_eq!(on_record(&store).await.purchases.len(), 1);
    }
    // One that hands the jobs back that it was brought, as an open circuit does.
    let refusing = solver_fn("silent", |challenge: DragChallenge| async move {
        Err(challenge.refuse("silent", ErrorKind::CircuitOpen, "not now"))
    });
    refusing.durable(&store).solve(&order()).await.unwrap_err();
    assert_eq!(on_record(&store).await.purchases.len(), 1);
    let fetching = solver_fn("silent", |_| async {
        let solution = Solution::new(fixtures::drag(), "silent");
        Ok(solution
            .with_job(JobId::from(3))
            .with_cost(Usd::from_micros(900)))
    });
    fetching.durable(&store).solve(&order()).await.unwrap();
    let record = on_record(&store).await;
    assert_eq!(record.purchases.len(), 1);
    assert_eq!(record.purchases[0].state, PurchaseState::Settled);
    assert_eq!(record.purchases[0].cost, Some(Usd::from_micros(900)));
}

/// Waits for ever when it hears of a purchase, or of its job.
#[derive(Debug)]
struct Stuck {
    at_buying: bool,
}

#[async_trait]
impl Observer for Stuck {
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
        let is_it = match event {
            Event::Buying { .. } => self.at_buying,
            Event::Bought { .. } => !self.at_buying,
            _ => false,
        };
        if is_it {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_before_its_purchase_is_sent_has_bought_nothing() {
    let store = store();
    let mock = MockSolver::new("a").always(answers_after(1));
    let asked = mock.clone();
    // A budget further in, say, that is still being written.
    let inside = solver_fn("chain", move |challenge: DragChallenge| {
        let asked = asked.clone();
        let challenge = challenge.with_observer(Arc::new(Stuck { at_buying: true }));
        async move { asked.solve(&challenge).await }
    });
    dropped(&inside.durable(&store), &order()).await;
    let record = on_record(&store).await;
    assert_eq!(record.purchases, []);
    assert!(record.picture.is_none());
    mock.clone().durable(&store).solve(&order()).await.unwrap();
    assert_eq!(mock.purchases(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_job_is_on_record_also_if_the_call_is_dropped_while_others_are_told_of_it() {
    let store = store();
    let slow = MockSolver::new("a").always(answers_after(100));
    let stuck = order().with_observer(Arc::new(Stuck { at_buying: false }));
    dropped(&slow.durable(&store), &stuck).await;
    let record = on_record(&store).await;
    assert_eq!(record.open_jobs().count(), 1);
    assert_eq!(record.unconfirmed().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_while_its_purchase_is_put_on_record_has_bought_nothing() {
    let (inner, mock) = (store(), MockSolver::new("a").always(answers_after(0)));
    let hangs = Failing {
        hangs: true,
        ..Failing::new(&inner)
    };
    let solver = mock.clone().durable(&hangs);
    let challenge = order();
    let mut call = Box::pin(solver.solve(&challenge));
    let second = Duration::from_secs(1);
    assert!(tokio::time::timeout(second, &mut call).await.is_err());
    assert_eq!(on_record(&inner).await.unconfirmed().count(), 1);
    drop(call);
    assert_eq!(on_record(&inner).await.purchases, []);
    assert_eq!(mock.purchases(), 0);
    mock.durable(&inner).solve(&order()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_frame_that_a_solver_is_sent_is_on_record_with_its_purchase() {
    let frame = Frame {
        left: 1,
        top: 2,
        width: 30,
        height: 40,
        sent_width: 15,
        sent_height: 20,
    };
    let (solver, job) = ("a", &*SEVEN);
    let fitted = Event::Fitted { solver, frame };
    let bought = while_under_way([fitted, Event::Buying { solver }]).await;
    assert_eq!(bought[0].frame, Some(frame));
    // Also with one of which nothing was told before its job.
    let found = while_under_way([fitted, Event::Bought { solver, job }]).await;
    assert_eq!(found[0].frame, Some(frame));
    let other = Event::Buying { solver: "b" };
    assert_eq!(while_under_way([fitted, other]).await[0].frame, None);
}

#[tokio::test(start_paused = true)]
async fn what_a_silent_solver_bought_has_ended_if_there_was_an_answer_and_not_if_a_job_is_open() {
    let job = PaidJob::new("silent", JobId::from(3));
    let failed = SolveError::new(ErrorKind::Timeout, "late").with_unfinished_jobs([job]);
    let answer = Solution::new(fixtures::drag(), "silent");
    for (outcome, has_ended) in [(Ok(answer), true), (Err(failed), false)] {
        let store = store();
        let silent = solver_fn("silent", move |_| {
            let outcome = outcome.clone();
            async move { outcome }
        });
        let _ = silent.durable(&store).solve(&order()).await;
        let purchases = on_record(&store).await.purchases;
        let ended = purchases[0].ended;
        assert_eq!(ended, has_ended.then_some(Timestamp::UNIX_EPOCH));
    }
}

/// A solver that has bought and fetched, and does not come to pass the answer on.
fn killed_with_the_answer_in_hand(job: Option<JobId>) -> impl DragSolver {
    solver_fn("a", move |challenge: DragChallenge| {
        let job = job.clone();
        async move {
            let (solver, cost) = ("a", Some(Usd::from_micros(900)));
            challenge.notify(Event::Started { solver }).await?;
            challenge.notify(Event::Buying { solver }).await?;
            if let Some(job) = &job {
                challenge.notify(Event::Bought { solver, job }).await?;
            }
            let settled = Event::Settled {
                solver,
                job: job.as_ref(),
                billed: Billed::Yes,
                cost,
            };
            challenge.notify(settled).await?;
            std::future::pending().await
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_job_is_done_with_only_when_its_answer_is_on_record() {
    for (job, open, unconfirmed) in [(Some(JobId::from(7)), 1, 0), (None, 0, 1)] {
        let store = store();
        let solver = killed_with_the_answer_in_hand(job.clone()).durable(&store);
        let challenge = order();
        let mut call = Box::pin(solver.solve(&challenge));
        let second = Duration::from_secs(1);
        assert!(tokio::time::timeout(second, &mut call).await.is_err());
        // What a crash would leave.
        let record = on_record(&store).await;
        assert_eq!(record.open_jobs().count(), open);
        assert_eq!(record.unconfirmed().count(), unconfirmed);
        drop(call);
        let record = on_record(&store).await;
        assert_eq!(record.open_jobs().count(), open, "it can be fetched again");
        assert_eq!(record.unconfirmed().count(), 0);
        if job.is_some() {
            let fetches = MockSolver::new("a").always(answers_after(1));
            fetches
                .clone()
                .durable(&store)
                .solve(&challenge)
                .await
                .unwrap();
            assert_eq!(fetches.purchases(), 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn where_a_provider_names_no_cost_it_is_the_price_of_the_chain() {
    let (store, price) = (store(), Usd::from_micros(900));
    let mock = MockSolver::new("a")
        .then(ErrorKind::InvalidAnswer)
        .always(answers_after(1));
    let chain = mock.priced(price).retry(RetryPolicy::default());
    chain.durable(&store).solve(&order()).await.unwrap();
    let costs: Vec<_> = on_record(&store).await.purchases;
    let costs: Vec<_> = costs.iter().map(|one| (one.billed, one.cost)).collect();
    assert_eq!(costs, [(Billed::Yes, Some(price)); 2]);
}

/// What is on record while a call that says this is under way: what a crash would leave.
async fn while_under_way<const N: usize>(events: [Event<'static>; N]) -> Vec<PurchaseRecord> {
    let store = store();
    let speaks = solver_fn("a", move |challenge: DragChallenge| async move {
        for event in events {
            challenge.notify(event).await?;
        }
        std::future::pending().await
    });
    let (solver, order) = (speaks.durable(&store), order());
    let mut call = Box::pin(solver.solve(&order));
    let second = Duration::from_secs(1);
    assert!(tokio::time::timeout(second, &mut call).await.is_err());
    on_record(&store).await.purchases
}

static SEVEN: LazyLock<JobId> = LazyLock::new(|| JobId::from(7));

#[tokio::test(start_paused = true)]
async fn what_happens_to_a_purchase_is_on_record_when_it_happens() {
    let buying = Event::Buying { solver: "a" };
    let not_bought = Event::NotBought { solver: "a" };
    let (solver, job) = ("a", &*SEVEN);
    let bought = Event::Bought { solver, job };
    let given_up = Event::Settled {
        solver,
        job: Some(job),
        billed: Billed::No,
        cost: None,
    };
    let state = |purchases: Vec<PurchaseRecord>| purchases.first().map(|one| one.state);
    let is = |purchases, expected| assert_eq!(state(purchases), expected);
    is(while_under_way([buying]).await, Some(PurchaseState::Buying));
    is(while_under_way([buying, not_bought]).await, None);
    is(
        while_under_way([buying, bought]).await,
        Some(PurchaseState::Bought),
    );
    let ended = while_under_way([buying, bought, given_up]).await;
    is(ended, Some(PurchaseState::Settled));
}

#[tokio::test(start_paused = true)]
async fn a_cost_below_zero_is_none_and_that_of_each_part_of_an_answer_is_its_own() {
    let store = store();
    let (one, two) = (JobId::from(1), JobId::from(2));
    let part = |solver: &str, job: &JobId, micros| {
        Solution::new(fixtures::drag(), solver)
            .with_job(job.clone())
            .with_cost(Usd::from_micros(micros))
    };
    let parts = vec![part("a", &one, 100), part("b", &two, 200)];
    let agreed = Solution::new(fixtures::drag(), "a|b").with_contributors(parts);
    let quorum = solver_fn("a|b", move |challenge: DragChallenge| {
        let (agreed, jobs) = (agreed.clone(), [("a", one.clone()), ("b", two.clone())]);
        async move {
            for (solver, job) in &jobs {
                challenge.notify(Event::Buying { solver }).await?;
                challenge.notify(Event::Bought { solver, job }).await?;
                let settled = Event::Settled {
                    solver,
                    job: Some(job),
                    billed: Billed::Yes,
                    cost: (*solver == "a").then(|| Usd::from_micros(-5)),
                };
                challenge.notify(settled).await?;
            }
            Ok(agreed)
        }
    });
    quorum.durable(&store).solve(&order()).await.unwrap();
    let mut costs: Vec<_> = on_record(&store).await.purchases;
    costs.sort_by(|one, other| one.solver.cmp(&other.solver));
    let costs: Vec<_> = costs.iter().map(|one| one.cost).collect();
    assert_eq!(
        costs,
        [100, 200].map(|micros| Some(Usd::from_micros(micros)))
    );
}

#[tokio::test(start_paused = true)]
async fn of_two_answers_of_one_solver_each_has_its_own_cost() {
    let store = store();
    let jobs = [1, 2].map(JobId::from);
    let part = |job: usize, micros| {
        Solution::new(fixtures::drag(), "a")
            .with_job(jobs[job].clone())
            .with_cost(Usd::from_micros(micros))
    };
    let parts = vec![part(0, 100), part(1, 200)];
    let agreed = Solution::new(fixtures::drag(), "a|a").with_contributors(parts);
    let twice = solver_fn("a|a", move |challenge: DragChallenge| {
        let (agreed, jobs) = (agreed.clone(), jobs.clone());
        async move {
            for job in &jobs {
                let solver = "a";
                challenge.notify(Event::Buying { solver }).await?;
                challenge.notify(Event::Bought { solver, job }).await?;
                let settled = Event::Settled {
                    solver,
                    job: Some(job),
                    billed: Billed::Yes,
                    cost: None,
                };
                challenge.notify(settled).await?;
            }
            Ok(agreed)
        }
    });
    twice.durable(&store).solve(&order()).await.unwrap();
    let purchases = on_record(&store).await.purchases;
    let cost_of = |id: u64| {
        let mut all = purchases.iter();
        let own = all.find(|one| one.job == Some(JobId::from(id)));
        own.and_then(|one| one.cost)
    };
    assert_eq!(cost_of(1), Some(Usd::from_micros(100)));
    assert_eq!(cost_of(2), Some(Usd::from_micros(200)));
}

#[tokio::test(start_paused = true)]
async fn of_a_solver_that_says_nothing_what_cost_nothing_is_no_purchase() {
    for (billed, purchases) in [(Billed::No, 0), (Billed::Maybe, 1), (Billed::Yes, 1)] {
        let store = store();
        let silent = solver_fn("silent", move |_| async move {
            Err(SolveError::new(ErrorKind::Unsolvable, "never").with_billed(billed))
        });
        silent.durable(&store).solve(&order()).await.unwrap_err();
        assert_eq!(
            on_record(&store).await.purchases.len(),
            purchases,
            "{billed}"
        );
    }
}

async fn accepted(store: &SqliteStore, challenge: &DragChallenge) -> Accepted {
    let opening = Opening::of(challenge, "order", store.now());
    let picture = challenge.screenshot().bytes();
    store.accept(&opening, picture).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_is_accepted_is_on_record_with_its_picture_until_it_has_ended() {
    let (store, mock) = (store(), MockSolver::new("a").always(answers_after(3)));
    let region = Rect::new(1.0, 2.0, 300.0, 400.0);
    let challenge = order().with_label("acme").with_instruction("to the gap");
    let challenge = challenge.with_region(region).unwrap();
    let challenge = challenge.within(Duration::from_secs(60));
    assert!(matches!(accepted(&store, &challenge).await, Accepted::New));
    let Accepted::Known(known) = accepted(&store, &challenge).await else {
        panic!("it is on record already");
    };
    assert!(matches!(known.status, Status::Open { held: false }));
    let other = fixtures::challenge_sized(10, 10);
    assert!(matches!(
        accepted(&store, &other).await,
        Accepted::OtherPicture
    ));

    tokio::time::advance(Duration::from_secs(20)).await;
    let mut open = Query::default();
    (open.status, open.pictures) = (Some(StatusKind::Open), true);
    let listed = store.list(&open).await.unwrap();
    let again = listed[0].challenge(store.now()).unwrap();
    assert_eq!(again.remaining(), Some(Duration::from_secs(40)));
    assert_eq!(again.screenshot().bytes(), challenge.screenshot().bytes());
    assert_eq!(
        (
            again.id(),
            again.label(),
            again.instruction(),
            again.region()
        ),
        (
            Some("order"),
            Some("acme"),
            Some("to the gap"),
            Some(region)
        )
    );

    // A call that is dropped before it has bought anything leaves it as it was.
    let full = solver_fn("full", |_| std::future::pending());
    dropped(&full.durable(&store), &again).await;
    assert!(on_record(&store).await.picture.is_some());
    mock.clone().durable(&store).solve(&again).await.unwrap();
    let record = on_record(&store).await;
    assert!(record.picture.is_none());
    let error = record.challenge(store.now()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidChallenge);
    assert!(matches!(
        accepted(&store, &challenge).await,
        Accepted::Known(record) if matches!(record.status, Status::Solved { .. })
    ));
    assert_eq!(mock.purchases(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_has_failed_can_be_accepted_again_and_one_whose_deadline_passed_has_no_time() {
    let store = store();
    let mock = MockSolver::new("a")
        .then(ErrorKind::Unsolvable)
        .always(answers_after(1));
    let solver = mock.durable(&store);
    let challenge = order().within(Duration::from_secs(60));
    accepted(&store, &challenge).await;
    solver.solve(&challenge).await.unwrap_err();
    assert!(on_record(&store).await.picture.is_none(), "it has ended");
    assert!(matches!(accepted(&store, &challenge).await, Accepted::New));
    tokio::time::advance(Duration::from_secs(61)).await;
    let late = on_record(&store).await.challenge(store.now()).unwrap();
    assert_eq!(late.remaining(), Some(Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_put_on_record_is_not_bought_and_what_is_known_is_served() {
    let (inner, mock) = (store(), MockSolver::new("a").always(answers_after(10)));
    let broken = |take_up, purchases| Failing {
        take_up,
        purchases,
        ..Failing::new(&inner)
    };
    for store in [broken(true, true), broken(false, true)] {
        let finished = u32::from(!store.take_up);
        let error = mock
            .clone()
            .durable(&store)
            .solve(&order())
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.billed()),
            (ErrorKind::NotRecorded, Billed::No)
        );
        assert!(error.message().contains("the disk is full"), "{error}");
        assert_eq!(
            store.facts(),
            finished,
            "of what was refused nothing is to be written"
        );
    }
    assert_eq!(mock.purchases(), 0);

    // Paid for while it could be written, fetched while it cannot.
    let hasty = order().within(Duration::from_secs(5));
    let working = mock.clone().durable(&broken(false, false));
    working.solve(&hasty).await.unwrap_err();
    let full = mock.clone().durable(&broken(true, true));
    let fetched = full.solve(&order()).await.unwrap();
    assert_eq!(mock.purchases(), 1);

    working.solve(&order()).await.unwrap();
    let calls = mock.calls().len();
    assert_eq!(full.solve(&order()).await.unwrap().drag(), fetched.drag());
    assert_eq!(mock.calls().len(), calls, "the answer is on record");
}

#[tokio::test(start_paused = true)]
async fn while_it_cannot_be_written_only_what_is_paid_for_and_held_by_no_other_call_is_fetched() {
    let mock = MockSolver::new("a")
        .then(ErrorKind::Unsolvable)
        .always(answers_after(10));
    let inner = store();
    let working = mock.clone().durable(&inner);
    let full = mock.clone().durable(&Failing {
        take_up: true,
        purchases: true,
        ..Failing::new(&inner)
    });
    working.solve(&order()).await.unwrap_err();
    let nothing_to_fetch = full.solve(&order()).await.unwrap_err();
    assert_eq!(nothing_to_fetch.kind(), ErrorKind::NotRecorded);
    assert_eq!(mock.calls().len(), 1);

    let order = order();
    let while_it_works = async {
        sleep(Duration::from_secs(5)).await;
        full.solve(&order).await.unwrap_err()
    };
    let (answer, held) = tokio::join!(working.solve(&order), while_it_works);
    answer.unwrap();
    assert_eq!(held.kind(), ErrorKind::NotRecorded);

    let other = fixtures::challenge_sized(10, 10).with_id("order");
    let other_picture = full.solve(&other).await.unwrap_err();
    assert_eq!(other_picture.kind(), ErrorKind::InvalidChallenge);
    assert_eq!(mock.calls().len(), 2);
}

#[test]
fn a_claim_that_is_lost_is_no_store_that_cannot_be_written() {
    let message = |kind| {
        let error = StoreError::new(kind, "why");
        not_recorded(&order(), "a", &error).message().to_owned()
    };
    assert_eq!(message(StoreErrorKind::ClaimLost), "nothing was sent: why");
    assert_eq!(
        message(StoreErrorKind::ReadOnly),
        "nothing was sent, as it cannot be put on record: why"
    );
}

#[tokio::test(start_paused = true)]
async fn it_keeps_the_contract() {
    let mock = MockSolver::new("mock").always(answers_after(3));
    let solver = mock.durable(&store());
    let subject = contract::SolverUnderTest::new(&solver, fixtures::challenge())
        .expecting(fixtures::drag(), 1.0)
        .on_paused_clock()
        // Of 1,000 at once, each dropped at each of its awaits, SQLite in a debug build takes 20 s.
        .with_calls_at_once(50)
        .without(
            contract::Check::ErrorsAreSensible,
            "it solves every picture",
        );
    let report = contract::run(&subject).await;
    assert!(report.passed(), "{report}");
}
