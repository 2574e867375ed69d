//! People keep the promises of every solver.

use drag_solver_core::{ErrorKind, Verdict};
use drag_solver_mock::contract::{self, Check};

use super::*;

/// No operator has many pages.
const NAMES: [&str; 30] = [
    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s",
    "t", "u", "v", "w", "x", "y", "z", "aa", "bb", "cc", "dd",
];

/// Answers everything but what is marked, for ever.
async fn robot(desk: Desk, name: &'static str) {
    let mut hand = Hand::at(&desk, name);
    loop {
        let card = hand.next().await;
        // It may have been taken away meanwhile.
        let _ = match card.instruction.as_deref() {
            Some("endless") => {
                // Its call ends some time, and then it is gone.
                while hand.card().as_ref() == Some(&card) {
                    tokio::select! {
                        changed = hand.seated.view.changed() => changed.unwrap(),
                        () = tokio::time::sleep(LEASE / 3) => hand.looks(),
                    }
                }
                continue;
            }
            Some("unsolvable") => hand.skip(&card),
            _ => hand.answer(&card),
        };
        pause().await;
    }
}

#[tokio::test(start_paused = true)]
async fn people_keep_the_contract() {
    let desk = Desk::new(DeskPolicy::default().max_operators(500));
    let robots: Vec<_> = (0..150)
        .map(|n| tokio::spawn(robot(desk.clone(), NAMES[n % NAMES.len()])))
        .collect();
    pause().await;
    let policy = OperatorsPolicy::default().max_waiting(10_000);
    let people = Operators::new(&desk, policy);
    let empty = Operators::new(&self::desk(), policy);
    let challenge = fixtures::challenge();
    let subject = contract::SolverUnderTest::new(&people, challenge.clone())
        .expecting(fixtures::drag(), 0.0)
        .failing_with(
            ErrorKind::Unsolvable,
            challenge.clone().with_instruction("unsolvable"),
        )
        .with_unrelated_failure(ErrorKind::Overloaded, &empty, challenge.clone())
        .never_answering(challenge.with_instruction("endless"))
        .without(Check::DebugHidesSecrets, "it has none")
        .with_calls_at_once(100)
        .reporting([Verdict::Correct, Verdict::Incorrect])
        .on_paused_clock();
    let report = contract::run(&subject).await;
    assert!(report.passed(), "{report}");
    assert_eq!(report.skipped().count(), 0, "{report}");
    for robot in robots {
        robot.abort();
    }
}
