//! Takes back what may have been written for a call that was dropped meanwhile.

use crate::{Fact, StoreHandle};

/// Tells the store this fact when it is dropped, unless it is [kept](Self::keep) before.
pub(crate) struct Undo<'a> {
    store: &'a StoreHandle,
    fact: Option<Fact>,
}

impl<'a> Undo<'a> {
    pub(crate) fn new(store: &'a StoreHandle, fact: Fact) -> Self {
        Self {
            store,
            fact: Some(fact),
        }
    }

    /// Nothing is to be taken back.
    pub(crate) fn keep(mut self) {
        self.fact = None;
    }
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        if let Some(fact) = self.fact.take() {
            drop(self.store.record(fact));
        }
    }
}

#[cfg(test)]
mod tests {
    use drag_solver_core::Usd;

    use super::*;
    use crate::key::new_key;
    use crate::{Charge, Clock, SqliteStore};

    #[tokio::test]
    async fn a_charge_whose_call_ends_meanwhile_is_taken_back() {
        let store = StoreHandle::from(&SqliteStore::in_memory(Clock::system()).unwrap());
        let spent = async || store.budget("all", &[]).await.unwrap().spent;
        let charge = Charge {
            key: new_key(),
            reservation: None,
            budget: "all".to_owned(),
            solver: "a".to_owned(),
            amount: Usd::from_micros(900),
        };
        store.charge(&charge, &[]).await.unwrap().unwrap();
        let undo = || {
            let (budget, key) = (charge.budget.clone(), charge.key);
            let amount = Usd::ZERO;
            Undo::new(
                &store,
                Fact::ChargeSettled {
                    budget,
                    key,
                    amount,
                },
            )
        };
        undo().keep();
        assert_eq!(spent().await, charge.amount);
        drop(undo());
        assert_eq!(spent().await, Usd::ZERO);
    }
}
