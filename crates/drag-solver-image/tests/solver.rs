//! The solver around a solver: what it forwards, and what it does with time, jobs and money.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

mod support;

use std::time::Duration;

use drag_solver_core::{
    Charge, Drag, DragChallenge, DragSolver, ErrorKind, JobId, Point, Rect, ScreenshotLimits, Usd,
    Verdict, WorstCase,
};
use drag_solver_http::Pace;
use drag_solver_image::{Fit, FitExt, FitPolicy};
use drag_solver_mock::emulator::Emulator;
use drag_solver_mock::{MockSolver, Outcome, contract};
use drag_solver_twocaptcha::TwoCaptcha;
use support::{Random, background, challenge, png};
use tokio::time::Instant;

/// What the inner solver answers, on a picture of half the size.
const CLICKED: Drag = Drag::new(Point::new(10.0, 20.0), Point::new(60.0, 21.0));

/// What that is on the original.
const MEANT: Drag = Drag::new(Point::new(20.5, 40.5), Point::new(120.5, 42.5));

fn picture(width: u32, height: u32) -> DragChallenge {
    challenge(png(&background(&mut Random(5), width, height, 20)))
}

/// Takes 100 px a side, and so half of a picture of 160 x 200.
fn mock() -> MockSolver {
    MockSolver::new("mock").with_limits(ScreenshotLimits::none().with_max_side(100))
}

fn fit(mock: &MockSolver) -> Fit<MockSolver> {
    mock.clone().fit(FitPolicy::default()).unwrap()
}

#[tokio::test]
async fn the_answer_and_its_alternative_are_mapped_back_and_the_rest_is_kept() {
    let inside = CLICKED.with_alternative_end(Point::new(0.0, 99.0));
    let mock = mock().always(inside);
    let heard = picture(160, 200)
        .with_instruction("to the moon")
        .within(Duration::from_secs(60));
    let solution = fit(&mock).solve(&heard).await.unwrap();
    let expected = MEANT.with_alternative_end(Point::new(0.5, 198.5));
    assert_eq!(*solution.drag(), expected);
    assert_eq!(solution.provider(), "mock");
    assert!(solution.job().is_some());

    let sent = mock.calls().remove(0);
    assert_eq!(
        (sent.screenshot.width(), sent.screenshot.height()),
        (80, 100)
    );
    assert_eq!(sent.instruction.as_deref(), Some("to the moon"));
    assert_eq!(sent.deadline, heard.deadline());
}

#[tokio::test]
async fn an_answer_outside_the_region_is_what_it_is() {
    let region = Rect::new(20.0, 60.0, 60.0, 100.0);
    let part = picture(80, 200).with_region(region).unwrap();
    for (clicked, meant) in [
        ((-30.0, 5.0), (-10.0, 65.0)),
        ((70.0, 120.0), (90.0, 180.0)),
    ] {
        let end = Point::new(clicked.0, clicked.1);
        let mock = mock().always(Drag::new(Point::new(0.0, 0.0), end));
        let solution = fit(&mock).solve(&part).await.unwrap();
        assert_eq!(solution.drag().start, Point::new(20.0, 60.0));
        assert_eq!(solution.drag().end, Point::new(meant.0, meant.1));
    }
}

#[tokio::test]
async fn what_fits_reaches_the_solver_untouched() {
    let mock = mock().always(CLICKED);
    let small = picture(90, 100)
        .with_region(Rect::new(0.0, 0.0, 50.0, 50.0))
        .unwrap();
    let solution = fit(&mock).solve(&small).await.unwrap();
    assert_eq!(*solution.drag(), CLICKED);
    let sent = mock.calls().remove(0);
    assert_eq!(sent.screenshot, *small.screenshot());
    assert_eq!(sent.region, small.region());
}

#[tokio::test]
async fn everything_but_solve_and_limits_is_the_inner_solvers() {
    let case = WorstCase::one_attempt().with_cost(Usd::from_micros(900));
    let mock = mock().with_worst_case(case).always(CLICKED);
    let solver = fit(&mock);
    assert_eq!(solver.name(), "mock");
    assert_eq!(solver.worst_case(), case);
    assert_eq!(solver.limits(), ScreenshotLimits::none());
    let solution = solver.solve(&picture(160, 200)).await.unwrap();
    solver.report(&solution, Verdict::Incorrect).await.unwrap();
    assert_eq!(mock.reports().len(), 1);
    assert_eq!(mock.reports()[0].solution.job(), solution.job());
    assert!(format!("{solver:?}").ends_with(".fit()"), "{solver:?}");
    let narrow = mock
        .fit(FitPolicy::default().max_side(50).max_bytes(900))
        .unwrap();
    let debug = format!("{narrow:?}");
    assert!(
        debug.ends_with(".fit(max_bytes: 900, max_side: 50)"),
        "{debug}"
    );
}

