//! The suite that every [`Store`](crate::Store) must pass: ours and yours.
//!
//! ```
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicU64, Ordering};
//! use std::time::Duration;
//!
//! use drag_solver_store::contract::{self, StoreUnderTest};
//! use drag_solver_store::jiff::Timestamp;
//! use drag_solver_store::{Clock, SqliteStore};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let seconds = Arc::new(AtomicU64::new(0));
//! let hands = Arc::clone(&seconds);
//! let start = Timestamp::now();
//! let clock = Clock::from_fn(move || start + Duration::from_secs(hands.load(Ordering::SeqCst)));
//! let store = SqliteStore::in_memory(clock)?; // your store
//!
//! let advance = |by: Duration| {
//!     seconds.fetch_add(by.as_secs(), Ordering::SeqCst);
//! };
//! let report = contract::run(&StoreUnderTest::new(&store, &advance)).await;
//! assert!(report.passed(), "{report}");
//! # Ok(())
//! # }
//! ```
//!
//! It writes into the store and prunes it, so give it one of its own. Names are new in each run. What several
//! processes do with one store, and what happens to one that is killed, depends on the kind of store: tests of
//! your own have to show it.

/// Fails the check unless `it` holds, and says why.
macro_rules! ensure {
    ($it:expr, $($why:tt)+) => {
        let holds = $it;
        if !holds {
            return Err(format!($($why)+));
        }
    };
}

/// Fails the check unless both are equal.
macro_rules! ensure_eq {
    ($one:expr, $other:expr, $what:expr) => {
        let (one, other) = (&$one, &$other);
        if one != other {
            return Err(format!("{}: {one:?}, not {other:?}", $what));
        }
    };
}

mod accepting;
mod budgets;
mod calls;
mod challenges;
mod keys;
mod lists;
mod purchases;
mod reports;
mod retention;
mod spending;
mod subject;

use std::fmt;
use std::pin::Pin;

pub use self::subject::StoreUnderTest;

/// What a check found: nothing, or what the store does instead.
type Checked = Result<(), String>;

/// What all checks found. Its `Display` is one line per check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a broken contract is only seen by looking: `assert!(report.passed(), \"{report}\")`"]
pub struct Report {
    findings: Vec<(&'static str, Checked)>,
}

impl Report {
    /// Whether no check failed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failed().next().is_none()
    }

    /// The names of all checks, in order.
    pub fn checks(&self) -> impl Iterator<Item = &'static str> {
        self.findings.iter().map(|(check, _)| *check)
    }

    /// The names of the checks that failed, and what the store did.
    pub fn failed(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.findings.iter().filter_map(|(check, found)| {
            let what = found.as_ref().err()?;
            Some((*check, what.as_str()))
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (check, found) in &self.findings {
            match found {
                Ok(()) => writeln!(f, "passed {check}")?,
                Err(what) => writeln!(f, "FAILED {check}: {what}")?,
            }
        }
        let failed = self.failed().count();
        write!(
            f,
            "{} passed, {failed} failed",
            self.findings.len() - failed
        )
    }
}

type Check<'a> = Pin<Box<dyn Future<Output = Checked> + Send + 'a>>;

/// Rows of a table: what each check is called, which is the name of the function that makes it.
macro_rules! checks {
    ($($check:ident)+) => {
        fn checks<'a>(subject: &'a StoreUnderTest<'a>) -> Vec<(&'static str, Check<'a>)> {
            vec![$((stringify!($check), Box::pin(subject.$check()) as Check<'a>)),+]
        }
    };
}

checks! {
    a_challenge_is_taken_up_by_one_call
    a_challenge_keeps_what_it_was_taken_up_with
    another_picture_is_refused
    a_solved_challenge_stays_solved
    a_failed_challenge_is_taken_up_again
    what_was_accepted_and_failed_is_opened_by_accepting_it_alone
    a_lost_claim_buys_nothing_and_ends_nothing
    a_claim_that_nobody_heard_of_is_given_back
    no_more_are_accepted_than_may_be_open
    none_is_accepted_before_its_turn
    what_no_call_has_is_listed
    a_purchase_is_on_record_at_each_step
    what_was_not_bought_leaves_nothing
    facts_are_written_in_order_also_if_no_caller_waits
    facts_can_be_repeated
    what_was_found_is_on_record_once
    a_picture_is_kept_while_a_job_needs_it
    a_region_stays_while_a_job_needs_it
    lists_are_in_order_filtered_and_in_pages
    the_first_verdict_counts
    a_picture_is_read_only_where_it_is_asked_for
    a_note_stays_until_there_is_another
    of_each_name_one_key_is_valid
    keys_are_listed_in_order_with_all_that_they_are
    money_is_set_aside_within_every_limit
    many_at_once_never_set_the_same_money_aside
    a_charge_takes_what_was_set_aside
    what_was_set_aside_can_be_spent_whatever_the_limits_are_now
    a_shortage_says_which_limit_and_when_it_ends
    what_it_really_cost_replaces_what_was_charged
    a_job_corrects_its_charge_once
    a_budget_is_known_since_any_time
    sums_of_money_never_overflow
    spending_is_told_by_day_and_name
    calls_of_a_solver_are_told_from_when_they_are_asked_for
    what_was_wrong_stays_wrong
    of_each_solver_the_last_calls_are_kept
    old_challenges_are_forgotten_and_totals_are_not
    what_is_not_finished_is_kept_as_long_as_money
    what_is_recent_is_not_forgotten
}

/// Makes every check, one after the other.
pub async fn run(subject: &StoreUnderTest<'_>) -> Report {
    let mut report = Report::default();
    for (name, check) in checks(subject) {
        report.findings.push((name, check.await));
    }
    report
}

#[cfg(test)]
mod tests;
