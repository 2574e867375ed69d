//! Who gets what, and what happens when they go.

use super::*;

#[tokio::test(start_paused = true)]
async fn each_challenge_is_one_persons_in_the_order_in_which_they_came() {
    let desk = desk();
    let people = Operators::new(&desk, OperatorsPolicy::default());
    let (mut anna, mut ben) = (Hand::at(&desk, "anna"), Hand::at(&desk, "ben"));
    let calls = [
        asked(&people, fixtures::challenge_sized(591, 1000)).await,
        asked(&people, fixtures::challenge_sized(591, 1001)).await,
        asked(&people, fixtures::challenge_sized(591, 1002)).await,
    ];
    let (first, second) = (anna.next().await, ben.next().await);
    assert_eq!((first.height, second.height), (1000, 1001));
    assert_eq!((desk.waiting(), desk.in_hand()), (1, 2));
    let not_hers = desk.answer("anna", anna.seat(), second.job.as_str(), None);
    assert_eq!(not_hers, Err(Refused::NotYours));
    let not_his_seat = desk.answer("ben", anna.seat(), first.job.as_str(), None);
    assert_eq!(not_his_seat, Err(Refused::NoSeat));
    ben.answer(&second).unwrap();
    assert_eq!(ben.next().await.height, 1002);
    anna.answer(&first).unwrap();
    ben.answer(&ben.card().unwrap()).unwrap();
    for call in calls {
        assert_eq!(*call.await.unwrap().unwrap().drag(), fixtures::drag());
    }
    assert_eq!((desk.waiting(), desk.in_hand()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn while_nobody_is_there_it_is_refused_or_waits() {
    let desk = desk();
    let refusing = Operators::new(&desk, OperatorsPolicy::default());
    let waiting = OperatorsPolicy::default().when_absent(WhenAbsent::Wait);
    let waiting = Operators::new(&desk, waiting);
    let call = asked(&waiting, fixtures::challenge()).await;
    assert_eq!(
        kind(refusing.solve(&fixtures::challenge()).await),
        ErrorKind::Overloaded
    );
    tokio::time::advance(Duration::from_secs(3_600)).await;
    let mut anna = Hand::at(&desk, "anna");
    let card = anna.next().await;
    anna.answer(&card).unwrap();
    assert!(call.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_refused_when_the_last_operator_does_not_come_back() {
    let desk = desk();
    let people = Operators::new(&desk, OperatorsPolicy::default());
    let mut anna = Hand::at(&desk, "anna");
    let first = asked(&people, fixtures::challenge()).await;
    let second = asked(&people, fixtures::challenge()).await;
    anna.next().await;
    let left = tokio::time::Instant::now();
    drop(anna);
    assert_eq!(kind(second.await.unwrap()), ErrorKind::Overloaded);
    let error = first.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    assert_eq!(left.elapsed(), LEASE);
    assert_eq!((desk.waiting(), desk.operators()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_closed_page_gives_its_challenge_back_and_it_is_still_one_purchase() {
    let desk = desk();
    let people = Operators::new(&desk, OperatorsPolicy::default());
    let mut anna = Hand::at(&desk, "anna");
    let (challenge, heard) = observed(false);
    let call = asked(&people, challenge).await;
    let shown = anna.next().await;
    let mut ben = Hand::at(&desk, "ben");
    desk.leave("anna", anna.seat()).unwrap();
    let given_on = ben.next().await;
    assert_eq!(given_on.job, shown.job);
    assert!(given_on.again && !shown.again);
    assert_eq!(given_on.due, shown.due, "who comes second has what is left");
    ben.answer(&given_on).unwrap();
    assert!(call.await.unwrap().is_ok());
    let bought = ["Started", "Buying", "Bought", "Settled yes"];
    assert_eq!(heard.all(), bought);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_nobody_looks_at_gives_it_back_and_gets_no_more_until_somebody_does() {
    let desk = desk();
    let people = Operators::new(&desk, OperatorsPolicy::default());
    let mut anna = Hand::at(&desk, "anna");
    let call = asked(&people, fixtures::challenge()).await;
    let shown = anna.next().await;
    tokio::time::sleep(ALMOST_A_LEASE).await;
    anna.looks();
    tokio::time::sleep(ALMOST_A_LEASE).await;
    assert_eq!(anna.card(), Some(shown.clone()), "she was heard of");
    let mut ben = Hand::at(&desk, "ben");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((anna.card(), anna.gone()), (None, Some(Gone::GivenBack)));
    assert_eq!(anna.answer(&shown), Err(Refused::NotYours));
    let card = ben.next().await;
    ben.answer(&card).unwrap();
    assert!(call.await.unwrap().is_ok());

    drop(ben);
    let call = asked(&people, fixtures::challenge()).await;
    assert_eq!(
        anna.next().await.width,
        591,
        "her answer that came too late was a sign of life"
    );
    call.abort();
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_comes_back_has_its_challenge_and_the_old_one_ends() {
    let desk = desk();
    let people = Operators::new(&desk, OperatorsPolicy::default());
    let mut anna = Hand::at(&desk, "anna");
    let call = asked(&people, fixtures::challenge()).await;
    let shown = anna.next().await;
    let seat = anna.seat();
    let second = desk.sit("anna", Some(seat)).unwrap();
    assert_eq!(second.seat, seat);
    assert!(second.counts() && !anna.seated.counts());
    let old = std::mem::replace(&mut anna.seated, second);
    drop(old); // its end says nothing of the new one
    let again = anna.next().await;
    assert!(again.again && again.job == shown.job);
    tokio::time::sleep(ALMOST_A_LEASE).await;
    anna.answer(&again).unwrap();
    assert!(call.await.unwrap().is_ok());

    let others = desk.sit("ben", Some(seat)).unwrap();
    assert_ne!(others.seat, seat, "a seat is its operator's");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_and_a_late_one_leave_the_screen() {
    let desk = desk();
    let policy = OperatorsPolicy::default().answer_timeout(Duration::from_secs(10));
    let people = Operators::new(&desk, policy);
    let mut anna = Hand::at(&desk, "anna");
    let call = asked(&people, fixtures::challenge()).await;
    anna.next().await;
    call.abort();
    pause().await;
    assert_eq!((anna.card(), anna.gone()), (None, Some(Gone::NotNeeded)));

    let call = asked(&people, fixtures::challenge()).await;
    let late = anna.next().await;
    assert_eq!(kind(call.await.unwrap()), ErrorKind::Timeout);
    assert_eq!((anna.card(), anna.gone()), (None, Some(Gone::TooLate)));
    assert_eq!(anna.answer(&late), Err(Refused::NotYours));

    let near = fixtures::challenge().within(Duration::from_secs(4));
    let call = asked(&people, near).await;
    anna.next().await;
    assert_eq!(kind(call.await.unwrap()), ErrorKind::DeadlineExceeded);
}

#[tokio::test(start_paused = true)]
async fn the_line_has_a_length_and_a_wait_has_an_end() {
    let desk = desk();
    let policy = OperatorsPolicy::default()
        .when_absent(WhenAbsent::Wait)
        .max_waiting(1)
        .max_wait(Duration::from_secs(20));
    let people = Operators::new(&desk, policy);
    let call = asked(&people, fixtures::challenge()).await;
    let started = tokio::time::Instant::now();
    assert_eq!(
        kind(people.solve(&fixtures::challenge()).await),
        ErrorKind::Overloaded
    );
    assert!(started.elapsed().is_zero());
    assert_eq!(kind(call.await.unwrap()), ErrorKind::Overloaded);
    assert_eq!(started.elapsed(), Duration::from_secs(20));
    assert_eq!(desk.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_closed_desk_tells_its_pages_and_takes_no_more() {
    let desk = desk();
    let anna = Hand::at(&desk, "anna");
    desk.close();
    assert!(!anna.seated.counts());
    assert!(desk.sit("anna", None).is_none());
    let one = Desk::new(DeskPolicy::default().max_operators(1));
    let first = Hand::at(&one, "anna");
    assert!(one.sit("ben", None).is_none());
    drop(first);
    tokio::time::advance(LEASE).await;
    assert!(one.sit("ben", None).is_some(), "her page did not come back");
    let many = Desk::new(DeskPolicy::default());
    let hers: Vec<_> = (0..8).map(|_| Hand::at(&many, "anna")).collect();
    assert!(
        many.sit("anna", None).is_none(),
        "one operator does not take all places"
    );
    assert!(many.sit("ben", None).is_some());
    drop(hers);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_comes_back_by_itself_is_no_sign_that_somebody_is_there() {
    let desk = desk();
    let people = Operators::new(&desk, OperatorsPolicy::default());
    let mut anna = Hand::at(&desk, "anna");
    let call = asked(&people, fixtures::challenge()).await;
    anna.next().await;
    assert_eq!(
        kind(call.await.unwrap()),
        ErrorKind::Overloaded,
        "nobody looked"
    );
    anna.seated = desk.sit("anna", Some(anna.seat())).unwrap();
    assert_eq!(desk.operators(), 0);
    anna.looks();
    assert_eq!(desk.operators(), 1);
}
