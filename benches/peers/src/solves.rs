//! Solves per second of the client's CPU, user and system time, over loopback.

use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::task::JoinSet;

use crate::Result;
use crate::client::{Client, Whose, picture};
use crate::server::Server;

/// Rounds in which each client has its turn.
const ROUNDS: usize = 31;

/// Solves of one turn, and how many of them are under way at once.
const SOLVES: usize = 96;
const AT_ONCE: usize = 8;

const PICTURE: usize = 300_000;

pub(crate) async fn compare() -> Result<()> {
    let server = Server::start().await?;
    let [ours, peers] = Whose::BOTH.map(|whose| {
        Client::new(whose, &server.url, picture(PICTURE), Duration::ZERO).map(Arc::new)
    });
    let (ours, peers) = (ours?, peers?);
    turn(&ours).await?;
    turn(&peers).await?;
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        // The one that comes second finds the caches as the other left them: each does, in turn.
        if round % 2 == 0 {
            rounds.push((turn(&ours).await?, turn(&peers).await?));
        } else {
            let peers = turn(&peers).await?;
            rounds.push((turn(&ours).await?, peers));
        }
    }
    println!("{ROUNDS} rounds of {SOLVES} solves, {AT_ONCE} at once, pictures of {PICTURE} bytes");
    let per_second = |seconds| SOLVES as f64 / seconds;
    let ours = median(rounds.iter().map(|(ours, _)| *ours));
    let peers = median(rounds.iter().map(|(_, peers)| *peers));
    println!("  ours: {:.0} solves per CPU-second", per_second(ours));
    println!("  capmonstercloud-client: {:.0}", per_second(peers));
    let ratio = median(rounds.iter().map(|(ours, peers)| peers / ours));
    println!("  ours / capmonstercloud-client = {ratio:.2} (median of rounds)");
    Ok(())
}

/// CPU seconds of one turn.
async fn turn(client: &Arc<Client>) -> Result<f64> {
    let started = cpu_seconds();
    let mut running = JoinSet::new();
    for _ in 0..AT_ONCE {
        let client = Arc::clone(client);
        running.spawn(async move {
            for _ in 0..SOLVES / AT_ONCE {
                client.solve().await?;
            }
            Result::Ok(())
        });
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    Ok(cpu_seconds() - started)
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
