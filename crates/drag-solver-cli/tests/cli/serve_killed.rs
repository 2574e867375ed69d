//! `serve` is killed at random instants while clients create jobs and ask for them, and nothing that was acknowledged
//! is lost or paid twice.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use drag_solver::store::{PurchaseState, Query, SqliteStore, Status, Store};
use drag_solver::{Drag, DragChallenge, ErrorKind, Point, Screenshot, Solution, solver_fn};
use drag_solver_emulator::{Emulator, Fault, Operation, Protocol, ResetPoint};
use drag_solver_mock::fixtures;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::serving::{Serving, ask, base64};
use crate::support::{Run, TOKEN, drag_solver};

/// Size of the first picture, in pixels. Each other is larger, and is told by that.
const SIZE: (u32, u32) = (100, 900);

/// So many are one wider each, the next ones higher.
const WIDTHS: u32 = 20_000;

fn picture(number: u32) -> Screenshot {
    let (width, height) = (SIZE.0 + number % WIDTHS, SIZE.1 + number / WIDTHS);
    let pixels = |side| u16::try_from(side).unwrap();
    fixtures::screenshot_sized(pixels(width), pixels(height))
}

/// Which picture it is that has this size.
pub(crate) fn number_of(width: u32, height: u32) -> u32 {
    width - SIZE.0 + (height - SIZE.1) * WIDTHS
}

/// What each answer costs, in US dollars.
const PRICE: &str = "0.0009";

/// A provider, and a gateway in front of it that can be started again and again.
pub(crate) struct Scene {
    pub(crate) emulator: Emulator,
    folder: tempfile::TempDir,
    pub(crate) key: String,
    /// The address of the database, if the store is in one.
    url: Option<String>,
}

/// The variable that has the address of the database.
const URL: &str = "STORE_OF_THE_TEST";

impl Scene {
    async fn new(limits: &[&str]) -> Self {
        Self::with_faults(limits, 0).await
    }

    /// With a provider that does so many of a thousand polls wrong.
    pub(crate) async fn with_faults(limits: &[&str], per_mille: u16) -> Self {
        let answers_after = Duration::from_millis(30);
        Self::start(limits, per_mille, answers_after, None).await
    }

    /// With a store in the database at this address.
    pub(crate) async fn in_database(limits: &[&str], answers_after: Duration, url: String) -> Self {
        Self::start(limits, 20, answers_after, Some(url)).await
    }

    async fn start(
        limits: &[&str],
        per_mille: u16,
        answers_after: Duration,
        url: Option<String>,
    ) -> Self {
        // Each picture has an answer of its own.
        let solver = solver_fn("emulated", |challenge: DragChallenge| async move {
            let picture = challenge.screenshot();
            let x = f64::from(picture.width() - SIZE.0);
            let y = f64::from(picture.height() - SIZE.1) + 20.0;
            let drag = Drag::new(Point::new(x, y), Point::new(x + 30.0, y + 20.0));
            Ok(Solution::new(drag, "emulated"))
        });
        let emulator = Emulator::builder()
            .solver(solver)
            .token(TOKEN)
            .price(PRICE.parse().unwrap())
            .balance("1000".parse().unwrap())
            .answer_after(answers_after)
            .remembered_requests(0)
            .random_faults(
                7,
                per_mille,
                [
                    (Operation::Poll, Fault::Html),
                    (Operation::Poll, Fault::Reset(ResetPoint::BeforeAnswer)),
                ],
            )
            .start();
        let emulator = emulator.await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = match &url {
            Some(_) => format!("url = {{ env = \"{URL}\" }}\nlease = \"2s\""),
            None => "path = \"drags.db\"".to_owned(),
        };
        let chain = format!(
            "deadline = \"600s\"\n[store]\n{store}\n[[providers]]\nkind = \"omocaptcha\"\n\
             base_url = \"{}\"\nprice = \"{PRICE}\"\npoll = {{ first = \"10ms\", every = \"10ms\" }}\n\
             [gateway]\nsame_create_within = \"600s\"\n",
            emulator.url(Protocol::OmocaptchaV1)
        );
        std::fs::write(folder.path().join("chain.toml"), chain).unwrap();
        let mut scene = Self {
            emulator,
            folder,
            key: String::new(),
            url,
        };
        let made = drag_solver(["keys", "add", "shop", "--store"]);
        let made = match &scene.url {
            Some(url) => made.arg(format!("env:{URL}")).env(URL, url),
            None => made.arg(scene.store()),
        };
        let made = made.args(limits).run().await;
        made.stdout.trim().clone_into(&mut scene.key);
        assert_eq!(scene.key.len(), 32, "{made:?}");
        scene
    }

