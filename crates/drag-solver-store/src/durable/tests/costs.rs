//! What it cost, and what a solver bought that says nothing.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_solver_that_says_nothing_is_on_record_as_one_that_bought() {
    let store = store();
    let silent = solver_fn("silent", |_| async {
        let solution = Solution::new(fixtures::drag(), "silent");
        Ok(solution.with_cost(Usd::from_micros(900)))
    });
    silent.durable(&store).solve(&order()).await.unwrap();
    let record = on_record(&store).await;
    assert_eq!(record.purchases.len(), 1);
    assert_eq!(record.purchases[0].cost, Some(Usd::from_micros(900)));
    let failing = solver_fn("silent", |_| async {
        let error = SolveError::new(ErrorKind::Timeout, "late");
        Err(error.with_unfinished_jobs([PaidJob::new("silent", JobId::from(3))]))
    });
    let other = fixtures::challenge().with_id("other");
    failing.durable(&store).solve(&other).await.unwrap_err();
    let record = store.find("other").await.unwrap().unwrap();
    assert_eq!(record.open_jobs().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_job_on_record_is_there_once_however_often_it_is_refused_or_fetched_in_silence() {
    let store = store();
    let job = PaidJob::new("silent", JobId::from(3));
    let late = job.clone();
    let failing = solver_fn("silent", move |_| {
        let error = SolveError::new(ErrorKind::Timeout, "late");
        let error = error.with_unfinished_jobs([late.clone()]);
        async move { Err(error) }
    });
    for _attempt in 0..3 {
        let failing = failing.clone();
        failing.durable(&store).solve(&order()).await.unwrap_err();
        assert_eq!(
            on_record(&store).await.open_jobs().collect::<Vec<_>>(),
            std::slice::from_ref(&job)
        );
        assert_eq!(on_record(&store).await.purchases.len(), 1);
    }
    // One that hands the jobs back that it was brought, as an open circuit does.
    let refusing = solver_fn("silent", |challenge: DragChallenge| async move {
        Err(challenge.refuse("silent", ErrorKind::CircuitOpen, "not now"))
    });
    refusing.durable(&store).solve(&order()).await.unwrap_err();
    assert_eq!(on_record(&store).await.purchases.len(), 1);
    let fetching = solver_fn("silent", |_| async {
        let solution = Solution::new(fixtures::drag(), "silent");
        Ok(solution
            .with_job(JobId::from(3))
            .with_cost(Usd::from_micros(900)))
    });
    fetching.durable(&store).solve(&order()).await.unwrap();
    let record = on_record(&store).await;
    assert_eq!(record.purchases.len(), 1);
    assert_eq!(record.purchases[0].state, PurchaseState::Settled);
    assert_eq!(record.purchases[0].cost, Some(Usd::from_micros(900)));
}

#[tokio::test(start_paused = true)]
async fn what_a_silent_solver_bought_has_ended_if_there_was_an_answer_and_not_if_a_job_is_open() {
    let job = PaidJob::new("silent", JobId::from(3));
    let failed = SolveError::new(ErrorKind::Timeout, "late").with_unfinished_jobs([job]);
    let answer = Solution::new(fixtures::drag(), "silent");
    for (outcome, has_ended) in [(Ok(answer), true), (Err(failed), false)] {
        let store = store();
        let silent = solver_fn("silent", move |_| {
            let outcome = outcome.clone();
            async move { outcome }
        });
        let _ = silent.durable(&store).solve(&order()).await;
        let purchases = on_record(&store).await.purchases;
        let ended = purchases[0].ended;
        assert_eq!(ended, has_ended.then_some(Timestamp::UNIX_EPOCH));
    }
}

#[tokio::test(start_paused = true)]
async fn where_a_provider_names_no_cost_it_is_the_price_of_the_chain() {
    let (store, price) = (store(), Usd::from_micros(900));
    let mock = MockSolver::new("a")
        .then(ErrorKind::InvalidAnswer)
        .always(answers_after(1));
    let chain = mock.priced(price).retry(RetryPolicy::default());
    chain.durable(&store).solve(&order()).await.unwrap();
    let costs: Vec<_> = on_record(&store).await.purchases;
    let costs: Vec<_> = costs.iter().map(|one| (one.billed, one.cost)).collect();
    assert_eq!(costs, [(Billed::Yes, Some(price)); 2]);
}

#[tokio::test(start_paused = true)]
async fn a_cost_below_zero_is_none_and_that_of_each_part_of_an_answer_is_its_own() {
    let store = store();
    let (one, two) = (JobId::from(1), JobId::from(2));
    let part = |solver: &str, job: &JobId, micros| {
        Solution::new(fixtures::drag(), solver)
            .with_job(job.clone())
            .with_cost(Usd::from_micros(micros))
    };
    let parts = vec![part("a", &one, 100), part("b", &two, 200)];
    let agreed = Solution::new(fixtures::drag(), "a|b").with_contributors(parts);
    let quorum = solver_fn("a|b", move |challenge: DragChallenge| {
        let (agreed, jobs) = (agreed.clone(), [("a", one.clone()), ("b", two.clone())]);
        async move {
            for (solver, job) in &jobs {
                challenge.notify(Event::Buying { solver }).await?;
                challenge.notify(Event::Bought { solver, job }).await?;
                let settled = Event::Settled {
                    solver,
                    job: Some(job),
                    billed: Billed::Yes,
                    cost: (*solver == "a").then(|| Usd::from_micros(-5)),
                };
                challenge.notify(settled).await?;
            }
            Ok(agreed)
        }
    });
    quorum.durable(&store).solve(&order()).await.unwrap();
    let mut costs: Vec<_> = on_record(&store).await.purchases;
    costs.sort_by(|one, other| one.solver.cmp(&other.solver));
    let costs: Vec<_> = costs.iter().map(|one| one.cost).collect();
    assert_eq!(
        costs,
        [100, 200].map(|micros| Some(Usd::from_micros(micros)))
    );
}

#[tokio::test(start_paused = true)]
async fn of_two_answers_of_one_solver_each_has_its_own_cost() {
    let store = store();
    let jobs = [1, 2].map(JobId::from);
    let part = |job: usize, micros| {
        Solution::new(fixtures::drag(), "a")
            .with_job(jobs[job].clone())
            .with_cost(Usd::from_micros(micros))
    };
    let parts = vec![part(0, 100), part(1, 200)];
    let agreed = Solution::new(fixtures::drag(), "a|a").with_contributors(parts);
    let twice = solver_fn("a|a", move |challenge: DragChallenge| {
        let (agreed, jobs) = (agreed.clone(), jobs.clone());
        async move {
            for job in &jobs {
                let solver = "a";
                challenge.notify(Event::Buying { solver }).await?;
                challenge.notify(Event::Bought { solver, job }).await?;
                let settled = Event::Settled {
                    solver,
                    job: Some(job),
                    billed: Billed::Yes,
                    cost: None,
                };
                challenge.notify(settled).await?;
            }
            Ok(agreed)
        }
    });
    twice.durable(&store).solve(&order()).await.unwrap();
    let purchases = on_record(&store).await.purchases;
    let cost_of = |id: u64| {
        let mut all = purchases.iter();
        let own = all.find(|one| one.job == Some(JobId::from(id)));
        own.and_then(|one| one.cost)
    };
    assert_eq!(cost_of(1), Some(Usd::from_micros(100)));
    assert_eq!(cost_of(2), Some(Usd::from_micros(200)));
}

#[tokio::test(start_paused = true)]
async fn of_a_solver_that_says_nothing_what_cost_nothing_is_no_purchase() {
    for (billed, purchases) in [(Billed::No, 0), (Billed::Maybe, 1), (Billed::Yes, 1)] {
        let store = store();
        let silent = solver_fn("silent", move |_| async move {
            Err(SolveError::new(ErrorKind::Unsolvable, "never").with_billed(billed))
        });
        silent.durable(&store).solve(&order()).await.unwrap_err();
        assert_eq!(
            on_record(&store).await.purchases.len(),
            purchases,
            "{billed}"
        );
    }
}

/// Buys, says so, and has nothing for it.
fn fails_aloud() -> MockSolver {
    MockSolver::new("talker").always(Outcome::from(
        SolveError::new(ErrorKind::Unsolvable, "given up").with_billed(Billed::Yes),
    ))
}

fn answers_in_silence() -> impl DragSolver {
    solver_fn("silent", |_| async {
        let solution = Solution::new(fixtures::drag(), "silent");
        Ok(solution.with_cost(Usd::from_micros(900)))
    })
}

#[tokio::test(start_paused = true)]
async fn a_solver_that_says_nothing_is_on_record_and_charged_beside_one_that_speaks() {
    let store = store();
    let policy = StoredBudgetPolicy::default().total("1".parse().unwrap());
    let budget = StoredBudget::new(&store, "all", policy);
    let chain = fails_aloud()
        .or(answers_in_silence())
        .stored_budget(&budget, Usd::from_micros(2_000))
        .durable(&store);
    chain.solve(&order()).await.unwrap();
    let record = on_record(&store).await;
    let mut bought = record.purchases.iter();
    let of_silent = bought.find(|one| one.solver == "silent").unwrap();
    assert_eq!(of_silent.cost, Some(Usd::from_micros(900)));
    assert_eq!(record.purchases.len(), 2);
    let spent = budget.state(None).await.unwrap().spent;
    assert_eq!(
        spent,
        Usd::from_micros(2_900),
        "the price of one, and what the other cost"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_read_from_the_record_is_not_spent_again() {
    let store = store();
    let budget = Budget::new(BudgetPolicy::default().total("1".parse().unwrap()));
    let chain = fails_aloud()
        .or(answers_in_silence())
        .durable(&store)
        .budget(&budget, Usd::from_micros(2_000));
    chain.solve(&order()).await.unwrap();
    let spent = budget.spent();
    assert_eq!(spent, Usd::from_micros(2_900));
    chain.solve(&order()).await.unwrap();
    assert_eq!(budget.spent(), spent);
}

#[tokio::test(start_paused = true)]
async fn an_open_job_of_a_silent_solver_is_on_record_beside_one_that_speaks_and_one_that_was_brought()
 {
    let store = store();
    let late = |id: u64| {
        let job = PaidJob::new("silent", JobId::from(id));
        let error = SolveError::new(ErrorKind::Timeout, "late").with_unfinished_jobs([job]);
        solver_fn("silent", move |_| {
            let error = error.clone();
            async move { Err(error) }
        })
    };
    let chain = fails_aloud().or(late(9)).durable(&store);
    chain.solve(&order()).await.unwrap_err();
    let open: Vec<_> = on_record(&store).await.open_jobs().collect();
    assert_eq!(open, [PaidJob::new("silent", JobId::from(9))]);

    // The caller brought it, and its solver says nothing.
    let brought = fixtures::challenge().with_id("brought");
    let brought = brought.resume_job(PaidJob::new("silent", JobId::from(7)));
    late(7).durable(&store).solve(&brought).await.unwrap_err();
    let record = store.find("brought").await.unwrap().unwrap();
    assert_eq!(record.open_jobs().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_silent_solver_may_have_bought_is_not_bought_again_for_a_job_of_another_that_was_brought()
 {
    let (store, asked) = (store(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&asked);
    let silent = solver_fn("silent", move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        std::future::pending()
    });
    let solver = silent.timeout(Duration::from_secs(1)).durable(&store);
    let strangers = order().resume_job(PaidJob::new("another", JobId::from(7)));
    let late = solver.solve(&strangers).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Timeout);
    for _ in 0..2 {
        let refused = solver.solve(&order()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unconfirmed);
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}
