//! Solvers that say nothing of their purchases.

use super::*;

#[tokio::test(start_paused = true)]
async fn of_a_solver_that_says_nothing_of_money_its_answer_says_the_cost_or_it_is_the_price() {
    let budget = budget(&store(), "1");
    for (cost, spent) in [
        (Some("0.0002"), "0.0002"),
        (Some("-5"), "0.0011"), // no money is made
        (None, "0.002"),
    ] {
        let silent = solver_fn("silent", move |_| async move {
            let solution = Solution::new(fixtures::drag(), "silent");
            Ok(match cost {
                Some(cost) => solution.with_cost(usd(cost)),
                None => solution,
            })
        });
        let silent = silent.stored_budget(&budget, price());
        silent.solve(&fixtures::challenge()).await.unwrap();
        assert_eq!(budget.state(None).await.unwrap().spent, usd(spent));
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_silent_solver_fetches_of_a_job_that_was_brought_costs_nothing_also_if_it_is_dropped()
 {
    let budget = budget(&store(), "1");
    let resumed = fixtures::challenge().resume_job(PaidJob::new("silent", JobId::from(7)));
    let answer = |job: u64| {
        let silent = solver_fn("silent", move |_| async move {
            Ok(Solution::new(fixtures::drag(), "silent").with_job(JobId::from(job)))
        });
        silent.stored_budget(&budget, price())
    };
    answer(7).solve(&resumed).await.unwrap();
    let silent = solver_fn("silent", |_| std::future::pending());
    let silent = silent.stored_budget(&budget, price());
    let dropped = tokio::time::timeout(Duration::from_secs(1), silent.solve(&resumed));
    assert!(dropped.await.is_err());
    assert_eq!(budget.state(None).await.unwrap().spent, Usd::ZERO);
    answer(8).solve(&resumed).await.unwrap();
    assert_eq!(budget.state(None).await.unwrap().spent, price());
}

#[tokio::test(start_paused = true)]
async fn a_silent_solver_that_fails_is_charged_for_what_may_be_billed_and_was_not_brought() {
    let budget = budget(&store(), "1");
    let job = |id: u64| PaidJob::new("silent", JobId::from(id));
    let resumed = fixtures::challenge().resume_job(job(7));
    let failed = || SolveError::new(ErrorKind::Unavailable, "lost");
    for (error, spent) in [
        (failed(), "0"),
        (failed().with_billed(Billed::Maybe), "0.0009"),
        (
            failed()
                .with_billed(Billed::Yes)
                .with_unfinished_jobs([job(7)]),
            "0.0009",
        ),
        (
            failed()
                .with_billed(Billed::Yes)
                .with_unfinished_jobs([job(8)]),
            "0.0018",
        ),
    ] {
        let silent = solver_fn("silent", move |_| {
            let error = error.clone();
            async move { Err(error) }
        });
        let silent = silent.stored_budget(&budget, price());
        silent.solve(&resumed).await.unwrap_err();
        assert_eq!(budget.state(None).await.unwrap().spent, usd(spent));
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_call_that_is_dropped_or_late_is_charged_whatever_jobs_of_others_were_brought() {
    let budget = budget(&store(), "1");
    let strangers = fixtures::challenge().resume_job(PaidJob::new("another", JobId::from(7)));
    let second = Duration::from_secs(1);
    let silent = || solver_fn("silent", |_| std::future::pending());
    let dropped = silent().stored_budget(&budget, price());
    let ended = tokio::time::timeout(second, dropped.solve(&strangers)).await;
    assert!(ended.is_err());
    assert_eq!(budget.state(None).await.unwrap().spent, price());
    let late = silent().timeout(second).stored_budget(&budget, price());
    late.solve(&strangers).await.unwrap_err();
    assert_eq!(budget.state(None).await.unwrap().spent, usd("0.0018"));
}
