//! One connection, from its first byte to its end.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use axum::Router;
use axum::body::Body as AxumBody;
use axum::extract::ConnectInfo;
use http::header::{CONNECTION, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{Duration, Instant, Sleep, sleep_until};
use tower::Service as _;

use super::activity::{Activity, after};
use super::body::{AnswerBody, TimedBody};
use super::parking::{Answer, Held, Manner, Parked};
use super::policy::ListenPolicy;
use super::watched::Watched;

/// HTTP/2: how much of a body may be on its way before it is read, in bytes. The larger, the faster
/// is an upload over a long way, and the more can one client make this process hold.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 512 * 1024;
/// HTTP/2: how much of an answer waits for the client, in bytes.
const SEND_BUFFER: usize = 64 * 1024;
/// HTTP/2: how many streams that the client has reset, or that were refused, are remembered. One more
/// ends the connection.
const MAX_RESET_STREAMS: usize = 20;

/// How far the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Serving,
    /// Requests under way may finish.
    Draining,
    /// Nothing may.
    Closed,
}

/// What all connections share.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) policy: ListenPolicy,
    router: Router,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    /// One permit per connection that may be open.
    pub(super) slots: Arc<Semaphore>,
    /// Asks the connection that has been idle the longest to close.
    pub(super) crowded: Notify,
}

impl Server {
    pub(super) fn new(router: Router, policy: ListenPolicy) -> Arc<Self> {
        let header_bytes = policy.header_bytes();
        let mut http1 = http1::Builder::new();
        http1
            // The time of a head is ours to watch, from its first byte.
            .header_read_timeout(None)
            .max_buf_size(header_bytes as usize)
            .timer(TokioTimer::new());
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .max_concurrent_streams(policy.max_streams.get())
            .max_header_list_size(header_bytes)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buf_size(SEND_BUFFER)
            .max_pending_accept_reset_streams(MAX_RESET_STREAMS)
            .max_local_error_reset_streams(MAX_RESET_STREAMS)
            .timer(TokioTimer::new());
        let slots = policy.max_connections.get() as usize;
        Arc::new(Self {
            policy,
            router,
            http1,
            http2,
            slots: Arc::new(Semaphore::new(slots.min(Semaphore::MAX_PERMITS))),
            crowded: Notify::new(),
        })
    }

