//! The suite that every [`DragSolver`](drag_solver_core::DragSolver) must pass: ours and yours.
//!
//! [`run`] makes every check and returns a [`Report`] that says of each whether it passed, failed, or
//! was skipped or left out and why.
//!
//! ```
//! use drag_solver_core::Verdict;
//! use drag_solver_mock::contract::Check;
//! use drag_solver_mock::{MockSolver, contract, fixtures};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let drag = fixtures::drag();
//! let solver = MockSolver::new("mock").always(drag); // your solver
//! let subject = contract::SolverUnderTest::new(&solver, fixtures::challenge())
//!     .expecting(drag, 1.0) // the true answer, and how many pixels it may be off
//!     .reporting([Verdict::Correct, Verdict::Incorrect]) // what it takes reports of
//!     .without(Check::ErrorsAreSensible, "it solves every picture")
//!     .with_secret("the-token"); // what no error and no `Debug` may show
//!
//! let report = contract::run(&subject).await;
//! assert!(report.passed(), "{report}");
//! assert_eq!(report.left_out().count(), 1, "{report}");
//! // Nothing is skipped in silence: its answers come too soon for a call to be dropped in between.
//! assert_eq!(report.skipped().count(), 3, "{report}");
//! # }
//! ```
//!
//! [`Check`] lists the promises. One that cannot be checked for a solver is left out on purpose, with the
//! reason in the report: [`SolverUnderTest::without`].
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
mod check;
mod drive;
mod interruptions;
mod money;
mod paid_jobs;
mod recorder;
mod report;
mod reports;
mod subject;

pub use self::check::Check;
pub use self::report::{Finding, Report};
pub use self::subject::SolverUnderTest;

/// What a check found: passed or skipped, or what the solver does instead.
type Checked = Result<Finding, String>;

/// Makes every check, one after the other. Dropping the future drops the call under way.
pub async fn run(subject: &SolverUnderTest<'_>) -> Report {
    let mut report = Report::default();
    for &check in Check::ALL {
        let finding = match subject.left_out.iter().find(|(it, _)| *it == check) {
            Some((_, why)) => Finding::LeftOut(why.clone()),
            None => check.of(subject).await.unwrap_or_else(Finding::Failed),
        };
        report.findings.push((check.as_str(), finding));
    }
    let sensible = (Check::ErrorsAreSensible.as_str(), Finding::Passed);
    if report.findings.contains(&sensible) {
        let kinds = subject.failures.iter().map(|(.., kind)| *kind);
        report.kinds = kinds.flatten().collect();
    }
    report
}

fn skip(why: impl Into<String>) -> Finding {
    Finding::Skipped(why.into())
}

#[cfg(test)]
mod tests;
