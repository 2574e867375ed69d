//! Figures that are the same on every machine, allocations and bytes of heap. Each has a limit: a
//! change that makes one worse is seen here.
//!
//! `cargo test -p drag-solver-benches -- --nocapture` prints them.

#![allow(clippy::print_stdout)] // the figures are half of what it is for

#[path = "support/bodies.rs"]
mod bodies;
#[path = "support/chains.rs"]
mod chains;
#[path = "support/polling.rs"]
mod polling;
#[path = "support/providers.rs"]
mod providers;

use std::task::{Context, Waker};
use std::time::Duration;

use allocation_counter::measure;
use bodies::{BASE64, Case, MEMCPY, OURS, SIZES, USUAL, WAYS};
use chains::{BARE, CHAIN, COMMON, NOTHING, SUBJECTS, TOWER};
use drag_solver::http::{ApiRequest, ApiResponse, Transport, TransportError};
use drag_solver::prelude::*;
use drag_solver::testing::fixtures;
use metrics_exporter_prometheus::PrometheusBuilder;
use providers::{MOST_OF_COMPILED, PROVIDERS};

/// The most heap allocations that one call may make, by subject.
const ALLOCATIONS: [(&str, u64); 14] = [
    (BARE, 2),
    (NOTHING, 6),
    ("validate", 3),
    ("timeout", 4),
    ("budget", 4),
    ("breaker", 3),
    ("concurrency", 3),
    ("rate", 4),
    ("retry", 4),
    ("fallback", 6),
    ("deadline", 4),
    (CHAIN, 16),
    (COMMON, 8),
    (TOWER, 3),
];

/// Where it is other with the feature `metrics`: the recorder of Prometheus allocates three times for each
/// metric that it is asked for.
const COUNTED: [(&str, u64); 4] = [
    ("breaker", 9),
    ("concurrency", 6),
    (CHAIN, 25),
    (COMMON, 11),
];

#[test]
fn a_call_allocates_no_more_than_it_did() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let _entered = runtime.enter(); // tower's rate limit is built with a timer
    let recorder = PrometheusBuilder::new().build_recorder();
    let _installed = metrics::set_default_local_recorder(&recorder);
    let challenge = chains::challenge();
    assert_eq!(ALLOCATIONS.map(|(name, _)| name), SUBJECTS);
    let mut worse = Vec::new();
    for (name, limit) in ALLOCATIONS {
        let mut subject = chains::subject(name).unwrap();
        let mut allocations = |calls: u64| {
            let made = measure(|| {
                runtime.block_on(async {
                    for _ in 0..calls {
                        subject.call(&challenge).await.unwrap();
                    }
                });
            });
            made.count_total
        };
        allocations(1); // what only the first call makes ready
        // The difference leaves out what the measurement itself allocates.
        let each = (allocations(20) - allocations(10)) / 10;
        println!("{name}: {each} allocations a call");
        let counted = COUNTED.iter().find(|(counted, _)| *counted == name);
        let limit = match counted {
            Some((_, counted)) if drag_solver::COUNTS_CALLS => *counted,
            _ => limit,
        };
        if each > limit {
            worse.push(format!("{name}: {each} allocations a call, not {limit}"));
        }
    }
    let counted = recorder.handle().render();
    let is_counted = counted.contains("drag_solver_permits_in_flight");
    assert_eq!(is_counted, drag_solver::COUNTS_CALLS);
    assert_eq!(worse, Vec::<String>::new());
}

/// The most heap that a solve may hold which was bought and waits for its answer, beyond its picture.
const WAITING: i64 = 356;

/// A provider that takes every job.
#[derive(Debug)]
struct Accepting;

#[async_trait]
impl Transport for Accepting {
    async fn send(&self, _: ApiRequest, _: Duration) -> Result<ApiResponse, TransportError> {
        let created = r#"{"errorId": 0, "taskId": 72345678901}"#;
        Ok(ApiResponse::new(200, created))
    }
}

