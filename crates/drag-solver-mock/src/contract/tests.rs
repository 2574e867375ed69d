use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use drag_solver_core::{
    Billed, Drag, DragChallenge, DragSolver, ErrorKind, Event, JobId, PaidJob, Point, Profile,
    Solution, SolveError, Usd, Verdict, WorstCase, async_trait, solver_fn,
};
use futures_util::FutureExt as _;

use super::*;
use crate::fixtures::{challenge_sized, drag};
use crate::{MockSolver, Outcome};

pub(super) fn picture(width: u16) -> DragChallenge {
    challenge_sized(512 + width, 1_149)
}

pub(super) fn solvable() -> DragChallenge {
    picture(79)
}

/// Fails at one picture, never answers another, solves the rest after a while.
pub(super) fn good(name: &'static str) -> MockSolver {
    let answer = Outcome::answer(drag())
        .accepted_after(Duration::from_secs(1))
        .after(Duration::from_secs(3));
    MockSolver::new(name).always_with(move |challenge, _| {
        match challenge.screenshot().width() & 0xff {
            1 => ErrorKind::Unsolvable.into(),
            2 => Outcome::hang(),
            _ => answer.clone(),
        }
    })
}

pub(super) fn subject(solver: &dyn DragSolver) -> SolverUnderTest<'_> {
    SolverUnderTest::new(solver, solvable())
        .expecting(drag(), 1.0)
        .failing(picture(1))
        .never_answering(picture(2))
        .with_secret("s3cret")
        .on_paused_clock()
}

