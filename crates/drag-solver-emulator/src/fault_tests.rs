//! Each fault as a client sees it, byte by byte and without an HTTP client in between.

use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use drag_solver_mock::{MockSolver, fixtures};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

const TOKEN: &str = "k/1\"+";

fn builder() -> EmulatorBuilder {
    Emulator::builder()
        .token(TOKEN)
        .solver(MockSolver::new("mock").always(fixtures::drag()))
}

/// Sends a request on a connection of its own. What came back, up to 2 MiB, and how it ended.
async fn post(emulator: &Emulator, path: &str, body: &Value) -> (Vec<u8>, io::Result<()>) {
    let body = body.to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut answer = Vec::new();
    let mut socket = match TcpStream::connect(emulator.address()).await {
        Ok(socket) => socket,
        Err(error) => return (answer, Err(error)),
    };
    let _ = socket.write_all(request.as_bytes()).await;
    let mut rest = socket.take(2 * 1024 * 1024);
    let ended = rest.read_to_end(&mut answer).await;
    (answer, ended.map(|_| ()))
}

async fn create(emulator: &Emulator) -> (Vec<u8>, io::Result<()>) {
    let picture = STANDARD.encode(fixtures::screenshot().bytes());
    let data = json!({"type_job_id": "24", "image_base64": picture});
    let job = json!({"api_token": TOKEN, "data": data});
    post(emulator, "/api/createJob", &job).await
}

fn text(answer: &[u8]) -> String {
    String::from_utf8_lossy(answer).into_owned()
}

#[tokio::test]
async fn a_job_is_paid_for_where_the_provider_may_have_got_the_request() {
    for fault in Fault::all() {
        if matches!(
            fault,
            Fault::Hang | Fault::Stall | Fault::SwitchProtocols | Fault::EndlessInformational
        ) {
            continue; // these do not end by themselves
        }
        let emulator = builder()
            .fault(Operation::Create, fault.clone(), 1)
            .start()
            .await
            .unwrap();
        let _ = create(&emulator).await;
        let happened = emulator.traffic().faults;
        let expected = u64::from(fault.executes_request());
        assert_eq!(
            (emulator.stats().jobs_paid, happened),
            (expected, 1),
            "{fault}"
        );
        emulator.shutdown().await;
    }
}

#[tokio::test]
async fn resets_come_at_their_point() {
    for (point, begins, is_whole) in [
        (ResetPoint::BeforeRequest, false, false),
        (ResetPoint::BeforeAnswer, false, false),
        (ResetPoint::DuringAnswer, true, false),
        (ResetPoint::AfterAnswer, true, true),
    ] {
        let script = builder().fault(Operation::Create, Fault::Reset(point), 1);
        let emulator = script.start().await.unwrap();
        let (answer, ended) = create(&emulator).await;
        assert_eq!(
            ended.unwrap_err().kind(),
            io::ErrorKind::ConnectionReset,
            "{point:?}"
        );
        // What was sent before a reset may be lost with it, but never more than was sent.
        let answer = text(&answer);
        assert!(begins || answer.is_empty(), "{answer}");
        assert!(is_whole || !answer.ends_with('}'), "{answer}");
        // The next one is served.
        let (answer, ended) = create(&emulator).await;
        assert!(ended.is_ok() && text(&answer).ends_with('}'));
    }
}

#[tokio::test]
async fn refusing_begins_before_the_first_connection_and_ends() {
    let script = builder().fault(Operation::Connect, Fault::Refuse(Duration::MAX), 1);
    let emulator = script.start().await.unwrap();
    let (_, refused) = create(&emulator).await;
    assert_eq!(
        refused.unwrap_err().kind(),
        io::ErrorKind::ConnectionRefused
    );
    emulator.shutdown().await;

    let script = builder().fault(
        Operation::Connect,
        Fault::Refuse(Duration::from_millis(1)),
        1,
    );
    let emulator = script.start().await.unwrap();
    while create(&emulator).await.1.is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(emulator.stats().jobs_created, 1);
    emulator.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_of_a_client_that_left() {
    let faults = [
        Fault::Hang,
        Fault::Stall,
        Fault::SwitchProtocols,
        Fault::Drip(Duration::from_secs(3_600)),
    ];
    for fault in faults {
        let script = builder().fault(Operation::Create, fault.clone(), 1);
        let emulator = script.start().await.unwrap();
        let before = alive();
        {
            let mut asking = std::pin::pin!(create(&emulator));
            while emulator.traffic().faults == 0 {
                let _ = futures_now(asking.as_mut()).await;
            }
        }
        while alive() > before {
            tokio::task::yield_now().await;
        }
        emulator.shutdown().await;
    }
}

fn alive() -> usize {
    tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks()
}

/// Polls `future` once and lets others run.
async fn futures_now<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    tokio::select! {
        biased;
        output = future => Some(output),
        () = tokio::task::yield_now() => None,
    }
}

