//! Calls to addresses of clients (`callbackUrl`, `pingback`) when a job has ended.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

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
        let path = url.path_and_query().map_or("/", |it| it.as_str());
        let path = path.to_owned();
        is_here.then_some(Self { address, path })
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
        let request = [head.as_bytes(), &call.body].concat();
        socket.write_all(&request).await?;
        let mut answer = [0; 512];
        while socket.read(&mut answer).await? > 0 {}
        Ok(())
    }
}

impl Callbacks {
    /// Makes the calls about one job of a [stand-in](crate::stand_in) to `url`, and says how many there were: `answer`
    /// once that is there, none if it comes to `None`, and `forged` before it if they are [forged](Self::Forged).
    /// Dropping the future ends them.
    ///
    /// ```
    /// use drag_solver_emulator::{Callback, Callbacks, stand_in, Response};
    /// use serde_json::json;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let client = stand_in(|_| async { Response::empty(200) }).start().await?;
    /// let url = format!("{}/hooks/7", client.url());
    /// let (wrong, right) = (Callback::json(&json!({"end": 1})), Callback::json(&json!({"end": 320})));
    /// let calls = Callbacks::Forged.deliver(&url, wrong, async { Some(right) }).await;
    /// assert_eq!((calls, client.requests_to("/hooks/7")), (2, 2));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn deliver(
        self,
        url: &str,
        forged: Callback,
        answer: impl Future<Output = Option<Callback>>,
    ) -> usize {
        let mut calls = 0;
        if let Some(target) = Target::of(url) {
            self.call(&target, forged, answer, || calls += 1).await;
        }
        calls
    }

    /// The same, and tells `count` of each call before it is made.
    async fn call(
        self,
        target: &Target,
        forged: Callback,
        answer: impl Future<Output = Option<Callback>>,
        mut count: impl FnMut(),
    ) {
        if self == Self::Never {
            return;
        }
        let mut call = async |call: &Callback| {
            count();
            let _ = timeout(PATIENCE, target.call(call)).await;
        };
        if self == Self::Forged {
            call(&forged).await;
        }
        let Some(answer) = answer.await else {
            return;
        };
        if let Self::Late(late) = self {
            sleep(late).await;
        }
        if self == Self::Twice {
            call(&answer).await;
        }
        call(&answer).await;
    }
}

impl fmt::Display for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InTime => f.write_str("in time"),
            Self::Late(late) => write!(f, "{late:?} late"),
            Self::Twice => f.write_str("twice"),
            Self::Never => f.write_str("never"),
            Self::Forged => f.write_str("forged"),
        }
    }
}

impl Providers {
    /// Calls the client when the job has ended, as it is set now.
    pub(crate) fn call_back(self: &Arc<Self>, protocol: Protocol, job: JobId, url: Option<&str>) {
        let Some(target) = url.and_then(Target::of) else {
            return;
        };
        let manner = self.callbacks;
        let providers = Arc::clone(self);
        self.work(async move {
            let told = |outcome| callback(protocol, job.as_str(), outcome);
            let answer = async { providers.ended(&job).await.map(told) };
            let count = || providers.ledger().stats.callbacks += 1;
            manner
                .call(&target, told(Ok(forged())), answer, count)
                .await;
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

/// The answer of a forger, who knows the address and not the picture.
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
