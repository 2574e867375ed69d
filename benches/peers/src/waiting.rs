//! Resident memory of solves that wait for their answers.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Command;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::Result;
use crate::client::{Client, Whose, picture};
use crate::server::Server;

/// From the last start to the measurement: longer than either client needs for a request, and than
/// ours keeps an idle connection.
const SETTLE: Duration = Duration::from_secs(8);

const PICTURE: usize = 300_000;

/// Each client in a process of its own, so that neither finds memory that the other has left. One
/// solve starts `apart` milliseconds after the other.
pub(crate) async fn compare(solves: u32, apart: u32) -> Result<()> {
    for whose in Whose::ALL {
        let server = Server::start().await?;
        let status = Command::new(std::env::current_exe()?)
            .args(["wait", whose.name(), &server.url])
            .args([solves, apart].map(|number| number.to_string()))
            .stdin(Stdio::null())
            .status()
            .await?;
        if !status.success() {
            println!("{}: failed with {solves} solves ({status})", whose.name());
        }
    }
    Ok(())
}

pub(crate) async fn wait(whose: Whose, url: &str, solves: u32, apart: u32) -> Result<()> {
    let apart = Duration::from_millis(apart.into());
    let all_started = apart * solves;
    let first_poll = all_started + SETTLE + Duration::from_secs(2);
    let warm = Client::new(whose, url, picture(PICTURE), Duration::ZERO)?;
    warm.solve().await?;
    let client = Arc::new(Client::new(whose, url, picture(PICTURE), first_poll)?);
    let before = resident("VmRSS")?;

    let begun = Instant::now();
    let mut running = JoinSet::new();
    for solve in 0..solves {
        let client = Arc::clone(&client);
        running.spawn(async move {
            sleep_until(begun + apart * solve).await;
            client.solve().await
        });
    }
    sleep(all_started + SETTLE).await;
    let waiting = resident("VmRSS")?;
    let (mut solved, mut failed) = (0, 0);
    while let Some(ended) = running.join_next().await {
        match ended? {
            Ok(()) => solved += 1,
            Err(error) => {
                if failed == 0 {
                    println!("  {}: {error}", whose.name());
                }
                failed += 1;
            }
        }
    }
    println!(
        "{}: {solves} waiting, {:.2} KiB resident for each; peak {} MiB; {solved} solved, {failed} failed",
        whose.name(),
        (waiting as f64 - before as f64) / f64::from(solves),
        resident("VmHWM")? / 1024,
    );
    if failed > 0 {
        return Err("not all were solved".into());
    }
    Ok(())
}

/// A figure of this process's memory, in KiB.
fn resident(figure: &str) -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(figure));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(number.ok_or("no such figure")?.parse()?)
}
