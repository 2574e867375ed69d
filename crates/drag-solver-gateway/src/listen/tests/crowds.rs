//! Many connections, many streams.

use super::*;

#[tokio::test(start_paused = true)]
async fn at_the_limit_the_longest_idle_connection_makes_room() {
    let policy = ListenPolicy::default().max_connections(2);
    let running = Running::new(policy);
    let (mut first, mut second) = (running.connect(), running.connect());
    assert!(ask(&mut second, "/fast").await.ends_with("fast"));
    assert!(ask(&mut first, "/fast").await.ends_with("fast"));
    let mut third = running.connect();
    assert!(ask(&mut third, "/fast").await.ends_with("fast"));
    // `second` was idle for longer, and is closed; `first` is not.
    assert_eq!(second.read(&mut [0]).await.unwrap(), 0);
    assert!(ask(&mut first, "/fast").await.ends_with("fast"));
}

#[tokio::test(start_paused = true)]
async fn at_the_limit_new_connections_wait_for_busy_ones() {
    let policy = ListenPolicy::default().max_connections(1);
    let running = Running::new(policy);
    let mut busy = running.connect();
    busy.write_all(&head("GET", "/held", "")).await.unwrap();
    sleep(SECOND).await;
    let mut next = running.connect();
    assert_eq!(ask(&mut next, "/fast").await, "");
    assert_eq!(running.open(), 1);
    sleep(100 * SECOND).await;
    assert!(receive(&mut busy).await.ends_with("held"));
    assert!(receive(&mut next).await.ends_with("fast"));
}

#[tokio::test(start_paused = true)]
async fn an_accept_that_fails_is_tried_again_and_not_at_once() {
    let running = Running::new(ListenPolicy::default());
    for _ in 0..1_000 {
        // EMFILE: too many open files.
        let error = io::Error::from_raw_os_error(24);
        running.incoming.send(Err(error)).unwrap();
    }
    let mut client = running.connect();
    client.write_all(&head("GET", "/fast", "")).await.unwrap();
    sleep(10 * SECOND).await;
    let accepts = running.accepts.load(Ordering::Relaxed);
    assert!((10..30).contains(&accepts), "{accepts}");
    sleep(1_000 * SECOND).await;
    assert!(receive(&mut client).await.ends_with("fast"));
}

#[tokio::test(start_paused = true)]
async fn connections_that_were_gone_before_they_were_accepted_cost_no_pause() {
    let running = Running::new(ListenPolicy::default());
    for _ in 0..1_000 {
        let error = io::ErrorKind::ConnectionAborted.into();
        running.incoming.send(Err(error)).unwrap();
    }
    let mut client = running.connect();
    assert!(ask(&mut client, "/fast").await.ends_with("fast"));
}

#[tokio::test(start_paused = true)]
async fn http_2_has_a_limit_of_streams() {
    let running = Running::with(router(), ListenPolicy::default().max_streams(3));
    let (mut sender, _task) = running.connect_h2().await;
    // The first answer tells that the settings have arrived.
    sender.send_request(h2("/fast")).await.unwrap();
    let mut held = JoinSet::new();
    for _ in 0..3 {
        held.spawn(sender.send_request(h2("/held")));
    }
    sleep(SECOND).await;
    let fourth = sender.send_request(h2("/fast"));
    let start = Instant::now();
    fourth.await.unwrap();
    assert!(start.elapsed() >= 98 * SECOND, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_cancelled_streams_ends_the_connection() {
    let running = Running::new(ListenPolicy::default());
    let (mut sender, task) = running.connect_h2().await;
    let mut cancelled = 0;
    while !task.is_finished() && cancelled < 1_000 {
        if sender.ready().await.is_err() {
            break;
        }
        let request = sender.send_request(h2("/held"));
        // It is there, and is given up.
        let _ = timeout(Duration::from_millis(5), request).await;
        cancelled += 1;
        sleep(Duration::from_millis(5)).await;
    }
    assert!((200..220).contains(&cancelled), "{cancelled}");
    running.is_closed_after(Duration::ZERO, SECOND).await;
}

/// A connection that waits keeps this future, which is sized for the largest of what it may become.
#[test]
fn a_connection_keeps_little() {
    fn size<F>(_: impl FnOnce(TcpStream, watch::Receiver<Phase>, &'static Server) -> F) -> usize {
        size_of::<F>()
    }
    let size = size(|io, phase, server| server.serve(io, peer(), phase));
    assert!(size <= 1_728, "{size} bytes");
}
