//! Tables in which somebody has written what no store writes.

use drag_solver_store::jiff::Timestamp;
use drag_solver_store::{CallRecord, Fact, PostgresOptions, Store as _, StoreErrorKind};

use crate::copy::a_call;
use crate::place::Place;

#[tokio::test]
async fn one_unreadable_call_hides_no_other() {
    let Some(place) = Place::new() else { return };
    let store = place.open_with(PostgresOptions::default());
    store.flush().await.unwrap();
    let call = a_call(&store);
    let other = CallRecord {
        key: call.key + 1,
        ..call.clone()
    };
    for fact in [call.clone(), other] {
        store.record(Fact::Called(fact)).await.unwrap();
    }
    let last = async || store.calls("a", Timestamp::MIN, 9).await;
    assert_eq!(last().await.unwrap().len(), 2);
    place.sql(&format!(
        "UPDATE calls SET job = '' WHERE key > {}",
        call.key
    ));
    assert_eq!(last().await.unwrap(), [call]);
}

/// What the column takes is no matter of time: neither what is written nor what is read is tried again.
#[tokio::test]
async fn a_column_of_another_type_is_told_at_once() {
    let Some(place) = Place::new() else { return };
    let store = place.open_with(PostgresOptions::default());
    store.flush().await.unwrap();
    place.sql("ALTER TABLE calls ALTER COLUMN solver TYPE BIGINT USING 0");
    let written = store.record(Fact::Called(a_call(&store))).await;
    let read = store.calls("a", Timestamp::MIN, 9).await;
    for error in [written.unwrap_err(), read.unwrap_err()] {
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
    }
    store.flush().await.unwrap(); // nothing waits to be written
}
