//! A store that cannot be written.

use super::*;
use tokio::time::sleep;

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
