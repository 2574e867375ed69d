use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use super::*;
use crate::testing::{MockSolver, Outcome, fixtures};
use crate::{
    Budget, BudgetPolicy, DragSolver, DragSolverExt as _, ErrorKind, RetryBudgetPolicy,
    RetryPolicy, Solution, SolveError, TimeoutPolicy, Usd, ValidatePolicy,
};

const TOKEN: &str = "hunter2";

fn parse(text: &str) -> Result<ChainConfig, ConfigError> {
    ChainConfig::read(toml::Deserializer::parse(text).unwrap())
}

fn standard() -> Registry {
    Registry::standard().with_variables(|name| name.ends_with("KEY").then(|| TOKEN.into()))
}

/// A registry with the kind `mock`, each solver of which answers after so many failures.
fn mocks() -> Registry {
    #[derive(Deserialize)]
    #[serde(default)]
    struct Config {
        name: String,
        failures: usize,
        seconds: u64,
    }

    impl Default for Config {
        fn default() -> Self {
            Self {
                name: "mock".to_owned(),
                failures: 0,
                seconds: 1,
            }
        }
    }

    let registry = Registry::empty().register("mock", |config: Config, _| {
        Ok(mock(&config.name, config.failures, config.seconds))
    });
    registry.unwrap()
}

fn mock(name: &str, failures: usize, seconds: u64) -> MockSolver {
    let answer = Outcome::answer(fixtures::drag()).after(Duration::from_secs(seconds));
    MockSolver::new(name)
        .then_times(failures, ErrorKind::Unavailable)
        .always(answer)
}

async fn solve(chain: &dyn DragSolver) -> (Result<Solution, SolveError>, Duration) {
    let started = Instant::now();
    let outcome = chain.solve(&fixtures::challenge()).await;
    (outcome, started.elapsed())
}

const WHOLE: &str = r#"
    deadline = "120s"
    strategy = "fallback"
    [budget]
    per_period = "5"
    [[providers]]
    name = "first"
    kind = "omocaptcha"
    token = { env = "FIRST_KEY" }
    price = "0.0009"
    retry = { max_attempts = 2, base_backoff = "100ms" }
    timeout = "60s"
    validate = true
    [[providers]]
    kind = "2captcha"
    base_url = "http://127.0.0.1:1"
    price = 0.0012
    budget = { total = "1" }
    poll = { first = "1s", every = "2s" }
