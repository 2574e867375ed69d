//! What goes through 2Captcha and Anti-Captcha comes back where it was.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

mod support;

use std::sync::Arc;
use std::time::Duration;

use drag_solver_anticaptcha::AntiCaptcha;
use drag_solver_core::{Drag, DragChallenge, DragSolver, Point, Rect, Screenshot};
use drag_solver_emulator::{Emulator, Protocol, Quirk};
use drag_solver_http::PollInterval;
use drag_solver_image::{Fit, FitExt, FitPolicy};
use drag_solver_twocaptcha::TwoCaptcha;
use support::{END, Finder, Random, START, background, disc, jpeg, png, webp};

/// How far off the centre of a disc is found in what arrived, in pixels of what arrived: what
/// resampling and JPEG do to it. A mapping of edges instead of centres would be off by up to 0.4.
const FOUND_WITHIN: f64 = 0.2;

struct Services {
    emulator: Emulator,
    finder: Finder,
    solvers: [Fit<Box<dyn DragSolver>>; 2],
}

impl Services {
    /// Both, as strict as they are documented. `decimals` says whether answers have any.
    async fn start(decimals: bool) -> Self {
        let finder = Finder::default();
        let mut builder = Emulator::builder()
            .solver(finder.clone())
            .remembered_requests(0)
            .balance("1000".parse().unwrap());
        if decimals {
            builder = builder.quirk(Quirk::DecimalCoordinates);
        }
        let emulator = builder.start().await.unwrap();
        let soon = Duration::from_millis(1);
        let two = TwoCaptcha::builder()
            .token("hunter2")
            .base_url(emulator.url(Protocol::TwoCaptcha))
            .poll(PollInterval::new(soon, soon))
            .build()
            .unwrap();
        let anti = AntiCaptcha::builder()
            .token("hunter2")
            .base_url(emulator.url(Protocol::AntiCaptcha))
            .poll(PollInterval::new(soon, soon))
            .build()
            .unwrap();
        let solvers: [Box<dyn DragSolver>; 2] = [Box::new(two), Box::new(anti)];
        Self {
            emulator,
            finder,
            solvers: solvers.map(|solver| solver.fit(FitPolicy::default())),
        }
    }
}

/// A picture, the part of it that counts, and the true drag.
struct Case {
    challenge: DragChallenge,
    truth: Drag,
}

fn case(random: &mut Random, width: u32, height: u32, noise: u32) -> Case {
    let mut picture = background(random, width, height, noise);
    let (w, h) = (f64::from(width), f64::from(height));
    let region = (random.between(0, 10) < 7).then(|| {
        let (share_x, share_y) = (0.5 + random.fraction() / 2.0, 0.4 + random.fraction() * 0.6);
        let (x, y) = (
            random.fraction() * w * (1.0 - share_x),
            random.fraction() * h * (1.0 - share_y),
        );
        Rect::new(x, y, w * share_x, h * share_y)
    });
    let inside = region.unwrap_or(Rect::new(0.0, 0.0, w, h));
    // Some pixels wide even in the smallest scale, and wholly inside, the second below the first.
    let radius = 6.0 * (inside.width.max(inside.height) / 500.0).max(1.0);
    let margin = 2.0 * radius;
    let mut place = |half: f64| {
        Point::new(
            inside.x + margin + random.fraction() * (inside.width - 2.0 * margin),
            inside.y
                + (half + random.fraction() / 2.0) * (inside.height - 4.0 * margin)
                + margin
                + half * 4.0 * margin,
        )
    };
    let (start, end) = (place(0.0), place(0.5));
    let truth = Drag::new(
        disc(&mut picture, start, radius, START),
        disc(&mut picture, end, radius, END),
    );
    let file = match random.between(0, 10) {
        0 => jpeg(&picture, 95),
        1 => webp(&picture),
        _ => png(&picture),
    };
    let challenge = DragChallenge::new(Screenshot::from_bytes(file).unwrap());
    Case {
        challenge: match region {
            Some(region) => challenge.with_region(region).unwrap(),
            None => challenge,
        },
        truth,
    }
}

