//! What a mock remembers.

use super::*;

#[tokio::test(start_paused = true)]
async fn the_log_knows_what_is_in_flight_and_what_was_dropped() {
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
    let dropped = calls
        .iter()
        .find(|c| c.status == CallStatus::Dropped)
        .unwrap();
    assert_eq!(dropped.ended, Some(start + secs(2)));
    let answered = calls
        .iter()
        .find(|c| c.status == CallStatus::Solved)
        .unwrap();
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
    assert_eq!(call.challenge.instruction(), Some("piece to gap"));
    assert_eq!(call.challenge.region(), Some(region));
    assert_eq!(call.challenge.deadline(), Some(due));
    assert_eq!(call.challenge.screenshot(), challenge.screenshot());
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
async fn reports_are_logged_and_answered_as_scripted() {
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
    assert_eq!(error.solver(), Some("a"));
    assert_eq!(solver.reports().len(), 1);
}
