//! What the process holds.

use std::time::Duration;

/// A look at the process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process {
    /// Resident memory, in KiB; 0 where `/proc` does not say.
    pub(crate) memory: u64,
    /// Open files and sockets.
    pub(crate) files: usize,
    /// Tasks of the runtime.
    pub(crate) tasks: usize,
}

impl Process {
    pub(crate) fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let memory = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next())
            .and_then(|kib| kib.parse().ok())
            .unwrap_or_default();
        let files = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        let metrics = tokio::runtime::Handle::current().metrics();
        Self {
            memory,
            files,
            tasks: metrics.num_alive_tasks(),
        }
    }

    /// As [`now`](Self::now), once as little is open as `before`, or never will be: connections are
    /// closed by tasks of their own.
    pub(crate) async fn settled(before: &Self) -> Self {
        for _ in 0..1_000 {
            let now = Self::now();
            if now.files <= before.files && now.tasks <= before.tasks {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Self::now()
    }
}
