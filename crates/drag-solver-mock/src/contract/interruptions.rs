//! How a solver takes deadlines, being dropped, and being asked by many at once.

use std::time::Duration;

use drag_solver_core::{DragChallenge, ErrorKind};
use tokio::time::{Instant, timeout};

use super::drive::{all, poll_times};
use super::{Checked, Finding, SolverUnderTest, skip};

/// Most polls of one call after which it is dropped. A call that takes more is dropped at the first
/// so many awaits only.
const MAX_POLLS: usize = 100;

impl SolverUnderTest<'_> {
    /// A challenge whose deadline has passed is refused with [`ErrorKind::DeadlineExceeded`], and nothing
    /// is bought. On a paused clock also: at once. If it brings paid jobs, the refusal hands them back.
    pub(super) async fn an_expired_challenge_is_refused(&self) -> Checked {
        let expired = self.solvable.clone().with_deadline(Instant::now());
        let kind = ErrorKind::DeadlineExceeded;
        self.refuse(&expired, &[], kind).await?;
        self.refuse(&expired, &self.own_jobs([1, 2]), kind).await
    }

    /// A call that gets no answer fails with [`ErrorKind::DeadlineExceeded`] once the deadline passes, or
    /// earlier if the solver sees that it cannot be met; or with [`ErrorKind::Timeout`] before it, if the
    /// solver has a shorter limit of its own. On a paused clock also: not an instant later.
    /// Skipped if no such challenge was named.
    pub(super) async fn a_deadline_ends_the_wait(&self) -> Checked {
        let Some(challenge) = self.endless_with_deadline() else {
            return Ok(skip("no challenge was named with `never_answering`"));
        };
        let Err(error) = self.ask(self.solver, &challenge).await? else {
            return Err("it was answered after all".to_owned());
        };
        let deadline = challenge.deadline().unwrap_or_else(Instant::now);
        let late = Instant::now().saturating_duration_since(deadline);
        let has_own_limit = error.kind() == ErrorKind::Timeout && !challenge.is_expired();
        let is_right = error.kind() == ErrorKind::DeadlineExceeded || has_own_limit;
        ensure!(is_right, "the error is not deadline_exceeded: {error}");
        let is_in_time = late.is_zero() || !self.is_paused;
        ensure!(is_in_time, "it came {late:?} after the deadline");
        self.check_error(&error)?;
        Ok(Finding::Passed)
    }

    /// A deadline that is years away is none: no sum of times overflows, and the challenge is solved.
    pub(super) async fn a_far_deadline_is_met(&self) -> Checked {
        // As far as the clock reaches, give or take half.
        let mut far = Duration::from_secs(u64::MAX);
        while Instant::now().checked_add(far).is_none() {
            far /= 2;
        }
        let challenge = self.solvable.clone().within(far);
        let solved = self.solve(&challenge).await;
        solved.map_err(|what| format!("with {far:?} to go, {what}"))?;
        Ok(Finding::Passed)
    }

    /// A call dropped at any of its awaits leaves nothing behind that keeps the next from being solved.
    pub(super) async fn dropped_calls_leave_nothing_behind(&self) -> Checked {
        self.drop_calls(1).await
    }

    /// As many calls at once as [set](SolverUnderTest::with_calls_at_once), all dropped at the same await,
    /// leave nothing behind: not a permit of many, no place in a queue, no money set aside.
    pub(super) async fn many_dropped_calls_leave_nothing_behind(&self) -> Checked {
        self.drop_calls(self.at_once()).await
    }

    /// Drops calls at every await of the solvable challenge and, on a paused clock, of the one that is
    /// never answered. The next is solved.
    async fn drop_calls(&self, at_once: usize) -> Checked {
        self.drop_at_every_await(at_once, &self.solvable).await?;
        if let Some(endless) = self.endless.as_ref().filter(|_| self.is_paused) {
            // The solver may end them by itself, if it has a limit of its own.
            let _ = self.drop_at_every_await(at_once, endless).await;
        }
        let next = self.solve(&self.solvable).await;
        next.map_err(|what| format!("after drops at every await, {what}"))?;
        Ok(Finding::Passed)
    }

    /// Drops calls at their first await, their second, and so on, until they end by themselves.
    async fn drop_at_every_await(
        &self,
        at_once: usize,
        challenge: &DragChallenge,
    ) -> Result<(), String> {
        for polls in 1..=MAX_POLLS {
            let call = || poll_times(self.solver.solve(challenge), polls);
            let calls = all((0..at_once).map(|_| call()));
            let Ok(ended) = timeout(self.patience, calls).await else {
                return Err(format!("stuck after {} drops", polls - 1));
            };
            let mut ended_by_themselves = ended.iter().flatten();
            if let Some(error) = ended_by_themselves.find_map(|outcome| outcome.as_ref().err()) {
                return Err(format!("after {} drops: {error}", polls - 1));
            }
            if ended.iter().all(Option::is_some) {
                break;
            }
        }
        Ok(())
    }

    /// As many calls at once as [set](SolverUnderTest::with_calls_at_once) are all solved.
    pub(super) async fn many_calls_at_once_are_solved(&self) -> Checked {
        let calls = (0..self.at_once()).map(|_| self.solve(&self.solvable));
        let outcomes = all(calls).await;
        let mut bad = outcomes.into_iter().filter_map(Result::err);
        match bad.next() {
            None => Ok(Finding::Passed),
            Some(first) => Err(format!(
                "{} of {} calls at once failed, the first with: {first}",
                bad.count() + 1,
                self.at_once()
            )),
        }
    }
}
