//! What the page's calls answer, to whom.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, Response, StatusCode};
use drag_solver_core::{DragSolver as _, ErrorKind};
use drag_solver_mock::fixtures;
use futures_util::StreamExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use crate::{DeskPolicy, Operators, OperatorsPolicy, WhenAbsent};

const KEY: &str = "anna-key-1234";

fn server() -> (Router, Desk) {
    let desk = Desk::new(DeskPolicy::default());
    let keys = |key: SecretString, _| async move {
        let key = key.expose_secret();
        key.strip_suffix("-key-1234").map(str::to_owned)
    };
    let practice = Practice::new(|number| {
        (number < 10).then(|| PracticePicture {
            challenge: fixtures::challenge().with_instruction("to the hole"),
            drag: fixtures::drag(),
        })
    });
    (router(&desk, Arc::new(keys), practice), desk)
}

struct Page {
    app: Router,
    session: String,
    events: Events,
}

/// The events of a stream, one after the other.
struct Events {
    body: axum::body::BodyDataStream,
    text: String,
}

impl Events {
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    let mut lines = event.lines();
                    lines.find_map(|line| {
                        line.strip_prefix(name)?
                            .strip_prefix(": ")
                            .map(str::to_owned)
                    })
                };
                if let Some(name) = field("event") {
                    let data = field("data").unwrap();
                    return Some((name, serde_json::from_str(&data).unwrap()));
                }
                continue;
            }
            let bytes = self.body.next().await?.unwrap();
            self.text += std::str::from_utf8(&bytes).unwrap();
        }
    }

    /// The next one of this name; figures in between are of no interest.
    async fn named(&mut self, wanted: &str) -> Value {
        loop {
            let (name, data) = self.next().await.unwrap();
            if name == wanted {
                return data;
            }
            assert_eq!(name, "state", "{data}");
        }
    }
}

async fn send(app: &Router, request: Request<Body>) -> Response<Body> {
    app.clone().oneshot(request).await.unwrap()
}

fn request(method: Method, path: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "desk.example:8080")
        .header("authorization", format!("Bearer {KEY}"))
}

