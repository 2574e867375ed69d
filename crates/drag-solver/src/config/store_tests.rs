use serde::Deserialize;

use super::*;
use crate::store::Clock;
use crate::testing::{MockSolver, Outcome, fixtures};
use crate::{DragSolver as _, ErrorKind, SqliteStore, StoredBudget, StoredBudgetPolicy};

fn registry(mock: &MockSolver) -> Registry {
    #[derive(Deserialize)]
    struct NoSettings {}
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
    assert_eq!(chain.store().unwrap().now().as_second() > 0, true);
    chain
        .solve(&fixtures::challenge().with_id("one"))
        .await
        .unwrap();
    assert!(store::Store::find(&store, "one").await.unwrap().is_some());
}

use crate::store;

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
    ] {
        let built =
            parse(&format!("{text}\n{PROVIDER}")).and_then(|config| config.build(&registry));
        let error = built.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
}
