//! `docs/chain-file.md`, held against the code: every key that the reader takes is on the page, every key on
//! the page is taken, and the defaults are those of the code.

#![cfg(all(feature = "config", feature = "image", feature = "mock"))]
#![allow(clippy::panic, clippy::unwrap_used)] // a failed one is a failed test

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::fs;
use std::path::Path;

use drag_solver::config::{BudgetConfig, ChainConfig, InstrumentConfig, Registry};
use drag_solver::testing::MockSolver;
use drag_solver::{
    CircuitBreakerPolicy, ConcurrencyLimitPolicy, FitPolicy, HedgePolicy, OrderPolicy,
    QuorumPolicy, RateLimitPolicy, RetryBudgetPolicy, RetryPolicy, ValidatePolicy,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Each table of the file: its heading on the page, and a file with the key `"%"` in it.
const TABLES: &[(&str, &str)] = &[
    ("The chain", "\"%\" = 1\n"),
    ("`providers`", "[[providers]]\nkind = \"mock\"\n\"%\" = 1"),
    (
        "`strategy` of kind `fallback`",
        "strategy = { kind = \"fallback\", \"%\" = 1 }",
    ),
    (
        "`order`",
        "strategy = { kind = \"fallback\", order = { \"%\" = 1 } }",
    ),
    (
        "`strategy` of kind `hedge`",
        "strategy = { kind = \"hedge\", \"%\" = 1 }",
    ),
    (
        "`strategy` of kind `quorum`",
        "strategy = { kind = \"quorum\", \"%\" = 1 }",
    ),
    ("`budget`", "budget = { \"%\" = 1 }"),
    ("`store`", "store = { path = \"x.db\", \"%\" = 1 }"),
    ("`instrument`", "instrument = { \"%\" = 1 }"),
    ("`retry_budget`", "retry_budget = { \"%\" = 1 }"),
    (
        "`retry`",
        "[[providers]]\nkind = \"mock\"\nretry = { \"%\" = 1 }",
    ),
    (
        "`rate_limit`",
        "[[providers]]\nkind = \"mock\"\nrate_limit = { \"%\" = 1 }",
    ),
    (
        "`concurrency_limit`",
        "[[providers]]\nkind = \"mock\"\nconcurrency_limit = { \"%\" = 1 }",
    ),
    (
        "`circuit_breaker`",
        "[[providers]]\nkind = \"mock\"\ncircuit_breaker = { \"%\" = 1 }",
    ),
    (
        "`validate`",
        "[[providers]]\nkind = \"mock\"\nvalidate = { \"%\" = 1 }",
    ),
    (
        "`fit`",
        "[[providers]]\nkind = \"mock\"\nfit = { \"%\" = 1 }",
    ),
];

/// The settings of the tables that are policies, as their defaults are.
fn check_defaults(heading: &str, defaults: &Defaults) -> bool {
    match heading {
        "`order`" => defaults.are_of::<OrderPolicy>(),
        "`strategy` of kind `hedge`" => defaults.without("kind").are_of::<HedgePolicy>(),
        "`strategy` of kind `quorum`" => defaults.without("kind").are_of::<QuorumPolicy>(),
        "`budget`" => defaults.are_of::<BudgetConfig>(),
        "`instrument`" => defaults.are_of::<InstrumentConfig>(),
        "`retry_budget`" => defaults.are_of::<RetryBudgetPolicy>(),
        "`retry`" => defaults.are_of::<RetryPolicy>(),
        "`rate_limit`" => defaults.are_of::<RateLimitPolicy>(),
        "`concurrency_limit`" => defaults.are_of::<ConcurrencyLimitPolicy>(),
        "`circuit_breaker`" => defaults.are_of::<CircuitBreakerPolicy>(),
        "`validate`" => defaults.are_of::<ValidatePolicy>(),
        "`fit`" => defaults.are_of::<FitPolicy>(),
        // No policies: their defaults are words, or checked below.
        "The chain" | "`providers`" | "`store`" | "`strategy` of kind `fallback`" => return false,
        other => unreachable!("{other} is not in the list"),
    }
    true
}

/// The default of each key, as the page has it: a value of TOML, or `None` for words.
#[derive(Debug, Clone)]
struct Defaults(BTreeMap<String, Option<String>>);

impl Defaults {
    fn without(&self, key: &str) -> Self {
        let mut others = self.clone();
        others.0.remove(key);
        others
    }

    /// Written into a file they are the defaults; and what is not set is set by none of them.
    fn are_of<P>(&self)
    where
        P: Default + Debug + PartialEq + DeserializeOwned + serde::Serialize,
    {
        let set = self
            .0
            .iter()
            .filter_map(|(key, default)| Some((key, default.as_ref()?)));
        let lines: Vec<String> = set
            .map(|(key, default)| format!("{key} = {default}\n"))
            .collect();
        let file = lines.concat();
        let read: P = toml::from_str(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(read, P::default(), "{file}");
        let json = serde_json::to_value(P::default()).unwrap();
        for (key, default) in &self.0 {
            assert_eq!(
                default.is_none(),
                json[key].is_null(),
                "the default of {key}"
            );
        }
    }
}

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/chain-file.md");
    fs::read_to_string(path).unwrap()
}

/// The keys of the table under each heading, with their defaults.
fn sections(page: &str) -> BTreeMap<&str, Defaults> {
    let mut sections = BTreeMap::new();
    let mut heading = "";
    for line in page.lines() {
        if line.starts_with('#') {
            heading = line.trim_start_matches('#').trim();
        }
        let Some(row) = line
            .strip_prefix("| `")
            .and_then(|row| row.strip_suffix(" |"))
        else {
            continue;
        };
        let cells: Vec<&str> = row.split(" | ").collect();
        assert_eq!(cells.len(), 4, "{line}");
        let key = cells[0].trim_end_matches('`').to_owned();
        let default = cells[2]
            .strip_prefix('`')
            .and_then(|cell| cell.strip_suffix('`'));
        let defaults = sections.entry(heading).or_insert(Defaults(BTreeMap::new()));
        let twice = defaults.0.insert(key, default.map(str::to_owned));
        assert!(twice.is_none(), "twice: {line}");
    }
    sections
}

fn registry() -> Registry {
    #[derive(Deserialize)]
    struct NoSettings {}

    let registry =
        Registry::empty().register("mock", |_: NoSettings, _| Ok(MockSolver::new("mock")));
    registry.unwrap()
}

/// The keys that the reader takes where this file has the key `"%"`.
fn known(file: &str) -> BTreeSet<String> {
    let read = ChainConfig::read(toml::Deserializer::parse(file).unwrap());
    let error = read
        .and_then(|config| config.build(&registry()))
        .unwrap_err()
        .to_string();
    let (unknown, known) = error.split_once(": there are ").unwrap();
    assert!(unknown.starts_with("unknown key `%`"), "{error}");
    let known = known
        .split(", ")
        .map(|key| key.trim_matches('`').to_owned());
    known.collect()
}

#[test]
fn the_page_has_every_key_and_no_other_and_the_defaults_of_the_code() {
    let page = page();
    let sections = sections(&page);
    let headings: BTreeSet<_> = sections.keys().copied().collect();
    let listed: BTreeSet<_> = TABLES.iter().map(|(heading, _)| *heading).collect();
    assert_eq!(
        headings, listed,
        "a table of the page, or one of `TABLES`, is missing"
    );
    let mut policies = 0;
    for (heading, file) in TABLES {
        let on_page: BTreeSet<String> = sections[heading].0.keys().cloned().collect();
        assert_eq!(on_page, known(file), "{heading}");
        policies += usize::from(check_defaults(heading, &sections[heading]));
    }
    assert_eq!(policies, TABLES.len() - 4);
}

#[test]
fn what_is_not_in_a_file_is_what_the_page_says() {
    let config: ChainConfig = toml::from_str("[[providers]]\nkind = \"mock\"").unwrap();
    let page = page();
    let defaults = &sections(&page)["The chain"].0;
    let of = |key: &str| defaults[key].as_deref();
    let written: ChainConfig = toml::from_str(&format!(
        "strategy = {}\ninstrument = {}\n[[providers]]\nkind = \"mock\"",
        of("strategy").unwrap(),
        of("instrument").unwrap(),
    ))
    .unwrap();
    assert_eq!(written, config);
    assert_eq!(
        (config.deadline, config.budget.clone(), config.retry_budget),
        (None, None, None)
    );
    assert_eq!(
        [of("deadline"), of("budget"), of("retry_budget")],
        [None; 3]
    );
    // Nothing is around a provider that does not say so.
    assert_eq!(config.build(&registry()).unwrap().to_string(), "mock");
}

#[test]
fn the_file_on_the_page_can_be_copied() {
    let page = page();
    let block = page.split("```toml\n").nth(1).unwrap();
    let file = block.split("```").next().unwrap();
    let config: ChainConfig = toml::from_str(file).unwrap();
    assert_eq!(config.providers.len(), 2);
    #[cfg(all(feature = "omocaptcha", feature = "twocaptcha"))]
    {
        let is_token = |name: &str| name.ends_with("_TOKEN") || name.ends_with("_KEY");
        let variables = move |name: &str| is_token(name).then(|| "0123".into());
        let registry = Registry::standard().with_variables(variables);
        config.build(&registry).unwrap();
    }
}