async fn json_of(response: Response<Body>) -> Value {
    let bytes = to_bytes(response.into_body(), 100_000).await.unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

impl Page {
    async fn open(app: &Router) -> Self {
        let asked = request(Method::GET, "/operator/events").body(Body::empty());
        let response = send(app, asked.unwrap()).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let body = response.into_body().into_data_stream();
        let mut events = Events {
            body,
            text: String::new(),
        };
        let hello = events.named("hello").await;
        assert_eq!(hello["operator"], "anna");
        assert_eq!(hello["alive_ms"], 5_000);
        Self {
            app: app.clone(),
            session: hello["session"].as_str().unwrap().to_owned(),
            events,
        }
    }

    async fn post(&self, path: &str, body: &str) -> Response<Body> {
        let request = request(Method::POST, path).header("operator-session", &self.session);
        send(&self.app, request.body(body.to_owned().into()).unwrap()).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_challenge_is_shown_answered_undone_and_answered_again() {
    let (app, desk) = server();
    let mut page = Page::open(&app).await;
    let people = Operators::new(&desk, OperatorsPolicy::default());
    let challenge = fixtures::challenge().with_instruction("<b>to the hole</b>");
    let call = tokio::spawn(async move { people.solve(&challenge).await });
    let shown = page.events.named("challenge").await;
    assert_eq!(shown["instruction"], "<b>to the hole</b>");
    assert_eq!(
        (&shown["width"], &shown["height"]),
        (&json!(591), &json!(1149))
    );
    assert_eq!(shown["left_ms"], 120_000);
    assert_eq!(shown["media_type"], "image/gif");
    let id = shown["id"].as_str().unwrap();

    let path = format!("/operator/challenges/{id}");
    let picture = request(Method::GET, &format!("{path}/picture"))
        .header("operator-session", &page.session)
        .body(Body::empty());
    let picture = send(&app, picture.unwrap()).await;
    assert_eq!(picture.headers()["content-type"], "image/gif");
    assert_eq!(picture.headers()["x-content-type-options"], "nosniff");
    assert_eq!(picture.headers()["cache-control"], "no-store");
    let bytes = to_bytes(picture.into_body(), 100_000).await.unwrap();
    assert_eq!(bytes, fixtures::screenshot().bytes());

    let answer = r#"{"start": {"x": 83, "y": 560}, "end": {"x": 320.5, "y": 560}}"#;
    let answered = page.post(&format!("{path}/answer"), answer).await;
    assert_eq!(json_of(answered).await, json!({"undo_ms": 3_000}));
    let undone = page.post(&format!("{path}/undo"), "{}").await;
    assert_eq!(undone.status(), StatusCode::OK);
    let again = page.events.named("challenge").await;
    assert_eq!(
        (&again["id"], &again["again"]),
        (&shown["id"], &json!(true))
    );
    page.post(&format!("{path}/answer"), answer).await;
    let solution = call.await.unwrap().unwrap();
    assert_eq!(solution.drag().to_string(), "83,560 -> 320.5,560");
    let late = page.post(&format!("{path}/undo"), "{}").await;
    assert_eq!(late.status(), StatusCode::CONFLICT);
    assert_eq!(json_of(late).await["error"]["kind"], "too_late");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_drag_on_the_picture_is_refused_and_may_be_corrected() {
    let (app, desk) = server();
    let mut page = Page::open(&app).await;
    let people = Operators::new(&desk, OperatorsPolicy::default());
    let call = tokio::spawn(async move { people.solve(&fixtures::challenge()).await });
    let shown = page.events.named("challenge").await;
    let path = format!("/operator/challenges/{}", shown["id"].as_str().unwrap());
    for wrong in [
        "",
        "{}",
        r#"{"start": {"x": 1, "y": 2}, "end": {"x": 1e999, "y": 2}}"#,
        r#"{"start": {"x": 1, "y": 2}, "end": {"x": 592, "y": 2}}"#,
        r#"{"start": {"x": -1, "y": 2}, "end": {"x": 5, "y": 2}}"#,
        r#"{"start": {"x": 5, "y": 2}, "end": {"x": 5, "y": 2}}"#,
    ] {
        let refused = page.post(&format!("{path}/answer"), wrong).await;
        assert_eq!(
            refused.status(),
            StatusCode::UNPROCESSABLE_ENTITY,
            "{wrong}"
        );
        assert_eq!(json_of(refused).await["error"]["kind"], "invalid");
    }
    let long = format!(r#"{{"start": "{}"}}"#, "x".repeat(MAX_BODY));
    let refused = page.post(&format!("{path}/answer"), &long).await;
    assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
    page.post(&format!("{path}/skip"), "{}").await;
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsolvable);
}

#[tokio::test(start_paused = true)]
async fn without_a_key_there_is_the_page_and_nothing_else() {
    let (app, _) = server();
    let page = Request::get("/operator").body(Body::empty()).unwrap();
    let page = send(&app, page).await;
    assert_eq!(page.status(), StatusCode::OK);
    assert_eq!(
        page.headers()["content-security-policy"],
        CONTENT_SECURITY_POLICY
    );
    for (method, path) in [
        (Method::GET, "/operator/events"),
        (Method::GET, "/operator/challenges/a/picture"),
        (Method::POST, "/operator/challenges/a/answer"),
        (Method::POST, "/operator/challenges/a/skip"),
        (Method::POST, "/operator/challenges/a/undo"),
        (Method::POST, "/operator/alive"),
        (Method::POST, "/operator/leave"),
        (Method::GET, "/operator/practice/1"),
        (Method::GET, "/operator/practice/1/picture"),
    ] {
        let mut asked = request(method, path).body(Body::empty()).unwrap();
        asked
            .headers_mut()
            .insert("authorization", "Bearer wrong".parse().unwrap());
        let refused = send(&app, asked).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    let seatless = request(Method::POST, "/operator/alive").body(Body::empty());
    let seatless = send(&app, seatless.unwrap()).await;
    assert_eq!(seatless.status(), StatusCode::NOT_FOUND);
    assert_eq!(json_of(seatless).await["error"]["kind"], "gone");
}

#[tokio::test(start_paused = true)]
async fn pages_of_other_sites_get_nothing() {
    let (app, _) = server();
    let link = Request::get("/operator").header("sec-fetch-site", "cross-site");
    let page = send(&app, link.body(Body::empty()).unwrap()).await;
    assert_eq!(page.status(), StatusCode::OK, "anybody may follow a link");
    // A proxy that changes the host is between the page and us.
    let proxied = request(Method::GET, "/operator/practice/1")
        .header("sec-fetch-site", "same-origin")
        .header("origin", "https://people.example");
    let answered = send(&app, proxied.body(Body::empty()).unwrap()).await;
    assert_eq!(answered.status(), StatusCode::OK);
    let others = [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ];
    for (name, value) in others {
        let asked = request(Method::GET, "/operator/practice/1").header(name, value);
        let refused = send(&app, asked.body(Body::empty()).unwrap()).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{name}: {value}");
    }
    for (name, value) in [
        ("origin", "http://desk.example:8080"),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "none"),
    ] {
        let asked = request(Method::GET, "/operator/practice/1").header(name, value);
        let answered = send(&app, asked.body(Body::empty()).unwrap()).await;
        assert_eq!(answered.status(), StatusCode::OK, "{name}: {value}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_before_a_server_would_cut_it_and_goes_on_in_another() {
    let (app, desk) = server();
    let mut page = Page::open(&app).await;
    let started = tokio::time::Instant::now();
    let ended = page.events.named("reconnect").await;
    assert_eq!(ended, json!({}));
    assert_eq!(started.elapsed(), Duration::from_secs(45));
    assert!(page.events.next().await.is_none());
    desk.close();
    let refused = request(Method::GET, "/operator/events").body(Body::empty());
    let refused = send(&app, refused.unwrap()).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test(start_paused = true)]
async fn whose_key_is_revoked_loses_the_place_and_what_was_on_the_screen() {
    let desk = Desk::new(DeskPolicy::default());
    let is_valid = Arc::new(AtomicBool::new(true));
    let valid = Arc::clone(&is_valid);
    let keys = move |_: SecretString, _| {
        let is_valid = valid.load(Ordering::Relaxed);
        async move { is_valid.then(|| "anna".to_owned()) }
    };
    let app = router(&desk, Arc::new(keys), Practice::none());
    let mut page = Page::open(&app).await;
    let people = Operators::new(&desk, OperatorsPolicy::default());
    let call = tokio::spawn(async move { people.solve(&fixtures::challenge()).await });
    page.events.named("challenge").await;
    is_valid.store(false, Ordering::Relaxed);
    page.events.named("bye").await;
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded, "no one else is there");
    assert_eq!(desk.operators(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_stops_says_so_and_what_is_taken_away_is_told_why() {
    let (app, desk) = server();
    let mut page = Page::open(&app).await;
    let people = Operators::new(&desk, OperatorsPolicy::default());
    let call = tokio::spawn(async move { people.solve(&fixtures::challenge()).await });
    let shown = page.events.named("challenge").await;
    call.abort();
    let withdrawn = page.events.named("withdrawn").await;
    assert_eq!(withdrawn, json!({"id": shown["id"], "why": "not_needed"}));
    desk.close();
    let bye = page.events.named("bye").await;
    assert_eq!(bye, json!({"over": false}), "the page asks again");
    assert!(page.events.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_page_is_told_what_will_come_and_when_that_was_all() {
    let (app, desk) = server();
    let mut page = Page::open(&app).await;
    assert_eq!(page.events.next().await.unwrap().1["waiting"], 0);
    desk.expect(7);
    assert_eq!(page.events.next().await.unwrap().1["waiting"], 7);
    assert_eq!(desk.waiting(), 0, "they are not there yet");
    desk.end();
    assert_eq!(page.events.named("bye").await, json!({"over": true}));
    assert!(page.events.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_goes_away_twice_is_told_twice() {
    let (app, desk) = server();
    let mut page = Page::open(&app).await;
    let people = Operators::new(
        &desk,
        OperatorsPolicy::default().when_absent(WhenAbsent::Wait),
    );
    let call = tokio::spawn(async move { people.solve(&fixtures::challenge()).await });
    for _ in 0..2 {
        let shown = page.events.named("challenge").await;
        let withdrawn = page.events.named("withdrawn").await;
        assert_eq!(withdrawn, json!({"id": shown["id"], "why": "given_back"}));
        page.post("/operator/alive", "{}").await;
    }
    call.abort();
}

#[tokio::test(start_paused = true)]
async fn looking_at_the_stream_takes_no_place() {
    let (app, desk) = server();
    let head = request(Method::HEAD, "/operator/events").body(Body::empty());
    assert_eq!(send(&app, head.unwrap()).await.status(), StatusCode::OK);
    assert_eq!(desk.operators(), 0);
}

#[tokio::test(start_paused = true)]
async fn there_is_something_to_practise_on() {
    let (app, _) = server();
    let asked = request(Method::GET, "/operator/practice/3").body(Body::empty());
    let drawn = json_of(send(&app, asked.unwrap()).await).await;
    assert_eq!(drawn["drag"]["start"], json!({"x": 83.0, "y": 560.0}));
    assert_eq!(drawn["instruction"], "to the hole");
    for (path, status) in [
        ("/operator/practice/3/picture", StatusCode::OK),
        ("/operator/practice/10", StatusCode::NOT_FOUND),
        ("/operator/practice/-1", StatusCode::BAD_REQUEST),
    ] {
        let asked = request(Method::GET, path).body(Body::empty());
        assert_eq!(send(&app, asked.unwrap()).await.status(), status, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_picture_to_practise_on_is_drawn_once_for_both_who_ask_for_it() {
    let drawn = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&drawn);
    let practice = Practice::new(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        Some(PracticePicture {
            challenge: fixtures::challenge(),
            drag: fixtures::drag(),
        })
    });
    let asked = [1, 1, 2, 3, 4, 5, 1].map(|number| practice.draw(number));
    for one in asked {
        assert!(one.await.is_ok());
    }
    let again = "1 was forgotten when five were drawn";
    assert_eq!(drawn.load(Ordering::Relaxed), 6, "{again}");
    let all = (0..20).map(|_| practice.draw(9));
    let refused = futures_util::future::join_all(all).await;
    let refused = refused.iter().filter(|one| one.is_err()).count();
    assert!(refused > 0, "a crowd does not wait for pictures");
}
