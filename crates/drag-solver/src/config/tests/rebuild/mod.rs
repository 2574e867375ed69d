//! A chain that is made again from a changed file keeps what it knows, while calls are under way.

mod given;
mod health;
mod learnt;
mod money;

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::{Instant, advance, sleep, timeout};

use crate::config::*;
use crate::testing::{MockSolver, Outcome, fixtures};
use crate::{
    BudgetPolicy, Circuit, CircuitBreakerPolicy, CircuitState, ConcurrencyLimitPolicy, ConfigError,
    DragSolver, ErrorKind, Latencies, Permits, RateLimiter, TrackRecord, Usd,
};

/// The providers' own settings.
#[derive(Deserialize)]
#[serde(default)]
struct Own {
    address: String,
}

impl Default for Own {
    fn default() -> Self {
        let address = "right".to_owned();
        Self { address }
    }
}

/// A registry in which the kinds `a` and `b` are these solvers, whichever chain asks them.
fn registry(a: &MockSolver, b: &MockSolver) -> Registry {
    let make = |solver: &MockSolver| {
        let solver = solver.clone();
        move |own: Own, _: &crate::http::Context| {
            if own.address == "none" {
                return Err(ConfigError::new("address", "leads nowhere"));
            }
            Ok(solver.clone())
        }
    };
    let registry = Registry::empty().register("a", make(a));
    registry.unwrap().register("b", make(b)).unwrap()
}

fn config(text: &str) -> ChainConfig {
    toml::from_str(text).unwrap()
}

/// A chain of `a` alone, with these lines.
fn only_a(lines: &str) -> ChainConfig {
    config(&format!("[[providers]]\nkind = \"a\"\n{lines}\n"))
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn usd(text: &str) -> Usd {
    text.parse().unwrap()
}

fn answers(name: &str, seconds: u64) -> MockSolver {
    MockSolver::new(name).always(Outcome::answer(fixtures::drag()).after(secs(seconds)))
}

/// Calls that run beside the test.
fn spawn(chain: &Chain, count: usize) -> Vec<tokio::task::JoinHandle<Option<ErrorKind>>> {
    let call = || {
        let chain = chain.clone();
        let call = async move { chain.solve(&fixtures::challenge()).await };
        tokio::spawn(async move { call.await.err().map(|error| error.kind()) })
    };
    (0..count).map(|_| call()).collect()
}

/// Lets every task run as far as it can at this instant.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

async fn failure(chain: &Chain) -> ErrorKind {
    let error = chain.solve(&fixtures::challenge()).await.unwrap_err();
    error.kind()
}
