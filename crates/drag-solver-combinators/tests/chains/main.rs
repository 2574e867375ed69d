//! Random chains of all combinators, over providers that do everything a provider may do, called by
//! several callers at once that lose patience at any point.
//!
//! In every case: no panic and no hang past a deadline; what is bought, how long it takes and what
//! it costs stay within `worst_case()`; every guard is there before the solver behind it is asked, and
//! is given back whichever way the call ends; and the budget's books agree with the providers'.
//!
//! The cases are the same in every run. `CHAINS_SEED=n` tries others, `CHAINS_CASES=n` more of them;
//! `CHAINS_SHRINK=0` does not look for the smallest plan that fails.

#![allow(clippy::unwrap_used)]

mod build;
mod drive;
mod guards;
mod money;
mod plan;
mod provider;
mod tap;

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Of each of the tests below; together they are to be at least 10,000.
const CASES: u32 = 4_000;

fn setting(name: &str, default: u32) -> u32 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

/// Tries random chains. There are several tests, so that they use several cores.
fn random_chains(part: u8) {
    let config = Config {
        cases: setting("CHAINS_CASES", CASES),
        failure_persistence: None,
        max_shrink_iters: setting("CHAINS_SHRINK", 4_000),
        ..Config::default()
    };
    let mut seed = [part; 32];
    seed[..4].copy_from_slice(&setting("CHAINS_SEED", 0).to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(config, rng);
    runner
        .run(&plan::plans(), |plan| drive::check(&plan))
        .unwrap();
}

#[test]
fn whatever_happens_everything_is_given_back_1() {
    random_chains(1);
}

#[test]
fn whatever_happens_everything_is_given_back_2() {
    random_chains(2);
}

#[test]
fn whatever_happens_everything_is_given_back_3() {
    random_chains(3);
}

#[test]
fn whatever_happens_everything_is_given_back_4() {
    random_chains(4);
}
