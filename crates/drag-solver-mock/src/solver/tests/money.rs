//! What is bought, what it costs, and what a call leaves behind.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_expired_challenge_takes_no_outcome_and_buys_nothing() {
    let (heard, challenge) = heard();
    let solver = MockSolver::new("a").then(drag());
    let expired = challenge.clone().within(Duration::ZERO);
    let error = solver.solve(&expired).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(bill(&error), (Billed::No, vec![]));
    assert_eq!(heard.take(), ["started"]);
    assert_eq!((solver.remaining_outcomes(), solver.purchases()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn every_refusal_hands_back_the_paid_jobs() {
    let paid = [7, 8].map(job).into_iter();
    let paid = paid.fold(challenge(), DragChallenge::resume_job);
    let solver = MockSolver::new("a").then(drag());
    let error = solver.solve(&paid.clone().within(Duration::ZERO)).await;
    let both = (Billed::Maybe, vec![job(7), job(8)]);
    assert_eq!(bill(&error.unwrap_err()), both);
    let error = MockSolver::new("a").solve(&paid).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(bill(&error), both);
}

#[tokio::test(start_paused = true)]
async fn events_are_those_of_a_provider_and_agree_with_the_error() {
    let (heard, challenge) = heard();
    let lost = SolveError::new(ErrorKind::Unavailable, "reset").with_billed(Billed::Maybe);
    let priced = SolveError::new(ErrorKind::InvalidAnswer, "off").with_billed(Billed::Yes);
    let priced = priced.with_cost(Usd::from_micros(900));
    let cases: [(Outcome, &[&str]); 8] = [
        (drag().into(), &["bought 1", "settled 1 yes"]),
        (
            ErrorKind::Unsolvable.into(),
            &["bought 1", "settled 1 no $0"],
        ),
        (
            ErrorKind::InvalidAnswer.into(),
            &["bought 1", "settled 1 yes"],
        ),
        (priced.into(), &["bought 1", "settled 1 yes $0.0009"]),
        (ErrorKind::Timeout.into(), &["bought 1"]),
        (ErrorKind::Unavailable.into(), &["not bought"]),
        (ErrorKind::Unauthorized.into(), &["not bought"]),
        (lost.into(), &["settled none maybe"]),
    ];
    for (outcome, expected) in cases {
        let label = format!("{outcome:?}");
        let _ = MockSolver::new("a").then(outcome).solve(&challenge).await;
        let heard = heard.take();
        assert_eq!(heard[..2], ["started", "buying"], "{label}");
        assert_eq!(&heard[2..], expected, "{label}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_answer_costs_is_in_the_event() {
    let (heard, challenge) = heard();
    let solver = MockSolver::new("a")
        .with_cost(Usd::from_micros(900))
        .then(drag());
    solver.solve(&challenge).await.unwrap();
    assert_eq!(heard.take().pop().unwrap(), "settled 1 yes $0.0009");
}

#[derive(Debug)]
struct FullDisk;

#[async_trait]
impl Observer for FullDisk {
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
        match event {
            Event::Started { .. } => Ok(()),
            _ => Err(SolveError::new(ErrorKind::Overloaded, "the disk is full")),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_that_refuses_prevents_the_purchase_and_nothing_else() {
    let solver = MockSolver::new("a").always(drag());
    let watched = challenge().with_observer(Arc::new(FullDisk));
    let error = solver.solve(&watched).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    assert_eq!(
        (error.solver(), bill(&error)),
        (Some("a"), (Billed::No, vec![]))
    );
    assert_eq!((solver.call_count(), solver.purchases()), (1, 0));
    // To fetch what was paid for is no purchase.
    assert!(solver.solve(&watched.resume_job(job(7))).await.is_ok());
    assert_eq!(solver.purchases(), 0);
}

#[tokio::test(start_paused = true)]
async fn errors_say_what_they_cost_by_their_kind() {
    for &kind in ErrorKind::ALL {
        let solver = MockSolver::new("a").then(kind);
        let error = solver.solve(&challenge()).await.unwrap_err();
        let (billed, jobs, purchases) = match kind {
            ErrorKind::Timeout => (Billed::Maybe, vec![job(1)], 1),
            ErrorKind::InvalidAnswer => (Billed::Yes, vec![], 1),
            ErrorKind::Unsolvable => (Billed::No, vec![], 1),
            _ => (Billed::No, vec![], 0),
        };
        assert_eq!(error.kind(), kind);
        assert_eq!(bill(&error), (billed, jobs), "{kind}");
        assert_eq!(solver.purchases(), purchases, "{kind}");
        let status = CallStatus::Failed { kind, billed };
        assert_eq!(solver.calls()[0].status, status);
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_error_leaves_behind_can_be_scripted() {
    let named = SolveError::new(ErrorKind::Protocol, "odd")
        .with_solver("deeper")
        .with_unfinished_jobs([job(77)])
        .with_billed(Billed::Yes);
    let solver = MockSolver::new("a")
        .then(Outcome::from(ErrorKind::Unavailable).unfinished())
        .then(Outcome::from(ErrorKind::Timeout).refused())
        .then(Outcome::from(ErrorKind::Protocol).settled())
        .then(named);
    let mut seen = Vec::new();
    let mut from = Vec::new();
    for _ in 0..4 {
        let error = solver.solve(&challenge()).await.unwrap_err();
        let (billed, jobs) = bill(&error);
        seen.push((billed, jobs, solver.purchases()));
        from.push(error.solver().unwrap_or_default().to_owned());
    }
    assert_eq!(
        seen,
        [
            (Billed::Maybe, vec![job(1)], 1),
            (Billed::No, vec![], 1),
            (Billed::No, vec![], 2),
            (Billed::Yes, vec![job(77)], 3),
        ]
    );
    assert_eq!(from, ["a", "a", "a", "deeper"]);
    assert_eq!(solver.calls()[3].bought, Some(JobId::from(77)));
}

#[tokio::test(start_paused = true)]
async fn the_job_of_another_in_an_error_does_not_hide_the_one_bought() {
    let (challenge, tracker) = challenge().tracked();
    let other = PaidJob::new("b", JobId::from(9));
    let named = SolveError::new(ErrorKind::Timeout, "late").with_unfinished_jobs([other.clone()]);
    let error = MockSolver::new("a").then(named).solve(&challenge).await;
    assert_eq!(error.unwrap_err().unfinished_jobs(), [other, job(1)]);
    assert_eq!(tracker.purchases().open_jobs(), [job(1)]);
}

#[tokio::test(start_paused = true)]
async fn resuming_is_no_purchase() {
    let (heard, challenge) = heard();
    let solver = MockSolver::new("a")
        .then(ErrorKind::Timeout)
        .then(ErrorKind::Unavailable)
        .then(Outcome::from(ErrorKind::Unavailable).refused())
        .then(drag());
    let error = solver.solve(&challenge).await.unwrap_err();
    let resumed = challenge.resume_job(error.unfinished_jobs().remove(0));
    heard.take();

    // A failure on the way does not lose the job.
    for _ in 0..2 {
        let error = solver.solve(&resumed).await.unwrap_err();
        assert_eq!(bill(&error), (Billed::Maybe, vec![job(1)]));
        assert_eq!(heard.take(), ["started", "resumed 1"]);
    }
    let solution = solver.solve(&resumed).await.unwrap();
    assert_eq!(solution.job(), Some(&JobId::from(1)));
    assert_eq!(heard.take(), ["started", "resumed 1", "settled 1 yes"]);
    assert_eq!((solver.call_count(), solver.purchases()), (4, 1));
    let call = &solver.calls()[3];
    assert_eq!(
        (&call.resumed, &call.bought),
        (&Some(JobId::from(1)), &None)
    );
}

#[tokio::test(start_paused = true)]
async fn of_several_paid_jobs_the_first_is_resumed_and_the_others_are_not_lost() {
    let (heard, challenge) = heard();
    let paid = [1, 2, 3].map(job).into_iter();
    let paid = paid.fold(challenge, DragChallenge::resume_job);
    let solver = MockSolver::new("a").always(ErrorKind::Unsolvable);
    let error = solver.solve(&paid).await.unwrap_err();
    assert_eq!(bill(&error), (Billed::Maybe, vec![job(2), job(3)]));
    assert_eq!(heard.take(), ["started", "resumed 1", "settled 1 no $0"]);
    let solver = MockSolver::new("a").always(Outcome::hang());
    let error = solver.solve(&paid.within(secs(1))).await.unwrap_err();
    assert_eq!(error.unfinished_jobs(), [1, 2, 3].map(job));
}

#[tokio::test(start_paused = true)]
async fn a_job_of_another_name_is_not_resumed() {
    let solver = MockSolver::new("a").then(drag());
    let other = challenge().resume_job(PaidJob::new("b", JobId::from(9)));
    let solution = solver.solve(&other).await.unwrap();
    assert_eq!(solution.job(), Some(&JobId::from(1)));
    assert_eq!(solver.purchases(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_deadline_during_the_purchase_cost_is_unknown() {
    let (heard, challenge) = heard();
    let solver = MockSolver::new("a").then(
        Outcome::answer(drag())
            .accepted_after(secs(5))
            .after(secs(8)),
    );
    let start = Instant::now();
    let error = solver.solve(&challenge.within(secs(2))).await.unwrap_err();
    assert_eq!(start.elapsed(), secs(2));
    assert_eq!(bill(&error), (Billed::Maybe, vec![]));
    assert_eq!(heard.take(), ["started", "buying", "settled none maybe"]);
    assert_eq!(solver.purchases(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_a_deadline_during_a_refusal_cost_is_unknown() {
    let (heard, challenge) = heard();
    let refused = Outcome::from(ErrorKind::Unavailable).after(secs(8));
    let solver = MockSolver::new("a").then(refused);
    let error = solver.solve(&challenge.within(secs(2))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(bill(&error), (Billed::Maybe, vec![]));
    assert_eq!(heard.take(), ["started", "buying", "settled none maybe"]);
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
    let challenge = challenge.resume_job(job(1));
    assert_eq!(solver.solve(&challenge).await.unwrap().job(), None);
    let error = solver.solve(&challenge).await.unwrap_err();
    assert_eq!(bill(&error), (Billed::No, vec![]));
    let error = solver.solve(&challenge.within(secs(1))).await.unwrap_err();
    assert_eq!(bill(&error), (Billed::No, vec![]));
    assert_eq!(heard.take(), [""; 0]);
    assert_eq!(solver.purchases(), 0);
}

#[test]
fn the_worst_case_is_what_the_test_says_or_one_purchase_at_its_cost() {
    let cost = Usd::from_micros(900);
    let solver = MockSolver::new("a").with_cost(cost);
    let once = WorstCase::one_purchase().with_cost(cost);
    assert_eq!(solver.profile().worst_case, once);
    let given = once.with_time(secs(60));
    assert_eq!(solver.with_worst_case(given).profile().worst_case, given);
}
