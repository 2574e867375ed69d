//! `drag-solver evaluate`, on test pictures and emulated providers.

use std::path::Path;

use boon::{Compiler, Schemas};
use drag_solver::{Drag, DragChallenge, DragSolver as _, Point, Solution, solver_fn};
use drag_solver_emulator::{Emulator, Protocol};
use drag_solver_mock::pictures::{AnswerKey, TestPicture};
use serde_json::{Value, json};

use crate::support::{Ran, Run, TOKEN, drag_solver};

const PICTURES: u64 = 6;

/// A folder with test pictures in `shots`, gone with the test.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(folder.path("shots")).unwrap();
        for seed in 0..PICTURES {
            let picture = TestPicture::draw_sized(seed, 200, 400).unwrap();
            let file = folder.path(&format!("shots/{seed}.png"));
            std::fs::write(file, picture.screenshot().bytes()).unwrap();
        }
        folder
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// An evaluation of all pictures.
    fn evaluate(&self, args: &[&str]) -> Run {
        drag_solver(["evaluate"]).arg(self.path("shots")).args(args)
    }
}

/// A provider that is 40 px off with every other picture.
async fn half_wrong() -> Emulator {
    let asked = std::sync::atomic::AtomicU64::new(0);
    let asked = std::sync::Arc::new(asked);
    let solver = solver_fn("half-wrong", move |challenge: DragChallenge| {
        let asked = std::sync::Arc::clone(&asked);
        async move {
            let right = AnswerKey.solve(&challenge).await?;
            let drag = *right.drag();
            let wrong = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 2 == 1;
            let off = if wrong { 40.0 } else { 3.0 };
            let end = Point::new(drag.end.x, drag.end.y + off);
            Ok(Solution::new(Drag::new(drag.start, end), "half-wrong"))
        }
    });
    Emulator::builder()
        .solver(solver)
        .token(TOKEN)
        .start()
        .await
        .unwrap()
}

fn jobs(emulator: &Emulator) -> u64 {
    emulator.stats().jobs_solved
}

fn succeeded(ran: &Ran) -> &Ran {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran
}

#[tokio::test]
async fn without_an_account_the_sandbox_is_measured_and_a_chain_that_check_accepts_is_written() {
    let folder = Folder::new();
    let (report, chain) = (folder.path("report.html"), folder.path("chain.toml"));
    let args = ["--within=20s", "--report", &report, "--propose", &chain];
    let ran = folder.evaluate(&args).run().await;
    let lines: Vec<&str> = succeeded(&ran).stdout.lines().collect();
    assert!(
        lines[1].starts_with("sandbox      6  100.0 %  61.0–100.0 %"),
        "{ran:?}"
    );
    assert!(
        ran.stdout
            .contains("\nproposed: sandbox: $0 a right answer, 100.0 % right, "),
        "{ran:?}"
    );
    assert!(
        ran.stderr.contains("no account: asking the sandbox"),
        "{ran:?}"
    );
    let html = folder.read("report.html");
    assert!(html.starts_with("<!doctype html>") && html.contains("data:image/png;base64,"));
    let json: Value = serde_json::from_str(&folder.read("report.json")).unwrap();
    assert_eq!(json["calls"].as_array().unwrap().len(), 6);

    let checked = drag_solver(["check", &chain]).run().await;
    assert!(
        succeeded(&checked).stdout.starts_with("sandbox"),
        "{checked:?}"
    );
    let picture = folder.path("shots/3.png");
    let solved = drag_solver(["solve", "--config", &chain, &picture])
        .run()
        .await;
    succeeded(&solved);

    // The same again would write over both.
    let again = folder.evaluate(&args).run().await;
    assert_eq!(
        (again.code, again.stdout.as_str()),
        (Some(2), ""),
        "{again:?}"
    );
    assert!(
        again
            .stderr
            .contains("report.json is there already: --force writes over it"),
        "{again:?}"
    );
    assert_eq!(folder.read("report.html"), html);
    succeeded(&folder.evaluate(&args).arg("--force").run().await);

    // Where none is proposed, none is left that would be taken for it.
    let none = ["--within=1ms", "--propose", &chain];
    let refused = folder.evaluate(&none).run().await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(Path::new(&chain).exists());
    let removed = folder.evaluate(&none).arg("--force").run().await;
    assert_eq!(removed.code, Some(1), "{removed:?}");
    let told = format!("note: no chain is proposed, and {chain} of before is removed");
    assert!(removed.stderr.contains(&told), "{removed:?}");
    assert!(!Path::new(&chain).exists());
}