/// How many pixels of the original one pixel that the service saw is at most, calculated from what
/// is documented, not from what was sent.
fn scale(challenge: &DragChallenge, max_side: u32) -> f64 {
    let shot = challenge.screenshot();
    if shot.width().max(shot.height()) <= max_side {
        return 1.0; // it fits
    }
    let (width, height) = challenge.region().map_or_else(
        || (f64::from(shot.width()), f64::from(shot.height())),
        |region| (region.width, region.height),
    );
    // A crop is up to two pixels larger than its region, a rounded side up to half a pixel smaller.
    ((width.max(height) + 2.0) / (f64::from(max_side) - 0.5)).max(1.0)
}

/// The largest error of the drag, along either axis.
fn error(found: &Drag, truth: &Drag) -> f64 {
    [
        found.start.x - truth.start.x,
        found.start.y - truth.start.y,
        found.end.x - truth.end.x,
        found.end.y - truth.end.y,
    ]
    .into_iter()
    .fold(0.0, |most, error| most.max(error.abs()))
}

/// Solves one case with both services; returns the largest error in pixels that were sent.
async fn worst_error(services: &Services, case: &Case) -> f64 {
    let mut worst: f64 = 0.0;
    for (solver, max_side) in services.solvers.iter().zip([1_000, 500]) {
        let solution = solver.solve(&case.challenge).await.unwrap();
        let off = error(solution.drag(), &case.truth) / scale(&case.challenge, max_side);
        assert!(
            off <= 0.5 + FOUND_WITHIN,
            "{}: {:?} {:?} answered {}, and the truth is {}: {off:.3} px off",
            solver.name(),
            case.challenge.screenshot(),
            case.challenge.region(),
            solution.drag(),
            case.truth,
        );
        worst = worst.max(off);
    }
    worst
}

/// 1,000 pictures, half of them answered in whole pixels, half in fractions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_pictures_come_back_where_they_were() {
    let exact = Arc::new(Services::start(true).await);
    let whole = Arc::new(Services::start(false).await);
    let mut tasks = tokio::task::JoinSet::new();
    for lane in 0..2_u64 {
        let (exact, whole) = (Arc::clone(&exact), Arc::clone(&whole));
        tasks.spawn(async move {
            let mut random = Random(lane);
            let (mut worst_exact, mut worst_whole): (f64, f64) = (0.0, 0.0);
            for number in 0..500 {
                let (width, height) = match number % 3 {
                    0 => (random.between(180, 300), random.between(1_001, 1_400)),
                    _ => (random.between(180, 400), random.between(450, 700)),
                };
                let noise = random.between(0, 4) * 25;
                let case = case(&mut random, width, height, noise);
                if number % 2 == 0 {
                    worst_exact = worst_exact.max(worst_error(&exact, &case).await);
                } else {
                    worst_whole = worst_whole.max(worst_error(&whole, &case).await);
                }
            }
            (worst_exact, worst_whole)
        });
    }
    while let Some(worst) = tasks.join_next().await {
        let (worst_exact, worst_whole) = worst.unwrap();
        println!("worst: {worst_exact:.3} px in fractions, {worst_whole:.3} px in whole pixels");
        assert!(worst_exact <= FOUND_WITHIN, "{worst_exact} px off");
        assert!(worst_whole <= 0.5 + FOUND_WITHIN, "{worst_whole} px off");
        // The test sees what it is there for.
        assert!(worst_whole > 0.4, "nothing was rounded");
    }
    for services in [&exact, &whole] {
        let seen = services.finder.seen.lock().unwrap();
        assert_eq!(seen.len(), 1_000);
        assert!(
            seen.iter()
                .all(|&(bytes, width, height)| bytes <= 600_000 && width.max(height) <= 1_000)
        );
        assert_eq!(services.emulator.stats().jobs_paid, 1_000);
    }
}

/// Screenshots of a phone, of several megabytes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn phone_screenshots_of_several_megabytes_go_through() {
    let services = Services::start(true).await;
    for seed in 0..4 {
        let case = case(&mut Random(seed), 1_080, 2_400, 120);
        let bytes = case.challenge.screenshot().bytes().len();
        let off = worst_error(&services, &case).await;
        println!("{:?}: {off:.3} px off", case.challenge.screenshot());
        assert!(off <= FOUND_WITHIN, "{off} px off");
        assert!(bytes > 600_000);
    }
    let seen = services.finder.seen.lock().unwrap();
    for (sent, most) in seen
        .chunks(2)
        .map(|both| (both[0], 600_000))
        .chain(seen.chunks(2).map(|both| (both[1], 500_000)))
    {
        assert!(sent.0 <= most, "{sent:?}");
    }
}
