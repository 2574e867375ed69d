//! The main job, over real HTTP to a provider on a loopback port.

use std::process::Stdio;
use std::sync::LazyLock;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use drag_solver_mock::pictures::TestPicture;
use serde_json::json;

use crate::server::Server;
use crate::support::{TOKEN, drag_solver};

/// A screenshot on disk, gone with the test.
pub(crate) struct Shot {
    _folder: tempfile::TempDir,
    pub(crate) path: String,
    bytes: Vec<u8>,
}

/// Drawn once: that takes longer than all else here.
static PICTURE: LazyLock<TestPicture> = LazyLock::new(|| TestPicture::draw(7).unwrap());

pub(crate) fn shot() -> Shot {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.png");
    let bytes = PICTURE.screenshot().bytes().to_vec();
    std::fs::write(&path, &bytes).unwrap();
    Shot {
        path: path.to_str().unwrap().to_owned(),
        _folder: folder,
        bytes,
    }
}

#[tokio::test]
async fn the_picture_is_sent_byte_for_byte_and_the_answer_is_printed() {
    let (shot, server) = (shot(), Server::solving_after(3).await);
    let ran = drag_solver(["solve", "--poll-interval=1ms", &shot.path])
        .omocaptcha(&server.url())
        .run()
        .await;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(
        ran.stdout.starts_with("83,560 -> 320,560  omocaptcha "),
        "{ran:?}"
    );
    assert_eq!(ran.stdout.lines().count(), 1);
    let asked = server.asked();
    assert_eq!(
        asked[0],
        (
            "/api/createJob".to_owned(),
            json!({"api_token": TOKEN, "data": {
                "type_job_id": "24",
                "image_base64": BASE64_STANDARD.encode(&shot.bytes),
            }})
        )
    );
    assert_eq!(asked.len(), 1 + 3);
}

#[tokio::test]
async fn a_line_of_json_is_this() {
    let (shot, server) = (shot(), Server::solving_after(1).await);
    let ran = drag_solver(["solve", "--format=json", "--poll-interval=1ms", &shot.path])
        .omocaptcha(&server.url())
        .run()
        .await;
    let start = format!(
        r#"{{"v":1,"screenshot":"{}","status":"solved","drag":{{"start":{{"x":83.0,"y":560.0}},"end":{{"x":320.0,"y":560.0}},"alternative_end":null}},"solver":"omocaptcha","job":"123456","cost_usd":null,"elapsed_ms":"#,
        shot.path
    );
    assert!(ran.stdout.starts_with(&start), "{ran:?}");
    let end = ",\"failed_attempts\":[],\"route\":[]}\n";
    assert!(ran.stdout.ends_with(end), "{ran:?}");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn lost_polls_lose_nothing() {
    let shot = shot();
    let server = Server::start(|path, number| match (path, number) {
        ("/api/createJob", _) => Some(json!({"error": false, "job_id": 5})),
        (_, 1) => None,
        (_, 2) => Some(json!("nonsense")),
        _ => Some(json!({"error": false, "status": "success", "result": "10|20|30|400"})),
    })
    .await;
    let ran = drag_solver(["solve", "--poll-interval=1ms", &shot.path])
        .omocaptcha(&server.url())
        .run()
        .await;
    assert!(
        ran.stdout.starts_with("10,20 -> 30,400  omocaptcha "),
        "{ran:?}"
    );
    assert_eq!(server.count("/api/createJob"), 1, "paid once");
}

#[tokio::test]
async fn a_refused_token_is_told_with_what_to_do() {
    let shot = shot();
    let server =
        Server::start(|_, _| Some(json!({"error": true, "message": "Invalid api token."}))).await;
    let run = |format| {
        drag_solver(["solve", format, &shot.path])
            .omocaptcha(&server.url())
            .run()
    };
    let ran = run("--format=text").await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(
        ran.stderr
            .contains("Invalid api token. (unauthorized, cost nothing)"),
        "{ran:?}"
    );
    assert!(
        ran.stderr.contains("hint: check OMOCAPTCHA_API_TOKEN"),
        "{ran:?}"
    );
    let explained = ran.stderr;
    let ran = run("--format=json").await;
    assert_eq!((ran.code, &ran.stderr), (Some(1), &explained), "{ran:?}");
    let line: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(line["error"]["kind"], "unauthorized");
    assert_eq!(line["error"]["billed"], "no");
    assert_eq!(line["error"]["attempts"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_next_provider_is_asked_and_the_attempts_are_counted() {
    let shot = shot();
    let server =
        Server::start(|_, _| Some(json!({"error": true, "message": "Invalid api token."}))).await;
    let options = [
        "solve",
        "--format=json",
        "--provider=omocaptcha",
        "--provider=sandbox",
    ];
    let ran = drag_solver(options)
        .arg(&shot.path)
        .omocaptcha(&server.url())
        .run()
        .await;
    let line: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(line["solver"], "sandbox");
    assert_eq!(line["failed_attempts"].as_array().unwrap().len(), 1);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn a_paid_job_is_resumed_and_not_bought_again() {
    let (shot, server) = (shot(), Server::solving_after(1).await);
    let ran = drag_solver([
        "solve",
        "--resume=omocaptcha:77",
        "--poll-interval=1ms",
        &shot.path,
    ])
    .omocaptcha(&server.url())
    .run()
    .await;
    assert!(ran.stdout.starts_with("83,560 -> 320,560"), "{ran:?}");
    assert_eq!(server.count("/api/createJob"), 0);
    assert_eq!(server.asked()[0].1["job_id"], 77);
}

#[tokio::test]
async fn the_most_talkative_log_holds_no_token() {
    let (shot, server) = (shot(), Server::solving_after(2).await);
    let ran = drag_solver(["solve", "-vvv", "--poll-interval=1ms", &shot.path])
        .omocaptcha(&server.url())
        .run()
        .await; // looks for the token itself
    for part in ["bought", "solved", "omocaptcha"] {
        assert!(ran.stderr.contains(part), "{part}");
    }
    for encoded in ["hunter2%2B", "aHVudGVyMi", "hunter2\\u002b"] {
        assert!(!ran.stderr.contains(encoded), "{encoded}");
    }
    assert!(
        !ran.stderr.contains('\x1b'),
        "no colours outside of a terminal"
    );
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_not_lost() {
    let (shot, server) = (shot(), Server::solving_after(1).await);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ran = drag_solver(["solve", "--poll-interval=1ms", &shot.path])
        .omocaptcha(&server.url())
        .stdout(Stdio::from(writer))
        .run()
        .await;
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.starts_with("83,560 -> 320,560"), "{ran:?}");
    assert!(
        ran.stderr.contains("cannot write to standard output"),
        "{ran:?}"
    );
    assert!(!ran.stderr.contains("panicked"), "{ran:?}");
}

#[tokio::test]
async fn balance_asks_and_tells() {
    let server = Server::solving_after(1).await;
    let run = |format| {
        drag_solver(["balance", format])
            .omocaptcha(&server.url())
            .run()
    };
    assert_eq!(run("--format=text").await.stdout, "omocaptcha: 12.5 USD\n");
    assert_eq!(
        run("--format=json").await.stdout,
        "{\"v\":1,\"solver\":\"omocaptcha\",\"balance_usd\":\"12.5\",\"vouchers_usd\":null,\"error\":null}\n"
    );
    let refusing =
        Server::start(|_, _| Some(json!({"error": true, "message": "Invalid api token."}))).await;
    let ran = drag_solver(["balance"])
        .omocaptcha(&refusing.url())
        .run()
        .await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.contains("Invalid api token."), "{ran:?}");
}
