use drag_solver_core::{
    Brought, ErrorKind, Event, JobId, PaidJob, Purchases, Solution, SolveError,
};
use drag_solver_mock::fixtures;

use super::*;
use crate::inspect::{CallOutcome, each_purchase};
use crate::tests::error;

const A: &str = "a";
const PRICE: i64 = 900;

fn usd(micros: i64) -> Usd {
    Usd::from_micros(micros)
}

fn job(id: u64) -> PaidJob {
    PaidJob::new(A, JobId::from(id))
}

/// What a solver says, as a word each: `wait`, `go`, `start`, `buy`, `not`, `job N`, `resume N`,
/// `end N BILLED COST` (job 0 is none, cost -1 is unknown).
fn heard(words: &[&str]) -> Purchases {
    let mut purchases = Purchases::default();
    for word in words {
        let parts: Vec<&str> = word.split(' ').collect();
        let id = parts.get(1).map_or(0, |id| id.parse().unwrap());
        let id = JobId::from(id);
        let (solver, id) = (A, &id);
        purchases.apply(&match parts[0] {
            "wait" => Event::Waiting {
                solver,
                reason: "a permit",
            },
            "go" => Event::WaitEnded { solver },
            "start" => Event::Started { solver },
            "buy" => Event::Buying { solver },
            "not" => Event::NotBought { solver },
            "job" => Event::Bought { solver, job: id },
            "resume" => Event::Resumed { solver, job: id },
            "end" => Event::Settled {
                solver,
                job: Some(id).filter(|id| id.as_str() != "0"),
                billed: match parts[2] {
                    "no" => Billed::No,
                    "maybe" => Billed::Maybe,
                    _ => Billed::Yes,
                },
                cost: Some(parts[3].parse().unwrap())
                    .filter(|&cost| cost != -1)
                    .map(usd),
            },
            verb => unreachable!("{verb}"),
        });
    }
    purchases
}

/// What is booked for a call; `None` was dropped.
fn booked(
    purchases: &Purchases,
    outcome: Option<&Result<Solution, SolveError>>,
    own: &[PaidJob],
) -> Vec<Entry> {
    let outcome = outcome.map_or(CallOutcome::Dropped, CallOutcome::of);
    let mut brought = Brought::default();
    brought.own = own.to_vec();
    let mut booked = Vec::new();
    each_purchase(A, purchases, outcome, &brought, |purchase| {
        booked.extend(Entry::of(purchase, usd(PRICE)));
    });
    booked
}

fn spent(amount: i64) -> Vec<Entry> {
    vec![Entry::Spent(usd(amount), None)]
}

fn open(ids: &[u64]) -> Vec<Entry> {
    let open = |&id: &u64| Entry::Spent(usd(PRICE), Some(job(id)));
    ids.iter().map(open).collect()
}

#[test]
fn a_solver_that_speaks_is_booked_at_its_word_however_the_call_ends() {
    let cases = [
        (&["start", "buy", "job 1", "end 1 yes -1"][..], spent(PRICE)),
        (&["start", "buy", "job 1", "end 1 yes 700"], spent(700)),
        (&["start", "buy", "job 1", "end 1 maybe -1"], spent(PRICE)),
        (&["start", "buy", "job 1", "end 1 no -1"], vec![]),
        // Answered by the very reply to the purchase, so there never was a job.
        (&["start", "buy", "end 0 yes 700"], spent(700)),
        (&["start", "buy", "end 0 maybe -1"], spent(PRICE)),
        (&["start", "buy", "job 1"], open(&[1])),
        (&["start", "buy"], spent(PRICE)),
        (&["start", "buy", "not"], vec![]),
        (&["start"], vec![]),
        (&["wait"], vec![]),
        (&["start", "buy", "buy", "job 1", "job 2"], open(&[2, 1])),
        (
            &["start", "buy", "not", "buy", "job 1", "end 1 yes 5"],
            spent(5),
        ),
        // A job of an earlier call is booked there.
        (&["start", "resume 7"], vec![]),
        // Bought here and gone on with here is one purchase.
        (&["buy", "job 1", "resume 1", "end 1 yes -1"], spent(PRICE)),
    ];
    let failed = Err(error(ErrorKind::Timeout).with_billed(Billed::Maybe));
    for (words, expected) in cases {
        let purchases = heard(words);
        let dropped = booked(&purchases, None, &[]);
        assert_eq!(dropped, expected, "dropped after {words:?}");
        if !purchases.as_slice().is_empty() {
            let ended = booked(&purchases, Some(&failed), &[]);
            assert_eq!(ended, expected, "failed after {words:?}");
        }
    }
}

