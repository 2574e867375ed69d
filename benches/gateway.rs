//! What the gateway costs: time beside the same solver called directly, processor time beside a handler that only decodes
//! the same JSON and inserts one row, and memory of jobs that wait with a held poll each, beside hyper alone.
//!
//! `cargo bench -p drag-solver-benches --bench gateway`: starts itself as a server of its own, for its time and memory to
//! be told apart. `-- time`, `-- cpu` or `-- memory` measures one of these. Linux alone, as it reads `/proc`.

#![allow(clippy::print_stdout)] // the figures are what it is for

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use drag_solver::config::{ChainConfig, ChainParts, Registry};
use drag_solver::testing::emulator::Emulator;
use drag_solver::testing::pictures::AnswerKey;
use drag_solver::{Drag, DragChallenge, DragSolver, Point, Screenshot, Solution, solver_fn};
use drag_solver_gateway::listen::{self, ListenPolicy, Listener};
use drag_solver_gateway::{Gateway, GatewayPolicy, Keys};
use drag_solver_store::{Opening, SqliteOptions, SqliteStore, Store as _, StoreExt as _};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tower::BoxError;

/// Bytes of a picture.
const PICTURE: usize = 20_000;

/// What has the parts of a PNG, and tells itself from others by its number.
fn picture(number: usize) -> Vec<u8> {
    const HEADER: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\x40\0\0\0\xc8\x08\x06\0\0\0CRC.";
    const END: &[u8] = b"\0\0\0\0IEND\xaeB`\x82";
    let pixels = PICTURE - HEADER.len() - END.len() - 12;
    let mut png = HEADER.to_vec();
    png.extend(u32::try_from(pixels).unwrap_or(0).to_be_bytes());
    png.extend(b"IDAT");
    png.extend(number.to_be_bytes());
    png.resize(png.len() + pixels - size_of::<usize>() + 4, 7);
    png.extend(END);
    png
}

fn create(number: usize) -> Vec<u8> {
    let task = json!({"type": "CoordinatesTask", "body": STANDARD.encode(picture(number))});
    json!({"clientKey": "K", "task": task})
        .to_string()
        .into_bytes()
}

// -- the servers, each in a process of its own

fn open(path: &Path) -> Result<SqliteStore, BoxError> {
    let options = SqliteOptions::default().retention(None);
    Ok(SqliteStore::open_with(path, options)?)
}

/// Answers after so long, and says nothing of what it costs.
fn instant(delay: Duration) -> impl DragSolver {
    solver_fn("instant", move |_| async move {
        tokio::time::sleep(delay).await;
        let drag = Drag::new(Point::new(1.0, 2.0), Point::new(100.0, 2.0));
        Ok(Solution::new(drag, "instant"))
    })
}

/// A gateway in front of a solver that answers after so long.
async fn gateway(path: &Path, delay: Duration, workers: u32) -> Result<(), BoxError> {
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

type Db = Arc<std::sync::Mutex<Connection>>;
/// Decodes a request and inserts one row.
async fn insert(State(db): State<Db>, Json(body): Json<Value>) -> Json<Value> {
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
async fn handler(path: &Path) -> Result<(), BoxError> {
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
async fn bare() -> Result<(), BoxError> {
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
async fn emulator(seconds: u64) -> Result<(), BoxError> {
    let emulator = Emulator::builder()
        .solver(AnswerKey)
        .answer_after(Duration::from_secs(seconds))
        .start()
        .await?;
    println!("listening on http://{}", emulator.address());
    std::future::pending().await
}

// -- what asks them

/// A server in a process of its own. It ends when this is dropped.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    async fn start(arguments: &[&str]) -> Result<Self, BoxError> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let out = child.stdout.take().ok_or("no standard output")?;
        let address = BufReader::new(out)
            .lines()
            .next_line()
            .await?
            .ok_or("it did not start")?;
        Ok(Self { child, address })
    }

    fn proc(&self, file: &str) -> Result<String, BoxError> {
        let id = self.child.id().ok_or("it has ended")?;
        Ok(std::fs::read_to_string(format!("/proc/{id}/{file}"))?)
    }

    /// Processor time that it has used, in seconds.
    fn cpu(&self) -> Result<f64, BoxError> {
        let stat = self.proc("stat")?;
        let fields = stat.rsplit_once(") ").ok_or("no stat")?.1.split(' ');
        let ticks: Vec<f64> = fields
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse().ok())
            .collect();
        Ok(ticks.iter().sum::<f64>() / 100.0) // of a second, on every Linux
    }

    /// Memory that is in use, in bytes.
    fn memory(&self) -> Result<usize, BoxError> {
        let status = self.proc("status")?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<usize>()? * 1024)
    }
}

