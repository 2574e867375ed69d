//! A chain that is made again from a changed file keeps what it knows, while calls are under way.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::{Instant, advance, sleep, timeout};

use super::*;
use crate::testing::{MockSolver, Outcome, fixtures};
use crate::{
    BudgetPolicy, Circuit, CircuitBreakerPolicy, CircuitState, ConcurrencyLimitPolicy, DragSolver,
    ErrorKind, Latencies, Permits, RateLimiter, TrackRecord, Usd,
};

/// The providers' own settings.
#[derive(Deserialize)]
#[serde(default)]
struct Own {
    address: String,
}

impl Default for Own {
    fn default() -> Self {
        let address = "right".to_owned();
        Self { address }
    }
}

/// A registry in which the kinds `a` and `b` are these solvers, whichever chain asks them.
fn registry(a: &MockSolver, b: &MockSolver) -> Registry {
    let make = |solver: &MockSolver| {
        let solver = solver.clone();
        move |own: Own, _: &crate::http::Context| {
            if own.address == "none" {
                return Err(ConfigError::new("address", "leads nowhere"));
            }
            Ok(solver.clone())
        }
    };
    let registry = Registry::empty().register("a", make(a));
    registry.unwrap().register("b", make(b)).unwrap()
}

fn config(text: &str) -> ChainConfig {
    toml::from_str(text).unwrap()
}

