//! Each mistake is told with its place.

use super::*;

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
