//! What only a file has: locks that end with their process, and a file that two may make at once.

use std::sync::Barrier;

use drag_solver_core::DragSolver as _;
use drag_solver_store::{Clock, SqliteStore, StoreExt as _, jiff::Timestamp};

use crate::place::Place;
use crate::process::{NEW, Process, answering, challenge};

#[tokio::test]
async fn what_a_killed_process_held_is_free_at_once() {
    let place = Place::new().unwrap();
    // No lease ever ends by this clock.
    let clock = Clock::from_fn(|| Timestamp::UNIX_EPOCH);
    let store = place.open_by(clock).await;
    let mut process = Process::start("processes::hold_before_buying", place.address());
    assert_eq!(process.hear(), "holding");
    process.kill();
    let solver = answering().durable(&store);
    solver.solve(&challenge(NEW)).await.unwrap();
    let owners = std::fs::read_dir(place.path().parent().unwrap()).unwrap();
    let owners = owners.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().contains("-owner-")
    });
    assert_eq!(owners.count(), 1, "only of the one that lives");
}

#[test]
fn many_threads_open_a_new_file_at_once() {
    const THREADS: usize = 8;
    let folder = tempfile::tempdir().unwrap();
    let barrier = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for round in 0..10 {
                    let path = folder.path().join(format!("{round}.db"));
                    barrier.wait();
                    let opened = SqliteStore::open(path);
                    barrier.wait(); // the last to close tidies up
                    opened.unwrap();
                }
            });
        }
    });
}
