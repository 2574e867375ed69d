//! Each limit, on a paused clock: the connections are pipes in memory.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::ConnectInfo;
use axum::routing::{get, post};
use http::{Request, StatusCode};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Duration, Instant, sleep, timeout};

use super::activity::{Activity, Watched};
use super::connection::{Phase, Server};
use super::{Accept, ListenPolicy, Listener, accept_all, serve};

const SECOND: Duration = Duration::from_secs(1);

fn peer() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 4_711))
}

/// `/fast` answers at once, `/held` after 100 s, `/big` with 1 MB, `/echo` tells the length of the body.
fn router() -> Router {
    Router::new()
        .route("/fast", get(|| async { "fast" }))
        .route(
            "/held",
            get(|| async {
                sleep(100 * SECOND).await;
                "held"
            }),
        )
        .route("/big", get(|| async { vec![b'x'; 1_000_000] }))
        .route(
            "/echo",
            post(|body: Bytes| async move { body.len().to_string() }),
        )
        .route(
            "/peer",
            get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }),
        )
}

/// Everything behind the accept loop, and a queue in front of it.
struct Running {
    server: Arc<Server>,
    phase: watch::Sender<Phase>,
    incoming: mpsc::UnboundedSender<io::Result<DuplexStream>>,
    accepts: Arc<AtomicUsize>,
    _loop: JoinSet<()>,
}

struct Queue {
    incoming: mpsc::UnboundedReceiver<io::Result<DuplexStream>>,
    accepts: Arc<AtomicUsize>,
}

impl Accept for Queue {
    type Io = DuplexStream;

    async fn accept(&mut self) -> io::Result<(DuplexStream, SocketAddr)> {
        self.accepts.fetch_add(1, Ordering::Relaxed);
        match self.incoming.recv().await {
            Some(accepted) => Ok((accepted?, peer())),
            None => std::future::pending().await,
        }
    }
}

impl Running {
    fn new(policy: ListenPolicy) -> Self {
        Self::with(router(), policy)
    }

    fn with(router: Router, policy: ListenPolicy) -> Self {
        let server = Server::new(router, policy);
        let (phase, watched) = watch::channel(Phase::Serving);
        let (sender, incoming) = mpsc::unbounded_channel();
        let accepts = Arc::new(AtomicUsize::new(0));
        let queue = Queue {
            incoming,
            accepts: Arc::clone(&accepts),
        };
        let mut accepting = JoinSet::new();
        accepting.spawn(accept_all(queue, Arc::clone(&server), watched, |io| {
            std::future::ready(Ok(io))
        }));
        Self {
            server,
            phase,
            incoming: sender,
            accepts,
            _loop: accepting,
        }
    }

    fn connect(&self) -> DuplexStream {
        let (client, server) = duplex(4_096);
        self.incoming.send(Ok(server)).unwrap();
        client
    }

    /// A connection over HTTP/2, and the task that runs its client.
    async fn connect_h2(&self) -> (SendRequest<String>, JoinHandle<hyper::Result<()>>) {
        let mut builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
        let io = TokioIo::new(self.connect());
        let (sender, connection) = builder
            .timer(TokioTimer::new())
            .handshake::<_, String>(io)
            .await
            .unwrap();
        (sender, tokio::spawn(connection))
    }

    fn open(&self) -> usize {
        let all = self.server.policy.max_connections.get() as usize;
        all - self.server.slots.available_permits()
    }

    async fn is_closed_after(&self, at_least: Duration, at_most: Duration) {
        let start = Instant::now();
        // It may have to be accepted first.
        sleep(Duration::from_millis(10)).await;
        while self.open() > 0 {
            sleep(Duration::from_millis(10)).await;
            let took = start.elapsed();
            assert!(took < at_most, "still open after {took:?}");
        }
        let took = start.elapsed();
        assert!(took >= at_least, "closed after {took:?} already");
    }
}

fn head(method: &str, path: &str, more: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nhost: x\r\n{more}\r\n").into_bytes()
}

fn h2(path: &str) -> Request<String> {
    let uri = format!("http://x{path}");
    Request::get(uri).body(String::new()).unwrap()
}

/// What arrives until the connection ends or is silent for a second.
async fn receive(client: &mut DuplexStream) -> String {
    let mut received = Vec::new();
    let _ = timeout(SECOND, client.read_to_end(&mut received)).await;
    String::from_utf8(received).unwrap()
}

async fn ask(client: &mut DuplexStream, path: &str) -> String {
    client.write_all(&head("GET", path, "")).await.unwrap();
    receive(client).await
}

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

/// Over real sockets: nothing here depends on how long anything takes.
async fn bound() -> (TcpListener, SocketAddr) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

#[tokio::test]
async fn it_serves_several_sockets_and_ends_when_told() {
    let ((one, at_one), (other, at_other)) = (bound().await, bound().await);
    let (stop, stopped) = oneshot::channel::<()>();
    let listeners = vec![Listener::plain(one), Listener::plain(other)];
    let policy = ListenPolicy::default().max_connections(2);
    let served = tokio::spawn(serve(listeners, router(), policy, async {
        let _ = stopped.await;
    }));
    for address in [at_one, at_other, at_one] {
        let mut client = TcpStream::connect(address).await.unwrap();
        let head = head("GET", "/fast", "connection: close\r\n");
        client.write_all(&head).await.unwrap();
        let mut received = String::new();
        client.read_to_string(&mut received).await.unwrap();
        assert!(received.ends_with("fast"), "{received}");
    }
    stop.send(()).unwrap();
    served.await.unwrap().unwrap();
    TcpStream::connect(at_one).await.unwrap_err();
}

#[tokio::test]
async fn requests_that_take_longer_than_the_drain_are_closed() {
    let (socket, address) = bound().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let (arrived, mut has_arrived) = mpsc::channel(1);
    let never = get(move || async move {
        arrived.send(()).await.unwrap();
        std::future::pending::<()>().await;
    });
    let policy = ListenPolicy::default().drain(Duration::ZERO);
    let router = Router::new().route("/", never);
    let served = tokio::spawn(serve(
        vec![Listener::plain(socket)],
        router,
        policy,
        async {
            let _ = stopped.await;
        },
    ));
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(&head("GET", "/", "")).await.unwrap();
    has_arrived.recv().await.unwrap();
    stop.send(()).unwrap();
    served.await.unwrap().unwrap();
    assert_eq!(client.read(&mut [0]).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn nothing_to_listen_on_is_an_error() {
    let served = serve(
        vec![],
        router(),
        ListenPolicy::default(),
        std::future::pending(),
    );
    assert_eq!(
        served.await.unwrap_err().kind(),
        io::ErrorKind::InvalidInput
    );
}
