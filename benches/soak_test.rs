//! The soak, scaled down.

#![allow(clippy::print_stdout)] // the account is worth a look

#[path = "support/soak/mod.rs"]
mod soak;

use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_challenge_and_every_job_is_accounted_for() {
    let plan = soak::Plan {
        challenges: 400,
        concurrency: 40,
        faults_per_mille: 100,
        outage: Duration::from_millis(200),
        ..soak::Plan::default()
    };
    let report = match soak::run(plan).await {
        Ok(report) => report,
        Err(error) => panic!("{error}"),
    };
    println!("{report}");
    assert_eq!(report.complaints(), Vec::<String>::new(), "{report}");
}
