//! Three gateways over one PostgreSQL, behind a load balancer; everything that can go wrong does, again and again, and
//! nothing that was acknowledged is lost or paid twice.
//!
//! `CHAOS_SECONDS=600 cargo test --release -p drag-solver-cli --test cli chaos -- --nocapture` for longer than it takes here.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use drag_solver::store::{PostgresOptions, PostgresStore, Query, StatusKind, Store as _};
use drag_solver_tests::postgres::Server;
use futures_util::future::join_all;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::serve_killed::{Scene, Told, check_books, client, mix, number_of, steady_clients};
use crate::serving::Serving;
use crate::support::signal;

const GATEWAYS: usize = 3;

/// Clients at once.
const CLIENTS: u32 = 12;

/// The first picture of published clients.
const PUBLISHED: u32 = 1_000_000;

/// How long it is stopped: longer than the lease of 2 s that the gateways have.
const STOPPED: Duration = Duration::from_secs(3);

/// Hands connections on to one of several places, one after the other, and can cut them all.
struct Relay {
    address: String,
    open: Arc<Mutex<HashMap<usize, AbortHandle>>>,
}

impl Relay {
    async fn start(places: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let open: Arc<Mutex<HashMap<usize, AbortHandle>>> = Arc::default();
        let relay = Self {
            address,
            open: Arc::clone(&open),
        };
        let next = AtomicUsize::new(0);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let (places, all) = (places.clone(), Arc::clone(&open));
                let task = tokio::spawn(async move {
                    for turn in 0..places.len() {
                        let place = &places[(number + turn) % places.len()];
                        if let Ok(mut far) = TcpStream::connect(place).await {
                            let _ = copy_bidirectional(&mut near, &mut far).await;
                            break;
                        }
                    }
                    all.lock().unwrap().remove(&number);
                });
                if !task.is_finished() {
                    open.lock().unwrap().insert(number, task.abort_handle());
                }
            }
        });
        relay
    }

    /// Cuts all connections there are.
    fn cut(&self) {
        for (_, task) in self.open.lock().unwrap().drain() {
            task.abort();
        }
    }
}

/// One gateway, and its way to the database.
struct Gateway {
    serving: Serving,
    database: Relay,
    url: String,
}

impl Gateway {
    async fn start(scene: &Scene, server: &Server, listen: &str) -> Self {
        let database = Relay::start(vec![format!("127.0.0.1:{}", server.port())]).await;
        let url = format!("postgres://postgres@{}/postgres", database.address);
        let serving = Serving::start(scene.serve_by(listen, &url)).await;
        Self {
            serving,
            database,
            url,
        }
    }

    async fn start_again(&mut self, scene: &Scene) {
        let address = self.serving.address.clone();
        self.serving = Serving::start(scene.serve_by(&address, &self.url)).await;
    }

    async fn kill(&mut self) {
        self.serving.child.kill().await.unwrap();
    }
}

fn seconds() -> u64 {
    std::env::var("CHAOS_SECONDS").map_or(20, |seconds| seconds.parse().unwrap())
}

fn open(server: &Server) -> PostgresStore {
    let options = PostgresOptions::default().retention(None);
    PostgresStore::open(&server.url().into(), options).unwrap()
}