/// A pipe without a writer, which would be waited for.
#[cfg(unix)]
#[tokio::test]
async fn a_pipe_is_no_picture_that_can_be_read_again() {
    let folder = Folder::new();
    let pipe = folder.path("pipe.png");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let labels = folder.path("labels.jsonl");
    let line =
        json!({"screenshot": "pipe.png", "start": {"x": 1, "y": 1}, "end": {"x": 9, "y": 1}});
    std::fs::write(&labels, line.to_string()).unwrap();
    let why = "it is no regular file, and pictures are read more than once";
    let ran = folder.evaluate(&[&pipe, &labels]).run().await;
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert_eq!(ran.stderr.matches(why).count(), 2, "{ran:?}");
    let output = folder.path("mine.jsonl");
    let ran = drag_solver(["label", "--output", &output, &pipe])
        .run()
        .await;
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(
        ran.stderr.contains(&format!("cannot use {pipe}: {why}")),
        "{ran:?}"
    );
}

#[tokio::test]
async fn no_money_is_spent_that_nobody_allowed() {
    let (folder, provider) = (Folder::new(), half_wrong().await);
    let url = provider.url(Protocol::OmocaptchaV1);
    let run = |args: &[&str]| folder.evaluate(args).omocaptcha(&url).run();
    for (args, told) in [
        (
            &[][..],
            "6 calls may cost money, and how much is not known: omocaptcha has no price. Nothing was sent: --budget USD",
        ),
        (
            &["--price=omocaptcha=0.0009"],
            "6 calls may cost at most $0.0054. Nothing was sent: --budget USD",
        ),
        (
            &["--budget=1"],
            "--budget needs to know what an answer of omocaptcha costs: add --price omocaptcha=USD",
        ),
        (
            &["--within=9s", "--yes"],
            "--propose needs to know what an answer of omocaptcha costs",
        ),
        (
            &["--price=twocaptcha=1"],
            "--price twocaptcha: no provider of that name is measured",
        ),
        (&["--budget=1", "--yes"], "cannot be used with"),
        (&["--provider=person", "--yes"], "people answer on the page"),
        (
            &["--report=report.txt", "--yes"],
            "a name that ends in .html",
        ),
        (
            &["--report=no/such/folder.html", "--yes"],
            "cannot write no/such/folder.json",
        ),
    ] {
        let ran = run(args).await;
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(2), ""),
            "{args:?}: {ran:?}"
        );
        assert!(ran.stderr.contains(told), "{args:?}: {ran:?}");
    }
    assert_eq!(provider.traffic().requests, 0);
}

