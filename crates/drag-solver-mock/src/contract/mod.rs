//! The suite that every [`DragSolver`](drag_solver_core::DragSolver) must pass: ours and yours.
//!
//! [`run`] makes every check and returns a [`Report`] that says of each whether it was passed,
//! violated, or skipped and why. Each check is also a function of its own.
//!
//! ```
//! use drag_solver_core::{Drag, ErrorKind, Point};
//! use drag_solver_mock::{MockSolver, contract};
//! # use drag_solver_core::{DragChallenge, Screenshot};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let challenge = DragChallenge::new(Screenshot::from_bytes(b"GIF89a\x4f\x02\x7d\x04\0\0\0;".to_vec())?);
//! let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
//! let solver = MockSolver::new("mock").always(drag); // your solver
//! let subject = contract::Subject::new(&solver, challenge)
//!     .expecting(drag, 1.0) // the true answer, and how many pixels it may be off
//!     .hiding("the-token"); // what no error and no `Debug` may show
//!
//! let report = contract::run(&subject).await;
//! assert!(report.is_clean(), "{report}");
//! // Nothing is skipped in silence: it was given nothing that it cannot solve, and names no job.
//! assert_eq!(report.skipped().count(), 3, "{report}");
//! # Ok(())
//! # }
//! ```
//!
//! # What it costs
//!
//! The solver is called some hundred times, and what it buys is bought: give it an emulator or a
//! transport of its tests, never an account.
//!
//! # Which clock
//!
//! Every check works over real sockets as well as on a paused clock. On a paused clock say so with
//! [`Subject::on_paused_clock`]: then the deadline checks also ask that the solver comes back at
//! the very instant, not merely within its [patience](Subject::with_patience).

mod answers;
mod drive;
mod interruptions;
mod ledger;
mod money;
mod outcome;
mod subject;

pub use self::answers::{
    a_known_challenge_is_solved, an_instruction_and_a_region_do_no_harm, debug_hides_secrets,
    errors_are_sensible, reports_are_answered, the_name_is_a_label,
};
pub use self::interruptions::{
    a_deadline_ends_the_wait, a_far_deadline_is_met, an_expired_challenge_is_refused,
    dropped_calls_leave_nothing_behind, many_calls_at_once_are_solved,
    many_dropped_calls_leave_nothing_behind,
};
pub use self::money::{a_paid_job_is_resumed, progress_tells_of_money, the_worst_case_holds};
pub use self::outcome::{Finding, Report};
pub use self::subject::Subject;

/// Makes every check, one after the other. Dropping the future drops the call under way.
pub async fn run(subject: &Subject<'_>) -> Report {
    let mut report = Report::default();
    report.add("the_name_is_a_label", the_name_is_a_label(subject));
    report.add("debug_hides_secrets", debug_hides_secrets(subject));
    report.add(
        "a_known_challenge_is_solved",
        a_known_challenge_is_solved(subject).await,
    );
    report.add(
        "an_instruction_and_a_region_do_no_harm",
        an_instruction_and_a_region_do_no_harm(subject).await,
    );
    report.add("reports_are_answered", reports_are_answered(subject).await);
    let errors = errors_are_sensible(subject).await;
    if errors == Finding::Passed {
        report.add_kinds(subject.failures.iter().filter_map(|failure| failure.kind));
    }
    report.add("errors_are_sensible", errors);
    report.add(
        "an_expired_challenge_is_refused",
        an_expired_challenge_is_refused(subject).await,
    );
    report.add(
        "a_deadline_ends_the_wait",
        a_deadline_ends_the_wait(subject).await,
    );
    report.add(
        "a_far_deadline_is_met",
        a_far_deadline_is_met(subject).await,
    );
    report.add(
        "progress_tells_of_money",
        progress_tells_of_money(subject).await,
    );
    report.add(
        "a_paid_job_is_resumed",
        a_paid_job_is_resumed(subject).await,
    );
    report.add("the_worst_case_holds", the_worst_case_holds(subject).await);
    report.add(
        "dropped_calls_leave_nothing_behind",
        dropped_calls_leave_nothing_behind(subject).await,
    );
    report.add(
        "many_calls_at_once_are_solved",
        many_calls_at_once_are_solved(subject).await,
    );
    report.add(
        "many_dropped_calls_leave_nothing_behind",
        many_dropped_calls_leave_nothing_behind(subject).await,
    );
    report
}

#[cfg(test)]
mod tests;
