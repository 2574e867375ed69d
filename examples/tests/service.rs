//! `service.rs`, killed with `kill -9` at one point after another, and what is on record held against the provider's
//! books.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a failed `unwrap` is a failed test

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use drag_solver::prelude::*;
use drag_solver::store::{ChallengeRecord, Query, Status};
use drag_solver::testing::emulator::{Emulator, EmulatorBuilder, Fault, Operation, Protocol};
use drag_solver::testing::pictures::{AnswerKey, TestPicture};
use drag_solver::{SqliteStore, Store as _, StoredBudget, StoredBudgetPolicy};
use reqwest::StatusCode;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

const CHAIN: &str = r#"
    deadline = "10m"
    budget = { name = "tenants", by_label = true, per_day = "1" }
    [[providers]]
    kind = "omocaptcha"
    price = "0.0009"
    poll = { first = "1ms", every = "1ms" }
"#;

const TENANTS: [(&str, &str); 2] = [("acme", "K1"), ("globex", "K2")];

/// How long anything may take, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something can be seen, and looks often.
async fn until(what: &str, mut seen: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !seen().await {
        assert!(
            begun.elapsed() < PATIENCE,
            "not within {PATIENCE:?}: {what}"
        );
        sleep(Duration::from_millis(2)).await;
    }
}

/// Workers that know the test pictures, and hold their answers back until they are told.
#[derive(Clone, Debug)]
struct HeldBack(watch::Sender<bool>);

#[async_trait]
impl DragSolver for HeldBack {
    fn name(&self) -> &'static str {
        "held-back"
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let mut released = self.0.subscribe();
        released.wait_for(|released| *released).await.unwrap();
        AnswerKey.solve(challenge).await
    }
}

/// A provider, what outlives the service, and all that was accepted.
struct World {
    provider: Emulator,
    folder: tempfile::TempDir,
    http: reqwest::Client,
    /// The seed of the picture, by tenant, key and id.
    accepted: BTreeSet<(&'static str, &'static str, String, u64)>,
}

/// The service as a process.
struct Service {
    process: Child,
    url: String,
}

impl Service {
    async fn kill(mut self) {
        self.process.start_kill().unwrap(); // SIGKILL
        self.process.wait().await.unwrap();
    }

    async fn terminate(mut self) {
        let id = self.process.id().unwrap().to_string();
        let kill = std::process::Command::new("kill")
            .args(["-s", "TERM", &id])
            .status();
        assert!(kill.unwrap().success());
        let ended = timeout(PATIENCE, self.process.wait()).await;
        assert!(ended.expect("it ends by itself").unwrap().success());
    }
}

/// Cargo builds the examples for the tests of their package, beside them.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.ancestors().nth(2).unwrap();
    profile.join("examples").join("service")
}