#[tokio::test]
async fn a_budget_stops_it_and_with_a_store_the_same_line_goes_on_and_buys_nothing_twice() {
    let (folder, provider) = (Folder::new(), half_wrong().await);
    let url = provider.url(Protocol::OmocaptchaV1);
    let store = folder.path("evaluation.db");
    let args = [
        "--price=omocaptcha=0.0009",
        "--budget=0.0037",
        "--poll-interval=1ms",
        "--concurrency=1",
        "--store",
        &store,
        "--format=json",
    ];
    let first = folder.evaluate(&args).omocaptcha(&url).run().await;
    assert_eq!((first.code, jobs(&provider)), (Some(1), 4), "{first:?}");
    assert!(
        first
            .stderr
            .contains("6 calls may cost at most $0.0054, and no more than $0.0037 is spent"),
        "{first:?}"
    );
    assert!(
        first
            .stderr
            .contains("stopped: omocaptcha: nothing was sent: of $0.0037, $0.0036 is spent"),
        "{first:?}"
    );
    let second = folder.evaluate(&args).omocaptcha(&url).run().await;
    assert_eq!(jobs(&provider), 6, "{second:?}");
    assert!(
        second
            .stderr
            .starts_with("2 calls may cost at most $0.0018"),
        "{second:?}"
    );
    let third = folder.evaluate(&args).omocaptcha(&url).run().await;
    assert_eq!(
        (jobs(&provider), third.stderr.as_str()),
        (6, ""),
        "all is on record"
    );
    let json: Value = serde_json::from_str(&succeeded(&third).stdout).unwrap();
    let figures = &json["solvers"][0];
    assert_eq!(
        (&figures["calls"], &figures["right"], &figures["wrong"]),
        (&json!(6), &json!(3), &json!(3))
    );
    assert_eq!(
        (&figures["from_store"], &figures["spent_usd"]),
        (&json!(6), &json!("0.0054"))
    );
    assert!((figures["usd_per_right"]["value"].as_f64().unwrap() - 0.0018).abs() < 1e-9);
    assert!(json.get("calls").is_none() && json.get("pictures").is_none());
}

#[tokio::test]
async fn true_drags_come_from_lines_of_json_and_what_cannot_be_used_is_left_out() {
    let folder = Folder::new();
    let picture = TestPicture::draw_sized(1, 200, 400).unwrap().drag();
    let ends = json!({"start": picture.start, "end": picture.end});
    let mut right = ends.clone();
    right["screenshot"] = json!("shots/1.png");
    let solved = json!({"v": 1, "screenshot": "shots/1.png", "status": "solved", "drag": ends});
    let missing =
        json!({"screenshot": "shots/gone.png", "start": picture.start, "end": picture.end});
    std::fs::write(
        folder.path("labels.jsonl"),
        format!("{right}\n{missing}\n{solved}\n"),
    )
    .unwrap();
    std::fs::write(
        folder.path("plain.gif"),
        drag_solver_mock::fixtures::screenshot().bytes(),
    )
    .unwrap();
    let (labels, plain) = (folder.path("labels.jsonl"), folder.path("plain.gif"));
    let ran = drag_solver([
        "evaluate",
        "--provider=sandbox",
        "--format=json",
        &labels,
        &plain,
    ])
    .run()
    .await;
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let told: Vec<&str> = ran.stderr.lines().collect();
    assert!(
        told[0].contains("labels.jsonl, line 2: ") && told[0].contains("gone.png"),
        "{ran:?}"
    );
    assert!(
        told[1].contains("plain.gif: its true drag is not written into it"),
        "{ran:?}"
    );
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["solvers"][0]["right"], 2, "{ran:?}");

    let none = drag_solver(["evaluate", "--provider=sandbox", &plain])
        .run()
        .await;
    assert_eq!((none.code, none.stdout.as_str()), (Some(2), ""), "{none:?}");
    assert!(
        none.stderr
            .contains("there is no picture whose true drag is known"),
        "{none:?}"
    );
}

#[tokio::test]
async fn a_chain_is_measured_as_it_is_and_both_agree() {
    let folder = Folder::new();
    let chain = "deadline = \"60s\"\n[[providers]]\nkind = \"sandbox\"\nname = \"first\"\nretry = true\n\
                 [[providers]]\nkind = \"sandbox\"\nname = \"second\"\n";
    std::fs::write(folder.path("two.toml"), chain).unwrap();
    let config = folder.path("two.toml");
    let args = [
        "--provider=sandbox",
        "--config",
        &config,
        "--report",
        &folder.path("report.html"),
    ];
    let ran = folder.evaluate(&args).run().await;
    assert!(
        succeeded(&ran)
            .stdout
            .contains("\nsandbox and two agree in 100.0 %"),
        "{ran:?}"
    );
    // A chain cannot be made of a chain.
    let chains_only = folder
        .evaluate(&["--config", &config, "--within=9s"])
        .run()
        .await;
    assert_eq!(chains_only.code, Some(2));
    assert!(
        chains_only.stderr.contains("add --provider"),
        "{chains_only:?}"
    );
    // Nothing can be so fast.
    let hasty = folder
        .evaluate(&["--provider=sandbox", "--within=1ms"])
        .run()
        .await;
    assert_eq!(hasty.code, Some(1), "{hasty:?}");
    assert!(
        hasty
            .stdout
            .contains("no chain is proposed: None of 2 chains"),
        "{hasty:?}"
    );
}

