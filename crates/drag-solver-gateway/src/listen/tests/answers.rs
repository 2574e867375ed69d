//! Answers that are not read.

use super::*;

/// No other time ends what waits for an answer to be read.
fn unread() -> ListenPolicy {
    ListenPolicy::default().keep_alive(1_000 * SECOND)
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_read_slowly_does_not_count_as_idle() {
    let policy = ListenPolicy::default().keep_alive(5 * SECOND);
    let running = Running::new(policy);
    let mut client = running.connect();
    client.write_all(&head("GET", "/big", "")).await.unwrap();
    sleep(50 * SECOND).await;
    let received = receive(&mut client).await;
    assert!(received.len() > 1_000_000, "{}", received.len());
    running.is_closed_after(3 * SECOND, 6 * SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_its_answer_is_cut_off() {
    let running = Running::new(unread());
    let mut client = running.connect();
    client.write_all(&head("GET", "/big", "")).await.unwrap();
    running.is_closed_after(59 * SECOND, 61 * SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_its_answer_by_drops_is_cut_off() {
    let running = Running::new(unread());
    let mut client = running.connect();
    client.write_all(&head("GET", "/big", "")).await.unwrap();
    let start = Instant::now();
    let mut drop = [0; 100];
    while running.open() > 0 || start.elapsed() < SECOND {
        client.read_exact(&mut drop).await.unwrap();
        sleep(SECOND).await;
        assert!(start.elapsed() < 65 * SECOND);
    }
    assert!(start.elapsed() >= 59 * SECOND, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_http_2_whose_window_stays_shut_is_cut_off() {
    let running = Running::new(unread());
    let (mut sender, _task) = running.connect_h2().await;
    sender.send_request(h2("/fast")).await.unwrap();
    // This client takes 1,000 bytes, and opens its window for no more as long as it does not read them.
    let mut builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    builder
        .initial_stream_window_size(1_000)
        .timer(TokioTimer::new());
    let io = TokioIo::new(running.connect());
    let (mut shut, connection) = builder.handshake::<_, String>(io).await.unwrap();
    tokio::spawn(connection);
    let _unread = shut.send_request(h2("/big")).await.unwrap();
    assert_eq!(running.open(), 2);
    sleep(55 * SECOND).await;
    // The other one is of use, and stays.
    sender.send_request(h2("/fast")).await.unwrap();
    assert_eq!(running.open(), 2);
    sleep(6 * SECOND).await;
    assert_eq!(running.open(), 1);
}

#[tokio::test(start_paused = true)]
async fn pipelined_requests_whose_answers_are_not_read_are_cut_off() {
    let running = Running::new(ListenPolicy::default());
    let mut client = running.connect();
    let many = head("GET", "/fast", "").repeat(10_000);
    let start = Instant::now();
    assert!(client.write_all(&many).await.is_err());
    assert!(start.elapsed() <= 61 * SECOND, "{:?}", start.elapsed());
}
