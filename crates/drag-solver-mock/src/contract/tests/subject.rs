//! What an author says of the solver, and that the suite holds the solver to it.

use drag_solver_core::{Event, Profile, Verdict, async_trait};
use tokio::time::{sleep, timeout};

use super::*;

const BOTH: [Verdict; 2] = [Verdict::Correct, Verdict::Incorrect];

fn unsupported(name: &str) -> SolveError {
    SolveError::new(ErrorKind::Unsupported, "no such report").with_solver(name)
}

#[tokio::test(start_paused = true)]
async fn a_solver_is_held_to_the_reports_that_it_takes() {
    use Verdict::{Correct, Incorrect};
    let cases: [(&[Verdict], &[Verdict], Option<&str>); 8] = [
        // What it takes, what it is said to take, and what is wrong.
        (&BOTH, &BOTH, None),
        (&[Incorrect], &[Incorrect], None),
        (&[Correct], &[Correct], None),
        (&[], &[], None),
        (&[Correct], &BOTH, Some("it was incorrect failed")),
        (&[], &[Correct], Some("it was correct failed")),
        (
            &BOTH,
            &[Incorrect],
            Some("took a report that it was correct"),
        ),
        (&[Correct], &[], Some("took a report that it was correct")),
    ];
    for (takes, said, wrong) in cases {
        let solver = good("good").on_report(|_, verdict| {
            let is_taken = takes.contains(&verdict);
            is_taken.then_some(()).ok_or_else(|| unsupported("good"))
        });
        let subject = subject(&solver).reporting(said.iter().copied());
        let checked = subject.reports_are_answered().await;
        match wrong {
            None => assert_eq!(checked, Ok(Finding::Passed), "{said:?}"),
            Some(wrong) => {
                let what = checked.expect_err(wrong);
                assert!(what.contains(wrong), "{what}");
            }
        }
        // Each report was on an answer of its own.
        let reports = solver.reports();
        let jobs: Vec<_> = reports.iter().filter_map(|it| it.solution.job()).collect();
        assert!(jobs.len() < 2 || jobs[0] != jobs[1], "{jobs:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_that_is_not_refused_cleanly_is_seen() {
    let cases = [
        (unsupported("good").with_billed(Billed::Yes), "cost money"),
        (unsupported("stranger"), "`stranger`"),
        (
            SolveError::new(ErrorKind::Protocol, "odd").with_solver("good"),
            "failed",
        ),
    ];
    for (error, wrong) in cases {
        let solver = good("good").on_report(move |_, _| Err(error.clone()));
        let checked = subject(&solver).reporting([]).reports_are_answered().await;
        let what = checked.expect_err(wrong);
        assert!(what.contains(wrong), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_left_out_is_listed_and_neither_made_nor_skipped() {
    let solver = good("good").on_report(|_, _| Err(SolveError::new(ErrorKind::Protocol, "odd")));
    let subject = subject(&solver)
        .without(Check::DebugHidesSecrets, "it holds none")
        .without(Check::ReportsAreAnswered, "nobody asks for them");
    let report = run(&subject).await;
    assert!(report.passed(), "{report}");
    assert_eq!(report.skipped().count(), 0, "{report}");
    let left_out: Vec<_> = report.left_out().collect();
    let expected = [
        ("debug_hides_secrets", "it holds none"),
        ("reports_are_answered", "nobody asks for them"),
    ];
    assert_eq!(left_out, expected);
    assert!(solver.reports().is_empty());
    let text = report.to_string();
    let line = "left out debug_hides_secrets: it holds none\n";
    assert!(text.contains(line), "{text}");
    let last = "15 passed, 0 skipped, 0 failed, 2 left out";
    assert!(text.ends_with(last), "{text}");
}

/// A service that answers in one call, with at most one bad habit.
#[derive(Debug)]
struct OneCall(Flaw);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    NamesAJob,
    BuysAJob,
    SolvesAnew,
    IgnoresTheJob,
    SaysInvalid,
    ForgetsTheJob,
    ForgetsTheSecondJob,
    SaysItCost,
    Dawdles,
}

#[async_trait]
impl DragSolver for OneCall {
    fn name(&self) -> &'static str {
        "one-call"
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let solver = self.name();
        if challenge.is_expired() {
            return Err(challenge.refuse(solver, ErrorKind::DeadlineExceeded, "too late"));
        }
        if challenge.paid_jobs_of(solver).next().is_some() {
            let refuse = |kind| challenge.refuse(solver, kind, "there are no jobs");
            let first = challenge.paid_jobs().first().cloned();
            let bare = SolveError::new(ErrorKind::Unsupported, "there are no jobs");
            let bare = bare.with_solver(solver);
            return match self.0 {
                Flaw::SolvesAnew => self.buy(challenge).await,
                Flaw::IgnoresTheJob => Ok(Solution::new(drag(), solver)),
                Flaw::SaysInvalid => Err(refuse(ErrorKind::InvalidChallenge)),
                Flaw::ForgetsTheJob => Err(bare),
                Flaw::ForgetsTheSecondJob => Err(bare.with_unfinished_jobs(first)),
                Flaw::SaysItCost => Err(refuse(ErrorKind::Unsupported).with_billed(Billed::Yes)),
                Flaw::Dawdles => {
                    sleep(Duration::from_secs(1)).await;
                    Err(refuse(ErrorKind::Unsupported))
                }
                _ => Err(refuse(ErrorKind::Unsupported)),
            };
        }
        self.buy(challenge).await
    }

    fn profile(&self) -> Profile {
        Profile::new(WorstCase::one_purchase())
    }
}

impl OneCall {
    async fn buy(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let (solver, id) = (self.name(), JobId::from(7));
        let job = Some(&id).filter(|_| self.0 == Flaw::BuysAJob);
        challenge.notify(Event::Started { solver }).await?;
        challenge.notify(Event::Buying { solver }).await?;
        if let Some(job) = job {
            challenge.notify(Event::Bought { solver, job }).await?;
        }
        let seconds = match challenge.screenshot().width() & 0xff {
            2 => u64::from(u32::MAX),
            _ => 3,
        };
        let left = challenge.remaining().unwrap_or(Duration::MAX);
        let answer = timeout(left, sleep(Duration::from_secs(seconds))).await;
        let (billed, cost) = match answer {
            Ok(()) => (Billed::Yes, Some(Usd::from_micros(9))),
            Err(_) => (Billed::Maybe, None),
        };
        let settled = Event::Settled {
            solver,
            job,
            billed,
            cost,
        };
        challenge.notify(settled).await?;
        if answer.is_err() {
            let late = SolveError::new(ErrorKind::DeadlineExceeded, "no answer in time");
            return Err(late.with_solver(solver).with_billed(billed));
        }
        let solution = Solution::new(drag(), solver).with_cost(Usd::from_micros(9));
        Ok(match self.0 {
            Flaw::NamesAJob => solution.with_job(id),
            _ => solution,
        })
    }
}

fn one_call(solver: &OneCall) -> SolverUnderTest<'_> {
    SolverUnderTest::new(solver, solvable())
        .expecting(drag(), 0.0)
        .never_answering(picture(2))
        .with_secret("s3cret")
        .reporting([])
        .without(Check::ErrorsAreSensible, "it solves every picture")
        .with_calls_at_once(100)
        .on_paused_clock()
}

#[tokio::test(start_paused = true)]
async fn a_service_without_jobs_passes_with_nothing_skipped() {
    let solver = OneCall(Flaw::None);
    let report = run(&one_call(&solver).answering_in_one_call()).await;
    assert!(report.passed(), "{report}");
    assert_eq!(report.skipped().count(), 0, "{report}");
    // Not said, it is not guessed.
    let report = run(&one_call(&solver)).await;
    assert!(report.passed(), "{report}");
    let skipped: Vec<_> = report.skipped().collect();
    let expected = ["a_paid_job_is_resumed", "two_paid_jobs_are_both_kept"];
    assert!(skipped.iter().map(|it| it.0).eq(expected), "{report}");
    assert!(skipped[0].1.contains("`answering_in_one_call`"));
}

#[tokio::test(start_paused = true)]
async fn a_service_without_jobs_is_held_to_that() {
    let resumed = "a_paid_job_is_resumed";
    let kept = "two_paid_jobs_are_both_kept";
    let cases = [
        (Flaw::NamesAJob, resumed, "names job 7"),
        (Flaw::BuysAJob, resumed, "names job 7"),
        (Flaw::SolvesAnew, resumed, "and it bought"),
        (Flaw::IgnoresTheJob, resumed, "answered all the same"),
        (Flaw::SaysInvalid, resumed, "not unsupported"),
        (Flaw::ForgetsTheJob, resumed, "not handed back"),
        (Flaw::ForgetsTheSecondJob, kept, "not handed back"),
        (Flaw::SaysItCost, resumed, "the error says `yes`"),
        (Flaw::Dawdles, resumed, "took 1s"),
    ];
    for (flaw, check, expected) in cases {
        let solver = OneCall(flaw);
        let report = run(&one_call(&solver).answering_in_one_call()).await;
        let mut failed = report.failed();
        let is_seen = failed.any(|(it, what)| it == check && what.contains(expected));
        assert!(is_seen, "{flaw:?}: {check} does not see it\n{report}");
    }
    // One that has jobs is no such service.
    let solver = good("good");
    let subject = subject(&solver).answering_in_one_call();
    for check in [Check::APaidJobIsResumed, Check::TwoPaidJobsAreBothKept] {
        assert!(check.of(&subject).await.is_err(), "{check}");
    }
}

#[test]
fn checks_are_called_what_the_report_calls_them() {
    assert_eq!(Check::ALL.len(), 17);
    assert_eq!(
        Check::APaidJobIsResumed.to_string(),
        "a_paid_job_is_resumed"
    );
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