/// A connection that is kept.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    async fn connect(address: &str) -> Result<Self, BoxError> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::new(),
        })
    }

    async fn send(&mut self, path: &str, body: &[u8]) -> Result<(), BoxError> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.stream
            .write_all(&[head.as_bytes(), body].concat())
            .await?;
        Ok(())
    }

    async fn receive(&mut self) -> Result<Value, BoxError> {
        self.buffer.clear();
        loop {
            let mut part = [0; 4096];
            let read = self.stream.read(&mut part).await?;
            if read == 0 {
                return Err("the connection was closed".into());
            }
            self.buffer.extend(&part[..read]);
            let text = String::from_utf8_lossy(&self.buffer);
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            let length = head.lines().find_map(|line| {
                line.to_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse::<usize>()
                    .ok()
            });
            if length.is_some_and(|length| body.len() >= length) {
                return Ok(serde_json::from_str(body)?);
            }
        }
    }

    async fn post(&mut self, path: &str, body: &[u8]) -> Result<Value, BoxError> {
        self.send(path, body).await?;
        self.receive().await
    }

    /// Whether the other side has not closed it. What has come of an answer is thrown away.
    fn is_open(&self) -> bool {
        let mut part = [0; 4096];
        loop {
            match self.stream.try_read(&mut part) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
            }
        }
    }

    async fn create(&mut self, number: usize) -> Result<u64, BoxError> {
        let created = self.post("/createTask", &create(number)).await?;
        created["taskId"]
            .as_u64()
            .ok_or_else(|| created.to_string().into())
    }

    fn poll(id: u64) -> Vec<u8> {
        json!({"clientKey": "K", "taskId": id})
            .to_string()
            .into_bytes()
    }
}

fn percentiles(mut figures: Vec<f64>) -> (f64, f64) {
    figures.sort_by(f64::total_cmp);
    let at = |share: usize| figures[(figures.len() * share / 100).min(figures.len() - 1)];
    (at(50), at(99))
}

/// One at a time: a job that is created and asked for, beside the same picture accepted and solved in this process.
async fn added_time(folder: &Path) -> Result<(), BoxError> {
    const JOBS: usize = 1_000;
    let path = folder.join("time.db");
    let server = Server::start(&["gateway", path.to_str().unwrap_or_default(), "0", "256"]).await?;
    let mut client = Client::connect(&server.address).await?;
    let direct_store = open(&folder.join("direct.db"))?;
    let direct_solver = instant(Duration::ZERO).durable(&direct_store);
    let (mut through, mut direct) = (Vec::new(), Vec::new());
    for number in 0..JOBS {
        let begun = Instant::now();
        let id = client.create(number).await?;
        let result = client.post("/getTaskResult", &Client::poll(id)).await?;
        through.push(begun.elapsed().as_secs_f64() * 1000.0);
        if result["status"] != "ready" {
            return Err(result.to_string().into());
        }
        let begun = Instant::now();
        let screenshot = Screenshot::from_bytes(picture(number))?;
        let challenge = DragChallenge::new(screenshot).with_id(format!("order {number}"));
        let opening = Opening::of(&challenge, format!("order {number}"), direct_store.now());
        direct_store
            .accept(
                &opening,
                challenge.screenshot().bytes(),
                &drag_solver::store::KeyLimits::default(),
            )
            .await?;
        direct_solver.solve(&challenge).await?;
        direct.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    let ((median, p99), (direct_median, direct_p99)) = (percentiles(through), percentiles(direct));
    println!(
        "a job from its creation to its answer: {median:.2} ms, p99 {p99:.2} ms; the same without the gateway: {direct_median:.2} ms, p99 {direct_p99:.2} ms"
    );
    println!(
        "  added by the gateway: {:.2} ms, p99 {:.2} ms",
        median - direct_median,
        p99 - direct_p99
    );
    Ok(())
}

/// 64 clients at once: jobs for each second of processor time.
async fn jobs_per_cpu_second(folder: &Path) -> Result<(), BoxError> {
    const JOBS: usize = 20_000;
    const CLIENTS: usize = 64;
    let mut figures = Vec::new();
    for kind in ["handler", "gateway"] {
        let path = folder.join(format!("{kind}.db"));
        let server = Server::start(&[kind, path.to_str().unwrap_or_default(), "0", "256"]).await?;
        let next = Arc::new(AtomicUsize::new(0));
        let before = server.cpu()?;
        let clients = (0..CLIENTS).map(|_| {
            let (address, next, asks) =
                (server.address.clone(), Arc::clone(&next), kind == "gateway");
            tokio::spawn(async move {
                let mut client = Client::connect(&address).await?;
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= JOBS {
                        return Ok::<(), BoxError>(());
                    }
                    let id = client.create(number).await?;
                    if asks {
                        client.post("/getTaskResult", &Client::poll(id)).await?;
                    }
                }
            })
        });
        for client in futures_util::future::join_all(clients).await {
            client??;
        }
        #[allow(clippy::cast_precision_loss)]
        let figure = JOBS as f64 / (server.cpu()? - before);
        figures.push(figure);
    }
    let ratio = figures[1] / figures[0];
    println!(
        "jobs a second of processor time: {:.0}, with one poll each; {:.0} of a handler that decodes and inserts one row ({ratio:.2} x)",
        figures[1], figures[0]
    );
    Ok(())
}

