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
        let asks = head("POST", "/echo/held", more);
        client.write_all(&asks).await.unwrap();
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

/// What a client of hyper's sees, which refuses what is not as it should be.
async fn fetch(io: DuplexStream, path: &str) -> (http::response::Parts, String) {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake::<_, String>(TokioIo::new(io))
            .await
            .unwrap();
    let task = tokio::spawn(connection);
    let request = Request::get(path).header("host", "x").body(String::new());
    let answer = sender.send_request(request.unwrap()).await.unwrap();
    let (head, body) = answer.into_parts();
    let body = http_body_util::BodyExt::collect(body)
        .await
        .unwrap()
        .to_bytes();
    drop(sender);
    task.await.unwrap().unwrap();
    (head, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_parts_is_the_one_that_hyper_writes() {
    let running = Running::new(ListenPolicy::default());
    let (head, body) = fetch(running.connect(), "/parts").await;
    assert_eq!(body, "   {\"a\": 1}");
    assert_eq!(head.status, 200);
    let names: Vec<&str> = head.headers.keys().map(http::HeaderName::as_str).collect();
    assert_eq!(names, ["x-y", "date", "transfer-encoding"]);
    let date = head.headers["date"].to_str().unwrap();
    assert!(httpdate::parse_http_date(date).is_ok(), "{date}");
}

#[tokio::test(start_paused = true)]
async fn parts_are_sent_as_they_come_and_the_next_request_is_answered() {
    let running = Running::new(ListenPolicy::default());
    let mut client = running.connect();
    client.write_all(&head("GET", "/parts", "")).await.unwrap();
    let (first, _) = received_after(&mut client, 4 * SECOND).await;
    assert!(
        first.starts_with("HTTP/1.1 200 OK\r\n") && first.ends_with("\r\n\r\n1\r\n \r\n"),
        "{first}"
    );
    let (next, _) = received_after(&mut client, 2 * SECOND).await;
    assert_eq!(next, "2\r\n  \r\n");
    client.write_all(&head("GET", "/fast", "")).await.unwrap();
    let (rest, _) = received_after(&mut client, 10 * SECOND).await;
    assert!(
        rest.starts_with("8\r\n{\"a\": 1}\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n"),
        "{rest}"
    );
    assert!(rest.ends_with("fast"), "{rest}");
}

#[tokio::test(start_paused = true)]
async fn an_older_client_gets_parts_until_the_connection_ends() {
    let running = Running::new(ListenPolicy::default());
    let mut client = running.connect();
    client
        .write_all(b"GET /parts HTTP/1.0\r\n\r\n")
        .await
        .unwrap();
    let (all, is_open) = received_after(&mut client, 20 * SECOND).await;
    assert!(
        all.starts_with("HTTP/1.0 200 OK\r\n") && all.ends_with("\r\n\r\n   {\"a\": 1}"),
        "{all}"
    );
    assert!(!is_open && !all.contains("chunked"), "{all}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_to_close_closes_after_the_last_part() {
    let running = Running::new(ListenPolicy::default());
    let mut client = running.connect();
    let request = head("GET", "/parts", "connection: close\r\n");
    client.write_all(&request).await.unwrap();
    let (all, is_open) = received_after(&mut client, 20 * SECOND).await;
    assert!(
        all.contains("connection: close\r\n") && all.ends_with("0\r\n\r\n"),
        "{all}"
    );
    assert!(!is_open);

    let mut client = running.connect();
    client.write_all(&head("GET", "/parts", "")).await.unwrap();
    sleep(5 * SECOND).await;
    running.phase.send_replace(Phase::Draining);
    let (all, is_open) = received_after(&mut client, 20 * SECOND).await;
    assert!(all.ends_with("0\r\n\r\n") && !is_open, "{all}");
    running.is_closed_after(Duration::ZERO, SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_between_two_parts_ends_the_call() {
    let running = Running::new(ListenPolicy::default());
    let mut client = running.connect();
    client.write_all(&head("GET", "/parts", "")).await.unwrap();
    sleep(4 * SECOND).await;
    drop(client);
    running.is_closed_after(Duration::ZERO, SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn parts_that_are_not_taken_in_time_end_the_connection() {
    let policy = ListenPolicy::default().answer_timeout(5 * SECOND);
    let running = Running::new(policy);
    let mut client = running.connect();
    client.write_all(&head("GET", "/parts", "")).await.unwrap();
    running.is_closed_after(7 * SECOND, 9 * SECOND).await;
    let (all, is_open) = received_after(&mut client, Duration::ZERO).await;
    assert!(!all.ends_with("0\r\n\r\n") && !is_open, "{all}");
}
