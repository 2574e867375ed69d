//! Habits that a solver must not have.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use drag_solver_core::{Profile, Verdict, async_trait};

use super::*;

/// A good solver with one bad habit.
#[derive(Debug)]
struct Flawed {
    inner: MockSolver,
    flaw: Flaw,
    locked: AtomicBool,
    calls: AtomicUsize,
}

#[derive(Debug, PartialEq)]
enum Flaw {
    IgnoresDeadlines,
    RefusesLate,
    SaysTimeout(u64),
    WakesLate,
    LeaksALock,
    LeaksPermits,
    OneAtATime,
    TripsOverInstructions,
    MindsTheRegion,
    OverflowsFarDeadlines,
    BuysTwice,
    BuysAgain,
    ResumesInSilence,
    ForgetsJobsWhenLate,
    ForgetsTheSecondJob,
    FetchesOneJobOfTwo,
    ShowsSecretsInSolutions,
}

impl Flawed {
    fn new(flaw: Flaw) -> Self {
        Self {
            inner: good("bad"),
            flaw,
            locked: AtomicBool::new(false),
            calls: AtomicUsize::new(0),
        }
    }
}

#[async_trait]
impl DragSolver for Flawed {
    fn name(&self) -> &'static str {
        "bad"
    }

    #[allow(clippy::too_many_lines)] // a few for each habit
    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let busy = || SolveError::new(ErrorKind::Overloaded, "busy").with_solver("bad");
        match self.flaw {
            Flaw::IgnoresDeadlines => {
                let answer = Solution::new(drag(), "bad");
                let width = challenge.screenshot().width() & 0xff;
                return match width {
                    1 | 2 => self.inner.solve(challenge).await,
                    _ => Ok(answer),
                };
            }
            Flaw::RefusesLate if challenge.is_expired() => {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Flaw::WakesLate if !challenge.is_expired() && challenge.deadline().is_some() => {
                let result = self.inner.solve(challenge).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
                return result;
            }
            Flaw::SaysTimeout(seconds) if !challenge.is_expired() => {
                let due = tokio::time::Instant::now() + Duration::from_secs(seconds);
                let limited = challenge.clone().with_deadline_at_most(due);
                return self
                    .inner
                    .solve(&limited)
                    .await
                    .map_err(|error| match error.kind() {
                        ErrorKind::DeadlineExceeded => error.with_kind(ErrorKind::Timeout),
                        _ => error,
                    });
            }
            Flaw::LeaksALock => {
                if self.locked.swap(true, Ordering::SeqCst) {
                    return Err(busy());
                }
                let result = self.inner.solve(challenge).await;
                self.locked.store(false, Ordering::SeqCst);
                return result;
            }
            Flaw::LeaksPermits => {
                if self.calls.fetch_add(1, Ordering::SeqCst) >= 300 {
                    return Err(busy());
                }
                let result = self.inner.solve(challenge).await;
                self.calls.fetch_sub(1, Ordering::SeqCst);
                return result;
            }
            Flaw::TripsOverInstructions if challenge.instruction().is_some() => {
                return Err(SolveError::new(ErrorKind::Protocol, "a quote").with_solver("bad"));
            }
            Flaw::MindsTheRegion if challenge.region().is_some() => {
                let moved = Drag::new(Point::new(3.0, 0.0), Point::new(240.0, 0.0));
                return Ok(Solution::new(moved, "bad"));
            }
            Flaw::OverflowsFarDeadlines => {
                let margin = Duration::from_secs(3_600 * 24 * 365);
                if let Some(left) = challenge.remaining()
                    && left
                        .checked_add(margin)
                        .is_none_or(|left| left > 100 * margin)
                {
                    return Err(
                        SolveError::new(ErrorKind::DeadlineExceeded, "overflow").with_solver("bad")
                    );
                }
            }
            Flaw::BuysTwice if !challenge.is_expired() => {
                let (first, second) = (self.inner.solve(challenge), self.inner.solve(challenge));
                first.await?;
                return second.await;
            }
            Flaw::BuysAgain if !challenge.is_expired() => {
                let forgetful = challenge.clone().without_paid_jobs();
                return self.inner.solve(&forgetful).await;
            }
            Flaw::ResumesInSilence
                if !challenge.paid_jobs().is_empty() && !challenge.is_expired() =>
            {
                return Ok(Solution::new(drag(), "bad"));
            }
            Flaw::ForgetsJobsWhenLate if challenge.is_expired() => {
                let late = SolveError::new(ErrorKind::DeadlineExceeded, "late");
                return Err(late.with_solver("bad"));
            }
            Flaw::ForgetsTheSecondJob | Flaw::FetchesOneJobOfTwo if !challenge.is_expired() => {
                let jobs = challenge.paid_jobs().iter().take(1).cloned();
                let fresh = challenge.clone().without_paid_jobs();
                let first = jobs.fold(fresh, DragChallenge::resume_job);
                let answer = self.inner.solve(&first).await;
                if self.flaw == Flaw::FetchesOneJobOfTwo && challenge.paid_jobs().len() == 2 {
                    self.locked.store(true, Ordering::SeqCst);
                } else if self.locked.swap(false, Ordering::SeqCst) {
                    return Err(busy());
                }
                return answer;
            }
            Flaw::ShowsSecretsInSolutions => {
                let solution = self.inner.solve(challenge).await?;
                return Ok(solution.with_job(JobId::new("s3cret").unwrap()));
            }
            Flaw::OneAtATime => {
                if self.calls.fetch_add(1, Ordering::SeqCst) > 0 {
                    self.calls.fetch_sub(1, Ordering::SeqCst);
                    return Err(busy());
                }
                let guard = Decrement(&self.calls);
                let result = self.inner.solve(challenge).await;
                drop(guard);
                return result;
            }
            _ => {}
        }
        self.inner.solve(challenge).await
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        self.inner.report(solution, verdict).await
    }

    fn profile(&self) -> Profile {
        self.inner.profile()
    }
}

