//! Draws a test picture and solves it through a chain: no network, no account.

#![allow(clippy::print_stdout)] // printing is what a program is for

use std::time::Duration;

use drag_solver::prelude::*;
use drag_solver_mock::challenge::{AnswerKey, TestPicture};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let picture = TestPicture::draw(1)?;
    let chain = AnswerKey
        .validate(ValidatePolicy::default())?
        .timeout(Duration::from_secs(60))?
        .retry(RetryPolicy::default())?;

    let solution = chain.solve(&picture.challenge()).await?;
    println!("{}", solution.drag());
    Ok(())
}
