//! Waits of our own: told to those who observe a challenge, so that no timer and no bill takes them
//! for the provider's, and counted in the worst case.

use std::time::Duration;

use drag_solver_core::{DragChallenge, Event, WorstCase};
use tokio::time::Instant;

use crate::measure::{self, Held, WAIT_DURATION, WAITING};

/// What is waited for.
#[derive(Clone, Copy)]
pub(crate) enum Reason {
    /// Of a concurrency limit.
    Permit,
    /// Of a rate limit.
    Turn,
}

impl Reason {
    /// For people.
    const fn text(self) -> &'static str {
        match self {
            Self::Permit => "a permit",
            Self::Turn => "its turn",
        }
    }

    /// For metrics.
    const fn label(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::Turn => "turn",
        }
    }
}

/// A wait that is measured, however it ends.
struct Measured<'a> {
    solver: &'a str,
    reason: Reason,
    begun: Instant,
    _held: Held,
}

impl<'a> Measured<'a> {
    fn begin(solver: &'a str, reason: Reason) -> Self {
        let labels = [("solver", solver), ("reason", reason.label())];
        Self {
            solver,
            reason,
            begun: Instant::now(),
            _held: Held::of(WAITING, &labels),
        }
    }
}

impl Drop for Measured<'_> {
    fn drop(&mut self) {
        let labels = [("solver", self.solver), ("reason", self.reason.label())];
        measure::observe(WAIT_DURATION, &labels, self.begun.elapsed().as_secs_f64());
    }
}

/// Awaits `wait`, and says so.
pub(crate) async fn wait_for<T>(
    reason: Reason,
    wait: impl Future<Output = T>,
    solver: &str,
    challenge: &DragChallenge,
) -> T {
    let measured = Measured::begin(solver, reason);
    let reason = reason.text();
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
