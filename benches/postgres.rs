//! Gateways over one PostgreSQL: how many jobs a second one, two and three of them do, how many statements and written
//! rows a job takes, and how many rows a second pgbench writes on the same server in transactions of the same size.
//!
//! `cargo bench -p drag-solver-benches --bench postgres`: starts a server of its own; says so and ends where none is
//! installed.

#![allow(clippy::print_stdout)] // the figures are what it is for
#![allow(clippy::cast_precision_loss)] // small numbers
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // of rows

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use drag_solver::config::{ChainConfig, ChainParts, Registry};
use drag_solver::store::{KeyRecord, key_hash};
use drag_solver::testing::fixtures;
use drag_solver::{
    Billed, Drag, DragChallenge, DragSolver, Event, JobId, Point, Solution, SolveError, solver_fn,
};
use drag_solver_gateway::{Gateway, GatewayPolicy, Keys};
use drag_solver_store::{PostgresOptions, PostgresStore, SqliteOptions, SqliteStore, StoreHandle};
use drag_solver_tests::postgres::Server;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tower::{BoxError, ServiceExt as _};

const JOBS: usize = 3_000;
const CLIENTS: usize = 64;
const KEY: &str = "00000000000000000000000000000001";

/// Buys, gets a job and its answer at once.
fn instant() -> impl DragSolver {
    solver_fn("instant", |challenge: DragChallenge| async move {
        let solver = "instant";
        let job = JobId::from(u64::from(challenge.screenshot().width()));
        challenge.notify(Event::Buying { solver }).await?;
        let bought = Event::Bought { solver, job: &job };
        challenge.notify(bought).await?;
        let settled = Event::Settled {
            solver,
            job: Some(&job),
            billed: Billed::Yes,
            cost: None,
        };
        challenge.notify(settled).await?;
        let drag = Drag::new(Point::new(1.0, 2.0), Point::new(100.0, 2.0));
        Ok::<_, SolveError>(Solution::new(drag, solver).with_job(job))
    })
}

/// A gateway, and what keeps it at work.
async fn gateway(server: &Server, schema: &str) -> Result<Router, BoxError> {
    let options = PostgresOptions::default().retention(None).schema(schema);
    let store = PostgresStore::open(&server.url().into(), options)?;
    gateway_over(&StoreHandle::from(&store)).await
}

async fn gateway_over(store: &StoreHandle) -> Result<Router, BoxError> {
    #[derive(serde::Deserialize)]
    struct NoSettings {}
    let registry = Registry::empty().register("instant", |_: NoSettings, _| Ok(instant()))?;
    let config = json!({"providers": [{"kind": "instant", "price": "0.0009"}]});
    let config: ChainConfig = serde_json::from_value(config)?;
    let mut key = KeyRecord::new("shop", key_hash(KEY), store.now())?;
    key.limits.total = Some("1000000".parse()?);
    store.add_key(&key).await?;
    let keys = Keys::open(store).await?;
    let parts = ChainParts::default()
        .store(store)
        .spend_also_from(keys.budget());
    let chain = config.build_with(&registry, parts)?;
    let gateway = Gateway::builder(chain, keys)
        .policy(GatewayPolicy::default())
        .build()?;
    let router = gateway.router();
    tokio::spawn(async move { gateway.run(std::future::pending()).await });
    Ok(router)
}

async fn post(router: &Router, target: &str, body: Value) -> Result<Value, BoxError> {
    let request = Request::post(target)
        .header("content-type", "application/json")
        .header("host", "127.0.0.1")
        .body(Body::from(body.to_string()))?;
    let answer = router.clone().oneshot(request).await?;
    let body = to_bytes(answer.into_body(), 1 << 20).await?;
    Ok(serde_json::from_slice(&body)?)
}

/// A job from its creation to its answer, each asked at another gateway.
async fn job(routers: &[Router], number: usize) -> Result<(), BoxError> {
    let width = u16::try_from(100 + number % 60_000)?;
    let picture = fixtures::screenshot_sized(width, 900);
    let task = json!({"type": "CoordinatesTask", "body": STANDARD.encode(picture.bytes())});
    let create = json!({"clientKey": KEY, "task": task});
    let created = post(&routers[number % routers.len()], "/createTask", create).await?;
    let id = created["taskId"]
        .as_u64()
        .ok_or_else(|| created.to_string())?;
    let asked = &routers[(number + 1) % routers.len()];
    loop {
        let poll = json!({"clientKey": KEY, "taskId": id});
        let told = post(asked, "/getTaskResult", poll).await?;
        match told["status"].as_str() {
            Some("ready") => return Ok(()),
            Some("processing") => {}
            _ => return Err(told.to_string().into()),
        }
    }
}

