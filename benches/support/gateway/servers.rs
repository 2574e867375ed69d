//! The servers, each in a process of its own.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use drag_solver::config::{ChainConfig, ChainParts, Registry};
use drag_solver::testing::emulator::Emulator;
use drag_solver::testing::pictures::AnswerKey;
use drag_solver::{Drag, DragSolver, Point, Solution, solver_fn};
use drag_solver_gateway::listen::{self, ListenPolicy, Listener};
use drag_solver_gateway::{Gateway, GatewayPolicy, Keys};
use drag_solver_store::{SqliteOptions, SqliteStore};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::BoxError;

pub(crate) fn open(path: &Path) -> Result<SqliteStore, BoxError> {
    let options = SqliteOptions::default().retention(None);
    Ok(SqliteStore::open_with(path, options)?)
}

/// Answers after so long, and says nothing of what it costs.
pub(crate) fn instant(delay: Duration) -> impl DragSolver {
    solver_fn("instant", move |_| async move {
        tokio::time::sleep(delay).await;
        let drag = Drag::new(Point::new(1.0, 2.0), Point::new(100.0, 2.0));
        Ok(Solution::new(drag, "instant"))
    })
}

/// A gateway in front of a solver that answers after so long.
pub(crate) async fn gateway(path: &Path, delay: Duration, workers: u32) -> Result<(), BoxError> {
    #[derive(serde::Deserialize)]
    struct NoSettings {}
    let registry = Registry::empty();
    let registry = registry.register("instant", move |_: NoSettings, _| Ok(instant(delay)))?;
    let config: ChainConfig = serde_json::from_value(json!({"providers": [{"kind": "instant"}]}))?;
    let store = open(path)?;
    let keys = Keys::open(&store).await?;
    let chain = config.build_with(&registry, ChainParts::default().store(&store))?;
    let policy = GatewayPolicy::default()
        .workers(workers)
        .open_jobs(100_000)
        .open_jobs_per_key(100_000)
        .hold(Duration::from_secs(3_600))
        .deadline(Duration::from_secs(7_200));
    let gateway = Gateway::builder(chain, keys).policy(policy).build()?;
    let port = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", port.local_addr()?);
    let router = gateway.router();
    // A held poll is an answer under way: none may be cut off before the memory is read.
    let listening = ListenPolicy::default().answer_timeout(Duration::from_secs(7_200));
    let server = listen::serve(
        vec![Listener::plain(port)],
        router,
        listening,
        std::future::pending(),
    );
    tokio::join!(gateway.run(std::future::pending()), server).1?;
    Ok(())
}

pub(crate) type Db = Arc<std::sync::Mutex<Connection>>;
/// Decodes a request and inserts one row.
pub(crate) async fn insert(State(db): State<Db>, Json(body): Json<Value>) -> Json<Value> {
    let picture = body["task"]["body"].as_str().unwrap_or_default();
    let picture = STANDARD.decode(picture).unwrap_or_default();
    let work = tokio::task::spawn_blocking(move || {
        let db = db.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let inserted = db
            .prepare_cached("INSERT INTO jobs (picture) VALUES (?)")
            .and_then(|mut one| one.execute([picture]));
        inserted.map(|_| db.last_insert_rowid()).unwrap_or_default()
    });
    Json(json!({"errorId": 0, "taskId": work.await.unwrap_or_default()}))
}

/// A handler that decodes the same JSON and inserts one row.
pub(crate) async fn handler(path: &Path) -> Result<(), BoxError> {
    let db = Connection::open(path)?;
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.execute_batch("CREATE TABLE jobs (n INTEGER PRIMARY KEY, picture BLOB)")?;
    let db = Arc::new(std::sync::Mutex::new(db));
    let router = Router::new()
        .route("/createTask", post(insert))
        .with_state(db);
    let port = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", port.local_addr()?);
    axum::serve(port, router).await?;
    Ok(())
}

/// What a held poll costs at least: hyper alone, with the gateway's limit of its buffers. It reads each body whole, answers
/// a job with a number, and a poll never.
pub(crate) async fn bare() -> Result<(), BoxError> {
    let port = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", port.local_addr()?);
    let mut http = http1::Builder::new();
    http.max_buf_size(ListenPolicy::default().max_header_bytes.get() as usize);
    let jobs = Arc::new(AtomicUsize::new(0));
    loop {
        let (stream, _) = port.accept().await?;
        stream.set_nodelay(true)?;
        let jobs = Arc::clone(&jobs);
        let service = service_fn(move |request: Request<Incoming>| {
            let number = jobs.fetch_add(1, Ordering::Relaxed);
            async move {
                let (head, body) = request.into_parts();
                let is_poll = head.uri.path() != "/createTask";
                drop((head, body.collect().await?));
                if is_poll {
                    std::future::pending::<()>().await;
                }
                let answer = json!({"errorId": 0, "taskId": number}).to_string();
                Ok::<_, hyper::Error>(Response::new(Full::new(Bytes::from(answer))))
            }
        });
        tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
    }
}

/// A provider that answers test pictures after so long, for `tests/clients/pace.sh`.
pub(crate) async fn emulator(seconds: u64) -> Result<(), BoxError> {
    let emulator = Emulator::builder()
        .solver(AnswerKey)
        .answer_after(Duration::from_secs(seconds))
        .start()
        .await?;
    println!("listening on http://{}", emulator.address());
    std::future::pending().await
}
