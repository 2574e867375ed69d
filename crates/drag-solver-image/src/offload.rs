//! Work off the async threads.

use std::sync::Arc;

use drag_solver_core::{ErrorKind, SolveError};
use tokio::sync::Semaphore;
use tokio::task;

/// How many pictures are worked on at once, over all solvers of the process: it bounds memory and
/// leaves processors to others. Each takes some hundredths of a second, so that is a hundred a second.
const LANES: usize = 4;

static LANE: Semaphore = Semaphore::const_new(LANES);

/// Does `work` on a thread where it may take its time, and tells it on request whether a caller still
/// waits. Its lane is free only when it has ended, so that dropped calls do not pile up.
///
/// # Errors
///
/// What `work` says, or that a codec panicked on what it was given.
pub(crate) async fn offload<T: Send + 'static>(
    work: impl FnOnce(&dyn Fn() -> bool) -> Result<T, SolveError> + Send + 'static,
) -> Result<T, SolveError> {
    // Lives as long as this future: a cancellation token of one line.
    let waiting = Arc::new(());
    let waits = Arc::downgrade(&waiting);
    // The semaphore is never closed.
    let lane = LANE.acquire().await.ok();
    let outcome = task::spawn_blocking(move || {
        let _lane = lane;
        work(&|| waits.strong_count() > 0)
    })
    .await;
    drop(waiting);
    outcome.unwrap_or_else(|error| {
        let problem = if error.is_panic() {
            "the image codec panicked on the screenshot"
        } else {
            "the runtime is shutting down"
        };
        Err(SolveError::new(ErrorKind::Unsupported, problem))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::sync::Mutex;

    use super::*;

    /// These tests fill the one and only semaphore.
    static ALONE: Mutex<()> = Mutex::const_new(());

    #[tokio::test]
    async fn a_dropped_call_keeps_its_lane_until_its_work_has_ended() {
        let _alone = ALONE.lock().await;
        let (release, released) = mpsc::channel::<()>();
        let (ended, ending) = tokio::sync::oneshot::channel();
        let call = tokio::spawn(offload(move |is_wanted| {
            released.recv().unwrap();
            let _ = ended.send(!is_wanted());
            Ok(())
        }));
        while LANE.available_permits() == LANES {
            tokio::task::yield_now().await;
        }
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
        assert_eq!(LANE.available_permits(), LANES - 1, "the work continues");
        release.send(()).unwrap();
        assert!(
            ending.await.unwrap(),
            "the work learns that no caller waits"
        );
        let _all = LANE
            .acquire_many(LANES.try_into().unwrap())
            .await
            .expect("every lane comes back");
    }

    #[tokio::test]
    async fn a_call_that_waits_for_a_lane_leaves_nothing_when_dropped() {
        let _alone = ALONE.lock().await;
        let all = LANE.acquire_many(LANES.try_into().unwrap()).await.unwrap();
        let queued = tokio::spawn(offload(|_| -> Result<(), SolveError> { unreachable!() }));
        tokio::task::yield_now().await;
        queued.abort();
        assert!(queued.await.unwrap_err().is_cancelled());
        drop(all);
        assert_eq!(LANE.available_permits(), LANES);
    }

    #[tokio::test]
    async fn a_panic_of_a_codec_is_an_error_of_the_picture() {
        let _alone = ALONE.lock().await;
        let error = offload(|_| -> Result<(), SolveError> { panic!("on purpose") })
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("panicked"), "{error}");
        assert_eq!(LANE.available_permits(), LANES);
    }
}
