//! What providers did is on record, and the next chain begins with it.

use super::*;

fn ordered(chain: &str, settings: &str) -> ChainConfig {
    let order = format!("order = {{ min_samples = 3, explore = 0{settings} }}");
    let price = "price = \"0.001\"";
    parse(&format!(
        "strategy = {{ kind = \"fallback\", {order} }}\n{chain}\n\
         [[providers]]\nkind = \"down\"\n{price}\n[[providers]]\nkind = \"mock\"\n{price}\n"
    ))
    .unwrap()
}

/// A registry of one that is down, and of one that answers.
fn down_and_up(down: &MockSolver, up: &MockSolver) -> Registry {
    let down = down.clone();
    let registry = registry(up).register("down", move |_: NoSettings, _| Ok(down.clone()));
    registry.unwrap()
}

fn down() -> MockSolver {
    MockSolver::new("down").always(ErrorKind::Unavailable)
}

#[tokio::test]
async fn each_call_of_each_provider_is_on_record() {
    let (folder, down, up) = (tempfile::tempdir().unwrap(), down(), mock());
    let registry = down_and_up(&down, &up);
    let context = registry.context().clone().with_base_dir(folder.path());
    let registry = registry.with_context(context);
    let config = ordered("[store]\npath = \"drags.db\"", "");
    for call in 1..=5 {
        let chain = config.build(&registry).unwrap();
        assert!(chain.to_string().starts_with("fallback["), "{chain}");
        let id = format!("call {call}");
        let challenge = fixtures::challenge().with_id(id);
        chain.solve(&challenge).await.unwrap();
        chain.store().unwrap().flush().await.unwrap();
    }
    let store = SqliteStore::open(folder.path().join("drags.db")).unwrap();
    let calls = async |name| store.calls(name, Timestamp::MIN, 100).await.unwrap();
    let of_down = calls("down/down").await;
    // Whether the last two calls knew that it is down is a race that no call waits for.
    assert!(of_down.len() >= 3, "{of_down:?}");
    assert_eq!(down.call_count(), of_down.len());
    assert!(of_down.iter().all(|call| !call.good), "{of_down:?}");
    let of_up = calls("mock/mock").await;
    assert_eq!(of_up.len(), 5);
    let good = |call: &store::CallRecord| call.good && call.spent == "0.001".parse().ok();
    assert!(of_up.iter().all(good), "{of_up:?}");
}

#[tokio::test(start_paused = true)]
async fn what_was_seen_is_known_before_the_first_call_and_forgotten_by_the_clock_on_the_wall() {
    let (down, up) = (down(), mock());
    let registry = down_and_up(&down, &up);
    let start: Timestamp = "2026-11-26T20:00:00Z".parse().unwrap();
    let store = SqliteStore::in_memory(Clock::tokio(start)).unwrap();
    let build = |config: &ChainConfig| {
        let parts = ChainParts::default().store(&store);
        config.build_with(&registry, parts).unwrap()
    };
    let config = ordered("", "");
    let chain = build(&config);
    for _ in 0..3 {
        chain.solve(&fixtures::challenge()).await.unwrap();
        tokio::time::advance(std::time::Duration::from_secs(60)).await;
    }
    assert_eq!(down.call_count(), 3);
    let restarted = build(&config);
    restarted.solve(&fixtures::challenge()).await.unwrap();
    assert_eq!(down.call_count(), 3, "it is known to be down");
    let records = |chain: &Chain| {
        let parts = chain.parts();
        let record = parts.providers["down"].track_record.clone().unwrap();
        let calls = record.calls().into_iter();
        calls.map(|call| (call.key, call.age)).collect::<Vec<_>>()
    };
    assert_eq!(records(&restarted), records(&chain));
    // One whose settings are others begins anew; one that is built again does not read twice.
    let again = restarted.rebuilt(&config, &registry).unwrap();
    again.solve(&fixtures::challenge()).await.unwrap();
    assert_eq!((records(&again).len(), down.call_count()), (3, 3));

    tokio::time::advance(std::time::Duration::from_secs(7 * 60 + 1)).await;
    let later = build(&config);
    later.solve(&fixtures::challenge()).await.unwrap();
    assert_eq!(down.call_count(), 4, "two calls are too few");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_answer_is_on_record_as_one_and_another_process_knows() {
    let (a, b) = (mock(), MockSolver::new("down").always(fixtures::drag()));
    let registry = down_and_up(&b, &a); // it is up, and wrong
    let store = SqliteStore::in_memory(Clock::system()).unwrap();
    let build = || {
        let parts = ChainParts::default().store(&store);
        ordered("", "").build_with(&registry, parts).unwrap()
    };
    let chain = build();
    for _ in 0..3 {
        let solution = chain.solve(&fixtures::challenge()).await.unwrap();
        assert_eq!(solution.solver(), "down");
        let _ = chain.report(&solution, crate::Verdict::Incorrect).await;
    }
    for _ in 0..3 {
        b.push(ErrorKind::Unsolvable);
        chain.solve(&fixtures::challenge()).await.unwrap();
    }
    let solution = build().solve(&fixtures::challenge()).await.unwrap();
    assert_eq!(solution.solver(), "mock");
}

#[derive(Debug)]
struct Amnesic {
    inner: SqliteStore,
    /// Whether it says that it fails, or nothing at all.
    answers: bool,
}

#[crate::async_trait]
impl Store for Amnesic {
    async fn calls(
        &self,
        _: &str,
        _: Timestamp,
        _: u32,
    ) -> Result<Vec<store::CallRecord>, StoreError> {
        if self.answers {
            let full = "the disk is full";
            return Err(StoreError::new(StoreErrorKind::Unavailable, full));
        }
        std::future::pending().await
    }
    fn record(
        &self,
        fact: store::Fact,
    ) -> futures_util::future::BoxFuture<'static, Result<(), StoreError>> {
        if matches!(fact, store::Fact::Called(_)) {
            return Box::pin(std::future::pending());
        }
        self.inner.record(fact)
    }
    store::forward_store!(inner except record, calls);
}

