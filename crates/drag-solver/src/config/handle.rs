//! A provider that is ready to be asked.

use std::fmt;
use std::sync::Arc;

use drag_solver_core::forward_solver;
use drag_solver_declared::DeclaredApi;

use crate::http::{Balance, CallbackReceiver, HttpSolver, JobApi as _, NoCallbacks, Provider};
use crate::{DragSolver, SolveError, async_trait};

/// A provider that is ready to be asked: alone, and with the policies around it. Cloning is cheap.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProviderHandle {
    /// Which kind of provider it is, as its settings say.
    pub kind: String,
    /// The provider alone.
    pub provider: Arc<dyn DragSolver>,
    /// The provider with what shapes and checks its answers, and without what asks again, waits or
    /// counts: for fetching the answer to a job that was paid for, and buying nothing.
    pub checked: Arc<dyn DragSolver>,
    /// The provider with all of its policies.
    pub solver: Arc<dyn DragSolver>,
    pub(super) account: Option<Arc<dyn Account>>,
}

/// [`Provider`] for calls at run time.
#[async_trait]
pub(super) trait Account: fmt::Debug + Send + Sync {
    /// `None` if that cannot be asked.
    async fn balance(&self) -> Option<Result<Balance, SolveError>>;
    fn callbacks(&self) -> Result<&CallbackReceiver, NoCallbacks>;
}

#[async_trait]
impl<P: Provider> Account for P {
    async fn balance(&self) -> Option<Result<Balance, SolveError>> {
        Some(Provider::balance(self).await)
    }

    fn callbacks(&self) -> Result<&CallbackReceiver, NoCallbacks> {
        Provider::callbacks(self)
    }
}

/// An account with a service that is declared.
#[derive(Debug)]
pub(super) struct DeclaredAccount(pub(super) Arc<HttpSolver<DeclaredApi>>);

#[async_trait]
impl Account for DeclaredAccount {
    async fn balance(&self) -> Option<Result<Balance, SolveError>> {
        self.0.api().balance()?;
        Some(self.0.balance().await)
    }

    fn callbacks(&self) -> Result<&CallbackReceiver, NoCallbacks> {
        self.0.callbacks()
    }
}

impl ProviderHandle {
    /// What the provider is called.
    #[must_use]
    pub fn name(&self) -> &str {
        self.provider.name()
    }

    /// Asks what is left in the account; `None` if it has none that could be asked. Costs nothing.
    pub async fn balance(&self) -> Option<Result<Balance, SolveError>> {
        self.account.as_ref()?.balance().await
    }

    /// What the provider is asked to call when an answer is there.
    ///
    /// # Errors
    ///
    /// Why it is not asked to. One of the program's own is taken for one whose protocol has no such calls.
    pub fn callbacks(&self) -> Result<&CallbackReceiver, NoCallbacks> {
        let account = self.account.as_ref().ok_or(NoCallbacks::NotInProtocol)?;
        account.callbacks()
    }
}

/// The provider as one that prints itself by kind and name, and leaves out what would bury the chain.
pub(super) fn labelled(kind: &str, provider: &Arc<dyn DragSolver>) -> Arc<dyn DragSolver> {
    let (kind, provider) = (kind.to_owned(), Arc::clone(provider));
    Arc::new(Labelled { kind, provider })
}

struct Labelled {
    kind: String,
    provider: Arc<dyn DragSolver>,
}

#[deny(clippy::missing_trait_methods)]
impl DragSolver for Labelled {
    forward_solver!(provider: name, solve, report, profile);
}

impl fmt::Debug for Labelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            name if name == self.kind => f.write_str(name),
            name => write!(f, "{}({name:?})", self.kind),
        }
    }
}