#[test]
fn a_resumed_job_that_ends_corrects_what_was_booked_for_it() {
    let cases = [
        ("end 7 yes 600", Some(usd(600))),
        ("end 7 yes -1", None),
        ("end 7 no -1", Some(Usd::ZERO)),
    ];
    for (end, cost) in cases {
        let purchases = heard(&["start", "resume 7", end]);
        let booked = booked(&purchases, None, &[]);
        assert_eq!(booked, [Entry::Ended(job(7), cost)], "{end}");
    }
}

#[test]
fn a_solver_that_says_nothing_is_booked_by_how_the_call_ended() {
    let answer = || Solution::new(fixtures::drag(), A);
    let silent = Purchases::default();
    let failed = |billed| {
        error(ErrorKind::Unavailable)
            .with_solver(A)
            .with_billed(billed)
    };
    let cases = [
        (Some(Ok(answer())), spent(PRICE)),
        (Some(Ok(answer().with_cost(usd(700)))), spent(700)),
        (Some(Ok(answer().with_cost(usd(-700)))), spent(PRICE)),
        (Some(Err(failed(Billed::No))), vec![]),
        (Some(Err(failed(Billed::Yes))), spent(PRICE)),
        (Some(Err(failed(Billed::Yes).with_cost(usd(5)))), spent(5)),
        (
            Some(Err(
                failed(Billed::No).with_unfinished_jobs([job(1), job(2)])
            )),
            open(&[1, 2]),
        ),
        (None, spent(PRICE)),
    ];
    for (outcome, expected) in cases {
        let booked = booked(&silent, outcome.as_ref(), &[]);
        assert_eq!(booked, expected, "{outcome:?}");
    }
    let several = answer().with_contributors(vec![answer().with_cost(usd(1)), answer()]);
    let each = [Entry::Spent(usd(1), None), Entry::Spent(usd(PRICE), None)];
    assert_eq!(booked(&silent, Some(&Ok(several)), &[]), each);
}

#[test]
fn what_the_challenge_brought_was_bought_by_somebody_else() {
    let challenge = fixtures::challenge().resume_job(job(7));
    let silent = Purchases::default();
    let booked = |outcome: Option<&_>| booked(&silent, outcome, challenge.paid_jobs());
    let refused = Err(challenge.refuse(A, ErrorKind::CircuitOpen, "open"));
    assert_eq!(booked(Some(&refused)), []);
    assert_eq!(booked(None), []);
    let answer = Solution::new(fixtures::drag(), A).with_job(job(7).id);
    let booked = booked(Some(&Ok(answer.with_cost(usd(5)))));
    assert_eq!(booked, [Entry::Ended(job(7), Some(usd(5)))]);
}

#[test]
fn a_local_solver_that_only_says_it_started_costs_nothing() {
    let started = heard(&["start"]);
    let answer = Ok(Solution::new(fixtures::drag(), A));
    assert_eq!(booked(&started, Some(&answer), &[]), []);
}

#[test]
fn who_waits_here_has_bought_nothing_and_who_is_asked_after_it_may_have() {
    let dropped = |words: &[&str]| booked(&heard(words), None, &[]);
    assert_eq!(dropped(&["wait"]), []);
    assert_eq!(dropped(&["wait", "go"]), spent(PRICE));
}
