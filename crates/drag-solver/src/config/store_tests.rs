use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::store::jiff::Timestamp;
use crate::store::{
    self, Clock, SqliteStore, Store, StoreError, StoreErrorKind, StoreHandle, StoredBudget,
    StoredBudgetPolicy,
};
use crate::testing::{MockSolver, Outcome, fixtures};
use crate::{ConfigError, DragSolver as _, DragSolverExt as _, ErrorKind};

#[derive(Deserialize)]
struct NoSettings {}

fn registry(mock: &MockSolver) -> Registry {
    let mock = mock.clone();
    let registry = Registry::empty().register("mock", move |_: NoSettings, _| Ok(mock.clone()));
    registry.unwrap()
}

fn mock() -> MockSolver {
    MockSolver::new("mock").always(Outcome::answer(fixtures::drag()))
}

fn parse(text: &str) -> Result<ChainConfig, ConfigError> {
    ChainConfig::read(toml::Deserializer::parse(text).unwrap())
}

const PROVIDER: &str = "[[providers]]\nkind = \"mock\"\nprice = \"0.001\"\n";

#[tokio::test]
async fn a_chain_with_a_store_is_durable_and_its_budget_outlives_it() {
    let (folder, mock) = (tempfile::tempdir().unwrap(), mock());
    let registry = registry(&mock);
    let context = registry.context().clone().with_base_dir(folder.path());
    let registry = registry.with_context(context);
    let file = format!(
        "deadline = \"60s\"\n[store]\npath = \"drags.db\"\n\
         [budget]\nname = \"daily\"\nper_day = \"0.002\"\ntime_zone = \"Asia/Ho_Chi_Minh\"\n{PROVIDER}"
    );
    let order = |id: &'static str| fixtures::challenge().with_id(id);
    for id in ["one", "two", "one"] {
        let chain = parse(&file).unwrap().build(&registry).unwrap();
        chain.solve(&order(id)).await.unwrap();
    }
    assert_eq!(mock.purchases(), 2);
    let chain = parse(&file).unwrap().build(&registry).unwrap();
    let printed = chain.to_string();
    assert!(
        printed.contains(".stored_budget(\"daily\", price: $0.001)"),
        "{printed}"
    );
    assert!(printed.ends_with(".deadline(1m)"), "{printed}");
    let error = chain.solve(&order("three")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BudgetExhausted);
    assert!(
        error
            .message()
            .contains("\"daily\", $0.002 a day (Asia/Ho_Chi_Minh)"),
        "{error}"
    );
    let state = chain.stored_budget().unwrap().state(None).await.unwrap();
    assert_eq!(state.spent, "0.002".parse().unwrap());
    assert!(folder.path().join("drags.db").exists());
}

#[tokio::test]
async fn a_store_that_is_given_takes_the_place_of_the_files_and_stays_when_the_file_changes() {
    let (folder, mock) = (tempfile::tempdir().unwrap(), mock());
    let store = SqliteStore::open(folder.path().join("given.db")).unwrap();
    let config = parse(&format!(
        "[budget]\nname = \"all\"\ntotal = \"1\"\n{PROVIDER}"
    ))
    .unwrap();
    let parts = || ChainParts::default().store(&store);
    let chain = config.build_with(&registry(&mock), parts()).unwrap();
    let changed = parse(&format!("deadline = \"9s\"\n{PROVIDER}")).unwrap();
    let chain = chain.rebuilt(&changed, &registry(&mock)).unwrap();
    assert!(chain.store().unwrap().now().as_second() > 0);
    chain
        .solve(&fixtures::challenge().with_id("one"))
        .await
        .unwrap();
    assert!(store::Store::find(&store, "one").await.unwrap().is_some());
}

