//! A gateway in front of a mock.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use drag_solver::DragSolver;
use drag_solver::config::{ChainConfig, ChainParts, Registry};
use drag_solver::store::jiff::Timestamp;
use drag_solver::store::{Clock, KeyRecord, SqliteStore, Store, key_hash};
use drag_solver::testing::{MockSolver, Outcome, fixtures};
use drag_solver_gateway::{Gateway, GatewayBuilder, GatewayPolicy, Keys};
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// What each answer costs, in US dollars.
pub(crate) const PRICE: &str = "0.001";

/// What ends with a test: the gateway in front of a mock.
pub(crate) struct House {
    pub(crate) gateway: Gateway,
    router: Router,
    work: tokio::task::JoinHandle<()>,
}

/// An answer after so many seconds.
pub(crate) fn answer_after(seconds: u64) -> Outcome {
    Outcome::answer(fixtures::drag()).after(Duration::from_secs(seconds))
}

/// A store in memory, on tokio's clock.
pub(crate) fn store() -> SqliteStore {
    let start = Timestamp::from_second(1_800_000_000).unwrap();
    SqliteStore::in_memory(Clock::tokio(start)).unwrap()
}

/// A key of this name, on record, and changed like this.
pub(crate) async fn add_key(
    store: &SqliteStore,
    name: &str,
    change: impl FnOnce(&mut KeyRecord),
) -> String {
    let key = format!("{name}-0123456789abcdef");
    let mut record = KeyRecord::new(name, key_hash(&key), Timestamp::UNIX_EPOCH).unwrap();
    change(&mut record);
    assert!(store.add_key(&record).await.unwrap());
    key
}

/// A picture of this width, which tells it from others, in base64.
pub(crate) fn picture(width: u16) -> String {
    STANDARD.encode(fixtures::screenshot_sized(width, 1280).bytes())
}

impl House {
    pub(crate) async fn new(mock: &MockSolver) -> Self {
        Self::with(mock, store(), GatewayPolicy::default()).await
    }

    pub(crate) async fn with(
        mock: &(impl DragSolver + Clone),
        store: impl Store + Clone,
        policy: GatewayPolicy,
    ) -> Self {
        Self::built(mock, store, |builder| builder.policy(policy)).await
    }

    /// With everything that a gateway can be built with.
    pub(crate) async fn built(
        mock: &(impl DragSolver + Clone),
        store: impl Store + Clone,
        change: impl FnOnce(GatewayBuilder) -> GatewayBuilder,
    ) -> Self {
        let registry = registered(Registry::empty(), "house", mock);
        Self::of_chain(registry, &["house"], store, change).await
    }

    /// In front of these providers, each the fallback of the one before it.
    pub(crate) async fn of_chain(
        registry: Registry,
        kinds: &[&str],
        store: impl Store + Clone,
        change: impl FnOnce(GatewayBuilder) -> GatewayBuilder,
    ) -> Self {
        let providers = kinds
            .iter()
            .map(|kind| json!({"kind": kind, "price": PRICE}));
        let file = json!({"providers": providers.collect::<Vec<_>>()});
        let config: ChainConfig = serde_json::from_value(file).unwrap();
        let keys = Keys::open(&store).await.unwrap();
        let parts = ChainParts::default()
            .store(&store)
            .spend_also_from(keys.budget());
        let chain = config.build_with(&registry, parts).unwrap();
        let gateway = change(Gateway::builder(chain, keys)).build().unwrap();
        let run = gateway.clone();
        Self {
            router: gateway.router(),
            gateway,
            work: tokio::spawn(async move { run.run(std::future::pending()).await }),
        }
    }

    /// Ends as a process does that is killed.
    pub(crate) async fn crash(self) {
        self.work.abort();
        let _ = self.work.await;
    }

    /// From here on it works on nothing, and still accepts and answers.
    pub(crate) fn stop_working(&self) {
        self.work.abort();
    }

    /// How long it takes from here on until its work has ended.
    pub(crate) async fn ended(self) -> Duration {
        let began = tokio::time::Instant::now();
        self.work.await.unwrap();
        began.elapsed()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Status and text of the response.
    pub(crate) async fn text(&self, request: Request<Body>) -> (u16, String) {
        let response = self.send(request).await;
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// What a POST of this JSON brings.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        let request = Request::post(path).header("content-type", "application/json");
        let (status, text) = self
            .text(request.body(body.to_string().into()).unwrap())
            .await;
        let json: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status} {text}"));
        json
    }

    pub(crate) async fn get(&self, target: &str) -> String {
        let (status, text) = self
            .text(Request::get(target).body(Body::empty()).unwrap())
            .await;
        assert_eq!(status, 200, "{text}");
        text
    }

    /// Creates a job of 2Captcha's kind, and says its id.
    pub(crate) async fn create(&self, key: &str, width: u16) -> u64 {
        let created = self.post("/createTask", &coordinates(key, width)).await;
        created["taskId"]
            .as_u64()
            .unwrap_or_else(|| panic!("{created}"))
    }

    /// Asks for the job's result once.
    pub(crate) async fn poll(&self, key: &str, id: u64) -> Value {
        self.post("/getTaskResult", &json!({"clientKey": key, "taskId": id}))
            .await
    }
}

/// A provider that has no settings.
pub(crate) fn registered(
    registry: Registry,
    kind: &str,
    solver: &(impl DragSolver + Clone),
) -> Registry {
    #[derive(serde::Deserialize)]
    struct NoSettings {}
    let solver = solver.clone();
    let made = registry.register(kind, move |_: NoSettings, _| Ok(solver.clone()));
    made.unwrap()
}

/// The body of `createTask` for 2Captcha's kind of task.
pub(crate) fn coordinates(key: &str, width: u16) -> Value {
    json!({"clientKey": key, "task": {"type": "CoordinatesTask", "body": picture(width), "comment": "drag"}})
}
