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

/// Polls `future` whenever it is woken, and drops it at the await that its poll number `polls` came
/// to.
pub(super) async fn poll_times<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut polled = 0;
    poll_fn(|cx| {
        polled += 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if polled >= polls => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Runs all of them at once, and returns what they return, in the order in which they end.
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_future_is_dropped_at_the_await_of_its_last_poll_and_at_once() {
        let second = Duration::from_secs(1);
        for polls in 1..4_u32 {
            let (reached, start) = (Cell::new(0), Instant::now());
            let steps = async {
                for step in 1..4 {
                    reached.set(step);
                    sleep(second).await;
                }
            };
            assert_eq!(poll_times(steps, polls as usize).await, None);
            assert_eq!(reached.get(), polls);
            assert_eq!(start.elapsed(), second * (polls - 1));
        }
        assert_eq!(poll_times(sleep(second), 2).await, Some(()));
    }

    #[tokio::test(start_paused = true)]
    async fn all_waits_for_the_last_and_runs_them_at_once() {
        let start = Instant::now();
        let naps = [3, 1, 2].map(|seconds| async move {
            sleep(Duration::from_secs(seconds)).await;
            seconds
        });
        assert_eq!(all(naps).await, [1, 2, 3]);
        assert_eq!(start.elapsed(), Duration::from_secs(3));
    }
}
