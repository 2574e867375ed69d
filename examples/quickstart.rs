//! Solve a screenshot.
//!
//! ```sh
//! cargo run -p drag-solver-examples --example quickstart
//! ```
//!
//! A real program asks `Omocaptcha::from_env()?`. This one runs with no account: it talks to an
//! emulated provider on a loopback port, by the same client and over the same protocol.

#![allow(clippy::print_stdout)] // printing is what a program is for

use std::error::Error;
use std::time::Duration;

use drag_solver::http::PollInterval;
use drag_solver::prelude::*;
use drag_solver::testing::emulator::{Emulator, Protocol};
use drag_solver::testing::pictures::AnswerKey;

const SCREENSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/challenge.png");

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let provider = Emulator::builder().solver(AnswerKey).start().await?;
    let soon = Duration::from_millis(10);
    let solver = Omocaptcha::builder()
        .token("any-will-do-here")
        .base_url(provider.url(Protocol::OmocaptchaV1))
        .poll(PollInterval::new(soon, soon)) // the real one is asked every 2 s, unless told otherwise
        .build()?;

    let challenge = DragChallenge::new(Screenshot::from_file(SCREENSHOT)?);
    let solution = solver.solve(&challenge).await?;
    println!("drag {}", solution.drag());
    Ok(())
}
