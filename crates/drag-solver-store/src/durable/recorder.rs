//! Puts what is bought on record, before it is sent.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use drag_solver_core::{
    Billed, Brought, DragChallenge, Event, Frame, JobId, Observer, PaidJob, PurchaseRef, Purchases,
    Solution, SolveError, Usd, async_trait, named_cost,
};

use super::not_recorded;
use crate::key::new_key;
use crate::keyed::{KeyedPurchase, KeyedPurchases, Missed};
use crate::undo::Undo;
use crate::{
    ChallengeRecord, Claim, Ended, Fact, NewPurchase, PurchaseRecord, PurchaseState, StoreError,
    StoreErrorKind, StoreHandle,
};

/// Writes the events of one call into the store.
#[derive(Debug)]
pub(super) struct Recorder {
    store: StoreHandle,
    /// The store's key of the challenge.
    number: i64,
    claim: Option<Claim>,
    picture: Bytes,
    /// What the challenge brought is not for the errors of a purchase to hand back.
    challenge: DragChallenge,
    /// Why nothing may be bought for this challenge any more.
    refusal: Option<SolveError>,
    heard: Mutex<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    frames: HashMap<String, Frame>,
    keyed: KeyedPurchases,
    /// Purchases that have ended, and whose end is not on record before their answer is.
    ended: Vec<(String, Option<JobId>, Ended)>,
}

