//! The fluent way to what outlives the process.

use drag_solver_core::{DragSolver, Usd};

use crate::{Durable, StoreHandle, StoredBudget, StoredBudgeted};

/// Adds what a store makes possible to every [`DragSolver`]. No other crate implements it.
pub trait StoreExt: DragSolver + Sized {
    /// Solves each challenge once, also across crashes and restarts. See [`Durable`].
    fn durable(self, store: impl Into<StoreHandle>) -> Durable<Self> {
        Durable::new(self, store)
    }

    /// Lets it spend from a budget that outlives the process, where an answer costs at most `price`. See
    /// [`StoredBudget`].
    fn stored_budget(self, budget: impl Into<StoredBudget>, price: Usd) -> StoredBudgeted<Self> {
        StoredBudgeted::new(self, budget, price)
    }
}

impl<S: DragSolver> StoreExt for S {}
