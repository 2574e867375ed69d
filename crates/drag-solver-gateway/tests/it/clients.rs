//! Each protocol from the first request to the last, in the words of published clients.

use axum::body::Body;
use axum::http::Request;
use drag_solver::testing::{MockSolver, fixtures};
use drag_solver::{ErrorKind, Verdict};
use serde_json::json;

use crate::house::{House, answer_after, coordinates, picture};

/// A number of pixels as it is sent: a whole one.
fn whole(pixels: f64) -> serde_json::Value {
    serde_json::from_str(&format!("{pixels:.0}")).unwrap()
}

fn mock() -> MockSolver {
    MockSolver::new("house").always(fixtures::drag())
}

#[tokio::test(start_paused = true)]
async fn coordinates_task() {
    let house = House::new(&mock()).await;
    let created = house.post("/createTask", &coordinates("K", 590)).await;
    assert_eq!(created["errorId"], 0);
    assert_eq!(created.as_object().unwrap().len(), 2, "{created}");
    let id = created["taskId"].as_u64().unwrap();
    assert!((1..1 << 53).contains(&id));
    let result = house.poll("K", id).await;
    let (start, end) = (fixtures::drag().start, fixtures::drag().end);
    assert_eq!(result["status"], "ready", "{result}");
    let expected =
        json!([{"x": whole(start.x), "y": whole(start.y)}, {"x": whole(end.x), "y": whole(end.y)}]);
    assert_eq!(result["solution"]["coordinates"], expected);
    assert_eq!(result["cost"], "0.001");
    let created = result["createTime"].as_i64().unwrap();
    assert!(created >= 1_800_000_000, "{result}");
    assert_eq!(house.poll("K", id).await, result, "it can be read again");
}

#[tokio::test(start_paused = true)]
async fn image_to_coordinates_task_is_answered_in_its_own_shape_at_the_root() {
    let house = House::new(&mock()).await;
    let task = json!({"type": "ImageToCoordinatesTask", "body": picture(590), "mode": "points", "comment": false});
    let created = house
        .post(
            "//createTask",
            &json!({"clientKey": "K", "task": task, "softId": "0"}),
        )
        .await;
    let result = house
        .post(
            "/getTaskResult",
            &json!({"clientKey": "K", "taskId": created["taskId"]}),
        )
        .await;
    let (start, end) = (fixtures::drag().start, fixtures::drag().end);
    let expected = json!([
        [whole(start.x), whole(start.y)],
        [whole(end.x), whole(end.y)]
    ]);
    assert_eq!(result["solution"]["coordinates"], expected, "{result}");
    let report = json!({"clientKey": "K", "taskId": created["taskId"]});
    let reported = house.post("/reportIncorrectImageCaptcha", &report).await;
    assert_eq!(reported, json!({"errorId": 0, "status": "success"}));
}

#[tokio::test(start_paused = true)]
async fn in_php_in_text_and_in_json() {
    let house = House::new(&mock()).await;
    let form = format!(
        "key=K&method=base64&coordinatescaptcha=1&textinstructions=drag&body={}",
        picture(590).replace('+', "%2B").replace('/', "%2F")
    );
    let request =
        Request::post("/in.php").header("content-type", "application/x-www-form-urlencoded");
    let (_, created) = house.text(request.body(form.into()).unwrap()).await;
    let id = created
        .strip_prefix("OK|")
        .unwrap_or_else(|| panic!("{created}"));
    let (start, end) = (fixtures::drag().start, fixtures::drag().end);
    let expected = format!(
        "OK|coordinates:x={},y={};x={},y={}",
        start.x, start.y, end.x, end.y
    );
    assert_eq!(
        house
            .get(&format!("/res.php?key=K&action=get&id={id}"))
            .await,
        expected
    );
    let json = house
        .get(&format!("/res.php?key=K&action=get&id={id}&json=1"))
        .await;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["request"][0]["x"], start.x.to_string(), "{json}");
    let report = format!("/res.php?key=K&action=reportgood&id={id}");
    assert_eq!(house.get(&report).await, "OK_REPORT_RECORDED");
    assert_eq!(
        house.get("/res.php?key=K&action=getbalance").await,
        "1000000"
    );
}

