//! One line of the history behind an outcome.

use std::time::Duration;

use crate::{Billed, ErrorKind, PaidJob, Usd};

/// One failed call to one solver, as remembered by the [`Solution`](crate::Solution) or
/// [`SolveError`](crate::SolveError) that came of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Attempt {
    /// Name of the solver, if the error named one.
    pub solver: Option<String>,
    /// What went wrong.
    pub kind: ErrorKind,
    /// What went wrong, in words.
    pub message: String,
    /// Whether it cost money. A job that it only hands back is on the bill of the attempt that bought it.
    pub billed: Billed,
    /// What it cost, or costs if it is billed, in US dollars, if that is known.
    #[cfg_attr(feature = "serde", serde(rename = "cost_usd"))]
    pub cost: Option<Usd>,
    /// Jobs that were paid for and are not finished.
    pub jobs: Vec<PaidJob>,
    /// How long it took. Serialises as whole milliseconds.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "elapsed_ms", with = "crate::millis")
    )]
    pub elapsed: Duration,
}

impl Attempt {
    /// Leaves `jobs` to a later attempt, which continues with them and has their bill.
    #[doc(hidden)]
    pub fn hand_over(&mut self, jobs: &[PaidJob]) {
        let before = self.jobs.len();
        self.jobs.retain(|job| !jobs.contains(job));
        if self.jobs.is_empty() && before > 0 && self.billed == Billed::Maybe {
            self.billed = Billed::No;
            self.cost = None;
        }
    }

    /// Names the price, in US dollars, if it may have cost something and it is not known how much.
    #[doc(hidden)]
    pub fn price_at(&mut self, price: Usd) {
        if self.billed != Billed::No && self.cost.is_none() {
            self.cost = Some(price);
        }
    }

    /// What it cost at most; `None` if that is not known.
    pub(crate) fn spent(&self) -> Option<Usd> {
        match self.billed {
            Billed::No => Some(Usd::ZERO),
            Billed::Maybe | Billed::Yes => self.cost,
        }
    }
}
