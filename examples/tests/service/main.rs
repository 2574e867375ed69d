//! `service.rs`, killed with `kill -9` at one point after another, and what is on record held against the provider's
//! books: over a file, and over PostgreSQL.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a failed `unwrap` is a failed test

mod books;
mod world;

use std::path::Path;

use drag_solver::testing::emulator::{Emulator, Fault, Operation};
use drag_solver::testing::pictures::{AnswerKey, TestPicture};
use reqwest::StatusCode;
use tokio::sync::watch;

use self::world::{HeldBack, TheStore, World, until};

/// Has each of these run over a file, and over PostgreSQL where a server can be started.
macro_rules! over_each_store {
    ($(#[$test:meta] async fn $name:ident();)+) => {
        mod over_a_file {
            $(#[$test]
            async fn $name() {
                super::$name(super::TheStore::File).await;
            })+
        }

        mod over_postgres {
            $(#[$test]
            async fn $name() {
                let Some(store) = super::TheStore::postgres() else { return };
                super::$name(store).await;
            })+
        }
    };
}

over_each_store! {
    #[tokio::test(flavor = "multi_thread")]
    async fn killed_when_it_has_accepted_it_buys_everything_once_at_the_next_start();

    #[tokio::test(flavor = "multi_thread")]
    async fn killed_while_purchases_are_on_their_way_it_lists_them_and_buys_none_again();

    #[tokio::test(flavor = "multi_thread")]
    async fn killed_while_it_polls_it_fetches_what_it_paid_for();

    #[tokio::test(flavor = "multi_thread")]
    async fn killed_again_and_again_wherever_it_happens_to_be_it_loses_nothing_and_pays_once();

    #[tokio::test(flavor = "multi_thread")]
    async fn told_to_stop_it_lets_what_is_under_way_end_and_leaves_the_rest_on_record();
}

async fn killed_when_it_has_accepted_it_buys_everything_once_at_the_next_start(store: TheStore) {
    let mut world = World::new(store, Emulator::builder().solver(AnswerKey)).await;
    let idle = world.start(0).await;
    world.accept(&idle, 10).await;
    idle.kill().await;
    assert_eq!(world.creates(), 0);

    let service = world.start(4).await;
    assert_eq!(world.all_answered(&service).await, 20);
    // A request that is sent again is accepted again, and is no other purchase.
    world.ask(&service, "K1", 0, 0).await;
    assert_eq!(world.all_answered(&service).await, 20);
    service.terminate().await;
    let books = world.reconcile().await;
    assert_eq!((books.created, books.unconfirmed), (20, 0));
    assert_eq!(books.spent, world.provider.stats().spent);
}

async fn killed_while_purchases_are_on_their_way_it_lists_them_and_buys_none_again(
    store: TheStore,
) {
    let provider = Emulator::builder().solver(AnswerKey);
    // Bought, and the answer that would say so never comes.
    let mut world = World::new(store, provider.fault(Operation::Create, Fault::Hang, 4)).await;
    let service = world.start_with_open(5, 4).await;
    until("four purchases", async || world.creates() == 4).await;
    service.kill().await;

    let service = world.start(4).await;
    assert_eq!(world.all_answered(&service).await, 6);
    service.terminate().await;
    let books = world.reconcile().await;
    assert_eq!((books.created, books.unconfirmed), (10, 4));
    assert_eq!(books.spent, world.provider.stats().spent);
}

async fn killed_while_it_polls_it_fetches_what_it_paid_for(store: TheStore) {
    let held = HeldBack(watch::Sender::new(false));
    let mut world = World::new(store, Emulator::builder().solver(held.clone())).await;
    let service = world.start_with_open(5, 4).await;
    until("four jobs that are polled", async || {
        let jobs = world.provider.jobs();
        jobs.len() == 4 && jobs.iter().all(|job| job.polls > 0)
    })
    .await;
    service.kill().await;

    let service = world.start(4).await;
    held.0.send_replace(true);
    assert_eq!(world.all_answered(&service).await, 10);
    service.terminate().await;
    let books = world.reconcile().await;
    assert_eq!((books.created, books.unconfirmed), (10, 0));
    assert_eq!(books.spent, world.provider.stats().spent);
}

async fn killed_again_and_again_wherever_it_happens_to_be_it_loses_nothing_and_pays_once(
    store: TheStore,
) {
    let mut world = World::new(
        store,
        Emulator::builder().solver(AnswerKey).running_polls(2),
    )
    .await;
    for round in 1..=5 {
        let service = world.start(3).await;
        world.accept(&service, 3).await;
        let enough = round * 4;
        until("some purchases", async || world.creates() >= enough).await;
        service.kill().await;
    }
    let service = world.start(4).await;
    let solved = world.all_answered(&service).await;
    service.terminate().await;
    let books = world.reconcile().await;
    assert_eq!(solved + books.unconfirmed, 30);
    // At most what three workers were just sending, each time.
    assert!(books.unconfirmed <= 15, "{} unconfirmed", books.unconfirmed);
}

async fn told_to_stop_it_lets_what_is_under_way_end_and_leaves_the_rest_on_record(store: TheStore) {
    let held = HeldBack(watch::Sender::new(false));
    let mut world = World::new(store, Emulator::builder().solver(held.clone())).await;
    let service = world.start_with_open(3, 2).await;
    until("two jobs", async || world.creates() == 2).await;
    let address = service.url.clone();
    let http = world.http.clone();
    let release = async {
        until("a service that accepts nothing more", async || {
            http.get(format!("{address}/metrics")).send().await.is_err()
        })
        .await;
        held.0.send_replace(true);
    };
    tokio::join!(service.terminate(), release);
    assert_eq!(world.provider.stats().answers_fetched, 2);
    assert_eq!(world.creates(), 2, "no other was begun");

    let service = world.start(2).await;
    assert_eq!(world.all_answered(&service).await, 6);
    service.terminate().await;
    assert_eq!(world.reconcile().await.unconfirmed, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_key_sees_nothing_and_each_tenant_only_its_own() {
    let mut world = World::new(TheStore::File, Emulator::builder().solver(AnswerKey)).await;
    let service = world.start(2).await;
    world.accept(&service, 1).await;
    world.all_answered(&service).await;
    let ask = |key: &'static str, id: &str| {
        let url = format!("{}/v1/drags/{id}", service.url);
        world.http.get(url).bearer_auth(key).send()
    };
    let status = |response: reqwest::Response| response.status();
    assert_eq!(
        status(ask("K3", "order-0").await.unwrap()),
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        status(ask("K1", "order-1").await.unwrap()),
        StatusCode::NOT_FOUND
    );
    let other = TestPicture::draw_sized(77, 100, 200).unwrap();
    let post = |body| {
        let url = format!("{}/v1/drags?id=order-0", service.url);
        world.http.post(url).bearer_auth("K1").body(body).send()
    };
    let conflict = post(other.screenshot().bytes().clone()).await.unwrap();
    assert_eq!(conflict.status(), StatusCode::CONFLICT);
    let nonsense = post("no picture".into()).await.unwrap();
    assert_eq!(nonsense.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let metrics = world.http.get(format!("{}/metrics", service.url)).send();
    assert!(metrics.await.unwrap().status().is_success());
}

/// What its head says of its lines.
#[test]
fn the_service_is_as_long_as_it_says() {
    let code = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("service.rs"));
    let code = code.unwrap();
    let mut parts = code.split("\n// Part: ");
    let head = parts.next().unwrap();
    let mut all = 0;
    for part in parts {
        let (name, body) = part.split_once(".\n").unwrap();
        let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
        let lines = body.lines().filter(is_code).count();
        let row = format!("//! | {name} | {lines} |");
        assert!(head.contains(&row), "there is no row {row}");
        all += lines;
    }
    println!("{all} lines");
}
