//! Memory of jobs that wait with a held poll each.

use std::path::Path;
use std::time::Duration;

use tower::BoxError;

use super::client::{Client, Server};

/// Jobs that wait, each with a poll that is held: at the gateway, and at hyper alone.
pub(crate) async fn memory(folder: &Path) -> Result<(), BoxError> {
    for (kind, workers, keeps_connection) in [
        ("bare", "0", false),
        ("gateway", "256", false),
        ("bare", "0", true),
        ("gateway", "256", true),
        ("gateway", "10000", false),
    ] {
        let each = memory_of_a_poll(folder, kind, workers, keeps_connection).await?;
        let polled = if keeps_connection {
            "the same"
        } else {
            "another"
        };
        if kind == "bare" {
            println!("hyper alone, jobs polled on {polled} connection: {each} bytes each");
        } else {
            println!(
                "{POLLS} jobs that wait, {workers} of them at a provider, each polled on {polled} connection: {each} bytes each"
            );
        }
    }
    Ok(())
}

pub(crate) const POLLS: usize = 10_000;

pub(crate) async fn memory_of_a_poll(
    folder: &Path,
    kind: &str,
    workers: &str,
    keeps_connection: bool,
) -> Result<usize, BoxError> {
    let path = folder.join(format!("memory{workers}{keeps_connection}.db"));
    let path = path.to_str().unwrap_or_default();
    let server = Server::start(&[kind, path, "3600", workers]).await?;
    let mut first = Client::connect(&server.address).await?;
    first.create(0).await?;
    let before = server.memory()?;
    let mut held = Vec::new();
    for number in 1..=POLLS {
        // Those who keep one connection send their next request on the same one.
        let mut client = Client::connect(&server.address).await?;
        let id = if keeps_connection {
            client.create(number).await?
        } else {
            first.create(number).await?
        };
        client.send("/getTaskResult", &Client::poll(id)).await?;
        held.push(client);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let each = server.memory()?.saturating_sub(before) / POLLS;
    let ended = held.iter().filter(|client| !client.is_open()).count();
    if ended > 0 {
        return Err(format!("{ended} polls were not held until their memory was read").into());
    }
    Ok(each)
}
