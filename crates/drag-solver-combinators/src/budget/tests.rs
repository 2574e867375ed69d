use std::time::Duration;

use drag_solver_core::{Billed, CheckSettings as _, Recovery, Verdict, solver_fn};
use drag_solver_mock::{MockSolver, Outcome};

use super::*;
use crate::tests::{Named, Script, challenge, drag, error, millis, secs};
use crate::{ConcurrencyLimitPolicy, DragSolverExt, Permits, RetryPolicy};

pub(super) fn usd(micros: i64) -> Usd {
    Usd::from_micros(micros)
}

pub(super) fn total(micros: i64) -> Budget {
    Budget::new(BudgetPolicy::default().total(usd(micros)))
}

pub(super) fn per_hour(micros: i64) -> Budget {
    let policy = BudgetPolicy::default().per_period(usd(micros));
    Budget::new(policy.period(secs(3_600)))
}

pub(super) const PRICE: i64 = 1_000;

pub(super) fn around(solver: &MockSolver, budget: &Budget) -> Budgeted<MockSolver> {
    solver.clone().budget(budget, usd(PRICE))
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
    assert_eq!(refused.billed(), Billed::No);
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

    // Waiting in a queue between the budget and the solver: reserved, and then released.
    let slow = Queue(MockSolver::new("b"));
    let queued = slow.budget(&budget, usd(PRICE));
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

    // Dropped while it is not known whether the provider accepted: spent, to be safe.
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
        let solver = self.name();
        challenge.notify(Event::Started { solver }).await?;
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
async fn the_wait_lasts_until_as_much_comes_back_as_is_missing() {
    let budget = per_hour(PRICE * 5 / 2);
    let limited = around(&MockSolver::new("a").always(drag()), &budget);
    limited.solve(&challenge()).await.unwrap();
    tokio::time::advance(secs(600)).await;
    limited.solve(&challenge()).await.unwrap();
    // Half a price is missing, and the older answer brings back a whole one.
    let refused = limited.solve(&challenge()).await.unwrap_err();
    assert_eq!(refused.retry_after(), Some(secs(3_000)));
}

#[test]
fn a_limit_of_nothing_is_refused_in_a_file() {
    for (limit, is_fit) in [(1, true), (0, false), (-1, false)] {
        let total = BudgetPolicy::default().total(usd(limit));
        let per_period = BudgetPolicy::default().per_period(usd(limit));
        assert_eq!(total.check().is_ok(), is_fit, "{limit}");
        assert_eq!(per_period.check().is_ok(), is_fit, "{limit}");
    }
    assert!(BudgetPolicy::default().check().is_err());
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
        .retry(RetryPolicy::default().max_retry_after(Duration::ZERO))
        .budget(&budget, usd(PRICE));
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

#[tokio::test(start_paused = true)]
async fn code_that_says_nonsense_gets_what_the_docs_promise() {
    let a = MockSolver::new("a").always(drag());
    let solve = async |budget: &Budget, price| {
        let limited = a.clone().budget(budget, usd(price));
        limited
            .solve(&challenge())
            .await
            .map_err(|error| error.kind())
    };
    let exhausted = Err(ErrorKind::BudgetExhausted);
    for limit in [0, -1] {
        assert_eq!(solve(&total(limit), PRICE).await.map(|_| ()), exhausted);
    }
    assert_eq!(solve(&total(PRICE), PRICE + 1).await.map(|_| ()), exhausted);
    let unlimited = Budget::new(BudgetPolicy::default());
    solve(&unlimited, PRICE).await.unwrap();
    assert_eq!(unlimited.spent(), usd(PRICE));
    let free = total(1);
    solve(&free, -PRICE).await.unwrap();
    assert_eq!(free.spent(), Usd::ZERO);
}

#[tokio::test(start_paused = true)]
async fn less_than_nothing_never_refills_a_budget() {
    let policy = BudgetPolicy::default().total(usd(PRICE));
    assert_eq!(Budget::with_spent(policy, usd(-5)).spent(), Usd::ZERO);
    // A mock that tells, and one that says nothing while it works.
    for a in [MockSolver::new("a"), MockSolver::new("a").free()] {
        let budget = total(2 * PRICE);
        let a = a.always(drag()).with_cost(usd(-PRICE));
        around(&a, &budget).solve(&challenge()).await.unwrap();
        assert_eq!(budget.spent(), usd(PRICE));
    }
}

#[tokio::test(start_paused = true)]
async fn with_the_largest_budget_two_callers_still_do_not_get_the_same_money() {
    let budget = Budget::new(BudgetPolicy::default().total(Usd::MAX));
    let a = MockSolver::new("a").always(Outcome::answer(drag()).after(secs(1)));
    let limited = a.budget(&budget, Usd::MAX);
    let challenge = challenge();
    let (first, second) = tokio::join!(limited.solve(&challenge), limited.solve(&challenge));
    first.unwrap();
    assert_eq!(second.unwrap_err().kind(), ErrorKind::BudgetExhausted);
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_while_it_waits_here_books_nothing() {
    let budget = total(10 * PRICE);
    let policy = crate::ConcurrencyLimitPolicy::default().max_in_flight(1);
    // Says nothing while it works: only that it waits is known.
    let a = MockSolver::new("a")
        .free()
        .always(Outcome::answer(drag()).after(secs(60)));
    let permits = crate::Permits::new(policy);
    let (holder, challenge) = (a.clone().concurrency_limit(&permits), challenge());
    let mut holds = holder.solve(&challenge);
    assert!(tokio::time::timeout(secs(1), &mut holds).await.is_err());
    let limited = a.concurrency_limit(&permits).budget(&budget, usd(PRICE));
    for _ in 0..5 {
        let call = tokio::time::timeout(secs(1), limited.solve(&challenge));
        assert!(call.await.is_err());
    }
    assert_eq!((budget.spent(), budget.reserved()), (Usd::ZERO, Usd::ZERO));
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_a_solver_that_says_nothing_is_booked_though_others_speak() {
    let budget = total(10 * PRICE);
    let refuses = Outcome::error(ErrorKind::Unavailable, "down").refused();
    let chain = MockSolver::new("a").then(refuses).or(Named("b"));
    let limited = chain.budget(&budget, usd(PRICE));
    limited.solve(&challenge()).await.unwrap();
    assert_eq!(budget.spent(), usd(PRICE));

    // One that waits for a permit when it is dropped hides nothing either.
    let permits = Permits::new(ConcurrencyLimitPolicy::default().max_in_flight(1));
    let a = MockSolver::new("a").always(Outcome::hang());
    let limited = || a.clone().concurrency_limit(&permits);
    let (holder, challenge) = (limited(), challenge());
    let mut holder = holder.solve(&challenge);
    assert!(tokio::time::timeout(secs(1), &mut holder).await.is_err());
    let slow = solver_fn("slow", |_| async {
        tokio::time::sleep(secs(9)).await;
        Ok(Solution::new(drag(), "slow"))
    });
    let hedged = slow.hedge(limited(), secs(2)).budget(&budget, usd(PRICE));
    hedged.solve(&challenge).await.unwrap();
    assert_eq!(budget.spent(), usd(2 * PRICE));
}

#[tokio::test(start_paused = true)]
async fn what_was_spent_is_said_with_the_price_where_no_cost_is_named() {
    let budget = total(10 * PRICE);
    let a = MockSolver::new("a")
        .then(ErrorKind::InvalidAnswer)
        .then(drag());
    let chain = around(&a, &budget).retry(RetryPolicy::default());
    let solution = chain.solve(&challenge()).await.unwrap();
    assert_eq!(solution.spent(), Some(usd(2 * PRICE)));
    assert_eq!(budget.spent(), usd(2 * PRICE));
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
    let limited = Named("a").budget(total(5_000_000), usd(900));
    assert_eq!(limited.to_string(), "a.budget(total: $5, price: $0.0009)");
    assert_eq!(limited.profile().worst_case.cost, Some(usd(900)));
    let hourly = Named("a").budget(per_hour(1_000_000), usd(900));
    assert_eq!(
        hourly.to_string(),
        "a.budget(per_period: $1, period: 1h, price: $0.0009)"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_possible_bill_counts_as_spent() {
    let budget = total(10 * PRICE);
    let lost = error(ErrorKind::Unavailable).with_billed(Billed::Maybe);
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
    let budget = Budget::new(policy);
    let a = MockSolver::new("a").always(Outcome::answer(drag()).after(secs(1)));
    let expensive = a.clone().budget(&budget, Usd::MAX);
    expensive.solve(&challenge()).await.unwrap();
    assert_eq!((budget.reserved(), budget.spent()), (Usd::ZERO, Usd::MAX));
}
