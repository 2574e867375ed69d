use std::time::Duration;

use drag_solver_core::{Charge, JobId, PaidJob, Recovery};
use drag_solver_mock::{MockSolver, Outcome};

use super::*;
use crate::testing::{Named, Script, challenge, drag, error, millis, secs};
use crate::{DragSolverExt, RetryPolicy};

fn usd(micros: i64) -> Usd {
    Usd::from_micros(micros)
}

fn total(micros: i64) -> Budget {
    Budget::new(BudgetPolicy::default().total(usd(micros))).unwrap()
}

fn per_hour(micros: i64) -> Budget {
    let policy = BudgetPolicy::default().per_period(usd(micros));
    Budget::new(policy.period(secs(3_600))).unwrap()
}

const PRICE: i64 = 1_000;

fn around(solver: &MockSolver, budget: &Budget) -> Budgeted<MockSolver> {
    solver.clone().budget(budget, usd(PRICE)).unwrap()
}

#[tokio::test(start_paused = true)]
async fn four_callers_buy_exactly_ten_answers_between_them() {
    let budget = total(10 * PRICE);
    let a = MockSolver::new("a").always(Outcome::answer(drag()).after(millis(70)));
    let b = MockSolver::new("b").always(Outcome::answer(drag()).after(millis(110)));
    let chain = Arc::new(around(&a, &budget).or(around(&b, &budget)));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let chain = Arc::clone(&chain);
            tokio::spawn(async move {
                let mut solved = 0;
                while chain.solve(&challenge()).await.is_ok() {
                    solved += 1;
                }
                solved
            })
        })
        .collect();
    let mut solved = 0;
    for caller in callers {
        solved += caller.await.unwrap();
    }
    assert_eq!(solved, 10);
    assert_eq!(a.purchases() + b.purchases(), 10);
    assert_eq!(budget.spent(), usd(10 * PRICE));
    assert_eq!(budget.reserved(), Usd::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_sends_nothing_and_says_why() {
    let budget = total(PRICE);
    let a = MockSolver::new("a").always(Outcome::answer(drag()).after(secs(1)));
    let limited = around(&a, &budget);
    let challenge = challenge();
    let (first, second) = tokio::join!(limited.solve(&challenge), limited.solve(&challenge));
    first.unwrap();
    let refused = second.unwrap_err();
    assert_eq!(a.call_count(), 1);
    assert_eq!(refused.kind(), ErrorKind::BudgetExhausted);
    assert_eq!(refused.recovery(), Recovery::Switch);
    assert_eq!(refused.charge(), Charge::No);
    assert_eq!(refused.retry_after(), None, "waiting will not help");
    assert_eq!(
        refused.to_string(),
        "a: nothing was sent: of $0.001, $0 is spent and $0.001 reserved, and this call may cost \
         $0.001 (budget_exhausted)"
    );
}

#[tokio::test(start_paused = true)]
async fn dropped_before_the_purchase_it_is_released_and_after_it_is_spent() {
    let budget = total(10 * PRICE);
    let challenge = challenge();

    // Never polled: nothing happened.
    let a = MockSolver::new("a").stalls();
    let limited = around(&a, &budget);
    drop(limited.solve(&challenge));
    assert_eq!(budget.reserved(), Usd::ZERO);

    // Waiting in a queue between the budget and the provider: reserved, and then released.
    let slow = Queue(MockSolver::new("b"));
    let queued = slow.budget(&budget, usd(PRICE)).unwrap();
    let mut call = queued.solve(&challenge);
    assert!(tokio::time::timeout(secs(1), &mut call).await.is_err());
    assert_eq!(budget.reserved(), usd(PRICE));
    drop(call);
    assert_eq!((budget.reserved(), budget.spent()), (Usd::ZERO, Usd::ZERO));

    // Dropped while its job runs: spent.
    let mut call = limited.solve(&challenge);
    assert!(tokio::time::timeout(secs(1), &mut call).await.is_err());
    drop(call);
    assert_eq!((budget.reserved(), budget.spent()), (Usd::ZERO, usd(PRICE)));

    // Dropped while nobody knows whether the provider accepted: spent, to be safe.
    let c = MockSolver::new("c").then(Outcome::hang().accepted_after(secs(9)));
    let limited = around(&c, &budget);
    let mut call = limited.solve(&challenge);
    assert!(tokio::time::timeout(secs(1), &mut call).await.is_err());
    drop(call);
    assert_eq!(c.purchases(), 0);
    assert_eq!(budget.spent(), usd(2 * PRICE));
}

/// Says that it started, and then waits an hour before it asks.
#[derive(Debug)]
struct Queue(MockSolver);

#[async_trait]
impl DragSolver for Queue {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let provider = self.name();
        challenge.notify(&drag_solver_core::Progress::Started { provider });
        tokio::time::sleep(secs(3_600)).await;
        self.0.solve(challenge).await
    }
}

