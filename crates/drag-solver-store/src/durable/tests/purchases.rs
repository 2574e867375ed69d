//! What is bought, and what is fetched.

use super::*;

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

/// A solver whose process is killed between sending a purchase and hearing of it.
fn killed_while_buying() -> impl DragSolver {
    solver_fn("a", |challenge: DragChallenge| async move {
        challenge.notify(Event::Started { solver: "a" }).await?;
        challenge.notify(Event::Buying { solver: "a" }).await?;
        std::future::pending().await
    })
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
