//! Jobs that were paid for: their bill, and what is bought after them.

use drag_solver_core::{Billed, solver_fn};
use drag_solver_mock::{MockSolver, Outcome};

use super::tests::{PRICE, around, per_hour, total, usd};
use super::*;
use crate::tests::{Script, challenge, drag, job, secs};
use crate::{DragSolverExt, RetryPolicy};

#[tokio::test(start_paused = true)]
async fn a_resumed_job_is_not_charged_twice_and_its_cost_is_corrected() {
    for (cost, expected) in [(None, PRICE), (Some(usd(600)), 600)] {
        let budget = per_hour(10 * PRICE);
        let mut a = MockSolver::new("a").stalls().answers(secs(10));
        if let Some(cost) = cost {
            a = a.with_cost(cost);
        }
        let limited = around(&a, &budget);
        let hasty = challenge().within(secs(5));
        let late = limited.solve(&hasty).await.unwrap_err();
        assert_eq!(budget.spent(), usd(PRICE));
        let resumed = challenge().resume_job(late.unfinished_jobs().remove(0));
        limited.solve(&resumed).await.unwrap();
        assert_eq!(a.purchases(), 1);
        assert_eq!(budget.spent(), usd(expected));
        assert_eq!(budget.spent_in_period(), usd(expected));
    }
}

