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

use drag_solver::http::Pace;
use drag_solver::mock::emulator::Emulator;
use drag_solver::mock::{MockSolver, Outcome};
use drag_solver::omocaptcha::ApiVersion;
use drag_solver::prelude::*;

const SCREENSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/challenge.png");

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (broke, good) = emulated_providers().await?;
    let soon = Duration::from_millis(10); // real ones are asked every few seconds
    let price: Usd = "0.0009".parse()?;

    let first = Omocaptcha::builder()
        .name("first")
        .token("token-of-the-first")
        .base_url(broke.omocaptcha_v1_url())
        .pace(Pace::new(soon, soon))
        .price(price)
        .build()?
        .validate(ValidatePolicy::default())? // refuses answers that cannot be right
        .timeout(Duration::from_secs(60))? // limits one attempt
        .retry(RetryPolicy::default())?; // tries again, and never pays twice for one job

    // Whether this provider bills a job that it gave up on is not documented. To try again all the
    // same is a decision, and has to be said.
    let again = RetryPolicy::default().retry_unknown_charge(true);
    let second = Omocaptcha::builder()
        .name("second")
        .token("token-of-the-second")
        .api_version(ApiVersion::V2)
        .base_url(good.omocaptcha_v2_url())
        .pace(Pace::new(soon, soon))
        .price(price)
        .build()?
        .validate(ValidatePolicy::default())?
        .timeout(Duration::from_secs(60))?
        .retry(again.base_backoff(soon))?;

    let chain = first.or(second);
    println!("at the worst: {}", chain.worst_case());

    let challenge = DragChallenge::new(Screenshot::from_file(SCREENSHOT)?);
    match chain
        .solve(&challenge.within(Duration::from_secs(120)))
        .await
    {
        Ok(solution) => {
            println!("drag {}, says {}", solution.drag(), solution.provider());
            for attempt in solution.failed_attempts() {
                let who = attempt.provider.as_deref().unwrap_or("nobody");
                println!("before that, {who}: {} ({})", attempt.message, attempt.kind);
            }
            Ok(())
        }
        // An error says what may be tried next and whether money was spent; nobody parses its text.
        Err(error) => {
            println!(
                "next: {:?}, charged: {:?}",
                error.recovery(),
                error.charge()
            );
            for job in error.unfinished_jobs() {
                println!("{job} was paid for: `challenge.resuming(job)` waits for it");
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
