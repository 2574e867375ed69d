use drag_solver_core::ErrorKind;

use super::*;
use crate::testing::{drag, error};

const A: &str = "a";

fn price() -> Usd {
    Usd::from_micros(900)
}

fn job(id: u64) -> PaidJob {
    PaidJob::new(A, JobId::from(id))
}

/// What a solver says, as a word each: `buy`, `not`, `job N`, `resume N`, `end N`.
fn heard(words: &[&str]) -> Bill {
    let bill = Bill::default();
    for word in words {
        let mut parts = word.split(' ');
        let verb = parts.next().unwrap();
        let id = parts.next().map_or(0, |id| id.parse().unwrap());
        let id = JobId::from(id);
        let job = &id;
        let provider = A;
        bill.on_progress(&match verb {
            "start" => Progress::Started { provider },
            "buy" => Progress::Buying { provider },
            "not" => Progress::NotBought { provider },
            "job" => Progress::Bought { provider, job },
            "resume" => Progress::Resumed { provider, job },
            "end" => Progress::Settled { provider, job },
            _ => unreachable!("{verb}"),
        });
    }
    bill
}

#[allow(clippy::unnecessary_wraps)] // it stands beside `failure` in the tables
fn answer(id: Option<u64>, cost: Option<i64>) -> Result<Solution, SolveError> {
    let mut solution = Solution::new(drag(), A);
    if let Some(id) = id {
        solution = solution.with_job(JobId::from(id));
    }
    if let Some(cost) = cost {
        solution = solution.with_cost(Usd::from_micros(cost));
    }
    Ok(solution)
}

fn failure(charge: Charge, id: Option<u64>) -> Result<Solution, SolveError> {
    let error = error(ErrorKind::Unavailable)
        .with_provider(A)
        .with_charge(charge);
    Err(match id {
        Some(id) => error.with_job(JobId::from(id)),
        None => error,
    })
}

fn micros(due: &Due) -> Vec<(Usd, Option<PaidJob>)> {
    due.spends.clone()
}

const PRICE: i64 = 900;

#[test]
fn one_attempt_comes_to_what_its_end_says() {
    let spent = |amount| vec![(Usd::from_micros(amount), None)];
    let open = |id| vec![(Usd::from_micros(PRICE), Some(job(id)))];
    let cases = [
        (
            &["start", "buy", "job 1", "end 1"][..],
            answer(Some(1), None),
            spent(PRICE),
        ),
        (
            &["start", "buy", "job 1", "end 1"],
            answer(Some(1), Some(700)),
            spent(700),
        ),
        // Solved by the very answer to the purchase, so there never was a job.
        (&["start", "buy"], answer(None, None), spent(PRICE)),
        (
            &["start", "buy", "job 1", "end 1"],
            failure(Charge::No, None),
            vec![],
        ),
        (
            &["start", "buy", "job 1", "end 1"],
            failure(Charge::Yes, None),
            spent(PRICE),
        ),
        (
            &["start", "buy", "job 1"],
            failure(Charge::Unknown, Some(1)),
            open(1),
        ),
        // The job was lost from sight, but it was accepted and nobody heard of its end.
        (
            &["start", "buy", "job 1"],
            failure(Charge::No, None),
            open(1),
        ),
        (
            &["start", "buy", "job 1"],
            failure(Charge::Unknown, None),
            open(1),
        ),
        (&["start", "buy"], failure(Charge::No, None), vec![]),
        (
            &["start", "buy"],
            failure(Charge::Unknown, None),
            spent(PRICE),
        ),
        (&["start", "buy", "not"], failure(Charge::No, None), vec![]),
        (&["start"], failure(Charge::No, None), vec![]),
        (
            &["start", "buy", "not", "buy", "job 1", "end 1"],
            answer(Some(1), None),
            spent(PRICE),
        ),
    ];
    for (words, outcome, expected) in cases {
        let due = heard(words).after(&outcome, price(), false);
        assert_eq!(micros(&due), expected, "{words:?} {outcome:?}");
        assert!(due.ended.is_empty());
    }
}

#[test]
fn a_silent_solver_is_believed_when_it_ends_and_not_when_it_is_dropped() {
    let silent = Bill::default();
    assert_eq!(silent.if_dropped(price(), false).spends, [(price(), None)]);
    assert_eq!(silent.if_dropped(price(), true), Due::default());
    let spends = |outcome| silent.after(&outcome, price(), false).spends;
    assert_eq!(spends(failure(Charge::No, None)), []);
    assert_eq!(spends(failure(Charge::Yes, None)), [(price(), None)]);
    assert_eq!(
        spends(failure(Charge::Unknown, Some(1))),
        [(price(), Some(job(1)))]
    );
    assert_eq!(spends(answer(None, None)), [(price(), None)]);
}

#[test]
fn dropping_costs_what_may_have_been_bought() {
    let cases = [
        (&["start"][..], vec![]),
        (&["start", "buy"], vec![(price(), None)]),
        (&["start", "buy", "not"], vec![]),
        (&["start", "buy", "job 1"], vec![(price(), Some(job(1)))]),
        (&["start", "buy", "job 1", "end 1"], vec![(price(), None)]),
        (&["start", "resume 1"], vec![]),
    ];
    for (words, expected) in cases {
        let due = heard(words).if_dropped(price(), false);
        assert_eq!(micros(&due), expected, "{words:?}");
    }
}

