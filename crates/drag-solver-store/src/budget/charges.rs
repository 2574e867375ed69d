//! What one call spends: on record before it is sent.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use drag_solver_core::{
    Billed, Brought, DragChallenge, Event, JobId, Observer, PaidJob, Purchases, Solution,
    SolveError, Tracker, Usd, async_trait,
};

use super::{Account, unreadable};
use crate::key::new_key;
use crate::keyed::{KeyedPurchases, Missed};
use crate::undo::Undo;
use crate::{Charge, Fact, StoreHandle};

/// Charges the purchases of one call.
#[derive(Debug)]
pub(super) struct Charges {
    store: StoreHandle,
    account: Account,
    reservation: Option<i64>,
    price: Usd,
    /// What the challenge brought is not for the errors of a purchase to hand back.
    challenge: DragChallenge,
    keyed: Mutex<KeyedPurchases>,
}

impl Charges {
    pub(super) fn new(
        store: StoreHandle,
        account: Account,
        reservation: Option<i64>,
        challenge: &DragChallenge,
        price: Usd,
    ) -> Self {
        Self {
            store,
            account,
            reservation,
            price,
            challenge: challenge.clone().without_paid_jobs(),
            keyed: Mutex::default(),
        }
    }

    /// The challenge as the solver called `solver` is to get it.
    pub(super) fn watch(
        self,
        challenge: &DragChallenge,
        brought: Brought,
        solver: &str,
    ) -> (DragChallenge, ChargedCall) {
        let charges = Arc::new(self);
        let (watched, tracker) = challenge
            .clone()
            .with_observer(Arc::clone(&charges) as Arc<dyn Observer>)
            .tracked();
        let call = ChargedCall {
            charges,
            tracker: Some(tracker),
            solver: solver.to_owned(),
            brought,
        };
        (watched, call)
    }

    fn budget(&self) -> String {
        self.account.name.as_ref().to_owned()
    }

    fn keyed(&self) -> MutexGuard<'_, KeyedPurchases> {
        self.keyed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn buying(&self, solver: &str) -> Result<(), SolveError> {
        let charge = Charge {
            key: new_key(),
            reservation: self.reservation,
            budget: self.budget(),
            solver: solver.to_owned(),
            amount: self.price,
        };
        // Who is dropped here sends nothing: what may have been charged is taken back.
        let undo = Undo::new(&self.store, self.charge_settled(charge.key, Usd::ZERO));
        let limits = self.account.policy.limits(self.store.now());
        let charged = self.store.charge(&charge, &limits).await;
        undo.keep(); // what failed was not written
        let charged = charged.map_err(|error| unreadable(&self.challenge, solver, &error))?;
        charged.map_err(|short| {
            self.account
                .refusal(&self.challenge, solver, self.price, &short, &self.store)
        })?;
        self.keyed().add(charge.key, solver, None);
        Ok(())
    }

    /// What a purchase came to, as far as that is known.
    fn amount(&self, solver: &str, billed: Billed, cost: Option<Usd>) -> Option<Usd> {
        let cost = cost.filter(|cost| !cost.is_negative());
        let amount = match billed {
            Billed::No => Some(Usd::ZERO),
            Billed::Maybe | Billed::Yes => cost,
        };
        if let Some(cost) = amount.filter(|&cost| cost > self.price) {
            let price = self.price;
            tracing::warn!(solver, %cost, %price, "an answer cost more than the price that was set");
        }
        amount
    }

    fn not_charged(&self, key: i64) {
        drop(self.store.record(self.charge_settled(key, Usd::ZERO)));
    }

    fn charged_for(&self, key: i64, job: PaidJob) {
        let budget = self.budget();
        drop(self.store.record(Fact::ChargedFor { budget, key, job }));
    }

    fn charge_settled(&self, key: i64, amount: Usd) -> Fact {
        let budget = self.budget();
        Fact::ChargeSettled {
            budget,
            key,
            amount,
        }
    }

    /// Puts on record what happened while the call was dropped, here or further in, before it was told here.
    fn catch_up(&self, purchases: &Purchases) {
        let missed = self.keyed().catch_up(purchases.as_slice());
        for missed in missed {
            match missed {
                Missed::NotBought(purchase) => self.not_charged(purchase.key),
                Missed::Bought(purchase, job) => {
                    let job = PaidJob::new(&*purchase.solver, job);
                    self.charged_for(purchase.key, job);
                }
                Missed::Settled(purchase, settlement) => {
                    let amount = self.amount(&purchase.solver, settlement.billed, settlement.cost);
                    let amount = amount.unwrap_or(self.price);
                    drop(self.store.record(self.charge_settled(purchase.key, amount)));
                }
            }
        }
    }

    fn settled(&self, solver: &str, job: Option<&JobId>, billed: Billed, cost: Option<Usd>) {
        let amount = self.amount(solver, billed, cost);
        let purchase = self.keyed().end(solver, job);
        let fact = match (purchase, job) {
            (Some(purchase), _) => self.charge_settled(purchase.key, amount.unwrap_or(self.price)),
            (None, Some(job)) => Fact::JobSettled {
                budget: self.budget(),
                job: PaidJob::new(solver, job.clone()),
                amount,
            },
            (None, None) => return,
        };
        drop(self.store.record(fact));
    }

    fn spent(&self, solver: &str, job: Option<JobId>, amount: Option<Usd>) {
        let amount = amount.filter(|amount| !amount.is_negative());
        drop(self.store.record(Fact::Spent {
            budget: self.budget(),
            solver: solver.to_owned(),
            job,
            amount: amount.unwrap_or(self.price),
        }));
    }
}

#[async_trait]
impl Observer for Charges {
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
        match *event {
            Event::Buying { solver } => self.buying(solver).await?,
            Event::NotBought { solver } => {
                let purchase = self.keyed().undo(solver);
                if let Some(purchase) = purchase {
                    self.not_charged(purchase.key);
                }
            }
            Event::Bought { solver, job } => {
                let key = self.keyed().name(solver, job);
                let job = PaidJob::new(solver, job.clone());
                if let Some(key) = key {
                    self.charged_for(key, job);
                }
            }
            Event::Settled {
                solver,
                job,
                billed,
                cost,
            } => self.settled(solver, job, billed, cost),
            _ => {}
        }
        Ok(())
    }
}

/// A call in progress. However it ends, what a solver bought that says nothing is charged.
pub(super) struct ChargedCall {
    charges: Arc<Charges>,
    /// Taken when it has ended.
    tracker: Option<Tracker>,
    solver: String,
    brought: Brought,
}

impl ChargedCall {
    pub(super) fn end(&mut self, outcome: Option<&Result<Solution, SolveError>>) {
        let Some(tracker) = self.tracker.take() else {
            return;
        };
        let purchases = tracker.purchases();
        self.charges.catch_up(&purchases);
        let outcome = outcome.map(Result::as_ref);
        purchases.each_untold(&self.solver, outcome, &self.brought, &mut |purchase| {
            let (solver, job) = (purchase.solver, purchase.job);
            match purchase.settlement {
                None => self.charges.spent(solver, job.cloned(), None),
                Some(end) if purchase.resumed => {
                    self.charges.settled(solver, job, end.billed, end.cost);
                }
                Some(end) => self.charges.spent(solver, None, end.cost),
            }
        });
    }
}

impl Drop for ChargedCall {
    fn drop(&mut self) {
        self.end(None);
    }
}
