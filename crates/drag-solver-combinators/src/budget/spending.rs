//! What a purchase comes to for a budget.

use drag_solver_core::{Billed, PurchaseRef, Usd};

use super::account::Entry;

impl Entry {
    /// What is booked for a purchase, if anything is. An answer of unknown cost counts as `price`.
    pub(super) fn of(purchase: PurchaseRef<'_>, price: Usd) -> Option<Self> {
        let Some(end) = purchase.settlement else {
            return (!purchase.resumed).then(|| Self::Spent(price, purchase.paid_job()));
        };
        let is_free = end.billed == Billed::No;
        if purchase.resumed {
            let cost = if is_free { Some(Usd::ZERO) } else { end.cost };
            return Some(Self::Ended(purchase.paid_job()?, cost));
        }
        (!is_free).then(|| Self::Spent(end.cost.unwrap_or(price), None))
    }
}

#[cfg(test)]
#[path = "spending_tests.rs"]
mod tests;
