//! Signals that end the command early.

use crate::outcome::Exit;

/// Waits until somebody wants the command to end, and says which way.
pub(crate) async fn signal() -> Exit {
    tokio::select! {
        () = interrupted() => Exit::Interrupted,
        () = terminated() => Exit::Terminated,
    }
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await; // no handler: the system ends the process by itself
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};

    match signal(SignalKind::terminate()) {
        Ok(mut signals) => {
            signals.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