impl Recorder {
    pub(super) fn new(
        store: StoreHandle,
        claim: Option<Claim>,
        record: &ChallengeRecord,
        challenge: &DragChallenge,
        refusal: Option<SolveError>,
    ) -> Self {
        let mut heard = Heard::default();
        for purchase in &record.purchases {
            if let Some(job) = purchase.open_job() {
                heard.keyed.add(purchase.key, &job.solver, Some(job.id));
            }
        }
        Self {
            store,
            number: record.key,
            claim,
            picture: challenge.screenshot().bytes().clone(),
            challenge: challenge.clone().without_paid_jobs(),
            refusal,
            heard: Mutex::new(heard),
        }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn buying(&self, solver: &str) -> Result<(), SolveError> {
        if let Some(refusal) = &self.refusal {
            return Err(refusal.clone());
        }
        let refused = |error: StoreError| not_recorded(&self.challenge, solver, &error);
        let Some(claim) = self.claim else {
            let message = "the store can be read, and not be written";
            return Err(refused(StoreError::new(StoreErrorKind::ReadOnly, message)));
        };
        let key = new_key();
        let frame = self.heard().frames.get(solver).copied();
        // Who is dropped here sends nothing: what may have been written is taken back.
        let undo = Undo::new(&self.store, self.nothing_bought(key));
        let begun = self.store.begin_purchase(NewPurchase {
            key,
            claim,
            solver: solver.to_owned(),
            frame,
            picture: self.picture.clone(),
        });
        let begun = begun.await;
        undo.keep(); // what failed was not written
        begun.map_err(refused)?;
        self.heard().keyed.add(key, solver, None);
        Ok(())
    }

    fn named(&self, key: i64, job: JobId) -> Fact {
        let challenge = self.number;
        Fact::Bought {
            challenge,
            key,
            job,
        }
    }

    fn nothing_bought(&self, key: i64) -> Fact {
        let challenge = self.number;
        Fact::NotBought { challenge, key }
    }

    async fn bought(&self, solver: &str, job: &JobId) {
        let key = self.heard().keyed.name(solver, job);
        match (key, job.clone()) {
            (Some(key), job) => self.write(self.named(key, job)).await,
            (None, _) => self.found(solver, job).await,
        }
    }

    /// A job that is not on record: the caller brought it, or its solver did not say that it was being bought.
    async fn found(&self, solver: &str, job: &JobId) {
        if self.claim.is_none() {
            return;
        }
        let key = new_key();
        let frame = {
            let mut heard = self.heard();
            heard.keyed.add(key, solver, Some(job.clone()));
            let brought = self.challenge.frame_of(solver);
            brought.or(heard.frames.get(solver).copied())
        };
        let purchase = PurchaseRecord {
            key,
            solver: solver.to_owned(),
            job: Some(job.clone()),
            state: PurchaseState::Bought,
            billed: Billed::Maybe,
            cost: None,
            frame,
            begun: self.store.now(),
            ended: None,
        };
        self.write(Fact::Found {
            challenge: self.number,
            purchase,
        })
        .await;
    }

    fn settled(&self, solver: &str, job: Option<&JobId>, billed: Billed, cost: Option<Usd>) {
        let Some(purchase) = self.heard().keyed.end(solver, job) else {
            return; // it has ended already
        };
        if let (None, Some(job)) = (&purchase.job, job) {
            let (key, job) = (purchase.key, job.clone());
            drop(self.store.record(self.named(key, job)));
        }
        self.end(purchase, job, billed, cost);
    }

    /// Puts the end of a purchase on record: at once if there was no answer, and together with the answer if there
    /// may be one. If the process is killed in between, the job is still there to be fetched.
    fn end(&self, purchase: KeyedPurchase, job: Option<&JobId>, billed: Billed, cost: Option<Usd>) {
        let job = purchase.job.or(job.cloned());
        let ended = Ended {
            key: purchase.key,
            billed,
            cost: cost.filter(|cost| !cost.is_negative()),
        };
        let has_answer = match billed {
            Billed::No => false,
            Billed::Maybe => job.is_some(),
            Billed::Yes => true,
        };
        if has_answer {
            self.heard().ended.push((purchase.solver, job, ended));
        } else {
            let challenge = self.number;
            drop(self.store.record(Fact::Settled { challenge, ended }));
        }
    }

    /// The purchases that have ended, to be put on record with what came of the call. Where a provider names no
    /// cost, it is the price that the outcome has. Of a call that is dropped, those stay open whose answer can be
    /// fetched again.
    pub(super) fn ended(&self, outcome: Option<&Result<Solution, SolveError>>) -> Vec<Ended> {
        let ended = std::mem::take(&mut self.heard().ended).into_iter();
        let Some(outcome) = outcome else {
            let without_job = ended.filter(|(_, job, _)| job.is_none());
            return without_job.map(|(.., ended)| ended).collect();
        };
        let with_cost = ended.map(|(solver, job, mut ended)| {
            let cost = ended.cost;
            ended.cost = cost.or_else(|| named_cost(Some(outcome.as_ref()), &solver, job.as_ref()));
            ended
        });
        with_cost.collect()
    }

    fn not_bought(&self, solver: &str) {
        let purchase = self.heard().keyed.undo(solver);
        if let Some(purchase) = purchase {
            drop(self.store.record(self.nothing_bought(purchase.key)));
        }
    }

    /// Puts on record what happened while the call was dropped, here or further in, before it was told here.
    pub(super) fn catch_up(&self, purchases: &Purchases) {
        let missed = self.heard().keyed.catch_up(purchases.as_slice());
        for missed in missed {
            drop(self.store.record(match missed {
                Missed::NotBought(purchase) => self.nothing_bought(purchase.key),
                Missed::Bought(purchase, job) => self.named(purchase.key, job),
                Missed::Settled(purchase, settlement) => {
                    self.end(purchase, None, settlement.billed, settlement.cost);
                    continue;
                }
            }));
        }
    }

    async fn write(&self, fact: Fact) {
        if let Err(error) = self.store.record(fact).await {
            tracing::warn!(%error, "a paid job is not on record yet");
        }
    }

    /// Puts on record what solvers bought that say nothing of it. `name` is that of the solver that was called, and `others`
    /// are the jobs of its challenge that it cannot resume.
    pub(super) fn add_untold(
        &self,
        name: &str,
        purchases: &Purchases,
        outcome: &Result<Solution, SolveError>,
        others: Vec<PaidJob>,
        took: Duration,
    ) {
        if self.claim.is_none() {
            return;
        }
        let now = self.store.now();
        let begun = now.checked_sub(took).unwrap_or(now);
        let found = &mut |untold: PurchaseRef<'_>| {
            let (solver, job, end) = (untold.solver, untold.job, untold.settlement);
            if job.is_some_and(|job| self.heard().keyed.knows(solver, job)) {
                if let Some(end) = end {
                    self.settled(solver, job, end.billed, end.cost);
                }
                return;
            }
            let key = new_key();
            if end.is_none() {
                self.heard().keyed.add(key, solver, job.cloned());
            }
            let state = match end {
                Some(_) => PurchaseState::Settled,
                None => PurchaseState::Bought,
            };
            let purchase = PurchaseRecord {
                key,
                solver: solver.to_owned(),
                job: job.cloned(),
                state,
                billed: end.map_or(Billed::Maybe, |end| end.billed),
                cost: end.and_then(|end| end.cost),
                frame: None,
                begun,
                ended: end.map(|_| now),
            };
            let challenge = self.number;
            drop(self.store.record(Fact::Found {
                challenge,
                purchase,
            }));
        };
        let mut brought = Brought::default(); // its own are put on record, too
        brought.others = others;
        purchases.each_untold(name, Some(outcome.as_ref()), &brought, found);
        // Of solvers that speak all is known. A job that only the error names is one to fetch all the same.
        let unfinished = outcome.as_ref().err().map(SolveError::unfinished_jobs);
        for job in unfinished.unwrap_or_default() {
            if !purchases.has_taken_up(&job) {
                found(PurchaseRef::open(&job));
            }
        }
    }
}

#[async_trait]
impl Observer for Recorder {
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
        match *event {
            Event::Fitted { solver, frame } => {
                self.heard().frames.insert(solver.to_owned(), frame);
            }
            Event::Buying { solver } => self.buying(solver).await?,
            Event::NotBought { solver } => self.not_bought(solver),
            Event::Bought { solver, job } => self.bought(solver, job).await,
            Event::Resumed { solver, job } => {
                let is_known = self.heard().keyed.knows(solver, job);
                if !is_known {
                    self.found(solver, job).await;
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
