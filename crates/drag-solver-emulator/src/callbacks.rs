//! Calls to addresses of clients (`callbackUrl`, `pingback`) when a job has ended.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{Drag, JobId, Point, Usd};
use drag_solver_wire::{Answer, Callback, Refusal, Shape, callback};
use http::Uri;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, sleep_until, timeout};

use crate::providers::Providers;
use crate::{Protocol, ledger};

/// How long a client may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What becomes of the calls that tell clients that a job has ended (`callbackUrl`, `pingback`). They go to
/// 127.0.0.1 alone; other addresses are never called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Callbacks {
    /// Each comes when the answer is there.
    #[default]
    InTime,
    /// Each comes so long after the answer.
    Late(Duration),
    /// Each comes twice.
    Twice,
    /// None comes.
    Never,
    /// One that is forged comes as soon as the job is there, with an answer that is wrong; the right one comes
    /// in time.
    Forged,
}

/// Where a client wants to be called.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    address: SocketAddr,
    path: String,
}

impl Target {
    /// The address, if it is one of 127.0.0.1.
    pub(crate) fn of(url: &str) -> Option<Self> {
        let url: Uri = url.parse().ok()?;
        let authority = url.authority()?.as_str();
        let with_port = authority.parse();
        let address = with_port.or_else(|_| format!("{authority}:80").parse());
        let address: SocketAddr = address.ok()?;
        let is_here = url.scheme_str() == Some("http") && address.ip() == Ipv4Addr::LOCALHOST;
        is_here.then(|| Self {
            address,
            path: url
                .path_and_query()
                .map_or("/", |it| it.as_str())
                .to_owned(),
        })
    }

    /// Posts it. What the client answers is not looked at.
    async fn call(&self, call: &Callback) -> io::Result<()> {
        let mut socket = TcpStream::connect(self.address).await?;
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.path,
            self.address,
            call.content_type,
            call.body.len()
        );
        socket
            .write_all(&[head.as_bytes(), &call.body].concat())
            .await?;
        let mut answer = [0; 512];
        while socket.read(&mut answer).await? > 0 {}
        Ok(())
    }
}

impl Providers {
    /// Calls the client when the job has ended, as it is set now.
    pub(crate) fn call_back(self: &Arc<Self>, protocol: Protocol, job: JobId, url: Option<&str>) {
        let Some(target) = url.and_then(Target::of) else {
            return;
        };
        let manner = self.callbacks;
        if manner == Callbacks::Never {
            return;
        }
        let providers = Arc::clone(self);
        self.work(async move {
            let call = |outcome: Result<Answer, Refusal>| {
                let call = callback(protocol, job.as_str(), outcome);
                let (providers, target) = (&providers, &target);
                async move {
                    providers.ledger().stats.callbacks += 1;
                    let _ = timeout(PATIENCE, target.call(&call)).await;
                }
            };
            if manner == Callbacks::Forged {
                call(Ok(forged())).await;
            }
            let Some(outcome) = providers.ended(&job).await else {
                return;
            };
            if let Callbacks::Late(late) = manner {
                sleep(late).await;
            }
            if manner == Callbacks::Twice {
                call(outcome.clone()).await;
            }
            call(outcome).await;
        });
    }

    /// What came of a job, when it is time to tell; `None` if it is forgotten.
    async fn ended(&self, job: &JobId) -> Option<Result<Answer, Refusal>> {
        loop {
            let settled = self.settled.notified();
            let ready = self.ledger().ready(job).ok()?;
            if let Some(at) = ready {
                sleep_until(at).await;
                return self.ledger().answer(job);
            }
            settled.await;
        }
    }
}

/// The answer of somebody who knows the address and not the picture.
fn forged() -> Answer {
    Answer {
        drag: Drag::new(Point::new(1.0, 1.0), Point::new(2.0, 2.0)),
        width: 3,
        height: 3,
        shape: Shape::Drag,
        cost: Usd::ZERO,
        created: ledger::EPOCH,
        ended: ledger::EPOCH,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_alone_is_called() {
        let target = Target::of("http://127.0.0.1:8080/hooks/7?a=b").unwrap();
        assert_eq!(target.address.to_string(), "127.0.0.1:8080");
        assert_eq!(target.path, "/hooks/7?a=b");
        assert_eq!(Target::of("http://127.0.0.1").unwrap().path, "/");
        for url in [
            "https://127.0.0.1/",
            "http://127.0.0.1.example.com/",
            "http://127.0.0.10/",
            "http://10.0.0.1/",
            "http://example.com/",
            "http://127.0.0.1:x/",
            "http://127.0.0.1@example.com/",
            "http://127.0.0.1/a b",
            "http://127.0.0.1/a\r\nX: y",
            "",
        ] {
            assert!(Target::of(url).is_none(), "{url}");
        }
    }
}
