//! Futures driven by hand.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use futures_util::stream::{FuturesUnordered, StreamExt as _};

/// Polls `future` whenever it is woken, and drops it at the await that its poll number `polls` came
/// to.
pub(super) async fn poll_times<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut further = 1..polls;
    drop_once(future, || further.next().is_none()).await
}

/// Polls `future` whenever it is woken, and drops it at the first await at which `is_enough`.
pub(super) async fn drop_once<F: Future>(
    future: F,
    mut is_enough: impl FnMut() -> bool,
) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if is_enough() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// Runs all of them at once, each polled only when it is woken itself, and returns what they return,
/// in the order in which they end.
pub(super) async fn all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let running: FuturesUnordered<F> = futures.into_iter().collect();
    running.collect().await
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
