//! The suite that every [`DragSolver`](drag_solver_core::DragSolver) must pass: ours and yours.
//!
//! [`run`] makes every check and returns a [`Report`] that says of each whether it passed, failed, or
//! was skipped and why.
//!
//! ```
//! use drag_solver_mock::{MockSolver, contract, fixtures};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let drag = fixtures::drag();
//! let solver = MockSolver::new("mock").always(drag); // your solver
//! let subject = contract::SolverUnderTest::new(&solver, fixtures::challenge())
//!     .expecting(drag, 1.0) // the true answer, and how many pixels it may be off
//!     .with_secret("the-token"); // what no error and no `Debug` may show
//!
//! let report = contract::run(&subject).await;
//! assert!(report.passed(), "{report}");
//! // Nothing is skipped in silence: it was given nothing that it cannot solve, and its answers come
//! // too soon for a call to be dropped in between.
//! assert_eq!(report.skipped().count(), 4, "{report}");
//! # }
//! ```
//!
//! # What is checked
//!
//! | check | what every solver promises |
//! |---|---|
//! | `the_name_is_a_label` | visible lower-case ASCII, the same each time |
//! | `debug_hides_secrets` | `{:?}` shows no token |
//! | `a_known_challenge_is_solved` | with a drag on the picture, from a solver that may answer, within the worst case |
//! | `an_instruction_and_a_region_do_no_harm` | what else a challenge says changes nothing |
//! | `reports_are_answered` | a report is taken or refused, also of a solution that it never gave |
//! | `errors_are_sensible` | they name the solver, hide secrets, and survive JSON |
//! | `an_expired_challenge_is_refused` | at once, with nothing bought, and handing back the paid jobs |
//! | `a_deadline_ends_the_wait` | a call returns at its deadline |
//! | `a_far_deadline_is_met` | no sum of times overflows |
//! | `events_tell_of_money` | each purchase is announced and has one end, and the outcome says the same of money |
//! | `an_observer_can_prevent_a_purchase` | an observer is awaited before anything is bought, and what it refuses is not |
//! | `a_paid_job_is_resumed` | what was paid for is fetched, and not bought again |
//! | `two_paid_jobs_are_both_kept` | nor is one of several forgotten |
//! | `the_worst_case_holds` | no call buys, costs or takes more than the profile says |
//! | `dropped_calls_leave_nothing_behind` | a call dropped at any await keeps no lock |
//! | `many_calls_at_once_are_solved` | all of them |
//! | `many_dropped_calls_leave_nothing_behind` | nor one of many permits |
//!
//! # What it costs
//!
//! The solver is called some hundred times, and what it buys is bought: give it an emulator or a
//! transport of its tests, never an account.
//!
//! # Which clock
//!
//! Every check works over real sockets as well as on a paused clock. On a paused clock say so with
//! [`SolverUnderTest::on_paused_clock`]: then the deadline checks also ask that the solver returns at
//! the very instant, not merely within its [patience](SolverUnderTest::with_patience).

/// Fails the check unless `it` holds, and says why.
macro_rules! ensure {
    ($it:expr, $($why:tt)+) => {
        let holds = $it;
        if !holds {
            return Err(format!($($why)+));
        }
    };
}

mod answers;
mod drive;
mod interruptions;
mod money;
mod paid_jobs;
mod recorder;
mod report;
mod subject;

use std::pin::Pin;

pub use self::report::{Finding, Report};
pub use self::subject::SolverUnderTest;

/// What a check found: passed or skipped, or what the solver does instead.
type Checked = Result<Finding, String>;

type Check =
    for<'a> fn(&'a SolverUnderTest<'a>) -> Pin<Box<dyn Future<Output = Checked> + Send + 'a>>;

/// Rows of a table: the name of each check, and its function.
macro_rules! checks {
    ($($check:ident,)+) => {
        &[$((stringify!($check), |subject| Box::pin(subject.$check()))),+]
    };
}

/// Every check, in the order in which they are made.
const CHECKS: &[(&str, Check)] = checks![
    the_name_is_a_label,
    debug_hides_secrets,
    a_known_challenge_is_solved,
    an_instruction_and_a_region_do_no_harm,
    reports_are_answered,
    errors_are_sensible,
    an_expired_challenge_is_refused,
    a_deadline_ends_the_wait,
    a_far_deadline_is_met,
    events_tell_of_money,
    an_observer_can_prevent_a_purchase,
    a_paid_job_is_resumed,
    two_paid_jobs_are_both_kept,
    the_worst_case_holds,
    dropped_calls_leave_nothing_behind,
    many_calls_at_once_are_solved,
    many_dropped_calls_leave_nothing_behind,
];

/// Makes every check, one after the other. Dropping the future drops the call under way.
pub async fn run(subject: &SolverUnderTest<'_>) -> Report {
    let mut report = Report::default();
    for (name, check) in CHECKS {
        let finding = check(subject).await.unwrap_or_else(Finding::Failed);
        report.findings.push((name, finding));
    }
    let sensible = ("errors_are_sensible", Finding::Passed);
    if report.findings.contains(&sensible) {
        let kinds = subject.failures.iter().filter_map(|(.., kind)| *kind);
        report.kinds = kinds.collect();
    }
    report
}

fn skip(why: impl Into<String>) -> Finding {
    Finding::Skipped(why.into())
}

#[cfg(test)]
mod tests;
