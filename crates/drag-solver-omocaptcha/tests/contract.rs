//! The contract suite and the quirks of real services, over the emulator and real sockets: both
//! protocols.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

use std::time::Duration;

use drag_solver_core::{Billed, Drag, DragChallenge, DragSolver, ErrorKind, Point};
use drag_solver_emulator::{Emulator, EmulatorBuilder, Protocol, Quirk};
use drag_solver_http::PollInterval;
use drag_solver_mock::{MockSolver, Outcome, contract, fixtures};
use drag_solver_omocaptcha::{ApiVersion, Omocaptcha};

const TOKEN: &str = "hunter2-hunter2";

const VERSIONS: [ApiVersion; 2] = [ApiVersion::V1, ApiVersion::V2];

const DRAG: Drag = Drag::new(Point::new(83.5, 60.0), Point::new(320.0, 61.25));

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

fn solver(emulator: &Emulator, version: ApiVersion) -> Omocaptcha {
    let soon = Duration::from_millis(1);
    let url = match version {
        ApiVersion::V1 => emulator.url(Protocol::OmocaptchaV1),
        _ => emulator.url(Protocol::OmocaptchaV2),
    };
    Omocaptcha::builder()
        .token(TOKEN)
        .api_version(version)
        .base_url(url)
        .poll(PollInterval::new(soon, soon))
        .build()
        .unwrap()
}

#[tokio::test]
async fn it_keeps_the_contract() {
    for version in VERSIONS {
        let emulator = emulator().start().await.unwrap();
        let solver = solver(&emulator, version);
        let subject = contract::SolverUnderTest::new(&solver, picture(SOLVABLE))
            .expecting(DRAG, 0.0)
            .failing(picture(UNSOLVABLE))
            .never_answering(picture(ENDLESS))
            .reporting([])
            .with_secret(TOKEN);
        let report = contract::run(&subject).await;
        assert!(report.passed(), "{version}: {report}");
        assert_eq!(report.skipped().count(), 0, "{version}: {report}");
        emulator.shutdown().await;
    }
}

#[tokio::test]
async fn every_quirk_of_the_services_is_understood() {
    for version in VERSIONS {
        for &quirk in Quirk::ALL {
            let what = format!("{version}, {quirk:?}");
            let emulator = emulator()
                .running_polls(1)
                .quirk(quirk)
                .start()
                .await
                .unwrap();
            let solver = solver(&emulator, version);
            let solution = solver.solve(&picture(SOLVABLE)).await.unwrap();
            assert_eq!(*solution.drag(), DRAG, "{what}");
            let error = solver.solve(&picture(UNSOLVABLE)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsolvable, "{what}");
            let balance = solver.balance().await.unwrap();
            assert_eq!(balance.available, emulator.stats().balance, "{what}");
            assert_eq!(emulator.stats().jobs_created, 2, "{what}");
            emulator.shutdown().await;
        }
    }
}

#[tokio::test]
async fn whether_a_job_that_failed_is_billed_is_not_known() {
    for version in VERSIONS {
        let emulator = emulator().start().await.unwrap();
        let solver = solver(&emulator, version);
        let error = solver.solve(&picture(UNSOLVABLE)).await.unwrap_err();
        assert_eq!(error.billed(), Billed::Maybe, "{version}");
        assert!(error.unfinished_jobs().is_empty(), "{version}");
        emulator.shutdown().await;
    }
}

#[tokio::test]
async fn a_refused_token_buys_nothing() {
    for version in VERSIONS {
        let emulator = emulator().token("another").start().await.unwrap();
        let solver = solver(&emulator, version);
        let error = solver.solve(&picture(SOLVABLE)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{version}");
        assert_eq!(error.billed(), Billed::No, "{version}");
        let error = solver.balance().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{version}");
        assert_eq!(emulator.stats().jobs_created, 0, "{version}");
        emulator.shutdown().await;
    }
}

#[tokio::test]
async fn v1_lists_its_services_with_their_prices() {
    let price = "0.0009".parse().unwrap();
    let emulator = emulator().price(price).start().await.unwrap();
    let services = solver(&emulator, ApiVersion::V1).services().await.unwrap();
    let drag_on_phone = services.iter().find(|service| service.id == "24").unwrap();
    assert_eq!(drag_on_phone.price, Some(price));
    emulator.shutdown().await;
}
