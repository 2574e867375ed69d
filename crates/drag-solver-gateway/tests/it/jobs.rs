//! Jobs: held, repeated, limited, drained, and gone on with by the next process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use drag_solver::store::{StatusKind, Store as _};
use drag_solver::testing::{MockSolver, fixtures};
use drag_solver::{Solution, solver_fn};
use drag_solver_gateway::GatewayPolicy;
use serde_json::json;
use tokio::time::Instant;

use crate::house::{House, answer_after, coordinates, store};

#[tokio::test(start_paused = true)]
async fn a_question_is_held_until_the_answer_is_there() {
    let house = House::new(&MockSolver::new("house").always(answer_after(3))).await;
    let asked = Instant::now();
    let id = house.create("K", 590).await;
    assert_eq!(
        asked.elapsed(),
        Duration::ZERO,
        "creating waits for no answer"
    );
    assert_eq!(house.poll("K", id).await["status"], "ready");
    assert_eq!(
        asked.elapsed().as_millis() / 100,
        30,
        "{:?}",
        asked.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_question_is_held_for_so_long_and_no_longer() {
    let house = House::new(&MockSolver::new("house").always(answer_after(12))).await;
    let id = house.create("K", 590).await;
    let asked = Instant::now();
    assert_eq!(
        house.poll("K", id).await,
        json!({"errorId": 0, "status": "processing"})
    );
    assert_eq!(asked.elapsed().as_secs(), 9);
    assert_eq!(house.poll("K", id).await["status"], "ready");
    assert_eq!(asked.elapsed().as_secs(), 12);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_held_hears_something_every_three_seconds() {
    use http_body::Body as _;
    let house = House::new(&MockSolver::new("house").always(answer_after(8))).await;
    let id = house.create("K", 590).await;
    let asked = Instant::now();
    let body = json!({"clientKey": "K", "taskId": id}).to_string();
    let request =
        axum::http::Request::post("/getTaskResult").header("content-type", "application/json");
    let response = house.send(request.body(body.into()).unwrap()).await;
    assert_eq!(asked.elapsed().as_secs(), 3);
    let mut body = std::pin::pin!(response.into_body());
    let (mut heard, mut text) = (Vec::new(), String::new());
    while let Some(frame) = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let part = frame.unwrap().into_data().unwrap();
        heard.push(asked.elapsed().as_secs());
        text += std::str::from_utf8(&part).unwrap();
    }
    assert_eq!(heard, [3, 6, 8]);
    assert!(text.starts_with("  {"), "{text}");
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["status"], "ready");
}

#[tokio::test(start_paused = true)]
async fn a_client_of_text_that_gives_up_early_is_told_in_time() {
    let house = House::new(&MockSolver::new("house").always(answer_after(60))).await;
    let id = house.create("K", 590).await;
    for (agent, seconds) in [("python-httpx/0.28.1", 4), ("python-requests/2.34", 9)] {
        let asked = Instant::now();
        let request = axum::http::Request::get(format!("/res.php?key=K&action=get&id={id}"));
        let request = request
            .header("user-agent", agent)
            .body(axum::body::Body::empty());
        let (_, text) = house.text(request.unwrap()).await;
        assert_eq!(
            (&*text, asked.elapsed().as_secs()),
            ("CAPCHA_NOT_READY", seconds),
            "{agent}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_again_is_the_same_job_for_a_while() {
    let mock = MockSolver::new("house").always(fixtures::drag());
    let house = House::new(&mock).await;
    let first = house.create("K", 590).await;
    assert_eq!(
        house.create("K", 590).await,
        first,
        "a request whose answer was lost"
    );
    assert_ne!(house.create("K", 591).await, first, "another picture");
    assert_ne!(house.create("OTHER", 590).await, first, "another key");
    house.poll("K", first).await;
    tokio::time::advance(Duration::from_secs(50)).await;
    assert_eq!(
        house.create("K", 590).await,
        first,
        "also when the minute on the clock is another"
    );
    tokio::time::advance(Duration::from_secs(120)).await;
    let later = house.create("K", 590).await;
    assert_ne!(later, first, "much later, it is meant anew");
    house.poll("K", later).await;
    assert_eq!(mock.purchases(), 4);
}

#[tokio::test(start_paused = true)]
async fn with_no_window_each_is_a_job_of_its_own() {
    let mock = MockSolver::new("house").always(fixtures::drag());
    let policy = GatewayPolicy::default().same_create_within(Duration::ZERO);
    let house = House::with(&mock, store(), policy).await;
    assert_ne!(house.create("K", 590).await, house.create("K", 590).await);
}

#[tokio::test(start_paused = true)]
async fn what_failed_and_is_sent_again_is_tried_again() {
    let mock = MockSolver::new("house")
        .then(drag_solver::ErrorKind::Unsolvable)
        .always(fixtures::drag());
    let house = House::new(&mock).await;
    let first = house.create("K", 590).await;
    assert_eq!(house.poll("K", first).await["errorId"], 12);
    let again = house.create("K", 590).await;
    assert_eq!(house.poll("K", again).await["status"], "ready");
}

#[tokio::test(start_paused = true)]
async fn a_key_sees_its_own_jobs_alone() {
    let house = House::new(&MockSolver::new("house").always(fixtures::drag())).await;
    let id = house.create("K", 590).await;
    assert_eq!(house.poll("K", id).await["status"], "ready");
    let other = house.poll("OTHER", id).await;
    assert_eq!(other["errorCode"], "ERROR_NO_SUCH_CAPCHA_ID", "{other}");
}

#[tokio::test(start_paused = true)]
async fn more_open_jobs_than_there_may_be_are_refused_and_those_that_end_make_room() {
    let mock = MockSolver::new("house").always(answer_after(10));
    let policy = GatewayPolicy::default().open_jobs(2);
    let house = House::with(&mock, store(), policy).await;
    let first = house.create("K", 1).await;
    house.create("K", 2).await;
    let refused = house.post("/createTask", &coordinates("K", 3)).await;
    assert_eq!(refused["errorCode"], "ERROR_NO_SLOT_AVAILABLE", "{refused}");
    assert_eq!(
        house.create("K", 1).await,
        first,
        "one that is there is no other"
    );
    tokio::time::sleep(Duration::from_secs(11)).await;
    house.create("K", 3).await;
}

#[tokio::test(start_paused = true)]
async fn so_many_jobs_are_worked_on_at_once_and_the_others_in_turn() {
    let mock = MockSolver::new("house").always(answer_after(2));
    let policy = GatewayPolicy::default().workers(1);
    let house = House::with(&mock, store(), policy).await;
    let begun = Instant::now();
    let mut ids = Vec::new();
    for width in 1..=3 {
        ids.push(house.create("K", width).await);
    }
    for (n, id) in (1..).zip(ids) {
        while house.poll("K", id).await["status"] != "ready" {}
        assert_eq!(begun.elapsed().as_secs(), 2 * n);
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_stops_lets_jobs_end_and_answers_questions_at_once() {
    let mock = MockSolver::new("house").always(answer_after(8));
    let house = House::new(&mock).await;
    let id = house.create("K", 590).await;
    tokio::task::yield_now().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    house.gateway.stop();
    let asked = Instant::now();
    assert_eq!(house.poll("K", id).await["status"], "processing");
    assert_eq!(asked.elapsed(), Duration::ZERO);
    let (status, text) = {
        let request =
            axum::http::Request::post("/createTask").header("content-type", "application/json");
        house
            .text(
                request
                    .body(coordinates("K", 1).to_string().into())
                    .unwrap(),
            )
            .await
    };
    assert_eq!(status, 503, "{text}");
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(house.poll("K", id).await["status"], "ready");
}

#[tokio::test(start_paused = true)]
async fn what_was_accepted_is_gone_on_with_by_the_next_process_and_paid_once() {
    let store = store();
    let mock = MockSolver::new("house").always(answer_after(100));
    let policy = GatewayPolicy::default().workers(1).drain(Duration::ZERO);
    let (bought, waiting) = {
        let house = House::with(&mock, store.clone(), policy).await;
        let bought = house.create("K", 1).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let waiting = house.create("K", 2).await;
        house.gateway.stop();
        tokio::time::sleep(Duration::from_secs(1)).await;
        (bought, waiting)
    };
    assert_eq!(mock.purchases(), 1);
    let open = store
        .list(&drag_solver::store::Query::default())
        .await
        .unwrap();
    assert_eq!(
        open.iter()
            .map(|one| one.open_jobs().count())
            .collect::<Vec<_>>(),
        [1, 0]
    );

    let next = MockSolver::new("house").always(answer_after(1));
    let house = House::with(&next, store, GatewayPolicy::default()).await;
    assert_eq!(house.poll("K", bought).await["status"], "ready");
    assert_eq!(house.poll("K", waiting).await["status"], "ready");
    assert_eq!(next.purchases(), 1, "what was paid for was fetched");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_panics_takes_no_place_from_others() {
    let calls = Arc::new(AtomicU32::new(0));
    let solver = solver_fn("house", move |_| {
        let first = calls.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            assert!(!first, "a mistake of its author");
            Ok(Solution::new(fixtures::drag(), "house"))
        }
    });
    let policy = GatewayPolicy::default().workers(1).open_jobs(1);
    let house = House::with(&solver, store(), policy).await;
    let lost = house.create("K", 1).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let next = house.create("K", 2).await;
    assert_eq!(house.poll("K", next).await["status"], "ready");
    let again = house.poll("K", lost).await;
    assert_eq!(again["status"], "ready", "it is tried again: {again}");
}

/// A store in a file, where writing takes its time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_on_record_is_worked_on_also_if_its_client_left_before_it_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = drag_solver::store::SqliteStore::open(folder.path().join("drags.db")).unwrap();
    let mock = MockSolver::new("house").always(fixtures::drag());
    let house = House::with(&mock, store.clone(), GatewayPolicy::default()).await;
    for width in 1..=60 {
        let body = coordinates("K", width);
        let mut create = std::pin::pin!(house.post("/createTask", &body));
        for _ in 0..width {
            // Looked at, and left at one of its awaits.
            tokio::select! {
                biased;
                _ = create.as_mut() => break,
                () = tokio::task::yield_now() => {}
            }
        }
    }
    let open = drag_solver::store::Query::default().status(StatusKind::Open);
    let all_ended = async {
        loop {
            store.flush().await.unwrap();
            if store.list(&open).await.unwrap().is_empty() {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(60), all_ended).await;
    assert!(
        ended.is_ok(),
        "some are on record, and nobody works on them"
    );
}
