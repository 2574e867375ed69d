//! Heads, and connections between two requests.

use super::*;

#[tokio::test(start_paused = true)]
async fn one_connection_serves_many_requests_and_each_knows_its_client() {
    let running = Running::new(ListenPolicy::default());
    let mut client = running.connect();
    assert!(ask(&mut client, "/fast").await.ends_with("fast"));
    let told = ask(&mut client, "/peer").await;
    assert!(told.ends_with("192.0.2.1:4711"), "{told}");
    assert_eq!(running.open(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_nothing_is_closed_after_the_time_of_a_head() {
    let running = Running::new(ListenPolicy::default());
    let _client = running.connect();
    sleep(SECOND).await;
    assert_eq!(running.open(), 1);
    running.is_closed_after(8 * SECOND, 10 * SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn a_head_a_byte_at_a_time_is_cut_off() {
    let running = Running::new(ListenPolicy::default());
    let mut client = running.connect();
    let start = Instant::now();
    for byte in head("GET", "/fast", &"x: y\r\n".repeat(50)) {
        if client.write_all(&[byte]).await.is_err() {
            break;
        }
        sleep(SECOND).await;
    }
    let took = start.elapsed();
    assert!(took >= 9 * SECOND && took <= 12 * SECOND, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_head_of_a_later_request_has_its_own_time() {
    let policy = ListenPolicy::default().keep_alive(300 * SECOND);
    let running = Running::new(policy);
    let mut client = running.connect();
    ask(&mut client, "/fast").await;
    sleep(100 * SECOND).await;
    assert_eq!(running.open(), 1);
    client.write_all(b"GET /fa").await.unwrap();
    running.is_closed_after(9 * SECOND, 11 * SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_after_its_time() {
    let running = Running::new(ListenPolicy::default());
    let mut client = running.connect();
    ask(&mut client, "/fast").await;
    running.is_closed_after(58 * SECOND, 61 * SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_of_http_2_is_closed_after_its_time() {
    let running = Running::new(ListenPolicy::default());
    let (mut sender, _task) = running.connect_h2().await;
    let answer = sender.send_request(h2("/fast")).await.unwrap();
    drop(answer);
    running.is_closed_after(58 * SECOND, 61 * SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn a_held_request_is_not_limited() {
    let running = Running::new(ListenPolicy::default());
    let mut client = running.connect();
    client.write_all(&head("GET", "/held", "")).await.unwrap();
    sleep(99 * SECOND).await;
    assert_eq!(receive(&mut client).await, "");
    sleep(SECOND).await;
    assert!(receive(&mut client).await.ends_with("held"));
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_too_large_is_refused() {
    let policy = ListenPolicy::default().max_header_bytes(9_000);
    let running = Running::new(policy);
    let mut client = running.connect();
    let fits = format!("x: {}\r\n", "y".repeat(8_500));
    client
        .write_all(&head("GET", "/fast", &fits))
        .await
        .unwrap();
    assert!(receive(&mut client).await.ends_with("fast"));
    let large = format!("x: {}\r\n", "y".repeat(20_000));
    let _ = client.write_all(&head("GET", "/fast", &large)).await;
    let received = receive(&mut client).await;
    assert!(received.starts_with("HTTP/1.1 431 "), "{received}");

    let (mut sender, _task) = running.connect_h2().await;
    let mut request = h2("/fast");
    let value = "y".repeat(9_000).parse().unwrap();
    request.headers_mut().insert("x", value);
    let refused = sender.send_request(request).await;
    assert!(refused.is_err() || refused.is_ok_and(|it| it.status().as_u16() == 431));
}
