//! The solver around a solver: what it forwards, and what it does with time, jobs and money.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

mod support;

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use drag_solver_core::{
    Billed, Drag, DragChallenge, DragSolver, ErrorKind, Event, Frame, JobId, Observer, PaidJob,
    Point, Rect, Screenshot, ScreenshotLimits, SolveError, Usd, Verdict, WorstCase, async_trait,
};
use drag_solver_emulator::{Emulator, Protocol};
use drag_solver_http::PollInterval;
use drag_solver_image::{Fit, FitExt, FitPolicy, fit_challenge};
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
    mock.clone().fit(FitPolicy::default())
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
    assert_eq!(solution.solver(), "mock");
    assert!(solution.job().is_some());

    let sent = mock.calls().remove(0);
    assert_eq!(
        (
            sent.challenge.screenshot().width(),
            sent.challenge.screenshot().height()
        ),
        (80, 100)
    );
    assert_eq!(sent.challenge.instruction(), Some("to the moon"));
    assert_eq!(sent.challenge.deadline(), heard.deadline());
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
    assert_eq!(sent.challenge.screenshot(), small.screenshot());
    assert_eq!(sent.challenge.region(), small.region());
}

#[tokio::test]
async fn everything_but_solve_and_limits_is_the_inner_solvers() {
    let case = WorstCase::one_purchase().with_cost(Usd::from_micros(900));
    let mock = mock().with_worst_case(case).always(CLICKED);
    let solver = fit(&mock);
    assert_eq!(solver.name(), "mock");
    assert_eq!(solver.get_ref().name(), "mock");
    assert_eq!(solver.profile().worst_case, case);
    assert_eq!(solver.profile().limits, ScreenshotLimits::none());
    let solution = solver.solve(&picture(160, 200)).await.unwrap();
    solver.report(&solution, Verdict::Incorrect).await.unwrap();
    assert_eq!(mock.reports().len(), 1);
    assert_eq!(mock.reports()[0].solution.job(), solution.job());
    assert!(format!("{solver:?}").ends_with(".fit()"), "{solver:?}");
    let narrow = mock.fit(FitPolicy::default().max_side(50).max_bytes(900));
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
        (error.kind(), error.billed()),
        (ErrorKind::Unsupported, Billed::No)
    );
    assert_eq!(error.solver(), Some("mock"));
    let mut broken = picture(160, 200).screenshot().bytes().to_vec();
    let middle = broken.len() / 2;
    broken[middle..middle + 64].fill(0xaa);
    let error = fit(&mock).solve(&challenge(broken)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.billed()),
        (ErrorKind::InvalidChallenge, Billed::No)
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
        .solve(&original.resume_job(job))
        .await
        .unwrap();
    assert_eq!(*solution.drag(), MEANT);
    assert_eq!(solution.job(), Some(&JobId::from(1)));
    assert_eq!(restarted.purchases(), 0);
    assert_eq!(
        restarted.calls()[0].challenge.screenshot(),
        slow.calls()[0].challenge.screenshot()
    );
}

/// Notes the frames in which pictures are sent.
#[derive(Debug, Default)]
struct Frames(std::sync::Mutex<Vec<Frame>>);

#[async_trait]
impl Observer for Frames {
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
        if let Event::Fitted { frame, .. } = event {
            self.0.lock().unwrap().push(*frame);
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_paid_job_is_mapped_back_by_the_frame_in_which_it_was_sent_whatever_the_settings_are_now()
{
    let solver = mock().always(CLICKED);
    let frames = Arc::new(Frames::default());
    let region = Rect::new(10.0, 0.0, 150.0, 200.0);
    let cropped = picture(160, 200).with_region(region).unwrap();
    let bought = fit(&solver)
        .solve(&cropped.with_observer(frames.clone()))
        .await
        .unwrap();
    let frame = frames.0.lock().unwrap()[0];
    assert_eq!((frame.left, frame.width, frame.sent_height), (10, 150, 100));

    let job = PaidJob::new("mock", bought.job().unwrap().clone());
    // Another limit by now, and the caller names no region.
    let resumed = picture(160, 200)
        .resume_job(job.clone())
        .with_frame("mock", frame);
    let tighter = solver.clone().fit(FitPolicy::default().max_side(50));
    let again = tighter.solve(&resumed).await.unwrap();
    assert_eq!(again.drag(), bought.drag());
    let sent = solver.calls().pop().unwrap();
    let size = |shot: &Screenshot| (shot.width(), shot.height());
    assert_eq!(size(sent.challenge.screenshot()), (75, 100));

    // Sent as it is, by a solver that had no such limit then.
    let whole = Frame::whole(resumed.screenshot());
    let again = resumed.clone().with_frame("mock", whole);
    assert_eq!(*tighter.solve(&again).await.unwrap().drag(), CLICKED);
    // A frame is of what was paid for, and of nothing that is bought now.
    let anew = again.without_paid_jobs();
    assert_ne!(*tighter.solve(&anew).await.unwrap().drag(), CLICKED);

    for wrong in [
        Frame { left: 11, ..frame },
        Frame {
            sent_width: 151,
            ..frame
        },
        Frame {
            top: u32::MAX,
            ..frame
        },
    ] {
        let wrong = resumed.clone().with_frame("mock", wrong);
        let error = tighter.solve(&wrong).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidChallenge);
        assert_eq!(error.unfinished_jobs(), std::slice::from_ref(&job));
    }
}

#[tokio::test(start_paused = true)]
async fn an_expired_challenge_is_not_even_decoded() {
    let mock = mock().always(CLICKED);
    let late = picture(160, 200).with_deadline(Instant::now());
    let error = fit(&mock).solve(&late).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.billed()),
        (ErrorKind::DeadlineExceeded, Billed::No)
    );
    assert_eq!(error.solver(), Some("mock"));
    assert_eq!(mock.call_count(), 0);
}

