//! Names, answers, errors and reports that are not as they must be.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_name_that_is_no_label_is_seen() {
    for name in ["", "Upper", "with space", "line\nbreak", &"x".repeat(65)] {
        let solver = MockSolver::new(name).always(drag());
        let subject = SolverUnderTest::new(&solver, solvable());
        assert!(subject.the_name_is_a_label().await.is_err(), "{name:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_in_debug_is_seen_and_not_repeated() {
    let solver = good("holds-s3cret");
    let checked = subject(&solver).debug_hides_secrets().await;
    assert_eq!(checked.unwrap_err(), "Debug shows a secret");
}

#[tokio::test(start_paused = true)]
async fn bad_answers_are_seen() {
    let off = Drag::new(Point::new(-1.0, 5.0), Point::new(9.0, 9.0));
    let wrong = Drag::new(Point::new(83.0, 560.0), Point::new(322.0, 560.0));
    let elsewhere = Solution::new(drag(), "somebody-else");
    let negative = Solution::new(drag(), "bad").with_cost(Usd::from_micros(-1));
    let cases: [(Outcome, &str); 5] = [
        (off.into(), "is not on the"),
        (wrong.into(), "2.0 px off"),
        (elsewhere.into(), "somebody-else"),
        (negative.into(), "less than nothing"),
        (ErrorKind::Unavailable.into(), "it failed"),
    ];
    for (outcome, expected) in cases {
        let solver = MockSolver::new("bad").always(outcome);
        let (check, what) = failure(&solver).await;
        assert_eq!(check, "a_known_challenge_is_solved");
        assert!(what.contains(expected), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cost_beyond_the_worst_case_is_seen() {
    let expensive = Solution::new(drag(), "bad").with_cost(Usd::from_micros(900));
    let solver = MockSolver::new("bad")
        .with_cost(Usd::from_micros(800))
        .always(expensive);
    let (_, what) = failure(&solver).await;
    assert!(what.contains("worst case"), "{what}");
}

#[derive(Clone, Copy, PartialEq)]
enum Leak {
    InDisplay,
    InDebug,
}

impl std::error::Error for Leak {}

impl std::fmt::Display for Leak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if *self == Self::InDisplay {
            "s3cret"
        } else {
            "fine"
        })
    }
}

impl std::fmt::Debug for Leak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if *self == Self::InDebug {
            "s3cret"
        } else {
            "fine"
        })
    }
}

#[tokio::test(start_paused = true)]
async fn bad_errors_are_seen() {
    let error = |kind| SolveError::new(kind, "no");
    let secret_job = PaidJob::new("bad", JobId::new("s3cret").unwrap());
    let cases = [
        (error(ErrorKind::Unsolvable).with_solver("other"), "`other`"),
        (SolveError::new(ErrorKind::Unsolvable, ""), "what happened"),
        (
            error(ErrorKind::Overloaded).with_billed(Billed::Yes),
            "nothing was sent",
        ),
        (SolveError::new(ErrorKind::Protocol, "a s3cret"), "secret"),
        (
            error(ErrorKind::Protocol).with_source(std::io::Error::other("s3cret")),
            "secret",
        ),
        (
            error(ErrorKind::Protocol).with_unfinished_jobs([secret_job]),
            "secret",
        ),
    ];
    for (error, expected) in cases {
        let solver = MockSolver::new("bad").always(error.clone());
        let checked = subject(&solver).errors_are_sensible().await;
        let what = checked.expect_err(error.message());
        assert!(what.contains(expected), "{what}");
        assert!(!what.contains("s3cret"), "{what}");
    }
    let solver = good("bad");
    let subject = subject(&solver);
    // A source that gives itself away in one way only.
    for shown in [Leak::InDisplay, Leak::InDebug] {
        let label = shown as u8;
        let leaky = error(ErrorKind::Protocol).with_solver("bad");
        let checked = subject.check_error(&leaky.with_source(shown));
        assert!(checked.is_err(), "{label}");
    }
    let unnamed = error(ErrorKind::Protocol);
    assert!(subject.check_error(&unnamed).is_err());
    // A refusal that hands back paid jobs cost nothing itself.
    let refusal = solvable()
        .resume_job(PaidJob::new("bad", JobId::from(7)))
        .refuse("bad", ErrorKind::CircuitOpen, "open");
    assert_eq!(subject.check_error(&refusal), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn an_error_of_another_kind_than_named_is_seen() {
    let (solver, other) = (good("good"), good("good"));
    let new = || SolverUnderTest::new(&solver, solvable());
    let right = new().failing_with(ErrorKind::Unsolvable, picture(1));
    let checked = right.errors_are_sensible().await;
    assert_eq!(checked, Ok(Finding::Passed));
    let kind = ErrorKind::Unauthorized;
    for subject in [
        new().failing_with(kind, picture(1)),
        new().with_unrelated_failure(kind, &other, picture(1)),
    ] {
        let report = run(&subject).await.to_string();
        let line = "FAILED   errors_are_sensible: the error is not unauthorized: good: scripted";
        assert!(report.contains(line), "{report}");
        assert!(!report.contains("errors seen"), "{report}");
    }
    assert_eq!((solver.call_count() > 2, other.call_count()), (true, 3));
}

#[tokio::test(start_paused = true)]
async fn a_report_that_fails_is_seen() {
    let solver = good("bad").on_report(|_, _| Err(SolveError::new(ErrorKind::Unavailable, "no")));
    let (check, _) = failure(&solver).await;
    assert_eq!(check, "reports_are_answered");
}

#[tokio::test(start_paused = true)]
async fn a_bad_answer_to_a_report_of_a_strangers_solution_is_seen() {
    let solver = good("bad").on_report(|solution, _| {
        if solution.solver() == "stranger" {
            return Err(SolveError::new(ErrorKind::Unsupported, "").with_solver("bad"));
        }
        Ok(())
    });
    let (check, _) = failure(&solver).await;
    assert_eq!(check, "reports_are_answered");
}