"#;

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
#[allow(clippy::too_many_lines)] // it is a table
fn every_mistake_is_told_with_its_place_and_what_to_write() {
    let in_first = |line: &str| format!("[[providers]]\nname = \"first\"\nkind = \"mock\"\n{line}");
    let cases = [
        (
            in_first("retry = { max_atempts = 3 }"),
            "unknown key `max_atempts` in providers.first.retry: did you mean `max_attempts`?",
        ),
        (
            in_first("retries = 3"),
            "unknown key `retries` in providers.first: did you mean `retry`?",
        ),
        (
            in_first("failurs = 3"),
            "unknown key `failurs` in providers.first: did you mean `failures`?",
        ),
        (
            in_first("retry = 3"),
            "providers.first.retry: is a number, and must be a table of settings, or true for the defaults",
        ),
        (
            in_first("retry = { max_attempts = 0 }"),
            "providers.first.retry.max_attempts: must be at least 1",
        ),
        (
            in_first("timeout = 60"),
            "providers.first.timeout: is integer `60`, and must be a duration with its unit, like \
             \"500ms\", \"60s\" or \"1m 30s\"",
        ),
        (
            in_first("timeout = \"0s\""),
            "providers.first.timeout: must be longer than zero",
        ),
        (
            in_first("price = \"free\""),
            "providers.first.price: not an amount in US dollars: write a decimal number, as in 0.0009",
        ),
        (
            in_first("price = -1"),
            "providers.first.price: must not be negative, and -1 is",
        ),
        (
            in_first("budget = { total = \"1\" }"),
            "providers.first.price: must be set: the budget has to know what an answer costs at most",
        ),
        (
            in_first("[budget]"),
            "budget.total: must be set, or else per_period: a budget without a limit limits nothing",
        ),
        (
            in_first("[[providers]]\nkind = \"mock\"\nname = \"first\""),
            "providers.first: is the name of two providers: give one of them another `name`",
        ),
        (
            "[[providers]]\nkind = \"mokc\"".to_owned(),
            "providers.mokc.kind: there is no `mokc`: did you mean `mock`?",
        ),
        (
            "[[providers]]\nname = \"first\"".to_owned(),
            "providers.first.kind: must be set to a kind of provider, as in kind = \"omocaptcha\"",
        ),
        (
            "[[providers]]\nkind = \"mock\"\nname = \"A|B\"".to_owned(),
            "providers.A|B.name: `A|B` is no name: use 1 to 64 of a-z, 0-9, `-`, `_` and `.`",
        ),
        (
            "deadlin = \"1s\"".to_owned(),
            "unknown key `deadlin`: did you mean `deadline`?",
        ),
        (
            "strategy = \"falback\"".to_owned(),
            "strategy: there is no `falback`: did you mean `fallback`?",
        ),
        (
            format!(
                "strategy = {{ kind = \"fallback\", order = {{ explore = 2 }} }}\n{}",
                in_first("")
            ),
            "strategy.order.explore: must be from 0 to 1, not 2",
        ),
        (
            format!(
                "strategy = {{ kind = \"fallback\", order = {{ second_worth = -1 }} }}\n{}",
                in_first("")
            ),
            "strategy.order.second_worth: must not be negative, and -1 is",
        ),
        (
            format!(
                "strategy = {{ kind = \"fallback\", order = {{ second_worth = 0.1 }} }}\n{}",
                in_first("")
            ),
            "providers.first.price: must be set, to 0 if it costs nothing: `second_worth` weighs what an answer costs",
        ),
        (
            "strategy = { delay = \"8s\" }".to_owned(),
            "strategy.kind: must be set to `fallback`, `hedge` or `quorum`",
        ),
        (
            "strategy = { kind = \"hedge\", dely = \"1s\" }".to_owned(),
            "unknown key `dely` in strategy: did you mean `delay`?",
        ),
        (
            format!("strategy = \"hedge\"\n{}", in_first("")),
            "providers: must hold at least 2, or there is none to hedge with; there are 1",
        ),
        (
            format!(
                "strategy = {{ kind = \"quorum\", agree = 3 }}\n{}",
                in_first("")
            ),
            "providers: must hold at least 3, or they can never agree; there are 1",
        ),
        (
            format!(
                "strategy = {{ kind = \"quorum\", agree = 1 }}\n{}",
                in_first("")
            ),
            "strategy.agree: must be at least 2, not 1: one always agrees",
        ),
        (
            in_first("total_timeout = \"0s\""),
            "providers.first.total_timeout: must be longer than zero",
        ),
        (
            format!("deadline = \"0s\"\n{}", in_first("")),
            "deadline: must be longer than zero",
        ),
        (
            in_first("price = nan"),
            "providers.first.price: must be a finite number, not NaN",
        ),
        (
            in_first("validate = { min_length = -inf }"),
            "providers.first.validate.min_length: must be a finite number, not -inf",
        ),
        (
            in_first("retry = { base_backoff = \"20s\" }"),
            "providers.first.retry.base_backoff: must not be longer than max_backoff, but 20s > 10s",
        ),
        (
            in_first("concurrency_limit = { max_in_flight = 0 }"),
            "providers.first.concurrency_limit.max_in_flight: must be at least 1",
        ),
        (
            "[providers]\nkind = \"mock\"".to_owned(),
            "providers: must be a list of tables: write [[providers]] above each",
        ),
        (
            String::new(),
            "providers: must hold at least one: write [[providers]] and its kind",
        ),
        (
            format!("retry_budget = true\n{}", in_first("")),
            "retry_budget: limits nothing: no provider has a `retry`, and there is no hedge",
        ),
    ];
    for (text, expected) in cases {
        let text = text.replace(
            "kind = \"mock\"\n[budget]",
            "kind = \"mock\"\nprice=1\n[budget]",
        );
        let error = parse(&text)
            .and_then(|config| config.build(&mocks()))
            .unwrap_err();
        assert_eq!(error.to_string(), expected, "{text}");
    }
}

#[test]
fn a_token_in_the_file_is_refused_and_shown_nowhere() {
    for kind in ["omocaptcha", "twocaptcha", "anticaptcha"] {
        for (key, why, schemes) in [
            ("token", "a secret is not written into the file", ""),
            (
                "proxy",
                "a proxy's URL is not written into the file, because there may be a password in it",
                ". Use http://, https://, socks4://, socks4a://, socks5:// or socks5h://",
            ),
        ] {
            let config = parse(&format!(
                "[[providers]]\nkind = \"{kind}\"\n{key} = \"{TOKEN}\""
            ))
            .unwrap();
            assert!(!format!("{config:?}").contains(TOKEN));
            let error = config.build(&standard()).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "providers.{kind}.{key}: {why}: write either {{ env = \"NAME\" }} or \
                     {{ file = \"PATH\" }} to say where it is{schemes}"
                )
            );
        }
    }
}

