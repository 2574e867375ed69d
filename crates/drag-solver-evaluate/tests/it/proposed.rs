//! Whether the chain that is proposed is the one that is best, found out by running every candidate for real: with the combinators
//! themselves, and dice that the evaluation did not see.

use std::sync::Arc;
use std::time::Duration;

use drag_solver_combinators::{
    DragSolverExt as _, Fallback, Hedge, HedgePolicy, Retry, RetryPolicy,
};
use drag_solver_core::{DragChallenge, DragSolver};
use drag_solver_evaluate::propose::{Candidate, Goal};
use futures_util::{StreamExt as _, stream};
use tokio::time::Instant;

use crate::measured::measure;
use crate::world::{ALL, Books, LIMIT, TOLERANCE, pictures};

/// How many challenges each candidate solves.
const CHALLENGES: u16 = 2000;

/// How far a p99 and a price of a right answer of so many challenges may be off by chance, and not change the verdict.
const MARGIN: (f64, f64) = (0.05, 0.015);

fn chain(candidate: &Candidate, books: &Books) -> Arc<dyn DragSolver> {
    let members = candidate.members.iter().map(|&member| {
        let once = ALL[member].provider(books).timeout(LIMIT);
        if candidate.attempts == 1 {
            return once.into_arc();
        }
        let policy = RetryPolicy::default().max_attempts(candidate.attempts);
        Retry::new(once, policy)
            .with_seed(7)
            .timeout(LIMIT)
            .into_arc()
    });
    match candidate.hedge_delay {
        Some(delay) => Arc::new(Hedge::new(members, HedgePolicy::default().delay(delay))),
        None => Arc::new(Fallback::new(members)),
    }
}

/// What a candidate is really like.
#[derive(Debug)]
struct Real {
    seconds_p99: f64,
    usd_per_right: f64,
}

async fn run(candidate: &Candidate, seed: u64) -> Real {
    let books = Books::new(seed);
    let (chain, pictures) = (chain(candidate, &books), pictures(CHALLENGES));
    let solved = stream::iter(&pictures).map(|picture| {
        let chain = &chain;
        async move {
            let challenge = DragChallenge::new(picture.screenshot().unwrap());
            let begun = Instant::now();
            let answer = chain.solve(&challenge).await;
            let right = answer.is_ok_and(|answer| picture.off(answer.drag()) <= TOLERANCE);
            (begun.elapsed().as_secs_f64(), right)
        }
    });
    let all: Vec<(f64, bool)> = solved.buffer_unordered(1000).collect().await;
    let right = all.iter().filter(|(_, right)| *right).count();
    let mut seconds: Vec<f64> = all.into_iter().map(|(seconds, _)| seconds).collect();
    seconds.sort_by(f64::total_cmp);
    Real {
        seconds_p99: seconds[usize::from(CHALLENGES) * 99 / 100 - 1],
        usd_per_right: books.billed_usd() / f64::from(u32::try_from(right).unwrap()),
    }
}

#[tokio::test(start_paused = true)]
async fn the_proposed_chain_is_the_cheapest_within_the_time_of_all_that_were_weighed() {
    let report = measure(&Books::new(100), 2000).await;
    let mut proposed = Vec::new();
    let mut reals: Vec<(Candidate, Real)> = Vec::new();
    for within in [20, 40, 70] {
        let goal = Goal::default().within(Duration::from_secs(within));
        let report = report.clone().with_proposal(&[0, 1, 2], goal);
        let proposal = report.proposal.unwrap();
        let chosen = proposal
            .chosen()
            .unwrap_or_else(|| panic!("{:?}", proposal.why));
        if reals.is_empty() {
            for (index, one) in proposal.candidates.iter().enumerate() {
                let real = run(&one.candidate, 1000 + index as u64).await;
                reals.push((one.candidate.clone(), real));
            }
        }
        let real_of = |candidate: &Candidate| {
            let found = reals.iter().find(|(one, _)| one == candidate);
            &found.unwrap().1
        };
        let (limit, real) = (
            Duration::from_secs(within).as_secs_f64(),
            real_of(&chosen.candidate),
        );
        println!("within {within} s: {:?}\n  really {real:?}", proposal.why);
        assert!(
            real.seconds_p99 <= limit * (1.0 + MARGIN.0),
            "{chosen:?}: {real:?}"
        );
        assert!(proposal.seconds_p99.unwrap().holds(real.seconds_p99) || real.seconds_p99 <= limit);
        for (candidate, other) in &reals {
            let is_in_time = other.seconds_p99 <= limit * (1.0 - MARGIN.0);
            let is_cheaper = other.usd_per_right < real.usd_per_right * (1.0 - MARGIN.1);
            assert!(
                !(is_in_time && is_cheaper),
                "{within}: {candidate:?}: {other:?}, and {chosen:?}: {real:?}"
            );
        }
        // And what was estimated of each is what it does.
        let mut worst: (f64, f64) = (0.0, 0.0);
        for one in &proposal.candidates {
            let real = real_of(&one.candidate);
            let apart = |estimate: f64, real: f64| (estimate / real - 1.0).abs();
            let (seconds, usd) = (
                apart(one.seconds_p99, real.seconds_p99),
                apart(one.usd_per_right.unwrap(), real.usd_per_right),
            );
            assert!(usd < 0.05 && seconds < 0.2, "{one:?}: {real:?}");
            worst = (worst.0.max(seconds), worst.1.max(usd));
        }
        println!(
            "  of {} chains, the worst estimates are {worst:?} off",
            proposal.candidates.len()
        );
        proposed.push(chosen.candidate.clone());
    }
    assert_ne!(proposed[0], proposed[2], "more time allows a cheaper chain");
}
