//! Which chain is built, and how it prints itself.

use super::*;

#[test]
fn a_chain_prints_itself_like_the_code_that_builds_it() {
    let chain = parse(WHOLE).unwrap().build(&standard()).unwrap();
    assert_eq!(
        chain.to_string(),
        "fallback[omocaptcha(\"first\").validate(min_length: 8 px).timeout(1m)\
         .budget(per_period: $5, period: 1day, price: $0.0009)\
         .retry(max_attempts: 2, base_backoff: 100ms, max_backoff: 10s, max_retry_after: 1m), \
         2captcha(\"twocaptcha\").budget(total: $1, price: $0.0012)\
         .budget(per_period: $5, period: 1day, price: $0.0012)].deadline(2m)"
    );
    assert_eq!(chain.name(), "first|twocaptcha");
    let worst = chain.profile().worst_case;
    assert_eq!(worst.purchases, Some(3));
    assert_eq!(worst.cost, Some("0.003".parse().unwrap()));
    let names: Vec<_> = chain
        .providers()
        .iter()
        .map(|one| (one.kind.as_str(), one.name()))
        .collect();
    assert_eq!(names, [("omocaptcha", "first"), ("2captcha", "twocaptcha")]);
    assert!(chain.provider("twocaptcha").is_some() && chain.provider("2captcha").is_none());
}

#[test]
fn a_file_cannot_build_the_wrong_order() {
    let keys = [
        #[cfg(feature = "image")]
        "fit = { max_side = 900 }",
        "validate = true",
        "timeout = \"30s\"",
        "budget = { total = \"1\" }",
        "price = \"0.001\"",
        "circuit_breaker = { min_samples = 5 }",
        "concurrency_limit = { max_in_flight = 3 }",
        "rate_limit = true",
        "retry = true",
        "total_timeout = \"50s\"",
    ];
    let file = |keys: &[&str]| {
        let keys = keys.join("\n");
        format!("instrument = true\ndeadline = \"60s\"\n[[providers]]\nkind = \"mock\"\n{keys}\n")
    };
    // From the inside out.
    let calls = |text: &str| -> Vec<String> {
        let chain = parse(text).unwrap().build(&mocks()).unwrap().to_string();
        let calls = chain
            .split(").")
            .map(|call| call.split('(').next().unwrap());
        calls.map(str::to_owned).collect()
    };
    let expected = [
        "mock.priced", // for the metrics of the attempt, which the budget is around
        #[cfg(feature = "image")]
        "fit",
        "validate",
        "timeout",
        "instrumented",
        "budget",
        "circuit_breaker",
        "concurrency_limit",
        "rate_limit",
        "retry",
        "timeout",
        "deadline",
        "instrumented",
    ];
    assert_eq!(calls(&file(&keys)), expected);
    let mut backwards = keys;
    backwards.reverse();
    assert_eq!(calls(&file(&backwards)), expected);
}

#[cfg(feature = "image")]
#[test]
fn a_fit_goes_next_to_the_provider_where_a_resumed_job_finds_it() {
    let file =
        |fit: &str| format!("[[providers]]\nkind = \"mock\"\nvalidate = true\nfit = {fit}\n");
    let chain = parse(&file("{ max_side = 500 }"))
        .unwrap()
        .build(&mocks())
        .unwrap();
    let expected = "mock.fit(max_side: 500).validate(min_length: 8 px)";
    assert_eq!(chain.to_string(), expected);
    let checked = format!("{:?}", chain.provider("mock").unwrap().checked);
    assert_eq!(checked, expected);
    for wrong in ["{ min_scale = 2.0 }", "{ min_scale = 0.0 }"] {
        let built = parse(&file(wrong)).and_then(|config| config.build(&mocks()));
        assert_eq!(built.unwrap_err().path(), "providers.mock.fit.min_scale");
    }
}

