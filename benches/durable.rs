//! What it costs that a solve survives the process: beside a bare loop that writes the same rows, and in syncs
//! of the disk.
//!
//! `cargo bench -p drag-solver-benches --bench durable`

#![allow(clippy::print_stdout)] // the figures are what it is for

#[path = "support/bare_rows.rs"]
mod bare_rows;
#[path = "support/ratio.rs"]
mod ratio;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bare_rows::Bare;
use drag_solver_core::{
    Billed, Drag, DragChallenge, DragSolver, Event, JobId, Point, Screenshot, Solution, SolveError,
    solver_fn,
};
use drag_solver_store::{Retention, SqliteOptions, SqliteStore, Store as _, StoreExt as _};
use futures_util::StreamExt as _;
use tower::BoxError;

const AT_ONCE: usize = 256;
const SOLVES: usize = AT_ONCE * 32;
const ROUNDS: usize = 5;
const FINISHED: usize = 100_000;
const LOOKUPS: usize = 2_000;

/// What has the parts of a PNG, and the size that pictures of challenges have.
fn challenge(id: &str) -> Result<DragChallenge, SolveError> {
    const HEADER: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\x40\0\0\0\xc8\x08\x06\0\0\0CRC.";
    const END: &[u8] = b"\0\0\0\0IEND\xaeB`\x82";
    let pixels = bare_rows::PICTURE - HEADER.len() - END.len() - 12;
    let mut png = HEADER.to_vec();
    png.extend(u32::try_from(pixels).unwrap_or(0).to_be_bytes());
    png.extend(b"IDAT");
    png.resize(png.len() + pixels + 4, 7);
    png.extend(END);
    Ok(DragChallenge::new(Screenshot::from_bytes(png)?).with_id(id))
}

fn answer() -> Solution {
    let drag = Drag::new(Point::new(1.0, 2.0), Point::new(100.0, 2.0));
    Solution::new(drag, "instant").with_job(JobId::from(4_711))
}

/// Buys, gets a job and its answer at once.
fn instant() -> impl DragSolver {
    solver_fn("instant", |challenge: DragChallenge| async move {
        let (solver, job) = ("instant", JobId::from(4_711));
        challenge.notify(Event::Buying { solver }).await?;
        let bought = Event::Bought { solver, job: &job };
        challenge.notify(bought).await?;
        let (billed, cost) = (Billed::Yes, None);
        let settled = Event::Settled {
            solver,
            job: Some(&job),
            billed,
            cost,
        };
        challenge.notify(settled).await?;
        Ok(answer())
    })
}

fn open(path: &Path) -> Result<SqliteStore, BoxError> {
    let options = SqliteOptions::default().retention(None);
    Ok(SqliteStore::open_with(path, options)?)
}

fn runtime() -> Result<tokio::runtime::Runtime, BoxError> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?)
}

fn solve(path: &Path, count: usize, at_once: usize) -> Result<(), BoxError> {
    let solver = instant().durable(&open(path)?);
    let one = |index: usize| {
        let solver = &solver;
        async move { solver.solve(&challenge(&format!("order {index}"))?).await }
    };
    runtime()?.block_on(async {
        let mut outcomes =
            futures_util::stream::iter((0..count).map(one)).buffer_unordered(at_once);
        while let Some(outcome) = outcomes.next().await {
            outcome?;
        }
        Ok(())
    })
}

fn main() -> Result<(), BoxError> {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, mode, path, solves] = &arguments[..]
        && mode == "one-at-a-time"
    {
        return solve(path.as_ref(), solves.parse()?, 1);
    }
    throughput()?;
    latency()?;
    many_challenges()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn timed(run: impl FnOnce() -> Result<(), BoxError>) -> Result<Duration, BoxError> {
    let begun = Instant::now();
    run()?;
    Ok(begun.elapsed())
}

