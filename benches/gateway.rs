//! What the gateway costs: time beside the same solver called directly, processor time beside a handler that only decodes
//! the same JSON and inserts one row, and memory of jobs that wait with a held poll each, beside hyper alone.
//!
//! `cargo bench -p drag-solver-benches --bench gateway`: starts itself as a server of its own, for its time and memory to
//! be told apart. `-- time`, `-- cpu` or `-- memory` measures one of these. Linux alone, as it reads `/proc`.

#![allow(clippy::print_stdout)] // the figures are what it is for

#[path = "support/gateway/mod.rs"]
mod parts;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use drag_solver::{DragChallenge, DragSolver, Screenshot};
use drag_solver_store::{Opening, Store as _, StoreExt as _};
use tower::BoxError;

use parts::client::{Client, Server};
use parts::held_polls::memory;
use parts::picture;
use parts::servers::{bare, emulator, gateway, handler, instant, open};

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
