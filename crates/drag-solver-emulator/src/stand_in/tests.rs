//! Over real sockets, with no HTTP client in between.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::{Echo, ErrorBody, RedirectTo, ResetPoint};

const TOKEN: &str = "k/1\"+hunter2";

/// Sends a request on a connection of its own; what came back, up to 2 MiB, and whether it ended in order.
async fn send(service: &Emulator<StandIn>, head: &str, body: &str) -> (String, bool) {
    let request = format!(
        "{head} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut socket = TcpStream::connect(service.address()).await.unwrap();
    let _ = socket.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let ended = socket.take(2 << 20).read_to_end(&mut answer).await;
    (String::from_utf8_lossy(&answer).into_owned(), ended.is_ok())
}

/// Counts what it does, and answers in JSON or, asked for it, in text.
fn counting() -> (EmulatorBuilder<StandIn>, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let done = Arc::clone(&count);
    let builder = stand_in(move |request: Request| {
        let job = done.fetch_add(1, Ordering::SeqCst) + 7;
        async move {
            match request.path() {
                "/text" => Response::text(201, format!("OK|{job}")),
                _ => json!({"job": job, "state": "done"}).into(),
            }
        }
    });
    let builder = builder
        .token(TOKEN)
        .operation(Operation::Create, "POST /jobs")
        .operation(Operation::Poll, "GET /text");
    (builder, count)
}

#[tokio::test]
async fn the_handler_gets_the_request_and_its_answer_is_sent() {
    let service = stand_in(|request: Request| async move {
        match (request.method(), request.path()) {
            ("POST", "/form") => Response::text(200, request.form().get("hint").unwrap_or("none")),
            ("POST", "/json") => request.json()["a"].clone().into(),
            ("GET", _) => Response::empty(302)
                .with_header("Location", &request.segments().join("+"))
                .with_header("X-Was", request.header("x-sent").unwrap_or_default()),
            _ => Response::text(404, "nothing"),
        }
    });
    let service = service.start().await.unwrap();
    let cases = [
        ("POST /form", "hint=a%20b", "200 OK", "\r\n\r\na b"),
        ("POST /json", r#"{"a": [1]}"#, "200 OK", "\r\n\r\n[1]"),
        ("PUT /json", "", "404 Not Found", "nothing"),
        ("GET /a%2Fb/c", "", "302 Found", "Location: a/b+c\r\n"),
    ];
    for (head, body, status, shows) in cases {
        let (answer, _) = send(&service, head, body).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}\r\n")),
            "{answer}"
        );
        assert!(answer.contains(shows), "{answer}");
    }
    let traffic = service.traffic();
    assert_eq!(
        (traffic.requests, traffic.connections, traffic.faults),
        (4, 4, 0)
    );
    assert_eq!(service.requests_to("/json"), 2);
    assert_eq!(service.url(), format!("http://{}", service.address()));
    service.shutdown().await;
}

#[tokio::test]
async fn every_fault_that_applies_happens_and_says_truly_whether_it_executes() {
    for fault in Fault::all() {
        let (builder, count) = counting();
        let builder = builder.fault(Operation::Create, fault.clone(), 1);
        let started = builder.start().await;
        if !fault.applies_to_stand_in() {
            assert!(started.is_err(), "{fault}");
            continue;
        }
        let service = started.unwrap();
        if matches!(
            fault,
            Fault::Hang | Fault::Stall | Fault::SwitchProtocols | Fault::EndlessInformational
        ) {
            continue; // these do not end by themselves
        }
        let (answer, _) = send(&service, "POST /jobs", "").await;
        let executed = usize::from(fault.executes_request());
        assert_eq!(count.load(Ordering::SeqCst), executed, "{fault}");
        assert_eq!(service.traffic().faults, 1, "{fault}");
        if fault.is_tolerable() && fault != Fault::Reset(ResetPoint::AfterAnswer) {
            assert!(answer.contains("job"), "{fault}: {answer}");
        }
        service.shutdown().await;
    }
}