#[tokio::test(start_paused = true)]
async fn omocaptcha_in_both_versions() {
    let house = House::new(&mock()).await;
    let data = json!({"type_job_id": "24", "image_base64": picture(590)});
    let created = house
        .post("/api/createJob", &json!({"api_token": "K", "data": data}))
        .await;
    assert_eq!(created["error"], false, "{created}");
    let asked = json!({"api_token": "K", "job_id": created["job_id"]});
    let result = house.post("/api/getJobResult", &asked).await;
    let (start, end) = (fixtures::drag().start, fixtures::drag().end);
    let expected = format!("{}|{}|{}|{}", start.x, start.y, end.x, end.y);
    assert_eq!(
        (&result["status"], &result["result"]),
        (&json!("success"), &json!(expected))
    );

    let task = json!({"type": "TiktokSliderPhoneTask", "imageBase64": picture(590)});
    let created = house
        .post("/v2/createTask", &json!({"clientKey": "K", "task": task}))
        .await;
    let id = created["taskId"]
        .as_str()
        .unwrap_or_else(|| panic!("{created}"));
    assert_eq!(id.len(), 36);
    let result = house
        .post(
            "/v2/getTaskResult",
            &json!({"clientKey": "K", "taskId": id}),
        )
        .await;
    assert_eq!(
        result["solution"]["start"],
        json!({"x": whole(start.x), "y": whole(start.y)}),
        "{result}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_no_provider_solves_is_unsolvable_in_each_protocol() {
    let house = House::new(&MockSolver::new("house").always(ErrorKind::Unsolvable)).await;
    let id = house.create("K", 590).await;
    let result = house.poll("K", id).await;
    assert_eq!(result["errorCode"], "ERROR_CAPTCHA_UNSOLVABLE");
    assert!(result["errorDescription"].is_string(), "{result}");
    let plain = house
        .get(&format!("/res.php?key=K&action=get&id={id}"))
        .await;
    assert_eq!(plain, "ERROR_CAPTCHA_UNSOLVABLE");
}

#[tokio::test(start_paused = true)]
async fn the_provider_hears_the_first_report_and_no_other() {
    let mock = mock();
    let house = House::new(&mock).await;
    let id = house.create("K", 590).await;
    house.poll("K", id).await;
    for _ in 0..3 {
        let reported = house
            .post("/reportIncorrect", &json!({"clientKey": "K", "taskId": id}))
            .await;
        assert_eq!(reported["status"], "success", "{reported}");
    }
    tokio::task::yield_now().await;
    let reports = mock.reports();
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].verdict, Verdict::Incorrect);
    let unknown = house
        .post("/reportIncorrect", &json!({"clientKey": "K", "taskId": 7}))
        .await;
    assert_eq!(unknown["errorId"], 16, "{unknown}");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_picture_buys_nothing() {
    let mock = mock();
    let house = House::new(&mock).await;
    let mut body = coordinates("K", 590);
    body["task"]["body"] = "aGVsbG8gd29ybGQ=".into();
    let refused = house.post("/createTask", &body).await;
    assert_eq!(
        refused["errorCode"], "ERROR_IMAGE_TYPE_NOT_SUPPORTED",
        "{refused}"
    );
    body["task"]["type"] = "RecaptchaV2Task".into();
    assert_eq!(house.post("/createTask", &body).await["errorId"], 23);
    let callback = json!({"callbackUrl": "https://example.com/", "clientKey": "K", "task": coordinates("K", 590)["task"]});
    let refused = house.post("/createTask", &callback).await;
    assert_ne!(
        refused["errorId"], 0,
        "nobody would ever send the answer there: {refused}"
    );
    assert_eq!(mock.call_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_too_large_is_refused_in_the_clients_words() {
    let house = House::new(&mock()).await;
    let most = drag_solver_gateway::GatewayPolicy::default().max_body;
    let request = Request::post("/createTask")
        .body(Body::from(vec![b' '; most + 1]))
        .unwrap();
    let (status, text) = house.text(request).await;
    assert_eq!(status, 200);
    assert!(text.contains("ERROR_TOO_BIG_CAPTCHA_FILESIZE"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn paths_that_are_not_there_are_told_in_json() {
    let house = House::new(&mock()).await;
    let (_, text) = house
        .text(Request::get("/nothing").body(Body::empty()).unwrap())
        .await;
    assert!(text.contains("ERROR_NO_SUCH_METHOD"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn several_ids_are_answered_at_once() {
    let mock = MockSolver::new("house")
        .then(answer_after(0))
        .always(answer_after(60));
    let house = House::new(&mock).await;
    let first = house.create("K", 590).await;
    house.poll("K", first).await;
    let second = house.create("K", 591).await;
    let text = house
        .get(&format!("/res.php?key=K&action=get&ids={first},{second}"))
        .await;
    assert!(
        text.starts_with("coordinates:") && text.ends_with("|CAPCHA_NOT_READY"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_prefix_of_an_answer_can_be_that_of_the_documents() {
    let policy = drag_solver_gateway::GatewayPolicy::default().singular_prefix(true);
    let house = House::with(&mock(), crate::house::store(), policy).await;
    let id = house.create("K", 590).await;
    let text = house
        .get(&format!("/res.php?key=K&action=get&id={id}"))
        .await;
    assert!(text.starts_with("OK|coordinate:x="), "{text}");
}
