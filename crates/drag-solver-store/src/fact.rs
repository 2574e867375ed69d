//! What is about to happen to a challenge, or has.

use bytes::Bytes;
use drag_solver_core::{Billed, Frame, JobId, PaidJob, Solution, SolveError, Usd};

use crate::{CallRecord, Claim, PurchaseRecord};

/// A purchase that is about to be sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewPurchase {
    /// Its key, which is unique.
    pub key: i64,
    /// The right to make it.
    pub claim: Claim,
    /// Name of the solver.
    pub solver: String,
    /// In which frame it is sent the picture; `None` if as it is.
    pub frame: Option<Frame>,
    /// The picture, for those who will fetch the answer after a crash.
    pub picture: Bytes,
}

impl NewPurchase {
    /// A purchase with this key, of the picture as it is.
    #[must_use]
    pub fn new(key: i64, claim: Claim, solver: impl Into<String>, picture: Bytes) -> Self {
        Self {
            key,
            claim,
            solver: solver.into(),
            frame: None,
            picture,
        }
    }
}

/// Something that has happened. It is written as soon as that is possible, and kept in memory until then.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Fact {
    /// The call that took this challenge up was dropped before it knew.
    GivenBack {
        /// What the caller calls the challenge.
        id: String,
        /// The key of the claim.
        claim: i64,
    },
    /// A purchase came to nothing.
    NotBought {
        /// The store's key of the challenge.
        challenge: i64,
        /// Key of the purchase.
        key: i64,
    },
    /// The provider named the job.
    Bought {
        /// The store's key of the challenge.
        challenge: i64,
        /// Key of the purchase.
        key: i64,
        /// The provider's id for it.
        job: JobId,
    },
    /// A purchase of which nothing was on record: a job that the caller brought, or one of a solver that
    /// does not say when it buys.
    Found {
        /// The store's key of the challenge.
        challenge: i64,
        /// The purchase.
        purchase: PurchaseRecord,
    },
    /// A purchase ended, without an answer.
    Settled {
        /// The store's key of the challenge.
        challenge: i64,
        /// The purchase, and what came of it.
        ended: Ended,
    },
    /// The call for a challenge ended, and gives its claim back.
    Finished {
        /// What it had.
        claim: Claim,
        /// What came of it; `None` if it was dropped.
        outcome: Option<Result<Solution, SolveError>>,
        /// The purchases that ended with it, in one step with their answer.
        ended: Vec<Ended>,
    },
    /// What was set aside of a budget and not spent is free again.
    Released(i64),
    /// A charge was for this job.
    ChargedFor {
        /// Name of the budget.
        budget: String,
        /// Key of the charge.
        key: i64,
        /// The job.
        job: PaidJob,
    },
    /// What a charge came to, in US dollars.
    ChargeSettled {
        /// Name of the budget.
        budget: String,
        /// Key of the charge.
        key: i64,
        /// What is spent.
        amount: Usd,
    },
    /// A job of an earlier call ended: what it cost, in US dollars, replaces what was assumed.
    JobSettled {
        /// Name of the budget.
        budget: String,
        /// The job.
        job: PaidJob,
        /// What it cost, if that is known now.
        amount: Option<Usd>,
    },
    /// A call of a solver ended; or, of one that is on record, its answer turned out to be wrong.
    Called(CallRecord),
    /// Money was spent without having been set aside.
    Spent {
        /// Name of the budget.
        budget: String,
        /// Name of the solver.
        solver: String,
        /// The job, if it is unfinished.
        job: Option<JobId>,
        /// How much, in US dollars.
        amount: Usd,
    },
}

/// The end of a purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs)] // made by those who write facts
pub struct Ended {
    /// Key of the purchase.
    pub key: i64,
    /// Whether it was billed.
    pub billed: Billed,
    /// What it cost, in US dollars.
    pub cost: Option<Usd>,
}
