//! Futures driven by hand.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use drag_solver_core::{DragChallenge, Progress, ProgressListener, Solution, SolveError};
use tokio::time::timeout;

use super::Subject;

/// Solves, and fails if that takes longer than the subject's patience.
pub(super) async fn solve(
    subject: &Subject<'_>,
    challenge: &DragChallenge,
) -> Result<Result<Solution, SolveError>, String> {
    timeout(subject.patience, subject.solver.solve(challenge))
        .await
        .map_err(|_| format!("a call was stuck for {:?}", subject.patience))
}

/// Polls `future` whenever it is woken, `polls` times at most, and then drops it.
pub(super) async fn poll_times<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| {
        let Some(fewer) = left.checked_sub(1) else {
            return Poll::Ready(None);
        };
        left = fewer;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            // The last poll was the last: drop it here, at the await it came to.
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Waits for all of them at once.
pub(super) async fn all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<Pin<Box<F>>> = futures.into_iter().map(Box::pin).collect();
    let mut done = Vec::new();
    poll_fn(|cx| {
        running.retain_mut(|future| match future.as_mut().poll(cx) {
            Poll::Ready(output) => {
                done.push(output);
                false
            }
            Poll::Pending => true,
        });
        if running.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    done
}

/// Hears whether anything may have been bought.
#[derive(Debug, Default)]
pub(super) struct Purchases(AtomicBool);

impl Purchases {
    pub(super) fn any(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl ProgressListener for Purchases {
    fn on_progress(&self, progress: &Progress<'_>) {
        if matches!(progress, Progress::Buying { .. } | Progress::Bought { .. }) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
}
