//! A service that takes pictures over HTTP, answers at once with "accepted", and never loses or pays twice for what it
//! accepted: not on a deploy, not by `kill -9`.
//!
//! ```sh
//! cargo run -p drag-solver-examples --example service # tries itself, and ends
//! TENANT_KEYS="acme=KEY globex=OTHER" service --listen 127.0.0.1:8080 --config chain.toml --store drags.db
//! curl -H 'authorization: Bearer KEY' --data-binary @phone.png 'http://127.0.0.1:8080/v1/drags?id=order-7'
//! curl -H 'authorization: Bearer KEY' http://127.0.0.1:8080/v1/drags/order-7
//! ```
//!
//! | part | lines | what it is for |
//! |---|---|---|
//! | settings | 63 | imports, arguments, keys of tenants, the chain and its store |
//! | http | 56 | three routes: accept a picture, say what became of it, metrics |
//! | work | 55 | a bounded queue, and a bounded number of calls at once |
//! | recovery | 13 | at start, all that is open on record is taken up again |
//! | shutdown | 16 | SIGTERM: accept nothing more, let calls end for a while, leave the rest on record |
//!
//! There is no journal, no bookkeeping of jobs and no accounting among them: that is the store's. (Before there was
//! a store, the same service took its author 558 lines, 154 of them a journal.) Money is in the chain's file: `[budget]`
//! with `name`, `by_label` and `per_day` gives each tenant so much a day; so are the metrics, `instrument = true`. What it
//! does without `--listen` is in `service/trial.rs`, and `tests/service` kills it at one instant after another.

#![allow(clippy::print_stdout)] // printing is what a program is for

