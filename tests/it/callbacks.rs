//! Providers call when an answer is there, over real sockets: what is set between polls is longer than any
//! test, so only a call can bring the answer.

use std::io;
use std::time::Duration;

use drag_solver::http::{CallbackReceiver, PollInterval};
use drag_solver::prelude::*;
use drag_solver::providers::{AntiCaptcha, TwoCaptcha};
use drag_solver::testing::emulator::{Callbacks, Emulator, Protocol};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::support::{TOKEN, picture, provider};

const NEVER: Duration = Duration::from_secs(3_600);

/// The simplest server that takes calls. Ends with the test.
struct Hooks {
    receiver: CallbackReceiver,
    serving: JoinHandle<()>,
}

impl Hooks {
    async fn open() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks", port.local_addr().unwrap());
        let receiver = CallbackReceiver::new(&url).unwrap();
        let hooks = receiver.clone();
        let serving = tokio::spawn(async move {
            while let Ok((socket, _)) = port.accept().await {
                let _ = take(socket, &hooks).await;
            }
        });
        Self { receiver, serving }
    }
}

impl Drop for Hooks {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(mut socket: TcpStream, hooks: &CallbackReceiver) -> io::Result<()> {
    let mut head = vec![0; 4_096];
    let length = socket.read(&mut head).await?;
    let head = String::from_utf8_lossy(&head[..length]);
    hooks.receive(head.split(' ').nth(1).unwrap_or_default());
    socket
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .await
}

fn solvers(emulator: &Emulator, hooks: &Hooks, every: Duration) -> [Box<dyn DragSolver>; 2] {
    let poll = PollInterval::new(every, every);
    let long = 10 * NEVER;
    let two = TwoCaptcha::builder()
        .token(TOKEN)
        .base_url(emulator.url(Protocol::TwoCaptcha))
        .callbacks_to(&hooks.receiver)
        .job_timeout(long)
        .poll(poll);
    let anti = AntiCaptcha::builder()
        .token(TOKEN)
        .base_url(emulator.url(Protocol::AntiCaptcha))
        .callbacks_to(&hooks.receiver)
        .job_timeout(long)
        .poll(poll);
    [
        Box::new(two.build().unwrap()),
        Box::new(anti.build().unwrap()),
    ]
}

#[tokio::test]
async fn an_answer_is_fetched_when_the_provider_calls() {
    let hooks = Hooks::open().await;
    let some = Duration::from_millis(5);
    for callbacks in [Callbacks::InTime, Callbacks::Twice, Callbacks::Late(some)] {
        let emulator = provider()
            .answer_after(some)
            .callbacks(callbacks)
            .start()
            .await
            .unwrap();
        for solver in solvers(&emulator, &hooks, NEVER) {
            let picture = picture(7);
            let solution = solver.solve(&picture.challenge()).await.unwrap();
            assert_eq!(*solution.drag(), picture.drag(), "{callbacks:?}");
            let job = emulator.jobs().pop().unwrap();
            assert_eq!((job.polls, job.fetched), (1, 1), "{callbacks:?}");
        }
        emulator.shutdown().await;
    }
}

#[tokio::test]
async fn what_is_called_is_never_believed_and_what_is_not_called_is_polled() {
    let hooks = Hooks::open().await;
    let soon = Duration::from_millis(5);
    for callbacks in [Callbacks::Forged, Callbacks::Never] {
        let emulator = provider()
            .answer_after(4 * soon)
            .callbacks(callbacks)
            .start()
            .await
            .unwrap();
        for solver in solvers(&emulator, &hooks, soon) {
            let picture = picture(7);
            let solution = solver.solve(&picture.challenge()).await.unwrap();
            assert_eq!(*solution.drag(), picture.drag(), "{callbacks:?}");
        }
        let calls = emulator.stats().callbacks;
        assert_eq!(
            calls == 0,
            callbacks == Callbacks::Never,
            "{callbacks:?}, {calls}"
        );
        emulator.shutdown().await;
    }
}

#[tokio::test]
async fn providers_without_callbacks_are_asked_for_none() {
    let hooks = Hooks::open().await;
    let emulator = provider().start().await.unwrap();
    let solver = Omocaptcha::builder()
        .token(TOKEN)
        .base_url(emulator.url(Protocol::OmocaptchaV2))
        .api_version(drag_solver::providers::ApiVersion::V2)
        .callbacks_to(&hooks.receiver)
        .poll(PollInterval::new(Duration::ZERO, Duration::from_millis(1)))
        .build()
        .unwrap();
    solver.solve(&picture(7).challenge()).await.unwrap();
    assert!(emulator.requests()[0].json.get("callbackUrl").is_none());
    assert_eq!(emulator.stats().callbacks, 0);
}
