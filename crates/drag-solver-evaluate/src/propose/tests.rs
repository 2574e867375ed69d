use std::time::Duration;

use drag_solver_core::{ErrorKind, Usd};
use drag_solver_mock::fixtures;

use super::*;
use crate::call::{CallOutcome, Next};

fn answered(seconds: u64, off_px: f64) -> (u64, CallOutcome) {
    let drag = fixtures::drag();
    (seconds, CallOutcome::Answered { drag, off_px })
}

fn failed(seconds: u64, next: Next) -> (u64, CallOutcome) {
    let kind = ErrorKind::Unsolvable;
    let retry_after = None;
    let failed = CallOutcome::Failed {
        kind,
        next,
        retry_after,
    };
    (seconds, failed)
}

/// One call about each picture, of each solver; each costs a thousandth of a dollar.
fn calls(solvers: &[Vec<(u64, CallOutcome)>]) -> Vec<Call> {
    let of = |(solver, calls): (usize, &Vec<(u64, CallOutcome)>)| {
        let calls = calls
            .iter()
            .enumerate()
            .map(move |(picture, (seconds, outcome))| Call {
                picture,
                solver,
                outcome: outcome.clone(),
                took: Some(Duration::from_secs(*seconds)),
                spent: Some(Usd::from_micros(1000)),
                from_store: false,
            });
        calls.collect::<Vec<_>>()
    };
    solvers.iter().enumerate().flat_map(of).collect()
}

fn one(
    solvers: &[Vec<(u64, CallOutcome)>],
    members: &[usize],
    delay: Option<u64>,
    attempts: u32,
) -> Trial {
    let calls = calls(solvers);
    let samples: Vec<Samples> = (0..solvers.len())
        .map(|solver| Samples::of(solver, &calls, 1, 10.0))
        .collect();
    let candidate = Candidate {
        members: members.to_vec(),
        hedge_delay: delay.map(Duration::from_secs),
        attempts,
    };
    trial(&candidate, &samples, 0, 60.0, &mut Seeded::new(1))
}

#[track_caller]
fn assert_trial(trial: Trial, seconds: f64, millis_usd: f64, right: bool) {
    assert!((trial.seconds - seconds).abs() < 1e-9, "{trial:?}");
    assert!((trial.usd * 1000.0 - millis_usd).abs() < 1e-9, "{trial:?}");
    assert_eq!(trial.right, right, "{trial:?}");
}

#[test]
fn a_fallback_adds_up_and_a_wrong_answer_ends_it() {
    let bad = vec![failed(3, Next::Another)];
    let good = vec![answered(4, 0.0)];
    let wrong = vec![answered(2, 11.0)];
    let stop = vec![failed(1, Next::Stop)];
    let all = [bad, good, wrong, stop];
    assert_trial(one(&all, &[0, 1], None, 1), 7.0, 2.0, true);
    assert_trial(one(&all, &[1, 0], None, 1), 4.0, 1.0, true);
    assert_trial(one(&all, &[2, 1], None, 1), 2.0, 1.0, false);
    assert_trial(one(&all, &[3, 1], None, 1), 1.0, 1.0, false);
    assert_trial(one(&all, &[0], None, 3), 3.0, 1.0, false);
}

#[test]
fn a_hedge_takes_the_first_answer_and_pays_for_who_was_asked() {
    let slow = vec![answered(20, 0.0)];
    let quick = vec![answered(4, 0.0)];
    let bad = vec![failed(3, Next::Another)];
    let all = [slow, quick, bad];
    assert_trial(one(&all, &[0, 1], Some(8), 1), 12.0, 2.0, true);
    assert_trial(one(&all, &[0, 1], Some(19), 1), 20.0, 2.0, true);
    assert_trial(one(&all, &[0, 1], Some(20), 1), 20.0, 1.0, true);
    assert_trial(one(&all, &[1, 0], Some(8), 1), 4.0, 1.0, true);
    // An error before the delay asks the other at once; one after it waits for the other.
    assert_trial(one(&all, &[2, 1], Some(8), 1), 7.0, 2.0, true);
    assert_trial(one(&all, &[0, 2], Some(8), 1), 20.0, 2.0, true);
}

#[test]
fn a_retry_asks_again_within_the_time_and_no_more_often_than_it_may() {
    let never = vec![failed(3, Next::Again)];
    let thrice = one(std::slice::from_ref(&never), &[0], None, 3);
    assert!(
        !thrice.right && (9.0..10.5).contains(&thrice.seconds),
        "{thrice:?}"
    );
    assert!((thrice.usd - 0.003).abs() < 1e-12, "{thrice:?}");
    assert_trial(one(&[never], &[0], None, 1), 3.0, 1.0, false);
    // A second attempt that cannot end in time is cut off there, and paid.
    let slow = vec![failed(40, Next::Again)];
    assert_trial(one(&[slow], &[0], None, 3), 60.0, 2.0, false);
}

#[test]
fn a_further_attempt_is_drawn_from_all_calls_and_the_first_is_about_the_same_picture() {
    // The first solver fails on every other picture, the second on the others.
    let alternating = |odd: bool| {
        let of = |picture: usize| {
            if picture % 2 == usize::from(odd) {
                answered(1, 0.0)
            } else {
                failed(1, Next::Another)
            }
        };
        (0..100).map(of).collect::<Vec<_>>()
    };
    let names = ["a".to_owned(), "b".to_owned()];
    let proposal = |first, second| {
        let calls = calls(&[first, second]);
        let evidence = Evidence {
            names: &names,
            calls: &calls,
            pictures: 100,
            tolerance: 10.0,
            limit: Duration::from_secs(60),
        };
        propose(evidence, &[0, 1], Goal::default().min_right(0.9))
    };
    // Where one fails, the other answers: both in a row solve all of them.
    let both = proposal(alternating(false), alternating(true)).unwrap();
    assert!(both.is_met, "{:?}", both.why);
    assert!((both.candidates[0].share_right - 1.0).abs() < 1e-12);
    // Where one fails, so does the other: no chain gets further than half.
    let same = proposal(alternating(false), alternating(false)).unwrap();
    assert!(!same.is_met && same.chosen().is_none());
    assert!(same.why[0].starts_with("None of "), "{:?}", same.why);
}

#[test]
fn who_has_no_price_is_not_weighed_and_no_call_gives_no_proposal() {
    let names = ["a".to_owned()];
    let mut calls = calls(&[vec![answered(1, 0.0)]]);
    let propose_of = |calls: &[Call]| {
        let evidence = Evidence {
            names: &names,
            calls,
            pictures: 1,
            tolerance: 10.0,
            limit: Duration::from_secs(60),
        };
        propose(evidence, &[0], Goal::default())
    };
    let proposal = propose_of(&calls).unwrap();
    assert_eq!(
        proposal,
        propose_of(&calls).unwrap(),
        "the same calls, the same proposal"
    );
    let chosen = proposal.chosen().unwrap();
    assert_eq!(
        (&chosen.candidate.members[..], chosen.candidate.attempts),
        (&[0][..], 1)
    );
    calls[0].spent = None;
    assert_eq!(propose_of(&calls), None);
    assert_eq!(propose_of(&[]), None);
}
