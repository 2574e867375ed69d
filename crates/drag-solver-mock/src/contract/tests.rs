use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use drag_solver_core::{
    Charge, Drag, DragChallenge, DragSolver, ErrorKind, JobId, PaidJob, Point, Screenshot,
    Solution, SolveError, Usd, Verdict, async_trait,
};

use super::*;
use crate::{MockSolver, Outcome};

fn gif(width: u8) -> DragChallenge {
    let gif = [b"GIF89a".as_slice(), &[width, 2, 125, 4, 0, 0, 0, b';']].concat();
    DragChallenge::new(Screenshot::from_bytes(gif).unwrap())
}

fn solvable() -> DragChallenge {
    gif(79)
}

fn drag() -> Drag {
    Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0))
}

/// Fails at one picture, never answers another, solves the rest after a while.
fn good(name: &'static str) -> MockSolver {
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

fn subject(solver: &dyn DragSolver) -> Subject<'_> {
    Subject::new(solver, solvable())
        .expecting(drag(), 1.0)
        .failing(gif(1))
        .never_answering(gif(2))
        .hiding("s3cret")
        .on_paused_clock()
}

/// The one check that `solver` violates, and how.
async fn violation(solver: &dyn DragSolver) -> (&'static str, String) {
    let report = run(&subject(solver)).await;
    let mut violated = report.violated();
    let (check, what) = violated.next().expect("a violation");
    (check, what.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_good_solver_passes_with_nothing_skipped() {
    let solver = good("good");
    let report = run(&subject(&solver).with_calls_at_once(1_000)).await;
    assert_eq!(report.passed().count(), 9, "{report}");
    assert_eq!(report.findings().len(), 9, "{report}");
    assert_eq!((solver.in_flight(), solver.max_in_flight()), (0, 1_000));
    assert!(
        report
            .to_string()
            .ends_with("9 passed, 0 skipped, 0 violated")
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_checked_is_skipped_and_says_why() {
    let solver = good("good").without_reports();
    let report = run(&Subject::new(&solver, solvable())).await;
    assert!(report.is_clean(), "{report}");
    let skipped: Vec<_> = report.skipped().collect();
    assert_eq!(
        skipped,
        [
            ("debug_hides_secrets", "no secret was named with `hiding`"),
            ("reports_are_answered", "no report of Correct is taken"),
            (
                "errors_are_sensible",
                "no challenge was named with `failing`"
            ),
            (
                "a_deadline_ends_the_wait",
                "no challenge was named with `never_answering`"
            ),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_no_label_is_seen() {
    for name in ["", "Upper", "with space", "line\nbreak", &"x".repeat(65)] {
        let solver = MockSolver::new(name).always(drag());
        let finding = the_name_is_a_label(&Subject::new(&solver, solvable()));
        assert!(matches!(finding, Finding::Violated(_)), "{name:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_in_debug_is_seen_and_not_repeated() {
    let solver = good("holds-s3cret");
    let finding = debug_hides_secrets(&subject(&solver));
    assert_eq!(
        finding,
        Finding::Violated("Debug shows a secret".to_owned())
    );
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
        let (check, what) = violation(&solver).await;
        assert_eq!(check, "a_known_challenge_is_solved");
        assert!(what.contains(expected), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cost_beyond_the_worst_case_is_seen() {
    let dear = Solution::new(drag(), "bad").with_cost(Usd::from_micros(900));
    let solver = MockSolver::new("bad")
        .with_cost(Usd::from_micros(800))
        .always(dear);
    let (_, what) = violation(&solver).await;
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
    type Case = (fn() -> SolveError, &'static str);

    fn error(kind: ErrorKind) -> SolveError {
        SolveError::new(kind, "no")
    }
    let cases: [Case; 6] = [
        (
            || error(ErrorKind::Unsolvable).with_provider("other"),
            "`other`",
        ),
        (
            || SolveError::new(ErrorKind::Unsolvable, ""),
            "what happened",
        ),
        (
            || error(ErrorKind::Overloaded).with_charge(Charge::Yes),
            "nothing was sent",
        ),
        (
            || SolveError::new(ErrorKind::Protocol, "a s3cret"),
            "secret",
        ),
        (
            || error(ErrorKind::Protocol).with_source(std::io::Error::other("s3cret")),
            "secret",
        ),
        (
            || error(ErrorKind::Protocol).with_job(JobId::new("s3cret").unwrap()),
            "secret",
        ),
    ];
    for (make, expected) in cases {
        let solver = MockSolver::new("bad").always(Outcome::error_with(make));
        let Finding::Violated(what) = errors_are_sensible(&subject(&solver)).await else {
            panic!("{:?} was taken", make());
        };
        assert!(what.contains(expected), "{what}");
        assert!(!what.contains("s3cret"), "{what}");
    }
    // A source that gives itself away in one way only.
    for shown in [Leak::InDisplay, Leak::InDebug] {
        let label = shown as u8;
        let leaky = error(ErrorKind::Protocol)
            .with_provider("bad")
            .with_source(shown);
        let solver = good("bad");
        let checked = answers::check_error(&subject(&solver), &leaky);
        assert!(checked.is_err(), "{label}");
    }
    let unpaid = error(ErrorKind::Protocol)
        .with_provider("bad")
        .with_job(JobId::from(1));
    let solver = good("bad");
    assert!(answers::check_error(&subject(&solver), &unpaid).is_err());
    let nobody = error(ErrorKind::Protocol);
    assert!(answers::check_error(&subject(&solver), &nobody).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_report_that_fails_is_seen() {
    let solver =
        good("bad").answering_reports(|_, _| Err(SolveError::new(ErrorKind::Unavailable, "no")));
    let (check, _) = violation(&solver).await;
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
    OneAtATime,
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

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let busy = || SolveError::new(ErrorKind::Overloaded, "busy").with_provider("bad");
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
                let limit = Duration::from_secs(seconds);
                let timeout = tokio::time::timeout(limit, self.inner.solve(challenge));
                return timeout
                    .await
                    .unwrap_or_else(|_| {
                        Err(SolveError::new(ErrorKind::Timeout, "too long").with_provider("bad"))
                    })
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
        (Flaw::OneAtATime, "many_calls_at_once_are_solved"),
    ];
    for (flaw, expected) in cases {
        let label = format!("{flaw:?}");
        let (check, what) = violation(&Flawed::new(flaw)).await;
        assert_eq!(check, expected, "{label}: {what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_shorter_limit_of_its_own_is_no_violation() {
    let solver = Flawed::new(Flaw::SaysTimeout(20));
    let report = run(&subject(&solver)).await;
    assert!(report.is_clean(), "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_purchase_after_the_deadline_is_seen() {
    #[derive(Debug)]
    struct Greedy;

    #[async_trait]
    impl DragSolver for Greedy {
        fn name(&self) -> &'static str {
            "greedy"
        }

        async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
            let provider = self.name();
            challenge.notify(&drag_solver_core::Progress::Buying { provider });
            Err(SolveError::new(ErrorKind::DeadlineExceeded, "late").with_provider(provider))
        }
    }

    let finding = an_expired_challenge_is_refused(&Subject::new(&Greedy, solvable())).await;
    assert!(matches!(finding, Finding::Violated(what) if what.contains("bought")));
}

#[tokio::test(start_paused = true)]
async fn a_job_paid_for_before_is_no_purchase_after_the_deadline() {
    let solver = good("good");
    let resuming = solvable().resuming(PaidJob::new("good", JobId::from(7)));
    let finding = an_expired_challenge_is_refused(&Subject::new(&solver, resuming)).await;
    assert_eq!(finding, Finding::Passed);
}

#[tokio::test(start_paused = true)]
async fn a_stuck_solver_is_a_violation_and_no_hang() {
    let solver = MockSolver::new("bad").always(Outcome::hang().overstaying());
    let report = run(&subject(&solver)).await;
    assert!(report.violated().count() >= 5, "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_chain_may_answer_under_the_names_in_it() {
    let solver = MockSolver::new("chain").always(Solution::new(drag(), "inner"));
    let alone = Subject::new(&solver, solvable());
    assert!(!run(&alone).await.is_clean());
    let subject = Subject::new(&solver, solvable()).answered_by(["inner"]);
    let report = run(&subject).await;
    assert!(report.is_clean(), "{report}");
}

#[cfg(feature = "challenge")]
#[tokio::test(start_paused = true)]
async fn the_answer_key_passes() {
    use crate::challenge::{AnswerKey, TestPicture};

    let picture = TestPicture::draw_sized(5, 100, 200).unwrap();
    let subject = Subject::new(&AnswerKey, picture.challenge())
        .expecting(picture.drag(), 0.0)
        .failing(solvable())
        .on_paused_clock();
    let report = run(&subject).await;
    assert!(report.is_clean(), "{report}");
    let skipped: Vec<_> = report.skipped().map(|(check, _)| check).collect();
    assert_eq!(skipped, ["debug_hides_secrets", "a_deadline_ends_the_wait"]);
}
