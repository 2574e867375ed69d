//! Answers are sent to addresses of the clients' own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::Request;
use drag_solver::async_trait;
use drag_solver::testing::MockSolver;
use drag_solver_gateway::{Callback, CallbackSender, GatewayPolicy};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use crate::house::{House, answer_after, coordinates, picture, store};

pub(crate) const HOOK: &str = "https://hooks.example.com/done?secret=s3cret";

/// A sender that notes what it gets, and answers as it is told: 200 when nothing is left.
#[derive(Clone, Debug)]
pub(crate) struct Script(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    began: Instant,
    answers: VecDeque<Result<u16, String>>,
    /// How long an answer takes.
    takes: Duration,
    /// When each came, what it was, and its body.
    seen: Vec<(u64, String, String)>,
    at_once: usize,
    most_at_once: usize,
}

impl Script {
    pub(crate) fn new(answers: impl IntoIterator<Item = Result<u16, String>>) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            began: Instant::now(),
            answers: answers.into_iter().collect(),
            takes: Duration::ZERO,
            seen: Vec::new(),
            at_once: 0,
            most_at_once: 0,
        })))
    }

    fn taking(self, takes: Duration) -> Self {
        self.0.lock().unwrap().takes = takes;
        self
    }

    /// When each came, in seconds from the start.
    pub(crate) fn times(&self) -> Vec<u64> {
        let inner = self.0.lock().unwrap();
        inner.seen.iter().map(|(at, ..)| *at).collect()
    }

    /// How many came, and how many at once at most.
    fn counts(&self) -> (usize, usize) {
        let inner = self.0.lock().unwrap();
        (inner.seen.len(), inner.most_at_once)
    }

    fn body(&self, at: usize) -> String {
        self.0.lock().unwrap().seen[at].2.clone()
    }
}

#[async_trait]
impl CallbackSender for Script {
    async fn send(&self, callback: &Callback) -> Result<u16, String> {
        let (takes, answer) = {
            let mut inner = self.0.lock().unwrap();
            let at = inner.began.elapsed().as_secs();
            let what = format!("{} {}", callback.content_type(), callback.url());
            let body = String::from_utf8(callback.body().to_vec()).unwrap();
            inner.seen.push((at, what, body));
            inner.at_once += 1;
            inner.most_at_once = inner.most_at_once.max(inner.at_once);
            (inner.takes, inner.answers.pop_front().unwrap_or(Ok(200)))
        };
        sleep(takes).await;
        self.0.lock().unwrap().at_once -= 1;
        answer
    }
}

pub(crate) fn policy() -> GatewayPolicy {
    GatewayPolicy::default().callback_hosts(["*.example.com".parse().unwrap()])
}

async fn house(mock: &MockSolver, script: &Script) -> House {
    let script = script.clone();
    House::built(mock, store(), |builder| {
        builder.policy(policy()).callback_sender(script)
    })
    .await
}

fn mock() -> MockSolver {
    MockSolver::new("house").always(answer_after(3))
}

/// A task of 2Captcha's kind, whose answer is wanted at this address.
pub(crate) fn task(width: u16, url: &str) -> Value {
    let mut body = coordinates("K", width);
    body["callbackUrl"] = url.into();
    body
}

