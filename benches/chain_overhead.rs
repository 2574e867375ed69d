//! Nanoseconds that one call of a chain takes, over a solver that answers at once.
//!
//! `cargo bench -p drag-solver-benches --bench chain_overhead`

#![allow(clippy::print_stdout)] // the figures are what it is for

#[path = "support/chains.rs"]
mod chains;
#[path = "support/ratio.rs"]
mod ratio;

use std::hint::black_box;
use std::time::{Duration, Instant};

use chains::{BARE, CHAIN, COMMON, NOTHING, SUBJECTS, Subject, TOWER};
use criterion::Criterion;
use drag_solver::prelude::DragChallenge;
use tokio::runtime::Runtime;
use tower::BoxError;

/// Calls of one turn when two subjects are compared: a fraction of a millisecond.
const CALLS: u64 = 500;

fn main() -> Result<(), BoxError> {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let _entered = runtime.enter(); // tower's rate limit is built with a timer
    let challenge = chains::challenge();

    let mut group = criterion.benchmark_group("chain_overhead");
    for name in SUBJECTS {
        let mut subject = chains::subject(name)?;
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|calls| {
                let started = Instant::now();
                run(&runtime, &mut subject, &challenge, calls);
                started.elapsed()
            });
        });
    }
    group.finish();
    criterion.final_summary();

    for (one, other) in [(CHAIN, BARE), (COMMON, TOWER), (NOTHING, TOWER)] {
        let (mut a, mut b) = (chains::subject(one)?, chains::subject(other)?);
        let ratio = ratio::ratio(
            || run(&runtime, &mut a, &challenge, CALLS),
            || run(&runtime, &mut b, &challenge, CALLS),
        );
        println!("{one} / {other} = {ratio:.2}");
    }
    Ok(())
}

fn run(runtime: &Runtime, subject: &mut Subject, challenge: &DragChallenge, calls: u64) {
    runtime.block_on(async {
        for _ in 0..calls {
            assert!(black_box(subject.call(challenge).await).is_ok());
        }
    });
}
