//! Jobs: accepted, worked on, asked for.

mod accept;
mod live;
pub(crate) mod outcome;
mod watcher;
mod work;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use drag_solver::config::Chain;
use drag_solver::store::{Reported, Status, StoreError, StoreHandle, StoredBudget};
use drag_solver::{DragSolver as _, ErrorKind, ScreenshotLimits, Usd, Verdict};
use drag_solver_wire::Refusal;
use tokio::sync::{Semaphore, mpsc, watch};
#[cfg(feature = "callbacks")]
use tokio::time::timeout;
use tokio::time::{Instant, sleep, sleep_until};

pub(crate) use self::accept::{New, NotAccepted};
pub(crate) use self::live::OpenJobLine;
use self::live::{Job, Live, State};
pub(crate) use self::outcome::{Note, Outcome};
#[cfg(feature = "callbacks")]
use crate::callbacks::{Callbacks, LAST_TRY};
use crate::keys::Account;
use crate::overview::Figures;
use crate::policy::GatewayPolicy;
use crate::task_id::TaskId;

/// How often the store is asked, at most, whether another gateway has answered what waits for a worker here.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Open jobs that are listed for an administrator.
const LISTED: usize = 100;

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
    figures: Arc<Figures>,
    /// Jobs that wait for a worker, on record.
    queue: mpsc::UnboundedSender<Arc<Job>>,
    workers: Arc<Semaphore>,
    /// Whether the gateway is told to stop.
    stopping: watch::Sender<bool>,
    #[cfg(feature = "callbacks")]
    callbacks: Callbacks,
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
        #[cfg(feature = "callbacks")] sender: Option<Arc<dyn crate::CallbackSender>>,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (queue, queued) = mpsc::unbounded_channel();
        let stopping = watch::Sender::new(false);
        #[cfg(feature = "callbacks")]
        let (callbacks, closer, called_back) =
            Callbacks::new(&policy, sender, stopping.subscribe());
        let workers = usize::try_from(policy.workers.max(1)).unwrap_or(usize::MAX);
        let jobs = Self(Arc::new(Shared {
            store,
            budget,
            live: Live::default(),
            figures: Arc::default(),
            chain: RwLock::new(chain),
            queue,
            workers: Arc::new(Semaphore::new(workers.min(Semaphore::MAX_PERMITS))),
            stopping,
            policy,
            #[cfg(feature = "callbacks")]
            callbacks,
        }));
        let work = jobs.clone().work(queued);
        #[cfg(feature = "callbacks")]
        let work = async move {
            tokio::pin!(called_back);
            tokio::select! {
                () = work => {}
                () = &mut called_back => return,
            }
            closer.close();
            let _ = timeout(LAST_TRY, called_back).await;
        };
        (jobs, work)
    }

    pub(crate) fn policy(&self) -> &GatewayPolicy {
        &self.0.policy
    }

    pub(crate) fn store(&self) -> &StoreHandle {
        &self.0.store
    }

    /// Refuses a job whose answer could not be sent to this address.
    #[cfg(feature = "callbacks")]
    pub(crate) fn check_callback(&self, url: &str) -> Result<(), Refusal> {
        self.0.callbacks.check(url)
    }

    /// Refuses a job whose answer could not be sent to this address.
    #[cfg(not(feature = "callbacks"))]
    #[allow(clippy::unused_self)] // with the feature, it is
    pub(crate) fn check_callback(&self, _: &str) -> Result<(), Refusal> {
        Err(crate::policy::no_callbacks())
    }

    /// Sends what came of a job to the address that its client gave, if it gave one.
    #[cfg(feature = "callbacks")]
    fn call_back(&self, job: &Job, outcome: &Outcome, note: &Note) {
        if let (Some(url), Some(protocol)) = (&note.callback, note.protocol) {
            let (_, task) = job.id.rsplit_once('/').unwrap_or_default();
            self.0.callbacks.send(url, protocol, task, outcome.answer());
        }
    }

    /// Nothing is called back without the feature.
    #[cfg(not(feature = "callbacks"))]
    #[allow(clippy::unused_self)] // with the feature, it is
    fn call_back(&self, _: &Job, _: &Outcome, _: &Note) {}

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

    /// What this process has seen of its solvers.
    pub(crate) fn figures(&self) -> &Figures {
        &self.0.figures
    }

    /// The open jobs that have waited the longest.
    pub(crate) fn lines(&self) -> Vec<OpenJobLine> {
        self.0.live.lines(LISTED)
    }

    /// Calls under way.
    pub(crate) fn working(&self) -> usize {
        self.0.live.working()
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
        let waits = after(hold);
        loop {
            // Asked before it is looked: what happens in between is not missed.
            let changed = self.0.store.changed(&id);
            let mut live = self.0.live.get(&id);
            let state = live.as_mut().map(|live| live.borrow_and_update().clone());
            // What is known is told, however short the hold, and also while the gateway stops.
            let elsewhere = match state {
                Some(State::Ended(outcome)) => return Ok(Found::Ended(outcome)),
                Some(State::Working) => false,
                // Another gateway may work on it.
                Some(State::Queued) | None => match self.on_record(&id).await {
                    Ok(Found::Open) => true,
                    Err(_) if live.is_some() => true,
                    found => return found,
                },
            };
            let change = async {
                let Some(live) = &mut live else {
                    return changed.await;
                };
                let looked = async { tokio::join!(sleep(LOOK_AGAIN), changed) };
                tokio::select! {
                    _ = live.changed() => {} // also if it is given up here
                    _ = looked, if elsewhere => {}
                }
            };
            tokio::select! {
                () = change => {}
                () = until(waits) => return Ok(Found::Open),
                () = self.stopped() => return Ok(Found::Open),
            }
        }
    }

    /// What the store knows of a job.
    async fn on_record(&self, id: &str) -> Result<Found, StoreError> {
        let Some(record) = self.0.store.find(id).await? else {
            return Ok(Found::Unknown);
        };
        Ok(match Outcome::of_record(&record) {
            Some(outcome) => Found::Ended(Arc::new(outcome)),
            None if Note::of_record(&record).is_some() => Found::Open,
            None => Found::Unknown, // not accepted by a gateway
        })
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
    format!("{}/{task}", account.prefix)
}

/// Ends at this time, or never.
async fn until(end: Option<Instant>) {
    match end {
        Some(end) => sleep_until(end).await,
        None => std::future::pending().await,
    }
}

/// When something that begins now has to be done.
fn after(duration: Duration) -> Option<Instant> {
    Instant::now().checked_add(duration)
}
