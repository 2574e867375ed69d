//! `serve` for a long time: many jobs in four protocols, faults at the provider, restarts, hostile clients beside.
//!
//! `JOBS=50000 cargo test --release -p drag-solver-cli --test cli soak -- --ignored --nocapture`

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use drag_solver::Usd;
use drag_solver::store::{Query, SqliteStore, StatusKind, Store as _};
use futures_util::future::join_all;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::serve_killed::{Scene, Told, client};
use crate::serving::{Serving, ask};

/// Clients at once.
const CLIENTS: usize = 64;

/// Memory in use, in KiB, and open files of the gateway.
fn taken_up(serving: &Serving) -> (usize, usize) {
    let id = serving.child.id().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    let memory = line.trim().trim_end_matches(" kB").parse().unwrap();
    let files = std::fs::read_dir(format!("/proc/{id}/fd")).unwrap().count();
    (memory, files)
}

/// One who guesses keys, sends half a request, or a body that never comes.
async fn hostile(address: Arc<String>, turn: usize) {
    let key = format!("{turn:032x}");
    match turn % 3 {
        0 => drop(
            ask(
                &address,
                "GET",
                &format!("/res.php?key={key}&action=getbalance"),
                b"",
                "",
            )
            .await,
        ),
        kind => {
            let Ok(mut stream) = TcpStream::connect(&*address).await else {
                return;
            };
            let head = "POST /createTask HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n";
            let part = if kind == 1 { &head[..30] } else { head };
            let _ = stream.write_all(part.as_bytes()).await;
            sleep(Duration::from_millis(200)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn soak() {
    let jobs = std::env::var("JOBS").map_or(5_000, |jobs| jobs.parse().unwrap());
    let scene = Scene::with_faults(&["--total", "1000"], 50).await;
    let mut serving = Serving::start(scene.serve("127.0.0.1:0")).await;
    let (address, key) = (
        Arc::new(serving.address.clone()),
        Arc::new(scene.key.clone()),
    );
    let (next, ended) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (address, key, next, ended) = (
                Arc::clone(&address),
                Arc::clone(&key),
                Arc::clone(&next),
                Arc::clone(&ended),
            );
            tokio::spawn(async move {
                let mut refused = Vec::new();
                while ended.fetch_add(1, Ordering::Relaxed) < jobs {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if let (Told::Refused(why), _) = client(&address, &key, number).await {
                        refused.push(why);
                    }
                }
                refused
            })
        })
        .collect();
    let guests = {
        let address = Arc::clone(&address);
        tokio::spawn(async move {
            for turn in 0.. {
                tokio::spawn(hostile(Arc::clone(&address), turn));
                sleep(Duration::from_millis(20)).await;
            }
        })
    };
    let mut log = String::new();
    for share in 1..=4 {
        while ended.load(Ordering::Relaxed) < jobs * share / 5 {
            sleep(Duration::from_millis(100)).await;
        }
        let (memory, files) = taken_up(&serving);
        println!(
            "{} jobs: {memory} KiB, {files} files open",
            ended.load(Ordering::Relaxed)
        );
        match share {
            2 => {
                log += &serving.stop().await.stderr;
                serving = Serving::start(scene.serve(&address)).await;
            }
            3 => {
                serving.kill().await;
                serving = Serving::start(scene.serve(&address)).await;
            }
            _ => {}
        }
    }
    let refused: Vec<String> = join_all(clients)
        .await
        .into_iter()
        .flat_map(Result::unwrap)
        .collect();
    guests.abort();
    sleep(Duration::from_secs(1)).await;
    let (memory, files) = taken_up(&serving);
    println!(
        "in the end: {memory} KiB, {files} files open; {} refused",
        refused.len()
    );
    // Those that are left are kept for the provider, one for each call that there was at once.
    assert!(files < CLIENTS + 30, "connections of clients are closed");
    let (_, metrics) = ask(&address, "GET", "/metrics", b"", "").await.unwrap();
    log += &serving.stop().await.stderr;
    for text in [&metrics, &log] {
        assert!(
            !text.contains(&*scene.key) && !text.contains("hunter2"),
            "a key is shown"
        );
    }

    check_books(&scene, &refused).await;
}

/// Nothing acknowledged is left, nothing is bought twice, and what was spent is what was sold.
#[allow(clippy::print_stdout)] // figures are what it is for
async fn check_books(scene: &Scene, refused: &[String]) {
    let store = SqliteStore::open(scene.store()).unwrap();
    let open = store
        .list(&Query::default().status(StatusKind::Open))
        .await
        .unwrap();
    assert_eq!(open.len(), 0, "nothing acknowledged is left");
    let all = store.list(&Query::default()).await.unwrap();
    let unsure = all
        .iter()
        .filter(|record| record.unconfirmed().next().is_some())
        .count();
    assert_eq!(
        refused.len(),
        unsure,
        "those that one kill left, and no other: {:?}",
        refused.first()
    );
    assert!(
        all.iter().all(|record| record.purchases.len() == 1),
        "bought once"
    );
    let sold = scene.emulator.stats().jobs_created;
    let spent = store.budget("key/shop", &[]).await.unwrap().spent;
    let price: Usd = "0.0009".parse().unwrap();
    println!(
        "{} jobs on record, {sold} sold, {unsure} unsure, ${spent} spent",
        all.len()
    );
    let most = price * u32::try_from(all.len()).unwrap();
    assert!((price * u32::try_from(sold).unwrap()..=most).contains(&spent));
}
