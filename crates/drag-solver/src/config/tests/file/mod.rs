//! What the file of a chain becomes.

mod build;
mod mistakes;
mod secrets;
mod timeouts;

use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use crate::config::*;
use crate::testing::{MockSolver, Outcome, fixtures};
use crate::{
    Budget, BudgetPolicy, ConfigError, DragSolver, DragSolverExt as _, ErrorKind,
    RetryBudgetPolicy, RetryPolicy, Solution, SolveError, TimeoutPolicy, Usd, ValidatePolicy,
};

const TOKEN: &str = "hunter2";

fn parse(text: &str) -> Result<ChainConfig, ConfigError> {
    ChainConfig::read(toml::Deserializer::parse(text).unwrap())
}

fn standard() -> Registry {
    Registry::standard().with_variables(|name| name.ends_with("KEY").then(|| TOKEN.into()))
}

/// A registry with the kind `mock`, each solver of which answers after so many failures.
fn mocks() -> Registry {
    #[derive(Deserialize)]
    #[serde(default)]
    struct Config {
        name: String,
        failures: usize,
        seconds: u64,
    }

    impl Default for Config {
        fn default() -> Self {
            Self {
                name: "mock".to_owned(),
                failures: 0,
                seconds: 1,
            }
        }
    }

    let registry = Registry::empty().register("mock", |config: Config, _| {
        Ok(mock(&config.name, config.failures, config.seconds))
    });
    registry.unwrap()
}

fn mock(name: &str, failures: usize, seconds: u64) -> MockSolver {
    let answer = Outcome::answer(fixtures::drag()).after(Duration::from_secs(seconds));
    MockSolver::new(name)
        .then_times(failures, ErrorKind::Unavailable)
        .always(answer)
}

async fn solve(chain: &dyn DragSolver) -> (Result<Solution, SolveError>, Duration) {
    let started = Instant::now();
    let outcome = chain.solve(&fixtures::challenge()).await;
    (outcome, started.elapsed())
}

const WHOLE: &str = r#"
    deadline = "120s"
    strategy = "fallback"
    [budget]
    per_period = "5"
    [[providers]]
    name = "first"
    kind = "omocaptcha"
    token = { env = "FIRST_KEY" }
    price = "0.0009"
    retry = { max_attempts = 2, base_backoff = "100ms" }
    timeout = "60s"
    validate = true
    [[providers]]
    kind = "2captcha"
    base_url = "http://127.0.0.1:1"
    price = 0.0012
    budget = { total = "1" }
    poll = { first = "1s", every = "2s" }
"#;
