//! What is kept as a number, the same in every kind of store.

use drag_solver_core::{Billed, Usd, Verdict};

use crate::{PurchaseState, StatusKind};

pub(crate) const OPEN: i64 = 0;
pub(crate) const SOLVED: i64 = 1;
pub(crate) const FAILED: i64 = 2;

pub(crate) fn of_status(status: StatusKind) -> i64 {
    match status {
        StatusKind::Open => OPEN,
        StatusKind::Solved => SOLVED,
        StatusKind::Failed => FAILED,
    }
}

pub(crate) const BUYING: i64 = 0;
pub(crate) const BOUGHT: i64 = 1;
pub(crate) const SETTLED: i64 = 2;

pub(crate) fn of_state(state: PurchaseState) -> i64 {
    match state {
        PurchaseState::Buying => BUYING,
        PurchaseState::Bought => BOUGHT,
        PurchaseState::Settled => SETTLED,
    }
}

pub(crate) fn state(number: i64) -> Option<PurchaseState> {
    Some(match number {
        BUYING => PurchaseState::Buying,
        BOUGHT => PurchaseState::Bought,
        SETTLED => PurchaseState::Settled,
        _ => return None,
    })
}

pub(crate) fn billed(number: i64) -> Option<Billed> {
    Some(match number {
        0 => Billed::No,
        1 => Billed::Maybe,
        2 => Billed::Yes,
        _ => return None,
    })
}

pub(crate) fn of_billed(billed: Billed) -> i64 {
    match billed {
        Billed::No => 0,
        Billed::Maybe => 1,
        Billed::Yes => 2,
    }
}

pub(crate) fn verdict(number: i64) -> Option<Verdict> {
    Some(match number {
        0 => Verdict::Incorrect,
        1 => Verdict::Correct,
        _ => return None,
    })
}

pub(crate) fn of_verdict(verdict: Verdict) -> i64 {
    i64::from(verdict == Verdict::Correct)
}

/// Rounded up: what is spent is never understated.
pub(crate) fn of_usd(amount: Usd) -> i64 {
    amount.to_nanos_ceil()
}