#[test]
fn what_is_not_in_the_file_is_not_in_the_chain() {
    for text in ["", "retry = false\nvalidate = false\n"] {
        let file = format!("[[providers]]\nkind = \"mock\"\n{text}");
        let chain = parse(&file).unwrap().build(&mocks()).unwrap();
        assert_eq!(chain.to_string(), "mock");
        assert!(chain.shared_budget().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_strategy_is_a_name_or_a_table() {
    let providers = r#"
        [[providers]]
        kind = "mock"
        name = "slow"
        price = 0
        seconds = 60
        [[providers]]
        kind = "mock"
        name = "quick"
        price = "0.001"
    "#;
    for (strategy, name, seconds) in [
        (r#""fallback""#, "slow", 60),
        (r#"{ kind = "fallback" }"#, "slow", 60),
        (
            r#"{ kind = "fallback", order = { explore = 0 } }"#,
            "slow",
            60,
        ),
        (
            r#"{ kind = "fallback", order = { explore = 0, second_worth = "0.01" } }"#,
            "slow",
            60,
        ),
        (r#""hedge""#, "quick", 10 + 1),
        (r#"{ kind = "hedge", delay = "7s" }"#, "quick", 7 + 1),
        (r#"{ kind = "quorum", tolerance = 1 }"#, "quick|slow", 60),
    ] {
        let config = parse(&format!("strategy = {strategy}\n{providers}")).unwrap();
        let chain = config.build(&mocks()).unwrap();
        assert_eq!(
            chain.to_string().contains(".ordered("),
            strategy.contains("order")
        );
        let (solution, took) = solve(&chain).await;
        assert_eq!(solution.unwrap().solver(), name, "{chain}");
        assert_eq!(took.as_secs(), seconds, "{chain}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_budget_limits_hedges_too() {
    let text = r#"
        strategy = { kind = "hedge", delay = "0s" }
        retry_budget = { burst = 1, ratio = 0 }
        [[providers]]
        kind = "mock"
        name = "slow"
        seconds = 60
        [[providers]]
        kind = "mock"
        name = "quick"
    "#;
    let chain = parse(text).unwrap().build(&mocks()).unwrap();
    assert_eq!(solve(&chain).await.0.unwrap().solver(), "quick");
    assert_eq!(solve(&chain).await.0.unwrap().solver(), "slow");
}

#[tokio::test(start_paused = true)]
async fn a_file_and_code_build_the_same_chain() {
    let text = r#"
        deadline = "90s"
        retry_budget = { burst = 2 }
        [budget]
        total = "0.0021"
        [[providers]]
        kind = "mock"
        name = "first"
        failures = 2
        seconds = 3
        price = "0.0009"
        timeout = "20s"
        validate = { min_length = 20 }
        retry = { max_attempts = 3, base_backoff = "1ns", max_backoff = "1ns" }
        [[providers]]
        kind = "mock"
        name = "second"
        seconds = 100
        price = "0.0012"
        timeout = "30s"
    "#;
    let chain = parse(text).unwrap().build(&mocks()).unwrap();

    let usd = |text: &str| -> Usd { text.parse().unwrap() };
    let budget = Budget::new(BudgetPolicy::default().total(usd("0.0021")));
    let nothing = Duration::from_nanos(1);
    let policy = RetryPolicy::default()
        .base_backoff(nothing)
        .max_backoff(nothing);
    let code = mock("first", 2, 3)
        .validate(ValidatePolicy::default().min_length(20.0))
        .timeout(Duration::from_secs(20))
        .budget(&budget, usd("0.0009"))
        .retry(policy)
        .with_retry_budget(RetryBudgetPolicy::default().burst(2))
        .or(mock("second", 0, 100)
            .timeout(Duration::from_secs(30))
            .budget(&budget, usd("0.0012")))
        .deadline(Duration::from_secs(90));
    assert_eq!(chain.profile(), code.profile());

    // The first answers twice; then its money is gone, and the second is too expensive and too slow.
    for round in 0..4 {
        let (from_file, file_took) = solve(&chain).await;
        let (from_code, code_took) = solve(&code).await;
        assert_eq!(
            file_took.as_millis(),
            code_took.as_millis(),
            "round {round}"
        );
        match (from_file, from_code) {
            (Ok(one), Ok(other)) => {
                assert!(round < 2, "round {round}");
                assert_eq!(one, other);
            }
            (Err(one), Err(other)) => {
                assert!(round >= 2, "round {round}: {one}");
                let kinds = |error: &SolveError| -> Vec<_> {
                    error
                        .attempts()
                        .iter()
                        .map(|attempt| attempt.kind)
                        .collect()
                };
                assert_eq!(kinds(&one), kinds(&other));
                assert_eq!(one.billed(), other.billed());
            }
            (one, other) => panic!("round {round}: {one:?} and {other:?}"),
        }
        assert_eq!(chain.shared_budget().unwrap().spent(), budget.spent());
    }
    assert_eq!(budget.spent(), Usd::from_micros(1_800));
}

#[test]
fn spans_and_metrics_are_on_or_off_or_by_label() {
    let print = |instrument: &str| {
        let file = format!("instrument = {instrument}\n[[providers]]\nkind = \"mock\"\n");
        parse(&file).and_then(|config| Ok(config.build(&mocks())?.to_string()))
    };
    let plain = r#"mock.instrumented("attempt").instrumented("challenge")"#;
    assert_eq!(print("false").unwrap(), "mock");
    assert_eq!(print("true").unwrap(), plain);
    assert_eq!(print("{ max_labels = 7 }").unwrap(), plain);
    let places = |most: u32| {
        ["attempt", "challenge"]
            .map(|scope| format!(".instrumented({scope:?}, max_labels: {most})"))
            .concat()
    };
    for (text, most) in [
        ("{ by_label = true }", 100),
        ("{ by_label = true, max_labels = 7 }", 7),
    ] {
        assert_eq!(print(text).unwrap(), format!("mock{}", places(most)));
    }
    for text in ["{ by_lable = true }", "{ max_labels = 0 }", "\"yes\""] {
        let error = print(text).unwrap_err().to_string();
        assert!(error.contains("instrument"), "{error}");
    }
}

#[test]
fn code_fills_the_same_settings_as_a_file() {
    let file = parse(
        r#"
        deadline = "90s"
        instrument = true
        strategy = "fallback"
        [[providers]]
        kind = "mock"
        name = "first"
        price = "0.0009"
        total_timeout = "60s"
        timeout = "20s"
        retry = { max_attempts = 2 }
        validate = true
        seconds = 7
        "#,
    );
    let price: Usd = "0.0009".parse().unwrap();
    let provider = ProviderConfig::new("mock")
        .name("first")
        .price(price)
        .total_timeout(Duration::from_secs(60))
        .timeout(TimeoutPolicy::from(Duration::from_secs(20)))
        .retry(RetryPolicy::default().max_attempts(2))
        .validate(ValidatePolicy::default())
        .with("seconds", 7);
    let code = ChainConfig::new([provider])
        .deadline(Duration::from_secs(90).into())
        .instrument(InstrumentConfig::default());
    let print = |config: ChainConfig| config.build(&mocks()).unwrap().to_string();
    assert_eq!(print(code), print(file.unwrap()));

    let error = ChainConfig::new([ProviderConfig::new("mock").timeout(Duration::ZERO)])
        .build(&mocks())
        .unwrap_err();
    assert_eq!(error.path(), "providers.mock.timeout");
}

#[cfg(not(feature = "image"))]
#[test]
fn what_needs_another_feature_says_so() {
    let error = parse("[[providers]]\nkind = \"twocaptcha\"\nfit = true").unwrap_err();
    assert_eq!(
        error.to_string(),
        "providers.twocaptcha.fit: needs the feature `image` of drag-solver, and this program is built without it"
    );
}
