//! The transport over HTTP, against servers that do one thing each.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

mod support;

use std::error::Error;
use std::time::Duration;

use drag_solver_core::{Billed, DragSolver, ErrorKind, SolveError};
use drag_solver_http::{
    ApiRequest, HttpOptions, HttpSolver, ProxyRefused, ReqwestTransport, Transport,
};
use drag_solver_mock::fixtures::challenge;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};

use support::{Api, SOLVED};

const HOUR: Duration = Duration::from_secs(3600);

fn options(listener: &TcpListener) -> HttpOptions {
    let address = listener.local_addr().unwrap();
    HttpOptions::default().base_url(format!("http://{address}"))
}

fn solver(options: HttpOptions) -> HttpSolver<Api> {
    HttpSolver::new(Api::new(), options).unwrap()
}

/// Reads one request with a body of JSON, whole. `false` if the connection was closed instead.
async fn read_request(stream: &mut TcpStream) -> bool {
    let mut request = Vec::new();
    loop {
        match stream.read_buf(&mut request).await {
            Ok(0) | Err(_) => return false,
            Ok(_) if request.ends_with(b"}") => return true,
            Ok(_) => {}
        }
    }
}

fn response(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// Accepts connections, and answers every request with the next one of `answers`, which are whole
/// responses. Says the number of the connection of each request.
fn serve(listener: TcpListener, answers: Vec<String>) -> mpsc::UnboundedReceiver<usize> {
    let (tell, told) = mpsc::unbounded_channel();
    let answers = std::sync::Arc::new(tokio::sync::Mutex::new(answers.into_iter()));
    tokio::spawn(async move {
        for connection in 1.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (answers, tell) = (answers.clone(), tell.clone());
            tokio::spawn(async move {
                while read_request(&mut stream).await {
                    let _ = tell.send(connection);
                    let answer = answers.lock().await.next().unwrap();
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    told
}

async fn advance(by: Duration) {
    tokio::time::pause();
    tokio::time::advance(by).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_purchase_is_not_sent_over_a_connection_that_may_be_closing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let transport = ReqwestTransport::new(&options(&listener)).unwrap();
    let solver = HttpSolver::with_transport(Api::new(), options(&listener), transport).unwrap();
    let mut told = serve(listener, vec![response(SOLVED); 4]);
    let buy = async || solver.solve(&challenge()).await.unwrap();

    buy().await;
    advance(Duration::from_millis(500)).await;
    buy().await;
    advance(Duration::from_millis(1500)).await;
    buy().await;
    let connections = [told.recv().await, told.recv().await, told.recv().await];
    let expected = [1, 1, 2].map(Some);
    assert_eq!(
        connections, expected,
        "a new one after 1.5 s, none after 0.5 s"
    );
}

#[tokio::test]
async fn requests_that_cost_nothing_share_a_connection_for_longer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let transport = ReqwestTransport::new(&options(&listener)).unwrap();
    let mut told = serve(listener, vec![response("{}"); 4]);
    let ask = async || {
        let request = ApiRequest::json("poll", &json!({}));
        transport.send(request, HOUR).await.unwrap()
    };

    ask().await;
    advance(Duration::from_millis(3500)).await;
    ask().await;
    advance(Duration::from_millis(4500)).await;
    ask().await;
    let connections = [told.recv().await, told.recv().await, told.recv().await];
    assert_eq!(connections, [1, 1, 2].map(Some));
}

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

/// A solver of a server that runs on a runtime of its own, while that is kept.
fn served_elsewhere(jobs: usize) -> (HttpSolver<Api>, Runtime) {
    let server = Runtime::new().unwrap();
    let listener = server.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let solver = solver(options(&listener));
    let guard = server.enter();
    drop(serve(listener, vec![response(SOLVED); jobs]));
    drop(guard);
    (solver, server)
}

#[test]
fn a_solver_outlives_the_runtime_that_it_was_used_on() {
    let (solver, _server) = served_elsewhere(12);
    for _ in 0..12 {
        // The runtime ends with each turn, and the connection with it.
        let solution = runtime().block_on(solver.solve(&challenge()));
        solution.unwrap();
    }
}

#[test]
fn a_solver_works_on_several_runtimes_whoever_is_running() {
    let (solver, _server) = served_elsewhere(6);
    // A connection is served only while its own runtime runs.
    let (one, other) = (runtime(), runtime());
    for _ in 0..3 {
        one.block_on(solver.solve(&challenge())).unwrap();
        other.block_on(solver.solve(&challenge())).unwrap();
    }
}

#[tokio::test]
async fn an_upload_that_is_cut_off_did_not_arrive_and_says_how_far_it_came() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let transport = ReqwestTransport::new(&options(&listener)).unwrap();
    let (begun, has_begun) = oneshot::channel();
    let _server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_exact(&mut vec![0; 100_000]).await.unwrap();
        begun.send(stream).unwrap(); // and no more is read
    });
    let body = json!("x".repeat(50_000_000));
    let send = transport.send(ApiRequest::json("create", &body), HOUR);
    let cut_off = async {
        let _stream = has_begun.await.unwrap();
        advance(HOUR).await;
        std::future::pending::<()>().await;
    };
    let error = tokio::select! {
        outcome = send => outcome.unwrap_err().to_string(),
        () = cut_off => unreachable!(),
    };
    assert!(error.ends_with("of 50000002 bytes were sent"), "{error}");
    assert!(error.contains("no answer within 3600s"), "{error}");
}

#[tokio::test]
async fn a_purchase_that_was_cut_off_is_not_billed_and_one_that_went_out_may_be() {
    for (read_all, billed) in [(false, Billed::No), (true, Billed::Maybe)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let solver = solver(options(&listener));
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            if read_all {
                read_request(&mut stream).await;
            }
            // Closed with unread bytes, the connection is reset.
        });
        let big = challenge().with_instruction("x".repeat(20_000_000));
        let error = solver.solve(&big).await.unwrap_err();
        assert_eq!(error.billed(), billed, "{error}");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    }
}

