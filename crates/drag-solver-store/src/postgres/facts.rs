//! Facts of all kinds.

use drag_solver_core::{PaidJob, async_trait};
use jiff::Timestamp;

use super::db::Db;
use super::owners::Owner;
use super::problem::Result;
use super::writer::Write;
use super::{budgets, calls, purchases};
use crate::Fact;
use crate::key::new_key;

/// A fact, to be written.
pub(super) struct Recorded {
    fact: Fact,
    now: Timestamp,
    /// The key of what it may add.
    key: i64,
}

pub(super) fn op(fact: Fact, now: Timestamp) -> Recorded {
    Recorded {
        fact,
        now,
        key: new_key(),
    }
}

/// What a fact is about. What looks back waits for facts before it that are about the same.
#[derive(PartialEq, Eq, Hash)]
pub(super) enum About {
    /// The store's key of a challenge.
    Challenge(i64),
    /// A job that a budget was charged for.
    Charge { budget: String, job: PaidJob },
}

/// What came of a fact.
pub(super) struct Noted {
    /// Whether it was still for this call to say.
    pub(super) had_claim: bool,
    /// The challenge that has ended with it.
    pub(super) ended: Option<String>,
}

#[async_trait]
impl Write for Recorded {
    type Told = Noted;

    fn is_fact(&self) -> bool {
        true
    }

    fn about(&self) -> Option<About> {
        let charge = |budget: &String, job: &PaidJob| About::Charge {
            budget: budget.clone(),
            job: job.clone(),
        };
        Some(match &self.fact {
            Fact::NotBought { challenge, .. }
            | Fact::Bought { challenge, .. }
            | Fact::Found { challenge, .. }
            | Fact::Settled { challenge, .. } => About::Challenge(*challenge),
            Fact::Finished { claim, .. } => About::Challenge(claim.challenge),
            Fact::ChargedFor { budget, job, .. } | Fact::JobSettled { budget, job, .. } => {
                charge(budget, job)
            }
            Fact::Spent {
                budget,
                solver,
                job: Some(job),
                ..
            } => charge(budget, &PaidJob::new(solver, job.clone())),
            _ => return None,
        })
    }

    fn looks_back(&self) -> bool {
        matches!(self.fact, Fact::Finished { .. } | Fact::JobSettled { .. })
    }

    fn turn(&self) -> Option<String> {
        match &self.fact {
            Fact::ChargeSettled { budget, .. }
            | Fact::JobSettled { budget, .. }
            | Fact::Spent { budget, .. } => Some(budgets::turn(budget)),
            _ => None,
        }
    }

    async fn write(&self, db: &Db, _here: &Owner) -> Result<Noted> {
        let told = purchases::record(db, &self.fact, self.now).await?;
        budgets::record(db, &self.fact, self.key, self.now).await?;
        calls::record(db, &self.fact).await?;
        Ok(told)
    }

    fn again(&self, first: Noted, again: Noted) -> Noted {
        Noted {
            had_claim: again.had_claim,
            ended: again.ended.or(first.ended),
        }
    }

    fn ended<'a>(&self, told: &'a Noted) -> Option<&'a str> {
        told.ended.as_deref()
    }
}