// Part: settings.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, StatusCode as Code};
use axum::routing::{get, post};
use axum::{Json, Router};
use clap::Parser as _;
use drag_solver::config::{Chain, ChainConfig, ChainParts, Registry};
use drag_solver::http::serde_json::{Value, json};
use drag_solver::prelude::*;
use drag_solver::store::{
    self, Accepted, KeyLimits, Opening, SqliteStore, Status, StatusKind, StoreHandle,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::signal::unix;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

#[path = "service/trial.rs"]
mod trial;

/// A service for drag challenges. Without `--listen` it tries itself.
#[derive(clap::Parser)]
struct Args {
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// The file of the chain
    #[arg(long, default_value = "chain.toml")]
    config: PathBuf,
    /// What outlives the service: this file, or else what `[store]` in the chain's says, also in PostgreSQL
    #[arg(long)]
    store: Option<PathBuf>,
    /// Challenges that are worked on at once
    #[arg(long, default_value_t = 16)]
    workers: usize,
}

#[derive(Clone)]
struct Service {
    chain: Chain,
    store: StoreHandle,
    queue: mpsc::Sender<String>,
    tenants: Arc<HashMap<String, String>>, // by key
    metrics: PrometheusHandle,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let Some(listen) = args.listen else {
        return trial::run().await;
    };
    let tenants = std::env::var("TENANT_KEYS").context("TENANT_KEYS")?; // `acme=KEY globex=OTHER`
    let file = std::fs::read_to_string(&args.config).context("--config")?;
    let config = ChainConfig::read(toml::Deserializer::parse(&file)?)?;
    let mut parts = ChainParts::default();
    if let Some(path) = &args.store {
        parts = parts.store(&SqliteStore::open(path)?);
    }
    let chain = config.build_with(&Registry::standard(), parts)?;
    let port = TcpListener::bind(listen).await?;
    serve((chain, &tenants), (port, args.workers), told_to_stop()).await
}

// Part: http.

/// What a client is told, or told instead of an answer.
type Reply = Result<(Code, Json<Value>), Refusal>;
type Refusal = (Code, String);

fn or<T, E: ToString>(code: Code, result: Result<T, E>) -> Result<T, Refusal> {
    result.map_err(|why| (code, why.to_string()))
}

impl Service {
    fn router(self) -> Router {
        Router::new()
            .route("/v1/drags", post(accept))
            .route("/v1/drags/{id}", get(answer))
            .route("/metrics", get(metrics))
            .layer(DefaultBodyLimit::max(32 << 20))
            .with_state(self)
    }

    /// Whose key came with the request.
    fn tenant(&self, head: &HeaderMap) -> Result<&String, Refusal> {
        let given = head.get("authorization").and_then(|it| it.to_str().ok());
        let key = given.and_then(|text| text.strip_prefix("Bearer "));
        let tenant = key.and_then(|key| self.tenants.get(key));
        or(Code::UNAUTHORIZED, tenant.ok_or("unknown key"))
    }
}

/// The id is the client's, and so a request that may have been lost can be sent again.
async fn accept(of: State<Service>, id: Query<Named>, head: HeaderMap, body: Bytes) -> Reply {
    let (tenant, id) = (of.tenant(&head)?, &id.id);
    let picture = or(Code::UNPROCESSABLE_ENTITY, Screenshot::from_bytes(body))?;
    let place = or(Code::SERVICE_UNAVAILABLE, of.queue.try_reserve())?; // full, or stopping
    let limit = of.chain.time_limit().unwrap_or(Duration::from_secs(300));
    let challenge = DragChallenge::new(picture).with_label(&**tenant);
    let key = format!("{tenant}/{id}"); // two tenants may choose the same id
    let opening = Opening::of(&challenge.clone().within(limit), &*key, of.store.now());
    let (bytes, unlimited) = (challenge.screenshot().bytes(), KeyLimits::default());
    let accepted = of.store.accept(&opening, bytes, &unlimited);
    match or(Code::SERVICE_UNAVAILABLE, accepted.await)? {
        Accepted::OtherPicture => return or(Code::CONFLICT, Err("another picture")),
        Accepted::Known(record) if !matches!(record.status, Status::Open { held: false }) => {}
        _ => place.send(key), // twice does no harm: the second waits for the first
    }
    Ok((Code::ACCEPTED, Json(json!({"id": id}))))
}

#[derive(serde::Deserialize)]
struct Named {
    id: String,
}

async fn answer(of: State<Service>, id: Path<String>, head: HeaderMap) -> Reply {
    let key = format!("{}/{}", of.tenant(&head)?, *id);
    let found = or(Code::SERVICE_UNAVAILABLE, of.store.find(&key).await)?;
    let answer = match or(Code::NOT_FOUND, found.ok_or("no such id"))?.status {
        Status::Solved { solution } => json!({"status": "solved", "drag": solution.drag()}),
        Status::Failed { error } => json!({"status": "failed", "error": error.kind()}),
        _ => json!({"status": "open"}),
    };
    Ok((Code::OK, Json(answer)))
}

async fn metrics(of: State<Service>) -> String {
    of.metrics.run_upkeep();
    of.metrics.render()
}

// Part: work.

impl Service {
    /// Its outcome is recorded by itself. While the store cannot be read or written, it is tried again.
    async fn solve(self, id: String) {
        while !self.is_ended(&id).await {
            sleep(Duration::from_secs(1)).await;
        }
    }

    async fn is_ended(&self, id: &str) -> bool {
        let record = match self.store.find_with_picture(id).await {
            Ok(Some(record)) if matches!(record.status, Status::Open { .. }) => record,
            found => return found.is_ok(),
        };
        let Ok(challenge) = record.challenge(self.store.now()) else {
            return true; // it was not accepted here: there is no picture
        };
        let outcome = self.chain.solve(&challenge).await;
        !matches!(outcome, Err(error) if error.kind() == ErrorKind::NotRecorded)
    }
}

/// Serves on `port` until `stop`, with at most so many calls at once.
async fn serve(
    (chain, tenants): (Chain, &str),
    (port, workers): (TcpListener, usize),
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let (queue, mut queued) = mpsc::channel(10_000);
    let tenants = tenants.split(' ').filter_map(|it| it.split_once('='));
    let tenants = tenants.map(|(name, key)| (key.to_owned(), name.to_owned()));
    let service = Service {
        store: chain.store().context("no store")?.clone(),
        chain,
        queue,
        tenants: Arc::new(tenants.collect()),
        metrics: PrometheusBuilder::new().install_recorder()?,
    };
    drag_solver::describe_metrics();
    println!("listening on {}", port.local_addr()?);
    let (drain, drained) = oneshot::channel::<()>();
    let server = axum::serve(port, service.clone().router());
    let server = server.with_graceful_shutdown(async { drop(drained.await) });
    let server = tokio::spawn(server.into_future());
    tokio::spawn(service.clone().recover());
    let mut calls = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(_) = calls.join_next() => {}
            Some(id) = queued.recv(), if calls.len() < workers => {
                calls.spawn(service.clone().solve(id));
            }
        }
    }
    drop((drain, queued)); // no more is accepted
    server.await??;
    shut_down(calls, &service.store).await
}

// Part: recovery.

impl Service {
    /// What is open is on record, with its picture: another start, or another process, has left it.
    async fn recover(self) {
        let mut open = store::Query::default();
        (open.status, open.limit) = (Some(StatusKind::Open), Some(100));
        while let Ok(page) = self.store.list(&open).await {
            let Some(last) = page.last() else { return };
            open.after = Some(last.id.clone());
            for record in page {
                let _ = self.queue.send(record.id).await; // closed: the next start finds it
            }
        }
    }
}

// Part: shutdown.

/// How long calls that are under way may go on when the service stops.
const GRACE: Duration = Duration::from_secs(20);

async fn shut_down(mut calls: JoinSet<()>, store: &StoreHandle) -> anyhow::Result<()> {
    let _ = timeout(GRACE, async { while calls.join_next().await.is_some() {} }).await;
    calls.shutdown().await; // what was dropped is open on record, with what it bought
    store.flush().await?;
    println!("stopped; what is open continues at the next start");
    Ok(())
}

async fn told_to_stop() {
    #[cfg(unix)]
    if let Ok(mut terminate) = unix::signal(unix::SignalKind::terminate()) {
        terminate.recv().await;
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
}
