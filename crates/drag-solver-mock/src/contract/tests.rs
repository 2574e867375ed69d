use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use drag_solver_core::{
    Charge, Drag, DragChallenge, DragSolver, ErrorKind, JobId, PaidJob, Point, Progress,
    Screenshot, Solution, SolveError, Usd, Verdict, WorstCase, async_trait,
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
    let report = run(&subject(solver).with_calls_at_once(100)).await;
    let mut violated = report.violated();
    let (check, what) = violated
        .next()
        .unwrap_or_else(|| panic!("no violation: {solver:?}"));
    (check, what.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_good_solver_passes_with_nothing_skipped() {
    let solver = good("good");
    let subject = subject(&solver).failing_with(ErrorKind::Unsolvable, gif(1));
    let report = run(&subject).await;
    assert_eq!(report.passed().count(), 15, "{report}");
    assert_eq!(report.findings().len(), 15, "{report}");
    assert_eq!((solver.in_flight(), solver.max_in_flight()), (0, 1_000));
    assert_eq!(report.kinds(), [ErrorKind::Unsolvable]);
    let last = "15 passed, 0 skipped, 0 violated; errors seen: unsolvable";
    assert!(report.to_string().ends_with(last), "{report}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_checked_is_skipped_and_says_why() {
    let solver = good("good")
        .without_reports()
        .with_worst_case(WorstCase::unknown())
        .free();
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
            (
                "progress_tells_of_money",
                "it says nothing, and buys nothing"
            ),
            ("a_paid_job_is_resumed", "it names no job that it buys"),
            ("the_worst_case_holds", "it says nothing of its worst case"),
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
    LeaksPermits,
    OneAtATime,
    TripsOverInstructions,
    MindsTheRegion,
    OverflowsFarDeadlines,
    BuysTwice,
    BuysAgain,
    ResumesInSilence,
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
            Flaw::LeaksPermits => {
                if self.calls.fetch_add(1, Ordering::SeqCst) >= 300 {
                    return Err(busy());
                }
                let result = self.inner.solve(challenge).await;
                self.calls.fetch_sub(1, Ordering::SeqCst);
                return result;
            }
            Flaw::TripsOverInstructions if challenge.instruction().is_some() => {
                return Err(SolveError::new(ErrorKind::Protocol, "a quote").with_provider("bad"));
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
                    return Err(SolveError::new(ErrorKind::DeadlineExceeded, "overflow")
                        .with_provider("bad"));
                }
            }
            Flaw::BuysTwice if !challenge.is_expired() => {
                let (first, second) = (self.inner.solve(challenge), self.inner.solve(challenge));
                first.await?;
                return second.await;
            }
            Flaw::BuysAgain => {
                let forgetful = challenge.clone().without_paid_jobs();
                return self.inner.solve(&forgetful).await;
            }
            Flaw::ResumesInSilence if !challenge.paid_jobs().is_empty() => {
                return Ok(Solution::new(drag(), "bad"));
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

    fn worst_case(&self) -> WorstCase {
        self.inner.worst_case()
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
        (Flaw::ShowsSecretsInSolutions, "a_known_challenge_is_solved"),
    ];
    for (flaw, expected) in cases {
        let label = format!("{flaw:?}");
        let (check, what) = violation(&Flawed::new(flaw)).await;
        assert_eq!(check, expected, "{label}: {what}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_of_another_kind_than_named_is_seen() {
    let (solver, other) = (good("good"), good("good"));
    let right = Subject::new(&solver, solvable()).failing_with(ErrorKind::Unsolvable, gif(1));
    assert_eq!(errors_are_sensible(&right).await, Finding::Passed);
    for subject in [
        Subject::new(&solver, solvable()).failing_with(ErrorKind::Unauthorized, gif(1)),
        Subject::new(&solver, solvable()).failing_elsewhere(
            ErrorKind::Unauthorized,
            &other,
            gif(1),
        ),
    ] {
        let report = run(&subject).await;
        assert!(
            report.to_string().contains(
                "VIOLATED  errors_are_sensible: the error is not unauthorized: good: scripted"
            ),
            "{report}"
        );
        assert_eq!(report.kinds(), []);
    }
    assert_eq!((solver.call_count() > 2, other.call_count()), (true, 2));
}

#[tokio::test(start_paused = true)]
async fn a_worst_case_that_does_not_hold_is_seen() {
    let second = WorstCase::one_attempt().with_time(Duration::from_secs(1));
    let free = WorstCase::one_attempt().with_cost(Usd::ZERO);
    for (worst, what) in [(second, "it took 3s"), (free, "it cost 0.0009")] {
        let solver = good("bad").with_worst_case(worst);
        let solver = solver.with_cost(Usd::from_micros(900));
        let subject = Subject::new(&solver, solvable()).on_paused_clock();
        let Finding::Violated(seen) = the_worst_case_holds(&subject).await else {
            panic!("{worst} was taken");
        };
        assert!(seen.contains(what), "{seen}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_answer_to_a_report_of_nobodys_solution_is_seen() {
    let solver = good("bad").answering_reports(|solution, _| {
        if solution.provider() == "nobody" {
            return Err(SolveError::new(ErrorKind::Unsupported, "").with_provider("bad"));
        }
        Ok(())
    });
    let (check, _) = violation(&solver).await;
    assert_eq!(check, "reports_are_answered");
}

/// Says what it is told to while it answers.
#[derive(Debug)]
struct Talker {
    says: Vec<Said>,
    outcome: fn() -> Result<Solution, SolveError>,
}

#[derive(Clone, Copy, Debug)]
enum Said {
    Somebody,
    Started,
    Buying,
    NotBought,
    Bought,
    Resumed,
    Settled,
}

#[async_trait]
impl DragSolver for Talker {
    fn name(&self) -> &'static str {
        "talker"
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let (provider, job) = (self.name(), &JobId::from(7));
        for said in &self.says {
            challenge.notify(&match said {
                Said::Somebody => Progress::Started { provider: "x" },
                Said::Started => Progress::Started { provider },
                Said::Buying => Progress::Buying { provider },
                Said::NotBought => Progress::NotBought { provider },
                Said::Bought => Progress::Bought { provider, job },
                Said::Resumed => Progress::Resumed { provider, job },
                Said::Settled => Progress::Settled { provider, job },
            });
        }
        (self.outcome)()
    }
}

#[tokio::test(start_paused = true)]
async fn false_words_about_money_are_seen() {
    use Said::{Bought, Buying, NotBought, Resumed, Settled, Somebody, Started};
    type Outcome = fn() -> Result<Solution, SolveError>;
    let free: Outcome = || Ok(Solution::new(drag(), "talker"));
    let paid: Outcome = || Ok(Solution::new(drag(), "talker").with_cost(Usd::from_micros(9)));
    let job: Outcome = || Ok(Solution::new(drag(), "talker").with_job(JobId::from(8)));
    let charged: Outcome = || {
        let error = SolveError::new(ErrorKind::Protocol, "odd").with_provider("talker");
        Err(error.with_charge(Charge::Unknown))
    };
    let cases: [(&[Said], Outcome, &str); 10] = [
        (&[Buying], free, "too early"),
        (&[Started, Bought], free, "too early"),
        (&[Started, NotBought], free, "too early"),
        (&[Resumed], free, "too early"),
        (&[Started, Buying, Settled], free, "too early"),
        (&[Somebody], free, "`x`"),
        (&[], paid, "nothing of buying"),
        (&[Started], paid, "nothing of buying"),
        (&[Started, Buying, Bought], job, "job 8"),
        (&[Started], charged, "nothing of buying"),
    ];
    let honest: &[Said] = &[Started, Buying, Bought, Settled];
    let check = async |says: &[Said], outcome| {
        let says = says.to_vec();
        let talker = Talker { says, outcome };
        progress_tells_of_money(&Subject::new(&talker, solvable())).await
    };
    assert_eq!(check(honest, paid).await, Finding::Passed);
    for (says, outcome, expected) in cases {
        let Finding::Violated(what) = check(says, outcome).await else {
            panic!("{says:?} was taken");
        };
        assert!(what.contains(expected), "{what}");
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
            challenge.notify(&Progress::Buying { provider });
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
    assert_eq!(
        skipped,
        [
            "debug_hides_secrets",
            "a_deadline_ends_the_wait",
            "progress_tells_of_money",
            "a_paid_job_is_resumed"
        ]
    );
}
