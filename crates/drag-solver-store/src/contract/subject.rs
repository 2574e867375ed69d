//! What is checked, and what all checks need.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use drag_solver_core::{Drag, ErrorKind, JobId, Point, Solution, SolveError, Usd};

use crate::key::new_key;
use crate::{
    BudgetState, ChallengeRecord, Charge, Claim, Ended, Fact, Limit, NewPurchase, Opening,
    Shortage, Store, StoreErrorKind, TakenUp,
};

/// A store, and the clock by which it lives.
#[derive(Clone, Copy)]
pub struct StoreUnderTest<'a> {
    pub(super) store: &'a dyn Store,
    advance: &'a (dyn Fn(Duration) + Send + Sync),
}

impl fmt::Debug for StoreUnderTest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}

pub(super) const PICTURE: &[u8] = b"a picture";

impl<'a> StoreUnderTest<'a> {
    /// A store whose clock goes ahead when `advance` is called, and only then.
    pub fn new(store: &'a dyn Store, advance: &'a (dyn Fn(Duration) + Send + Sync)) -> Self {
        Self { store, advance }
    }

    pub(super) fn wait(&self, seconds: u64) {
        (self.advance)(Duration::from_secs(seconds));
    }

    /// Takes a challenge up that no other call has.
    pub(super) async fn claim(&self, id: &str) -> Result<(Claim, ChallengeRecord), String> {
        self.claim_as(&opening(id)).await
    }

    pub(super) async fn claim_as(
        &self,
        opening: &Opening,
    ) -> Result<(Claim, ChallengeRecord), String> {
        match self.store.take_up(opening).await.map_err(said)? {
            TakenUp::Claimed(claim, record) => Ok((claim, record)),
            other => Err(format!("it cannot be taken up: {other:?}")),
        }
    }

    /// What a call is told that ends after it has lost its claim.
    pub(super) async fn finish_lost(
        &self,
        claim: Claim,
        outcome: Option<Result<Solution, SolveError>>,
        ended: Vec<Ended>,
    ) -> Result<(), String> {
        let told = self.store.record(Fact::Finished {
            claim,
            outcome,
            ended,
        });
        match told.await {
            Err(error) if error.kind() == StoreErrorKind::ClaimLost => Ok(()),
            told => Err(format!("a call that has lost its claim is told {told:?}")),
        }
    }

    pub(super) async fn find(&self, id: &str) -> Result<ChallengeRecord, String> {
        let found = self.store.find_with_picture(id).await.map_err(said)?;
        found.ok_or_else(|| format!("{id:?} is not on record"))
    }

    /// Begins a purchase from "a", and says its key.
    pub(super) async fn begin(&self, claim: Claim) -> Result<i64, String> {
        let purchase = purchase(claim);
        let key = purchase.key;
        self.store.begin_purchase(purchase).await.map_err(said)?;
        Ok(key)
    }

    pub(super) async fn record(&self, fact: Fact) -> Result<(), String> {
        self.store.record(fact).await.map_err(said)
    }

    pub(super) async fn finish(
        &self,
        claim: Claim,
        outcome: Option<Result<Solution, SolveError>>,
    ) -> Result<(), String> {
        self.record(Fact::Finished {
            claim,
            outcome,
            ended: Vec::new(),
        })
        .await
    }

    pub(super) async fn reserve(
        &self,
        budget: &str,
        amount: &str,
        limits: &[Limit],
    ) -> Result<Result<i64, Shortage>, String> {
        let key = new_key();
        let reserved = self.store.reserve(key, budget, usd(amount), limits).await;
        Ok(reserved.map_err(said)?.map(|()| key))
    }

    pub(super) async fn charge(
        &self,
        budget: &str,
        amount: &str,
        reservation: Option<i64>,
        limits: &[Limit],
    ) -> Result<Result<i64, Shortage>, String> {
        let charge = Charge {
            key: new_key(),
            reservation,
            budget: budget.to_owned(),
            solver: "a".to_owned(),
            amount: usd(amount),
        };
        let charged = self.store.charge(&charge, limits).await;
        Ok(charged.map_err(said)?.map(|()| charge.key))
    }

    pub(super) async fn state(&self, budget: &str) -> Result<BudgetState, String> {
        self.store.budget(budget, &[]).await.map_err(said)
    }

    /// What is spent and set aside, as numbers of dollars.
    pub(super) async fn money(&self, budget: &str) -> Result<(String, String), String> {
        let state = self.state(budget).await?;
        Ok((state.spent.to_string(), state.reserved.to_string()))
    }
}

pub(super) fn opening(id: &str) -> Opening {
    Opening {
        note: None,
        width: 1,
        height: 1,
        id: id.to_owned(),
        label: None,
        claim: new_key(),
        digest: [7; 32],
        instruction: None,
        region: None,
        deadline: None,
    }
}

pub(super) fn purchase(claim: Claim) -> NewPurchase {
    NewPurchase {
        key: new_key(),
        claim,
        solver: "a".to_owned(),
        frame: None,
        picture: Bytes::from_static(PICTURE),
    }
}

/// The purchase came to this job.
pub(super) fn bought(claim: Claim, key: i64, job: JobId) -> Fact {
    Fact::Bought {
        challenge: claim.challenge,
        key,
        job,
    }
}

/// A name that no other check has, and no other run.
pub(super) fn name(what: &str) -> String {
    format!("{what} {:016x}", new_key())
}

#[allow(clippy::needless_pass_by_value)] // for `map_err`
pub(super) fn said(error: crate::StoreError) -> String {
    format!("the store fails: {error}")
}

pub(super) fn usd(text: &str) -> Usd {
    text.parse().unwrap_or(Usd::MAX)
}

pub(super) fn in_all(most: &str) -> [Limit; 1] {
    [Limit {
        since: None,
        most: usd(most),
    }]
}

pub(super) fn solution(solver: &str) -> Solution {
    let drag = Drag::new(Point::new(1.0, 2.0), Point::new(30.5, 4.0));
    Solution::new(drag, solver)
}

pub(super) fn failure() -> SolveError {
    SolveError::new(ErrorKind::Unsolvable, "no idea").with_solver("a")
}
