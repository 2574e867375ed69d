//! Jobs: accepted, worked on, asked for.

mod accept;
mod live;
mod outcome;
mod work;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use drag_solver::config::Chain;
use drag_solver::store::{Reported, Status};
use drag_solver::{
    DragSolver as _, ErrorKind, ScreenshotLimits, StoreError, StoreHandle, StoredBudget, Usd,
    Verdict,
};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, sleep, timeout};

pub(crate) use self::accept::{New, NotAccepted};
use self::live::{Job, Live};
pub(crate) use self::outcome::{Note, Outcome};
use crate::GatewayPolicy;
use crate::keys::Account;
use crate::task_id::TaskId;

/// How often the store is asked what became of a job that another process works on.
const LOOK_AGAIN: Duration = Duration::from_millis(300);

/// All jobs of a gateway. Clones are the same jobs.
#[derive(Clone)]
pub(crate) struct Jobs(Arc<Shared>);

struct Shared {
    store: StoreHandle,
    /// What each key may spend.
    budget: StoredBudget,
    policy: GatewayPolicy,
    chain: RwLock<Chain>,
    live: Live,
    /// Jobs that wait for a worker, on record.
    queue: mpsc::UnboundedSender<Arc<Job>>,
    workers: Arc<Semaphore>,
    /// Whether the gateway is told to stop.
    stopping: watch::Sender<bool>,
}

/// What is known of a job.
#[derive(Debug)]
pub(crate) enum Found {
    Ended(Arc<Outcome>),
    Open,
    /// There is none of this id and key.
    Unknown,
}

impl Jobs {
    /// Jobs that this chain solves and that are kept in its store; and what has to run for that.
    pub(crate) fn new(
        chain: Chain,
        store: StoreHandle,
        budget: StoredBudget,
        policy: GatewayPolicy,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (queue, queued) = mpsc::unbounded_channel();
        let workers = usize::try_from(policy.workers.max(1)).unwrap_or(usize::MAX);
        let jobs = Self(Arc::new(Shared {
            store,
            budget,
            live: Live::default(),
            chain: RwLock::new(chain),
            queue,
            workers: Arc::new(Semaphore::new(workers.min(Semaphore::MAX_PERMITS))),
            stopping: watch::Sender::new(false),
            policy,
        }));
        let work = jobs.clone().work(queued);
        (jobs, work)
    }

    pub(crate) fn policy(&self) -> &GatewayPolicy {
        &self.0.policy
    }

    pub(crate) fn store(&self) -> &StoreHandle {
        &self.0.store
    }

    /// The chain that new calls are made with.
    pub(crate) fn chain(&self) -> Chain {
        let chain = self.0.chain.read();
        chain.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_chain(&self, chain: Chain) {
        let mut old = self.0.chain.write().unwrap_or_else(PoisonError::into_inner);
        *old = chain;
    }

    /// Accepts no more, ends holds, and lets calls end for a while.
    pub(crate) fn stop(&self) {
        self.0.stopping.send_replace(true);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.0.stopping.borrow()
    }

    async fn stopped(&self) {
        let mut stopping = self.0.stopping.subscribe();
        let _ = stopping.wait_for(|stopping| *stopping).await;
    }

    /// Pictures beyond these limits are sure to be refused by the chain.
    pub(crate) fn limits(&self) -> ScreenshotLimits {
        self.chain().profile().limits
    }

    /// What is left for this key, in US dollars, if there is a limit.
    pub(crate) async fn left(&self, account: &Account) -> Result<Option<Usd>, StoreError> {
        self.0.budget.left(account.label()).await
    }

    /// Jobs that are not ended, as far as this process knows.
    pub(crate) fn open(&self) -> usize {
        self.0.live.open()
    }

    /// What became of a job of this key. If it is open, this waits for as long as `hold`, and not when the gateway
    /// is told to stop.
    pub(crate) async fn result(
        &self,
        account: &Account,
        task: &TaskId,
        hold: Duration,
    ) -> Result<Found, StoreError> {
        let id = challenge_id(account, task);
        let ended = self.wait_for(&id);
        tokio::select! {
            biased;
            ended = timeout(hold, ended) => match ended {
                Ok(found) => found,
                Err(_) => Ok(Found::Open),
            },
            () = self.stopped() => Ok(Found::Open),
        }
    }

    /// Ends when the job has.
    async fn wait_for(&self, id: &str) -> Result<Found, StoreError> {
        let mut is_first = true;
        loop {
            if let Some(job) = self.0.live.get(id) {
                return Ok(job.ended().await.map_or(Found::Open, Found::Ended));
            }
            let Some(record) = self.0.store.find(id).await? else {
                return Ok(Found::Unknown);
            };
            if let Some(outcome) = Outcome::of_record(&record) {
                return Ok(Found::Ended(Arc::new(outcome)));
            }
            if Note::of_record(&record).is_none() {
                return Ok(Found::Unknown); // not accepted by a gateway
            }
            // It is another process's, or this one has not come to it yet.
            sleep(if is_first { Duration::ZERO } else { LOOK_AGAIN }).await;
            is_first = false;
        }
    }

    /// Tells the provider that answered whether the answer was right. The first report counts.
    pub(crate) async fn report(
        &self,
        account: &Account,
        task: &TaskId,
        verdict: Verdict,
    ) -> Result<Reported, StoreError> {
        let id = challenge_id(account, task);
        let reported = self.0.store.report(&id, verdict).await?;
        if !matches!(reported, Reported::First) {
            return Ok(reported);
        }
        if let Some(record) = self.0.store.find(&id).await?
            && let Status::Solved { solution } = record.status
        {
            let chain = self.chain();
            // The client has no use for waiting, and none for an error of the provider.
            tokio::spawn(async move {
                match chain.report(&solution, verdict).await {
                    Err(error) if error.kind() != ErrorKind::Unsupported => {
                        tracing::warn!(solver = solution.solver(), %error, "a report was not taken");
                    }
                    _ => {}
                }
            });
        }
        Ok(reported)
    }
}

/// What the store calls a job: a key sees its own alone.
fn challenge_id(account: &Account, task: &TaskId) -> String {
    format!("{}/{task}", account.name)
}

/// When something that begins now has to be done.
fn after(duration: Duration) -> Option<Instant> {
    Instant::now().checked_add(duration)
}