#[tokio::test(start_paused = true)]
async fn a_corrected_bill_leaves_the_period_when_its_purchase_does_and_at_what_it_cost() {
    for corrected in 0..3 {
        let budget = per_hour(10 * PRICE);
        let a = MockSolver::new("a").stalls().stalls().stalls();
        let a = a.answers(secs(5)).with_cost(usd(600));
        let limited = around(&a, &budget);
        let mut jobs = Vec::new();
        for _ in 0..3 {
            let late = limited.solve(&challenge().within(secs(600))).await;
            jobs.append(&mut late.unwrap_err().unfinished_jobs());
        }
        let resumed = challenge().resume_job(jobs.swap_remove(corrected));
        limited.solve(&resumed).await.unwrap();
        let mut left = 2 * PRICE + 600;
        assert_eq!(budget.spent_in_period(), usd(left));
        // Ten minutes between the purchases, of which the last was booked five seconds ago.
        tokio::time::advance(secs(3_600 - 1_205)).await;
        for purchase in 0..3 {
            left -= if purchase == corrected { 600 } else { PRICE };
            assert_eq!(budget.spent_in_period(), usd(left), "{corrected}");
            tokio::time::advance(secs(600)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn of_too_many_unfinished_jobs_the_oldest_keeps_its_estimate_and_no_other() {
    let budget = Budget::new(BudgetPolicy::default());
    let book = |entry| {
        let reservation = budget.reserve_nothing();
        reservation.settle(|ledger| ledger.book(entry, Instant::now()));
    };
    for id in 0..=1_000 {
        book(Entry::Spent(usd(PRICE), Some(job("a", id))));
    }
    for (id, corrected) in [(0, 0), (1, 1), (1_000, 2)] {
        book(Entry::Ended(job("a", id), Some(Usd::ZERO)));
        assert_eq!(budget.spent(), usd((1_001 - corrected) * PRICE), "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_budget_still_waits_for_what_was_paid_for() {
    let budget = total(PRICE);
    let a = MockSolver::new("a").stalls().stalls().answers(secs(10));
    let chain = around(&a, &budget)
        .timeout(secs(30))
        .retry(RetryPolicy::default());
    chain.solve(&challenge()).await.unwrap();
    assert_eq!(a.purchases(), 1);
    assert_eq!(budget.spent(), usd(PRICE));
}

#[tokio::test(start_paused = true)]
async fn a_resumed_job_that_fails_for_free_gives_its_estimate_back() {
    let budget = total(10 * PRICE);
    let a = MockSolver::new("a").stalls().then(ErrorKind::Unsolvable);
    let limited = around(&a, &budget);
    let late = limited.solve(&challenge().within(secs(5))).await;
    let job = late.unwrap_err().unfinished_jobs().remove(0);
    limited
        .solve(&challenge().resume_job(job))
        .await
        .unwrap_err();
    assert_eq!(budget.spent(), Usd::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_job_of_another_run_of_the_program_costs_this_one_nothing() {
    let budget = total(10 * PRICE);
    let a = MockSolver::new("a").answers(secs(1));
    let job = job("a", 77);
    let resumed = challenge().resume_job(job);
    around(&a, &budget).solve(&resumed).await.unwrap();
    assert_eq!(budget.spent(), Usd::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_empty_budget_around_a_chain_lets_a_resume_pass_and_no_purchase_after_it() {
    let budget = total(PRICE);
    let a = MockSolver::new("a").stalls().then(ErrorKind::Unsolvable);
    let b = MockSolver::new("b").always(drag());
    let chain = a.clone().or(b.clone()).budget(&budget, usd(PRICE / 2));
    let late = chain.solve(&challenge().within(secs(5))).await.unwrap_err();
    assert_eq!(budget.spent(), usd(PRICE / 2));
    let spender = MockSolver::new("c")
        .always(drag())
        .budget(&budget, usd(PRICE / 2));
    spender.solve(&challenge()).await.unwrap();
    let resumed = challenge().resume_job(late.unfinished_jobs().remove(0));
    // The job of `a` fails for free, which gives its money back, and `b` may take that.
    let error = chain.solve(&resumed).await.unwrap_err();
    let kinds: Vec<_> = error.attempts().iter().map(|a| a.kind).collect();
    assert_eq!(kinds, [ErrorKind::Unsolvable, ErrorKind::BudgetExhausted]);
    assert_eq!((a.call_count(), b.purchases()), (2, 0));
    assert_eq!(budget.reserved(), Usd::ZERO);
    assert_eq!(error.unfinished_jobs(), [], "the job has ended");
}

#[tokio::test(start_paused = true)]
async fn what_is_bought_after_a_resume_is_reserved_while_it_is_under_way() {
    let budget = total(2 * PRICE);
    let a = MockSolver::new("a").stalls().then(ErrorKind::Unsolvable);
    let b = MockSolver::new("b").always(Outcome::answer(drag()).after(secs(9)));
    let chain = a.or(b).budget(&budget, usd(PRICE));
    let late = chain.solve(&challenge().within(secs(5))).await.unwrap_err();
    let resumed = challenge().resume_job(late.unfinished_jobs().remove(0));
    let mut call = chain.solve(&resumed);
    assert!(tokio::time::timeout(secs(1), &mut call).await.is_err());
    assert_eq!(budget.reserved(), usd(PRICE));
    call.await.unwrap();
    assert_eq!((budget.spent(), budget.reserved()), (usd(PRICE), Usd::ZERO));
}

#[tokio::test(start_paused = true)]
async fn what_came_to_nothing_after_a_resume_leaves_its_money_to_the_next() {
    let budget = total(3 * PRICE);
    let a = MockSolver::new("a").stalls().then(ErrorKind::Unsolvable);
    let b = MockSolver::new("b").then(Outcome::from(ErrorKind::Unavailable).refused());
    let c = MockSolver::new("c").always(drag());
    let chain = a.or(b).or(c).budget(&budget, usd(PRICE));
    let late = chain.solve(&challenge().within(secs(5))).await.unwrap_err();
    // With the job of `a` that leaves one price, for `b` or for `c`.
    let spender = MockSolver::new("d").always(drag());
    around(&spender, &budget).solve(&challenge()).await.unwrap();
    let resumed = challenge().resume_job(late.unfinished_jobs().remove(0));
    let solution = chain.solve(&resumed).await.unwrap();
    assert_eq!(solution.solver(), "c");
    assert_eq!(
        (budget.spent(), budget.reserved()),
        (usd(2 * PRICE), Usd::ZERO)
    );
}

#[tokio::test(start_paused = true)]
async fn a_refusal_hands_back_the_jobs_that_the_challenge_brought() {
    let budget = total(PRICE);
    let a = MockSolver::new("a").always(drag());
    let limited = around(&a, &budget);
    limited.solve(&challenge()).await.unwrap();
    let strangers = challenge().resume_job(job("b", 7));
    let refused = limited.solve(&strangers).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::BudgetExhausted);
    assert_eq!(refused.unfinished_jobs(), [job("b", 7)]);
}

#[tokio::test(start_paused = true)]
async fn a_job_of_others_that_silent_solvers_hand_back_costs_nothing() {
    let budget = total(10 * PRICE);
    let never = |name: &'static str| {
        solver_fn(name, move |challenge| async move {
            Err(challenge.refuse(name, ErrorKind::Unsupported, "never"))
        })
    };
    let strangers = challenge().resume_job(job("c", 7));
    let chain = never("a").or(never("b")).budget(&budget, usd(PRICE));
    let refused = chain.solve(&strangers).await.unwrap_err();
    assert_eq!(refused.unfinished_jobs(), [job("c", 7)]);
    let alone = never("a").budget(&budget, usd(PRICE));
    alone.solve(&strangers).await.unwrap_err();
    assert_eq!(budget.spent(), Usd::ZERO);
    // One that is dropped may have bought: it did not wait for that job.
    let hangs = solver_fn("a", |_| std::future::pending()).budget(&budget, usd(PRICE));
    let dropped = tokio::time::timeout(secs(1), hangs.solve(&strangers)).await;
    assert!(dropped.is_err());
    assert_eq!(budget.spent(), usd(PRICE));
}

#[tokio::test(start_paused = true)]
async fn a_silent_purchase_is_booked_whatever_jobs_of_others_its_error_hands_back() {
    let lost = |kind| {
        solver_fn("a", move |_| async move {
            Err(SolveError::new(kind, "lost").with_billed(Billed::Maybe))
        })
    };
    let hangs = solver_fn("a", |_| std::future::pending()).timeout(secs(1));
    let retried = lost(ErrorKind::Protocol).retry(RetryPolicy::default());
    let stops = lost(ErrorKind::DeadlineExceeded).or(MockSolver::new("b"));
    let chains: [Arc<dyn DragSolver>; 3] = [Arc::new(hangs), Arc::new(retried), Arc::new(stops)];
    for chain in chains {
        let budget = total(10 * PRICE);
        let chain = chain.budget(&budget, usd(PRICE));
        let strangers = challenge().resume_job(job("c", 7));
        let error = chain.solve(&strangers).await.unwrap_err();
        assert_eq!(error.unfinished_jobs(), [job("c", 7)], "{error}");
        assert_eq!(budget.spent(), usd(PRICE), "{error}");
    }
}
