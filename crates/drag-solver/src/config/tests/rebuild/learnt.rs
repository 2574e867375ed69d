//! What was learnt of providers, and calls under way.

use super::*;

#[tokio::test(start_paused = true)]
async fn under_a_lower_limit_no_call_of_either_chain_begins_until_fewer_are_under_way() {
    let a = answers("a", 10);
    let registry = registry(&a, &a);
    let old = only_a("concurrency_limit = { max_in_flight = 5 }");
    let old = old.build(&registry).unwrap();
    let begun = Instant::now();
    let mut calls = spawn(&old, 4);
    settle().await;
    let new = only_a("concurrency_limit = { max_in_flight = 2 }");
    let new = old.rebuilt(&new, &registry).unwrap();
    calls.extend(spawn(&new, 2));
    calls.extend(spawn(&old, 1));
    settle().await;
    let limit = new.health().providers[0].concurrency_limit.unwrap();
    assert_eq!(
        (limit.in_flight, limit.max_in_flight, limit.waiting),
        (4, 2, 3)
    );
    assert_eq!(new.health().providers[0].in_flight, 4, "of both chains");
    for call in calls {
        assert_eq!(call.await.unwrap(), None);
    }
    let starts: Vec<_> = a.calls().iter().map(|call| call.started - begun).collect();
    assert_eq!(starts, [0, 0, 0, 0, 10, 10, 20].map(secs));
    assert_eq!(a.max_in_flight(), 4);
    assert_eq!(new.health().providers[0].in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_stays_open_and_takes_the_new_thresholds() {
    let a = MockSolver::new("a").always(ErrorKind::Unavailable);
    let registry = registry(&a, &a);
    let file = |open_for| {
        only_a(&format!(
            "circuit_breaker = {{ min_samples = 2, open_for = \"{open_for}\" }}"
        ))
    };
    let old = file("30s").build(&registry).unwrap();
    for _ in 0..2 {
        assert_eq!(failure(&old).await, ErrorKind::Unavailable);
    }
    advance(secs(10)).await;
    let new = old.rebuilt(&file("60s"), &registry).unwrap();
    let circuit = new.health().providers[0].circuit.unwrap();
    assert_eq!(circuit.state, CircuitState::Open);
    assert_eq!(circuit.probes_in_seconds, Some(50.0));
    for chain in [&old, &new] {
        assert_eq!(failure(chain).await, ErrorKind::CircuitOpen);
    }
    assert_eq!(a.call_count(), 2);
    let without = old.rebuilt(&only_a(""), &registry).unwrap();
    assert!(without.health().providers[0].circuit.is_none());
    assert_eq!(failure(&without).await, ErrorKind::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_was_under_way_counts_in_the_new_chain() {
    let late = Outcome::error(ErrorKind::Unavailable, "down").after(secs(5));
    let a = MockSolver::new("a").always(late);
    let registry = registry(&a, &a);
    let file = only_a("circuit_breaker = { min_samples = 2 }");
    let old = file.build(&registry).unwrap();
    let calls = spawn(&old, 2);
    settle().await;
    let new = old.rebuilt(&file, &registry).unwrap();
    for call in calls {
        assert_eq!(call.await.unwrap(), Some(ErrorKind::Unavailable));
    }
    assert_eq!(failure(&new).await, ErrorKind::CircuitOpen);
}

#[tokio::test(start_paused = true)]
async fn what_was_learnt_of_a_provider_with_other_settings_is_forgotten_and_money_is_not() {
    let a = MockSolver::new("a")
        .then(Outcome::answer(fixtures::drag()))
        .always(ErrorKind::Unauthorized);
    let b = answers("b", 1);
    let registry = registry(&a, &b);
    let file = |kind: &str, address: &str| {
        config(&format!(
            "[[providers]]\nkind = \"{kind}\"\naddress = \"{address}\"\nprice = \"0.001\"\n\
             budget = {{ total = \"1\" }}\nrate_limit = {{ max_calls = 6, burst = 2 }}\n\
             circuit_breaker = {{ min_samples = 1 }}\n"
        ))
    };
    let old = file("a", "wrong").build(&registry).unwrap();
    old.solve(&fixtures::challenge()).await.unwrap();
    failure(&old).await;
    let seen = |chain: &Chain| {
        let health = chain.health().providers.remove(0);
        let spent = health.budget.unwrap().spent;
        let next = health.rate_limit.unwrap().next_in_seconds.unwrap();
        (health.circuit.unwrap().state, spent, next)
    };
    let spent = usd("0.001");
    let same = old.rebuilt(&file("a", "wrong"), &registry).unwrap();
    assert_eq!(seen(&same), (CircuitState::Open, spent, 10.0));
    let mended = old.rebuilt(&file("a", "right"), &registry).unwrap();
    assert_eq!(seen(&mended), (CircuitState::Closed, spent, 10.0));
    assert!(mended.health().providers[0].last_error.is_some());
    // Another kind under another label has nothing in common with the old one.
    let other = old.rebuilt(&file("b", "wrong"), &registry).unwrap();
    assert_eq!(seen(&other), (CircuitState::Closed, Usd::ZERO, 0.0));
}

#[tokio::test(start_paused = true)]
async fn another_kind_of_the_same_label_keeps_its_budget_alone() {
    let (a, b) = (MockSolver::new("x"), MockSolver::new("x"));
    let registry = registry(&a.always(Outcome::answer(fixtures::drag())), &b);
    let file = |kind: &str| {
        config(&format!(
            "[[providers]]\nname = \"x\"\nkind = \"{kind}\"\nprice = \"0.001\"\n\
             budget = {{ total = \"1\" }}\nrate_limit = {{ max_calls = 6, burst = 1 }}\n"
        ))
    };
    let old = file("a").build(&registry).unwrap();
    old.solve(&fixtures::challenge()).await.unwrap();
    let health = old.rebuilt(&file("b"), &registry).unwrap().health();
    assert_eq!(health.providers[0].budget.unwrap().spent, usd("0.001"));
    assert_eq!(
        health.providers[0].rate_limit.unwrap().next_in_seconds,
        Some(0.0)
    );
}

#[tokio::test(start_paused = true)]
async fn turns_of_a_rate_limit_stay_taken_and_those_who_wait_are_not_overtaken() {
    let a = answers("a", 0);
    let registry = registry(&a, &a);
    let file = |calls| {
        only_a(&format!(
            "rate_limit = {{ max_calls = {calls}, burst = 1 }}"
        ))
    };
    let old = file(6).build(&registry).unwrap();
    let begun = Instant::now();
    let mut calls = spawn(&old, 2);
    settle().await;
    sleep(secs(4)).await;
    let new = old.rebuilt(&file(3), &registry).unwrap();
    calls.extend(spawn(&new, 1));
    for call in calls {
        assert_eq!(call.await.unwrap(), None);
    }
    let starts: Vec<_> = a.calls().iter().map(|call| call.started - begun).collect();
    assert_eq!(starts, [0, 20, 40].map(secs));
}

#[tokio::test(start_paused = true)]
async fn latencies_and_track_records_go_on_in_the_new_chain() {
    let a = MockSolver::new("a")
        .then(Outcome::hang())
        .always(ErrorKind::Unavailable);
    let b = answers("b", 3);
    let registry = registry(&a, &b);
    let file = |strategy: &str| {
        config(&format!(
            "strategy = {strategy}\n[[providers]]\nkind = \"a\"\n[[providers]]\nkind = \"b\"\n"
        ))
    };
    let ordered = file("{ kind = \"fallback\", order = { min_samples = 2, explore = 0 } }");
    let old = ordered.build(&registry).unwrap();
    let hanging = spawn(&old, 1);
    settle().await;
    for _ in 0..2 {
        old.solve(&fixtures::challenge()).await.unwrap();
    }
    assert_eq!(a.call_count(), 3);
    let new = old.rebuilt(&ordered, &registry).unwrap();
    new.solve(&fixtures::challenge()).await.unwrap();
    assert_eq!(a.call_count(), 3, "it knows that the other is better");
    let forgetful = ordered.build(&registry).unwrap();
    forgetful.solve(&fixtures::challenge()).await.unwrap();
    assert_eq!(a.call_count(), 4);
    for call in hanging {
        call.abort();
    }

    let hedge = file("{ kind = \"hedge\", quantile = 0.9 }");
    let old = hedge.build(&registry).unwrap();
    let known = |chain: &Chain| format!("{:?}", chain.parts().providers["b"].latencies);
    old.solve(&fixtures::challenge()).await.unwrap();
    let new = old.rebuilt(&hedge, &registry).unwrap();
    assert_eq!(known(&new), known(&old));
    assert_ne!(known(&new), known(&hedge.build(&registry).unwrap()));
    new.solve(&fixtures::challenge()).await.unwrap();
    assert_eq!(known(&new), known(&old), "the same ones");
    let other = old.rebuilt(&ordered, &registry).unwrap();
    assert!(other.parts().providers["b"].latencies.is_none());
}

#[test]
fn a_service_that_is_declared_otherwise_is_another_one() {
    let file = |host: &str, token: &str| {
        config(&format!(
            "strategy = {{ kind = \"hedge\" }}\n[services.x]\nfamily = \"createTask\"\nkey = \"X_KEY\"\n\
             base_url = \"https://{host}.example\"\ncreate.json.task = {{ body = \"{{picture.base64}}\" }}\n\
             answer.at = \"/solution/coordinates\"\n[[providers]]\nkind = \"x\"\n\
             token = {{ env = \"{token}\" }}\ncircuit_breaker = true\nrate_limit = true\n\
             [[providers]]\nname = \"y\"\nkind = \"x\"\ntoken = {{ env = \"X_KEY\" }}\n"
        ))
    };
    let registry =
        Registry::empty().with_variables(|name| name.ends_with("_KEY").then(|| "0123".into()));
    let old = file("one", "X_KEY").build(&registry).unwrap();
    let kept = |host, token| {
        let parts = old.parts_for(&file(host, token)).providers;
        let has = |label: &str| parts[label].latencies.is_some();
        let x = &parts["x"];
        (
            x.rate_limiter.is_some(),
            x.circuit.is_some(),
            has("x"),
            has("y"),
        )
    };
    assert_eq!(kept("one", "X_KEY"), (true, true, true, true));
    assert_eq!(kept("one", "OTHER_KEY"), (true, false, false, true));
    assert_eq!(kept("two", "X_KEY"), (true, false, false, false));
}
