//! Waiting for a provider's call.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::trust::Trust;
use crate::callbacks::Registration;
use crate::times::TimeLimit;

/// Polls in a row that are left out while callbacks can be relied on.
const LEFT_OUT: u32 = 3;

/// The call that a job waits for.
pub(super) struct ExpectedCall {
    registration: Registration,
    /// Whether polls may be left out.
    may_stretch: bool,
    /// Whether polls were.
    pub(super) was_stretched: bool,
    /// Whether a call has had its poll. Others then get none.
    pub(super) is_used: bool,
}

impl ExpectedCall {
    pub(super) fn new(registration: Registration, trust: &Trust) -> Self {
        Self {
            registration,
            may_stretch: trust.may_stretch_next(),
            was_stretched: false,
            is_used: false,
        }
    }

    /// The job has ended. `by_call` if it was asked about because of a call.
    pub(super) fn ended(self, by_call: bool, trust: &Trust) {
        // Where a call had its poll and the job went on, it was forged or early, and says nothing.
        if by_call || !self.is_used {
            trust.learn(self.registration);
        }
    }

    /// Ends when the job is to be asked about: because it is time (`None`), or because of a call. Then it
    /// says when it would have been time.
    pub(super) async fn turn(
        &mut self,
        at: Instant,
        every: Duration,
        limit: &TimeLimit,
        trust: &Trust,
    ) -> Option<Instant> {
        let mut called = pin!(self.registration.called());
        loop {
            let mut doubted = pin!(trust.doubted());
            let due = on_schedule(at, every);
            let is_relied_on = self.may_stretch && trust.is_earned();
            // The last poll that there is time for is never left out.
            let mut later = (1..=LEFT_OUT).rev();
            let mut later = later
                .by_ref()
                .filter_map(|polls| due.checked_add(every * polls));
            let put_off = later.find(|&at| is_relied_on && limit.allows(at));
            self.was_stretched |= put_off.is_some();
            let mut time = pin!(sleep_until(put_off.unwrap_or(due)));
            let outcome = poll_fn(|cx| {
                if time.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Some(None));
                }
                if called.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Some(Some(on_schedule(at, every))));
                }
                // Then polls go back to where they would have been.
                if put_off.is_some() && doubted.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(None);
                }
                Poll::Pending
            });
            if let Some(turn) = outcome.await {
                self.is_used |= turn.is_some();
                return turn;
            }
        }
    }
}

/// The first time that is not over, of `at` and those that follow it `every` so often.
fn on_schedule(at: Instant, every: Duration) -> Instant {
    let late = Instant::now().saturating_duration_since(at);
    let times = late.as_nanos().div_ceil(every.as_nanos().max(1));
    let times = u32::try_from(times).unwrap_or(u32::MAX);
    at.checked_add(every.saturating_mul(times)).unwrap_or(at)
}