/// A chain of `a` alone, with these lines.
fn only_a(lines: &str) -> ChainConfig {
    config(&format!("[[providers]]\nkind = \"a\"\n{lines}\n"))
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn usd(text: &str) -> Usd {
    text.parse().unwrap()
}

fn answers(name: &str, seconds: u64) -> MockSolver {
    MockSolver::new(name).always(Outcome::answer(fixtures::drag()).after(secs(seconds)))
}

/// Calls that run beside the test.
fn spawn(chain: &Chain, count: usize) -> Vec<tokio::task::JoinHandle<Option<ErrorKind>>> {
    let call = || {
        let chain = chain.clone();
        let call = async move { chain.solve(&fixtures::challenge()).await };
        tokio::spawn(async move { call.await.err().map(|error| error.kind()) })
    };
    (0..count).map(|_| call()).collect()
}

/// Lets every task run as far as it can at this instant.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

async fn failure(chain: &Chain) -> ErrorKind {
    let error = chain.solve(&fixtures::challenge()).await.unwrap_err();
    error.kind()
}

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
async fn spent_money_stays_spent_and_what_is_under_way_is_booked_for_both_chains() {
    let a = answers("a", 10);
    let registry = registry(&a, &a);
    let file = |total: &str| {
        config(&format!(
            "[budget]\ntotal = \"{total}\"\n[[providers]]\nkind = \"a\"\nprice = \"0.001\"\n\
             budget = {{ per_period = \"{total}\", period = \"1h\" }}\n"
        ))
    };
    let old = file("0.003").build(&registry).unwrap();
    old.solve(&fixtures::challenge()).await.unwrap();
    let calls = spawn(&old, 1);
    settle().await;
    let new = old.rebuilt(&file("0.002"), &registry).unwrap();
    let budget = new.health().budget.unwrap();
    assert_eq!(
        (budget.spent, budget.reserved),
        (usd("0.001"), usd("0.001"))
    );
    assert_eq!(budget.policy, BudgetPolicy::default().total(usd("0.002")));
    // One is spent and one under way: by the new limits there is nothing left, for the old chain either.
    for chain in [&old, &new] {
        assert_eq!(failure(chain).await, ErrorKind::BudgetExhausted);
    }
    for call in calls {
        assert_eq!(call.await.unwrap(), None);
    }
    let health = new.health();
    assert_eq!(health.budget.unwrap().spent, usd("0.002"));
    let own = health.providers[0].budget.unwrap();
    assert_eq!(
        (own.spent_in_period, own.reserved),
        (usd("0.002"), Usd::ZERO)
    );
    let richer = new.rebuilt(&file("0.003"), &registry).unwrap();
    richer.solve(&fixtures::challenge()).await.unwrap();
    assert_eq!(failure(&richer).await, ErrorKind::BudgetExhausted);
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

#[tokio::test(start_paused = true)]
async fn retries_that_were_taken_stay_taken() {
    let a = MockSolver::new("a").always(ErrorKind::Unavailable);
    let registry = registry(&a, &a);
    let file = |burst| {
        config(&format!(
            "retry_budget = {{ burst = {burst}, ratio = 0 }}\n[[providers]]\nkind = \"a\"\nretry = true\n"
        ))
    };
    let old = file(3).build(&registry).unwrap();
    failure(&old).await;
    let new = old.rebuilt(&file(4), &registry).unwrap();
    assert_eq!(new.health().retry_budget.unwrap().available, 2);
    failure(&new).await;
    failure(&new).await;
    assert_eq!(
        a.call_count(),
        3 + 4,
        "a call that is out of retries is made once"
    );
}

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

#[tokio::test(start_paused = true)]
async fn the_last_error_is_the_providers_and_when_it_was() {
    let a = MockSolver::new("a")
        .then(Outcome::error(ErrorKind::Unavailable, "503"))
        .always(Outcome::hang());
    let registry = registry(&a, &a);
    let file = only_a("circuit_breaker = { min_samples = 1 }\ntimeout = \"5s\"");
    let chain = file.build(&registry).unwrap();
    failure(&chain).await;
    advance(secs(7)).await;
    assert_eq!(failure(&chain).await, ErrorKind::CircuitOpen);
    let last = chain.health().providers[0].last_error.clone().unwrap();
    assert_eq!(
        (last.kind, &*last.message, last.seconds_ago),
        (ErrorKind::Unavailable, "503", 7.0)
    );
    advance(secs(30)).await;
    let mut call = spawn(&chain, 1).remove(0);
    settle().await;
    assert_eq!(chain.health().providers[0].in_flight, 1);
    sleep(secs(5)).await;
    assert_eq!((&mut call).await.unwrap(), Some(ErrorKind::Timeout));
    let health = chain.health();
    assert_eq!(
        health.providers[0].last_error.as_ref().unwrap().kind,
        ErrorKind::Timeout
    );
    assert_eq!(health.providers[0].in_flight, 0);
    // A call that is dropped is under way no more.
    advance(secs(60)).await;
    let challenge = fixtures::challenge();
    let mut dropped = chain.solve(&challenge);
    assert!(timeout(secs(1), &mut dropped).await.is_err());
    assert_eq!(chain.health().providers[0].in_flight, 1);
    drop(dropped);
    assert_eq!(chain.health().providers[0].in_flight, 0);
    let json = serde_json::to_string(&health).unwrap();
    assert_eq!(serde_json::from_str::<ChainHealth>(&json).unwrap(), health);
    assert_eq!(
        json,
        r#"{"name":"a","providers":[{"name":"a","kind":"a","in_flight":0,"circuit":{"state":"open","probes_in_seconds":30.0},"last_error":{"kind":"timeout","message":"the challenge's deadline passed before the answer came","seconds_ago":0.0}}]}"#
    );
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_does_not_hold_up_the_balances_of_others() {
    use super::handle::Account;
    use crate::http::{Balance, CallbackReceiver, NoCallbacks};

    #[derive(Debug)]
    enum Says {
        Balance,
        No,
        Nothing,
    }

    #[crate::async_trait]
    impl Account for Says {
        async fn balance(&self) -> Option<Result<Balance, crate::SolveError>> {
            sleep(secs(3)).await;
            Some(match self {
                Self::Balance => Ok(Balance::new("1.5".parse().unwrap())),
                Self::No => Err(crate::SolveError::new(ErrorKind::Unauthorized, "who?")),
                Self::Nothing => poll_fn(|_| Poll::Pending).await,
            })
        }

        fn callbacks(&self) -> Result<&CallbackReceiver, NoCallbacks> {
            Err(NoCallbacks::NotInProtocol)
        }
    }

    let (a, b) = (answers("a", 0), answers("b", 0));
    let registry = registry(&a, &b).register("c", |_: Own, _| Ok(answers("c", 0)));
    let registry = registry
        .unwrap()
        .register("d", |_: Own, _| Ok(answers("d", 0)));
    let kinds = ["a", "b", "c", "d"].map(ProviderConfig::new);
    let mut chain = ChainConfig::new(kinds).build(&registry.unwrap()).unwrap();
    let mut providers = chain.providers.to_vec();
    for (provider, says) in providers
        .iter_mut()
        .zip([Says::Nothing, Says::Balance, Says::No])
    {
        provider.account = Some(std::sync::Arc::new(says));
    }
    chain.providers = providers.into();
    let begun = Instant::now();
    let health = chain.full_health().await;
    assert_eq!(begun.elapsed(), secs(10));
    let accounts: Vec<_> = health.providers.iter().map(|one| &one.account).collect();
    assert_eq!(
        serde_json::to_value(&accounts).unwrap(),
        serde_json::json!([
            {"error": {"kind": "timeout", "message": "no answer within 10s"}},
            {"balance": {"available": "1.5"}},
            {"error": {"kind": "unauthorized", "message": "who?"}},
            null,
        ])
    );
    assert!(
        chain
            .health()
            .providers
            .iter()
            .all(|one| one.account.is_none())
    );
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_this_side_is_not_the_last_error() {
    let a = MockSolver::new("a")
        .then(ErrorKind::Unavailable)
        .always(ErrorKind::Overloaded);
    let chain = only_a("").build(&registry(&a, &a)).unwrap();
    for expected in [ErrorKind::Unavailable, ErrorKind::Overloaded] {
        assert_eq!(failure(&chain).await, expected);
    }
    let last = chain.health().providers.remove(0).last_error.unwrap();
    assert_eq!(last.kind, ErrorKind::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn what_is_forgotten_by_the_old_period_does_not_count_for_a_longer_one() {
    let a = answers("a", 0);
    let registry = registry(&a, &a);
    let file = |period: &str| {
        only_a(&format!(
            "price = \"0.001\"\nbudget = {{ per_period = \"1\", period = \"{period}\" }}"
        ))
    };
    let old = file("1h").build(&registry).unwrap();
    old.solve(&fixtures::challenge()).await.unwrap();
    advance(secs(1_800)).await;
    old.solve(&fixtures::challenge()).await.unwrap();
    advance(secs(1_800)).await;
    let new = old.rebuilt(&file("24h"), &registry).unwrap();
    let budget = new.health().providers[0].budget.unwrap();
    assert_eq!(
        (budget.spent, budget.spent_in_period),
        (usd("0.002"), usd("0.001"))
    );
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