#[tokio::test(start_paused = true)]
async fn no_call_waits_for_figures_or_fails_because_of_them() {
    for answers in [true, false] {
        let (down, up) = (down(), mock());
        let inner = SqliteStore::in_memory(Clock::system()).unwrap();
        let store = StoreHandle::new(Amnesic { inner, answers });
        let parts = ChainParts::default().store(&store);
        let registry = down_and_up(&down, &up);
        let chain = ordered("", "").build_with(&registry, parts).unwrap();
        let begun = tokio::time::Instant::now();
        for _ in 0..5 {
            chain.solve(&fixtures::challenge()).await.unwrap();
        }
        assert_eq!(begun.elapsed(), std::time::Duration::ZERO);
        assert_eq!(down.call_count(), 3, "the order works from memory");
    }
}

#[tokio::test(start_paused = true)]
async fn a_chain_whose_store_is_gone_notes_nothing_and_one_of_other_settings_reads_nothing() {
    #[derive(Deserialize)]
    struct Setting {
        #[allow(dead_code)] // to be another one
        token: Option<String>,
    }
    let (down, up, folder) = (down(), mock(), tempfile::tempdir().unwrap());
    let of_registry = down.clone();
    let registry = registry(&up).register("down", move |_: Setting, _| Ok(of_registry.clone()));
    let registry = registry.unwrap();
    let context = registry.context().clone().with_base_dir(folder.path());
    let registry = &registry.with_context(context);
    let kept = "[store]\npath = \"drags.db\"";
    let file = |chain, token: &str| {
        let mut config = ordered(chain, "");
        config.providers[0] = config.providers[0].clone().with("token", token);
        config
    };
    let chain = file(kept, "wrong").build(registry).unwrap();
    for id in ["one", "two", "three"] {
        let challenge = fixtures::challenge().with_id(id);
        chain.solve(&challenge).await.unwrap();
    }
    let store = SqliteStore::open(folder.path().join("drags.db")).unwrap();
    let on_record = async || {
        chain.store().unwrap().flush().await.unwrap();
        let calls = store.calls("down/down", Timestamp::MIN, 100);
        calls.await.unwrap().len()
    };
    assert_eq!(on_record().await, 3);

    let right = chain.rebuilt(&file(kept, "right"), registry).unwrap();
    right
        .solve(&fixtures::challenge().with_id("four"))
        .await
        .unwrap();
    assert_eq!((down.call_count(), on_record().await), (4, 4));

    let without = right.rebuilt(&file("", "right"), registry).unwrap();
    without.solve(&fixtures::challenge()).await.unwrap();
    assert_eq!((down.call_count(), on_record().await), (5, 4));
}

#[cfg(feature = "contract")]
#[tokio::test(start_paused = true)]
async fn a_chain_that_reads_what_its_providers_did_keeps_the_contract() {
    use crate::testing::contract;

    let start: Timestamp = "2026-11-26T20:00:00Z".parse().unwrap();
    let store = SqliteStore::in_memory(Clock::tokio(start)).unwrap();
    let answer = Outcome::answer(fixtures::drag());
    let answer = answer.after(std::time::Duration::from_secs(3));
    let solver = super::super::calls::Remembering {
        inner: std::sync::Arc::new(MockSolver::new("mock").always(answer)),
        store: StoreHandle::from(&store),
        window: std::time::Duration::from_secs(600),
        records: vec![("mock/mock".to_owned(), crate::TrackRecord::default())],
        has_read: tokio::sync::OnceCell::new(),
    };
    let subject = contract::SolverUnderTest::new(&solver, fixtures::challenge())
        .expecting(fixtures::drag(), 1.0)
        .on_paused_clock()
        .without(
            contract::Check::ErrorsAreSensible,
            "it solves every picture",
        );
    let report = contract::run(&subject).await;
    assert!(report.passed(), "{report}");
}
