//! The contract that every solver must pass, over the emulator's sockets.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

use std::time::Duration;

use drag_solver_core::{Billed, Drag, DragChallenge, DragSolver, ErrorKind, Point, Verdict};
use drag_solver_emulator::{Emulator, EmulatorBuilder, Protocol, Quirk};
use drag_solver_http::PollInterval;
use drag_solver_mock::{MockSolver, Outcome, contract, fixtures};
use drag_solver_twocaptcha::TwoCaptcha;

const TOKEN: &str = "hunter2-hunter2";

const DRAG: Drag = Drag::new(Point::new(83.0, 60.0), Point::new(320.0, 61.0));

/// The picture's width says what becomes of it.
const SOLVABLE: u16 = 400;
const UNSOLVABLE: u16 = 401;
const ENDLESS: u16 = 402;

fn picture(width: u16) -> DragChallenge {
    fixtures::challenge_sized(width, 300)
}

fn emulator() -> EmulatorBuilder {
    let people = MockSolver::new("people").always_with(|challenge: &DragChallenge, _| {
        let width = challenge.screenshot().width();
        if width == u32::from(SOLVABLE) {
            Outcome::answer(DRAG)
        } else if width == u32::from(ENDLESS) {
            Outcome::hang()
        } else {
            Outcome::error(ErrorKind::Unsolvable, "no idea")
        }
    });
    Emulator::builder().solver(people).token(TOKEN)
}

fn solver(emulator: &Emulator) -> TwoCaptcha {
    let soon = Duration::from_millis(1);
    TwoCaptcha::builder()
        .token(TOKEN)
        .base_url(emulator.url(Protocol::TwoCaptcha))
        .poll(PollInterval::new(soon, soon))
        .build()
        .unwrap()
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let emulator = emulator().start().await.unwrap();
    let solver = solver(&emulator);
    let subject = contract::SolverUnderTest::new(&solver, picture(SOLVABLE))
        .expecting(DRAG, 0.0)
        .failing(picture(UNSOLVABLE))
        .never_answering(picture(ENDLESS))
        .reporting([Verdict::Correct, Verdict::Incorrect])
        .with_secret(TOKEN);
    let report = contract::run(&subject).await;
    assert!(report.passed(), "{report}");
    assert_eq!(report.skipped().count(), 0, "{report}");
    emulator.shutdown().await;
}

#[tokio::test]
async fn every_quirk_of_the_services_is_understood() {
    for &quirk in Quirk::ALL {
        let emulator = emulator()
            .running_polls(1)
            .quirk(quirk)
            .start()
            .await
            .unwrap();
        let solver = solver(&emulator);
        let solution = solver.solve(&picture(SOLVABLE)).await.unwrap();
        assert_eq!(*solution.drag(), DRAG, "{quirk:?}");
        assert_eq!(
            solution.cost(),
            Some("0.0009".parse().unwrap()),
            "{quirk:?}"
        );
        let balance = solver.balance().await.unwrap();
        assert_eq!(balance.available, emulator.stats().balance, "{quirk:?}");
        assert_eq!(emulator.stats().jobs_paid, 1, "{quirk:?}");
        emulator.shutdown().await;
    }
}

#[tokio::test]
async fn the_stats_agree_on_what_an_unsolvable_task_costs() {
    let emulator = emulator().start().await.unwrap();
    let error = solver(&emulator)
        .solve(&picture(UNSOLVABLE))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsolvable);
    let stats = emulator.stats();
    assert_eq!((stats.jobs_refunded, stats.jobs_paid), (1, 0));
    assert_eq!(error.billed(), Billed::No);
    emulator.shutdown().await;
}