#[tokio::test]
async fn the_limit_of_a_request_grows_with_its_body() {
    // 20 MB at 32 KiB a second are 610 s beyond the request timeout of 30 s.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = options(&listener).job_timeout(HOUR);
    let solver = solver(options);
    let (begun, has_begun) = oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_exact(&mut [0; 1000]).await.unwrap();
        begun.send(()).unwrap();
        read_request(&mut stream).await;
        stream.write_all(response(SOLVED).as_bytes()).await.unwrap();
    });
    let big = challenge().with_instruction("x".repeat(20_000_000));
    let later = async {
        has_begun.await.unwrap();
        advance(Duration::from_secs(600)).await;
    };
    let (outcome, ()) = tokio::join!(solver.solve(&big), later);
    outcome.unwrap();
}

#[tokio::test]
async fn what_other_clients_read_is_read() {
    let many = "X-Header: one of many\r\n".repeat(150);
    for odd in [
        "X-Folded: one\r\n two\r\n",
        "X-Blank : one\r\n",
        "no colon at all\r\n",
        &many,
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let solver = solver(options(&listener));
        let answer = response(SOLVED).replace("Content-Length", &format!("{odd}Content-Length"));
        let _told = serve(listener, vec![answer]);
        let outcome = solver.solve(&challenge()).await;
        outcome.unwrap_or_else(|error| panic!("{odd}: {error}"));
    }
}

#[tokio::test]
async fn a_body_that_is_compressed_is_called_that() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let transport = ReqwestTransport::new(&options(&listener)).unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        let head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n";
        stream.write_all(head).await.unwrap();
        stream.write_all(b"\x1f\x8b\x08\x00").await.unwrap();
    });
    let response = transport
        .send(ApiRequest::json("create", &json!({})), HOUR)
        .await
        .unwrap();
    let error = format!("{:?}", response.object().unwrap_err());
    assert!(error.contains("compressed"), "{error}");
}

/// What comes of a purchase from a host that only a proxy can reach.
async fn through_proxy(proxy: String) -> SolveError {
    let options = HttpOptions::default()
        .base_url("https://api.example.invalid")
        .proxy(proxy);
    solver(options).solve(&challenge()).await.unwrap_err()
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_and_not_asked_again() {
    for (answer, kind, says) in [
        (
            "407 Proxy Authentication Required",
            ErrorKind::Unauthorized,
            "refuses its user name and password",
        ),
        (
            "502 Bad Gateway",
            ErrorKind::Unavailable,
            "does not connect",
        ),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_exact(&mut [0; 20]).await.unwrap();
            let answer = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let error = through_proxy(format!("http://user:sesame@{address}")).await;
        assert_eq!(
            (error.kind(), error.billed()),
            (kind, Billed::No),
            "{error}"
        );
        let is_typed = error.source().is_some_and(<dyn Error>::is::<ProxyRefused>);
        assert_eq!(is_typed, kind == ErrorKind::Unauthorized);
        let text = error.to_string();
        assert!(
            text.contains(&format!("through http://{address}")),
            "{text}"
        );
        assert!(text.contains(says) && !text.contains("sesame"), "{text}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named() {
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    for scheme in ["http", "socks5h"] {
        let error = through_proxy(format!("{scheme}://user:sesame@{free}")).await;
        let text = error.to_string();
        assert_eq!(
            (error.kind(), error.billed()),
            (ErrorKind::Unavailable, Billed::No)
        );
        assert!(
            text.contains(&format!(
                "through {scheme}://{free}: the proxy itself cannot be reached"
            )),
            "{text}"
        );
        assert!(!text.contains("sesame"), "{text}");
    }
}

#[tokio::test]
async fn a_socks_proxy_is_used() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut greeting = [0; 3];
        stream.read_exact(&mut greeting).await.unwrap();
        stream.write_all(b"\x05\x00").await.unwrap();
        let mut connect = [0; 5 + "api.example.invalid".len()];
        stream.read_exact(&mut connect).await.unwrap();
        connect[5..].to_vec()
    });
    through_proxy(format!("socks5h://{address}")).await;
    assert_eq!(asked.await.unwrap(), b"api.example.invalid");
}
