//! Waits of our own: told to those who observe a challenge, so that no timer and no bill takes them
//! for the provider's, and counted in the worst case.

use std::time::Duration;

use drag_solver_core::{DragChallenge, Event, WorstCase};

/// Awaits `wait`, and says so.
pub(crate) async fn wait_for<T>(
    reason: &'static str,
    wait: impl Future<Output = T>,
    solver: &str,
    challenge: &DragChallenge,
) -> T {
    // Observers can refuse a purchase, and nothing else: there is no error to look at.
    let _ = challenge.notify(Event::Waiting { solver, reason }).await;
    let output = wait.await;
    let _ = challenge.notify(Event::WaitEnded { solver }).await;
    output
}

/// `worst` after a wait of at most this long; without a limit, no limit on its time is known.
pub(crate) fn after_wait(max_wait: Option<Duration>, mut worst: WorstCase) -> WorstCase {
    let Some(wait) = max_wait else {
        worst.time = None;
        return worst;
    };
    worst.delayed_by(wait)
}
