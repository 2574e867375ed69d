//! What a connection is doing, and by when it must do something else.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;

use futures_util::task::AtomicWaker;
use tokio::time::{Duration, Instant};

use super::policy::ListenPolicy;

/// How long a connection that is to close, and has no request under way, may take for that.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// So many requests given up by the client, and more than were answered, end a connection: a flood
/// of resets makes work that no client waits for (CVE-2023-44487).
const MAX_CANCELLED: u64 = 200;

/// How long an answer may take until its connection is [parked](super::parking): most take less.
const PARK_AFTER: Duration = Duration::from_millis(50);

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

    pub(super) fn received(&self) {
        let mut state = self.state();
        if state.waiting == Waiting::Idle && state.under_way == 0 && !state.multiplexed {
            state.waiting = Waiting::Head;
            state.since = Instant::now();
        } else if state.waiting == Waiting::First {
            state.waiting = Waiting::Head;
        }
    }

    pub(super) fn blocked(&self) {
        self.state().blocked.get_or_insert_with(Instant::now);
    }

    pub(super) fn flushed(&self) {
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
