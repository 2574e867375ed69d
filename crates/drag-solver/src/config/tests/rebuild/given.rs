//! Parts that are given, and files that are refused.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_bad_file_leaves_the_old_chain_as_it_was() {
    let a = answers("a", 10);
    let registry = registry(&a, &a);
    let good = "concurrency_limit = { max_in_flight = 5 }\ncircuit_breaker = true\n\
                rate_limit = { max_calls = 1000, burst = 100 }\nprice = \"0.001\"\nbudget = { total = \"1\" }";
    let old = only_a(good).build(&registry).unwrap();
    let calls = spawn(&old, 3);
    settle().await;
    let before = old.health();
    let bad = good
        .replace("max_in_flight = 5", "max_in_flight = 1")
        .replace("\"1\"", "\"0.001\"");
    for (wrong, path) in [
        ("address = \"none\"", "providers.a.address"),
        #[cfg(feature = "image")]
        ("fit = { max_side = 0 }", "providers.a.fit.max_side"),
        ("[[providers]]\nkind = \"nobody\"", "providers.nobody.kind"),
        ("[[providers]]\nkind = \"a\"", "providers.a"),
    ] {
        let wrong = only_a(&format!("{bad}\n{wrong}"));
        let error = old.rebuilt(&wrong, &registry).unwrap_err();
        assert_eq!(error.path(), path, "{error}");
    }
    assert_eq!(old.health(), before);
    for call in calls {
        assert_eq!(call.await.unwrap(), None);
    }
}

#[test]
fn a_part_that_the_file_has_no_place_for_is_refused() {
    let a = answers("a", 0);
    let registry = registry(&a, &a);
    let refused = |parts: ChainParts| {
        let error = only_a("").build_with(&registry, parts).unwrap_err();
        (error.path(), error.to_string())
    };
    let of_a = |parts| ChainParts::default().provider("a", parts);
    let own = ProviderParts::default;
    let permits = Permits::new(ConcurrencyLimitPolicy::default());
    let budget = BudgetPolicy::default().into();
    let paths = [
        refused(of_a(own().permits(&permits))),
        refused(of_a(
            own().circuit(&Circuit::new(CircuitBreakerPolicy::default())),
        )),
        refused(of_a(own().rate_limiter(&RateLimiter::new(<_>::default())))),
        refused(of_a(own().budget(&budget))),
        refused(of_a(own().latencies(&Latencies::default()))),
        refused(of_a(own().track_record(&TrackRecord::default()))),
        refused(ChainParts::default().provider("b", own())),
        refused(ChainParts::default().budget(&budget)),
        refused(
            ChainParts::default().retry_budget(&<_>::from(crate::RetryBudgetPolicy::default())),
        ),
    ];
    let expected = [
        "providers.a.concurrency_limit",
        "providers.a.circuit_breaker",
        "providers.a.rate_limit",
        "providers.a.budget",
        "providers.a.latencies",
        "providers.a.track_record",
        "providers.b",
        "budget",
        "retry_budget",
    ];
    assert_eq!(paths.clone().map(|(path, _)| path), expected);
    assert_eq!(
        paths[0].1,
        "providers.a.concurrency_limit: is not in the file, and a part is given for it: write \
         `concurrency_limit` there, or leave the part out"
    );
}

#[tokio::test(start_paused = true)]
async fn two_chains_share_what_they_are_given_and_the_last_file_says_how_much() {
    let a = answers("a", 10);
    let registry = registry(&a, &a);
    let circuit = Circuit::new(CircuitBreakerPolicy::default());
    let permits = Permits::new(ConcurrencyLimitPolicy::default());
    let parts = || {
        let own = ProviderParts::default().circuit(&circuit).permits(&permits);
        ChainParts::default().provider("a", own)
    };
    let file = |max| {
        only_a(&format!(
            "circuit_breaker = true\nconcurrency_limit = {{ max_in_flight = {max} }}"
        ))
    };
    let one = file(4).build_with(&registry, parts()).unwrap();
    let other = file(2).build_with(&registry, parts()).unwrap();
    let calls = [spawn(&one, 2), spawn(&other, 2)];
    settle().await;
    assert_eq!((permits.in_flight(), permits.waiting()), (2, 2));
    assert_eq!(
        one.parts().providers["a"]
            .permits
            .as_ref()
            .unwrap()
            .waiting(),
        2
    );
    for call in calls.into_iter().flatten() {
        assert_eq!(call.await.unwrap(), None);
    }
    assert_eq!(a.max_in_flight(), 2);
}
