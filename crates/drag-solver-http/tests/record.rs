//! What was recorded is played back: the same, at the same instants, without a secret.

#![allow(clippy::unwrap_used, clippy::panic)] // a failed `unwrap` is a failed test

mod support;

use std::path::PathBuf;
use std::time::Duration;

use drag_solver_core::{
    Billed, DragChallenge, DragSolver, ErrorKind, Solution, SolveError, Verdict,
};
use drag_solver_http::secrecy::SecretString;
use drag_solver_http::testing::{Reply, ScriptedTransport};
use drag_solver_http::{
    ApiRequest, ApiResponse, CallbackReceiver, HttpOptions, HttpSolver, RecordedAnswer,
    RecordedQuestion, Recorder, Recording, RecordingTransport, ReplayTransport, Transport,
};
use drag_solver_mock::fixtures::{challenge, challenge_sized};
use serde_json::json;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::support::{Api, CREATED, SOLVED, resuming};

const TOKEN: &str = "hunter2-hunter2-hunter2";

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("wire.jsonl")
    }

    fn recorder(&self) -> Recorder {
        Recorder::create(self.path()).unwrap()
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.path()).unwrap()
    }

    fn recording(&self) -> Recording {
        Recording::read(self.path()).unwrap()
    }
}

/// What a call came to, and after which time.
async fn timed(
    solver: &HttpSolver<Api>,
    challenge: &DragChallenge,
) -> (Result<Solution, SolveError>, Duration) {
    let started = Instant::now();
    let outcome = solver.solve(challenge).await;
    (outcome, started.elapsed())
}

/// What matters of an outcome.
fn essence(outcome: &Result<Solution, SolveError>) -> String {
    match outcome {
        Ok(solution) => format!("{solution:?}"),
        Err(error) => serde_json::to_string(error).unwrap(),
    }
}

/// Records one call of the script, and plays it back.
async fn both(
    script: impl IntoIterator<Item = Reply>,
    challenge: &DragChallenge,
) -> (String, ReplayTransport) {
    let folder = Folder::new();
    let recorder = folder.recorder();
    let options = HttpOptions::default().recorder(recorder.clone());
    let script = ScriptedTransport::new(script);
    let solver = HttpSolver::with_transport(Api::new(), options, script).unwrap();
    let (first, first_elapsed) = timed(&solver, challenge).await;
    assert_eq!(recorder.finish().problem, None);

    let replay = ReplayTransport::new(&folder.recording());
    let options = HttpOptions::default();
    let solver = HttpSolver::with_transport(Api::new(), options, replay.clone()).unwrap();
    let (second, second_elapsed) = timed(&solver, challenge).await;
    assert_eq!(essence(&first), essence(&second));
    assert_eq!(first_elapsed, second_elapsed);
    assert_eq!(replay.unplayed(), Vec::<String>::new());
    assert_eq!(replay.unexpected(), Vec::<String>::new());
    (folder.text(), replay)
}

