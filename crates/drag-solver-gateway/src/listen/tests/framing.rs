//! What a connection of HTTP/1 must not do, with any bytes and at any time of the answer: take one request for another, lose an
//! answer, or outlive the server.

use std::sync::Mutex;

use axum::extract::Path;
use http::Response;

use super::*;

fn streamed(
    status: u16,
    name: &'static str,
    value: &'static str,
    after: Duration,
) -> axum::routing::MethodRouter {
    get(move || async move {
        sleep(after).await;
        let parts = stream::iter(["he", "llo"].map(Ok::<_, io::Error>));
        let mut response = Response::new(Body::from_stream(parts));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        if !name.is_empty() {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        response
    })
}

/// Lines of the head in order, the body, and whether the connection is open still: of an answer that is there at once, and of
/// one for which the connection was parked.
async fn both(
    status: u16,
    name: &'static str,
    value: &'static str,
) -> [(Vec<String>, String, bool); 2] {
    let router = Router::new()
        .route("/fast", streamed(status, name, value, Duration::ZERO))
        .route("/slow", streamed(status, name, value, SECOND));
    let running = Running::with(router, ListenPolicy::default());
    let mut told = Vec::new();
    for path in ["/fast", "/slow"] {
        let mut client = running.connect();
        client.write_all(&head("GET", path, "")).await.unwrap();
        sleep(3 * SECOND).await;
        let mut received = Vec::new();
        let end = timeout(SECOND, client.read_to_end(&mut received)).await;
        let received = String::from_utf8(received).unwrap();
        let (head, body) = received.split_once("\r\n\r\n").unwrap();
        // The date is the wall clock's, which goes on in between.
        let without_time = |line: &str| match line.split_once(": ") {
            Some(("date", _)) => "date".to_owned(),
            _ => line.to_owned(),
        };
        let mut lines: Vec<String> = head.lines().map(without_time).collect();
        lines.sort();
        told.push((lines, body.to_owned(), end.is_err()));
    }
    told.try_into().unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_parts_is_the_same_whenever_it_comes() {
    for (status, name, value) in [
        (200, "", ""),
        (200, "content-length", "5"),
        (200, "connection", "close"),
        (200, "connection", "keep-alive"),
        (200, "transfer-encoding", "identity"),
        (204, "", ""),
        (205, "", ""),
        (299, "", ""),
        (304, "", ""),
    ] {
        let [at_once, parked] = both(status, name, value).await;
        assert_eq!(at_once, parked, "{status} {name} {value}");
    }
}

/// Closed while a part cannot be written.
#[tokio::test(start_paused = true)]
async fn a_server_that_is_closed_ends_a_blocked_part() {
    let router = Router::new().route(
        "/big",
        get(|| async {
            sleep(SECOND).await;
            let parts = stream::iter((0..1000).map(|_| Ok::<_, io::Error>(vec![b'x'; 10_000])));
            Response::new(Body::from_stream(parts))
        }),
    );
    let running = Running::with(
        router,
        ListenPolicy::default().answer_timeout(1000 * SECOND),
    );
    let mut client = running.connect();
    client.write_all(&head("GET", "/big", "")).await.unwrap();
    sleep(3 * SECOND).await;
    running.phase.send_replace(Phase::Draining);
    sleep(3 * SECOND).await;
    assert_eq!(running.open(), 1);
    running.phase.send_replace(Phase::Closed);
    running.is_closed_after(Duration::ZERO, SECOND).await;
    drop(client);
}

/// The handler answers and reads the body afterwards (echo).
#[tokio::test(start_paused = true)]
async fn a_body_that_ends_while_the_answer_is_streamed() {
    let router = Router::new().route(
        "/echo",
        post(|body: Body| async move {
            let rest = stream::once(async {
                sleep(5 * SECOND).await;
                Ok::<_, axum::Error>(Bytes::from_static(b"end"))
            });
            Response::new(Body::from_stream(body.into_data_stream().chain(rest)))
        }),
    );
    let running = Running::with(router, ListenPolicy::default());
    let mut client = running.connect();
    client
        .write_all(&head("POST", "/echo", "content-length: 5\r\n"))
        .await
        .unwrap();
    sleep(SECOND).await;
    client.write_all(b"hello").await.unwrap();
    sleep(10 * SECOND).await;
    let all = receive(&mut client).await;
    assert!(all.ends_with("3\r\nend\r\n0\r\n\r\n"), "{all}");
}

/// A body read to its end after its answer: the next request of the connection is taken for whole.
#[tokio::test(start_paused = true)]
async fn a_body_that_is_read_after_its_answer() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let said = Arc::clone(&seen);
    let said2 = Arc::clone(&seen);
    let router = Router::new()
        .route(
            "/later",
            post(|body: Body| async move {
                tokio::spawn(async move {
                    sleep(10 * SECOND).await;
                    let _ = axum::body::to_bytes(body, 100).await;
                });
                "taken"
            }),
        )
        .route(
            "/upload",
            post(move |body: Body| async move {
                let got = axum::body::to_bytes(body, 1000).await;
                said.lock().unwrap().push(format!("upload {got:?}"));
                "uploaded"
            }),
        )
        .route(
            "/admin",
            get(move || async move {
                said2.lock().unwrap().push("admin".into());
                "ADMIN"
            }),
        );
    let running = Running::with(router, ListenPolicy::default());
    let mut client = running.connect();
    client
        .write_all(
            &[
                head("POST", "/later", "content-length: 5\r\n"),
                b"hello".to_vec(),
            ]
            .concat(),
        )
        .await
        .unwrap();
    let all = receive(&mut client).await;
    assert!(all.ends_with("taken"), "{all}");
    let inner = head("GET", "/admin", "");
    let more = format!("content-length: {}\r\n", inner.len() + 2);
    client
        .write_all(&head("POST", "/upload", &more))
        .await
        .unwrap();
    client.write_all(b"ab").await.unwrap();
    sleep(12 * SECOND).await;
    let _ = client.write_all(&inner).await;
    sleep(5 * SECOND).await;
    let all = receive(&mut client).await;
    let seen = seen.lock().unwrap().clone();
    assert!(
        all.ends_with("uploaded") && seen.len() == 1,
        "{seen:?} {all}"
    );
}

/// `/n` and `/p` (with a body) answer in one piece, `/s` in parts, after so many milliseconds.
fn by_number() -> Router {
    Router::new()
        .route(
            "/n/{n}",
            get(|Path(n): Path<u64>| async move {
                sleep(Duration::from_millis(n % 200)).await;
                format!("<n{n}>")
            }),
        )
        .route(
            "/p/{n}",
            post(|Path(n): Path<u64>, body: Bytes| async move {
                sleep(Duration::from_millis(n % 200)).await;
                format!("<p{n}-{}>", body.len())
            }),
        )
        .route(
            "/s/{n}",
            get(|Path(n): Path<u64>| async move {
                sleep(Duration::from_millis(n % 200)).await;
                Body::from_stream(stream::iter([Ok::<_, io::Error>(format!("<s{n}>"))]))
            }),
        )
}

/// Any pipelined amount, any split.
#[tokio::test(start_paused = true)]
async fn requests_ahead_are_all_answered_in_order_however_they_arrive() {
    let mut seed = 12_345_u64;
    let mut random = move |below: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for _ in 0..60 {
        let running = Running::with(by_number(), ListenPolicy::default());
        let client = running.connect();
        let (mut reading, mut writing) = tokio::io::split(client);
        let mut all = Vec::new();
        let mut want = Vec::new();
        for _ in 0..25 {
            let n = random(400);
            let pad = format!("x: {}\r\n", "y".repeat(random(6000)));
            match random(4) {
                0 => {
                    all.extend(head("GET", &format!("/n/{n}"), &pad));
                    want.push(format!("<n{n}>"));
                }
                1 => {
                    all.extend(head("GET", &format!("/s/{n}"), &pad));
                    want.push(format!("<s{n}>"));
                }
                2 => {
                    let len = random(9000);
                    all.extend(head(
                        "POST",
                        &format!("/p/{n}"),
                        &format!("{pad}content-length: {len}\r\n"),
                    ));
                    all.extend(vec![b'z'; len]);
                    want.push(format!("<p{n}-{len}>"));
                }
                _ => {
                    let len = 1 + random(9000);
                    all.extend(head(
                        "POST",
                        &format!("/p/{n}"),
                        &format!("{pad}transfer-encoding: chunked\r\ntrailer: a\r\n"),
                    ));
                    all.extend(format!("{len:x}\r\n").bytes());
                    all.extend(vec![b'z'; len]);
                    all.extend(b"\r\n0\r\na: b\r\n\r\n");
                    want.push(format!("<p{n}-{len}>"));
                }
            }
        }
        let mut cuts = Vec::new();
        let mut at = 0;
        while at < all.len() {
            let len = (1 + random(5000)).min(all.len() - at);
            cuts.push((at, len, random(120)));
            at += len;
        }
        let task = tokio::spawn(async move {
            for (at, len, pause) in cuts {
                writing.write_all(&all[at..at + len]).await.unwrap();
                sleep(SECOND * u32::try_from(pause).unwrap() / 1_000).await;
            }
            writing
        });
        let mut got = Vec::new();
        let mut buf = [0; 4096];
        while let Ok(Ok(n)) = timeout(5 * SECOND, reading.read(&mut buf)).await {
            if n == 0 {
                break;
            }
            got.extend_from_slice(&buf[..n]);
        }
        drop(task);
        let got = String::from_utf8(got).unwrap();
        let mut found = Vec::new();
        let mut rest = &got[..];
        while let Some(i) = rest.find('<') {
            let j = rest[i..].find('>').unwrap();
            found.push(rest[i..=i + j].to_owned());
            rest = &rest[i + j..];
        }
        assert_eq!(found, want);
        assert_eq!(got.matches("HTTP/1.1 200").count(), want.len());
    }
}

/// Many frames that are always ready, and a client that reads all: the end of the server is heard.
#[tokio::test(start_paused = true)]
async fn a_server_that_is_closed_ends_an_answer_that_came_at_once() {
    endless(Duration::ZERO).await;
}
#[tokio::test(start_paused = true)]
async fn a_server_that_is_closed_ends_an_endless_answer() {
    endless(SECOND).await;
}
async fn endless(after: Duration) {
    let router = Router::new().route(
        "/endless",
        get(move || async move {
            sleep(after).await;
            Response::new(Body::from_stream(stream::repeat_with(|| {
                Ok::<_, io::Error>(vec![b'x'; 100])
            })))
        }),
    );
    let running = Running::with(
        router,
        ListenPolicy::default().answer_timeout(1000 * SECOND),
    );
    let mut client = running.connect();
    client
        .write_all(&head("GET", "/endless", ""))
        .await
        .unwrap();
    sleep(3 * SECOND).await;
    let reads = tokio::spawn(async move {
        let mut buf = [0; 4096];
        let mut n = 0;
        while let Ok(m @ 1..) = client.read(&mut buf).await {
            n += m;
            if n > 50_000_000 {
                break;
            }
            tokio::task::yield_now().await;
        }
        n
    });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    running.phase.send_replace(Phase::Closed);
    let n = reads.await.unwrap();
    assert!(n < 50_000_000, "it was never heard: {n} bytes");
}

/// A handler that panics while parked frees its place.
#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_frees_its_place() {
    async fn fails() -> &'static str {
        sleep(SECOND).await;
        panic!("as the test wants it")
    }
    let router = Router::new().route("/p", get(fails));
    let running = Running::with(router, ListenPolicy::default());
    let mut client = running.connect();
    client.write_all(&head("GET", "/p", "")).await.unwrap();
    running.is_closed_after(Duration::ZERO, 2 * SECOND).await;
}

/// A part that fails ends the connection without the last chunk.
#[tokio::test(start_paused = true)]
async fn a_part_that_fails_is_not_followed_by_the_last_one() {
    let router = Router::new().route(
        "/p",
        get(|| async {
            sleep(SECOND).await;
            Response::new(Body::from_stream(stream::iter([
                Ok("a"),
                Err(io::Error::other("x")),
            ])))
        }),
    );
    let running = Running::with(router, ListenPolicy::default());
    let mut client = running.connect();
    client.write_all(&head("GET", "/p", "")).await.unwrap();
    sleep(2 * SECOND).await;
    let all = receive(&mut client).await;
    assert!(!all.contains("0\r\n\r\n"), "{all}");
    assert_eq!(running.open(), 0);
}