#[tokio::test(start_paused = true)]
async fn known_cost_replaces_the_estimate() {
    let budget = total(10 * PRICE);
    let a = MockSolver::new("a").always(drag()).with_cost(usd(700));
    around(&a, &budget).solve(&challenge()).await.unwrap();
    assert_eq!(budget.spent(), usd(700));
}

#[tokio::test(start_paused = true)]
async fn failures_cost_what_they_say() {
    for (kind, cost) in [
        (ErrorKind::Unavailable, 0),
        (ErrorKind::Unsolvable, 0),
        (ErrorKind::InvalidAnswer, PRICE),
        (ErrorKind::Timeout, PRICE),
    ] {
        let budget = total(10 * PRICE);
        let a = MockSolver::new("a").then(kind);
        around(&a, &budget).solve(&challenge()).await.unwrap_err();
        assert_eq!(budget.spent(), usd(cost), "{kind}");
        assert_eq!(budget.reserved(), Usd::ZERO);
    }
}

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
        let resumed = challenge().resuming(late.unfinished_jobs().remove(0));
        limited.solve(&resumed).await.unwrap();
        assert_eq!(a.purchases(), 1);
        assert_eq!(budget.spent(), usd(expected));
        assert_eq!(budget.spent_in_period(), usd(expected));
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_budget_still_waits_for_what_was_paid_for() {
    let budget = total(PRICE);
    let a = MockSolver::new("a").stalls().stalls().answers(secs(10));
    let chain = around(&a, &budget)
        .timeout(secs(30))
        .unwrap()
        .retry(RetryPolicy::default())
        .unwrap();
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
    limited.solve(&challenge().resuming(job)).await.unwrap_err();
    assert_eq!(budget.spent(), Usd::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_job_of_another_run_of_the_program_costs_this_one_nothing() {
    let budget = total(10 * PRICE);
    let a = MockSolver::new("a").answers(secs(1));
    let job = PaidJob::new("a", JobId::from(77));
    let resumed = challenge().resuming(job);
    around(&a, &budget).solve(&resumed).await.unwrap();
    assert_eq!(budget.spent(), Usd::ZERO);
}

#[tokio::test(start_paused = true)]
async fn what_was_spent_a_period_ago_no_longer_counts_to_the_millisecond() {
    let budget = per_hour(2 * PRICE);
    let a = MockSolver::new("a").always(drag());
    let limited = around(&a, &budget);
    limited.solve(&challenge()).await.unwrap();
    tokio::time::advance(secs(600)).await;
    limited.solve(&challenge()).await.unwrap();
    let refused = limited.solve(&challenge()).await.unwrap_err();
    assert_eq!(refused.retry_after(), Some(secs(3_000)));
    assert!(refused.message().contains("$0.002 per 3600s"), "{refused}");
    tokio::time::advance(millis(2_999_999)).await;
    assert!(limited.solve(&challenge()).await.is_err());
    tokio::time::advance(millis(1)).await;
    limited.solve(&challenge()).await.unwrap();
    assert_eq!(budget.spent(), usd(3 * PRICE));
    assert_eq!(budget.spent_in_period(), usd(2 * PRICE));
}

#[tokio::test(start_paused = true)]
async fn around_a_retry_every_purchase_is_reserved_and_only_what_was_billed_is_spent() {
    let budget = total(3 * PRICE);
    let a = MockSolver::new("a")
        .then(ErrorKind::Unsolvable)
        .then(ErrorKind::InvalidAnswer)
        .answers(secs(1));
    let chain = a
        .priced(usd(PRICE))
        .unwrap()
        .retry(RetryPolicy::default().max_retry_after(Duration::ZERO))
        .unwrap()
        .budget(&budget, usd(PRICE))
        .unwrap();
    let challenge = challenge();
    let mut call = chain.solve(&challenge);
    assert!(
        tokio::time::timeout(Duration::ZERO, &mut call)
            .await
            .is_err()
    );
    assert_eq!(budget.reserved(), usd(3 * PRICE));
    call.await.unwrap();
    assert_eq!(
        (budget.reserved(), budget.spent()),
        (Usd::ZERO, usd(2 * PRICE))
    );
}

#[test]
fn impossible_settings_are_named() {
    let unlimited = Budget::new(BudgetPolicy::default()).unwrap_err();
    assert_eq!(unlimited.setting(), "total");
    for bad in [0, -1] {
        let refused = Budget::new(BudgetPolicy::default().total(usd(bad))).unwrap_err();
        assert_eq!(refused.setting(), "total");
        let refused = Budget::new(BudgetPolicy::default().per_period(usd(bad))).unwrap_err();
        assert_eq!(refused.setting(), "per_period");
        let refused = Named("a").budget(&total(PRICE), usd(bad)).unwrap_err();
        assert_eq!(refused.setting(), "price");
    }
    let policy = BudgetPolicy::default()
        .per_period(usd(1))
        .period(Duration::ZERO);
    assert_eq!(Budget::new(policy).unwrap_err().setting(), "period");
    let refused = Named("a")
        .budget(&total(PRICE), usd(PRICE + 1))
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "budget.price is too high: a call may buy 1 at $0.001001 each, and the budget is $0.001"
    );
}

#[tokio::test]
async fn reports_and_the_name_pass_through() {
    let a = MockSolver::new("a").answers(Duration::ZERO);
    let limited = around(&a, &total(PRICE));
    assert_eq!(limited.name(), "a");
    let solution = limited.solve(&challenge()).await.unwrap();
    limited.report(&solution, Verdict::Correct).await.unwrap();
    assert_eq!(a.heard(), [(solution, Verdict::Correct)]);
}

#[test]
fn it_prints_like_the_code_that_built_it() {
    let limited = Named("a").budget(&total(5_000_000), usd(900)).unwrap();
    assert_eq!(limited.to_string(), "a.budget(total: $5, price: $0.0009)");
    assert_eq!(limited.worst_case().cost, Some(usd(900)));
    let hourly = Named("a").budget(&per_hour(1_000_000), usd(900)).unwrap();
    assert_eq!(
        hourly.to_string(),
        "a.budget(per_period: $1, period: 3600s, price: $0.0009)"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_unknown_charge_counts_as_spent() {
    let budget = total(10 * PRICE);
    let lost = error(ErrorKind::Unavailable).with_charge(Charge::Unknown);
    let a = MockSolver::new("a").fails(secs(1), lost);
    around(&a, &budget).solve(&challenge()).await.unwrap_err();
    assert_eq!(budget.spent(), usd(PRICE));
}

#[tokio::test(start_paused = true)]
async fn huge_settings_do_not_panic() {
    let policy = BudgetPolicy::default()
        .total(Usd::MAX)
        .per_period(Usd::MAX)
        .period(Duration::MAX);
    let budget = Budget::with_spent(policy, Usd::from_micros(1)).unwrap();
    let a = MockSolver::new("a").always(Outcome::answer(drag()).after(secs(1)));
    let dear = a.clone().budget(&budget, Usd::MAX).unwrap();
    dear.solve(&challenge()).await.unwrap();
    assert_eq!((budget.reserved(), budget.spent()), (Usd::ZERO, Usd::MAX));
}