#[tokio::test(start_paused = true)]
async fn every_end_of_a_call_is_played_back_at_the_same_instant() {
    let late = |reply: Reply| reply.after(Duration::from_millis(1_234));
    for script in [
        vec![
            late(Reply::json(CREATED)),
            Reply::json("{}"),
            late(Reply::json(SOLVED)),
        ],
        vec![
            Reply::json(CREATED),
            late(Reply::lost()),
            Reply::status(502, "<html>"),
            Reply::json(SOLVED),
        ],
        vec![late(Reply::not_sent())],
        vec![late(Reply::lost())],
        vec![Reply::hang()],
        vec![Reply::hang_connecting()],
        vec![Reply::json(r#"{"refused": "no", "kind": "rate_limited"}"#)],
        vec![Reply::response(
            ApiResponse::new(429, "").with_retry_after(Some(Duration::from_secs(u64::MAX))),
        )],
        vec![Reply::response(
            ApiResponse::new(302, "").with_location(Some("/elsewhere".into())),
        )],
        vec![Reply::json(CREATED), Reply::json(r#"{"failed": "yes"}"#)],
        vec![Reply::json("\u{feff}{\"job\": 7, \"job\": NaN}")],
    ] {
        both(script, &challenge()).await;
    }
    let (text, _) = both([Reply::json(SOLVED)], &resuming([7])).await;
    assert!(text.contains(r#""resumed":["7"]"#), "{text}");
    // Until the time is up: one poll more than there is time for would be told.
    let endless =
        std::iter::once(Reply::json(CREATED)).chain(std::iter::repeat_n(Reply::json("{}"), 99));
    both(endless, &challenge()).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_in_an_answer_is_masked_and_what_comes_of_it_is_the_same() {
    for script in [
        vec![Reply::json(format!(
            r#"{{"refused": "bad {TOKEN}", "kind": "unauthorized"}}"#
        ))],
        vec![Reply::json(format!(r#"{{"job": "{TOKEN}"}}"#))],
        vec![
            Reply::json(CREATED),
            Reply::json(format!(r#"{{"status": "{TOKEN}"}}"#)),
            Reply::json(SOLVED),
        ],
        vec![Reply::status(500, format!("\u{1}{TOKEN}"))],
        vec![Reply::response(
            ApiResponse::new(302, "").with_location(Some(format!("/{TOKEN}"))),
        )],
    ] {
        let (text, _) = both(script, &challenge()).await;
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("[redacted]"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_id_that_has_a_numeric_token_in_it_is_still_one_job() {
    let api = || Api("1234567".into());
    for job in ["12345678", r#""12345678""#, r#""a-1234567""#] {
        let folder = Folder::new();
        let recorder = folder.recorder();
        let script = ScriptedTransport::new([
            Reply::json(format!(r#"{{"job": {job}}}"#)),
            Reply::json(SOLVED),
        ]);
        let options = HttpOptions::default().recorder(recorder.clone());
        let solver = HttpSolver::with_transport(api(), options, script).unwrap();
        solver.solve(&challenge()).await.unwrap();
        let _ = recorder.finish();
        assert!(!folder.text().contains("1234567"), "{}", folder.text());

        let replay = ReplayTransport::new(&folder.recording());
        let options = HttpOptions::default();
        let solver = HttpSolver::with_transport(Api::new(), options, replay.clone()).unwrap();
        solver.solve(&challenge()).await.unwrap();
        assert!(replay.unplayed().is_empty() && replay.unexpected().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn calls_are_recorded_with_what_came_of_them() {
    let folder = Folder::new();
    let recorder = folder.recorder();
    let options = HttpOptions::default()
        .recorder(recorder.clone())
        .job_timeout(Duration::from_secs(90));
    let script =
        ScriptedTransport::new([Reply::json(CREATED), Reply::json(SOLVED), Reply::json("{}")])
            .then_always(Reply::hang());
    let solver = HttpSolver::with_transport(Api::new(), options, script).unwrap();
    let asked = challenge()
        .with_instruction(format!("not {TOKEN}"))
        .within(Duration::from_secs(60));
    let solution = solver.solve(&asked).await.unwrap();
    solver.report(&solution, Verdict::Incorrect).await.unwrap();
    let impatient = challenge();
    let impatient = solver.solve(&impatient);
    let impatient = tokio::time::timeout(Duration::from_secs(1), impatient).await;
    assert!(impatient.is_err());
    let refused = solver.balance().await.unwrap_err();
    assert_eq!(
        refused.kind(),
        ErrorKind::Unsupported,
        "and nothing was sent"
    );
    assert_eq!(recorder.finish().lines, 4 + 3);

    let calls: Vec<_> = folder.recording().calls().collect();
    assert_eq!(calls.len(), 3, "{calls:?}");
    assert_eq!(calls[0].solver, "example");
    assert_eq!(calls[0].job_timeout, Duration::from_secs(90));
    assert_eq!(calls[0].elapsed, Duration::from_secs(2));
    let RecordedQuestion::Solve {
        size,
        instruction,
        time_left,
        picture,
        ..
    } = &calls[0].asked
    else {
        panic!("{calls:?}");
    };
    assert_eq!(*size, (591, 1149));
    assert_eq!(instruction.as_deref(), Some("not [redacted]"));
    assert_eq!(*time_left, Some(Duration::from_secs(60)));
    assert!(picture.is_none());
    let Some(Ok(RecordedAnswer::Solution(found))) = &calls[0].result else {
        panic!("{calls:?}");
    };
    assert_eq!(found.drag(), solution.drag());
    assert!(matches!(
        calls[1].result,
        Some(Ok(RecordedAnswer::Accepted))
    ));
    assert!(calls[2].result.is_none(), "abandoned: {calls:?}");
    assert_eq!(calls[2].elapsed, Duration::from_secs(1));
}

fn picture_request(width: u16, key: &str) -> ApiRequest {
    let shot = challenge_sized(width, 9).screenshot().clone();
    let envelope = json!({"key": key, "image": drag_solver_http::Picture});
    ApiRequest::json_with_picture("create", &envelope, &shot).unwrap()
}

/// Records these requests, each of which is answered with its number.
async fn recorded(requests: impl IntoIterator<Item = ApiRequest>) -> Recording {
    let folder = Folder::new();
    let recorder = folder.recorder();
    let script = ScriptedTransport::new((0..99).map(|number| Reply::json(number.to_string())));
    let key = SecretString::from(TOKEN);
    let transport = RecordingTransport::new(script, &recorder, "example", [&key]);
    for request in requests {
        transport
            .send(request, Duration::from_secs(1))
            .await
            .unwrap();
        tokio::time::advance(Duration::from_millis(5)).await;
    }
    let _ = recorder.finish();
    folder.recording()
}

async fn ask(replay: &ReplayTransport, request: ApiRequest) -> String {
    match replay.send(request, Duration::from_secs(1)).await {
        Ok(response) => String::from_utf8_lossy(response.body()).into_owned(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(start_paused = true)]
async fn requests_are_matched_by_what_they_ask_and_not_by_their_order() {
    let poll = |job: u64| ApiRequest::json("poll", &json!({"job": job, "key": "other"}));
    let recording = recorded([
        picture_request(1, TOKEN),
        picture_request(2, TOKEN),
        poll(1),
        poll(2),
        poll(1),
        ApiRequest::get("jobs")
            .segment("7/8")
            .query("key", TOKEN)
            .query("wait", "1"),
    ])
    .await;
    let replay = ReplayTransport::new(&recording);
    assert_eq!(ask(&replay, poll(2)).await, "3");
    assert_eq!(ask(&replay, picture_request(2, "another key")).await, "1");
    assert_eq!(
        ask(&replay, picture_request(3, "another key")).await,
        "0",
        "any picture"
    );
    assert_eq!(ask(&replay, poll(1)).await, "2");
    let get = |wait: &str| {
        let request = ApiRequest::get("jobs")
            .segment("7/8")
            .query("key", "another");
        request.query("wait", wait)
    };
    let other = ask(&replay, get("2")).await;
    assert_eq!(
        other,
        "GET jobs is not as it was recorded: `wait` is \"2\", and was \"1\""
    );
    assert_eq!(ask(&replay, get("1")).await, "5");
    let more = ask(&replay, ApiRequest::get("more")).await;
    assert_eq!(
        more,
        "GET more is not in the recording, or was played; next in it: POST poll"
    );
    assert_eq!(replay.unplayed(), ["POST poll"]);
    assert_eq!(replay.unexpected(), [other, more]);
    assert_eq!(ask(&replay, poll(1)).await, "4");
    let ended = ask(&replay, poll(1)).await;
    assert!(
        ended.ends_with("next in it: nothing, it has ended"),
        "{ended}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_not_in_the_recording_costs_nothing_and_is_told() {
    let folder = Folder::new();
    let recorder = folder.recorder();
    let _ = recorder.finish();
    let replay = ReplayTransport::new(&folder.recording());
    let solver = HttpSolver::with_transport(Api::new(), HttpOptions::default(), replay).unwrap();
    let error = solver.solve(&challenge()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.billed()),
        (ErrorKind::Protocol, Billed::Maybe)
    );
    assert!(
        error
            .message()
            .contains("POST create is not in the recording"),
        "{error}"
    );
}

#[test]
fn a_hostile_recording_is_refused_or_read_and_nothing_panics() {
    let header = r#"{"drag_solver_recording":1}"#;
    let exchange = |request: &str, outcome: &str| {
        format!(
            r#"{{"exchange":{{"solver":"a","began_ms":0,"ended_ms":1,"request":{request},"outcome":{outcome}}}}}"#
        )
    };
    let request = r#"{"method":"GET","path":"a"}"#;
    for (line, why) in [
        (String::new(), None),
        (exchange(request, r#""abandoned""#), None),
        (exchange(request, r#"{"response":{"status":200,"body":{"base64":"?"}}}"#), None),
        (exchange(request, r#"{"response":{"status":65536,"body":{"text":""}}}"#), Some("line 2: ")),
        (exchange(request, r#"{"response":{"status":200,"retry_after":{"secs":18446744073709551615,"nanos":4000000000},"body":{"text":""}}}"#), Some("line 2: ")),
        (exchange(request, r#"{"error":{"delivery":"refunded","reason":""}}"#), Some("line 2: ")),
        (exchange(r#"{"method":1}"#, r#""abandoned""#), Some("line 2: ")),
        (exchange(&format!(r#"{{"method":"GET","path":"a","body":{{"json":{}1{}}}}}"#, "[".repeat(9_999), "]".repeat(9_999)), r#""abandoned""#), Some("line 2: ")),
        (r#"{"unknown":1}"#.to_owned(), Some("line 2: ")),
        ("\u{0}\n{}".to_owned(), Some("line 2: ")),
        ("{\"exchange\": {\"sol".to_owned(), None), // cut off
        (r#"{"call":{"solver":"a","began_ms":9,"ended_ms":1,"settings":{"base_url":"","poll_first_ms":18446744073709551615,"poll_every_ms":0,"request_timeout_ms":0,"job_timeout_ms":0},"asked":{"solve":{"picture":{"sha256":"?","bytes":0}}},"result":{"solution":{"drag":7}}}}"#.to_owned(), None),
    ] {
        let read = Recording::parse(&format!("{header}\n{line}"));
        match (why, read) {
            (None, Ok(recording)) => {
                assert!(recording.calls().count() <= 1);
                assert!(ReplayTransport::new(&recording).unplayed().len() <= 1);
            }
            (Some(why), Err(error)) => {
                let error = error.to_string();
                assert!(error.starts_with(why), "{line}: {error}");
            }
            (_, other) => panic!("{line}: {other:?}"),
        }
    }
    for (first, why) in [
        ("", "is no recording"),
        ("{}", "is no recording"),
        (
            "{\"drag_solver_recording\":2}",
            "version 2 of the format, and 1 is read here",
        ),
        ("GIF89a", "is no recording"),
    ] {
        let error = Recording::parse(first).unwrap_err().to_string();
        assert!(
            error.starts_with("line 1: ") && error.contains(why),
            "{error}"
        );
    }
    let many = format!("{header}\n{}", "\n".repeat(100_001));
    assert!(
        Recording::parse(&many)
            .unwrap_err()
            .to_string()
            .contains("more than 100000 lines")
    );
}

/// Half of everything that a recording is made of, and each of its bytes turned round.
#[tokio::test(start_paused = true)]
async fn no_damage_to_a_recording_makes_it_panic() {
    let folder = Folder::new();
    let recorder = folder.recorder();
    let options = HttpOptions::default().recorder(recorder.clone());
    let script = ScriptedTransport::new([Reply::json(CREATED), Reply::lost(), Reply::json(SOLVED)]);
    let solver = HttpSolver::with_transport(Api::new(), options, script).unwrap();
    solver.solve(&challenge()).await.unwrap();
    let _ = recorder.finish();
    let text = folder.text().into_bytes();
    for at in 0..text.len() {
        for byte in [b'"', b'9', b'{', b'\n', 0x80, 0] {
            let mut damaged = text.clone();
            damaged[at] = byte;
            let _ = Recording::parse(&String::from_utf8_lossy(&damaged));
        }
        if let Ok(cut) = Recording::parse(&String::from_utf8_lossy(&text[..at])) {
            let replay = ReplayTransport::new(&cut);
            let _ = ask(&replay, ApiRequest::json("create", &json!({"hint": null}))).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_provider_is_to_call_is_played_back_with_another_path() {
    let (folder, receiver) = (Folder::new(), || {
        CallbackReceiver::new("https://hooks.example.com").unwrap()
    });
    let recorder = folder.recorder();
    let options = HttpOptions::default().callbacks_to(&receiver());
    let script = ScriptedTransport::new([Reply::json(CREATED), Reply::json(SOLVED)]);
    let options = options.recorder(recorder.clone());
    let solver = HttpSolver::with_transport(Api::new(), options, script.clone()).unwrap();
    solver.solve(&challenge()).await.unwrap();
    assert_eq!(recorder.finish().problem, None);
    let sent = script.sent()[0].json();
    let path = sent["callback"].as_str().unwrap().rsplit('/').next();
    assert!(!folder.text().contains(path.unwrap()), "{}", folder.text());
    assert!(folder.text().contains("https://hooks.example.com/[masked]"));

    let replay = ReplayTransport::new(&folder.recording());
    let options = HttpOptions::default().callbacks_to(&receiver());
    let solver = HttpSolver::with_transport(Api::new(), options, replay.clone()).unwrap();
    solver.solve(&challenge()).await.unwrap();
    assert_eq!(replay.unexpected(), Vec::<String>::new());
}
