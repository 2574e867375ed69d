//! Bodies that come slowly, or not whole.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_handler_ends_when_its_client_goes_away() {
    struct Ended(Option<oneshot::Sender<()>>);
    impl Drop for Ended {
        fn drop(&mut self) {
            let _ = self.0.take().map(|ended| ended.send(()));
        }
    }
    let (ended, mut has_ended) = oneshot::channel();
    let ended = Arc::new(std::sync::Mutex::new(Some(ended)));
    let held = get(move || async move {
        let _ended = Ended(ended.lock().unwrap().take());
        std::future::pending::<()>().await;
    });
    let running = Running::with(Router::new().route("/", held), ListenPolicy::default());
    let mut client = running.connect();
    client.write_all(&head("GET", "/", "")).await.unwrap();
    sleep(SECOND).await;
    has_ended.try_recv().unwrap_err();
    drop(client);
    timeout(SECOND, has_ended).await.unwrap().unwrap();
    running.is_closed_after(Duration::ZERO, SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stops_is_answered_with_408() {
    let running = Running::new(ListenPolicy::default());
    let mut client = running.connect();
    let start = head("POST", "/echo", "content-length: 100\r\n");
    client.write_all(&start).await.unwrap();
    client.write_all(b"some").await.unwrap();
    sleep(14 * SECOND + SECOND / 2).await;
    assert_eq!(running.open(), 1);
    let received = receive(&mut client).await;
    assert!(received.starts_with("HTTP/1.1 408 "), "{received}");
    assert!(received.contains("connection: close"), "{received}");
    running.is_closed_after(Duration::ZERO, SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_drips_is_answered_with_408() {
    let running = Running::new(ListenPolicy::default());
    let mut client = running.connect();
    let head = head("POST", "/echo", "transfer-encoding: chunked\r\n");
    client.write_all(&head).await.unwrap();
    let start = Instant::now();
    while client.write_all(b"1\r\nx\r\n").await.is_ok() && start.elapsed() < 200 * SECOND {
        sleep(5 * SECOND).await;
    }
    let took = start.elapsed();
    assert!(took >= 60 * SECOND && took <= 71 * SECOND, "{took:?}");
    let received = receive(&mut client).await;
    assert!(received.starts_with("HTTP/1.1 408 "), "{received}");
}

#[tokio::test(start_paused = true)]
async fn a_body_may_come_in_chunks_and_wait_for_100_continue() {
    let running = Running::new(ListenPolicy::default());
    let mut client = running.connect();
    let expects = "expect: 100-continue\r\ntransfer-encoding: chunked\r\n";
    let head = head("POST", "/echo", expects);
    client.write_all(&head).await.unwrap();
    let received = receive(&mut client).await;
    assert_eq!(received, "HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"3\r\nabc\r\n").await.unwrap();
    sleep(10 * SECOND).await;
    client.write_all(b"2\r\nde\r\n0\r\n\r\n").await.unwrap();
    assert!(receive(&mut client).await.ends_with("\r\n\r\n5"));
}

#[tokio::test(start_paused = true)]
async fn no_read_fills_the_first_buffer_of_hyper_which_would_double_it() {
    const FIRST_BUFFER: usize = 8_192;
    let (mut client, server) = duplex(100_000);
    let picture = vec![b'x'; 100_000];
    client.write_all(&picture).await.unwrap();
    drop(client);
    let mut io = Watched::new(server, Activity::new());
    assert!(!io.starts_http2().await.unwrap());
    let (mut buffer, mut all) = (vec![0; 100_000], 0);
    loop {
        let count = io.read(&mut buffer).await.unwrap();
        if count == 0 {
            break;
        }
        assert!(count < FIRST_BUFFER, "{count} after {all}");
        assert!(buffer[..count].iter().all(|&byte| byte == b'x'));
        all += count;
    }
    assert_eq!(all, picture.len());
}
