//! Callbacks: the answer is sent to an address of the client's own.

mod address;
mod sender;
mod target;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use drag_solver_wire::{Answer, Protocol, Refusal};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

pub use self::address::has_public_host;
use self::sender::HttpSender;
pub use self::sender::{Callback, CallbackSender};
use self::target::Target;
use crate::policy::{GatewayPolicy, no_callbacks};

/// How long it waits after each try that failed: five tries within ten minutes.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(420),
];

/// Callbacks that are being sent at once, at most.
const AT_ONCE: usize = 64;

/// The same to one host, so that one that does not answer leaves room for others.
const AT_ONCE_PER_HOST: usize = 16;

/// Callbacks that are not delivered yet; while there are as many, no job with one is accepted.
const MOST_PENDING: usize = 10_000;

/// How long callbacks may take after the last job, when the gateway is told to stop.
pub(crate) const LAST_TRY: Duration = sender::TRY;

/// The callbacks of a gateway.
pub(crate) struct Callbacks {
    policy: GatewayPolicy,
    queue: mpsc::UnboundedSender<Callback>,
    pending: Arc<AtomicUsize>,
    /// Nothing can be sent, and this is why.
    broken: Option<String>,
}

impl Callbacks {
    /// Callbacks, and what has to run for them: it ends some time after [`close`](Closer::close).
    pub(crate) fn new(
        policy: &GatewayPolicy,
        sender: Option<Arc<dyn CallbackSender>>,
        stopping: watch::Receiver<bool>,
    ) -> (Self, Closer, impl Future<Output = ()> + Send + use<>) {
        let (queue, queued) = mpsc::unbounded_channel();
        let (close, closed) = watch::channel(false);
        let pending = Arc::new(AtomicUsize::new(0));
        let (sender, broken) = match sender {
            Some(sender) => (Some(sender), None),
            None if policy.callback_hosts.is_empty() => (None, None),
            None => match HttpSender::new(policy) {
                Ok(sender) => (Some(Arc::new(sender) as Arc<dyn CallbackSender>), None),
                Err(why) => {
                    tracing::error!(why, "nothing can be called back");
                    (None, Some(why))
                }
            },
        };
        let work = work(sender, queued, Arc::clone(&pending), stopping, closed);
        let callbacks = Self {
            policy: policy.clone(),
            queue,
            pending,
            broken,
        };
        (callbacks, Closer(close), work)
    }

    /// Refuses a job whose answer could not be sent to this address.
    pub(crate) fn check(&self, url: &str) -> Result<(), Refusal> {
        if self.policy.callback_hosts.is_empty() {
            return Err(no_callbacks());
        }
        Target::of(url, &self.policy).map_err(Refusal::BadCallback)?;
        if let Some(why) = &self.broken {
            return Err(Refusal::BadCallback(why.clone()));
        }
        if self.pending.load(Ordering::Acquire) >= MOST_PENDING {
            return Err(Refusal::NoWorker);
        }
        Ok(())
    }

    /// Sends what came of a job to the address that its client gave.
    pub(crate) fn send(
        &self,
        url: &str,
        protocol: Protocol,
        job: &str,
        outcome: Result<Answer, Refusal>,
    ) {
        let target = match Target::of(url, &self.policy) {
            Ok(target) => target,
            // The job is of an earlier process, with another policy.
            Err(why) => {
                count("refused");
                tracing::warn!(job, why, "a callback is not allowed any more");
                return;
            }
        };
        let sent = drag_solver_wire::callback(protocol, job, outcome);
        self.pending.fetch_add(1, Ordering::AcqRel);
        if self.queue.send(Callback { target, sent }).is_err() {
            self.pending.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// Says that no more callbacks come.
pub(crate) struct Closer(watch::Sender<bool>);

impl Closer {
    pub(crate) fn close(&self) {
        self.0.send_replace(true);
    }
}

/// Sends callbacks until no more come and all are delivered or given up.
async fn work(
    sender: Option<Arc<dyn CallbackSender>>,
    mut queued: mpsc::UnboundedReceiver<Callback>,
    pending: Arc<AtomicUsize>,
    stopping: watch::Receiver<bool>,
    mut closed: watch::Receiver<bool>,
) {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut hosts = Hosts::default();
    let mut under_way = JoinSet::new();
    loop {
        let callback = tokio::select! {
            biased;
            callback = queued.recv() => callback,
            Some(_) = under_way.join_next() => continue,
            _ = closed.wait_for(|closed| *closed) => None,
        };
        let Some(callback) = callback else { break };
        let Some(sender) = sender.clone() else {
            pending.fetch_sub(1, Ordering::AcqRel);
            continue;
        };
        let delivery = Delivery {
            sender,
            turns: Arc::clone(&turns),
            stopping: stopping.clone(),
            turns_of_host: hosts.turns(&callback.target),
            _pending: Pending(Arc::clone(&pending)),
        };
        under_way.spawn(delivery.run(callback));
    }
    while under_way.join_next().await.is_some() {}
}

/// The hosts that something is to be delivered to.
#[derive(Default)]
struct Hosts(HashMap<String, Weak<Semaphore>>);

impl Hosts {
    /// The turns of this host.
    fn turns(&mut self, target: &Target) -> Arc<Semaphore> {
        if self.0.len() >= MOST_PENDING {
            self.0.retain(|_, turns| turns.strong_count() > 0);
        }
        let host = self.0.entry(target.to_string()).or_default();
        host.upgrade().unwrap_or_else(|| {
            let turns = Arc::new(Semaphore::new(AT_ONCE_PER_HOST));
            *host = Arc::downgrade(&turns);
            turns
        })
    }
}

/// One callback that is not delivered yet.
struct Pending(Arc<AtomicUsize>);

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

struct Delivery {
    sender: Arc<dyn CallbackSender>,
    turns: Arc<Semaphore>,
    stopping: watch::Receiver<bool>,
    turns_of_host: Arc<Semaphore>,
    _pending: Pending,
}

impl Delivery {
    async fn run(mut self, callback: Callback) {
        let mut pauses = PAUSES.into_iter();
        loop {
            let why = match self.try_once(&callback).await {
                Ok(status) if (200..300).contains(&status) => return count("delivered"),
                Ok(status) => format!("status {status}"),
                Err(why) => why,
            };
            let was_last = *self.stopping.borrow();
            let pause = pauses.next().filter(|_| !was_last);
            let host = &callback.target;
            let Some(pause) = pause else {
                count("given_up");
                tracing::warn!(%host, why, "a callback is given up");
                return;
            };
            count("failed");
            tracing::info!(%host, why, "a callback failed, and is tried again");
            // When the gateway is told to stop, one more try is all there is time for.
            tokio::select! {
                () = sleep(pause) => {}
                _ = self.stopping.wait_for(|stopping| *stopping) => {}
            }
        }
    }

    async fn try_once(&self, callback: &Callback) -> Result<u16, String> {
        let _turn_of_host = self.turns_of_host.acquire().await;
        let _turn = self.turns.acquire().await;
        match timeout(sender::TRY, self.sender.send(callback)).await {
            Ok(tried) => tried,
            Err(_) => Err(format!("no answer within {} s", sender::TRY.as_secs())),
        }
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("drag_solver_gateway_callbacks_total", "outcome" => outcome).increment(1);
}