struct Decrement<'a>(&'a AtomicUsize);

impl Drop for Decrement<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn bad_habits_are_seen() {
    let cases = [
        (Flaw::IgnoresDeadlines, "an_expired_challenge_is_refused"),
        (Flaw::RefusesLate, "an_expired_challenge_is_refused"),
        (Flaw::SaysTimeout(90), "a_deadline_ends_the_wait"),
        (Flaw::WakesLate, "a_deadline_ends_the_wait"),
        (Flaw::LeaksALock, "dropped_calls_leave_nothing_behind"),
        (
            Flaw::LeaksPermits,
            "many_dropped_calls_leave_nothing_behind",
        ),
        (Flaw::OneAtATime, "many_calls_at_once_are_solved"),
        (
            Flaw::TripsOverInstructions,
            "an_instruction_and_a_region_do_no_harm",
        ),
        (
            Flaw::MindsTheRegion,
            "an_instruction_and_a_region_do_no_harm",
        ),
        (Flaw::OverflowsFarDeadlines, "a_far_deadline_is_met"),
        (Flaw::BuysTwice, "the_worst_case_holds"),
        (Flaw::BuysAgain, "a_paid_job_is_resumed"),
        (Flaw::ResumesInSilence, "a_paid_job_is_resumed"),
        (Flaw::ForgetsJobsWhenLate, "an_expired_challenge_is_refused"),
        (Flaw::ForgetsTheSecondJob, "two_paid_jobs_are_both_kept"),
        (Flaw::FetchesOneJobOfTwo, "two_paid_jobs_are_both_kept"),
        (Flaw::ShowsSecretsInSolutions, "a_known_challenge_is_solved"),
    ];
    for (flaw, expected) in cases {
        let label = format!("{flaw:?}");
        let solver = Flawed::new(flaw);
        let report = run(&subject(&solver).with_calls_at_once(100)).await;
        let is_seen = report.failed().any(|(check, _)| check == expected);
        assert!(is_seen, "{label}: {expected} does not see it\n{report}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_shorter_limit_of_its_own_is_no_failure() {
    let solver = Flawed::new(Flaw::SaysTimeout(20));
    let report = run(&subject(&solver)).await;
    assert!(report.passed(), "{report}");
}
