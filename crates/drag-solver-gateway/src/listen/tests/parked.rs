//! Connections of HTTP/1 whose answer takes long: their client notices nothing.

use super::*;

const HELD: Duration = Duration::from_secs(100);

/// What has arrived by then, and whether the connection is open still.
async fn received_after(client: &mut DuplexStream, wait: Duration) -> (String, bool) {
    sleep(wait).await;
    let mut received = Vec::new();
    let end = timeout(SECOND, client.read_to_end(&mut received)).await;
    (String::from_utf8(received).unwrap(), end.is_err())
}

#[tokio::test(start_paused = true)]
async fn the_next_request_comes_on_the_same_connection() {
    let running = Running::new(ListenPolicy::default());
    let mut client = running.connect();
    for _ in 0..2 {
        client.write_all(&head("GET", "/held", "")).await.unwrap();
        let (held, is_open) = received_after(&mut client, HELD).await;
        assert!(
            held.starts_with("HTTP/1.1 200 OK\r\n") && held.ends_with("held"),
            "{held}"
        );
        assert!(is_open && !held.contains("connection:"), "{held}");
        let fast = ask(&mut client, "/fast").await;
        assert!(fast.ends_with("fast"), "{fast}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_version_and_whether_the_connection_is_kept_are_those_of_the_request() {
    for (request, version, is_kept) in [
        (
            "GET /held HTTP/1.1\r\nhost: x\r\nConnection: TE, Close\r\n\r\n",
            "HTTP/1.1",
            false,
        ),
        (
            "GET /held HTTP/1.1\r\nhost: x\r\nconnection: te\r\n\r\n",
            "HTTP/1.1",
            true,
        ),
        ("GET /held HTTP/1.0\r\n\r\n", "HTTP/1.0", false),
        (
            "GET /held HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
            "HTTP/1.0",
            true,
        ),
    ] {
        let running = Running::new(ListenPolicy::default());
        let mut client = running.connect();
        client.write_all(request.as_bytes()).await.unwrap();
        let (held, is_open) = received_after(&mut client, HELD).await;
        assert!(
            held.starts_with(version) && held.ends_with("held"),
            "{request}{held}"
        );
        assert_eq!(is_open, is_kept, "{request}{held}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_has_no_body() {
    let running = Running::new(ListenPolicy::default());
    let mut client = running.connect();
    client.write_all(&head("HEAD", "/held", "")).await.unwrap();
    let (held, is_open) = received_after(&mut client, HELD).await;
    assert!(
        held.contains("content-length: 4\r\n") && held.ends_with("\r\n\r\n"),
        "{held}"
    );
    assert!(is_open);
}

#[tokio::test(start_paused = true)]
async fn a_body_arrives_whole_before() {
    for (more, body) in [
        ("content-length: 5\r\n", "hello"),
        ("content-length: 5\r\nexpect: 100-continue\r\n", "hello"),
        ("transfer-encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
    ] {
        let running = Running::new(ListenPolicy::default());
        let mut client = running.connect();
        let (first, last) = body.split_at(2);
        let head = head("POST", "/echo/held", more);
        client.write_all(&head).await.unwrap();
        client.write_all(first.as_bytes()).await.unwrap();
        sleep(5 * SECOND).await;
        client.write_all(last.as_bytes()).await.unwrap();
        let (held, is_open) = received_after(&mut client, HELD).await;
        assert!(held.ends_with("\r\n\r\n5"), "{more}{held}");
        assert_eq!(held.matches("HTTP/1.1 200 OK").count(), 1, "{more}{held}");
        assert!(is_open && ask(&mut client, "/fast").await.ends_with("fast"));
    }
}

#[tokio::test(start_paused = true)]
async fn requests_that_are_sent_ahead_are_answered_in_order() {
    let running = Running::new(ListenPolicy::default());
    let mut client = running.connect();
    let both = [head("GET", "/held", ""), head("GET", "/peer", "")].concat();
    client.write_all(&both).await.unwrap();
    sleep(SECOND).await;
    // Not all of it fits into what is read ahead.
    let long = format!("x: {}\r\n", "x".repeat(500));
    client
        .write_all(&head("GET", "/fast", &long))
        .await
        .unwrap();
    let (answers, _) = received_after(&mut client, HELD).await;
    let places = ["held", "192.0.2.1:4711", "fast"].map(|it| answers.find(it));
    assert!(places.is_sorted() && places[0].is_some(), "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 3, "{answers}");
}

#[tokio::test(start_paused = true)]
async fn little_is_read_of_what_is_sent_ahead() {
    let running = Running::new(ListenPolicy::default());
    let mut client = running.connect(); // through which 4,096 bytes fit
    client.write_all(&head("GET", "/held", "")).await.unwrap();
    sleep(SECOND).await;
    let ahead = vec![b'x'; 4_096 + 65];
    let sent = timeout(SECOND, client.write_all(&ahead)).await;
    assert!(sent.is_err(), "hyper would have read it");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_ends_the_call() {
    let running = Running::new(ListenPolicy::default());
    let mut client = running.connect();
    client.write_all(&head("GET", "/held", "")).await.unwrap();
    sleep(SECOND).await;
    assert_eq!(running.open(), 1);
    drop(client);
    running.is_closed_after(Duration::ZERO, SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_before_or_meanwhile_closes_it_with_the_answer() {
    for before in [Duration::from_millis(10), SECOND] {
        let running = Running::new(ListenPolicy::default());
        let mut client = running.connect();
        client.write_all(&head("GET", "/held", "")).await.unwrap();
        sleep(before).await;
        running.phase.send_replace(Phase::Draining);
        let (held, is_open) = received_after(&mut client, HELD).await;
        assert!(
            held.contains("connection: close") && held.ends_with("held"),
            "{held}"
        );
        assert!(!is_open);
        running.is_closed_after(Duration::ZERO, SECOND).await;
    }
}
