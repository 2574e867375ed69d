//! The service as a process, a provider, and what outlives both.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use drag_solver::prelude::*;
use drag_solver::store::{PostgresOptions, PostgresStore, SqliteStore, StoreHandle};
use drag_solver::testing::emulator::{Emulator, EmulatorBuilder, Protocol};
use drag_solver::testing::pictures::{AnswerKey, TestPicture};
use drag_solver_tests::postgres::Server;
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

/// Of a killed service, what it had taken up is free after 2 s.
const IN_POSTGRES: &str = r#"
    [store]
    url = { env = "DATABASE_URL" }
    lease = "2s"
"#;

pub(crate) const TENANTS: [(&str, &str); 2] = [("acme", "K1"), ("globex", "K2")];

/// How long anything may take, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something can be seen, and looks often.
pub(crate) async fn until(what: &str, mut seen: impl AsyncFnMut() -> bool) {
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
pub(crate) struct HeldBack(pub(crate) watch::Sender<bool>);

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

/// Where it is kept what outlives the service.
pub(crate) enum TheStore {
    File,
    Postgres(Server),
}

impl TheStore {
    /// `None`, and a word about it, where there is no server.
    pub(crate) fn postgres() -> Option<Self> {
        Server::start().map(Self::Postgres)
    }
}

/// A provider, what outlives the service, and all that was accepted.
pub(crate) struct World {
    pub(crate) provider: Emulator,
    store: TheStore,
    folder: tempfile::TempDir,
    pub(crate) http: reqwest::Client,
    /// The seed of the picture, by tenant, key and id.
    pub(crate) accepted: BTreeSet<(&'static str, &'static str, String, u64)>,
}

/// The service as a process.
pub(crate) struct Service {
    process: Child,
    pub(crate) url: String,
}

impl Service {
    pub(crate) async fn kill(mut self) {
        self.process.start_kill().unwrap(); // SIGKILL
        self.process.wait().await.unwrap();
    }

    pub(crate) async fn terminate(mut self) {
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
    pub(crate) async fn new(store: TheStore, provider: EmulatorBuilder) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let chain = match store {
            TheStore::File => CHAIN.to_owned(),
            TheStore::Postgres(_) => format!("{CHAIN}{IN_POSTGRES}"),
        };
        std::fs::write(folder.path().join("chain.toml"), chain).unwrap();
        Self {
            provider: provider.remembered_requests(100_000).start().await.unwrap(),
            store,
            folder,
            http: reqwest::Client::new(),
            accepted: BTreeSet::new(),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("drags.db")
    }

    pub(crate) fn open(&self) -> StoreHandle {
        match &self.store {
            TheStore::File => StoreHandle::from(&SqliteStore::open(self.file()).unwrap()),
            TheStore::Postgres(server) => {
                let store = PostgresStore::open(&server.url().into(), PostgresOptions::default());
                StoreHandle::from(&store.unwrap())
            }
        }
    }

    pub(crate) async fn start(&self, workers: usize) -> Service {
        let mut command = Command::new(program());
        match &self.store {
            TheStore::File => command.arg("--store").arg(self.file()),
            TheStore::Postgres(server) => command.env("DATABASE_URL", server.url()),
        };
        let mut process = command
            .args(["--listen", "127.0.0.1:0", "--workers", &workers.to_string()])
            .arg("--config")
            .arg(self.folder.path().join("chain.toml"))
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
    pub(crate) async fn accept(&mut self, service: &Service, count: u64) {
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

    /// Starts it with `count` of each tenant that are open.
    ///
    /// Each has a worker of its own then: what is accepted while a start looks for what is open may be begun twice, and
    /// the second waits for the first.
    pub(crate) async fn start_with_open(&mut self, count: u64, workers: usize) -> Service {
        let idle = self.start(0).await;
        self.accept(&idle, count).await;
        idle.kill().await;
        self.start(workers).await
    }

    pub(crate) async fn ask(&self, service: &Service, key: &str, number: u64, seed: u64) {
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
    pub(crate) async fn all_answered(&self, service: &Service) -> usize {
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

    pub(crate) fn creates(&self) -> usize {
        self.provider.requests_to("/api/createJob")
    }
}
