//! The gateway as a whole.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use drag_solver::config::Chain;
use drag_solver::http::CallbackReceiver;
use drag_solver::operators::Desk;
use drag_solver::operators::pages::Practice;
use drag_solver::store::KeyRole;

use crate::bodies::Bodies;
use crate::caller::Caller;
use crate::guard::Guard;
use crate::jobs::Jobs;
use crate::keys::{Account, Keys};
use crate::overview::Overview;
use crate::{GatewayPolicy, measure, routes};

/// Makes the chain of a changed file out of the one there is, or says why not.
type Reload = dyn Fn(&Chain) -> Result<Chain, String> + Send + Sync;

/// What is measured, in the text format of Prometheus.
type Metrics = dyn Fn() -> String + Send + Sync;

/// Whether this is a name of the gateway's own.
type OwnNames = dyn Fn(&str) -> bool + Send + Sync;

/// Any chain, behind the protocols that existing clients speak. Clones are the same gateway.
///
/// Besides its [`router`](Self::router), [`run`](Self::run) has to run: it works on the jobs.
#[derive(Clone)]
pub struct Gateway(Arc<Shared>);

struct Shared {
    jobs: Jobs,
    keys: Keys,
    guard: Guard,
    bodies: Bodies,
    reload: Option<Box<Reload>>,
    metrics: Option<Box<Metrics>>,
    own_names: Option<Box<OwnNames>>,
    operators: Option<(Desk, Practice)>,
    callback_receiver: Option<CallbackReceiver>,
    overview: Overview,
    work: tokio::sync::Mutex<Option<Work>>,
}

type Work = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// A gateway in the making.
pub struct GatewayBuilder {
    chain: Chain,
    keys: Keys,
    policy: GatewayPolicy,
    reload: Option<Box<Reload>>,
    metrics: Option<Box<Metrics>>,
    own_names: Option<Box<OwnNames>>,
    operators: Option<(Desk, Practice)>,
    callback_receiver: Option<CallbackReceiver>,
    #[cfg(feature = "callbacks")]
    callback_sender: Option<Arc<dyn crate::CallbackSender>>,
}

/// The chain has no store: what is acknowledged could not be durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoStore;

impl fmt::Display for NoStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the chain has no store, and a gateway puts each job on record before it says that it has it")
    }
}

impl std::error::Error for NoStore {}

impl Gateway {
    /// A gateway in front of `chain`, for those who have one of these keys.
    #[must_use]
    pub fn builder(chain: Chain, keys: Keys) -> GatewayBuilder {
        GatewayBuilder {
            chain,
            keys,
            policy: GatewayPolicy::default(),
            reload: None,
            metrics: None,
            own_names: None,
            operators: None,
            callback_receiver: None,
            #[cfg(feature = "callbacks")]
            callback_sender: None,
        }
    }

    /// Everything that it serves.
    pub fn router(&self) -> Router {
        routes::router(self.clone())
    }

    /// Works on the jobs, those that an earlier process has left or another gateway of the same store leaves, and those
    /// that come, until `stop` ends. Then no more are accepted, and calls under way may end for [`drain`](GatewayPolicy::drain); what is left is on record, with what was
    /// paid for it, for the next process. Questions are answered all the while.
    ///
    /// Dropping the future leaves all jobs as they are on record. A second call returns at once.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let Some(work) = self.0.work.lock().await.take() else {
            return;
        };
        let beside = async {
            let stop = async {
                stop.await;
                self.stop();
            };
            tokio::join!(stop, self.0.jobs.take_over(&self.0.keys));
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = work => {}
            () = beside => {}
        }
    }

    /// Accepts no more jobs, and answers held questions at once. Everything else is served on.
    pub fn stop(&self) {
        self.0.jobs.stop();
        if let Some((desk, _)) = self.operators() {
            desk.hurry();
        }
    }

    /// Takes the chain of the changed file, with what the old one knows.
    ///
    /// # Errors
    ///
    /// The file cannot be used, and the old chain stays; or there is none.
    pub fn reload(&self) -> Result<(), String> {
        let reload = self.0.reload.as_ref();
        let reload = reload.ok_or("this gateway has no file to read again")?;
        let chain = reload(&self.0.jobs.chain())?;
        self.0.jobs.set_chain(chain);
        Ok(())
    }

    /// The chain that new calls are made with.
    #[must_use]
    pub fn chain(&self) -> Chain {
        self.0.jobs.chain()
    }

    pub(crate) fn bodies(&self) -> &Bodies {
        &self.0.bodies
    }

    pub(crate) fn jobs(&self) -> &Jobs {
        &self.0.jobs
    }

    pub(crate) fn metrics(&self) -> Option<String> {
        self.0.metrics.as_ref().map(|metrics| metrics())
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.0.keys
    }

    /// What an administrator sees.
    pub(crate) async fn overview(&self) -> serde_json::Value {
        self.0.overview.of(self).await
    }

    /// Where people answer, if they do.
    pub(crate) fn operators(&self) -> Option<&(Desk, Practice)> {
        self.0.operators.as_ref()
    }

    /// What takes calls of providers, if they are asked for any.
    pub(crate) fn callback_receiver(&self) -> Option<&CallbackReceiver> {
        self.0.callback_receiver.as_ref()
    }

    pub(crate) fn is_own_name(&self, name: &str) -> bool {
        let own_names = self.0.own_names.as_ref();
        own_names.is_some_and(|is_own| is_own(name))
    }

    pub(crate) async fn takes_any_key(&self) -> bool {
        self.0.keys.take_any().await
    }

    /// Whose key this is. Wrong ones are counted.
    pub(crate) async fn account(&self, caller: &Caller) -> Option<Arc<Account>> {
        let account = self.0.keys.find(&caller.key).await;
        if account.is_none() {
            measure::wrong_key();
            self.0.guard.wrong_key(caller.from).await;
        }
        account
    }

    /// The name of the operator whose key this is. Wrong ones are counted.
    pub(crate) async fn operator(&self, caller: &Caller) -> Option<String> {
        let account = self.account(caller).await?;
        let is_operator = account.role() == KeyRole::Operator || account.label().is_none();
        if !is_operator {
            self.0.jobs.figures().refused("other_key");
        }
        is_operator.then(|| account.name.clone())
    }

    /// Whether this is an administrator's key. Wrong ones are counted.
    pub(crate) async fn is_administrator(&self, caller: &Caller) -> bool {
        let account = self.account(caller).await;
        // While any key is taken, only this machine can be talking to us.
        account.is_some_and(|account| {
            account.role() == KeyRole::Administrator || account.label().is_none()
        })
    }
}