#[tokio::test]
async fn the_report_is_as_its_schema_says() {
    let (folder, provider) = (Folder::new(), half_wrong().await);
    let report = folder.path("report.html");
    let args = [
        "--provider=omocaptcha",
        "--provider=sandbox",
        "--price=omocaptcha=0.0009",
        "--yes",
        "--poll-interval=1ms",
        "--within=20s",
        "--report",
        &report,
    ];
    let run = folder
        .evaluate(&args)
        .omocaptcha(&provider.url(Protocol::OmocaptchaV1));
    succeeded(&run.run().await);
    let json: Value = serde_json::from_str(&folder.read("report.json")).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/evaluate.schema.json");
    let mut schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    // Here no member is allowed that it does not know.
    close(&mut schema);
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    let url = "https://example.com/evaluate.schema.json";
    compiler.add_resource(url, schema).unwrap();
    let index = compiler.compile(url, &mut schemas).unwrap();
    if let Err(error) = schemas.validate(&json, index) {
        panic!("{error:#}\n{json:#}");
    }
}

/// Refuses members that a schema does not name, in it and in those inside.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.contains_key("properties") && !members.contains_key("additionalProperties") {
                members.insert("additionalProperties".to_owned(), json!(false));
            }
            members.values_mut().for_each(close);
        }
        Value::Array(all) => all.iter_mut().for_each(close),
        _ => {}
    }
}

#[cfg(unix)]
#[tokio::test]
async fn an_interrupted_evaluation_names_the_jobs_that_it_paid_for() {
    use crate::server::Server;
    use crate::support::{end_of, signal};

    let (folder, server) = (Folder::new(), Server::solving_after(usize::MAX).await);
    let args = [
        "--price=omocaptcha=0.0009",
        "--yes",
        "--poll-interval=1ms",
        "--concurrency=1",
    ];
    let child = folder.evaluate(&args).omocaptcha(&server.url()).start();
    server.until("/api/getJobResult", 2).await;
    signal(&child, "INT");
    let ran = end_of(child).await;
    assert_eq!(ran.code, Some(130), "{ran:?}");
    assert!(
        ran.stderr.contains("interrupted after 0 of 6 calls"),
        "{ran:?}"
    );
    assert!(
        ran.stderr
            .contains("solve --resume omocaptcha:123456 SCREENSHOT"),
        "{ran:?}"
    );
}

/// With --force a chain that is there is removed where a whole run proposes none, and kept where the run was cut short.
#[tokio::test]
async fn a_run_that_was_cut_short_leaves_the_chain_of_before() {
    use crate::server::Server;

    let refused = json!({"error": true, "message": "Invalid api token."});
    let (folder, server) = (
        Folder::new(),
        Server::start(move |_, _| Some(refused.clone())).await,
    );
    let chain = folder.path("chain.toml");
    std::fs::write(&chain, "# of before").unwrap();
    let args = [
        "--price=omocaptcha=0.0009",
        "--yes",
        "--poll-interval=1ms",
        "--force",
        "--propose",
        &chain,
    ];
    let ran = folder.evaluate(&args).omocaptcha(&server.url()).run().await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("omocaptcha was left out: "), "{ran:?}");
    let told = format!("as the run was cut short: {chain} is the one of before");
    assert!(ran.stderr.contains(&told), "{ran:?}");
    assert_eq!(folder.read("chain.toml"), "# of before");
}
