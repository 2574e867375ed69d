//! What a connection is doing, and by when it must do something else.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf, Take};
use tokio::time::{Duration, Instant};

use super::ListenPolicy;

/// How long a connection that is to close, and has no request under way, may take for that.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// So many requests given up by the client, and more than were answered, end a connection: a flood
/// of resets makes work that no client waits for (CVE-2023-44487).
const MAX_CANCELLED: u64 = 200;

/// How long an answer may take until its connection is [parked](super::parking): most take less.
const PARK_AFTER: Duration = Duration::from_millis(50);

/// The first bytes of HTTP/2 (RFC 9113, section 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How much is read at a time, in bytes: less than a page of memory. What nothing was written to takes no memory, and so
/// the rest of hyper's first buffer, which is twice as large, takes none. A read that fills the buffer would make hyper
/// double it, and it would stay as large while a connection that has sent a picture waits for what becomes of it.
const MAX_READ: u64 = 4 * 1024 - 1;

/// What one connection is doing. Shared by its bytes, its requests and its task.
#[derive(Debug)]
pub(super) struct Activity {
    state: Mutex<State>,
    task: AtomicWaker,
}

#[derive(Debug)]
struct State {
    waiting: Waiting,
    /// When it began to wait for that.
    since: Instant,
    /// Requests whose answer is not sent yet.
    under_way: usize,
    /// By when each answer that is ready must be received, the earliest first.
    answers: VecDeque<(u64, Instant)>,
    answered: u64,
    cancelled: u64,
    /// Since when the client has not received what was written.
    blocked: Option<Instant>,
    closing: Option<Instant>,
    /// HTTP/2 sends bytes that belong to no request.
    multiplexed: bool,
    /// The number of the request that a parked connection may hold, as long as its answer is not ready.
    may_park: Option<u64>,
    begun: u64,
    /// Since when nothing of it is missing, and its answer is not ready.
    held: Option<Instant>,
}

impl State {
    /// Whether it is the client's turn to ask: no request is under way, and all answers are sent.
    fn waits(&self) -> bool {
        self.under_way == 0 && self.blocked.is_none()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    /// For any byte, on a new connection.
    First,
    /// For the rest of the head of a request.
    Head,
    /// For a next request.
    Idle,
}

impl Activity {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                waiting: Waiting::First,
                since: Instant::now(),
                under_way: 0,
                answers: VecDeque::new(),
                answered: 0,
                cancelled: 0,
                blocked: None,
                closing: None,
                multiplexed: false,
                may_park: None,
                begun: 0,
                held: None,
            }),
            task: AtomicWaker::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the connection's task when a request ends in another one.
    pub(super) fn register(&self, cx: &Context<'_>) {
        self.task.register(cx.waker());
    }

    /// Whether it only waits for a next request, and was of use before.
    pub(super) fn is_idle(&self) -> bool {
        let state = self.state();
        state.waits() && state.waiting == Waiting::Idle
    }

    /// Whether nothing of any request has arrived.
    pub(super) fn is_silent(&self) -> bool {
        let state = self.state();
        state.waits() && state.waiting != Waiting::Head
    }

    /// It speaks HTTP/2.
    pub(super) fn multiplexes(&self) {
        self.state().multiplexed = true;
    }

    pub(super) fn is_multiplexed(&self) -> bool {
        self.state().multiplexed
    }

    /// From now on it has [`CLOSE_TIMEOUT`] to close whenever no request is under way.
    pub(super) fn close(&self) {
        self.state().closing.get_or_insert_with(Instant::now);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.state().closing.is_some()
    }

    /// When the connection must be closed, and why, unless something happens before.
    pub(super) fn deadline(&self, policy: &ListenPolicy) -> Option<(Instant, &'static str)> {
        let state = self.state();
        let mut deadlines = [None; 4];
        if state.waits() {
            let (length, reason) = match state.waiting {
                Waiting::First | Waiting::Head => (policy.header_timeout, "slow head"),
                Waiting::Idle => (policy.keep_alive, "idle"),
            };
            deadlines[0] = Some((after(state.since, length), reason));
            deadlines[1] = state
                .closing
                .map(|closing| (after(closing.max(state.since), CLOSE_TIMEOUT), "closing"));
        }
        let answer = state.answers.front().map(|(_, ready)| *ready);
        let unread = [answer, state.blocked].into_iter().flatten().min();
        deadlines[2] = unread.map(|since| (after(since, policy.answer_timeout), "unread answer"));
        if state.cancelled >= MAX_CANCELLED && state.cancelled > state.answered {
            deadlines[3] = Some((state.since, "flood of cancelled requests"));
        }
        deadlines.into_iter().flatten().min()
    }

    /// All of this request has arrived.
    pub(super) fn arrived(&self, request: u64) {
        let mut state = self.state();
        if state.may_park == Some(request) {
            state.held.get_or_insert_with(Instant::now);
        }
    }

    /// When the connection is to be [parked](super::parking), unless something happens before.
    pub(super) fn parks_at(&self) -> Option<Instant> {
        let state = self.state();
        let may_park = state.may_park.is_some() && state.under_way == 1 && state.blocked.is_none();
        let held = state.held.filter(|_| may_park)?;
        Some(after(held, PARK_AFTER))
    }

    /// A request whose head has arrived.
    pub(super) fn begin(self: &Arc<Self>, may_park: bool) -> UnderWay {
        let mut state = self.state();
        state.under_way += 1;
        state.begun += 1;
        let request = state.begun;
        state.may_park = may_park.then_some(request);
        state.held = None;
        drop(state);
        UnderWay {
            request,
            activity: Arc::clone(self),
            answer: None,
        }
    }

    fn received(&self) {
        let mut state = self.state();
        if state.waiting == Waiting::Idle && state.under_way == 0 && !state.multiplexed {
            state.waiting = Waiting::Head;
            state.since = Instant::now();
        } else if state.waiting == Waiting::First {
            state.waiting = Waiting::Head;
        }
    }

    fn blocked(&self) {
        self.state().blocked.get_or_insert_with(Instant::now);
    }

    fn flushed(&self) {
        let mut state = self.state();
        if state.blocked.take().is_some() && state.waiting == Waiting::Idle {
            state.since = Instant::now();
        }
    }
}