impl World {
    async fn new(provider: EmulatorBuilder) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("chain.toml"), CHAIN).unwrap();
        Self {
            provider: provider.remembered_requests(100_000).start().await.unwrap(),
            folder,
            http: reqwest::Client::new(),
            accepted: BTreeSet::new(),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("drags.db")
    }

    async fn start(&self, workers: usize) -> Service {
        let mut process = Command::new(program())
            .args(["--listen", "127.0.0.1:0", "--workers", &workers.to_string()])
            .arg("--config")
            .arg(self.folder.path().join("chain.toml"))
            .arg("--store")
            .arg(self.file())
            .env("TENANT_KEYS", "acme=K1 globex=K2")
            .env("OMOCAPTCHA_API_TOKEN", "hunter2")
            .env(
                "OMOCAPTCHA_BASE_URL",
                self.provider.url(Protocol::OmocaptchaV1),
            )
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("`cargo test -p drag-solver-examples` builds the service");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line())
            .await
            .expect("it starts");
        let line = line.unwrap().expect("it says where it listens");
        let address = line.strip_prefix("listening on ").unwrap();
        let url = format!("http://{address}");
        // Nobody reads on, and it must be able to say that it has stopped.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Service { process, url }
    }

    /// Has `count` more accepted of each tenant: both have the same ids.
    async fn accept(&mut self, service: &Service, count: u64) {
        let first = self.accepted.len() as u64;
        for number in first..first + count {
            for (index, (tenant, key)) in TENANTS.into_iter().enumerate() {
                let seed = number * 2 + index as u64;
                self.ask(service, key, number, seed).await;
                self.accepted
                    .insert((tenant, key, format!("order-{number}"), seed));
            }
        }
    }

    async fn ask(&self, service: &Service, key: &str, number: u64, seed: u64) {
        let picture = TestPicture::draw_sized(seed, 100, 200).unwrap();
        let url = format!("{}/v1/drags?id=order-{number}", service.url);
        let request = self.http.post(url).bearer_auth(key);
        let body = picture.screenshot().bytes().clone();
        let response = request.body(body).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
    }

    async fn answer(&self, service: &Service, key: &str, id: &str) -> serde_json::Value {
        let url = format!("{}/v1/drags/{id}", service.url);
        let response = self.http.get(url).bearer_auth(key).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{key} {id}");
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    }

    /// Waits until each of what was accepted has an answer, and says which of them have a drag: the right one.
    async fn all_answered(&self, service: &Service) -> usize {
        let mut solved = 0;
        for (tenant, key, id, seed) in &self.accepted {
            let mut said = serde_json::Value::Null;
            until(&format!("an answer to {tenant}/{id}"), async || {
                said = self.answer(service, key, id).await;
                said["status"] != "open"
            })
            .await;
            if said["status"] == "solved" {
                let drag = TestPicture::draw_sized(*seed, 100, 200).unwrap().drag();
                let found: Drag = serde_json::from_value(said["drag"].clone()).unwrap();
                assert!((found.start.x - drag.start.x).abs() <= 1.0, "{tenant}/{id}");
                solved += 1;
            } else {
                assert_eq!(said["error"], "unconfirmed", "{tenant}/{id}: {said}");
            }
        }
        solved
    }

    fn creates(&self) -> usize {
        self.provider.requests_to("/api/createJob")
    }

    /// Holds the record against the provider's books, when each challenge has ended.
    async fn reconcile(&self) -> Books {
        let store = SqliteStore::open(self.file()).unwrap();
        let records = store.list(&Query::default()).await.unwrap();
        let ids: BTreeSet<_> = records.iter().map(|record| &*record.id).collect();
        let accepted = self
            .accepted
            .iter()
            .map(|(tenant, _, id, _)| format!("{tenant}/{id}"));
        let accepted: BTreeSet<_> = accepted.collect();
        assert_eq!(ids, accepted.iter().map(String::as_str).collect());

        // No picture was bought twice, and what was bought is on record.
        let requests = self.provider.requests();
        let orders = requests.iter().filter(|it| it.path() == "/api/createJob");
        let pictures: Vec<_> = orders.map(|it| it.body.clone()).collect();
        let distinct: BTreeSet<_> = pictures.iter().collect();
        assert_eq!(
            distinct.len(),
            pictures.len(),
            "a challenge was bought twice"
        );
        let created = self.provider.stats().jobs_created;
        let jobs = records.iter().flat_map(|record| &record.purchases);
        let known = jobs.filter(|purchase| purchase.job.is_some()).count() as u64;
        let unconfirmed: usize = records.iter().map(|it| it.unconfirmed().count()).sum();
        assert!(known <= created && created <= known + unconfirmed as u64);

        // What nobody knows is listed, by name.
        let mut query = Query::default();
        query.unconfirmed = true;
        let listed = store.list(&query).await.unwrap();
        let unsolved = |it: &&ChallengeRecord| !matches!(it.status, Status::Solved { .. });
        let unsolved: Vec<_> = records.iter().filter(unsolved).map(|it| &it.id).collect();
        assert_eq!(listed.iter().map(|it| &it.id).collect::<Vec<_>>(), unsolved);
        for record in &records {
            assert!(record.purchases.len() <= 1, "{record:?}");
            assert!(record.open_jobs().next().is_none(), "{record:?}");
        }

        // Each tenant has spent what was bought for it.
        let budget = StoredBudget::by_label(&store, "tenants", |_| StoredBudgetPolicy::default());
        let mut spent = BTreeMap::new();
        for (tenant, _) in TENANTS {
            let bought = records
                .iter()
                .filter(|it| it.label.as_deref() == Some(tenant));
            let bought: Vec<_> = bought.flat_map(|it| &it.purchases).collect();
            let price: Usd = "0.0009".parse().unwrap();
            let most = price * u32::try_from(bought.len()).unwrap();
            let unconfirmed = bought.iter().filter(|it| it.is_unconfirmed()).count();
            let least = price * u32::try_from(bought.len() - unconfirmed).unwrap();
            let state = budget.state(Some(tenant)).await.unwrap();
            assert_eq!(state.reserved, Usd::ZERO);
            assert!(
                least <= state.spent && state.spent <= most,
                "{tenant}: {state:?}"
            );
            spent.insert(tenant, state.spent);
        }
        let spent = spent.into_values().sum::<Usd>();
        assert!(
            spent >= self.provider.stats().spent,
            "what was sent was charged"
        );
        Books {
            created,
            unconfirmed,
            spent,
        }
    }
}

struct Books {
    created: u64,
    unconfirmed: usize,
    spent: Usd,
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_when_it_has_accepted_it_buys_everything_once_at_the_next_start() {
    let mut world = World::new(Emulator::builder().solver(AnswerKey)).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_purchases_are_on_their_way_it_lists_them_and_buys_none_again() {
    let provider = Emulator::builder().solver(AnswerKey);
    // Bought, and the answer that would say so never comes.
    let mut world = World::new(provider.fault(Operation::Create, Fault::Hang, 4)).await;
    let service = world.start(4).await;
    world.accept(&service, 5).await;
    until("four purchases", async || world.creates() == 4).await;
    service.kill().await;

    let service = world.start(4).await;
    assert_eq!(world.all_answered(&service).await, 6);
    service.terminate().await;
    let books = world.reconcile().await;
    assert_eq!((books.created, books.unconfirmed), (10, 4));
    assert_eq!(books.spent, world.provider.stats().spent);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_polls_it_fetches_what_it_paid_for() {
    let held = HeldBack(watch::Sender::new(false));
    let mut world = World::new(Emulator::builder().solver(held.clone())).await;
    let service = world.start(4).await;
    world.accept(&service, 5).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_wherever_it_happens_to_be_it_loses_nothing_and_pays_once() {
    let mut world = World::new(Emulator::builder().solver(AnswerKey).running_polls(2)).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_lets_what_is_under_way_end_and_leaves_the_rest_on_record() {
    let held = HeldBack(watch::Sender::new(false));
    let mut world = World::new(Emulator::builder().solver(held.clone())).await;
    let service = world.start(2).await;
    world.accept(&service, 3).await;
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
    let mut world = World::new(Emulator::builder().solver(AnswerKey)).await;
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
