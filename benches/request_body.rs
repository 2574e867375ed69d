//! Time and heap that it takes to turn a picture into the body of the request that carries it.
//!
//! `cargo bench -p drag-solver-benches --bench request_body`

#![allow(clippy::print_stdout)] // the figures are what it is for

#[path = "support/bodies.rs"]
mod bodies;
#[path = "support/ratio.rs"]
mod ratio;

use std::hint::black_box;
use std::time::Duration;

use bodies::{BASE64, Case, MEMCPY, OURS, SIZES, USUAL, WAYS};
use criterion::{BenchmarkId, Criterion, Throughput};

/// Bytes of pictures in one turn when two ways are compared: a few milliseconds.
const TURN: usize = 4_000_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();

    let mut group = criterion.benchmark_group("request_body");
    for size in SIZES {
        let case = Case::new(size)?;
        group.throughput(Throughput::Bytes(size as u64));
        for name in WAYS {
            group.bench_function(BenchmarkId::new(name, size), |bencher| {
                bencher.iter(|| run(name, &case, 1));
            });
        }
    }
    group.finish();
    criterion.final_summary();

    for size in SIZES {
        let case = Case::new(size)?;
        let times = TURN / size;
        let usual = ratio::ratio(|| run(USUAL, &case, times), || run(OURS, &case, times));
        let floor = ratio::ratio(
            || run(OURS, &case, times),
            || {
                run(BASE64, &case, times);
                run(MEMCPY, &case, times);
            },
        );
        println!("{size} bytes: usual / ours = {usual:.2}, ours / (base64 + memcpy) = {floor:.2}");
    }
    Ok(())
}

/// Makes a body in the way called `name`, this many times.
fn run(name: &str, case: &Case, times: usize) {
    for _ in 0..times {
        assert!(black_box(black_box(case).make(name)).is_ok());
    }
}
