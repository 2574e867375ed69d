//! Waits of our own: told to those who observe a challenge, so that no timer and no bill takes them
//! for the provider's, and counted in the worst case.

use std::time::Duration;

use drag_solver_core::{DragChallenge, Event, WorstCase};
use tokio::time::Instant;

use crate::measure::{self, Held, WAIT_DURATION, WAITING};

/// What is waited for: for people, and for the metrics.
#[derive(Clone, Copy)]
pub(crate) struct Reason {
    text: &'static str,
    label: &'static str,
}

/// Of a concurrency limit.
pub(crate) const PERMIT: Reason = Reason {
    text: "a permit",
    label: "permit",
};

/// Of a rate limit.
pub(crate) const TURN: Reason = Reason {
    text: "its turn",
    label: "turn",
};

/// A wait that is measured, however it ends.
struct Measured<'a> {
    labels: [(&'static str, &'a str); 2],
    begun: Instant,
    _held: Held,
}

impl Drop for Measured<'_> {
    fn drop(&mut self) {
        let seconds = self.begun.elapsed().as_secs_f64();
        measure::observe(WAIT_DURATION, &self.labels, seconds);
    }
}

/// Awaits `wait`, and says so.
pub(crate) async fn wait_for<T>(
    reason: Reason,
    wait: impl Future<Output = T>,
    solver: &str,
    challenge: &DragChallenge,
) -> T {
    let labels = [("solver", solver), ("reason", reason.label)];
    let measured = Measured {
        labels,
        begun: Instant::now(),
        _held: Held::of(WAITING, &labels),
    };
    let reason = reason.text;
    // Observers can refuse a purchase, and nothing else: there is no error to look at.
    let _ = challenge.notify(Event::Waiting { solver, reason }).await;
    let output = wait.await;
    drop(measured);
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
