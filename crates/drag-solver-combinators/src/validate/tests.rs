use drag_solver_core::{Billed, CheckSettings, Drag, ErrorKind, Point, Recovery, Usd};
use drag_solver_mock::MockSolver;

use super::*;
use crate::DragSolverExt;
use crate::tests::{Named, Script, challenge, error, millis, secs};

fn to(x: f64, y: f64) -> Drag {
    Drag::new(Point::new(83.0, 560.0), Point::new(x, y))
}

/// The screenshot is 591 x 1149 px.
#[tokio::test]
async fn points_must_be_on_the_screenshot_and_apart() {
    let cases = [
        (to(320.0, 560.0), true),
        (to(590.9, 560.0), true),
        (to(591.0, 560.0), false),
        (to(320.0, -0.1), false),
        (to(f64::NAN, 560.0), false),
        (to(91.0, 560.0), true),
        (to(90.9, 560.0), false),
        (to(83.0, 560.0), false),
        (
            Drag::new(Point::new(-1.0, 5.0), Point::new(320.0, 560.0)),
            false,
        ),
    ];
    for (drag, valid) in cases {
        let a = MockSolver::new("a").answers_with(drag);
        let checked = a.validate(ValidatePolicy::default());
        let outcome = checked.solve(&challenge()).await;
        assert_eq!(outcome.is_ok(), valid, "{drag}");
        if let Err(error) = outcome {
            assert_eq!(error.kind(), ErrorKind::InvalidAnswer);
            assert_eq!(error.recovery(), Recovery::Retry);
            assert_eq!(error.billed(), Billed::Yes);
            assert_eq!(error.solver(), Some("a"));
            assert!(error.message().contains(&drag.to_string()), "{error}");
        }
    }
}

#[tokio::test]
async fn a_drag_of_no_length_is_never_valid() {
    let a = MockSolver::new("a").answers_with(to(83.0, 560.0));
    let policy = ValidatePolicy::default().min_length(0.0);
    let outcome = a.validate(policy).solve(&challenge()).await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::InvalidAnswer);
}

