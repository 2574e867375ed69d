//! How long answers lie there before they are fetched, by polling at the provider's documented minimum and with
//! its calls: over real sockets on this machine, provider and client in one process. Takes a minute and a half.
//!
//! `cargo bench -p drag-solver-benches --bench callbacks`

#![allow(clippy::print_stdout)] // the figures are what it is for

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use drag_solver::http::CallbackReceiver;
use drag_solver::prelude::*;
use drag_solver::providers::AntiCaptcha;
use drag_solver::testing::emulator::{Emulator, Protocol};
use drag_solver::testing::fixtures;
use drag_solver::{JobId, solver_fn};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tower::BoxError;

const JOBS: usize = 1_000;
const AT_ONCE: usize = 100;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let port = TcpListener::bind("127.0.0.1:0").await?;
    let receiver = CallbackReceiver::new(&format!("http://{}/hooks", port.local_addr()?))?;
    let app: Router = Router::new().nest("/hooks", receiver.router());
    let server = tokio::spawn(async move { axum::serve(port, app).await });

    println!(
        "{JOBS} jobs that take 5 to 11 s, {AT_ONCE} at once; first asked after 5 s, then every 2 s"
    );
    let (polled, called) = tokio::join!(run(None), run(Some(&receiver)));
    let (polled, called) = (polled?, called?);
    show("polling", &polled);
    show("with calls", &called);
    let saved = polled.polls - called.polls;
    let share = saved / polled.polls * 100.0;
    println!(
        "  polls saved: {saved:.2} a job, {share:.0} %; of the last half of the jobs {:.0} %",
        {
            let (polled, called) = (polled.late_polls, called.late_polls);
            (polled - called) / polled * 100.0
        }
    );
    server.abort();
    Ok(())
}

/// What came of all jobs.
struct Figures {
    /// From the moment an answer exists to the moment the solver returns it, shortest first.
    added: Vec<Duration>,
    /// Polls a job.
    polls: f64,
    /// The same of the last half of the jobs.
    late_polls: f64,
}

async fn run(receiver: Option<&CallbackReceiver>) -> Result<Figures, BoxError> {
    let emulator = Emulator::builder()
        .solver(worker())
        .price(Usd::ZERO)
        .remembered_requests(0)
        .start()
        .await?;
    let mut builder = AntiCaptcha::builder()
        .token("token")
        .base_url(emulator.url(Protocol::AntiCaptcha));
    if let Some(receiver) = receiver {
        builder = builder.callbacks_to(receiver);
    }
    let solver = builder.build()?;
    let mut callers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let solver = solver.clone();
        let challenge = fixtures::challenge_sized(400, 300);
        callers.spawn(async move {
            let mut ended = Vec::new();
            for _ in 0..JOBS / AT_ONCE {
                let solution = solver.solve(&challenge).await?;
                ended.push((solution.job().cloned(), Instant::now()));
            }
            Ok::<_, SolveError>(ended)
        });
    }
    let mut ended: HashMap<JobId, Instant> = HashMap::new();
    while let Some(caller) = callers.join_next().await {
        let jobs = caller??.into_iter();
        ended.extend(jobs.filter_map(|(job, at)| Some((job?, at))));
    }
    let jobs = emulator.jobs();
    let added = jobs.iter().filter_map(|job| {
        let fetched = ended.get(&job.id)?;
        Some(fetched.saturating_duration_since(job.ready?))
    });
    let mut added: Vec<_> = added.collect();
    added.sort_unstable();
    let polls = |jobs: &[drag_solver::testing::emulator::JobRecord]| {
        let polls: u32 = jobs.iter().map(|job| job.polls).sum();
        f64::from(polls) / as_f64(jobs.len())
    };
    let figures = Figures {
        added,
        polls: polls(&jobs),
        late_polls: polls(&jobs[jobs.len() / 2..]),
    };
    emulator.shutdown().await;
    Ok(figures)
}

/// Takes 5 to 11 s for a job, in the same order in every run.
fn worker() -> impl DragSolver {
    let number = Arc::new(AtomicU64::new(0));
    solver_fn("worker", move |_: DragChallenge| {
        let number = number.fetch_add(1, Ordering::Relaxed);
        async move {
            // The fractional parts of multiples of the golden ratio are spread evenly.
            let micros = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            sleep(Duration::from_micros(
                5_000_000 + micros * 6_000_000 / (1 << 32),
            ))
            .await;
            let drag = Drag::new(Point::new(50.0, 150.0), Point::new(300.0, 150.0));
            Ok(Solution::new(drag, "worker"))
        }
    })
}

fn show(name: &str, figures: &Figures) {
    let added = &figures.added;
    let at = |per_mille: usize| {
        let added = added.get((added.len() - 1) * per_mille / 1_000);
        added.map_or(0.0, |added| added.as_secs_f64() * 1_000.0)
    };
    println!(
        "  {name:12} added {:7.1} ms in the median, {:7.1} ms at p99, {:7.1} ms at the most; {:.2} polls a job",
        at(500),
        at(990),
        at(1_000),
        figures.polls
    );
}

#[allow(clippy::cast_precision_loss)] // far below 2^53
fn as_f64(count: usize) -> f64 {
    count as f64
}
