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

/// Cells that work at the same time.
const BUSY: usize = 8;

/// Every cell of these moments. What has no meaning is counted, by the reason.
fn cells(moments: &[Moment]) -> (Vec<Cell>, BTreeMap<&'static str, usize>) {
    let mut cells = Vec::new();
    let mut meaningless: BTreeMap<&str, usize> = BTreeMap::new();
    for provider in Provider::ALL {
        for fault in Fault::all() {
            for &moment in moments {
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
    (cells, meaningless)
}

/// Tries every cell, each with its number, and at most so many at once of those that mostly wait. Says how
/// many were tried and what is wrong.
async fn try_all<F>(
    cells: Vec<Cell>,
    idle: usize,
    attempt: impl Fn(usize, Cell) -> F,
) -> (usize, Vec<String>)
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let places = [BUSY, idle].map(|places| Arc::new(Semaphore::new(places)));
    let mut running = JoinSet::new();
    for (number, cell) in cells.into_iter().enumerate() {
        let places = Arc::clone(&places[usize::from(cell.is_idle())]);
        let attempt = attempt(number, cell);
        running.spawn(async move {
            let _place = places.acquire().await.unwrap();
            attempt.await
        });
    }
    let all = running.join_all().await;
    let tried = all.len();
    let mut failures: Vec<_> = all.into_iter().filter_map(Result::err).collect();
    failures.sort();
    (tried, failures)
}

#[allow(clippy::print_stdout)] // the size of the matrix is to be seen
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_at_any_step_hurts_with_any_provider() {
    let seen = capture::start();
    let faults = Fault::all().len();
    let (cells, meaningless) = cells(&Moment::ALL);
    let planned = cells.len();
    let all = Provider::ALL.len() * faults * Moment::ALL.len();
    assert_eq!(planned + meaningless.values().sum::<usize>(), all);

    let (tried, failures) = try_all(cells, 160, |_, cell| cell.run()).await;
    println!(
        "{} providers x {} faults x {} moments = {all} cells: {tried} tried, the others mean nothing \
         ({meaningless:?})",
        Provider::ALL.len(),
        faults,
        Moment::ALL.len(),
    );
    println!("log lines looked at: {:?}", seen.by_target());
    assert_eq!(tried, planned);
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