#[tokio::test]
async fn an_alternative_end_off_the_screenshot_is_removed() {
    for (end, kept) in [
        (Point::new(300.0, 560.0), true),
        (Point::new(600.0, 560.0), false),
    ] {
        let a = MockSolver::new("a").answers_with(to(320.0, 560.0).with_alternative_end(end));
        let checked = a.validate(ValidatePolicy::default());
        let solution = checked.solve(&challenge()).await.unwrap();
        assert_eq!(solution.drag().alternative_end.is_some(), kept);
        assert_eq!(solution.drag().end, Point::new(320.0, 560.0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_answer_is_reported_only_if_asked_for() {
    for asked_for in [false, true] {
        let a = MockSolver::new("a").answers_with(to(600.0, 560.0));
        let policy = ValidatePolicy::default().report_incorrect(asked_for);
        let checked = a.clone().validate(policy);
        checked.solve(&challenge()).await.unwrap_err();
        let verdicts: Vec<_> = a.heard().into_iter().map(|(_, verdict)| verdict).collect();
        let expected: &[Verdict] = if asked_for {
            &[Verdict::Incorrect]
        } else {
            &[]
        };
        assert_eq!(verdicts, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_report_is_cut_off_at_its_limit_or_the_deadline() {
    for (deadline, expected) in [(secs(60), secs(5)), (millis(1_500), millis(1_500))] {
        let a = MockSolver::new("a")
            .answers_with(to(600.0, 560.0))
            .with_report_latency(Duration::MAX);
        let policy = ValidatePolicy::default().report_incorrect(true);
        let checked = a.validate(policy);
        let begun = Instant::now();
        let outcome = checked.solve(&challenge().within(deadline)).await;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::InvalidAnswer);
        assert_eq!(begun.elapsed(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_that_fails_changes_nothing() {
    let a = MockSolver::new("a")
        .answers_with(to(600.0, 560.0))
        .without_reports();
    let policy = ValidatePolicy::default().report_incorrect(true);
    let outcome = a.validate(policy).solve(&challenge()).await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::InvalidAnswer);
}

#[tokio::test(start_paused = true)]
async fn what_a_bad_answer_cost_how_long_it_took_and_the_attempts_before_it_are_kept() {
    let a = MockSolver::new("a").fails(secs(1), error(ErrorKind::Unavailable));
    let b = MockSolver::new("b")
        .with_cost(Usd::from_micros(900))
        .then(drag_solver_mock::Outcome::answer(to(600.0, 560.0)).after(secs(2)));
    let checked = a.or(b).validate(ValidatePolicy::default());
    let error = checked.solve(&challenge()).await.unwrap_err();
    let kinds: Vec<_> = error
        .attempts()
        .iter()
        .map(|attempt| attempt.kind)
        .collect();
    assert_eq!(kinds, [ErrorKind::Unavailable, ErrorKind::InvalidAnswer]);
    assert_eq!(error.failed_attempts().len(), 1);
    assert_eq!(error.spent(), Some(Usd::from_micros(900)));
    assert_eq!(error.elapsed(), secs(3));
}

#[test]
fn what_a_file_may_not_say_is_named() {
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        let refused = ValidatePolicy::default().min_length(bad).check();
        assert_eq!(refused.unwrap_err().path(), "min_length");
    }
    let refused = ValidatePolicy::default()
        .report_timeout(Duration::ZERO)
        .check();
    assert_eq!(refused.unwrap_err().path(), "report_timeout");
}

#[tokio::test(start_paused = true)]
async fn code_that_says_it_gets_what_the_docs_promise() {
    for length in [-1.0, f64::NAN] {
        let policy = ValidatePolicy::default().min_length(length);
        let a = MockSolver::new("a")
            .answers_with(to(83.1, 560.0))
            .answers_with(to(83.0, 560.0));
        let checked = a.validate(policy);
        assert!(checked.solve(&challenge()).await.is_ok());
        assert!(
            checked.solve(&challenge()).await.is_err(),
            "no length at all"
        );
    }
    let a = MockSolver::new("a").answers_with(to(600.0, 560.0));
    let policy = ValidatePolicy::default().report_incorrect(true);
    let hasty = a.clone().validate(policy.report_timeout(Duration::ZERO));
    hasty.solve(&challenge()).await.unwrap_err();
    assert_eq!(a.heard(), []);
}

#[tokio::test]
async fn reports_and_the_name_pass_through() {
    let a = MockSolver::new("a").answers(Duration::ZERO);
    let checked = a.clone().validate(ValidatePolicy::default());
    assert_eq!(checked.name(), "a");
    let solution = checked.solve(&challenge()).await.unwrap();
    checked.report(&solution, Verdict::Correct).await.unwrap();
    assert_eq!(a.heard(), [(solution, Verdict::Correct)]);
}

#[test]
fn it_prints_like_the_code_that_built_it() {
    let checked = Named("a").validate(ValidatePolicy::default());
    assert_eq!(checked.to_string(), "a.validate(min_length: 8 px)");
    let telling = Named("a").validate(ValidatePolicy::default().report_incorrect(true));
    let expected = "a.validate(min_length: 8 px, report_incorrect: true, report_timeout: 5s)";
    assert_eq!(telling.to_string(), expected);
}

#[tokio::test(start_paused = true)]
async fn huge_settings_do_not_panic() {
    let a = MockSolver::new("a").answers(Duration::ZERO);
    let policy = ValidatePolicy::default()
        .min_length(f64::MAX)
        .report_incorrect(true)
        .report_timeout(Duration::MAX);
    let strict = a.clone().validate(policy);
    let refused = strict.solve(&challenge()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidAnswer);
    assert_eq!(a.heard().len(), 1);
}