impl GatewayBuilder {
    /// Replaces how it treats its clients.
    #[must_use]
    pub fn policy(mut self, policy: GatewayPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Says how the chain of a changed file is made, out of the one there is: see [`Chain::rebuilt`].
    #[must_use]
    pub fn reload(
        mut self,
        reload: impl Fn(&Chain) -> Result<Chain, String> + Send + Sync + 'static,
    ) -> Self {
        self.reload = Some(Box::new(reload));
        self
    }

    /// Says what `/metrics` shows, in the text format of Prometheus.
    #[must_use]
    pub fn metrics(mut self, render: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.metrics = Some(Box::new(render));
        self
    }

    /// Says which names lead here, besides `localhost`: as long as any key is taken, requests for others are refused, as any
    /// site can lead a name of its own to this machine, and read in a browser what is answered there. Those of a
    /// certificate can be trusted.
    #[must_use]
    pub fn own_names(mut self, is_own: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.own_names = Some(Box::new(is_own));
        self
    }

    /// Serves the page `/operator` of this desk, for those who have an operator's key, with these pictures to practise on. The
    /// desk is that of the people in the chain: see
    /// [`Registry::with_operators`](drag_solver::config::Registry::with_operators).
    #[must_use]
    pub fn operators(mut self, desk: &Desk, practice: Practice) -> Self {
        self.operators = Some((desk.clone(), practice));
        self
    }

    /// Takes the calls of the chain's providers below `/callbacks`: the receiver's public address ends with that, and the
    /// chain is made with it (`Registry::with_callbacks`). Such a call needs no key, and is answered alike whether or not
    /// a job waits for it.
    #[must_use]
    pub fn callback_receiver(mut self, receiver: &CallbackReceiver) -> Self {
        self.callback_receiver = Some(receiver.clone());
        self
    }

    /// Replaces what sends callbacks. Which of them are sent, and how often, is not up to it; which addresses a name of
    /// [`callback_hosts`](GatewayPolicy::callback_hosts) leads to, is.
    #[cfg(feature = "callbacks")]
    #[must_use]
    pub fn callback_sender(mut self, sender: impl crate::CallbackSender) -> Self {
        self.callback_sender = Some(Arc::new(sender));
        self
    }

    /// Makes the gateway. Nothing is sent, and nothing is served yet.
    ///
    /// # Errors
    ///
    /// [`NoStore`]
    pub fn build(self) -> Result<Gateway, NoStore> {
        let store = self.chain.store().ok_or(NoStore)?.clone();
        let overview = Overview::new(store.now());
        let (jobs, work) = Jobs::new(
            self.chain,
            store,
            self.keys.budget(),
            self.policy,
            #[cfg(feature = "callbacks")]
            self.callback_sender,
        );
        Ok(Gateway(Arc::new(Shared {
            jobs,
            keys: self.keys,
            guard: Guard::default(),
            bodies: Bodies::default(),
            reload: self.reload,
            metrics: self.metrics,
            own_names: self.own_names,
            operators: self.operators,
            callback_receiver: self.callback_receiver,
            overview,
            work: tokio::sync::Mutex::new(Some(Box::pin(work))),
        })))
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("keys", &self.0.keys)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for GatewayBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayBuilder")
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}