#[tokio::test]
async fn a_budget_that_is_given_has_limits_of_its_own_for_each_label() {
    let (store, mock) = (SqliteStore::in_memory(Clock::system()).unwrap(), mock());
    let limits = |label: &str| {
        let total = if label == "rich" { "1" } else { "0.001" };
        StoredBudgetPolicy::default().total(total.parse().unwrap())
    };
    let budget = StoredBudget::by_label(&store, "tenants", limits);
    let file = format!("[budget]\nname = \"tenants\"\ntotal = \"9\"\n{PROVIDER}");
    let parts = || ChainParts::default().store(&store).stored_budget(&budget);
    let config = parse(&file).unwrap();
    let chain = config.build_with(&registry(&mock), parts()).unwrap();
    let of = |label: &str| fixtures::challenge().with_label(label);
    for label in ["rich", "rich", "poor"] {
        chain.solve(&of(label)).await.unwrap();
    }
    assert!(chain.solve(&of("poor")).await.is_err());
    // Its limits stay when the file changes, and the file's own take effect.
    let chain = chain.rebuilt(&config, &registry(&mock)).unwrap();
    assert!(chain.solve(&of("poor")).await.is_err());
    let own = config
        .build_with(&registry(&mock), ChainParts::default().store(&store))
        .unwrap();
    own.solve(&of("poor")).await.unwrap();
    let less = file.replace("\"9\"", "\"0.003\"");
    let less = own
        .rebuilt(&parse(&less).unwrap(), &registry(&mock))
        .unwrap();
    less.solve(&of("poor")).await.unwrap();
    assert!(less.solve(&of("poor")).await.is_ok());
    assert!(less.solve(&of("poor")).await.is_err());
    let without = parse(PROVIDER)
        .unwrap()
        .build_with(&registry(&mock), parts());
    assert_eq!(without.unwrap_err().path(), "budget.name");
}