fn throughput() -> Result<(), BoxError> {
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir()?;
        let ours = folder.path().join("ours.db");
        let ours = timed(|| solve(&ours, SOLVES, AT_ONCE))?;
        let mut bare = Bare::new(&folder.path().join("bare.db"), &answer())?;
        let bare = timed(|| Ok(bare.write(SOLVES, AT_ONCE)?))?;
        #[allow(clippy::cast_precision_loss)] // far below 2^53
        let per_second = |took: Duration| SOLVES as f64 / took.as_secs_f64();
        let (ours, bare) = (per_second(ours), per_second(bare));
        println!("{AT_ONCE} at once: {ours:.0} durable solves a second, {bare:.0} of a bare loop");
        ratios.push(ours / bare);
    }
    println!("  ours / bare: {:.2}", median(ratios));
    Ok(())
}

/// How long one durable solve takes, in commits that wait for the disk, and how often it waits.
fn latency() -> Result<(), BoxError> {
    const ONE_BY_ONE: usize = 200;
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir()?;
        let ours = folder.path().join("ours.db");
        let ours = timed(|| solve(&ours, ONE_BY_ONE, 1))?;
        let bare = Bare::new(&folder.path().join("bare.db"), &answer())?;
        let bare = timed(|| Ok(bare.commit(2 * ONE_BY_ONE)?))?;
        ratios.push(ours.as_secs_f64() / bare.as_secs_f64());
    }
    println!(
        "one at a time: {:.2} x the time of two commits",
        median(ratios)
    );
    match (syncs(100)?, syncs(1_100)?) {
        (Some(few), Some(many)) => {
            #[allow(clippy::cast_precision_loss)] // far below 2^53
            let each = (many - few) as f64 / 1_000.0;
            println!("  syncs of the disk: {each:.2} a solve");
        }
        _ => println!("  syncs of the disk: not counted, as there is no strace"),
    }
    Ok(())
}

/// How often so many solves wait for the disk.
fn syncs(solves: usize) -> Result<Option<usize>, BoxError> {
    let folder = tempfile::tempdir()?;
    let counted = Command::new("strace")
        .args(["-f", "-e", "trace=fsync,fdatasync", "-o"])
        .arg(folder.path().join("calls"))
        .arg(std::env::current_exe()?)
        .arg("one-at-a-time")
        .arg(folder.path().join("ours.db"))
        .arg(solves.to_string())
        .stderr(Stdio::null())
        .status();
    if !counted.is_ok_and(|status| status.success()) {
        return Ok(None);
    }
    let calls = std::fs::read_to_string(folder.path().join("calls"))?;
    // One that another thread interrupts takes two lines.
    let begins = |line: &&str| line.contains("sync(");
    Ok(Some(calls.lines().filter(begins).count()))
}

fn many_challenges() -> Result<(), BoxError> {
    let folder = tempfile::tempdir()?;
    let (full, empty) = (folder.path().join("full"), folder.path().join("empty"));
    Bare::new(&full, &answer())?.write(FINISHED, AT_ONCE)?;
    Bare::new(&empty, &answer())?.write(1, 1)?;
    let (runtime, mut size) = (runtime()?, 0);
    {
        let (full, empty) = (open(&full)?, open(&empty)?);
        let lookup = |store: &SqliteStore, ids: usize| {
            runtime.block_on(async {
                for index in 0..LOOKUPS {
                    let id = format!("order {}", (index * 7_919) % ids);
                    let found = store.find(&id).await;
                    assert!(matches!(found, Ok(Some(_))), "{id}: {found:?}");
                }
            });
        };
        let ratio = ratio::ratio_of(21, || lookup(&full, FINISHED), || lookup(&empty, 1));
        println!("lookup among {FINISHED}: {ratio:.2} x of one in a store of one");
        runtime.block_on(full.flush())?;
        size += std::fs::metadata(full.path().unwrap_or(Path::new("")))?.len();
        std::thread::sleep(Duration::from_millis(2)); // older than now
        let none = Retention::default()
            .challenges(Duration::ZERO)
            .money(Duration::ZERO);
        let pruned = runtime.block_on(full.prune(&none))?;
        println!("pruned: {pruned:?}");
    }
    let after = std::fs::metadata(&full)?.len();
    println!("file: {size} bytes with {FINISHED} challenges, {after} after all are pruned");
    Ok(())
}