#[tokio::test]
async fn answers_are_corrupted_as_their_names_say() {
    for (fault, shows) in [
        (Fault::Html, "text/html; charset=utf-8\r\n"),
        (Fault::ContentType, "text/html\r\n"),
        (Fault::EmptyBody, "Content-Length: 0\r\n"),
        (Fault::DeepNesting, "[[[[[["),
        (Fault::GzipBomb, "Content-Encoding: gzip\r\n"),
        (Fault::Gigabyte, "Content-Length: 1073741824\r\n"),
        (Fault::EndlessBody, "Transfer-Encoding: chunked\r\n"),
        (Fault::DuplicateFields, r#""job_id":null,"job_id":123456"#),
        (Fault::UnknownFields, r#""request_id":"r-1""#),
        (Fault::NumbersAsStrings, r#""job_id":"123456""#),
        (Fault::HugeIds, r#""job_id":9007199254740993"#),
        (Fault::IdsBeyondU64, r#""job_id":123456789012345678901"#),
        (
            Fault::Redirect(307, RedirectTo::Itself),
            "Location: /api/createJob\r\n",
        ),
        (
            Fault::Informational(103),
            "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK",
        ),
        (Fault::SwitchProtocols, "HTTP/1.1 101"),
        (
            Fault::status(402, ErrorBody::Json),
            r#"{"error":true,"message":"Your balance"#,
        ),
        (
            Fault::status(521, ErrorBody::Html),
            "521 Web Server Is Down",
        ),
        (Fault::retry_after("soon"), "Retry-After: soon\r\n"),
        (Fault::Echo(Echo::Plain), r#"Invalid api token: k/1\"+"#),
        (
            Fault::Echo(Echo::JsonEscaped),
            r"Invalid api token: \u006b\u002f",
        ),
        (Fault::Echo(Echo::Percent), "Invalid api token: k%2F1%22%2B"),
        (
            Fault::Echo(Echo::Base64),
            "Invalid api token: dXNlcjprLzEiKw==",
        ),
        (
            Fault::Echo(Echo::Location),
            "Location: /login?key=k%2F1%22%2B",
        ),
    ] {
        let script = builder().fault(Operation::Create, fault.clone(), 1);
        let emulator = script.start().await.unwrap();
        let name = fault.to_string();
        let answer = if fault == Fault::SwitchProtocols {
            let socket = TcpStream::connect(emulator.address()).await.unwrap();
            let mut socket = socket;
            let request = "POST /api/createJob HTTP/1.1\r\n\r\n";
            socket.write_all(request.as_bytes()).await.unwrap();
            let mut head = vec![0; 12];
            socket.read_exact(&mut head).await.unwrap();
            head
        } else {
            create(&emulator).await.0
        };
        assert!(text(&answer).contains(shows), "{name}: {}", {
            let shown = text(&answer);
            shown.chars().take(600).collect::<String>()
        });
        emulator.shutdown().await;
    }
}

#[tokio::test]
async fn a_fault_that_means_nothing_to_its_operation_is_refused() {
    let error = builder()
        .fault(Operation::Connect, Fault::Html, 1)
        .start()
        .await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("`html` means nothing to the operation `connect`"),
        "{error}"
    );
}

#[tokio::test]
async fn faults_can_be_injected_and_taken_back() {
    let emulator = builder().start().await.unwrap();
    emulator.inject(Operation::Create, Fault::Html, u32::MAX);
    assert!(text(&create(&emulator).await.0).contains("<html>"));
    emulator.clear_faults();
    assert!(text(&create(&emulator).await.0).contains("job_id"));
}
