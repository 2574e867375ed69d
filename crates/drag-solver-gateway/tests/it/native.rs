//! The gateway's own API.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use drag_solver::testing::{MockSolver, fixtures};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::house::{House, add_key, answer_after, picture, store};

fn upload(target: &str) -> Request<Body> {
    let picture = fixtures::screenshot().bytes().clone();
    Request::post(target)
        .header("content-type", "image/gif")
        .body(picture.into())
        .unwrap()
}

async fn ask(house: &House, request: Request<Body>) -> (u16, Value) {
    let (status, text) = house.text(request).await;
    (
        status,
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status} {text}")),
    )
}

#[tokio::test(start_paused = true)]
async fn one_call_solves_and_waits() {
    let house = House::new(&MockSolver::new("house").always(answer_after(30))).await;
    let (status, answer) = ask(&house, upload("/v1/drags")).await;
    assert_eq!(status, 200);
    assert_eq!(answer["status"], "solved", "{answer}");
    assert_eq!(answer["drag"], json!(fixtures::drag()));
    assert_eq!(
        (&answer["solver"], &answer["spent_usd"]),
        (&json!("house"), &json!("0.001"))
    );
}

#[tokio::test(start_paused = true)]
async fn what_takes_longer_is_asked_for_later() {
    let house = House::new(&MockSolver::new("house").always(answer_after(30))).await;
    let begun = Instant::now();
    let (status, open) = ask(&house, upload("/v1/drags?wait=2")).await;
    assert_eq!((status, &open["status"]), (202, &json!("open")), "{open}");
    assert_eq!(begun.elapsed().as_secs(), 2);
    let target = format!("/v1/drags/{}", open["id"].as_str().unwrap());
    let get = |target: &str| Request::get(target).body(Body::empty()).unwrap();
    assert_eq!(ask(&house, get(&target)).await.0, 202);
    let (status, answer) = ask(&house, get(&format!("{target}?wait=60"))).await;
    assert_eq!((status, &answer["status"]), (200, &json!("solved")));
    assert_eq!(begun.elapsed().as_secs(), 30);

    let report = |verdict: &str| {
        let body = json!({"verdict": verdict}).to_string();
        Request::post(format!("{target}/report"))
            .body(Body::from(body))
            .unwrap()
    };
    assert_eq!(
        ask(&house, report("correct")).await,
        (200, json!({"status": "recorded"}))
    );
    let again = json!({"status": "known", "verdict": "correct"});
    assert_eq!(ask(&house, report("incorrect")).await, (200, again));
    assert_eq!(ask(&house, report("perhaps")).await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn a_job_can_be_json_and_say_more() {
    let mock = MockSolver::new("house").always(fixtures::drag());
    let house = House::new(&mock).await;
    let region = json!({"x": 0.0, "y": 100.0, "width": 590.0, "height": 900.0});
    let body =
        json!({"image": picture(590), "instruction": "drag it", "region": region, "deadline": 20});
    let request = Request::post("/v1/drags").header("content-type", "application/json");
    let (status, answer) = ask(&house, request.body(body.to_string().into()).unwrap()).await;
    assert_eq!(status, 200, "{answer}");
    let asked = &mock.calls()[0].challenge;
    assert_eq!(asked.instruction(), Some("drag it"));
    assert_eq!(
        asked.region().map(|region| region.y),
        Some(100.0),
        "the answer is sought there alone"
    );
    assert!(asked.remaining().unwrap() <= Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn the_same_idempotency_key_is_the_same_job_at_any_time() {
    let mock = MockSolver::new("house").always(fixtures::drag());
    let house = House::new(&mock).await;
    let ask_for = |width| {
        let picture = fixtures::screenshot_sized(width, 1280).bytes().clone();
        let request = Request::post("/v1/drags").header("idempotency-key", "order-7");
        request
            .header("content-type", "image/gif")
            .body(Body::from(picture))
            .unwrap()
    };
    let (_, first) = ask(&house, ask_for(590)).await;
    tokio::time::advance(Duration::from_secs(3600)).await;
    assert_eq!(ask(&house, ask_for(590)).await.1, first);
    let (status, refused) = ask(&house, ask_for(591)).await;
    assert_eq!(
        (status, &refused["error"]["kind"]),
        (409, &json!("other_request"))
    );
    assert_eq!(mock.purchases(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_is_told_by_status_and_in_words() {
    let store = store();
    let key = add_key(&store, "shop", |key| key.limits.total = "0".parse().ok()).await;
    let mock = MockSolver::new("house").always(fixtures::drag());
    let house = House::with(&mock, store, drag_solver_gateway::GatewayPolicy::default()).await;
    let with_key = |mut request: Request<Body>| {
        let bearer = format!("bearer {key}").parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        request
    };
    let json = |body: &str| {
        let request = Request::post("/v1/drags").header("content-type", "application/json");
        request.body(Body::from(body.to_owned())).unwrap()
    };
    for (request, status, kind) in [
        (upload("/v1/drags"), 401, "unauthorized"),
        (with_key(upload("/v1/drags")), 402, "budget_exhausted"),
        (with_key(upload("/v1/drags?wait=301")), 400, "bad_request"),
        (with_key(upload("/v1/drags?wiat=3")), 400, "bad_request"),
        (with_key(upload("/v1/drags?region=1,2")), 400, "bad_request"),
        (
            with_key(upload("/v1/drags?region=0,0,9000,9")),
            422,
            "invalid_challenge",
        ),
        (with_key(json("{}")), 400, "bad_request"),
        (
            with_key(json(r#"{"image": "!"}"#)),
            422,
            "invalid_challenge",
        ),
        (
            with_key(json(r#"{"image": "AAAA"}"#)),
            422,
            "invalid_challenge",
        ),
        (
            with_key(Request::get("/v1/drags/7").body(Body::empty()).unwrap()),
            404,
            "unknown_id",
        ),
        (
            with_key(
                Request::get("/v1/drags/%2e%2e")
                    .body(Body::empty())
                    .unwrap(),
            ),
            404,
            "unknown_id",
        ),
    ] {
        let target = request.uri().to_string();
        let (got, body) = ask(&house, request).await;
        assert_eq!(
            (got, &body["error"]["kind"]),
            (status, &json!(kind)),
            "{target}: {body}"
        );
        assert!(
            body["error"]["message"]
                .as_str()
                .is_some_and(|text| text.len() > 5),
            "{body}"
        );
    }
    assert_eq!(mock.call_count(), 0);
    let balance = Request::get("/v1/balance").body(Body::empty()).unwrap();
    assert_eq!(
        ask(&house, with_key(balance)).await.1,
        json!({"left_usd": "0", "limited": true})
    );
}

#[tokio::test(start_paused = true)]
async fn an_idempotency_key_is_for_one_request_alone() {
    let mock = MockSolver::new("house").always(fixtures::drag());
    let house = House::new(&mock).await;
    let ask_for = |instruction: &str| {
        let mut request = upload(&format!("/v1/drags?instruction={instruction}"));
        let key = "order-8".parse().unwrap();
        request.headers_mut().insert("idempotency-key", key);
        request
    };
    assert_eq!(ask(&house, ask_for("left")).await.0, 200);
    assert_eq!(ask(&house, ask_for("left")).await.0, 200);
    assert_eq!(ask(&house, ask_for("right")).await.0, 409);
    assert_eq!(mock.purchases(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_form_is_told_what_to_send_in_its_place() {
    let house = House::new(&MockSolver::new("house")).await;
    let form = Request::post("/v1/drags")
        .header("content-type", "multipart/form-data; boundary=x")
        .body(Body::from(
            "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n..\r\n--x--\r\n",
        ));
    let (status, refused) = ask(&house, form.unwrap()).await;
    assert_eq!(status, 422, "{refused}");
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("--data-binary @FILE"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_nul_in_the_instruction_is_refused_before_anything_is_on_record() {
    let mock = MockSolver::new("house").always(fixtures::drag());
    let house = House::new(&mock).await;
    let (status, refused) = ask(&house, upload("/v1/drags?instruction=to%00there")).await;
    assert_eq!(status, 400, "{refused}");
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("no NUL"), "{refused}");
    let form = format!(
        "key=K&method=base64&coordinatescaptcha=1&textinstructions=a%00b&body={}",
        picture(590).replace('+', "%2B").replace('/', "%2F")
    );
    let request =
        Request::post("/in.php").header("content-type", "application/x-www-form-urlencoded");
    let (_, refused) = house.text(request.body(form.into()).unwrap()).await;
    assert_eq!(refused, "ERROR_BAD_PARAMETERS");
    assert_eq!(mock.call_count(), 0);
}
