//! The end.

use super::*;

#[tokio::test(start_paused = true)]
async fn draining_closes_what_is_idle_and_waits_for_what_is_not() {
    let running = Running::new(ListenPolicy::default());
    let (silent, mut idle, mut busy) = (running.connect(), running.connect(), running.connect());
    ask(&mut idle, "/fast").await;
    busy.write_all(&head("GET", "/held", "")).await.unwrap();
    let (mut idle_h2, _task) = running.connect_h2().await;
    idle_h2.send_request(h2("/fast")).await.unwrap();
    let (mut busy_h2, _task) = running.connect_h2().await;
    let held_h2 = tokio::spawn(busy_h2.send_request(h2("/held")));
    sleep(SECOND).await;
    assert_eq!(running.open(), 5);
    running.phase.send_replace(Phase::Draining);
    sleep(2 * SECOND).await;
    assert_eq!(running.open(), 2);
    drop(silent);
    sleep(100 * SECOND).await;
    let received = receive(&mut busy).await;
    assert!(received.contains("connection: close") && received.ends_with("held"));
    assert_eq!(held_h2.await.unwrap().unwrap().status(), StatusCode::OK);
    running.is_closed_after(Duration::ZERO, 2 * SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn draining_does_not_wait_for_a_client_of_http_2_that_is_idle_and_does_not_answer() {
    let running = Running::new(ListenPolicy::default());
    let mut client = running.connect();
    let hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    client.write_all(hello).await.unwrap();
    sleep(SECOND).await;
    running.phase.send_replace(Phase::Draining);
    running.is_closed_after(Duration::ZERO, 2 * SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn closing_ends_everything_at_once() {
    let running = Running::new(ListenPolicy::default());
    let mut busy = running.connect();
    busy.write_all(&head("GET", "/held", "")).await.unwrap();
    let (mut busy_h2, _task) = running.connect_h2().await;
    let held_h2 = tokio::spawn(busy_h2.send_request(h2("/held")));
    sleep(SECOND).await;
    running.phase.send_replace(Phase::Closed);
    running.is_closed_after(Duration::ZERO, SECOND).await;
    held_h2.await.unwrap().unwrap_err();
}