/// Jobs that wait, each with a poll that is held: at the gateway, and at hyper alone.
async fn memory(folder: &Path) -> Result<(), BoxError> {
    for (kind, workers, keeps_connection) in [
        ("bare", "0", false),
        ("gateway", "256", false),
        ("bare", "0", true),
        ("gateway", "256", true),
        ("gateway", "10000", false),
    ] {
        let each = memory_of_a_poll(folder, kind, workers, keeps_connection).await?;
        let polled = if keeps_connection {
            "the same"
        } else {
            "another"
        };
        if kind == "bare" {
            println!("hyper alone, jobs polled on {polled} connection: {each} bytes each");
        } else {
            println!(
                "{POLLS} jobs that wait, {workers} of them at a provider, each polled on {polled} connection: {each} bytes each"
            );
        }
    }
    Ok(())
}

const POLLS: usize = 10_000;

async fn memory_of_a_poll(
    folder: &Path,
    kind: &str,
    workers: &str,
    keeps_connection: bool,
) -> Result<usize, BoxError> {
    let path = folder.join(format!("memory{workers}{keeps_connection}.db"));
    let path = path.to_str().unwrap_or_default();
    let server = Server::start(&[kind, path, "3600", workers]).await?;
    let mut first = Client::connect(&server.address).await?;
    first.create(0).await?;
    let before = server.memory()?;
    let mut held = Vec::new();
    for number in 1..=POLLS {
        // Those who keep one connection send their next request on the same one.
        let mut client = Client::connect(&server.address).await?;
        let id = if keeps_connection {
            client.create(number).await?
        } else {
            first.create(number).await?
        };
        client.send("/getTaskResult", &Client::poll(id)).await?;
        held.push(client);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let each = server.memory()?.saturating_sub(before) / POLLS;
    let ended = held.iter().filter(|client| !client.is_open()).count();
    if ended > 0 {
        return Err(format!("{ended} polls were not held until their memory was read").into());
    }
    Ok(each)
}

fn main() -> Result<(), BoxError> {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match &arguments[1..] {
            [kind, path, seconds, workers] if kind == "gateway" => {
                let delay = Duration::from_secs(seconds.parse()?);
                gateway(path.as_ref(), delay, workers.parse()?).await
            }
            [kind, path, ..] if kind == "handler" => handler(path.as_ref()).await,
            [kind, ..] if kind == "bare" => bare().await,
            [kind, seconds] if kind == "emulator" => emulator(seconds.parse()?).await,
            wanted => {
                let parts = ["time", "cpu", "memory"];
                let is_any = wanted.iter().any(|it| parts.contains(&it.as_str()));
                let is_wanted = |part: &str| !is_any || wanted.iter().any(|it| it == part);
                let folder = tempfile::tempdir()?;
                if is_wanted("time") {
                    added_time(folder.path()).await?;
                }
                if is_wanted("cpu") {
                    jobs_per_cpu_second(folder.path()).await?;
                }
                if is_wanted("memory") {
                    memory(folder.path()).await?;
                }
                Ok(())
            }
        }
    })
}
