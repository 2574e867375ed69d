//! Two versions on one database, as while gateways are replaced one by one.

use drag_solver_core::DragSolver as _;
use drag_solver_store::{PostgresOptions, Store as _, StoreErrorKind, StoreExt as _};

use crate::place::Place;
use crate::process::{answering, challenge};

/// A step that adds, and so leaves the version before at work.
const ADDS: &[(&str, u32)] = &[(
    "ALTER TABLE challenges ADD COLUMN later TEXT NOT NULL DEFAULT 'x'",
    1,
)];

/// A step after which the version before cannot work.
const BREAKS: &[(&str, u32)] = &[("ALTER TABLE challenges ADD COLUMN later TEXT", 2)];

fn newer(steps: &'static [(&'static str, u32)]) -> PostgresOptions {
    PostgresOptions::default().later_migrations(steps)
}

#[tokio::test]
async fn the_version_before_works_beside_the_new_one_whichever_came_first() {
    let Some(place) = Place::new() else { return };
    let mock = answering();
    let before = place.open();
    let solver = mock.clone().durable(&before);
    solver.solve(&challenge("before")).await.unwrap();
    let after = place.open_with(newer(ADDS));
    let new_solver = mock.clone().durable(&after);
    new_solver.solve(&challenge("before")).await.unwrap();
    new_solver.solve(&challenge("after")).await.unwrap();
    // Both ways: what one has, the other knows, also when the old one starts after the new one.
    solver.solve(&challenge("after")).await.unwrap();
    let again = place.open();
    let solver = mock.clone().durable(&again);
    solver.solve(&challenge("after")).await.unwrap();
    solver.solve(&challenge("last")).await.unwrap();
    assert_eq!(mock.purchases(), 3);
    assert_eq!(place.sql("SELECT version, oldest FROM version"), "2|1");
}

#[tokio::test]
async fn a_version_that_is_too_old_says_so() {
    let Some(place) = Place::new() else { return };
    place.open_with(newer(BREAKS)).flush().await.unwrap();
    let error = place.open().flush().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Newer);
    assert!(
        error.to_string().contains("use the newer version"),
        "{error}"
    );
}

#[tokio::test]
async fn a_version_that_becomes_too_old_while_it_works_stops() {
    let Some(place) = Place::new() else { return };
    let before = place.open();
    before.flush().await.unwrap();
    place.open_with(newer(BREAKS)).flush().await.unwrap();
    // It hears of that when it next says that it is there.
    let refused = async {
        loop {
            match before.flush().await {
                Ok(()) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
                Err(error) => break error,
            }
        }
    };
    let refused = tokio::time::timeout(std::time::Duration::from_secs(60), refused).await;
    assert_eq!(refused.unwrap().kind(), StoreErrorKind::Newer);
}

#[tokio::test]
async fn a_step_that_fails_leaves_all_as_it_was() {
    const BROKEN: &[(&str, u32)] = &[(
        "ALTER TABLE challenges ADD COLUMN later TEXT; DROP TABLE of_nobody",
        2,
    )];
    let Some(place) = Place::new() else { return };
    place.open().flush().await.unwrap();
    place.open_with(newer(BROKEN)).flush().await.unwrap_err();
    assert_eq!(place.sql("SELECT version, oldest FROM version"), "1|1");
    place.open_with(newer(ADDS)).flush().await.unwrap();
}

#[tokio::test]
async fn several_that_start_at_once_bring_the_tables_up_to_date_once() {
    let Some(place) = Place::new() else { return };
    let stores: Vec<_> = (0..6).map(|_| place.open_with(newer(ADDS))).collect();
    let flushed = stores.iter().map(drag_solver_store::Store::flush);
    for flushed in futures_util::future::join_all(flushed).await {
        flushed.unwrap();
    }
    assert_eq!(place.sql("SELECT version, oldest FROM version"), "2|1");
}
