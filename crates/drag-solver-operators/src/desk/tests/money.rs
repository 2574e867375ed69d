//! What observers hear of money.

use drag_solver_core::{PaidJob, Verdict};

use super::*;

#[tokio::test(start_paused = true)]
async fn it_is_bought_when_somebody_is_about_to_see_it() {
    let desk = desk();
    let waiting = OperatorsPolicy::default().when_absent(WhenAbsent::Wait);
    let people = Operators::new(&desk, waiting);
    let (challenge, heard) = observed(false);
    let call = asked(&people, challenge).await;
    assert_eq!(heard.all(), ["Started", "Waiting"]);
    let mut anna = Hand::at(&desk, "anna");
    let card = anna.next().await;
    assert_eq!(heard.all()[2..], ["WaitEnded", "Buying", "Bought"]);
    anna.skip(&card).unwrap();
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsolvable);
    assert!(
        !error.to_string().contains("anna"),
        "clients see this: {error}"
    );
    assert_eq!(heard.all()[5..], ["Settled no"]);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_bought_is_shown_to_nobody() {
    let desk = desk();
    let people = Operators::new(&desk, OperatorsPolicy::default());
    let anna = Hand::at(&desk, "anna");
    let (challenge, _) = observed(true);
    let call = asked(&people, challenge).await;
    assert_eq!(kind(call.await.unwrap()), ErrorKind::BudgetExhausted);
    assert_eq!(anna.card(), None);
    assert_eq!(desk.in_hand(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_process_has_shown_comes_first_and_is_not_bought_again() {
    let desk = desk();
    let waiting = OperatorsPolicy::default().when_absent(WhenAbsent::Wait);
    let people = Operators::new(&desk, waiting);
    let new = asked(&people, fixtures::challenge()).await;
    let (challenge, heard) = observed(false);
    let job = super::super::new_job();
    let resumed = challenge.resume_job(PaidJob::new("person", job.clone()));
    let call = asked(&people, resumed).await;
    let mut anna = Hand::at(&desk, "anna");
    let card = anna.next().await;
    assert!(card.again && card.job == job);
    anna.answer(&card).unwrap();
    let solution = call.await.unwrap().unwrap();
    assert_eq!(solution.job(), Some(&job));
    let once = ["Started", "Resumed", "Waiting", "WaitEnded", "Settled yes"];
    assert_eq!(heard.all(), once);
    new.abort();
}

#[tokio::test(start_paused = true)]
async fn a_report_counts_for_who_answered() {
    let desk = desk();
    let people = Operators::new(&desk, OperatorsPolicy::default());
    let mut anna = Hand::at(&desk, "anna");
    let call = asked(&people, fixtures::challenge()).await;
    let card = anna.next().await;
    anna.answer(&card).unwrap();
    let solution = call.await.unwrap().unwrap();
    people.report(&solution, Verdict::Incorrect).await.unwrap();
    let board = anna.seated.view.borrow().board;
    assert_eq!((board.score.right, board.score.wrong), (0, 1));

    let unknown = solution.with_job(super::super::new_job());
    let error = people.report(&unknown, Verdict::Correct).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_process_has_shown_waits_for_the_pages_to_come_back() {
    let desk = desk();
    let policy = OperatorsPolicy::default().max_waiting(1);
    let people = Operators::new(&desk, policy);
    let job = |n: u64| PaidJob::new("person", drag_solver_core::JobId::from(n));
    let (one, heard) = observed(false);
    let first = asked(&people, one.resume_job(job(1))).await;
    let second = asked(&people, fixtures::challenge().resume_job(job(2))).await;
    assert_eq!(desk.waiting(), 2, "the line is for what nobody has seen");
    tokio::time::sleep(Duration::from_secs(5)).await;
    let mut anna = Hand::at(&desk, "anna");
    for n in [1, 2] {
        let card = anna.next().await;
        assert_eq!(
            card.job.as_str(),
            n.to_string(),
            "in the order in which they came"
        );
        anna.answer(&card).unwrap();
    }
    assert!(first.await.unwrap().is_ok() && second.await.unwrap().is_ok());
    assert!(!heard.all().contains(&"Buying".to_owned()));

    drop(anna);
    tokio::time::sleep(LEASE).await;
    let begun = tokio::time::Instant::now();
    let error = people
        .solve(&fixtures::challenge().resume_job(job(3)))
        .await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    assert_eq!(error.unfinished_jobs(), [job(3)], "it is handed back");
    assert_eq!(begun.elapsed(), policy.answer_timeout);
}

/// Takes its time to write down that something is bought.
#[derive(Debug)]
struct Slow;

#[async_trait]
impl Observer for Slow {
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
        if matches!(event, Event::Buying { .. }) {
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn who_leaves_while_it_is_bought_costs_the_next_one_no_time() {
    let desk = desk();
    let waiting = OperatorsPolicy::default().when_absent(WhenAbsent::Wait);
    let people = Operators::new(&desk, waiting);
    let anna = Hand::at(&desk, "anna");
    let challenge = fixtures::challenge().with_observer(Arc::new(Slow));
    let call = asked(&people, challenge).await;
    desk.leave("anna", anna.seat()).unwrap();
    tokio::time::sleep(Duration::from_secs(300)).await;
    let mut ben = Hand::at(&desk, "ben");
    let card = ben.next().await;
    let left = card.due.unwrap() - tokio::time::Instant::now();
    assert_eq!(left, waiting.answer_timeout);
    assert!(!card.again, "nobody has seen it");
    ben.answer(&card).unwrap();
    assert!(call.await.unwrap().is_ok());
}
