//! Killed at random instants, many times over.

use std::path::Path;
use std::time::Duration;

use super::provider::Provider;
use super::{Process, Said};

/// How often processes are killed in all.
const KILLS: usize = 200;

/// A small generator: the same instants in every run, as far as the machine lets them be the same.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Lets processes work on these challenges, as many at a time as `at_once`, kills each after so many requests as the
/// generator says, and at the end lets one come to its end. Returns how many were killed.
async fn until_done(
    provider: &Provider,
    store: &Path,
    seeds: &[u64],
    at_once: usize,
    random: &mut Random,
) -> usize {
    let mut killed = 0;
    loop {
        let start = |_| Process::start(provider, store, seeds, None);
        let mut processes: Vec<Process> = (0..at_once).map(start).collect();
        for process in &mut processes {
            let (before, more) = (provider.emulator.stats().requests, random.below(25));
            while provider.emulator.stats().requests < before + more && !process.has_ended() {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
            for _ in 0..random.below(20_000) {
                std::hint::spin_loop(); // not always right after a request
            }
            if process.has_ended() {
                continue;
            }
            process.kill();
            killed += 1;
        }
        let mut ended = processes.iter_mut().map(Process::said);
        if ended.any(|said| matches!(said, Said::Done(_))) {
            break;
        }
        // Nothing may be left to do, and yet each be killed while it starts.
        if random.below(12) == 0 {
            break;
        }
    }
    let mut last = Process::start(provider, store, seeds, None);
    assert!(matches!(last.said(), Said::Done(_)));
    killed
}

async fn killed_many_times(at_once: usize, seed: u64, kills: usize) {
    let mut random = Random(seed);
    let (mut killed, mut challenges, mut unsure) = (0, 0, 0);
    while killed < kills {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("s.db");
        let provider = Provider::start(|it| it.running_polls(1)).await;
        let seeds: Vec<u64> = (1..=24).collect();
        killed += until_done(&provider, &store, &seeds, at_once, &mut random).await;
        challenges += seeds.len();
        unsure += provider.reconcile(&store, &seeds).await;
    }
    println!("{killed} killed, {challenges} challenges, of {unsure} nobody can know");
    assert!(unsure < challenges, "nothing was ever solved");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_instants_it_pays_once_and_loses_nothing() {
    killed_many_times(1, 4_711, KILLS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_one_file_that_are_killed_pay_once_and_lose_nothing() {
    killed_many_times(2, 815, KILLS / 2).await;
}
