//! An answer can be taken back for a moment.

use tokio::time::Instant;

use super::*;

#[tokio::test(start_paused = true)]
async fn an_answer_counts_when_it_cannot_be_undone_any_more() {
    let desk = desk();
    let people = Operators::new(&desk, OperatorsPolicy::default());
    let mut anna = Hand::at(&desk, "anna");
    let call = asked(&people, fixtures::challenge()).await;
    let card = anna.next().await;
    let answered = Instant::now();
    assert_eq!(anna.answer(&card), Ok(UNDO));
    assert!(call.await.unwrap().is_ok());
    assert_eq!(answered.elapsed(), UNDO);
    assert_eq!(anna.undo(&card), Err(Refused::TooLate));
}

#[tokio::test(start_paused = true)]
async fn what_is_undone_is_on_the_screen_again_and_what_was_there_meanwhile_goes_back() {
    let desk = desk();
    let people = Operators::new(&desk, OperatorsPolicy::default());
    let mut anna = Hand::at(&desk, "anna");
    let first = asked(&people, fixtures::challenge_sized(591, 1000)).await;
    let second = asked(&people, fixtures::challenge_sized(591, 1001)).await;
    let card = anna.next().await;
    anna.skip(&card).unwrap();
    let meanwhile = anna.next().await;
    assert_eq!(meanwhile.height, 1001);
    tokio::time::sleep(ALMOST_TOO_LATE).await;
    anna.undo(&card).unwrap();
    let again = anna.next().await;
    assert!(again.again && again.job == card.job && again.due == card.due);
    assert_eq!(desk.waiting(), 1);
    tokio::time::sleep(UNDO).await;
    anna.answer(&again).unwrap();
    let other = anna.next().await;
    assert_eq!(other.job, meanwhile.job);
    anna.answer(&other).unwrap();
    assert!(first.await.unwrap().is_ok(), "the skip does not count");
    assert!(second.await.unwrap().is_ok());
    let score = anna.seated.view.borrow().board.score;
    assert_eq!((score.answered, score.skipped), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn there_is_less_time_to_undo_where_there_is_less_time() {
    let desk = desk();
    let people = Operators::new(&desk, OperatorsPolicy::default());
    let mut anna = Hand::at(&desk, "anna");
    let challenge = fixtures::challenge().within(Duration::from_secs(2));
    let call = asked(&people, challenge).await;
    let card = anna.next().await;
    assert_eq!(anna.answer(&card), Ok(Duration::from_secs(1)));
    assert!(call.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_answer_counts_though_its_page_is_gone() {
    let desk = desk();
    let people = Operators::new(&desk, OperatorsPolicy::default());
    let mut anna = Hand::at(&desk, "anna");
    let call = asked(&people, fixtures::challenge()).await;
    let card = anna.next().await;
    anna.answer(&card).unwrap();
    desk.leave("anna", anna.seat()).unwrap();
    drop(anna);
    assert!(call.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_answer_whose_reply_was_lost_can_be_sent_again() {
    let desk = desk();
    let people = Operators::new(&desk, OperatorsPolicy::default());
    let mut anna = Hand::at(&desk, "anna");
    let call = asked(&people, fixtures::challenge()).await;
    let card = anna.next().await;
    anna.skip(&card).unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(anna.answer(&card), Ok(Duration::from_secs(2)));
    assert!(call.await.unwrap().is_ok(), "the last one counts");
    assert_eq!(anna.answer(&card), Err(Refused::NotYours));
}

#[tokio::test(start_paused = true)]
async fn answers_count_at_once_when_the_process_is_about_to_stop() {
    let desk = desk();
    let people = Operators::new(&desk, OperatorsPolicy::default());
    let mut anna = Hand::at(&desk, "anna");
    let first = asked(&people, fixtures::challenge()).await;
    let second = asked(&people, fixtures::challenge()).await;
    let card = anna.next().await;
    assert_eq!(desk.uncounted(), 0);
    anna.answer(&card).unwrap();
    let now = Instant::now();
    desk.hurry();
    assert_eq!(desk.uncounted(), 1, "its call has yet to take it");
    assert!(first.await.unwrap().is_ok());
    assert_eq!(desk.uncounted(), 0);
    let card = anna.next().await;
    assert_eq!(anna.answer(&card), Ok(Duration::ZERO));
    assert!(second.await.unwrap().is_ok());
    assert!(now.elapsed().is_zero());
}

#[tokio::test(start_paused = true)]
async fn what_counts_cannot_be_undone_though_its_call_has_not_ended_yet() {
    let desk = desk();
    let mut anna = Hand::at(&desk, "anna");
    let challenge = fixtures::challenge();
    let place = desk.place(&challenge, super::super::new_job(), false, 1);
    let place = place.unwrap();
    place.show(Duration::from_secs(120));
    let card = anna.next().await;
    anna.answer(&card).unwrap();
    assert!(place.count().is_some());
    assert_eq!(anna.undo(&card), Err(Refused::TooLate));
    assert_eq!(anna.card(), None);
}