/// `Instant + Duration` that does not panic: a century is as good as no limit.
pub(super) fn after(start: Instant, length: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3_600);
    start + length.min(CENTURY)
}

/// A request that is under way until this is dropped.
#[derive(Debug)]
pub(super) struct UnderWay {
    activity: Arc<Activity>,
    answer: Option<u64>,
    pub(super) request: u64,
}

impl UnderWay {
    /// The answer is ready: from now on the client is waited for.
    pub(super) fn answer(&mut self) {
        let mut state = self.activity.state();
        state.held = None;
        state.may_park = None;
        let id = state.answered;
        state.answered += 1;
        state.answers.push_back((id, Instant::now()));
        self.answer = Some(id);
        drop(state);
        self.activity.task.wake();
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.activity.state();
        match self.answer {
            Some(id) => state.answers.retain(|(other, _)| *other != id),
            None => state.cancelled += 1,
        }
        state.under_way -= 1;
        state.held = None;
        if state.under_way == 0 {
            state.waiting = Waiting::Idle;
            state.since = Instant::now();
            state.answers = VecDeque::new();
        }
        drop(state);
        self.activity.task.wake();
    }
}

/// The bytes of a connection, which tell its [`Activity`].
#[derive(Debug)]
pub(super) struct Watched<I> {
    io: Take<I>,
    activity: Arc<Activity>,
    /// What is read first, before what comes from the client.
    first: Bytes,
}

impl<I: AsyncRead> Watched<I> {
    pub(super) fn new(io: I, activity: Arc<Activity>) -> Self {
        Self {
            io: io.take(MAX_READ),
            activity,
            first: Bytes::new(),
        }
    }

    /// Has this read before anything else.
    pub(super) fn read_first(&mut self, bytes: Bytes) {
        self.first = if self.first.is_empty() {
            bytes
        } else {
            [bytes, std::mem::take(&mut self.first)].concat().into()
        };
    }
}

impl<I: AsyncRead + Unpin> Watched<I> {
    /// Whether the client starts as one of HTTP/2 does. What it read is read again.
    ///
    /// hyper-util can tell the version, too, but hands these few bytes on as a read of their own, for
    /// which hyper makes its buffer twice as large for as long as the connection lives.
    pub(super) async fn starts_http2(&mut self) -> io::Result<bool> {
        let (mut first, mut read) = ([0; PREFACE.len()], 0);
        while let Some(missing) = first.get_mut(read..).filter(|it| !it.is_empty()) {
            let count = self.io.get_mut().read(missing).await?;
            read += count;
            if count > 0 {
                self.activity.received();
            }
            if count == 0 || first.get(..read) != PREFACE.get(..read) {
                break;
            }
        }
        self.first = Bytes::copy_from_slice(first.get(..read).unwrap_or_default());
        Ok(first == *PREFACE)
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Watched<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        self.io.set_limit(MAX_READ);
        if !self.first.is_empty() {
            let count = self.first.len().min(buf.remaining());
            buf.put_slice(&self.first.split_to(count));
            // And what has arrived since, in the same read. Its end or failure is told by the next one.
            self.io.set_limit(MAX_READ.saturating_sub(count as u64));
            if buf.remaining() > 0 {
                let _ = Pin::new(&mut self.io).poll_read(cx, buf);
            }
            return Poll::Ready(Ok(()));
        }
        let polled = Pin::new(&mut self.io).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.activity.received();
        }
        polled
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(self.io.get_mut()).poll_write(cx, buf);
        if polled.is_pending() {
            self.activity.blocked();
        }
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(self.io.get_mut()).poll_write_vectored(cx, bufs);
        if polled.is_pending() {
            self.activity.blocked();
        }
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.io.get_ref().is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(self.io.get_mut()).poll_flush(cx);
        match polled {
            // Only when all is written: a client that takes a byte now and then is as slow as it is.
            Poll::Ready(_) => self.activity.flushed(),
            Poll::Pending => self.activity.blocked(),
        }
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(self.io.get_mut()).poll_shutdown(cx);
        if polled.is_pending() {
            self.activity.blocked();
        }
        polled
    }
}
