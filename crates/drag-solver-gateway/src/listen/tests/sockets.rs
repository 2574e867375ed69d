//! Over real sockets: nothing here depends on how long anything takes.

use super::*;

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
