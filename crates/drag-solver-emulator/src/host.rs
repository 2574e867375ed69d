//! What every server has, with any protocol: its traffic, the latest requests, the faults to come.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use drag_solver_wire::Refusal;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::faults::{Fault, Script};
use crate::requests::RequestLog;
use crate::stats::Traffic;
use crate::{Operation, ReceivedRequest, Request, Response};

/// What is served.
pub(crate) trait Site: fmt::Debug + Send + Sync + 'static {
    /// Whether what it is doing for a client ends when that client leaves.
    const ENDS_WITH_CLIENT: bool;

    /// What a request asks for, once it is read.
    type Call: Send;

    /// Refuses settings that make no sense, and makes the rest of it ready to be served.
    fn prepare(&mut self) -> Result<(), String>;

    /// Why `fault` cannot happen to `operation` here, if it cannot.
    fn why_not(&self, operation: Operation, fault: &Fault) -> Option<String>;

    /// What a request is for, as far as its head says; `None` for a path at which nothing is.
    fn operation(&self, head: &Request) -> Option<Operation>;

    /// Reads a request that arrived.
    fn read(&self, request: Request, received: Instant) -> Heard<Self::Call>;

    /// The right answer. With a fault that does not [execute](Fault::executes_request) the request
    /// nothing is done, and any answer will do.
    fn answer(
        self: Arc<Self>,
        call: Self::Call,
        fault: Option<Fault>,
    ) -> impl Future<Output = Response> + Send;

    /// A refusal, as it would be sent to a client that asked for this.
    fn refusal(&self, asked: &Request, refusal: Refusal) -> Response;

    /// Stops what it still does for clients that left.
    fn stop(&self) -> impl Future<Output = ()> + Send;
}

/// A request that was read.
pub(crate) struct Heard<C> {
    /// What is remembered of it.
    pub(crate) note: ReceivedRequest,
    /// The token that it brought.
    pub(crate) token: String,
    pub(crate) call: C,
}

/// A site and what is kept for it.
#[derive(Debug)]
pub(crate) struct Host<S> {
    pub(crate) site: Arc<S>,
    pub(crate) traffic: Mutex<Traffic>,
    pub(crate) log: Mutex<RequestLog>,
    pub(crate) faults: Mutex<Script>,
    /// Says that the server may have to stop listening.
    refuse: Notify,
}

impl<S> Host<S> {
    pub(crate) fn new(site: S, faults: Script, remembered_requests: usize) -> Self {
        Self {
            site: Arc::new(site),
            traffic: Mutex::default(),
            log: Mutex::new(RequestLog::new(remembered_requests)),
            faults: Mutex::new(faults),
            refuse: Notify::new(),
        }
    }

    /// Changes the faults to come, and has the server look whether it is to refuse connections.
    pub(crate) fn change_faults(&self, change: impl FnOnce(&mut Script)) {
        change(&mut lock(&self.faults));
        self.refuse.notify_one();
    }

    /// Waits until connections are to be refused, and says for how long.
    pub(crate) async fn refused(&self) -> Duration {
        loop {
            let refusal = lock(&self.faults).take_refusal();
            if let Some(lasting) = refusal {
                return lasting;
            }
            self.refuse.notified().await;
        }
    }
}

/// A panic elsewhere does not make what is behind the lock wrong.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
