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

use std::time::Duration;

use allocation_counter::measure;
use bodies::{BASE64, Case, MEMCPY, OURS, SIZES, USUAL, WAYS};
use chains::{BARE, CHAIN, COMMON, NOTHING, SUBJECTS, TOWER};
use providers::{MOST_OF_COMPILED, PROVIDERS};

/// The most heap allocations that one call may make, by subject.
const ALLOCATIONS: [(&str, u64); 14] = [
    (BARE, 2),
    (NOTHING, 6),
    ("validate", 3),
    ("timeout", 4),
    ("budget", 5),
    ("breaker", 3),
    ("concurrency", 3),
    ("rate", 4),
    ("retry", 4),
    ("fallback", 6),
    ("deadline", 4),
    (CHAIN, 17),
    (COMMON, 8),
    (TOWER, 3),
];

#[test]
fn a_call_allocates_no_more_than_it_did() {
    if drag_solver::COUNTS_CALLS {
        println!(
            "SKIPPED: built with the feature `metrics`, whose counts take allocations of their own; `.ci/run guard` builds without it"
        );
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let _entered = runtime.enter(); // tower's rate limit is built with a timer
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
        if each > limit {
            worse.push(format!("{name}: {each} allocations a call, not {limit}"));
        }
    }
    assert_eq!(worse, Vec::<String>::new());
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