    pub(crate) fn store(&self) -> std::path::PathBuf {
        self.folder.path().join("drags.db")
    }

    pub(crate) fn serve(&self, listen: &str) -> Run {
        drag_solver(["serve", "--listen", listen, "--config"])
            .arg(self.folder.path().join("chain.toml"))
            .env("OMOCAPTCHA_API_TOKEN", TOKEN)
    }

    /// One that reaches its database at another address.
    pub(crate) fn serve_by(&self, listen: &str, url: &str) -> Run {
        self.serve(listen).env(URL, url)
    }
}

/// The protocols that a client may speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Spoken {
    CreateTask,
    InPhp,
    CreateJob,
    Own,
}

const ALL: [Spoken; 4] = [
    Spoken::CreateTask,
    Spoken::InPhp,
    Spoken::CreateJob,
    Spoken::Own,
];

/// What a client is told of its job.
#[derive(Debug)]
pub(crate) enum Told {
    Solved,
    NotYet,
    Refused(String),
}

impl Spoken {
    /// The request that creates a job of the picture with this number.
    fn create(self, key: &str, number: u32) -> (&'static str, String) {
        let picture = base64(picture(number).bytes());
        match self {
            Self::CreateTask => {
                let task = json!({"type": "CoordinatesTask", "body": picture});
                (
                    "/createTask",
                    json!({"clientKey": key, "task": task}).to_string(),
                )
            }
            Self::InPhp => {
                let picture = picture.replace('+', "%2B").replace('/', "%2F");
                (
                    "/in.php",
                    format!("key={key}&method=base64&coordinatescaptcha=1&body={picture}"),
                )
            }
            Self::CreateJob => {
                let data = json!({"type_job_id": 24, "image_base64": picture});
                (
                    "/api/createJob",
                    json!({"api_token": key, "data": data}).to_string(),
                )
            }
            Self::Own => ("/v1/drags?wait=0", json!({"image": picture}).to_string()),
        }
    }

    /// The id in the response to that, or why there is none.
    fn id(self, text: &str) -> Result<String, String> {
        let json: Value = serde_json::from_str(text).unwrap_or_default();
        let id = match self {
            Self::CreateTask => json["taskId"].as_u64().map(|id| id.to_string()),
            Self::InPhp => text.strip_prefix("OK|").map(str::to_owned),
            Self::CreateJob => json["job_id"].as_u64().map(|id| id.to_string()),
            Self::Own => json["id"].as_str().map(str::to_owned),
        };
        id.ok_or_else(|| text.to_owned())
    }

    /// The request that asks for a job.
    fn poll(self, key: &str, id: &str) -> (&'static str, String, String) {
        match self {
            Self::CreateTask => {
                let body =
                    json!({"clientKey": key, "taskId": id.parse::<u64>().unwrap()}).to_string();
                ("POST", "/getTaskResult".to_owned(), body)
            }
            Self::InPhp => (
                "GET",
                format!("/res.php?key={key}&action=get&id={id}"),
                String::new(),
            ),
            Self::CreateJob => {
                let body = json!({"api_token": key, "job_id": id}).to_string();
                ("POST", "/api/getJobResult".to_owned(), body)
            }
            Self::Own => ("GET", format!("/v1/drags/{id}?wait=5"), String::new()),
        }
    }

