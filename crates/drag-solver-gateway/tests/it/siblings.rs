//! Gateways of one store: each answers for any job, and continues what another has left.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use drag_solver::store::jiff::{SignedDuration, Timestamp};
use drag_solver::store::{
    ChallengeRecord, Clock, Fact, SqliteOptions, SqliteStore, Store, StoreError, forward_store,
};
use drag_solver::testing::{MockSolver, fixtures};
use drag_solver::{DragSolver as _, ErrorKind, async_trait, solver_fn};
use drag_solver_gateway::GatewayPolicy;
use futures_util::future::BoxFuture;
use serde_json::json;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep, timeout};

use crate::house::{House, answer_after, coordinates, store};

fn one_worker() -> GatewayPolicy {
    GatewayPolicy::default().workers(1)
}

/// Asks until there is a result, and says how long that took from `begun` on.
async fn ended(house: &House, id: u64, begun: Instant) -> u64 {
    loop {
        let result = house.poll("K", id).await;
        if result["status"] != "processing" {
            assert_eq!(result["status"], "ready", "{result}");
            return begun.elapsed().as_secs();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_one_has_accepted_and_does_not_come_to_is_answered_by_another() {
    let (store, mock) = (store(), MockSolver::new("house").always(answer_after(1)));
    let busy = House::with(&mock, store.clone(), GatewayPolicy::default()).await;
    let idle = House::with(&mock, store, GatewayPolicy::default()).await;
    busy.stop_working();
    sleep(Duration::from_millis(500)).await;
    let begun = Instant::now();
    let id = busy.create("K", 590).await;
    let (there, here) = tokio::join!(ended(&idle, id, begun), ended(&busy, id, begun));
    assert!(
        (4..=6).contains(&there),
        "left to the other for 3 s, and taken within 2: {there}"
    );
    assert!((there..=there + 2).contains(&here), "{there} {here}");
    assert_eq!(mock.purchases(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_takes_as_much_as_it_has_workers_for() {
    let store = store();
    let (mock, slow) = (MockSolver::new("house"), MockSolver::new("house"));
    let (mock, slow) = (mock.always(answer_after(5)), slow.always(answer_after(40)));
    let gone = House::with(&mock, store.clone(), one_worker()).await;
    let one = House::with(&slow, store.clone(), one_worker().open_jobs(2)).await;
    let other = House::with(&mock, store, GatewayPolicy::default().workers(2)).await;
    gone.stop_working();
    let begun = Instant::now();
    one.create("K", 1).await;
    let mut left = Vec::new();
    for width in 2..=5 {
        left.push(gone.create("K", width).await);
    }
    sleep(Duration::from_secs(6)).await;
    assert_eq!(mock.max_in_flight(), 2);
    one.create("K", 6).await; // there is a place: none of the others has one
    for id in left {
        assert!(ended(&other, id, begun).await < 20);
    }
    assert_eq!((slow.purchases(), mock.purchases()), (1, 5));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_another_works_on_takes_no_worker_here() {
    let (store, begun) = (store(), Instant::now());
    let (here, there) = (MockSolver::new("house"), MockSolver::new("house"));
    let (here, there) = (here.always(answer_after(5)), there.always(answer_after(30)));
    let gone = House::with(&here, store.clone(), one_worker()).await;
    gone.stop_working();
    let (first, second) = (gone.create("K", 1).await, gone.create("K", 2).await);
    // Both of them find both: this one works on the first, and has the second in its queue when the other begins it.
    let one = House::with(&here, store.clone(), one_worker()).await;
    sleep(Duration::from_secs(1)).await;
    let other = House::with(&there, store, GatewayPolicy::default()).await;
    sleep(Duration::from_secs(1)).await;
    let third = one.create("K", 3).await;
    let waits = ended(&one, second, begun);
    let others = async {
        (
            ended(&other, first, begun).await,
            ended(&one, third, begun).await,
        )
    };
    let (waited, others) = tokio::join!(waits, others);
    assert_eq!(others, (5, 10), "the second is another's");
    assert_eq!(waited, 31, "and who asks here for it hears of it");
    assert_eq!((here.purchases(), there.purchases()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn what_was_paid_for_is_gone_on_with_also_where_no_worker_is_free() {
    let (store, begun) = (store(), Instant::now());
    let mock = MockSolver::new("house").always(answer_after(10));
    let dies = House::with(&mock, store.clone(), one_worker()).await;
    let busy = House::with(&mock, store, one_worker()).await;
    let (paid, first) = (dies.create("K", 1).await, busy.create("K", 2).await);
    sleep(Duration::from_millis(100)).await;
    dies.crash().await;
    sleep(Duration::from_secs(5)).await;
    let last = busy.create("K", 3).await;
    let ends = [first, paid, last].map(|id| ended(&busy, id, begun));
    let ends = futures_util::future::join_all(ends).await;
    assert!(
        ends[0] < ends[1] && ends[1] < ends[2],
        "in the order in which they came to it: {ends:?}"
    );
    assert_eq!(mock.purchases(), 3);
}

/// A store that is far away.
#[derive(Clone, Debug)]
struct Far(SqliteStore);

#[async_trait]
impl Store for Far {
    async fn find_with_picture(&self, id: &str) -> Result<Option<ChallengeRecord>, StoreError> {
        let found = self.0.find_with_picture(id).await;
        sleep(Duration::from_millis(10)).await;
        found
    }
    forward_store!(0 except find_with_picture);
}

#[tokio::test(start_paused = true)]
async fn of_two_that_begin_the_same_job_at_once_one_goes_on_with_another() {
    let (store, begun) = (Far(store()), Instant::now());
    let mock = MockSolver::new("house").always(answer_after(10));
    let gone = House::with(&mock, store.clone(), one_worker()).await;
    gone.stop_working();
    let (first, second) = (gone.create("K", 1).await, gone.create("K", 2).await);
    let one = House::with(&mock, store.clone(), one_worker()).await;
    let other = House::with(&mock, store, one_worker()).await;
    let ends = tokio::join!(ended(&one, first, begun), ended(&other, second, begun));
    assert_eq!(ends, (10, 10));
    assert_eq!(mock.purchases(), 2);
}

/// A store that is far away, and tells of each end of a call.
#[derive(Clone, Debug)]
struct Telling(SqliteStore, watch::Sender<()>);

#[async_trait]
impl Store for Telling {
    fn record(&self, fact: Fact) -> BoxFuture<'static, Result<(), StoreError>> {
        let ends = matches!(fact, Fact::Finished { .. });
        let (recorded, told) = (self.0.record(fact), self.1.clone());
        Box::pin(async move {
            recorded.await?;
            if ends {
                told.send_replace(());
            }
            Ok(())
        })
    }
    fn changed(&self, _: &str) -> BoxFuture<'static, ()> {
        let mut told = self.1.subscribe();
        Box::pin(async move {
            let _ = told.changed().await;
        })
    }
    async fn find(&self, id: &str) -> Result<Option<ChallengeRecord>, StoreError> {
        let found = self.0.find(id).await;
        sleep(Duration::from_millis(10)).await;
        found
    }
    forward_store!(0 except record, find, changed);
}

#[tokio::test(start_paused = true)]
async fn who_asks_one_hears_at_once_what_another_has_found() {
    let store = Telling(store(), watch::Sender::new(()));
    let mock = MockSolver::new("house").always(answer_after(3));
    let one = House::with(&mock, store.clone(), GatewayPolicy::default()).await;
    let other = House::with(&mock, store, GatewayPolicy::default()).await;
    let id = one.create("K", 590).await;
    let begun = Instant::now();
    let asked = |after| {
        let (other, after) = (&other, Duration::from_millis(after));
        async move {
            sleep(after).await;
            assert_eq!(other.poll("K", id).await["status"], "ready");
            begun.elapsed()
        }
    };
    // The second one is told while it looks.
    let took: [Duration; 2] = tokio::join!(asked(100), asked(2_995)).into();
    assert!(took.iter().all(|took| took.as_millis() < 3_030), "{took:?}");
    assert_eq!(mock.purchases(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_failed_here_and_is_accepted_again_there_has_the_new_answer_here_too() {
    let (store, mock) = (store(), MockSolver::new("house"));
    let mock = mock.then(ErrorKind::Unsolvable).always(fixtures::drag());
    let one = House::with(&mock, store.clone(), GatewayPolicy::default()).await;
    let other = House::with(&mock, store, GatewayPolicy::default()).await;
    let id = one.create("K", 590).await;
    assert_eq!(one.poll("K", id).await["errorId"], 12);
    assert_eq!(other.create("K", 590).await, id);
    assert_eq!(one.poll("K", id).await["status"], "ready");
}

#[tokio::test(start_paused = true)]
async fn a_long_backlog_is_taken_whole() {
    let (store, begun) = (store(), Instant::now());
    let mock = MockSolver::new("house").always(answer_after(1));
    let gone = House::with(&mock, store.clone(), GatewayPolicy::default()).await;
    gone.stop_working();
    let mut left = Vec::new();
    let mut create = coordinates("K", 1);
    for n in 1..=120 {
        create["task"]["comment"] = json!(format!("drag {n}"));
        let created = gone.post("/createTask", &create).await;
        left.push(created["taskId"].as_u64().unwrap());
    }
    let house = House::with(&mock, store, one_worker()).await;
    for (place, id) in (1..).zip(left) {
        assert_eq!(ended(&house, id, begun).await, place);
    }
}

/// Two processes, one of which is not heard of for longer than its lease, while a call of it has paid.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_gateway_that_hangs_has_paid_for_is_fetched_by_another_and_its_own_end_counts_for_nothing()
 {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("drags.db");
    let ahead = Arc::new(AtomicI64::new(0));
    let clock = Arc::clone(&ahead);
    let clock = Clock::from_fn(move || {
        let seconds = clock.load(Ordering::Relaxed);
        Timestamp::now() + SignedDuration::from_secs(seconds)
    });
    let hangs_in = SqliteStore::open(&file).unwrap();
    let store = SqliteStore::open_with(&file, SqliteOptions::default().clock(clock)).unwrap();

    let (bought, answered) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (paid, calls) = (
        MockSolver::new("house").always(fixtures::drag()),
        Arc::new(AtomicI64::new(0)),
    );
    let hanging = {
        let (paid, bought, answered) = (paid.clone(), bought.clone(), answered.clone());
        let calls = calls.clone();
        solver_fn("house", move |challenge| {
            let (paid, bought, answered) = (paid.clone(), bought.clone(), answered.clone());
            calls.fetch_add(1, Ordering::Relaxed);
            async move {
                let solution = paid.solve(&challenge).await;
                bought.add_permits(1);
                answered.acquire().await.unwrap().forget();
                solution
            }
        })
    };
    let hangs = House::with(&hanging, hangs_in, GatewayPolicy::default()).await;
    let next = MockSolver::new("house").always(fixtures::drag());
    let other = House::with(&next, store, GatewayPolicy::default()).await;
    let id = hangs.create("K", 590).await;
    bought.acquire().await.unwrap().forget();

    let result = async |house: &House| loop {
        let result = house.poll("K", id).await;
        if result["status"] != "processing" {
            break result;
        }
    };
    let all = async {
        ahead.store(60, Ordering::Relaxed);
        let there = result(&other).await;
        assert_eq!(there["status"], "ready", "{there}");
        // Now the first one continues, with an answer that comes too late.
        answered.add_permits(100);
        let here = result(&hangs).await;
        assert_eq!(here["solution"], there["solution"]);
        assert_eq!((paid.purchases(), next.purchases()), (1, 0));
        assert_eq!(
            calls.load(Ordering::Relaxed),
            1,
            "it asks the store, not the provider"
        );
    };
    timeout(Duration::from_secs(60), all).await.unwrap();
}