#[tokio::test]
async fn faults_change_what_the_handler_answered() {
    let cases = [
        ("POST /jobs", Fault::UnknownFields, r#""request_id":"r-1""#),
        ("POST /jobs", Fault::NumbersAsStrings, r#""job":"7""#),
        (
            "POST /jobs",
            Fault::status(503, ErrorBody::Json),
            r#"{"error":"Maintenance"#,
        ),
        (
            "POST /jobs",
            Fault::Redirect(307, RedirectTo::Itself),
            "Location: /jobs\r\n",
        ),
        (
            "POST /jobs",
            Fault::Echo(Echo::Plain),
            r#"Invalid api token: k/1\"+hunter2"#,
        ),
        (
            "POST /jobs",
            Fault::Echo(Echo::EveryMember),
            r#"{"error":"k/1\"+hunter2"}"#,
        ),
        ("GET /text", Fault::UnknownFields, "201 Created\r\n"),
        ("GET /text", Fault::UnknownFields, "\r\n\r\nOK|7"),
        ("GET /text", Fault::ByteOrderMark, "\r\n\r\n\u{feff}OK|7"),
        (
            "GET /text",
            Fault::Informational(103),
            "\r\n\r\nHTTP/1.1 201",
        ),
        (
            "GET /text",
            Fault::ContentType,
            "Content-Type: text/html\r\n",
        ),
        ("GET /other", Fault::Html, "text/html; charset=utf-8\r\n"),
    ];
    for (head, fault, shows) in cases {
        let operation = match head {
            "POST /jobs" => Operation::Create,
            "GET /text" => Operation::Poll,
            _ => Operation::Unknown,
        };
        let name = fault.to_string();
        let service = counting().0.start().await.unwrap();
        service.inject(operation, fault, 1);
        let (answer, _) = send(&service, head, "").await;
        assert!(answer.contains(shows), "{name}: {answer}");
        let (answer, is_whole) = send(&service, head, "").await;
        assert!(
            is_whole && service.traffic().faults == 1,
            "{name}: {answer}"
        );
    }
}

#[tokio::test]
async fn a_fault_that_cannot_happen_is_refused_with_what_to_do() {
    let plain = || stand_in(|_| async { json!({}) }).operation(Operation::Poll, "GET /jobs/*");
    let echo = Fault::Echo(Echo::Plain);
    let cases = [
        (
            plain().fault(Operation::Connect, Fault::Html, 1),
            "means nothing to the operation",
        ),
        (
            plain().fault(Operation::Create, Fault::Html, 1),
            "no request is a `create`",
        ),
        (
            plain().fault(Operation::Poll, Fault::HugeIds, 1),
            "`ids beyond 2^53` changes job ids",
        ),
        (
            plain().fault(Operation::Poll, echo.clone(), 1),
            "with `token`",
        ),
        (
            plain().random_faults(1, 9, [(Operation::Poll, echo.clone())]),
            "with `token`",
        ),
        (
            plain().token("").fault(Operation::Poll, echo, 1),
            "with `token`",
        ),
        (
            plain().operation(Operation::Create, "/jobs"),
            "no method and path",
        ),
    ];
    for (builder, expected) in cases {
        let error = builder.start().await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains(expected), "{error}");
    }
    // While it runs, such a fault does nothing.
    let service = plain().start().await.unwrap();
    service.inject(Operation::Poll, Fault::HugeIds, 1);
    assert!(send(&service, "GET /jobs/7", "").await.0.ends_with("{}"));
    assert_eq!(service.traffic().faults, 0);
}

#[tokio::test]
async fn a_handler_that_panics_answers_500_and_the_server_goes_on() {
    let service = stand_in(|request: Request| {
        assert!(request.path() != "/at-once", "on purpose");
        async move {
            assert!(request.path() != "/later", "on purpose");
            json!({})
        }
    });
    let service = service.start().await.unwrap();
    for (head, status) in [
        ("GET /at-once", "500"),
        ("GET /later", "500"),
        ("GET /", "200"),
    ] {
        let (answer, _) = send(&service, head, "").await;
        assert_eq!(answer.split(' ').nth(1), Some(status), "{answer}");
    }
}

#[tokio::test]
async fn a_handler_is_dropped_when_its_client_leaves() {
    struct Waiting(Arc<AtomicUsize>);
    impl Drop for Waiting {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let waiting = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&waiting);
    let service = stand_in(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        let waiting = Waiting(Arc::clone(&count));
        async move {
            let _waiting = waiting;
            pending::<Value>().await
        }
    });
    let service = service.start().await.unwrap();
    let mut client = TcpStream::connect(service.address()).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    while waiting.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    drop(client);
    while waiting.load(Ordering::SeqCst) == 1 {
        tokio::task::yield_now().await;
    }
    service.shutdown().await;
}

#[tokio::test]
async fn a_token_is_seen_wherever_it_is_and_not_shown() {
    let service = counting().0.start().await.unwrap();
    let body = json!({"key": TOKEN, "list": [TOKEN, 7]}).to_string();
    send(&service, "POST /jobs", &body).await;
    send(&service, "GET /text?key=k%2F1%22%2Bhunter2", "").await;
    send(&service, "GET /text?key=other", "{}").await;
    let requests = service.requests();
    let seen: Vec<_> = requests.iter().map(|it| it.has_right_token).collect();
    assert_eq!(seen, [true, true, false]);
    assert_eq!(
        requests[0].json,
        json!({"key": "<token>", "list": ["<token>", 7]})
    );
    let operations = requests.iter().map(|it| it.operation);
    let expected = [Operation::Create, Operation::Poll, Operation::Poll];
    assert!(operations.eq(expected));
    let shown = format!("{service:?} {requests:?}");
    assert_eq!(SecretScanner::new(TOKEN).find(&shown), None, "{shown}");
}
