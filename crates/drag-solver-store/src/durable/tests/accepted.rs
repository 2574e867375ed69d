//! What is accepted for a call to come.

use super::*;

async fn accepted(store: &SqliteStore, challenge: &DragChallenge) -> Accepted {
    let opening = Opening::of(challenge, "order", store.now());
    let picture = challenge.screenshot().bytes();
    store
        .accept(&opening, picture, &crate::KeyLimits::default())
        .await
        .unwrap()
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
