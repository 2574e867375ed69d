//! What a solver says of money, and what it buys.

use drag_solver_core::{Event, solver_fn};
use futures_util::FutureExt as _;

use super::*;

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

#[tokio::test(start_paused = true)]
async fn a_purchase_after_the_deadline_is_seen() {
    let late: Answer = || Err(error(Billed::No).with_kind(ErrorKind::DeadlineExceeded));
    let greedy = talker(&[Said::Started, Said::Buying, Said::NotBought], late);
    let subject = SolverUnderTest::new(&greedy, solvable());
    let what = subject.an_expired_challenge_is_refused().await;
    assert!(what.unwrap_err().contains("and it bought"));
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