/// Something goes wrong, and says what.
async fn happens(
    kind: u64,
    random: u64,
    gateway: &mut Gateway,
    scene: &Scene,
    server: &Server,
) -> &'static str {
    match kind {
        0 | 5 | 6 => {
            gateway.kill().await;
            sleep(Duration::from_millis(random % 3_000)).await;
            gateway.start_again(scene).await;
            "gateways killed"
        }
        1 | 7 => {
            signal(&gateway.serving.child, "STOP");
            sleep(STOPPED).await;
            signal(&gateway.serving.child, "CONT");
            "gateways stopped for longer than their lease"
        }
        2 | 8 => {
            gateway.database.cut();
            "connections of a gateway to the database cut"
        }
        3 => {
            server.kill();
            sleep(Duration::from_millis(random % 2_000)).await;
            server.run();
            "databases killed and started again"
        }
        _ => {
            signal(&gateway.serving.child, "TERM");
            let ended = gateway.serving.child.wait().await.unwrap();
            assert!(ended.success(), "{ended}");
            gateway.start_again(scene).await;
            "gateways replaced"
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_dies_nothing_acknowledged_is_lost_and_nothing_paid_twice() {
    let Some(server) = Server::start() else {
        return;
    };
    let answers_after = Duration::from_millis(100);
    let scene = Scene::in_database(&["--total", "1000"], answers_after, server.url()).await;
    let mut gateways = Vec::new();
    for _ in 0..GATEWAYS {
        gateways.push(Gateway::start(&scene, &server, "127.0.0.1:0").await);
    }
    let places = gateways.iter().map(|one| one.serving.address.clone());
    let balancer = Relay::start(places.collect()).await;
    let (over, is_over) = watch::channel(false);
    let clients = steady_clients(CLIENTS, &balancer.address, &scene.key, &is_over);
    let published = published_clients(&balancer.address, &scene.key);
    let begun = Instant::now();
    let mut events: HashMap<&str, u32> = HashMap::new();
    for turn in 0.. {
        if begun.elapsed().as_secs() >= seconds() {
            break;
        }
        sleep(Duration::from_millis(200 + mix(turn) % 1_500)).await;
        let random = mix(turn + 1_000_000);
        let gateway = &mut gateways[usize::try_from(random % 3).unwrap()];
        // The first of each kind come in order, so that none is left out of a short run.
        let kind = if turn < 5 { turn } else { (random / 3) % 10 };
        let event = happens(kind, mix(turn), gateway, &scene, &server).await;
        *events.entry(event).or_default() += 1;
    }
    over.send_replace(true);
    let clients = timeout(Duration::from_secs(120), join_all(clients)).await;
    let clients = clients.expect("a job that was acknowledged is never answered");
    let told = clients.into_iter().flat_map(Result::unwrap);
    let (mut solved, mut unsure, mut cut_off) = (0, 0, 0);
    for (told, times) in told {
        cut_off += times;
        match told {
            Told::Solved => solved += 1,
            // A purchase was sent, and its process did not come to hear of it.
            Told::Refused(why) => {
                assert!(is_unsure(&why), "{why}");
                unsure += 1;
            }
            Told::NotYet => unreachable!(),
        }
    }
    if let Some(mut published) = published {
        drop(published.stdin.take());
        let said = timeout(Duration::from_secs(120), published.wait_with_output()).await;
        let said = said.expect("published clients end").unwrap();
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        println!(
            "published clients: {}{}",
            text,
            String::from_utf8_lossy(&said.stderr)
        );
        let mut counts = text
            .split_whitespace()
            .filter_map(|word| word.parse::<usize>().ok());
        let (Some(more), Some(less)) = (counts.next(), counts.next()) else {
            panic!("published clients: {said:?}");
        };
        assert!(said.status.success() && more > 0, "{said:?}");
        (solved, unsure) = (solved + more, unsure + less);
    }
    let store = open(&server);
    all_ended(&store).await;
    // A job that turned out to be paid after its client was told that this is unknown is fetched when the same is sent again.
    let paid = Query::default().unfetched(true);
    for record in store.list(&paid).await.unwrap() {
        let number = number_of(record.width, record.height);
        if number < PUBLISHED {
            let (told, _) = client(&balancer.address, &scene.key, number).await;
            assert!(matches!(told, Told::Solved), "{told:?}: {record:?}");
            (solved, unsure) = (solved + 1, unsure - 1);
        }
    }
    for gateway in gateways {
        let ran = gateway.serving.stop().await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    println!("{events:?}: {solved} solved, {unsure} unsure; clients were cut off {cut_off} times");
    assert!(solved > 0 && cut_off > 0, "there was load");
    check_books(&scene, &store, solved, unsure).await;
}

/// A request that waited in a stopped gateway may begin a job anew that its client no longer waits for.
async fn all_ended(store: &PostgresStore) {
    let ended = async {
        let open = Query::default().status(StatusKind::Open);
        while !store.list(&open).await.unwrap().is_empty() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    let ended = timeout(Duration::from_secs(60), ended).await;
    ended.expect("a job that is open is worked on");
}

/// Published clients that go on solving, where they are installed: `tests/clients/run.sh` does that, and says their Python.
#[allow(clippy::print_stdout)] // what is skipped is said
fn published_clients(address: &str, key: &str) -> Option<Child> {
    let Some(python) = std::env::var_os("CLIENTS_PYTHON") else {
        println!("SKIPPED: published clients (CLIENTS_PYTHON is not set)");
        return None;
    };
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/clients/python/steady.py"
    );
    let client = Command::new(python)
        .args([script, address, key, &PUBLISHED.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    Some(client.unwrap())
}

/// Whether this is what a client is told of a job of which it is unknown whether it is paid.
fn is_unsure(why: &str) -> bool {
    ["UNSOLVABLE", "unconfirmed", "fail"]
        .iter()
        .any(|words| why.contains(words))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_gateway_paid_for_is_fetched_by_another_within_seconds() {
    const JOBS: u32 = 30;
    let Some(server) = Server::start() else {
        return;
    };
    // Longer than it takes to buy for all.
    let answers_after = Duration::from_secs(3);
    let scene = Scene::in_database(&[], answers_after, server.url()).await;
    let (mut took, mut killed, store) = (Vec::new(), 0, open(&server));
    for round in 0..4 {
        let mut first = Gateway::start(&scene, &server, "127.0.0.1:0").await;
        let second = Gateway::start(&scene, &server, "127.0.0.1:0").await;
        let numbers = (0..JOBS).map(|number| round * JOBS + number);
        let places = vec![
            first.serving.address.clone(),
            second.serving.address.clone(),
        ];
        let front = Relay::start(places[..1].to_vec()).await;
        let behind = Relay::start(places).await;
        let created = numbers.clone().map(|number| {
            let (address, key) = (front.address.clone(), scene.key.clone());
            tokio::spawn(async move { client(&address, &key, number).await })
        });
        let created: Vec<_> = created.collect();
        // Until it is on record that all are paid.
        let paid = Query::default().unfetched(true);
        while store.list(&paid).await.unwrap().len() < JOBS as usize {
            sleep(Duration::from_millis(5)).await;
        }
        first.kill().await;
        killed += 1;
        for task in created {
            task.abort();
        }
        let begun = Instant::now();
        let answered = numbers.map(|number| {
            let (address, key) = (behind.address.clone(), scene.key.clone());
            async move {
                let (told, _) = client(&address, &key, number).await;
                (told, begun.elapsed())
            }
        });
        for (told, after) in join_all(answered).await {
            match told {
                Told::Solved => took.push(after),
                told => panic!("it is known to be paid: {told:?}"),
            }
        }
        second.serving.stop().await;
    }
    took.sort();
    let at = |share: usize| took[(took.len() - 1) * share / 100].as_secs_f64();
    println!(
        "{killed} gateways killed with {JOBS} paid jobs each: {} taken over; answered by another after {:.2} s (median), \
         {:.2} s (p99), with a lease of 2 s",
        took.len(),
        at(50),
        at(99)
    );
    assert_eq!(
        scene.emulator.stats().jobs_created,
        u64::from(JOBS) * 4,
        "nothing is bought twice"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_at_once_at_three_gateways_with_money_for_fifty_buy_fifty() {
    let Some(server) = Server::start() else {
        return;
    };
    let answers_after = Duration::from_millis(30);
    let scene = Scene::in_database(&["--total", "0.045"], answers_after, server.url()).await;
    let mut gateways = Vec::new();
    for _ in 0..GATEWAYS {
        gateways.push(Gateway::start(&scene, &server, "127.0.0.1:0").await);
    }
    let places = gateways.iter().map(|one| one.serving.address.clone());
    let balancer = Relay::start(places.collect()).await;
    let clients = (0..200).map(|number| client(&balancer.address, &scene.key, number));
    let told = join_all(clients).await;
    let solved = told.iter().filter(|(told, _)| matches!(told, Told::Solved));
    assert_eq!(solved.count(), 50, "{told:?}");
    assert_eq!(scene.emulator.stats().jobs_created, 50);
    for gateway in gateways {
        gateway.serving.stop().await;
    }
}