#[tokio::test]
async fn a_refusal_names_the_provider_and_buys_nothing() {
    let mock = mock().always(CLICKED);
    let error = fit(&mock).solve(&picture(80, 1_001)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.charge()),
        (ErrorKind::Unsupported, Charge::No)
    );
    assert_eq!(error.provider(), Some("mock"));
    let mut broken = picture(160, 200).screenshot().bytes().to_vec();
    let middle = broken.len() / 2;
    broken[middle..middle + 64].fill(0xaa);
    let error = fit(&mock).solve(&challenge(broken)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.charge()),
        (ErrorKind::InvalidChallenge, Charge::No)
    );
    assert_eq!(mock.call_count(), 0);
}

/// By another solver, as after a restart of the program.
#[tokio::test(start_paused = true)]
async fn a_paid_job_that_is_resumed_is_mapped_in_the_same_way() {
    let slow = mock().always(Outcome::answer(CLICKED).after(Duration::from_secs(100)));
    let original = picture(160, 200);
    let hasty = original.clone().within(Duration::from_secs(5));
    let error = fit(&slow).solve(&hasty).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    let job = error.unfinished_jobs().remove(0);

    let restarted = mock().always(CLICKED);
    let solution = fit(&restarted)
        .solve(&original.resuming(job))
        .await
        .unwrap();
    assert_eq!(*solution.drag(), MEANT);
    assert_eq!(solution.job(), Some(&JobId::from(1)));
    assert_eq!(restarted.purchases(), 0);
    assert_eq!(restarted.calls()[0].screenshot, slow.calls()[0].screenshot);
}

#[tokio::test(start_paused = true)]
async fn an_expired_challenge_is_not_even_decoded() {
    let mock = mock().always(CLICKED);
    let late = picture(160, 200).with_deadline(Instant::now());
    let error = fit(&mock).solve(&late).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.charge()),
        (ErrorKind::DeadlineExceeded, Charge::No)
    );
    assert_eq!(error.provider(), Some("mock"));
    assert_eq!(mock.call_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn it_keeps_the_contract() {
    let mock =
        mock().always_with(
            |challenge: &DragChallenge, _| match challenge.screenshot().width() {
                80 => Outcome::answer(CLICKED).after(Duration::from_secs(3)),
                82 => Outcome::hang(),
                _ => Outcome::error(ErrorKind::Unsolvable, "no idea"),
            },
        );
    let solver = fit(&mock);
    let subject = contract::Subject::new(&solver, picture(160, 200))
        .expecting(MEANT, 0.0)
        .failing(picture(120, 200))
        .never_answering(picture(164, 200))
        .hiding("hunter2")
        .on_paused_clock();
    let report = contract::run(&subject).await;
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.skipped().count(), 0, "{report}");
    assert_eq!(mock.in_flight(), 0);
}

#[tokio::test]
async fn it_keeps_the_contract_around_a_provider() {
    let people = MockSolver::new("people").always_with(|challenge: &DragChallenge, _| {
        match challenge.screenshot().width() {
            80 => Outcome::answer(CLICKED),
            82 => Outcome::hang(),
            _ => Outcome::error(ErrorKind::Unsolvable, "no idea"),
        }
    });
    let emulator = Emulator::builder()
        .solver(people)
        .token("hunter2")
        .start()
        .await
        .unwrap();
    let soon = Duration::from_millis(1);
    let solver = TwoCaptcha::builder()
        .token("hunter2")
        .base_url(emulator.twocaptcha_url())
        .pace(Pace::new(soon, soon))
        .build()
        .unwrap()
        .fit(FitPolicy::default())
        .unwrap();
    // Of 1,250 px, four fifths arrive.
    let meant = Drag::new(Point::new(12.625, 25.125), Point::new(75.125, 26.375));
    let subject = contract::Subject::new(&solver, picture(100, 1_250))
        .expecting(meant, 1e-9)
        .failing(picture(110, 1_250))
        .never_answering(picture(102, 1_250))
        .hiding("hunter2");
    let report = contract::run(&subject).await;
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.skipped().count(), 0, "{report}");
    emulator.shutdown().await;
}
