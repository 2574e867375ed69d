//! Tables in which somebody has written what no store writes.

use drag_solver_store::jiff::Timestamp;
use drag_solver_store::{CallRecord, Fact, PostgresOptions, Store as _};

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
