//! Providers with known accuracy, latency and price.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use drag_solver_combinators::{DragSolverExt as _, Priced};
use drag_solver_core::{Drag, DragChallenge, ErrorKind, Point, Usd};
use drag_solver_evaluate::LabelledPicture;
use drag_solver_mock::{MockSolver, Outcome, fixtures};

/// How far off a right answer may be, in pixels.
pub(crate) const TOLERANCE: f64 = 10.0;

/// Time for a call.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// What a provider is really like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Truth {
    pub(crate) name: &'static str,
    /// In millionths of a dollar, of each call that is not given up.
    pub(crate) price: i64,
    /// Of the log-normal latency, in seconds.
    pub(crate) median: f64,
    pub(crate) sigma: f64,
    /// Shares of calls: never answered, given up at no cost, wrong.
    pub(crate) stalls: f64,
    pub(crate) gives_up: f64,
    pub(crate) wrong: f64,
    /// How far off right answers are, in pixels: the deviation of a normal distribution.
    pub(crate) blur: f64,
}

pub(crate) const CHEAP: Truth = Truth {
    name: "cheap",
    price: 900,
    median: 3.0,
    sigma: 0.5,
    stalls: 0.03,
    gives_up: 0.03,
    wrong: 0.04,
    blur: 2.0,
};

pub(crate) const STEADY: Truth = Truth {
    name: "steady",
    price: 1200,
    median: 9.0,
    sigma: 0.4,
    stalls: 0.004,
    gives_up: 0.02,
    wrong: 0.015,
    blur: 1.5,
};

/// Right less often than `cheap`, and more expensive.
pub(crate) const POOR: Truth = Truth {
    name: "poor",
    price: 2500,
    median: 2.0,
    sigma: 0.3,
    stalls: 0.002,
    gives_up: 0.03,
    wrong: 0.15,
    blur: 3.0,
};

pub(crate) const ALL: [Truth; 3] = [CHEAP, STEADY, POOR];

impl Truth {
    pub(crate) fn share_right(&self) -> f64 {
        1.0 - self.stalls - self.gives_up - self.wrong
    }

    pub(crate) fn usd_per_right(&self) -> f64 {
        f64::from(i32::try_from(self.price).unwrap()) / 1e6 * (1.0 - self.gives_up)
            / self.share_right()
    }

    /// The `q` quantile of what a call takes, in seconds.
    pub(crate) fn seconds(&self, q: f64) -> f64 {
        let q = q / (1.0 - self.stalls);
        if q >= 1.0 {
            return LIMIT.as_secs_f64();
        }
        (self.median * (self.sigma * inverse_normal(q)).exp()).min(LIMIT.as_secs_f64())
    }

    /// The median of how far answers are off, in pixels.
    pub(crate) fn error_px(&self) -> f64 {
        let of_right = 0.5 * (self.share_right() + self.wrong) / self.share_right();
        self.blur * inverse_normal(f64::midpoint(1.0, of_right))
    }

    /// A provider like this. What it really bills is added up in `books`.
    pub(crate) fn provider(self, books: &Books) -> Priced<MockSolver> {
        let books = books.clone();
        let decide = move |challenge: &DragChallenge, _| self.outcome(challenge, &books);
        let usd = Usd::from_micros(self.price);
        MockSolver::new(self.name)
            .always_with(decide)
            .with_cost(usd)
            .without_log()
            .priced(usd)
    }

    fn outcome(self, challenge: &DragChallenge, books: &Books) -> Outcome {
        let dice = &books.dice;
        let (kind, latency) = (
            dice.fraction(),
            self.median * (self.sigma * dice.normal()).exp(),
        );
        let (side, error) = (dice.fraction(), dice.normal() * self.blur);
        let latency = Duration::from_secs_f64(latency);
        if kind < self.gives_up {
            return Outcome::error(ErrorKind::Unsolvable, "gave up").after(latency);
        }
        books.billed.fetch_add(self.price, Ordering::Relaxed);
        if kind < self.gives_up + self.stalls {
            return Outcome::hang();
        }
        let off = match kind < self.gives_up + self.stalls + self.wrong {
            true if side < 0.5 => 40.0,
            true => -40.0,
            false => error,
        };
        let truth = true_drag(
            challenge.screenshot().width(),
            challenge.screenshot().height(),
        );
        let end = Point::new(truth.end.x + off, truth.end.y);
        Outcome::answer(Drag::new(truth.start, end)).after(latency)
    }
}

/// What the providers really billed, in millionths of a dollar, and the dice that they throw.
#[derive(Clone, Debug)]
pub(crate) struct Books {
    billed: Arc<AtomicI64>,
    dice: Dice,
}

impl Books {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            billed: Arc::default(),
            dice: Dice(Arc::new(AtomicU64::new(
                seed.wrapping_mul(0x1234_5678_9abc_def1),
            ))),
        }
    }

    pub(crate) fn billed_usd(&self) -> f64 {
        Usd::from_micros(self.billed.load(Ordering::Relaxed)).to_f64_lossy()
    }
}

/// Seeded dice: `SplitMix64`.
#[derive(Clone, Debug)]
struct Dice(Arc<AtomicU64>);

impl Dice {
    fn fraction(&self) -> f64 {
        let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        f64::from(u32::try_from(z >> 32).unwrap()) / (f64::from(u32::MAX) + 1.0)
    }

    fn normal(&self) -> f64 {
        let (one, other) = (1.0 - self.fraction(), self.fraction());
        (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * other).cos()
    }
}

/// What the normal distribution is below with this probability, by halving.
fn inverse_normal(probability: f64) -> f64 {
    let (mut low, mut high) = (-8.0, 8.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if normal(middle) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// Abramowitz and Stegun, 7.1.26: exact to 1.5e-7.
fn normal(x: f64) -> f64 {
    let z = x.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let poly = [
        1.061_405_429,
        -1.453_152_027,
        1.421_413_741,
        -0.284_496_736,
        0.254_829_592,
    ];
    let poly = poly.iter().fold(0.0, |sum, factor| (sum + factor) * t);
    let half = poly * (-z * z).exp() / 2.0;
    if x < 0.0 { half } else { 1.0 - half }
}

/// The true drag on a picture of this size.
fn true_drag(width: u32, height: u32) -> Drag {
    let y = f64::from(height) / 2.0;
    Drag::new(Point::new(60.0, y), Point::new(f64::from(width) - 200.0, y))
}

/// So many pictures, each of its own size.
pub(crate) fn pictures(count: u16) -> Vec<LabelledPicture> {
    let picture = |index: u16| {
        let (width, height) = (600 + index % 50, 1000 + index / 50);
        let drag = true_drag(width.into(), height.into());
        let screenshot = fixtures::screenshot_sized(width, height);
        LabelledPicture::new(format!("{index}.png"), screenshot, drag).unwrap()
    };
    (0..count).map(picture).collect()
}
