//! Which call gets which answer.

use super::*;
use tokio::time::sleep;

/// What a call says of others.
#[derive(Debug, Default)]
struct Heard(Mutex<Vec<&'static str>>);

#[async_trait]
impl Observer for Heard {
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
        match event {
            Event::Waiting { reason, .. } => self.0.lock().unwrap().push(reason),
            Event::WaitEnded { .. } => self.0.lock().unwrap().push("it ended"),
            Event::OnRecord { .. } => self.0.lock().unwrap().push("it is on record"),
            _ => {}
        }
        Ok(())
    }
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
async fn a_call_whose_outcome_is_anothers_says_so() {
    let (store, heard) = (store(), Arc::new(Heard::default()));
    let solver = MockSolver::new("a")
        .always(answers_after(3))
        .durable(&store);
    let order = order().with_observer(heard.clone());
    let said = || std::mem::take(&mut *heard.0.lock().unwrap());
    solver.solve(&order).await.unwrap();
    assert_eq!(said(), [""; 0]);
    solver.solve(&order).await.unwrap();
    assert_eq!(said(), ["it is on record"]);

    let failed = Opening::of(&order, "failed", store.now());
    let (picture, limits) = (order.screenshot().bytes(), KeyLimits::default());
    store.accept(&failed, picture, &limits).await.unwrap();
    let fails = MockSolver::new("a").always(ErrorKind::Unsolvable);
    let (fails, order) = (fails.durable(&store), order.with_id("failed"));
    fails.solve(&order).await.unwrap_err();
    assert_eq!(said(), [""; 0]);
    fails.solve(&order).await.unwrap_err();
    assert_eq!(said(), ["it is on record"]);
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
async fn a_call_that_is_dropped_while_it_takes_a_challenge_up_does_not_hold_it() {
    let (inner, mock) = (store(), MockSolver::new("a").always(answers_after(0)));
    let hangs = Failing {
        hangs_at_claim: true,
        ..Failing::new(&inner)
    };
    let solver = mock.clone().durable(&hangs);
    let challenge = order();
    let mut call = Box::pin(solver.solve(&challenge));
    let second = Duration::from_secs(1);
    assert!(tokio::time::timeout(second, &mut call).await.is_err());
    let is_held = async || matches!(on_record(&inner).await.status, Status::Open { held: true });
    assert!(is_held().await);
    drop(call);
    assert!(!is_held().await);
    mock.durable(&inner).solve(&order()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_after_another_call_has_taken_over_is_refused_and_its_job_is_kept() {
    let (store, mock) = (store(), MockSolver::new("a").always(answers_after(60)));
    let solver = mock.clone().durable(&store);
    let challenge = order();
    let taken_over = async {
        sleep(Duration::from_secs(1)).await;
        // As if its lease had ended.
        let id = "order".to_owned();
        let claim = store.claim_of("order");
        store.record(Fact::GivenBack { id, claim }).await.unwrap();
        let opening = Opening::of(&order(), "order", store.now());
        let taken = store.take_up(&opening).await.unwrap();
        assert!(matches!(taken, TakenUp::Claimed(..)));
    };
    let heard = Arc::new(Heard::default());
    let challenge = challenge.with_observer(heard.clone());
    let (answer, ()) = tokio::join!(solver.solve(&challenge), taken_over);
    assert_eq!(*heard.0.lock().unwrap(), ["it is on record"]);
    let error = answer.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotRecorded);
    assert_eq!(error.billed(), Billed::Maybe);
    let record = on_record(&store).await;
    assert!(matches!(record.status, Status::Open { held: true }));
    assert_eq!(record.open_jobs().count(), 1, "for the other call to fetch");
}
