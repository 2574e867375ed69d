//! Nothing that a network or a provider does can hurt: every provider, every fault, every step.
//!
//! [`table`] says what is expected, by hand; [`cell`] tries one provider with one fault at one step, and
//! [`recorded`] records it and plays it back.

mod account;
mod capture;
mod cell;
mod recorded;
mod table;

use std::collections::BTreeMap;
use std::sync::Arc;

use drag_solver::testing::emulator::{Fault, Operation};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use account::Provider;
use cell::{Cell, Moment};

/// Cells that are tried at the same time: those that work, and those that mostly wait.
const BUSY: usize = 8;
const IDLE: usize = 160;

#[allow(clippy::print_stdout)] // the size of the matrix is to be seen
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_at_any_step_hurts_with_any_provider() {
    let seen = capture::start();
    let faults = Fault::all();
    let mut cells = Vec::new();
    // What has no meaning is counted, by the reason.
    let mut meaningless: BTreeMap<&str, usize> = BTreeMap::new();
    for provider in Provider::ALL {
        for fault in &faults {
            for moment in Moment::ALL {
                let why = match moment.operation() {
                    Operation::Connect if !fault.applies_to(Operation::Connect) => {
                        Some("no answer before there is a request")
                    }
                    Operation::Report if !provider.takes_reports() => Some("no reports there"),
                    Operation::Services if !provider.has_services() => {
                        Some("no list of services there")
                    }
                    _ => None,
                };
                match why {
                    Some(why) => *meaningless.entry(why).or_default() += 1,
                    None => cells.push(Cell::new(provider, fault.clone(), moment)),
                }
            }
        }
    }
    let planned = cells.len();
    let all = Provider::ALL.len() * faults.len() * Moment::ALL.len();
    assert_eq!(planned + meaningless.values().sum::<usize>(), all);

    let busy = Arc::new(Semaphore::new(BUSY));
    let idle = Arc::new(Semaphore::new(IDLE));
    let mut running = JoinSet::new();
    for cell in cells {
        let places = Arc::clone(if cell.is_idle() { &idle } else { &busy });
        running.spawn(async move {
            let _place = places.acquire().await.unwrap();
            cell.run().await
        });
    }
    let mut failures = Vec::new();
    let mut tried = 0;
    while let Some(outcome) = running.join_next().await {
        tried += 1;
        failures.extend(outcome.unwrap().err());
    }
    println!(
        "{} providers x {} faults x {} moments = {all} cells: {tried} tried, the others mean nothing \
         ({meaningless:?})",
        Provider::ALL.len(),
        faults.len(),
        Moment::ALL.len(),
    );
    println!("log lines looked at: {:?}", seen.by_target());
    assert_eq!(tried, planned);
    failures.sort();
    assert!(
        failures.is_empty(),
        "{} of {tried} cells failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert_eq!(seen.leaks(), Vec::<String>::new());
    // A capture that captures nothing would find nothing.
    for target in ["drag_solver", "hyper_util", "reqwest"] {
        assert!(
            seen.count_of(target) > 1_000,
            "{target}: {:?}",
            seen.by_target()
        );
    }
}
