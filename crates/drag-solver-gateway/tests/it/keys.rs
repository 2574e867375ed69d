//! Who may do how much.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use drag_solver::ErrorKind;
use drag_solver::store::{KeyRate, KeyRole, SqliteStore, Store as _};
use drag_solver::testing::{MockSolver, fixtures};
use drag_solver_gateway::GatewayPolicy;
use futures_util::future::join_all;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;

use crate::house::{House, add_key, answer_after, coordinates, store};

async fn house(store: &SqliteStore, mock: &MockSolver) -> House {
    House::with(mock, store.clone(), GatewayPolicy::default()).await
}

fn mock() -> MockSolver {
    MockSolver::new("house").always(fixtures::drag())
}

#[tokio::test(start_paused = true)]
async fn once_there_is_a_key_others_open_nothing() {
    let store = store();
    let key = add_key(&store, "shop", |_| {}).await;
    let house = house(&store, &mock()).await;
    let id = house.create(&key, 590).await;
    assert_eq!(house.poll(&key, id).await["status"], "ready");
    for wrong in ["", "other"] {
        let refused = house.post("/createTask", &coordinates(wrong, 590)).await;
        assert_eq!(
            refused["errorCode"], "ERROR_KEY_DOES_NOT_EXIST",
            "{wrong}: {refused}"
        );
        let polled = house.poll(wrong, id).await;
        assert_eq!(polled["errorId"], 1, "{polled}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_is_taken_as_soon_as_it_is_made_and_for_two_seconds_after_it_is_revoked() {
    let store = store();
    add_key(&store, "first", |_| {}).await;
    let house = house(&store, &mock()).await;
    tokio::time::advance(Duration::from_secs(1)).await;
    let late = add_key(&store, "late", |_| {}).await;
    house.create(&late, 590).await;
    assert!(store.revoke_key("late").await.unwrap());
    tokio::time::advance(Duration::from_secs(2)).await;
    let refused = house.post("/createTask", &coordinates(&late, 590)).await;
    assert_eq!(refused["errorId"], 1, "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_has_expired_opens_nothing() {
    let store = store();
    let key = add_key(&store, "guest", |key| {
        key.expires = Some(store.now() + Duration::from_secs(60));
    });
    let key = key.await;
    let house = house(&store, &mock()).await;
    house.create(&key, 1).await;
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(
        house.post("/createTask", &coordinates(&key, 2)).await["errorId"],
        1
    );
}

#[tokio::test(start_paused = true)]
async fn two_hundred_at_once_with_money_for_fifty_buy_fifty() {
    let store = store();
    let key = add_key(&store, "shop", |key| key.limits.total = "0.05".parse().ok()).await;
    let mock = MockSolver::new("house").always(answer_after(1));
    let house = house(&store, &mock).await;
    let outcomes = join_all((1..=200).map(|width| {
        let (house, key) = (&house, &key);
        async move {
            let created = house.post("/createTask", &coordinates(key, width)).await;
            let Some(id) = created["taskId"].as_u64() else {
                return created["errorCode"].clone();
            };
            loop {
                let result = house.poll(key, id).await;
                match result["status"].as_str() {
                    Some("processing") => {}
                    Some(status) => return json!(status),
                    None => return result["errorCode"].clone(),
                }
            }
        }
    }));
    let outcomes = outcomes.await;
    let count = |what: &str| outcomes.iter().filter(|outcome| *outcome == what).count();
    assert_eq!(
        (count("ready"), count("ERROR_ZERO_BALANCE")),
        (50, 150),
        "{outcomes:?}"
    );
    assert_eq!(mock.purchases(), 50);
    let balance = house.post("/getBalance", &json!({"clientKey": key})).await;
    assert_eq!(balance, json!({"errorId": 0, "balance": 0}));
    let late = house.post("/createTask", &coordinates(&key, 201)).await;
    assert_eq!(
        late["errorCode"], "ERROR_ZERO_BALANCE",
        "and the next is not accepted at all"
    );
}

#[tokio::test(start_paused = true)]
async fn the_balance_is_what_is_left_of_the_nearest_limit() {
    let store = store();
    let key = add_key(&store, "shop", |key| {
        (key.limits.total, key.limits.per_day) = ("9".parse().ok(), "0.005".parse().ok());
    });
    let key = key.await;
    let house = house(&store, &mock()).await;
    let id = house.create(&key, 590).await;
    house.poll(&key, id).await;
    let balance = house.post("/getBalance", &json!({"clientKey": key})).await;
    assert_eq!(balance["balance"], 0.004, "{balance}");
}

#[tokio::test(start_paused = true)]
async fn a_key_makes_jobs_no_faster_and_no_more_at_once_than_it_may() {
    let store = store();
    let fast = KeyRate {
        count: NonZeroU32::new(2).unwrap(),
        per: Duration::from_secs(1),
    };
    let slow = add_key(&store, "slow", |key| key.limits.rate = Some(fast)).await;
    let few = add_key(&store, "few", |key| {
        key.limits.parallel = NonZeroU32::new(1);
    })
    .await;
    let house = house(&store, &MockSolver::new("house").always(answer_after(3))).await;
    let create = async |key: &str, width| {
        house.post("/createTask", &coordinates(key, width)).await["errorId"].clone()
    };
    assert_eq!(
        [
            create(&slow, 1).await,
            create(&slow, 2).await,
            create(&slow, 3).await
        ],
        [0, 0, 2]
    );
    tokio::time::advance(Duration::from_secs(3)).await;
    assert_eq!(
        create(&slow, 3).await,
        0,
        "its rate is kept also when the keys were read again"
    );
    assert_eq!([create(&few, 1).await, create(&few, 2).await], [0, 2]);
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(create(&few, 2).await, 0);
}

#[tokio::test(start_paused = true)]
async fn an_administrators_key_buys_nothing() {
    let store = store();
    let key = add_key(&store, "boss", |key| key.role = KeyRole::Administrator).await;
    let mock = mock();
    let house = house(&store, &mock).await;
    assert_eq!(
        house.post("/createTask", &coordinates(&key, 590)).await["errorId"],
        1
    );
    assert_eq!(mock.call_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn guessing_is_slow_and_a_right_key_is_not_slowed_down() {
    let store = store();
    let key = add_key(&store, "shop", |_| {}).await;
    let house = house(&store, &mock()).await;
    let from = axum::extract::ConnectInfo(std::net::SocketAddr::from(([127, 0, 0, 1], 5)));
    let ask = async |key: &str| {
        let request = axum::http::Request::get(format!("/res.php?key={key}&action=getbalance"));
        house
            .text(
                request
                    .extension(from)
                    .body(axum::body::Body::empty())
                    .unwrap(),
            )
            .await
    };
    let begun = tokio::time::Instant::now();
    for _ in 0..20 {
        ask("guess").await;
    }
    let guessing = begun.elapsed();
    assert!(guessing >= Duration::from_secs(10), "{guessing:?}");
    ask(&key).await;
    assert_eq!(begun.elapsed(), guessing);
}

#[tokio::test(start_paused = true)]
async fn while_any_key_is_taken_pages_of_other_sites_get_nothing() {
    let store = store();
    let mock = mock();
    let house = house(&store, &mock).await;
    let ask = async |origin: &str| {
        let request = axum::http::Request::post("/createTask").header("origin", origin);
        let request = request.header("host", "127.0.0.1:8080");
        let body = coordinates("K", 590).to_string();
        house.text(request.body(body.into()).unwrap()).await.0
    };
    for site in [
        "https://example.com",
        "http://127.0.0.1.example.com",
        "null",
        "http://localhost.evil:80",
    ] {
        assert_eq!(ask(site).await, 403, "{site}");
    }
    // Browsers send no `Origin` with the request of a picture, nor with one to a name that was led here.
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-origin"),
        ("referer", "http://evil/"),
    ] {
        let host = if value == "same-origin" {
            "evil.example"
        } else {
            "localhost"
        };
        let request =
            axum::http::Request::get("/res.php?key=K&action=getbalance").header("host", host);
        let request = request.header(name, value).body(axum::body::Body::empty());
        assert_eq!(house.text(request.unwrap()).await.0, 403, "{name}: {value}");
    }
    assert_eq!(mock.call_count(), 0);
    for own in [
        "http://localhost:8080",
        "http://127.0.0.1",
        "http://[::1]:9",
        "chrome-extension://abc",
    ] {
        assert_eq!(ask(own).await, 200, "{own}");
    }
    add_key(&store, "shop", |_| {}).await;
    tokio::time::advance(Duration::from_secs(3)).await;
    assert_eq!(
        ask("https://example.com").await,
        200,
        "a key is asked for, and a page has none"
    );
}

#[tokio::test(start_paused = true)]
async fn another_key_of_the_same_name_does_not_see_the_jobs_of_the_first() {
    let store = store();
    let first = add_key(&store, "shop", |_| {}).await;
    let house = house(&store, &mock()).await;
    let id = house.create(&first, 590).await;
    house.poll(&first, id).await;
    assert!(store.revoke_key("shop").await.unwrap());
    let second = "another-secret";
    add_key(&store, "shop", |key| {
        key.hash = drag_solver::store::key_hash(second);
    })
    .await;
    tokio::time::advance(Duration::from_secs(3)).await;
    assert_eq!(house.poll(second, id).await["errorId"], 16);
    house.create(second, 590).await;
}

#[tokio::test(start_paused = true)]
async fn jobs_that_an_earlier_process_left_count_among_those_that_may_be_open() {
    let store = store();
    let key = add_key(&store, "few", |key| {
        key.limits.parallel = NonZeroU32::new(1);
    });
    let key = key.await;
    let slow = MockSolver::new("house").always(answer_after(100));
    let policy = GatewayPolicy::default().drain(Duration::ZERO);
    let first = House::with(&slow, store.clone(), policy).await;
    first.create(&key, 1).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    first.gateway.stop();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let next = house(&store, &slow).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let refused = next.post("/createTask", &coordinates(&key, 2)).await;
    assert_eq!(refused["errorId"], 2, "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_not_read_has_no_wrong_key() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _here = metrics::set_default_local_recorder(&recorder);
    let store = store();
    add_key(&store, "shop", |_| {}).await;
    let house = house(&store, &mock()).await;
    let most = GatewayPolicy::default().max_body;
    for (path, body) in [
        ("/createTask", Body::from(vec![b' '; most + 1])),
        ("/in.php", Body::from(vec![b' '; most + 1])),
    ] {
        let (_, text) = house.text(Request::post(path).body(body).unwrap()).await;
        assert!(text.contains("ERROR_TOO_BIG_CAPTCHA_FILESIZE"), "{text}");
    }
    let parts: [std::io::Result<Vec<u8>>; 2] = [
        Ok(b"{\"clientKey\": ".to_vec()),
        Err(std::io::ErrorKind::Other.into()),
    ];
    let broken = Body::from_stream(futures_util::stream::iter(parts));
    let (_, text) = house
        .text(Request::post("/createTask").body(broken).unwrap())
        .await;
    assert!(text.contains("ERROR_BAD_PARAMETERS"), "{text}");
    let text = metrics.render();
    assert!(
        !text.contains("wrong_keys_total") && !text.contains("bad_key"),
        "{text}"
    );
    assert!(text.contains("outcome=\"cut_off\"} 1"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_token_of_the_gateways_own_that_is_refused_is_not_counted_as_a_wrong_key() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _here = metrics::set_default_local_recorder(&recorder);
    let mock = MockSolver::new("house").always(ErrorKind::Unauthorized);
    let house = house(&store(), &mock).await;
    let id = house.create("K", 590).await;
    assert_eq!(
        house.poll("K", id).await["errorCode"],
        "ERROR_KEY_DOES_NOT_EXIST"
    );
    let text = metrics.render();
    assert!(text.contains("outcome=\"provider_account\"} 1"), "{text}");
    assert!(!text.contains("bad_key"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn while_any_key_is_taken_nothing_is_answered_under_names_of_others() {
    let store = store();
    let house = House::built(&mock(), store.clone(), |builder| {
        builder.own_names(|name| name == "2captcha.com")
    })
    .await;
    let ask = async |path: &str, host: &str| {
        let request = Request::get(path).header("host", host);
        house.text(request.body(Body::empty()).unwrap()).await
    };
    for path in ["/healthz", "/metrics", "/admin/health", "/v1/balance"] {
        for host in [
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "1.2.3.4.evil",
            "",
        ] {
            let (status, text) = ask(path, host).await;
            assert_eq!(status, 403, "{path} {host}: {text}");
            assert!(text.contains("make a key first"), "{text}");
        }
    }
    for host in [
        "localhost",
        "LOCALHOST:8080",
        "app.localhost",
        "127.0.0.1:8080",
        "[::1]:8080",
        "192.168.0.7",
        "2captcha.com:443",
    ] {
        assert_eq!(ask("/healthz", host).await.0, 200, "{host}");
    }
    // HTTP/2 says it in the target.
    let request = Request::get("http://evil.example/healthz").body(Body::empty());
    assert_eq!(house.text(request.unwrap()).await.0, 403);
    add_key(&store, "shop", |_| {}).await;
    tokio::time::advance(Duration::from_secs(3)).await;
    assert_eq!(ask("/healthz", "gateway.internal").await.0, 200);
}