    /// How the answer of the picture with this number reads.
    fn answer(self, number: u32) -> String {
        let (x, y) = (number % WIDTHS, number / WIDTHS + 20);
        let (end_x, end_y) = (x + 30, y + 20);
        match self {
            Self::CreateTask => format!(r#"[{{"x":{x},"y":{y}}},{{"x":{end_x},"y":{end_y}}}]"#),
            Self::InPhp => format!("x={x},y={y};x={end_x},y={end_y}"),
            Self::CreateJob => format!("\"{x}|{y}|{end_x}|{end_y}\""),
            Self::Own => {
                format!(r#"{{"x":{x}.0,"y":{y}.0}},"end":{{"x":{end_x}.0,"y":{end_y}.0}}"#)
            }
        }
    }

    fn told(self, text: &str, number: u32) -> Told {
        let json: Value = serde_json::from_str(text).unwrap_or_default();
        let (solved, not_yet) = match self {
            Self::CreateTask => (json["status"] == "ready", json["status"] == "processing"),
            Self::InPhp => (text.starts_with("OK|"), text == "CAPCHA_NOT_READY"),
            Self::CreateJob => (json["status"] == "success", json["status"] == "running"),
            Self::Own => (json["status"] == "solved", json["status"] == "open"),
        };
        match (solved, not_yet) {
            (true, _) => {
                let answer = self.answer(number);
                assert!(
                    text.contains(&answer),
                    "of another picture: {text}, not {answer}"
                );
                Told::Solved
            }
            (_, true) => Told::NotYet,
            _ => Told::Refused(text.to_owned()),
        }
    }
}

/// Whether a client is told to try again: the store cannot be reached for now.
fn is_for_now(text: &str) -> bool {
    ["NO_SLOT_AVAILABLE", "SERVICE_UNAVAILABLE"]
        .iter()
        .any(|code| text.contains(code))
}

/// One client with one picture: creates its job until that is acknowledged, and asks until it is ended. Says what it
/// was told, and how often it was cut off.
pub(crate) async fn client(address: &str, key: &str, number: u32) -> (Told, u32) {
    let spoken = ALL[number as usize % ALL.len()];
    let mut cut_off = 0;
    let (target, body) = spoken.create(key, number);
    let id = loop {
        match ask(address, "POST", target, body.as_bytes(), key).await {
            Ok((503, _)) | Err(_) => {
                cut_off += 1;
                sleep(Duration::from_millis(5)).await;
            }
            Ok((_, text)) if is_for_now(&text) => sleep(Duration::from_millis(50)).await,
            Ok((_, text)) => match spoken.id(&text) {
                Ok(id) => break id,
                Err(why) => return (Told::Refused(why), cut_off),
            },
        }
    };
    let (method, target, body) = spoken.poll(key, &id);
    loop {
        match ask(address, method, &target, body.as_bytes(), key).await {
            Ok((503, _)) | Err(_) => {
                cut_off += 1;
                sleep(Duration::from_millis(5)).await;
            }
            Ok((_, text)) if is_for_now(&text) => sleep(Duration::from_millis(50)).await,
            Ok((_, text)) => match spoken.told(&text, number) {
                Told::NotYet => {}
                told => return (told, cut_off),
            },
        }
    }
}

/// So many clients, each with one picture after the other until it is over. They say what they were told.
pub(crate) fn steady_clients(
    count: u32,
    address: &str,
    key: &str,
    is_over: &watch::Receiver<bool>,
) -> Vec<JoinHandle<Vec<(Told, u32)>>> {
    let client_of = |first| {
        let (address, key, is_over) = (address.to_owned(), key.to_owned(), is_over.clone());
        tokio::spawn(async move {
            let mut told = Vec::new();
            let mut number = first;
            while !*is_over.borrow() {
                told.push(client(&address, &key, number).await);
                number += count;
            }
            told
        })
    };
    (0..count).map(client_of).collect()
}

/// A series that looks random and is the same on every run.
pub(crate) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z ^ (z >> 29)
}

/// How often it is killed.
const KILLS: u64 = 100;

/// Clients at once.
const CLIENTS: u32 = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_a_hundred_instants_nothing_acknowledged_is_lost_and_nothing_paid_twice() {
    let scene = Scene::new(&["--per-day", "100"]).await;
    let mut serving = Serving::start(scene.serve("127.0.0.1:0")).await;
    let (address, key) = (
        Arc::new(serving.address.clone()),
        Arc::new(scene.key.clone()),
    );
    let (over, is_over) = watch::channel(false);
    let clients = steady_clients(CLIENTS, &address, &key, &is_over);
    for kill in 0..KILLS {
        sleep(Duration::from_millis(mix(kill) % 120)).await;
        serving.kill().await;
        serving = Serving::start(scene.serve(&address)).await;
    }
    over.send_replace(true);
    let told = join_all(clients).await.into_iter().flat_map(Result::unwrap);
    let (mut solved, mut unsure, mut cut_off) = (0, 0, 0);
    for (told, times) in told {
        cut_off += times;
        match told {
            Told::Solved => solved += 1,
            // A purchase was sent, and the process killed before it heard of it: nobody can know whether it is paid.
            Told::Refused(_) => unsure += 1,
            Told::NotYet => unreachable!(),
        }
    }
    let ran = serving.stop().await;
    assert_eq!(ran.code, Some(0), "{ran:?}");

    let store = SqliteStore::open(scene.store()).unwrap();
    println!("{KILLS} kills: {solved} solved, {unsure} unsure; cut off {cut_off} times");
    assert!(solved > 0 && cut_off > 0, "there was load");
    check_books(&scene, &store, solved, unsure).await;
}

/// Each job that was acknowledged is answered, each is bought once, and what was spent is what was sold.
pub(crate) async fn check_books(scene: &Scene, store: &dyn Store, solved: usize, unsure: usize) {
    let records = store.list(&Query::default()).await.unwrap();
    let budget = store.budget("key/shop", &[]).await.unwrap();
    let mut bought: HashMap<String, u32> = HashMap::new();
    let (mut on_record, mut unconfirmed, mut late) = (0_u32, 0, 0);
    for record in &records {
        let has_failed = matches!(record.status, Status::Failed { .. });
        for purchase in &record.purchases {
            // One that hung may come to hear of its purchase when another has given it up: it is there to be fetched.
            let is_late = purchase.state == PurchaseState::Bought && has_failed;
            late += usize::from(is_late);
            let is_done = purchase.state == PurchaseState::Settled || purchase.is_unconfirmed();
            assert!(is_done || is_late, "{record:?}");
            match &purchase.job {
                Some(job) => *bought.entry(job.to_string()).or_default() += 1,
                None => unconfirmed += 1,
            }
            on_record += 1;
        }
        let is_unsure = record.unconfirmed().next().is_some();
        assert_eq!(record.purchases.len(), 1, "bought once: {record:?}");
        match &record.status {
            Status::Solved { .. } => assert!(!is_unsure, "{record:?}"),
            Status::Failed { error } => {
                let is_unsure = error.kind() == ErrorKind::Unconfirmed;
                assert!(is_unsure, "it failed for no other reason: {record:?}");
            }
            open => panic!("acknowledged and not answered: {open:?}"),
        }
    }
    assert_eq!(
        records.len(),
        solved + unsure,
        "each job has one id, however often it was sent"
    );
    assert_eq!(unsure, unconfirmed + late, "each one that failed is listed");
    assert!(bought.values().all(|&times| times == 1));
    let stats = scene.emulator.stats();
    let sent = stats.jobs_created;
    assert!(
        (bought.len() as u64..=(bought.len() + unconfirmed) as u64).contains(&sent),
        "the provider sold {sent}; on record are {} and {unconfirmed} unsure",
        bought.len()
    );
    let price: drag_solver::Usd = PRICE.parse().unwrap();
    // It is charged after a purchase is on record and before it is sent: some of the unsure ones were never charged.
    let at_least = price * u32::try_from(sent).unwrap();
    assert!(
        (at_least..=price * on_record).contains(&budget.spent),
        "{budget:?}, {sent} sold"
    );
    assert_eq!(budget.reserved, drag_solver::Usd::ZERO);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_at_once_in_four_protocols_with_money_for_fifty_buy_fifty() {
    let scene = Scene::new(&["--total", "0.045"]).await;
    let serving = Serving::start(scene.serve("127.0.0.1:0")).await;
    let clients = (0..200).map(|number| client(&serving.address, &scene.key, number));
    let (mut solved, mut refused) = (0, 0);
    for (told, _) in join_all(clients).await {
        match told {
            Told::Solved => solved += 1,
            Told::Refused(why) => {
                let says_so = ["ZERO_BALANCE", "balance is not enough", "budget_exhausted"];
                assert!(says_so.iter().any(|words| why.contains(words)), "{why}");
                refused += 1;
            }
            Told::NotYet => unreachable!(),
        }
    }
    assert_eq!((solved, refused), (50, 150));
    assert_eq!(scene.emulator.stats().jobs_created, 50);
    let balance = serving
        .ask(
            "GET",
            &format!("/res.php?key={}&action=getbalance", scene.key),
            b"",
            "",
        )
        .await;
    assert_eq!(balance.1, "0");
    serving.stop().await;
}