#[test]
fn a_solve_that_waits_holds_little() {
    const SOLVES: usize = 100;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let _entered = runtime.enter(); // for its timers
    let builder = TwoCaptcha::builder().token("token").transport(Accepting);
    let solver = builder.build().unwrap();
    let challenge = fixtures::challenge_sized(400, 800);
    let mut waiting = Vec::with_capacity(SOLVES);
    let mut buy = |solves: usize| {
        for _ in 0..solves {
            let mut solving = solver.solve(&challenge);
            let polled = solving
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending());
            waiting.push(solving);
        }
    };
    buy(1); // what only the first one makes ready
    let held = measure(|| buy(SOLVES - 1));
    let each = |all: i64| all / i64::try_from(SOLVES - 1).unwrap();
    println!(
        "a solve that waits: {} bytes in {} allocations, of them {} its future",
        each(held.bytes_current),
        each(held.count_current),
        size_of_val(&*waiting[0]),
    );
    assert!(each(held.bytes_current) <= WAITING);
}

/// `--bench instructions` compares what they execute.
#[test]
fn a_declared_provider_allocates_little_more_than_one_in_rust() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let [compiled, declared] = PROVIDERS.map(|name| {
        let allocations = |calls: usize| {
            let provider = providers::provider(name, calls).unwrap();
            let made = measure(|| {
                let solving = providers::solve(&*provider, calls);
                runtime.block_on(solving).unwrap();
            });
            made.count_total
        };
        allocations(1); // what only the first call makes ready
        let each = (allocations(200) - allocations(100)) / 100;
        println!("{name}: {each} allocations a solve");
        each
    });
    #[allow(clippy::cast_precision_loss)] // far below 2^53
    let ratio = declared as f64 / compiled as f64;
    assert!(ratio <= MOST_OF_COMPILED, "{ratio:.2}");
}

#[test]
fn a_body_is_allocated_once() {
    for size in SIZES {
        let case = Case::new(size).unwrap();
        for name in WAYS {
            let mut length = 0;
            let heap = measure(|| length = case.make(name).unwrap().len() as u64);
            println!(
                "{name} {size}: peak heap {} for {length} bytes",
                heap.bytes_max
            );
            assert!(
                name != OURS || heap.bytes_max * 100 <= length * 105,
                "a peak of {} bytes is over 1.05 x the body's {length}",
                heap.bytes_max
            );
        }
    }
}

#[test]
fn every_way_makes_what_it_says() {
    let case = Case::new(SIZES[0]).unwrap();
    let body = |name| case.make(name).unwrap();
    assert_eq!(body(OURS), body(USUAL), "the comparison is of equal work");
    assert_eq!(body(OURS), body(MEMCPY));
    let ours = body(OURS);
    let encoded = body(BASE64);
    assert!(ours.windows(encoded.len()).any(|part| part == encoded));
}

#[test]
fn answers_are_fetched_sooner_than_others_do_and_with_fewer_polls() {
    const JOBS: usize = 2_000;
    for latency in polling::PROVIDERS {
        let others = polling::OTHERS.map(|(first, every)| {
            let (first, every) = (Duration::from_secs(first), Duration::from_secs(every));
            polling::fixed(latency, JOBS, first, every).unwrap()
        });
        let best = others
            .into_iter()
            .min_by(|a, b| a.added.total_cmp(&b.added))
            .unwrap();
        for callers in [1, 100] {
            let ours = polling::ours(latency, JOBS, callers).unwrap();
            println!("{latency:?}, {callers} at once: {ours:?}, best of the others {best:?}");
            assert!(ours.added <= 0.8 * best.added);
            assert!(ours.polls <= best.polls);
        }
        let floor = polling::floor(latency, JOBS).1;
        assert!(floor.added <= best.added, "or the floor is none: {floor:?}");
    }
}