    /// Serves a connection until it ends.
    pub(super) async fn serve<I>(&self, io: I, peer: SocketAddr, mut phase: watch::Receiver<Phase>)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Activity::new();
        let start = after(Instant::now(), self.policy.header_timeout);
        let mut sleep = pin!(sleep_until(start));
        let mut io = Watched::new(io, Arc::clone(&activity));
        let version = tokio::select! {
            version = io.starts_http2() => version,
            _ = phase.changed() => return,
            () = sleep.as_mut() => return,
        };
        let requests = Requests {
            router: self.router.clone(),
            body_timeouts: (self.policy.body_timeout, self.policy.body_idle_timeout),
            peer,
            activity: Arc::clone(&activity),
            held: Arc::default(),
        };
        match version {
            Ok(true) => {
                activity.multiplexes();
                let io = TokioIo::new(io);
                // Boxed: it is the larger one, and each connection of HTTP/1.1 would be as large.
                let mut http2 = Box::pin(self.http2.serve_connection(io, requests));
                let connection = http2.as_mut();
                self.run(connection, peer, &activity, sleep, &mut phase)
                    .await;
            }
            Ok(false) => {
                let held = Arc::clone(&requests.held);
                let mut connection = self.http1.serve_connection(TokioIo::new(io), requests);
                loop {
                    let pinned: Pin<&mut http1::Connection<_, _>> = Pin::new(&mut connection);
                    let parks = self.run(pinned, peer, &activity, sleep.as_mut(), &mut phase);
                    if !parks.await {
                        return;
                    }
                    let Some(parked) = Parked::new(connection, &held, &mut phase) else {
                        return;
                    };
                    // Boxed: few are parked, and each connection would be as large.
                    let Some((io, requests)) = Box::pin(parked.wait(&activity, &self.policy)).await
                    else {
                        return;
                    };
                    connection = self.http1.serve_connection(TokioIo::new(io), requests);
                }
            }
            Err(_) => {}
        }
    }

    /// Serves a connection whose version is known, until it ends; or, and then it is true, is to be parked.
    async fn run(
        &self,
        mut connection: Pin<&mut dyn Connection>,
        peer: SocketAddr,
        activity: &Activity,
        mut sleep: Pin<&mut Sleep>,
        phase: &mut watch::Receiver<Phase>,
    ) -> bool {
        let mut armed = Some(sleep.deadline());
        loop {
            let idle = activity.is_idle();
            let step = poll_fn(|cx| {
                activity.register(cx);
                if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                    return Poll::Ready(Step::Ended(ended));
                }
                if activity.is_idle() != idle {
                    return Poll::Ready(Step::IdleChanged);
                }
                loop {
                    let (now, parks_at) = (Instant::now(), activity.parks_at());
                    let closes = activity.deadline(&self.policy);
                    if let Some((_, reason)) = closes.filter(|(at, _)| *at <= now) {
                        return Poll::Ready(Step::TimedOut(reason));
                    }
                    if parks_at.is_some_and(|at| at <= now) {
                        return Poll::Ready(Step::Parks);
                    }
                    let closes_at = closes.map(|(at, _)| at);
                    let Some(deadline) = closes_at.into_iter().chain(parks_at).min() else {
                        return Poll::Pending;
                    };
                    // One that has moved into the future is looked at when the old one is over.
                    if armed.is_none_or(|armed| deadline < armed) {
                        sleep.as_mut().reset(deadline);
                        armed = Some(deadline);
                    }
                    if sleep.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    armed = None;
                }
            });
            tokio::select! {
                biased;
                step = step => match step {
                    Step::Ended(Ok(())) => return false,
                    Step::Ended(Err(error)) => {
                        tracing::debug!(%peer, %error, "a connection failed");
                        return false;
                    }
                    Step::TimedOut(reason) => {
                        tracing::debug!(%peer, reason, "a connection is closed");
                        return false;
                    }
                    Step::Parks => return true,
                    Step::IdleChanged => {}
                },
                changed = phase.changed() => {
                    let now = changed.map_or(Phase::Closed, |()| *phase.borrow_and_update());
                    if now == Phase::Closed || activity.is_silent() && !activity.is_multiplexed() {
                        return false;
                    }
                    activity.close();
                    connection.as_mut().graceful_shutdown();
                }
                () = self.crowded.notified(), if idle => {
                    activity.close();
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

/// A connection of either version of HTTP. hyper-util's has room for both.
trait Connection: Future<Output = hyper::Result<()>> + Send {
    /// Ends it as soon as no request is under way.
    fn graceful_shutdown(self: Pin<&mut Self>);
}

impl<I: Read + Write + Unpin + Send + 'static> Connection for http1::Connection<I, Requests> {
    fn graceful_shutdown(self: Pin<&mut Self>) {
        Self::graceful_shutdown(self);
    }
}

impl<I: Read + Write + Unpin + Send + 'static> Connection
    for http2::Connection<I, Requests, TokioExecutor>
{
    fn graceful_shutdown(self: Pin<&mut Self>) {
        Self::graceful_shutdown(self);
    }
}

enum Step {
    Ended(hyper::Result<()>),
    TimedOut(&'static str),
    IdleChanged,
    Parks,
}

/// The requests of one connection.
pub(super) struct Requests {
    router: Router,
    body_timeouts: (Duration, Duration),
    peer: SocketAddr,
    activity: Arc<Activity>,
    pub(super) held: Arc<Held>,
}

impl hyper::service::Service<Request<Incoming>> for Requests {
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: Request<Incoming>) -> Answer {
        if let Some(ready) = self.held.take_ready() {
            return Answer::Alone(Box::pin(std::future::ready(Ok(ready))));
        }
        let multiplexed = request.version() == Version::HTTP_2;
        let manner = Manner::of(&request);
        let mut under_way = self.activity.begin(manner.is_some());
        // Only a request with a body needs it.
        let mut slow = None;
        let mut request = request.map(|body| {
            if body.is_end_stream() {
                return AxumBody::empty();
            }
            let slow = slow.insert(Arc::new(AtomicBool::new(false)));
            let slow = Arc::clone(slow);
            let activity = (Arc::clone(&self.activity), under_way.request);
            AxumBody::new(TimedBody::new(body, self.body_timeouts, slow, activity))
        });
        if slow.is_none() {
            self.activity.arrived(under_way.request);
        }
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let answer = self.router.clone().call(request);
        let answer = Box::pin(async move {
            let mut answer = match answer.await {
                Ok(answer) => answer,
                Err(never) => match never {},
            };
            if slow.is_some_and(|slow| slow.load(Ordering::Relaxed)) {
                answer = too_slow(multiplexed);
            }
            under_way.answer();
            Ok(answer.map(|body| AnswerBody::new(body, under_way, multiplexed)))
        });
        match manner {
            Some(manner) => Answer::shared(&self.held, manner, answer),
            None => Answer::Alone(answer),
        }
    }
}

/// What the client gets for a body that did not arrive in time, in place of what the handler says.
fn too_slow(multiplexed: bool) -> Response<AxumBody> {
    let mut answer = Response::new(AxumBody::from("The request did not arrive in time.\n"));
    *answer.status_mut() = StatusCode::REQUEST_TIMEOUT;
    let headers = answer.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    if !multiplexed {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}
