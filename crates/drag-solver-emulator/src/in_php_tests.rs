//! 2Captcha's older protocol, which is text, over real sockets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use drag_solver_core::{Drag, Point, Verdict};
use drag_solver_mock::{MockSolver, Outcome, fixtures};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

/// A picture that is small enough.
fn picture() -> Vec<u8> {
    fixtures::screenshot_sized(600, 1_000).bytes().to_vec()
}

async fn emulator(builder: impl FnOnce(EmulatorBuilder) -> EmulatorBuilder) -> Emulator {
    let drag = Drag::new(Point::new(83.5, 560.0), Point::new(320.0, 560.25));
    let solver = MockSolver::new("mock").always(Outcome::answer(drag));
    let emulator = builder(Emulator::builder().token("secret").solver(solver));
    emulator.start().await.unwrap()
}

/// Sends a request on a connection of its own and gives back head and body.
async fn send(emulator: &Emulator, method: &str, target: &str, body: &str) -> (String, String) {
    let request = format!(
        "{method} {target} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut socket = TcpStream::connect(emulator.address()).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

async fn ask(emulator: &Emulator, query: &str) -> String {
    let target = format!("/res.php?key=secret&{query}");
    send(emulator, "GET", &target, "").await.1
}

/// The form of a job in documented base64.
fn form() -> String {
    let picture = STANDARD.encode(picture());
    let picture = picture.replace('+', "%2B");
    format!("key=secret&method=base64&coordinatescaptcha=1&body={picture}")
}

async fn create(emulator: &Emulator) -> String {
    let (head, body) = send(emulator, "POST", "/in.php", &form()).await;
    assert!(head.contains("Content-Type: text/plain"), "{head}");
    body.strip_prefix("OK|")
        .unwrap_or_else(|| panic!("{body}"))
        .to_owned()
}

#[tokio::test]
async fn from_job_to_answer() {
    let emulator = emulator(|it| it.running_polls(1)).await;
    assert_eq!(
        emulator.url(Protocol::InPhp),
        format!("http://{}", emulator.address())
    );
    let id = create(&emulator).await;
    let get = format!("action=get&id={id}");
    assert_eq!(ask(&emulator, &get).await, "CAPCHA_NOT_READY");
    assert_eq!(
        ask(&emulator, &get).await,
        "OK|coordinates:x=84,y=560;x=320,y=560"
    );
    let json = ask(&emulator, &format!("action=get2&json=1&id={id}")).await;
    let points = r#"[{"x":"84","y":"560"},{"x":"320","y":"560"}]"#;
    assert_eq!(
        json,
        format!(r#"{{"price":"0.0009","request":{points},"status":1}}"#)
    );
    let several = ask(&emulator, &format!("action=get&ids={id},7")).await;
    assert_eq!(
        several,
        "coordinates:x=84,y=560;x=320,y=560|ERROR_WRONG_CAPTCHA_ID"
    );

    assert_eq!(ask(&emulator, "action=getbalance").await, "9.9991");
    let report = ask(&emulator, &format!("action=reportbad&id={id}")).await;
    assert_eq!(report, "OK_REPORT_RECORDED");
    let job = &emulator.jobs()[0];
    assert_eq!(
        (job.protocol, job.verdict),
        (Protocol::InPhp, Some(Verdict::Incorrect))
    );
    assert_eq!((job.polls, job.fetched), (4, 3));
    let stats = emulator.stats();
    assert_eq!(
        (
            stats.jobs_paid,
            stats.answers_fetched,
            stats.reported_incorrect
        ),
        (1, 1, 1)
    );

    let sent = &emulator.requests()[0];
    assert_eq!(sent.picture.as_deref(), Some(&picture()[..]));
    assert_eq!(
        (&sent.json["key"], &sent.json["method"]),
        (&"<token>".into(), &"base64".into())
    );
    assert!(!format!("{:?}", emulator.requests()).contains("secret"));
}

#[tokio::test]
async fn mistakes_that_a_friendly_server_hides_are_found() {
    let emulator = emulator(|it| it).await;
    for (body, expected) in [
        (
            form().replace("secret", "wrong"),
            "ERROR_KEY_DOES_NOT_EXIST",
        ),
        (form().replace("method=base64&", ""), "ERROR_BAD_PARAMETERS"),
        (
            form().replace("method=base64", "method=post"),
            "ERROR_BAD_PARAMETERS",
        ),
        (
            form().replace("coordinatescaptcha=1", ""),
            "ERROR_BAD_PARAMETERS",
        ),
        (
            form().replace("&body=", "&body=%0A"),
            "ERROR_BAD_PARAMETERS",
        ),
    ] {
        assert_eq!(send(&emulator, "POST", "/in.php", &body).await.1, expected);
    }
    let large = STANDARD.encode(fixtures::screenshot_sized(1_001, 10).bytes());
    let body = format!("key=secret&method=base64&coordinatescaptcha=1&body={large}");
    let (_, told) = send(&emulator, "POST", "/in.php", &body.replace('+', "%2B")).await;
    assert_eq!(told, "ERROR_TOO_BIG_CAPTCHA_FILESIZE");
    assert_eq!(emulator.stats().jobs_created, 0);
    let (head, _) = send(&emulator, "GET", "/res.php?header_acao=1", "").await;
    assert!(head.contains("Access-Control-Allow-Origin: *"), "{head}");
}

#[tokio::test]
async fn faults_happen_to_its_operations_too() {
    let status = Fault::status(401, ErrorBody::Json);
    let emulator = emulator(|it| {
        it.fault(Operation::Create, Fault::OddHeaders, 1)
            .fault(Operation::Poll, Fault::Html, 1)
            .fault(Operation::Poll, status, 1)
            .fault(Operation::Poll, Fault::Echo(Echo::Plain), 1)
            .fault(Operation::Balance, Fault::EmptyBody, 1)
            .fault(Operation::Report, Fault::ByteOrderMark, 1)
    })
    .await;
    let id = create(&emulator).await;
    let get = format!("action=get&id={id}");
    assert!(ask(&emulator, &get).await.starts_with("<!DOCTYPE"));
    assert_eq!(ask(&emulator, &get).await, "ERROR_KEY_DOES_NOT_EXIST");
    assert_eq!(
        ask(&emulator, &get).await,
        "ERROR_KEY_DOES_NOT_EXIST: secret"
    );
    // What it is asked is in the body, and the head alone decides that it is a poll.
    let (_, told) = send(&emulator, "POST", "/res.php", &format!("key=secret&{get}")).await;
    assert!(told.starts_with("OK|"), "{told}");
    assert_eq!(ask(&emulator, "action=getbalance").await, "");
    let report = ask(&emulator, &format!("action=reportgood&id={id}")).await;
    assert_eq!(report, "\u{feff}OK_REPORT_RECORDED");
    assert_eq!(emulator.traffic().faults, 6);
}
