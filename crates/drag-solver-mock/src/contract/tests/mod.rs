mod answers;
mod habits;
mod money;
mod subject;

use std::time::Duration;

use drag_solver_core::{
    Billed, Drag, DragChallenge, DragSolver, ErrorKind, JobId, PaidJob, Point, Solution,
    SolveError, Usd, WorstCase,
};

use super::*;
use crate::fixtures::{challenge_sized, drag};
use crate::{MockSolver, Outcome};

fn picture(width: u16) -> DragChallenge {
    challenge_sized(512 + width, 1_149)
}

fn solvable() -> DragChallenge {
    picture(79)
}

/// Fails at one picture, never answers another, solves the rest after a while.
fn good(name: &'static str) -> MockSolver {
    let answer = Outcome::answer(drag())
        .accepted_after(Duration::from_secs(1))
        .after(Duration::from_secs(3));
    MockSolver::new(name).always_with(move |challenge, _| {
        match challenge.screenshot().width() & 0xff {
            1 => ErrorKind::Unsolvable.into(),
            2 => Outcome::hang(),
            _ => answer.clone(),
        }
    })
}

fn subject(solver: &dyn DragSolver) -> SolverUnderTest<'_> {
    SolverUnderTest::new(solver, solvable())
        .expecting(drag(), 1.0)
        .failing(picture(1))
        .never_answering(picture(2))
        .with_secret("s3cret")
        .on_paused_clock()
}

/// The first check that `solver` fails, and how.
async fn failure(solver: &dyn DragSolver) -> (&'static str, String) {
    let report = run(&subject(solver).with_calls_at_once(100)).await;
    let first = report.failed().next();
    let (check, what) = first.unwrap_or_else(|| panic!("{solver:?}: {report}"));
    (check, what.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_good_solver_passes_with_nothing_skipped() {
    let solver = good("good");
    let subject = subject(&solver).failing_with(ErrorKind::Unsolvable, picture(1));
    let report = run(&subject).await;
    assert_eq!((report.findings().len(), Check::ALL.len()), (17, 17));
    assert_eq!((solver.in_flight(), solver.max_in_flight()), (0, 1_000));
    assert_eq!(report.kinds(), [ErrorKind::Unsolvable]);
    let last = "17 passed, 0 skipped, 0 failed; errors seen: unsolvable";
    assert!(report.to_string().ends_with(last), "{report}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_checked_is_skipped_and_says_why() {
    let solver = good("good").without_reports();
    let solver = solver.with_worst_case(WorstCase::unknown()).free();
    let subject = SolverUnderTest::new(&solver, solvable()).with_secret(""); // which is none
    let report = run(&subject).await;
    assert!(report.passed(), "{report}");
    let skipped: Vec<_> = report.skipped().collect();
    let expected = [
        (
            "debug_hides_secrets",
            "no secret was named with `with_secret`",
        ),
        (
            "reports_are_answered",
            "it takes no report that it was correct",
        ),
        (
            "errors_are_sensible",
            "no challenge was named with `failing`",
        ),
        (
            "a_deadline_ends_the_wait",
            "no challenge was named with `never_answering`",
        ),
        (
            "events_tell_of_money",
            "it says nothing of money, as if it bought nothing: a solver that buys says `Started`",
        ),
        (
            "an_observer_can_prevent_a_purchase",
            "it says nothing of buying",
        ),
        ("a_paid_job_is_resumed", "it names no job that it buys"),
        (
            "two_paid_jobs_are_both_kept",
            "it names no job that it buys",
        ),
        ("the_worst_case_holds", "it says nothing of its worst case"),
    ];
    assert_eq!(skipped.len(), expected.len(), "{report}");
    for ((check, why), (expected, because)) in skipped.into_iter().zip(expected) {
        assert!(
            check == expected && why.starts_with(because),
            "{check}: {why}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_stuck_solver_fails_and_does_not_hang() {
    let solver = MockSolver::new("bad").always(Outcome::hang().ignoring_deadline());
    let report = run(&subject(&solver)).await;
    assert!(report.failed().count() >= 5, "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_chain_may_answer_under_the_names_in_it() {
    let solver = MockSolver::new("chain").always(Solution::new(drag(), "inner"));
    let alone = SolverUnderTest::new(&solver, solvable());
    assert!(!run(&alone).await.passed());
    let subject = SolverUnderTest::new(&solver, solvable()).answered_by(["inner"]);
    let report = run(&subject).await;
    assert!(report.passed(), "{report}");
    // If several agreed, each of them counts, and not what they are called together.
    let part = |name| Solution::new(drag(), name);
    let agreed = part("inner|other").with_contributors(vec![part("inner"), part("chain")]);
    let solver = MockSolver::new("chain").always(agreed);
    let subject = SolverUnderTest::new(&solver, solvable());
    assert!(!run(&subject).await.passed());
    let subject = SolverUnderTest::new(&solver, solvable()).answered_by(["inner"]);
    assert!(run(&subject).await.passed());
}

#[cfg(feature = "pictures")]
#[tokio::test(start_paused = true)]
async fn the_answer_key_passes() {
    use crate::pictures::{AnswerKey, TestPicture};

    let picture = TestPicture::draw_sized(5, 100, 200).unwrap();
    let subject = SolverUnderTest::new(&AnswerKey, picture.challenge())
        .expecting(picture.drag(), 0.0)
        .failing(solvable())
        .on_paused_clock();
    let report = run(&subject).await;
    assert!(report.passed(), "{report}");
    let skipped: Vec<_> = report.skipped().map(|(check, _)| check).collect();
    let expected = [
        "debug_hides_secrets",
        "a_deadline_ends_the_wait",
        "events_tell_of_money",
        "an_observer_can_prevent_a_purchase",
        "a_paid_job_is_resumed",
        "two_paid_jobs_are_both_kept",
    ];
    assert_eq!(skipped, expected);
}
