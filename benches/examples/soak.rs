//! Many challenges through a whole chain, against providers that have every fault there is and are
//! killed twice, and an account of every challenge and every job.
//!
//! `cargo run --release -p drag-solver-benches --example soak -- --challenges 100000 --concurrency 500`
//!
//! Further options, each with a number behind it: `--faults` (of a thousand requests), `--outage`
//! (seconds), `--seed`. It ends with an error if a job was lost or the books do not agree.

#![allow(clippy::print_stdout)] // the account is what it is for

#[path = "../support/soak/mod.rs"]
mod soak;

use std::error::Error;
use std::time::{Duration, Instant};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut plan = soak::Plan::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(option) = arguments.next() {
        let value = arguments.next().ok_or("a number is missing at the end")?;
        match option.as_str() {
            "--challenges" => plan.challenges = value.parse()?,
            "--concurrency" => plan.concurrency = value.parse()?,
            "--faults" => plan.faults_per_mille = value.parse()?,
            "--outage" => plan.outage = Duration::from_secs(value.parse()?),
            "--seed" => plan.seed = value.parse()?,
            other => return Err(format!("there is no option {other}").into()),
        }
    }
    let started = Instant::now();
    let report = soak::run(plan).await?;
    println!("{report}");
    println!("{:.0} s", started.elapsed().as_secs_f64());
    let complaints = report.complaints();
    for complaint in complaints.iter().take(20) {
        println!("WRONG: {complaint}");
    }
    if complaints.is_empty() {
        println!("no job lost, and the books agree to the last one");
        return Ok(());
    }
    Err(format!("{} things are wrong", complaints.len()).into())
}
