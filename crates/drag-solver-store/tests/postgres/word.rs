//! Word of what has ended elsewhere: it is told, and made up for where it is lost.

use std::time::Duration;

use drag_solver_core::DragSolver as _;
use drag_solver_store::{PostgresOptions, PostgresStore, Status, Store as _, StoreExt as _};
use tokio::time::{sleep, timeout};

use crate::place::Place;
use crate::process::{answering, challenge};

/// Who waits so long until it looks has to be told.
const NEVER: Duration = Duration::from_secs(24 * 3_600);

/// How long anything may take, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until this challenge is solved.
async fn solved(store: PostgresStore, id: &str) {
    let solved = async {
        loop {
            let changed = store.changed(id);
            let record = store.find(id).await.unwrap();
            if record.is_some_and(|record| matches!(record.status, Status::Solved { .. })) {
                return;
            }
            changed.await;
        }
    };
    let heard = timeout(PATIENCE, solved).await;
    assert!(heard.is_ok(), "{id} is solved, and it was not heard of");
}

async fn solve(store: &PostgresStore, id: &str) {
    let solver = answering().durable(store);
    solver.solve(&challenge(id)).await.unwrap();
}

fn only_told() -> PostgresOptions {
    PostgresOptions::default().look_again(NEVER)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_elsewhere_is_told_of_an_end() {
    let Some(place) = Place::new() else { return };
    let (here, there) = (place.open(), place.open_with(only_told()));
    for id in ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] {
        let hears = tokio::spawn(solved(there.clone(), id));
        solve(&here, id).await;
        hears.await.unwrap();
    }
}

/// A store that listens over a connection that can be cut, and kept from coming back.
struct Listening {
    place: Place,
    user: String,
    store: PostgresStore,
}

impl Listening {
    async fn open(place: Place, options: PostgresOptions) -> Self {
        let user = format!("user_of_{}", place.schema);
        let made = format!("CREATE ROLE {user} LOGIN; GRANT CREATE ON DATABASE postgres TO {user}");
        place.server.psql(&made).unwrap();
        let url = place
            .server
            .url()
            .replace("//postgres@", &format!("//{user}@"));
        let store = place.open_at(&url, options);
        // It has connections to write and to read with, and the one on which it listens.
        store.flush().await.unwrap();
        assert!(store.find("nothing").await.unwrap().is_none());
        let listening = Self { place, user, store };
        listening.until_connections(1).await;
        listening
    }

    /// Those on which it listens: what is sent over them is sent over no other.
    fn connections(&self) -> String {
        let user = &self.user;
        format!(
            "FROM pg_stat_activity WHERE usename = '{user}' AND (query LIKE 'LISTEN%' OR query LIKE '%FROM version%' \
             OR query LIKE '%INTO owners%' OR query LIKE '%pg_notify%' OR query LIKE '%clock_timestamp%')"
        )
    }

    async fn until_connections(&self, count: u32) {
        let counted = format!("SELECT count(*) {}", self.connections());
        let counted = async {
            while self.place.server.psql(&counted).unwrap() != count.to_string() {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let seen = timeout(PATIENCE, counted).await;
        assert!(seen.is_ok(), "it does not come to {count} connections");
    }

    /// Cuts that connection, and allows no other.
    async fn cut(&self) {
        let limit = format!("ALTER ROLE {} CONNECTION LIMIT 0", self.user);
        self.place.server.psql(&limit).unwrap();
        let cut = format!("SELECT pg_terminate_backend(pid) {}", self.connections());
        assert_eq!(self.place.server.psql(&cut).unwrap(), "t");
        self.until_connections(0).await;
    }

    fn mend(&self) {
        let limit = format!("ALTER ROLE {} CONNECTION LIMIT -1", self.user);
        self.place.server.psql(&limit).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_cannot_be_told_looks() {
    let Some(place) = Place::new() else { return };
    let there = Listening::open(place, PostgresOptions::default()).await;
    let here = there.place.open();
    let hears = tokio::spawn(solved(there.store.clone(), "new"));
    there.cut().await;
    solve(&here, "new").await;
    hears.await.unwrap();
    there.until_connections(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn word_that_was_lost_is_made_up_for_when_the_connection_is_back() {
    let Some(place) = Place::new() else { return };
    let there = Listening::open(place, only_told()).await;
    let (here, other) = (there.place.open(), there.place.open_with(only_told()));
    let hears = tokio::spawn(solved(there.store.clone(), "lost"));
    let told = tokio::spawn(solved(other.clone(), "lost"));
    there.cut().await;
    solve(&here, "lost").await;
    // Another has been told, and so word is out.
    told.await.unwrap();
    assert!(!hears.is_finished(), "nobody has told it");
    there.mend();
    hears.await.unwrap();

    // And from then on, it is told again.
    let hears = tokio::spawn(solved(there.store.clone(), "next"));
    solve(&here, "next").await;
    hears.await.unwrap();
}
