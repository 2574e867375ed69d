//! Killed at random instants, many times over.

use std::time::Duration;

use super::place::{House, Place};
use super::provider::Provider;
use super::{Process, Said};

/// How often processes are killed in all.
const KILLS: usize = 200;

/// The same over PostgreSQL, where each start takes longer.
#[cfg(unix)]
const KILLS_OVER_POSTGRES: usize = 60;

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
    place: &mut Place,
    seeds: &[u64],
    at_once: usize,
    random: &mut Random,
) -> usize {
    let mut killed = 0;
    loop {
        let start = |_| Process::start(provider, &place.address, seeds, None);
        let mut processes: Vec<Process> = (0..at_once).map(start).collect();
        for process in &mut processes {
            let (before, more) = (provider.emulator.traffic().requests, random.below(25));
            while provider.emulator.traffic().requests < before + more && !process.has_ended() {
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
        place.later();
        let mut ended = processes.iter_mut().map(Process::said);
        if ended.any(|said| matches!(said, Said::Done(_))) {
            break;
        }
        // Nothing may be left to do, and yet each be killed while it starts.
        if random.below(12) == 0 {
            break;
        }
    }
    let mut last = Process::start(provider, &place.address, seeds, None);
    assert!(matches!(last.said(), Said::Done(_)));
    killed
}

async fn killed_many_times(house: &House, at_once: usize, seed: u64, kills: usize) {
    let mut random = Random(seed);
    let (mut killed, mut challenges, mut unsure) = (0, 0, 0);
    while killed < kills {
        let mut place = house.place();
        let provider = Provider::start(|it| it.running_polls(1)).await;
        let seeds: Vec<u64> = (1..=24).collect();
        killed += until_done(&provider, &mut place, &seeds, at_once, &mut random).await;
        challenges += seeds.len();
        unsure += provider.reconcile(&place.address, &seeds).await;
    }
    println!("{killed} killed, {challenges} challenges, of {unsure} nobody can know");
    assert!(unsure < challenges, "nothing was ever solved");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_instants_it_pays_once_and_loses_nothing() {
    killed_many_times(&House::Files, 1, 4_711, KILLS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_one_file_that_are_killed_pay_once_and_lose_nothing() {
    killed_many_times(&House::Files, 2, 815, KILLS / 2).await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn killed_over_postgres_at_random_instants_it_pays_once_and_loses_nothing() {
    let Some(house) = House::postgres() else {
        return;
    };
    killed_many_times(&house, 1, 4_711, KILLS_OVER_POSTGRES).await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_one_database_that_are_killed_pay_once_and_lose_nothing() {
    let Some(house) = House::postgres() else {
        return;
    };
    killed_many_times(&house, 2, 815, KILLS_OVER_POSTGRES / 2).await;
}
