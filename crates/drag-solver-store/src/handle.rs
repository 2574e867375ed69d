//! One store, of any kind.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::Store;

/// A store whose kind is known only at run time. Cloning is cheap, and clones are the same store. It is what
/// is made of `&store` wherever a store is taken.
#[derive(Clone)]
pub struct StoreHandle(Arc<dyn Store>);

impl StoreHandle {
    /// A handle of `store`.
    pub fn new(store: impl Store) -> Self {
        Self(Arc::new(store))
    }
}

impl Deref for StoreHandle {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl<S: Store + Clone> From<&S> for StoreHandle {
    fn from(store: &S) -> Self {
        Self::new(store.clone())
    }
}

impl From<&StoreHandle> for StoreHandle {
    fn from(store: &StoreHandle) -> Self {
        store.clone()
    }
}

impl From<Arc<dyn Store>> for StoreHandle {
    fn from(store: Arc<dyn Store>) -> Self {
        Self(store)
    }
}

impl fmt::Debug for StoreHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
