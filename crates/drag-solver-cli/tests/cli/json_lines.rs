//! Every line of JSON is what `docs/json-lines.md` and its schema say.

use drag_solver_mock::fixtures;
use serde_json::{Value, json};

use crate::scene::{Scene, failed_line, solved_line};
use crate::schema::{Schema, page};
use crate::server::Server;
use crate::support::{Ran, drag_solver};

struct Lines(Schema);

impl Lines {
    fn new() -> Self {
        Self(Schema::new("json-lines.schema.json", &[]))
    }

    #[track_caller]
    fn check_line(&self, line: &str) -> Value {
        self.0.check(line)
    }

    /// All that was printed, by its states.
    #[track_caller]
    fn check(&self, ran: &Ran, states: &[&str]) {
        let lines: Vec<Value> = ran
            .stdout
            .lines()
            .map(|line| self.check_line(line))
            .collect();
        let printed: Vec<_> = lines
            .iter()
            .map(|line| line["status"].as_str().unwrap_or(""))
            .collect();
        assert_eq!(printed, states, "{ran:?}");
    }
}

#[tokio::test]
async fn what_is_printed_is_what_the_schema_says() {
    let (lines, scene) = (Lines::new(), Scene::new().await);
    let shot = scene.path("shot.png");
    let solve = [
        "solve",
        "--format=json",
        "--region=0,0,100,200",
        "--id=7",
        &shot,
    ];
    let solved = scene.run(&solve).run().await;
    lines.check(&solved, &["solved"]);
    let ran = scene
        .run(&["solve", "--format=json", &shot, "gone.png"])
        .run()
        .await;
    lines.check(&ran, &["solved", "failed"]);

    let input = solved.stdout.clone() + &failed_line(&shot, &[("first", "999"), ("third", "1")]);
    let resumed = scene
        .run(&["resume", "--format=json"])
        .run_with(input.as_bytes())
        .await;
    lines.check(&resumed, &["solved", "failed"]);
    assert_eq!(
        resumed.stdout.lines().next(),
        Some(solved.stdout.trim_end())
    );

    let input = solved.stdout + &solved_line(&shot, "nobody", "1");
    let report = scene.run(&["report", "--incorrect", "--format=json"]);
    let reported = report.run_with(input.as_bytes()).await;
    lines.check(&reported, &["reported", "failed"]);
    assert!(
        reported.stdout.contains(r#""id":"7","status":"reported""#),
        "{reported:?}"
    );
    assert!(reported.stderr.contains("was not reported"), "{reported:?}");

    let chain = std::fs::read_to_string(scene.path("chain.toml")).unwrap();
    std::fs::write(
        scene.path("chain.toml"),
        format!("strategy = \"quorum\"\n{chain}"),
    )
    .unwrap();
    let ran = scene.run(&["solve", "--format=json", &shot]).run().await;
    lines.check(&ran, &["solved"]);
    assert!(ran.stdout.contains("contributors"), "{ran:?}");
    scene.emulator.shutdown().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_name_that_is_no_text_is_in_the_schema_too() {
    use std::os::unix::ffi::OsStrExt as _;

    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.png");
    let ran = drag_solver(["solve", "--format=json", "--provider=sandbox"])
        .arg(name)
        .run()
        .await;
    Lines::new().check(&ran, &["failed"]);
    assert!(ran.stdout.contains("screenshot_os"), "{ran:?}");
}

#[tokio::test]
async fn accounts_and_services_are_in_the_schema() {
    let lines = Lines::new();
    let (server, refusing) = (
        Server::solving_after(1).await,
        Server::start(|_, _| Some(json!({"error": true, "message": "Invalid api token."}))).await,
    );
    for server in [&server, &refusing] {
        let balance = drag_solver(["balance", "--format=json"]).omocaptcha(&server.url());
        lines.check(&balance.run().await, &[""]);
    }
    let ran = drag_solver(["services", "--format=json"]).run().await;
    let count = ran.stdout.lines().count();
    assert!(count > 10, "{ran:?}");
    lines.check(&ran, &vec![""; count]);
}

#[tokio::test]
async fn what_is_on_record_is_in_the_schema() {
    let (lines, scene) = (Lines::new(), Scene::new().await);
    let (shot, store) = (scene.path("shot.png"), scene.path("drags.db"));
    let store = format!("--store={store}");
    let region = "--region=0,0,100,200";
    let solved = scene.run(&["solve", "--format=json", region, &store, &shot]);
    lines.check(&solved.run().await, &["solved"]);
    let unknown = scene.path("unknown.gif");
    std::fs::write(&unknown, fixtures::screenshot().bytes()).unwrap();
    let failed = scene.run(&["solve", "--format=json", "--timeout=5s", &store, &unknown]);
    lines.check(&failed.run().await, &["failed"]);
    let jobs = drag_solver(["jobs", "--format=json", &store, "all"]).run();
    lines.check(&jobs.await, &["solved", "failed"]);
    for by in ["solver", "budget", "label"] {
        let by = format!("--by={by}");
        let spend = drag_solver(["spend", "--format=json", &store, &by])
            .run()
            .await;
        assert_eq!(spend.code, Some(0), "{spend:?}");
        let days: Vec<_> = spend
            .stdout
            .lines()
            .map(|line| lines.check_line(line))
            .collect();
        assert_eq!(days.is_empty(), by == "--by=budget", "{spend:?}");
    }
}

#[tokio::test]
async fn a_key_is_in_the_schema() {
    let (lines, scene) = (Lines::new(), Scene::new().await);
    let store = format!("--store={}", scene.path("drags.db"));
    let limits = [
        "--per-day=5",
        "--total=50",
        "--rate=10/s",
        "--parallel=20",
        "--expires=30days",
    ];
    for args in [&["shop"][..], &["boss", "--admin"]] {
        let add = drag_solver(["keys", "add", &store]).args(args);
        let is_client = args.len() == 1;
        let made = add.args(limits.iter().filter(|_| is_client)).run().await;
        assert_eq!(made.code, Some(0), "{made:?}");
    }
    let revoke = drag_solver(["keys", "revoke", "boss", &store]).run().await;
    assert_eq!(revoke.code, Some(0), "{revoke:?}");
    let listed = drag_solver(["keys", "list", "--format=json", &store])
        .run()
        .await;
    let names: Vec<_> = listed
        .stdout
        .lines()
        .map(|line| lines.check_line(line)["name"].clone())
        .collect();
    assert_eq!(names, ["shop", "boss"]);
}

#[tokio::test]
async fn lines_of_another_version_are_refused() {
    let scene = Scene::new().await;
    let solved = solved_line("a.png", "first", "1");
    let newer = solved.replace(r#""v":1"#, r#""v":2"#);
    assert_ne!(newer, solved);
    for command in [&["resume"][..], &["report", "--correct"]] {
        let ran = scene.run(command).run_with(newer.as_bytes()).await;
        let why = "cannot use line 1 of standard input as a line of `solve --format json`: it has version 2, \
                   and this command knows version 1 alone";
        assert!(ran.stderr.contains(why), "{ran:?}");
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    }
    scene.emulator.shutdown().await;
}

#[test]
fn the_page_shows_lines_of_the_schema_and_explains_every_member() {
    let (lines, text) = (Lines::new(), page("json-lines.md"));
    let blocks = text.split("```json\n").skip(1);
    let examples: Vec<&str> = blocks
        .filter_map(|block| block.split("```").next())
        .collect();
    assert_eq!(examples.len(), 8);
    let readme = page("../README.md");
    let readme = readme
        .split("```json\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next();
    for example in examples.into_iter().chain(readme.unwrap().lines()) {
        lines.check_line(example);
    }
    let schema: Value = serde_json::from_str(&page("json-lines.schema.json")).unwrap();
    for definition in schema["$defs"].as_object().unwrap().values() {
        let properties = definition["properties"].as_object();
        for name in properties
            .into_iter()
            .flat_map(|properties| properties.keys())
        {
            let explained =
                text.contains(&format!("`{name}`")) || text.contains(&format!("`{{\"{name}\""));
            assert!(explained, "docs/json-lines.md does not explain `{name}`");
        }
    }
}