/// The first check that `solver` fails, and how.
pub(super) async fn failure(solver: &dyn DragSolver) -> (&'static str, String) {
    let report = run(&subject(solver).with_calls_at_once(100)).await;
    let first = report.failed().next();
    let (check, what) = first.unwrap_or_else(|| panic!("{solver:?}: {report}"));
    (check, what.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_good_solver_passes_with_nothing_skipped() {
    let solver = good("good");
    let subject = subject(&solver).failing_with(ErrorKind::Unsolvable, picture(1));
    let report = run(&subject).await;
    assert_eq!(report.passed_checks().count(), Check::ALL.len(), "{report}");
    assert_eq!(report.findings().len(), 17, "{report}");
    assert_eq!((solver.in_flight(), solver.max_in_flight()), (0, 1_000));
    assert_eq!(report.kinds(), [ErrorKind::Unsolvable]);
    let last = "17 passed, 0 skipped, 0 failed; errors seen: unsolvable";
    assert!(report.to_string().ends_with(last), "{report}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_checked_is_skipped_and_says_why() {
    let solver = good("good").without_reports();
    let solver = solver.with_worst_case(WorstCase::unknown()).free();
    let report = run(&SolverUnderTest::new(&solver, solvable())).await;
    assert!(report.passed(), "{report}");
    let skipped: Vec<_> = report.skipped().collect();
    let expected = [
        (
            "debug_hides_secrets",
            "no secret was named with `with_secret`",
        ),
        (
            "reports_are_answered",
            "it takes no report that it was correct",
        ),
        (
            "errors_are_sensible",
            "no challenge was named with `failing`",
        ),
        (
            "a_deadline_ends_the_wait",
            "no challenge was named with `never_answering`",
        ),
        (
            "events_tell_of_money",
            "it says nothing of money, as if it bought nothing: a solver that buys says `Started`",
        ),
        (
            "an_observer_can_prevent_a_purchase",
            "it says nothing of buying",
        ),
        ("a_paid_job_is_resumed", "it names no job that it buys"),
        (
            "two_paid_jobs_are_both_kept",
            "it names no job that it buys",
        ),
        ("the_worst_case_holds", "it says nothing of its worst case"),
    ];
    assert_eq!(skipped.len(), expected.len(), "{report}");
    for ((check, why), (expected, because)) in skipped.into_iter().zip(expected) {
        assert!(
            check == expected && why.starts_with(because),
            "{check}: {why}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_no_label_is_seen() {
    for name in ["", "Upper", "with space", "line\nbreak", &"x".repeat(65)] {
        let solver = MockSolver::new(name).always(drag());
        let subject = SolverUnderTest::new(&solver, solvable());
        assert!(subject.the_name_is_a_label().await.is_err(), "{name:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_in_debug_is_seen_and_not_repeated() {
    let solver = good("holds-s3cret");
    let checked = subject(&solver).debug_hides_secrets().await;
    assert_eq!(checked.unwrap_err(), "Debug shows a secret");
}

#[tokio::test(start_paused = true)]
async fn bad_answers_are_seen() {
    let off = Drag::new(Point::new(-1.0, 5.0), Point::new(9.0, 9.0));
    let wrong = Drag::new(Point::new(83.0, 560.0), Point::new(322.0, 560.0));
    let elsewhere = Solution::new(drag(), "somebody-else");
    let negative = Solution::new(drag(), "bad").with_cost(Usd::from_micros(-1));
    let cases: [(Outcome, &str); 5] = [
        (off.into(), "is not on the"),
        (wrong.into(), "2.0 px off"),
        (elsewhere.into(), "somebody-else"),
        (negative.into(), "less than nothing"),
        (ErrorKind::Unavailable.into(), "it failed"),
    ];
    for (outcome, expected) in cases {
        let solver = MockSolver::new("bad").always(outcome);
        let (check, what) = failure(&solver).await;
        assert_eq!(check, "a_known_challenge_is_solved");
        assert!(what.contains(expected), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cost_beyond_the_worst_case_is_seen() {
    let expensive = Solution::new(drag(), "bad").with_cost(Usd::from_micros(900));
    let solver = MockSolver::new("bad")
        .with_cost(Usd::from_micros(800))
        .always(expensive);
    let (_, what) = failure(&solver).await;
    assert!(what.contains("worst case"), "{what}");
}

#[derive(Clone, Copy, PartialEq)]
enum Leak {
    InDisplay,
    InDebug,
}

impl std::error::Error for Leak {}

impl std::fmt::Display for Leak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if *self == Self::InDisplay {
            "s3cret"
        } else {
            "fine"
        })
    }
}

impl std::fmt::Debug for Leak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if *self == Self::InDebug {
            "s3cret"
        } else {
            "fine"
        })
    }
}

#[tokio::test(start_paused = true)]
async fn bad_errors_are_seen() {
    let error = |kind| SolveError::new(kind, "no");
    let secret_job = PaidJob::new("bad", JobId::new("s3cret").unwrap());
    let cases = [
        (error(ErrorKind::Unsolvable).with_solver("other"), "`other`"),
        (SolveError::new(ErrorKind::Unsolvable, ""), "what happened"),
        (
            error(ErrorKind::Overloaded).with_billed(Billed::Yes),
            "nothing was sent",
        ),
        (SolveError::new(ErrorKind::Protocol, "a s3cret"), "secret"),
        (
            error(ErrorKind::Protocol).with_source(std::io::Error::other("s3cret")),
            "secret",
        ),
        (
            error(ErrorKind::Protocol).with_unfinished_jobs([secret_job]),
            "secret",
        ),
    ];
    for (error, expected) in cases {
        let solver = MockSolver::new("bad").always(error.clone());
        let checked = subject(&solver).errors_are_sensible().await;
        let what = checked.expect_err(error.message());
        assert!(what.contains(expected), "{what}");
        assert!(!what.contains("s3cret"), "{what}");
    }
    let solver = good("bad");
    let subject = subject(&solver);
    // A source that gives itself away in one way only.
    for shown in [Leak::InDisplay, Leak::InDebug] {
        let label = shown as u8;
        let leaky = error(ErrorKind::Protocol).with_solver("bad");
        let checked = subject.check_error(&leaky.with_source(shown));
        assert!(checked.is_err(), "{label}");
    }
    let unnamed = error(ErrorKind::Protocol);
    assert!(subject.check_error(&unnamed).is_err());
    // A refusal that hands back paid jobs cost nothing itself.
    let refusal = solvable()
        .resume_job(PaidJob::new("bad", JobId::from(7)))
        .refuse("bad", ErrorKind::CircuitOpen, "open");
    assert_eq!(subject.check_error(&refusal), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_report_that_fails_is_seen() {
    let solver = good("bad").on_report(|_, _| Err(SolveError::new(ErrorKind::Unavailable, "no")));
    let (check, _) = failure(&solver).await;
    assert_eq!(check, "reports_are_answered");
}

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
async fn an_error_of_another_kind_than_named_is_seen() {
    let (solver, other) = (good("good"), good("good"));
    let new = || SolverUnderTest::new(&solver, solvable());
    let right = new().failing_with(ErrorKind::Unsolvable, picture(1));
    let checked = right.errors_are_sensible().await;
    assert_eq!(checked, Ok(Finding::Passed));
    let kind = ErrorKind::Unauthorized;
    for subject in [
        new().failing_with(kind, picture(1)),
        new().with_unrelated_failure(kind, &other, picture(1)),
    ] {
        let report = run(&subject).await.to_string();
        let line = "FAILED   errors_are_sensible: the error is not unauthorized: good: scripted";
        assert!(report.contains(line), "{report}");
        assert!(!report.contains("errors seen"), "{report}");
    }
    assert_eq!((solver.call_count() > 2, other.call_count()), (true, 3));
}

#[tokio::test(start_paused = true)]
async fn a_worst_case_that_does_not_hold_is_seen() {
    let second = WorstCase::one_purchase().with_time(Duration::from_secs(1));
    let free = WorstCase::one_purchase().with_cost(Usd::ZERO);
    for (worst, what) in [(second, "it took 3s"), (free, "it cost $0.0009")] {
        let solver = good("bad").with_worst_case(worst);
        let solver = solver.with_cost(Usd::from_micros(900));
        let subject = SolverUnderTest::new(&solver, solvable()).on_paused_clock();
        let seen = subject.the_worst_case_holds().await.unwrap_err();
        assert!(seen.contains(what), "{seen}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_answer_to_a_report_of_a_strangers_solution_is_seen() {
    let solver = good("bad").on_report(|solution, _| {
        if solution.solver() == "stranger" {
            return Err(SolveError::new(ErrorKind::Unsupported, "").with_solver("bad"));
        }
        Ok(())
    });
    let (check, _) = failure(&solver).await;
    assert_eq!(check, "reports_are_answered");
}

/// What a [`talker`] says while it answers.
#[derive(Clone, Copy, Debug)]
enum Said {
    Somebody,
    WaitEnded,
    Started,
    Buying,
    /// Without a wait for the observer.
    BuyingInPassing,
    NotBought,
    Bought,
    Resumed,
    Settled(Option<u64>, Billed, Option<i64>),
}

type Answer = fn() -> Result<Solution, SolveError>;

/// Says all that, and then answers, even if its purchase was refused.
fn talker(says: &[Said], answer: Answer) -> impl DragSolver + use<> {
    let says = says.to_vec();
    solver_fn("talker", move |challenge| {
        let says = says.clone();
        async move {
            let (solver, job) = ("talker", &JobId::from(7));
            for said in says {
                let event = match said {
                    Said::Somebody => Event::Started { solver: "x" },
                    Said::WaitEnded => Event::WaitEnded { solver },
                    Said::Started => Event::Started { solver },
                    Said::Buying | Said::BuyingInPassing => Event::Buying { solver },
                    Said::NotBought => Event::NotBought { solver },
                    Said::Bought => Event::Bought { solver, job },
                    Said::Resumed => Event::Resumed { solver, job },
                    Said::Settled(job, billed, cost) => {
                        let job = job.map(JobId::from);
                        let (job, cost) = (job.as_ref(), cost.map(Usd::from_micros));
                        let settled = Event::Settled {
                            solver,
                            job,
                            billed,
                            cost,
                        };
                        let _ = challenge.notify(settled).await;
                        continue;
                    }
                };
                if matches!(said, Said::BuyingInPassing) {
                    let _ = challenge.notify(event).now_or_never();
                } else {
                    let _ = challenge.notify(event).await;
                }
            }
            answer()
        }
    })
}

const YES: Said = Said::Settled(Some(7), Billed::Yes, Some(9));

const FREE: Answer = || Ok(Solution::new(drag(), "talker"));
const PAID: Answer = || Ok(Solution::new(drag(), "talker").with_cost(Usd::from_micros(9)));

fn error(billed: Billed) -> SolveError {
    SolveError::new(ErrorKind::Protocol, "odd")
        .with_solver("talker")
        .with_billed(billed)
}

#[tokio::test(start_paused = true)]
async fn false_words_about_money_are_seen() {
    use Said::*;
    let other_job: Answer = || Ok(Solution::new(drag(), "talker").with_job(JobId::from(8)));
    let own_job: Answer = || {
        let solution = Solution::new(drag(), "talker").with_job(JobId::from(7));
        Ok(solution.with_cost(Usd::from_micros(10)))
    };
    let unbilled: Answer = || Err(error(Billed::No));
    let charged: Answer = || Err(error(Billed::Maybe));
    let billed: Answer = || Err(error(Billed::Yes));
    let no = Settled(Some(7), Billed::No, None);
    let lost = Settled(None, Billed::Maybe, None);
    let cases: &[(&[Said], Answer, &str)] = &[
        (&[Buying], FREE, "too early"),
        (&[Started, Bought], FREE, "too early"),
        (&[Started, NotBought], FREE, "too early"),
        (&[Resumed], FREE, "too early"),
        (&[Started, Buying, YES], FREE, "too early"),
        (&[Started, lost], charged, "too early"),
        (&[WaitEnded], FREE, "too early"),
        // Two ends.
        (&[Started, Buying, Bought, YES, YES], FREE, "too early"),
        (&[Started, Buying, NotBought, NotBought], FREE, "too early"),
        (&[Started, Buying, NotBought, lost], charged, "too early"),
        // None.
        (&[Started, Buying], FREE, "job `` from talker has no end"),
        (&[Started, Buying], charged, "job `` from talker has no end"),
        (
            &[Started, Buying, Bought],
            PAID,
            "job `7` from talker has no end",
        ),
        (
            &[Started, Buying, Bought],
            charged,
            "job `7` from talker has no end",
        ),
        (&[Started, Resumed], FREE, "job `7` from talker has no end"),
        // It does not wait for its observer.
        (
            &[Started, BuyingInPassing, Bought, YES],
            PAID,
            "did not wait",
        ),
        (&[Started, BuyingInPassing], PAID, "no event says"),
        (&[Somebody], FREE, "`x`"),
        (&[], PAID, "Event"),
        (&[Started], PAID, "no event says"),
        (&[Started, Buying, Bought, no], PAID, "no event says"),
        (&[Started, Buying, Bought, YES], other_job, "job 8"),
        (
            &[Started, Buying, Bought, YES],
            own_job,
            "cost $0.00001, and by its event $0.000009",
        ),
        // The error says otherwise.
        (
            &[Started],
            charged,
            "`billed` is `no`, and the error says `maybe`",
        ),
        (
            &[Started, Buying, Bought, YES],
            unbilled,
            "`billed` is `yes`, and the error says `no`",
        ),
        (
            &[Started, Buying, Bought, no],
            billed,
            "`billed` is `no`, and the error says `yes`",
        ),
        (
            &[Started, Buying, lost],
            unbilled,
            "`billed` is `maybe`, and the error says `no`",
        ),
        (&[], charged, "Event"),
    ];
    let honest: &[(&[Said], Answer)] = &[
        (&[Started, Buying, Bought, YES], PAID),
        (&[Started, Buying, Bought, no], FREE),
        (&[Started, Buying, Bought, YES], billed),
        (&[Started, Buying, Bought, no], unbilled),
        (&[Started, Buying, NotBought], unbilled),
        (&[Started, Buying, NotBought, Buying, Bought, YES], PAID),
        (&[Started, Buying, lost], charged),
        (&[Started, Resumed, YES], FREE),
    ];
    let check = async |says: &[Said], answer| {
        let solver = talker(says, answer);
        SolverUnderTest::new(&solver, solvable())
            .events_tell_of_money()
            .await
    };
    for (says, answer) in honest {
        assert_eq!(check(says, *answer).await, Ok(Finding::Passed), "{says:?}");
    }
    for (says, answer, expected) in cases {
        let what = check(says, *answer).await;
        let what = what.expect_err(&format!("{says:?}"));
        assert!(what.contains(expected), "{says:?}: {what}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_open_job_that_the_error_names_has_its_end_later() {
    let unfinished: Answer = || {
        let job = PaidJob::new("talker", JobId::from(7));
        Err(error(Billed::No).with_unfinished_jobs([job]))
    };
    let solver = talker(&[Said::Started, Said::Buying, Said::Bought], unfinished);
    let checked = SolverUnderTest::new(&solver, solvable())
        .events_tell_of_money()
        .await;
    assert_eq!(checked, Ok(Finding::Passed));
}

#[tokio::test(start_paused = true)]
async fn a_solver_that_buys_in_silence_learns_what_to_say() {
    let solver = good("bad").free();
    let solver = solver.with_worst_case(WorstCase::one_purchase());
    let (check, what) = failure(&solver).await;
    assert_eq!(check, "events_tell_of_money");
    for word in [
        "1 answer",
        "Started",
        "Buying",
        "NotBought",
        "Bought",
        "Settled",
    ] {
        assert!(what.contains(word), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_purchase_that_an_observer_refused_is_seen() {
    use Said::*;
    let charged: Answer = || Err(error(Billed::Maybe));
    let unbilled: Answer = || Err(error(Billed::No));
    let check = async |says: &[Said], answer| {
        let solver = talker(says, answer);
        let subject = SolverUnderTest::new(&solver, solvable());
        subject.an_observer_can_prevent_a_purchase().await
    };
    let obedient = check(&[Started, Buying], unbilled).await;
    assert_eq!(obedient, Ok(Finding::Passed));
    let cases: [(&[Said], Answer, &str); 4] = [
        (&[Started, Buying], FREE, "answered all the same"),
        (&[Started, Buying], charged, "says that it cost money"),
        (&[Started, Buying, Bought, YES], PAID, "it said Bought"),
        (&[Started, Buying, NotBought], unbilled, "it said NotBought"),
    ];
    for (says, answer, expected) in cases {
        let what = check(says, answer).await.unwrap_err();
        assert!(what.contains(expected), "{says:?}: {what}");
    }
}

#[test]
fn the_subject_does_not_show_the_secrets_either() {
    let solver = good("good");
    let shown = format!("{:?}", subject(&solver));
    assert!(
        !shown.contains("s3cret") && shown.contains("1000"),
        "{shown}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_shorter_limit_of_its_own_is_no_failure() {
    let solver = Flawed::new(Flaw::SaysTimeout(20));
    let report = run(&subject(&solver)).await;
    assert!(report.passed(), "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_purchase_after_the_deadline_is_seen() {
    let late: Answer = || Err(error(Billed::No).with_kind(ErrorKind::DeadlineExceeded));
    let greedy = talker(&[Said::Started, Said::Buying, Said::NotBought], late);
    let subject = SolverUnderTest::new(&greedy, solvable());
    let what = subject.an_expired_challenge_is_refused().await;
    assert!(what.unwrap_err().contains("bought after the deadline"));
}

#[tokio::test(start_paused = true)]
async fn a_job_paid_for_before_is_no_purchase_after_the_deadline() {
    let solver = good("good");
    let resuming = solvable().resume_job(PaidJob::new("good", JobId::from(7)));
    let subject = SolverUnderTest::new(&solver, resuming);
    let checked = subject.an_expired_challenge_is_refused().await;
    assert_eq!(checked, Ok(Finding::Passed));
}

#[tokio::test(start_paused = true)]
async fn a_stuck_solver_fails_and_does_not_hang() {
    let solver = MockSolver::new("bad").always(Outcome::hang().ignoring_deadline());
    let report = run(&subject(&solver)).await;
    assert!(report.failed().count() >= 5, "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_chain_may_answer_under_the_names_in_it() {
    let solver = MockSolver::new("chain").always(Solution::new(drag(), "inner"));
    let alone = SolverUnderTest::new(&solver, solvable());
    assert!(!run(&alone).await.passed());
    let subject = SolverUnderTest::new(&solver, solvable()).answered_by(["inner"]);
    let report = run(&subject).await;
    assert!(report.passed(), "{report}");
    // If several agreed, each of them counts, and not what they are called together.
    let part = |name| Solution::new(drag(), name);
    let agreed = part("inner|other").with_contributors(vec![part("inner"), part("chain")]);
    let solver = MockSolver::new("chain").always(agreed);
    let subject = SolverUnderTest::new(&solver, solvable());
    assert!(!run(&subject).await.passed());
    let subject = SolverUnderTest::new(&solver, solvable()).answered_by(["inner"]);
    assert!(run(&subject).await.passed());
}

#[cfg(feature = "pictures")]
#[tokio::test(start_paused = true)]
async fn the_answer_key_passes() {
    use crate::pictures::{AnswerKey, TestPicture};

    let picture = TestPicture::draw_sized(5, 100, 200).unwrap();
    let subject = SolverUnderTest::new(&AnswerKey, picture.challenge())
        .expecting(picture.drag(), 0.0)
        .failing(solvable())
        .on_paused_clock();
    let report = run(&subject).await;
    assert!(report.passed(), "{report}");
    let skipped: Vec<_> = report.skipped().map(|(check, _)| check).collect();
    let expected = [
        "debug_hides_secrets",
        "a_deadline_ends_the_wait",
        "events_tell_of_money",
        "an_observer_can_prevent_a_purchase",
        "a_paid_job_is_resumed",
        "two_paid_jobs_are_both_kept",
    ];
    assert_eq!(skipped, expected);
}
