//! Two providers in a chain: when the first fails, the second is asked.
//!
//! ```sh
//! cargo run -p drag-solver-examples --example fallback_chain
//! ```
//!
//! Both are emulated on loopback ports, so that this runs with no account: the first has no money
//! left, and the second's people give up once before they find the answer.

#![allow(clippy::print_stdout)] // printing is what a program is for

use std::error::Error;
use std::time::Duration;

use drag_solver::http::PollInterval;
use drag_solver::prelude::*;
use drag_solver::providers::ApiVersion;
use drag_solver::testing::emulator::{Emulator, Protocol};
use drag_solver::testing::{MockSolver, Outcome};
use drag_solver::{Budget, BudgetPolicy, CircuitBreakerPolicy};

const SCREENSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/challenge.png");

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (broke, good) = emulated_providers().await?;
    let soon = Duration::from_millis(10); // real ones are asked every few seconds
    let price: Usd = "0.0009".parse()?; // the most that an answer costs
    let budget = Budget::new(BudgetPolicy::default().total("5".parse()?)); // for both together

    // From the inside out: what is called first sits next to the provider.
    let first = Omocaptcha::builder()
        .name("first")
        .token("token-of-the-first")
        .base_url(broke.url(Protocol::OmocaptchaV1))
        .poll(PollInterval::new(soon, soon))
        .build()?
        .validate(ValidatePolicy::default()) // refuses answers that cannot be right
        .timeout(Duration::from_secs(60)) // limits one attempt
        .budget(&budget, price) // spends no more than is left
        .circuit_breaker(CircuitBreakerPolicy::default()) // leaves a provider alone that keeps failing
        .retry(RetryPolicy::default()); // tries again, and never pays twice for one job

    // Whether this provider bills a job that it gave up on is not documented. To try again all the
    // same is a decision, and has to be said.
    let again = RetryPolicy::default().retry_maybe_billed(true);
    let second = Omocaptcha::builder()
        .name("second")
        .token("token-of-the-second")
        .api_version(ApiVersion::V2)
        .base_url(good.url(Protocol::OmocaptchaV2))
        .poll(PollInterval::new(soon, soon))
        .build()?
        .validate(ValidatePolicy::default())
        .timeout(Duration::from_secs(60))
        .budget(&budget, price)
        .circuit_breaker(CircuitBreakerPolicy::default())
        .retry(again.base_backoff(soon));

    let chain = first.or(second).deadline(Duration::from_secs(120));
    println!("at most: {}", chain.profile().worst_case);

    let challenge = DragChallenge::new(Screenshot::from_file(SCREENSHOT)?);
    match chain.solve(&challenge).await {
        Ok(solution) => {
            println!("drag {}, says {}", solution.drag(), solution.solver());
            for attempt in solution.failed_attempts() {
                let solver = attempt.solver.as_deref().unwrap_or("the chain");
                println!(
                    "before that, {solver}: {} ({})",
                    attempt.message, attempt.kind
                );
            }
            println!("spent ${}", budget.spent());
            Ok(())
        }
        // An error says what may be tried next and whether money was spent: no need to read its text.
        Err(error) => {
            println!("next: {}, billed: {}", error.recovery(), error.billed());
            for job in error.unfinished_jobs() {
                println!("{job} was paid for: `challenge.resume_job(job)` waits for it");
            }
            Err(error.into())
        }
    }
}

/// One whose account is empty, and one whose people do not always know.
async fn emulated_providers() -> Result<(Emulator, Emulator), Box<dyn Error>> {
    let broke = Emulator::builder().balance(Usd::ZERO).start().await?;
    let drag = Drag::new(Point::new(111.0, 589.0), Point::new(466.0, 589.0));
    let people = MockSolver::new("people")
        .then(Outcome::error(ErrorKind::Unsolvable, "too blurred"))
        .always(drag);
    let good = Emulator::builder().solver(people).start().await?;
    Ok((broke, good))
}