#[test]
fn a_budget_in_a_store_needs_a_store_and_what_is_only_for_those_needs_a_name() {
    let registry = registry(&mock());
    for (text, expected) in [
        (
            "budget = { name = \"x\", total = \"1\" }",
            "budget.name: is that of a budget in a store",
        ),
        (
            "budget = { per_day = \"1\" }",
            "budget.per_day: is for a budget in the chain's store",
        ),
        (
            "budget = { by_label = true, total = \"1\" }",
            "budget.by_label: is for a budget",
        ),
        (
            "budget = { name = \"x\" }",
            "budget.total: must be set, or else per_period or per_day",
        ),
        (
            "budget = { name = \"\", total = \"1\" }",
            "budget.name: must not be empty",
        ),
        (
            "budget = { name = \"x\", total = \"1\", time_zone = \"Moon\" }",
            "budget.time_zone: is not the name of a time zone",
        ),
        ("store = { lease = \"1s\" }", "store"),
        (
            "store = { path = \"/nowhere/x.db\" }",
            "store.path: the store /nowhere/x.db",
        ),
        (
            "store = { pth = \"x.db\" }",
            "unknown key `pth` in store: did you mean `path`?",
        ),
        (
            "store = { path = \"x.db\", money = \"1s\" }",
            "store.money: must be at least",
        ),
        (
            "store = { path = \"x.db\", challenges = \"1h\", money = \"1h\" }\n\
             budget = { name = \"x\", per_period = \"1\", period = \"2h\" }",
            "budget.period: counts what was spent in the last 2h, and the store forgets it after 1h",
        ),
        (
            "store = { path = \"x.db\", challenges = \"1h\", money = \"1day\" }\n\
             budget = { name = \"x\", per_day = \"1\" }",
            "budget.per_day: counts what was spent in the last 1day 2h",
        ),
    ] {
        let built =
            parse(&format!("{text}\n{PROVIDER}")).and_then(|config| config.build(&registry));
        let error = built.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
}

#[test]
fn a_providers_budget_that_the_store_would_forget_is_refused_before_a_store_is_opened() {
    let error = parse(
        "store = { path = \"/nowhere/x.db\", challenges = \"1h\", money = \"1h\" }\n[[providers]]\nkind = \"mock\"\n\
         price = \"0.5\"\nbudget = { name = \"x\", per_period = \"1\", period = \"2h\" }",
    );
    let error = error.unwrap().build(&registry(&mock())).unwrap_err();
    assert_eq!(error.path(), "providers.mock.budget.period");
}

#[tokio::test]
async fn health_tells_what_is_spent_of_budgets_in_the_store_and_that_it_can_be_written() {
    let (folder, mock) = (tempfile::tempdir().unwrap(), mock());
    let other = |name| move |_: NoSettings, _: &_| Ok(MockSolver::new(name));
    let registry = registry(&mock).register("own", other("own"));
    let registry = registry.unwrap().register("none", other("none")).unwrap();
    let context = registry.context().clone().with_base_dir(folder.path());
    let registry = registry.with_context(context);
    let file = format!(
        "[store]\npath = \"drags.db\"\n[budget]\nname = \"all\"\nper_day = \"0.002\"\n\
         {PROVIDER}budget = {{ name = \"each\", by_label = true, total = \"1\" }}\n\
         [[providers]]\nkind = \"own\"\nprice = \"0.001\"\n\
         budget = {{ name = \"own\", per_period = \"0.5\", time_zone = \"Asia/Ho_Chi_Minh\" }}\n\
         [[providers]]\nkind = \"none\"\nprice = \"0.001\"\n"
    );
    let chain = parse(&file).unwrap().build(&registry).unwrap();
    let challenge = fixtures::challenge().with_id("one").with_label("shop");
    chain.solve(&challenge).await.unwrap();
    let path = folder.path().join("drags.db");
    let limits = |total: Option<&str>, period: Option<&str>, day: Option<&str>, zone: &str| {
        json!({
            "total": total, "per_period": period, "period": "1day", "per_day": day, "time_zone": zone,
        })
    };
    let (all, each, own) = (
        limits(None, None, Some("0.002"), "UTC"),
        limits(Some("1"), None, None, "UTC"),
        limits(None, Some("0.5"), None, "Asia/Ho_Chi_Minh"),
    );
    let each = json!({"name": "each", "by_label": true, "policy": each});
    check(
        &chain.health(),
        &[
            json!({"path": path}),
            json!({"name": "all", "by_label": false, "policy": all}),
            each.clone(),
            json!({"name": "own", "by_label": false, "policy": own}),
            Value::Null,
        ],
    );
    let summary =
        |usd| json!({"spent": usd, "spent_today": usd, "spent_in_period": usd, "reserved": "0"});
    let (of_all, of_own) = (summary("0.001"), summary("0"));
    check(
        &chain.full_health().await,
        &[
            json!({"path": path, "writable": true}),
            json!({"name": "all", "by_label": false, "policy": all, "summary": of_all}),
            each,
            json!({"name": "own", "by_label": false, "policy": own, "summary": of_own}),
            Value::Null,
        ],
    );
}

/// Holds the store, the chain's budget and those of three providers against these, and reads all of it again.
fn check(health: &ChainHealth, expected: &[Value; 5]) {
    let json = serde_json::to_value(health).unwrap();
    let provider = |index: usize| &json["providers"][index]["stored_budget"];
    let found = [&json["store"], &json["stored_budget"]];
    let found = found.into_iter().chain([0, 1, 2].map(provider)).cloned();
    assert_eq!(found.collect::<Vec<_>>(), expected);
    let text = json.to_string();
    assert_eq!(serde_json::from_str::<ChainHealth>(&text).unwrap(), *health);
}

/// Says of no budget what is spent, and cannot be written: it says so at once or never.
#[derive(Debug)]
struct Broken {
    inner: SqliteStore,
    answers: bool,
}

impl Broken {
    async fn fail<T>(&self) -> Result<T, StoreError> {
        if self.answers {
            return Err(StoreError::new(
                StoreErrorKind::Unavailable,
                "the disk is full",
            ));
        }
        std::future::pending().await
    }
}

#[crate::async_trait]
impl Store for Broken {
    async fn budget(&self, _: &str, _: &[Timestamp]) -> Result<store::BudgetState, StoreError> {
        self.fail().await
    }
    async fn flush(&self) -> Result<(), StoreError> {
        self.fail().await
    }
    store::forward_store!(inner except budget, flush);
}

#[tokio::test(start_paused = true)]
async fn health_of_a_store_that_fails_or_says_nothing_says_so_within_ten_seconds() {
    for (answers, problem, seconds) in [
        (true, "the disk is full", 0),
        (false, "no answer within 10s", 10),
    ] {
        let budget = "budget = { name = \"own\", total = \"1\" }";
        let file = format!("[budget]\nname = \"all\"\ntotal = \"1\"\n{PROVIDER}{budget}");
        let inner = SqliteStore::in_memory(Clock::system()).unwrap();
        let store = StoreHandle::new(Broken { inner, answers });
        let parts = ChainParts::default().store(&store);
        let config = parse(&file).unwrap();
        let chain = config.build_with(&registry(&mock()), parts).unwrap();
        let begun = tokio::time::Instant::now();
        let health = chain.full_health().await;
        assert_eq!(begun.elapsed().as_secs(), seconds);
        let store = json!({"writable": false, "error": problem});
        assert_eq!(serde_json::to_value(&health.store).unwrap(), store);
        for budget in [&health.stored_budget, &health.providers[0].stored_budget] {
            let budget = budget.as_ref().unwrap();
            assert_eq!(
                (budget.summary, budget.error.as_deref()),
                (None, Some(problem))
            );
        }
        let store = chain.health().store.unwrap();
        assert_eq!((store.writable, store.error), (None, None));
    }
}

#[tokio::test]
async fn a_chain_without_a_store_says_nothing_of_one() {
    let chain = parse(PROVIDER).unwrap().build(&registry(&mock())).unwrap();
    for health in [chain.health(), chain.full_health().await] {
        let json = serde_json::to_value(&health).unwrap();
        assert!(json.get("store").is_none() && json.get("stored_budget").is_none());
        assert_eq!(serde_json::from_value::<ChainHealth>(json).unwrap(), health);
    }
}

#[tokio::test]
async fn a_store_that_is_given_stays_when_what_the_file_says_of_its_own_changes() {
    let (folder, mock) = (tempfile::tempdir().unwrap(), mock());
    let store = SqliteStore::open(folder.path().join("given.db")).unwrap();
    let registry = registry(&mock);
    let context = registry.context().clone().with_base_dir(folder.path());
    let registry = &registry.with_context(context);
    let file = |more| parse(&format!("[store]\npath = \"file.db\"\n{more}\n{PROVIDER}")).unwrap();
    let parts = ChainParts::default().store(&store);
    let mut chain = file("").build_with(registry, parts).unwrap();
    for (id, more) in [("one", "lease = \"9s\""), ("two", "buy_unconfirmed = true")] {
        chain = chain.rebuilt(&file(more), registry).unwrap();
        let challenge = fixtures::challenge().with_id(id);
        chain.solve(&challenge).await.unwrap();
        assert!(store::Store::find(&store, id).await.unwrap().is_some());
    }
    assert!(!folder.path().join("file.db").exists());

    // And the file's own is another one as soon as the file says so.
    let own = file("").build(registry).unwrap();
    let other = parse(&format!("[store]\npath = \"other.db\"\n{PROVIDER}")).unwrap();
    own.rebuilt(&other, registry).unwrap();
    assert!(folder.path().join("other.db").exists());
}

#[tokio::test]
async fn what_all_spend_from_besides_is_charged_too_and_stays_when_the_file_changes() {
    let (store, mock) = (SqliteStore::in_memory(Clock::system()).unwrap(), mock());
    let registry = registry(&mock);
    let limit = |usd: &str| StoredBudgetPolicy::default().total(usd.parse().unwrap());
    let tenants = StoredBudget::by_label(&store, "tenants", move |_| limit("0.003"));
    let parts = ChainParts::default()
        .store(&store)
        .spend_also_from(&tenants);
    let file = |budget: &str| parse(&format!("{budget}\n{PROVIDER}")).unwrap();
    let own = "budget = { name = \"all\", total = \"1\" }";
    let chain = file(own).build_with(&registry, parts).unwrap();
    let of = |label: &str| fixtures::challenge().with_label(label);
    let spent = async |budget: &str| store.budget(budget, &[]).await.unwrap().spent.to_string();
    chain.solve(&of("one")).await.unwrap();
    assert_eq!(spent("all").await, "0.001");
    assert_eq!(spent("tenants/one").await, "0.001");

    let chain = chain.rebuilt(&file(own), &registry).unwrap();
    chain.solve(&of("one")).await.unwrap();
    assert_eq!(spent("all").await, "0.002");
    assert_eq!(spent("tenants/one").await, "0.002");

    // Also when the file has no budget any more.
    let chain = chain.rebuilt(&file(""), &registry).unwrap();
    chain.solve(&of("one")).await.unwrap();
    assert_eq!(spent("all").await, "0.002");
    assert_eq!(spent("tenants/one").await, "0.003");
    let error = chain.solve(&of("one")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BudgetExhausted);
    assert!(error.message().contains("\"tenants/one\""), "{error}");
    chain.solve(&of("another")).await.unwrap();
    assert_eq!(mock.purchases(), 4);
}

#[tokio::test]
async fn what_all_spend_from_besides_needs_a_price_unless_the_provider_knows_its_cost() {
    let (store, mock) = (SqliteStore::in_memory(Clock::system()).unwrap(), mock());
    let budget = StoredBudget::new(
        &store,
        "tenant",
        StoredBudgetPolicy::default().total("1".parse().unwrap()),
    );
    let parts = || ChainParts::default().store(&store).spend_also_from(&budget);
    let config = parse("[[providers]]\nkind = \"mock\"\n").unwrap();
    let error = config.build_with(&registry(&mock), parts()).unwrap_err();
    assert_eq!(error.path(), "providers.mock.price");

    let knows = mock.priced("0.004".parse().unwrap());
    let registry = Registry::empty().register("mock", move |_: NoSettings, _| Ok(knows.clone()));
    let chain = config.build_with(&registry.unwrap(), parts()).unwrap();
    chain.solve(&fixtures::challenge()).await.unwrap();
    let spent = budget.state(None).await.unwrap().spent;
    assert_eq!(spent, "0.004".parse().unwrap());
}

#[path = "calls_tests.rs"]
mod calls;
