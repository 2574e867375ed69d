//! What the health of a chain tells stays, too.

use super::*;

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
        r#"{"name":"a","providers":[{"name":"a","kind":"a","in_flight":0,"circuit":{"state":"open","probes_in_seconds":30.0},"last_error":{"kind":"timeout","message":"no answer within 5s","seconds_ago":0.0}}]}"#
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