#[test]
fn a_token_that_is_misplaced_or_misspelt_is_told_where_it_belongs() {
    let provider = "[[providers]]\nkind = \"twocaptcha\"\n";
    let above = "it belongs to a provider: write it right below [[providers]]";
    for (text, expected) in [
        (format!("token = {{ env = \"MY_KEY\" }}\n{provider}"), above),
        (
            format!("[budget]\ntotal = \"1\"\ntoken = {{}}\n{provider}"),
            above,
        ),
        (format!("{provider}[providers.retry]\ntoken = {{}}"), above),
        (
            format!("{provider}key = {{ env = \"NOT_SET\" }}"),
            "providers.twocaptcha.key: ",
        ),
        (
            format!("{provider}key = {{ env = \"A\" }}\ntoken = {{ env = \"B\" }}"),
            "providers.twocaptcha.key: is set twice",
        ),
        (
            format!("{provider}api_key = {{ env = \"MY_KEY\" }}"),
            "did you mean `token`?",
        ),
        (
            format!("{provider}token = {{ evn = \"MY_KEY\" }}"),
            "is a key misspelt, or below",
        ),
        (
            format!("{provider}[providers.token]\nenv = \"MY_KEY\"\ntimeout = \"60s\""),
            "is a key misspelt, or below",
        ),
    ] {
        let error = parse(&text).and_then(|config| config.build(&standard()));
        let error = error.unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn a_token_in_any_wrong_place_is_shown_nowhere() {
    const KEY: &str = "0123456789abcdef0123456789abcdef";
    for wrong in [
        "token = { env = \"KEY\" }",
        "token = { file = \"KEY\" }",
        "key = { env = \"KEY\" }",
        "proxy = { env = \"KEY\" }",
        "base_url = \"https://example.com/?key=KEY\"",
        "base_url = \"KEY\"",
        "KEY = true",
        "name = \"KEY\"",
        "timeout = \"KEY\"",
        "price = \"KEY\"",
        "retry = \"KEY\"",
        "retry = { KEY = 1 }",
        "user_agent = { a = \"KEY\" }",
    ] {
        let text = format!("[[providers]]\nkind = \"twocaptcha\"\n{wrong}").replace("KEY", KEY);
        let error = match parse(&text) {
            Ok(config) => config.build(&standard()).unwrap_err().to_string(),
            Err(error) => error.to_string(),
        };
        assert!(!error.contains("0123456789"), "{wrong}: {error}");
    }
    let kind = format!("[[providers]]\nkind = \"{KEY}\"");
    let error = parse(&kind).unwrap().build(&standard()).unwrap_err();
    assert!(!error.to_string().contains(KEY), "{error}");
}

#[test]
fn a_secret_comes_from_where_the_file_says_or_from_the_providers_own_variable() {
    let build = |kind: &str, token: &str| {
        let text = format!("[[providers]]\nkind = \"{kind}\"\n{token}");
        let chain = parse(&text).unwrap().build(&standard());
        chain
            .map(|chain| format!("{chain:?}"))
            .map_err(|error| error.to_string())
    };
    assert_eq!(build("twocaptcha", "").unwrap(), "twocaptcha");
    let token = "token = { env = \"MY_KEY\" }";
    assert_eq!(build("twocaptcha", token).unwrap(), "twocaptcha");
    assert_eq!(
        build("twocaptcha", "token = { env = \"OTHER\" }").unwrap_err(),
        "providers.twocaptcha.token: the environment variable OTHER is not set, or empty"
    );
    assert_eq!(
        build("omocaptcha", "").unwrap_err(),
        "providers.omocaptcha.token: is not set: write { env = \"NAME\" } or { file = \"PATH\" } to \
         say where it is, or set the environment variable OMOCAPTCHA_API_TOKEN"
    );
    let error = build("omocaptcha", "token = { file = \"/no/such/file\" }").unwrap_err();
    assert!(
        error.starts_with("providers.omocaptcha.token: cannot read /no/such/file: "),
        "{error}"
    );
    let key = build("omocaptcha", "tokn = \"x\"").unwrap_err();
    assert!(key.ends_with("did you mean `token`?"), "{key}");
}

#[test]
fn a_setting_of_the_environment_is_told_by_its_variable() {
    for (kind, variable) in [
        ("twocaptcha", "TWOCAPTCHA_BASE_URL"),
        ("omocaptcha", "OMOCAPTCHA_API_VERSION"),
    ] {
        let registry = Registry::standard().with_variables(move |name| {
            let value = if name == variable { "nonsense" } else { TOKEN };
            let is_secret = name.ends_with("KEY") || name.ends_with("TOKEN");
            (is_secret || name == variable).then(|| value.into())
        });
        let config = ChainConfig::new([ProviderConfig::new(kind)]);
        let error = config.build(&registry).unwrap_err();
        let start = format!("environment variable {variable}: ");
        assert!(error.to_string().starts_with(&start), "{error}");
    }
    let own = ProviderConfig::new("twocaptcha").with("base_url", "ftp://x");
    let error = ChainConfig::new([own]).build(&standard()).unwrap_err();
    assert_eq!(error.path(), "providers.twocaptcha.base_url");
}

#[test]
fn a_name_that_the_solver_does_not_answer_to_is_refused() {
    #[derive(Deserialize)]
    struct Config {
        #[serde(rename = "name")]
        _name: Option<String>,
    }
    #[derive(Deserialize)]
    struct Nameless {}

    let registry = Registry::empty()
        .register("stubborn", |_: Config, _| Ok(MockSolver::new("stubborn")))
        .and_then(|all| all.register("nameless", |_: Nameless, _| Ok(MockSolver::new("nameless"))))
        .unwrap();
    for kind in ["stubborn", "nameless"] {
        let file = |name: &str| format!("[[providers]]\nkind = \"{kind}\"\nname = \"{name}\"");
        let build = |name: &str| parse(&file(name)).unwrap().build(&registry);
        assert_eq!(
            build("other").unwrap_err().to_string(),
            format!(
                "providers.other.name: a solver of kind `{kind}` is always called `{kind}`: leave `name` out"
            )
        );
        assert_eq!(build(kind).unwrap().name(), kind);
    }
}

#[test]
fn a_misspelt_key_is_seen_whatever_the_providers_settings_are() {
    #[derive(Deserialize)]
    struct Rooms {
        rooms: u32,
    }
    #[derive(Deserialize)]
    struct Flattened {
        #[serde(flatten)]
        _http: crate::http::HttpOptions,
        #[serde(rename = "rooms")]
        _rooms: u32,
    }
    let registry = Registry::empty()
        .register(
            "tuple",
            |(http, own): (crate::http::HttpOptions, Rooms), _| {
                assert_eq!((http.name.as_deref(), own.rooms), (Some("tuple"), 3));
                Ok(MockSolver::new("tuple"))
            },
        )
        .and_then(|all| all.register("flat", |_: Flattened, _| Ok(MockSolver::new("flat"))))
        .unwrap();
    let build = |kind: &str, line: &str| {
        let text =
            format!("[[providers]]\nkind = \"{kind}\"\nname = \"{kind}\"\nrooms = 3\n{line}");
        let built = parse(&text).unwrap().build(&registry);
        built.map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(build("tuple", "job_timeout = \"9s\""), Ok(()));
    for (line, expected) in [
        (
            "rom = 4",
            "unknown key `rom` in providers.tuple: did you mean `rooms`?",
        ),
        (
            "tokn = 4",
            "unknown key `tokn` in providers.tuple: did you mean `token`?",
        ),
        (
            "job_timeout = 4",
            "providers.tuple.job_timeout: is integer `4`, and must be a duration",
        ),
    ] {
        let error = build("tuple", line).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
    assert_eq!(
        build("flat", "tokn = 4").unwrap_err(),
        "providers.flat: struct Flattened of this program flattens another, which hides its keys: register \
         a tuple of the two in its place"
    );
}

#[test]
fn the_timeout_in_the_file_is_the_only_one() {
    let text = "[[providers]]\nkind = \"twocaptcha\"\n";
    let worst = |timeout: &str| {
        let config = parse(&format!("{text}{timeout}")).unwrap();
        let chain = config.build(&standard()).unwrap();
        chain.profile().worst_case.time
    };
    assert_eq!(worst(""), Some(Duration::from_secs(120)));
    for timeout in ["timeout", "total_timeout"] {
        let long = format!("{timeout} = \"5m\"");
        assert_eq!(worst(&long), Some(Duration::from_secs(300)));
    }
}

#[test]
fn a_timeout_in_which_no_answer_can_come_is_refused_by_its_own_name() {
    for (key, lines) in [
        ("timeout", "timeout = \"5s\"\ntotal_timeout = \"60s\""),
        ("total_timeout", "total_timeout = \"5s\""),
        ("job_timeout", "timeout = \"60s\"\njob_timeout = \"5s\""),
    ] {
        let text = format!("[[providers]]\nkind = \"twocaptcha\"\n{lines}");
        let error = parse(&text).unwrap().build(&standard()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "providers.twocaptcha.{key}: must be more than 5s, the wait before the first poll"
            )
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_total_timeout_holds_for_all_attempts_together() {
    let text = r#"
        [[providers]]
        kind = "mock"
        failures = 1
        seconds = 60
        retry = { base_backoff = "0s" }
    "#;
    let took = async |line: &str| {
        let config = parse(&format!("{text}{line}")).unwrap();
        let (outcome, took) = solve(&config.build(&mocks()).unwrap()).await;
        (outcome.map_err(|error| error.kind()).err(), took.as_secs())
    };
    assert_eq!(took("timeout = \"70s\"").await, (None, 60));
    let timeout = Some(ErrorKind::Timeout);
    assert_eq!(took("total_timeout = \"30s\"").await, (timeout, 30));
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
        .timeout(TimeoutPolicy::new(Duration::from_secs(20)))
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