#[test]
fn a_resumed_job_is_not_paid_for_twice_and_its_end_is_booked() {
    let ended = |cost: Option<i64>| vec![(job(1), cost.map(Usd::from_micros))];
    let cases = [
        (
            &["start", "resume 1", "end 1"][..],
            answer(Some(1), Some(700)),
            ended(Some(700)),
        ),
        (
            &["start", "resume 1", "end 1"],
            answer(Some(1), None),
            ended(None),
        ),
        (
            &["start", "resume 1", "end 1"],
            failure(Charge::No, None),
            ended(Some(0)),
        ),
        (
            &["start", "resume 1", "end 1"],
            failure(Charge::Yes, None),
            ended(None),
        ),
        (
            &["start", "resume 1"],
            failure(Charge::Unknown, Some(1)),
            vec![],
        ),
    ];
    for (words, outcome, expected) in cases {
        let due = heard(words).after(&outcome, price(), true);
        assert_eq!(due.ended, expected, "{words:?} {outcome:?}");
        assert_eq!(due.spends, [], "{words:?} {outcome:?}");
    }
    let silent = Bill::default().after(&answer(Some(1), Some(700)), price(), true);
    assert_eq!(silent.ended, ended(Some(700)));
    assert_eq!(silent.spends, []);
}

#[test]
fn several_purchases_in_one_call_are_told_apart() {
    let earlier = |charge, id| {
        failure(charge, id)
            .unwrap_err()
            .history(std::time::Duration::ZERO)
    };
    // Refused without charge, then billed for a wrong answer, then answered.
    let mut failures = earlier(Charge::No, None);
    failures.extend(earlier(Charge::Yes, None));
    let solved = answer(Some(3), Some(700)).map(|solution| solution.after_attempts(failures));
    let words = [
        "buy", "job 1", "end 1", "buy", "job 2", "end 2", "buy", "job 3", "end 3",
    ];
    let due = heard(&words).after(&solved, price(), false);
    let total: Usd = due.spends.iter().map(|(amount, _)| *amount).sum();
    assert_eq!(total, Usd::from_micros(700 + PRICE));

    // The loser of a race, still running, and the winner.
    let loser = earlier(Charge::Unknown, Some(1));
    let solved = answer(Some(2), None).map(|solution| solution.after_attempts(loser));
    let due = heard(&["buy", "job 1", "buy", "job 2", "end 2"]).after(&solved, price(), false);
    assert_eq!(due.spends, [(price(), None), (price(), Some(job(1)))]);
}

/// An attempt by somebody called `name`, as it stands in a history.
fn attempt(name: &str, kind: ErrorKind, charge: Charge) -> Vec<Attempt> {
    error(kind)
        .with_provider(name)
        .with_charge(charge)
        .history(std::time::Duration::ZERO)
}

fn all_failed(attempts: Vec<Attempt>) -> Result<Solution, SolveError> {
    Err(error(ErrorKind::AllFailed).with_attempts(attempts))
}

#[test]
fn a_purchase_that_no_error_accounts_for_is_spent() {
    // Two answers became one of "a|a", and that one was not agreed with.
    let mut failures = attempt("a|a", ErrorKind::InvalidAnswer, Charge::Yes);
    failures.extend(attempt("a", ErrorKind::InvalidAnswer, Charge::Yes));
    let words = [
        "start", "buy", "job 1", "end 1", "start", "buy", "job 2", "end 2", "start", "buy",
        "job 3", "end 3",
    ];
    let due = heard(&words).after(&all_failed(failures), price(), false);
    assert_eq!(due.spends, vec![(price(), None); 3]);
}

#[test]
fn an_attempt_that_sent_nothing_does_not_make_another_free() {
    let free = |kind| attempt("a", kind, Charge::No);
    let cases = [
        (free(ErrorKind::Unavailable), &["start", "buy", "not"][..]),
        (free(ErrorKind::Unsupported), &["start"]),
        (free(ErrorKind::CircuitOpen), &[]),
        (free(ErrorKind::DeadlineExceeded), &["start"]),
    ];
    for (failure, words) in cases {
        let lost = ["start", "buy", "job 1", "end 1"];
        let words = [&lost[..], words].concat();
        let due = heard(&words).after(&all_failed(failure), price(), false);
        assert_eq!(due.spends, [(price(), None)], "{words:?}");
    }
    let due = heard(&["start", "buy", "job 1", "end 1"]);
    let unsolved = all_failed(free(ErrorKind::Unsolvable));
    assert_eq!(due.after(&unsolved, price(), false).spends, []);
}

#[test]
fn an_attempt_that_left_its_job_to_a_later_one_does_not_make_another_free() {
    // The first job was billed, and nobody saw it; the second is resumed and still not answered.
    let mut failures = attempt("a", ErrorKind::Timeout, Charge::No);
    let still_open = error(ErrorKind::Timeout)
        .with_provider("a")
        .with_charge(Charge::Unknown)
        .with_job(JobId::from(2));
    failures.extend(still_open.history(std::time::Duration::ZERO));
    let words = [
        "start", "buy", "job 1", "end 1", "start", "buy", "job 2", "start", "resume 2",
    ];
    let due = heard(&words).after(&all_failed(failures), price(), false);
    assert_eq!(due.spends, [(price(), Some(job(2))), (price(), None)]);
}