#[tokio::test]
async fn a_refusal_hands_back_the_paid_jobs() {
    let mock = mock().always(CLICKED);
    let (own, other) = (
        PaidJob::new("mock", JobId::from(1)),
        PaidJob::new("other", JobId::from(2)),
    );
    let bring = |picture: DragChallenge| picture.resume_job(own.clone()).resume_job(other.clone());
    let too_long = bring(picture(80, 1_001));
    let too_late = bring(picture(160, 200)).with_deadline(Instant::now());
    for challenge in [too_long, too_late] {
        let error = fit(&mock).solve(&challenge).await.unwrap_err();
        assert_eq!(error.unfinished_jobs(), challenge.paid_jobs(), "{error}");
    }
    let too_long = bring(picture(80, 1_001));
    let limits = mock.profile().limits;
    let error = fit_challenge(&too_long, &limits, &FitPolicy::default()).unwrap_err();
    assert_eq!(error.unfinished_jobs(), too_long.paid_jobs());
    assert_eq!(mock.call_count(), 0);
}

#[test]
fn what_is_dropped_while_its_picture_is_made_to_fit_was_not_asked() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        // The only thread for such work is held, so the picture is not done too soon.
        let (release, held) = std::sync::mpsc::channel::<()>();
        let holding = tokio::task::spawn_blocking(move || held.recv());
        let solver = fit(&mock().always(Outcome::hang()));
        let (challenge, tracker) = picture(160, 200).tracked();
        let mut call = pin!(solver.solve(&challenge));
        let mut context = Context::from_waker(Waker::noop());
        assert!(call.as_mut().poll(&mut context).is_pending());
        assert!(tracker.purchases().is_waiting());
        assert!(!tracker.purchases().was_asked());
        assert_eq!(tracker.purchases().unfinished(), 0);

        // The picture fits, and the solver inside is asked.
        release.send(()).unwrap();
        holding.await.unwrap().unwrap();
        while tracker.purchases().is_waiting() {
            assert!(call.as_mut().poll(&mut context).is_pending());
            tokio::task::yield_now().await;
        }
        assert!(tracker.purchases().was_asked());
        assert_eq!(tracker.purchases().unfinished(), 1);
    });
}

#[tokio::test]
async fn a_refusal_ends_the_wait_for_the_picture() {
    let (challenge, tracker) = picture(80, 1_001).tracked();
    assert!(fit(&mock()).solve(&challenge).await.is_err());
    assert!(!tracker.purchases().is_waiting());
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
    let subject = contract::SolverUnderTest::new(&solver, picture(160, 200))
        .expecting(MEANT, 0.0)
        .failing(picture(120, 200))
        .never_answering(picture(164, 200))
        .with_secret("hunter2")
        .on_paused_clock();
    let report = contract::run(&subject).await;
    assert!(report.passed(), "{report}");
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
        .base_url(emulator.url(Protocol::TwoCaptcha))
        .poll(PollInterval::new(soon, soon))
        .build()
        .unwrap()
        .fit(FitPolicy::default());
    // Of 1,250 px, four fifths arrive.
    let meant = Drag::new(Point::new(12.625, 25.125), Point::new(75.125, 26.375));
    let subject = contract::SolverUnderTest::new(&solver, picture(100, 1_250))
        .expecting(meant, 1e-9)
        .failing(picture(110, 1_250))
        .never_answering(picture(102, 1_250))
        .with_secret("hunter2");
    let report = contract::run(&subject).await;
    assert!(report.passed(), "{report}");
    assert_eq!(report.skipped().count(), 0, "{report}");
    emulator.shutdown().await;
}