async fn form(house: &House, width: u16, url: &str) -> String {
    let escape = |text: &str| {
        let escaped = text.bytes().map(|byte| format!("%{byte:02X}"));
        escaped.collect::<String>()
    };
    let body = format!(
        "key=K&method=base64&coordinatescaptcha=1&textinstructions=drag&body={}&pingback={}",
        escape(&picture(width)),
        escape(url)
    );
    let request =
        Request::post("/in.php").header("content-type", "application/x-www-form-urlencoded");
    house.text(request.body(body.into()).unwrap()).await.1
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_sent_to_the_address_that_the_client_gave() {
    let script = Script::new([]);
    let house = house(&mock(), &script).await;
    let created = house.post("/createTask", &task(590, HOOK)).await;
    assert_eq!(created["errorId"], 0, "{created}");
    sleep(Duration::from_secs(4)).await;
    assert_eq!(script.times(), [3]);
    let sent: Value = serde_json::from_str(&script.body(0)).unwrap();
    assert_eq!(sent["taskId"], created["taskId"]);
    // What a poll says is the same, but for the id.
    let polled = house.poll("K", created["taskId"].as_u64().unwrap()).await;
    assert_eq!(sent["solution"], polled["solution"]);
    assert_eq!(
        (&sent["status"], &polled["status"]),
        (&json!("ready"), &json!("ready"))
    );
    let what = script.0.lock().unwrap().seen[0].1.clone();
    assert_eq!(what, format!("application/json {HOOK}"));
}

#[tokio::test(start_paused = true)]
async fn a_pingback_is_a_form_and_a_failed_job_has_one_too() {
    let script = Script::new([]);
    let mock = MockSolver::new("house").then(answer_after(1)).always(
        drag_solver::testing::Outcome::error(drag_solver::ErrorKind::Unsolvable, "no"),
    );
    let house = house(&mock, &script).await;
    let created = form(&house, 590, HOOK).await;
    let id = created
        .strip_prefix("OK|")
        .unwrap_or_else(|| panic!("{created}"));
    sleep(Duration::from_secs(2)).await;
    assert!(
        script
            .body(0)
            .starts_with(&format!("id={id}&code=coordinates%3Ax%3D")),
        "{}",
        script.body(0)
    );
    form(&house, 591, HOOK).await;
    sleep(Duration::from_secs(2)).await;
    assert!(
        script.body(1).ends_with("&code=ERROR_CAPTCHA_UNSOLVABLE"),
        "{}",
        script.body(1)
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_not_taken_is_sent_again_five_times_in_ten_minutes() {
    let script = Script::new([
        Err("refused".to_owned()),
        Ok(500),
        Ok(302),
        Ok(404),
        Ok(503),
        Ok(200),
    ]);
    let house = house(&mock(), &script).await;
    house.post("/createTask", &task(590, HOOK)).await;
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(script.times(), [3, 8, 38, 158, 578]);
    assert!((1..5).all(|at| script.body(at) == script.body(0)));
    drop(house);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_answer_has_ten_seconds_and_then_another_try() {
    let script = Script::new([]).taking(Duration::from_secs(60));
    let house = house(&mock(), &script).await;
    house.post("/createTask", &task(590, HOOK)).await;
    sleep(Duration::from_secs(40)).await;
    assert_eq!(script.times(), [3, 18]);
    drop(house);
}

#[tokio::test(start_paused = true)]
async fn so_many_are_sent_at_once_and_all_are_sent() {
    let script = Script::new([]).taking(Duration::from_secs(5));
    let house = house(&mock(), &script).await;
    for width in 500..600 {
        house.post("/createTask", &task(width, HOOK)).await;
    }
    sleep(Duration::from_secs(60)).await;
    assert_eq!(script.counts(), (100, 16), "to one host");
    for width in 600..720 {
        let url = format!("https://host{}.example.com/", width % 6);
        house.post("/createTask", &task(width, &url)).await;
    }
    sleep(Duration::from_secs(60)).await;
    assert_eq!(script.counts(), (220, 64), "to several hosts");
    drop(house);
}

#[tokio::test(start_paused = true)]
async fn hosts_that_are_not_listed_and_addresses_that_are_not_public_are_refused_before_anything_is_bought()
 {
    let script = Script::new([]);
    let mock = mock();
    let house = house(&mock, &script).await;
    for url in [
        "https://example.com/",
        "http://hooks.example.com/",
        "https://127.0.0.1/",
        "https://hooks.example.com.evil.net/",
        "nonsense",
    ] {
        let refused = house.post("/createTask", &task(590, url)).await;
        assert_eq!(
            refused["errorCode"], "ERROR_BAD_PARAMETERS",
            "{url}: {refused}"
        );
        assert_eq!(form(&house, 590, url).await, "ERROR_BAD_PARAMETERS");
    }
    sleep(Duration::from_secs(60)).await;
    assert_eq!((mock.call_count(), script.times().len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_same_create_again_is_the_same_job_and_one_callback() {
    let script = Script::new([]);
    let house = house(&mock(), &script).await;
    let first = house.post("/createTask", &task(590, HOOK)).await;
    let again = house.post("/createTask", &task(590, HOOK)).await;
    assert_eq!(first["taskId"], again["taskId"]);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(script.times(), [3]);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_ends_in_the_next_process_is_called_back_from_there() {
    let (store, mock) = (store(), mock());
    let (first, second) = (Script::new([]), Script::new([]));
    let build = |script: &Script| {
        let script = script.clone();
        House::built(&mock, store.clone(), |builder| {
            builder.policy(policy()).callback_sender(script)
        })
    };
    let house = build(&first).await;
    house.post("/createTask", &task(590, HOOK)).await;
    sleep(Duration::from_secs(1)).await;
    house.crash().await;
    let house = build(&second).await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!((first.times().len(), second.times().len()), (0, 1));
    drop(house);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_is_told_to_stop_tries_once_more_at_once() {
    let script = Script::new([Ok(500), Ok(500)]);
    let house = house(&mock(), &script).await;
    house.post("/createTask", &task(590, HOOK)).await;
    sleep(Duration::from_secs(9)).await; // tried at 3 s and at 8 s
    house.gateway.stop();
    let ended = house.ended().await;
    assert_eq!(script.times(), [3, 8, 9]);
    assert!(ended < Duration::from_secs(1), "{ended:?}");
}

#[tokio::test]
async fn over_a_network_it_is_one_post_and_no_redirect_is_followed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let url = format!("http://{}/hook?secret=1", listener.local_addr().unwrap());
    let policy = GatewayPolicy::default()
        .callback_hosts(["127.0.0.1".parse().unwrap()])
        .callback_plain_http(true)
        .callback_private_addresses(true);
    let mock = MockSolver::new("house").always(answer_after(0));
    let house = House::built(&mock, store(), |builder| builder.policy(policy)).await;
    let created = house.post("/createTask", &task(590, &url)).await;
    let (mut connection, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"}") {
        assert_ne!(connection.read_buf(&mut request).await.unwrap(), 0);
    }
    let redirect = format!(
        "HTTP/1.1 307 x\r\nlocation: http://{}/\r\ncontent-length: 0\r\n\r\n",
        elsewhere.local_addr().unwrap()
    );
    connection.write_all(redirect.as_bytes()).await.unwrap();
    let request = String::from_utf8(request).unwrap();
    assert!(
        request.starts_with("POST /hook?secret=1 HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(
        request.contains("content-type: application/json\r\n"),
        "{request}"
    );
    assert!(
        request.contains(&format!(r#""taskId":{}"#, created["taskId"])),
        "{request}"
    );
    // It may try once more, and only here.
    house.gateway.stop();
    drop(listener);
    house.ended().await;
    let asked = elsewhere.accept().map(|_| ()).map_err(|error| error.kind());
    assert_eq!(asked, Err(std::io::ErrorKind::WouldBlock));
}