async fn jobs(
    routers: &Arc<Vec<Router>>,
    first: usize,
    count: usize,
) -> Result<Duration, BoxError> {
    let next = Arc::new(AtomicUsize::new(first));
    let begun = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (routers, next) = (Arc::clone(routers), Arc::clone(&next));
        clients.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= first + count {
                    return Ok::<(), BoxError>(());
                }
                job(&routers, number).await?;
            }
        });
    }
    while let Some(ended) = clients.join_next().await {
        ended??;
    }
    Ok(begun.elapsed())
}

/// Written rows, commits, statements and bytes of the log so far.
fn counted(server: &Server) -> Result<[f64; 4], BoxError> {
    // What a session has counted is told when it has nothing to do.
    std::thread::sleep(Duration::from_millis(1_500));
    let said = server.psql(
        "SELECT (SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables),
             (SELECT xact_commit FROM pg_stat_database WHERE datname = 'postgres'),
             (SELECT sum(calls) FROM pg_stat_statements), pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')",
    )?;
    let mut numbers = [0.0; 4];
    for (number, text) in numbers.iter_mut().zip(said.split('|')) {
        *number = text.parse()?;
    }
    Ok(numbers)
}

/// Rows a second in transactions of so many, by as many clients as gateways have connections that write.
fn pgbench(server: &Server, rows: usize, clients: usize) -> Result<f64, BoxError> {
    server.psql("CREATE TABLE IF NOT EXISTS rows (n BIGSERIAL PRIMARY KEY, id TEXT NOT NULL, at BIGINT NOT NULL, text TEXT)")?;
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("rows.sql");
    let row = "INSERT INTO rows (id, at, text) VALUES ('an id as long as those of jobs are', 1795754091000, \
               'some of the text that a challenge has, and its outcome');\n";
    std::fs::write(&script, format!("BEGIN;\n{}END;\n", row.repeat(rows)))?;
    let said = server
        .program("pgbench")
        .args([
            "-n",
            "-M",
            "prepared",
            "-T",
            "8",
            "-c",
            &clients.to_string(),
            "-j",
            "2",
            "-f",
        ])
        .arg(&script)
        .arg(server.url())
        .output()?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let tps = said.lines().find_map(|line| line.strip_prefix("tps = "));
    let tps = tps.and_then(|rest| rest.split(' ').next());
    Ok(tps.ok_or(said.clone())?.parse::<f64>()? * rows as f64)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), BoxError> {
    let settings = [
        "shared_preload_libraries=pg_stat_statements",
        "max_connections=50",
    ];
    let Some(server) = Server::start_with(&settings) else {
        return Ok(());
    };
    server.psql("CREATE EXTENSION pg_stat_statements")?;
    let folder = tempfile::tempdir()?;
    let options = SqliteOptions::default().retention(None);
    let file = SqliteStore::open_with(folder.path().join("drags.db"), options)?;
    let routers = Arc::new(vec![gateway_over(&StoreHandle::from(&file)).await?]);
    jobs(&routers, 0, 200).await?;
    let took = jobs(&routers, 200, JOBS).await?;
    let in_file = JOBS as f64 / took.as_secs_f64();
    println!("1 gateway over a file: {in_file:.0} jobs a second");
    let mut alone = None;
    for count in 1..=3 {
        let mut routers = Vec::new();
        for _ in 0..count {
            routers.push(gateway(&server, &format!("bench_{count}")).await?);
        }
        let routers = Arc::new(routers);
        jobs(&routers, 0, 200).await?;
        let before = counted(&server)?;
        let took = jobs(&routers, 200, JOBS).await?;
        let after = counted(&server)?;
        let done = JOBS as f64;
        let rate = done / took.as_secs_f64();
        let [rows, commits, statements, log] =
            [0, 1, 2, 3].map(|index| after[index] - before[index]);
        let one = *alone.get_or_insert(rate);
        println!(
            "{count} gateways: {rate:.0} jobs a second ({:.2} x of one, {:.2} x of one over a file); a job: {:.1} statements, {:.1} rows written, {:.2} commits, \
             {:.1} kB of log",
            rate / one,
            rate / in_file,
            statements / done,
            rows / done,
            commits / done,
            log / done / 1000.0
        );
        let in_one = (rows / commits).round().max(1.0);
        let pgbench = pgbench(&server, in_one as usize, count)?;
        println!(
            "  {:.0} rows a second; pgbench, {count} clients with {in_one} rows a transaction: {pgbench:.0}: {:.2} x",
            rows / took.as_secs_f64(),
            rows / took.as_secs_f64() / pgbench
        );
    }
    Ok(())
}
