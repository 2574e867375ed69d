//! Signals that end the command early.

use crate::exit::Exit;

/// Waits until the command is asked to end, and says in which way.
pub(crate) async fn interruption() -> Exit {
    tokio::select! {
        () = ctrl_c() => Exit::Interrupted,
        exit = system::interruption() => exit,
    }
}

/// Waits until a service is asked to end. Each time it is asked to read its settings again, it does.
pub(crate) async fn service(reload: impl Fn()) {
    let reloads = async {
        loop {
            system::asked_to_reload().await;
            reload();
        }
    };
    tokio::select! {
        () = ctrl_c() => {}
        () = system::asked_to_end() => {}
        () = reloads => {}
    }
}

async fn ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await; // no handler: the system ends the process by itself
    }
}

#[cfg(unix)]
mod system {
    use tokio::signal::unix::{SignalKind, signal};

    use crate::exit::Exit;

    pub(super) async fn interruption() -> Exit {
        tokio::select! {
            () = received(SignalKind::terminate()) => Exit::Terminated,
            () = received(SignalKind::hangup()), if !ignores_hangup() => Exit::HungUp,
        }
    }

    pub(super) async fn asked_to_end() {
        received(SignalKind::terminate()).await;
    }

    pub(super) async fn asked_to_reload() {
        received(SignalKind::hangup()).await;
    }

    async fn received(kind: SignalKind) {
        match signal(kind) {
            Ok(mut signals) => {
                signals.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    }

    /// Whether the command was started to outlive its terminal, as with `nohup`. Linux says so; where it
    /// cannot be known, the command ends and names what it leaves behind.
    fn ignores_hangup() -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        ignored.is_some_and(|mask| mask & 1 != 0) // a bit for each signal, and the first is SIGHUP
    }
}

#[cfg(windows)]
mod system {
    use tokio::signal::windows::{ctrl_close, ctrl_logoff, ctrl_shutdown};

    use crate::exit::Exit;

    pub(super) async fn interruption() -> Exit {
        let (Ok(mut close), Ok(mut logoff), Ok(mut shutdown)) =
            (ctrl_close(), ctrl_logoff(), ctrl_shutdown())
        else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = close.recv() => Exit::HungUp,
            _ = logoff.recv() => Exit::Terminated,
            _ = shutdown.recv() => Exit::Terminated,
        }
    }

    pub(super) async fn asked_to_end() {
        interruption().await;
    }

    /// There is no such signal here: an administrator's call does it.
    pub(super) async fn asked_to_reload() {
        std::future::pending().await
    }
}

#[cfg(not(any(unix, windows)))]
mod system {
    use crate::exit::Exit;

    pub(super) async fn interruption() -> Exit {
        std::future::pending().await
    }

    pub(super) async fn asked_to_end() {
        std::future::pending().await
    }

    pub(super) async fn asked_to_reload() {
        std::future::pending().await
    }
}
