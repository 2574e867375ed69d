//! Labels that a person makes: the page's calls, as a browser makes them, and the file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use drag_solver_mock::fixtures;
use drag_solver_mock::pictures::TestPicture;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr};

use crate::serving::ask;
use crate::support::{Ran, Run, drag_solver, end_of, signal};

/// Screenshots, and a file of labels to come.
struct Folder(TempDir);

impl Folder {
    fn with(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("shots")).unwrap();
        let screenshot = fixtures::screenshot();
        for name in names {
            let path = folder.path().join("shots").join(name);
            std::fs::write(path, screenshot.bytes()).unwrap();
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The command for all of them, with these options.
    fn args(&self, options: &[&str]) -> Vec<PathBuf> {
        let mut args = vec![PathBuf::from("label"), self.path("shots")];
        args.extend(["--output".into(), self.path("labels.jsonl")]);
        args.extend(options.iter().map(PathBuf::from));
        args
    }

    /// A run that has nothing to ask, and so ends by itself.
    async fn run(&self, options: &[&str]) -> Ran {
        ends(drag_solver(self.args(options))).await
    }

    fn labels(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path("labels.jsonl")).unwrap();
        let lines = text.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

async fn ends(run: Run) -> Ran {
    let ran = tokio::time::timeout(Duration::from_secs(60), run.run()).await;
    ran.expect("it serves a page, and waits")
}

/// The command, and the page that it serves in a browser.
struct Labelling {
    child: Child,
    stderr: Lines<BufReader<ChildStderr>>,
    address: String,
    key: String,
    /// What every call has: the key, and which page it is.
    credentials: String,
    events: Lines<BufReader<TcpStream>>,
}

impl Labelling {
    async fn start(folder: &Folder, options: &[&str]) -> Self {
        let mut child = drag_solver(folder.args(options)).start();
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let Some(link) = stdout.next_line().await.unwrap() else {
            panic!("{}", end_of(child).await.stderr);
        };
        let link = link.strip_prefix("http://").unwrap();
        let (address, key) = link.split_once("/operator#key=").unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "GET /operator/events HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let stderr = child.stderr.take().unwrap();
        let mut this = Self {
            child,
            stderr: BufReader::new(stderr).lines(),
            address: address.to_owned(),
            key: key.to_owned(),
            credentials: String::new(),
            events: BufReader::new(stream).lines(),
        };
        let hello = this.event("hello").await;
        let session = hello["session"].as_str().unwrap();
        this.credentials = format!("{key}\r\nOperator-Session: {session}");
        this
    }

    /// What comes with the next event of this name. Lines in between are sizes of chunks, and other events.
    async fn event(&mut self, name: &str) -> Value {
        let wanted = format!("event: {name}");
        loop {
            let line = self.events.next_line().await.unwrap();
            if line.expect("the stream has ended") == wanted {
                let data = self.events.next_line().await.unwrap().unwrap();
                return serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
            }
        }
    }

    async fn call(&self, method: &str, path: &str, body: &Value) -> (u16, String) {
        let (target, body) = (format!("/operator/{path}"), body.to_string());
        let credentials = &self.credentials;
        let told = ask(&self.address, method, &target, body.as_bytes(), credentials).await;
        told.unwrap()
    }

    async fn act(&self, shown: &Value, what: &str, body: Value) {
        let path = format!("challenges/{}/{what}", shown["id"].as_str().unwrap());
        let (status, text) = self.call("POST", &path, &body).await;
        assert_eq!(status, 200, "{text}");
    }

    /// Says that the drag of the challenge on the screen begins there; it ends 100 pixels further.
    async fn answer(&self, shown: &Value, x: u32) {
        let drag = json!({"start": {"x": x, "y": 560.25}, "end": {"x": x + 100, "y": 560}});
        self.act(shown, "answer", drag).await;
    }

    /// Waits until it says this, and returns the line.
    async fn says(&mut self, what: &str) -> String {
        loop {
            let line = self.stderr.next_line().await.unwrap();
            let line = line.expect("it ended without a word");
            if line.contains(what) {
                return line;
            }
        }
    }

    /// What it says until its end, and its status.
    async fn end(mut self) -> (Option<i32>, String) {
        let mut text = String::new();
        while let Some(line) = self.stderr.next_line().await.unwrap() {
            text += &(line + "\n");
        }
        assert!(!text.contains(&self.key), "{text}");
        (self.child.wait().await.unwrap().code(), text)
    }
}

fn label(name: &str, x: u32) -> Value {
    json!({
        "screenshot": format!("shots/{name}"),
        "start": {"x": f64::from(x), "y": 560.25},
        "end": {"x": f64::from(x) + 100.0, "y": 560.0},
    })
}

#[tokio::test]
async fn each_screenshot_is_shown_in_order_and_the_same_command_goes_on() {
    let folder = Folder::with(&["a.gif", "b.gif", "c.gif"]);
    let mut page = Labelling::start(&folder, &["--undo", "1ms"]).await;
    let a = page.event("challenge").await;
    assert_eq!((&a["width"], &a["left_ms"]), (&json!(591), &Value::Null));
    let path = format!("challenges/{}/picture", a["id"].as_str().unwrap());
    let (status, _) = page.call("GET", &path, &json!({})).await;
    assert_eq!(status, 200);
    page.answer(&a, 10).await;
    let b = page.event("challenge").await;
    page.act(&b, "skip", json!({})).await;
    let c = page.event("challenge").await;
    page.answer(&c, 30).await;
    assert_eq!(page.event("bye").await, json!({"over": true}));
    let (code, said) = page.end().await;
    let shots = folder.path("shots");
    for line in [
        // How many are left then depends on how soon its time to be undone is over.
        format!("{}/a.gif: 10,560.25 -> 110,560; ", shots.display()),
        format!(
            "{}/b.gif: an operator says that it cannot be solved",
            shots.display()
        ),
        format!(
            "{}: 2 labelled, 1 cannot be solved\n",
            folder.path("labels.jsonl").display()
        ),
    ] {
        assert!(said.contains(&line), "{line}: {said}");
    }
    assert_eq!(code, Some(1), "one of them has no label");
    assert_eq!(folder.labels(), [label("a.gif", 10), label("c.gif", 30)]);

    let mut page = Labelling::start(&folder, &["--undo", "1ms"]).await;
    let b = page.event("challenge").await;
    page.answer(&b, 20).await;
    let (code, said) = page.end().await;
    assert!(said.contains("1 labelled, 2 before\n"), "{said}");
    assert_eq!(code, Some(0));
    assert_eq!(folder.labels()[2], label("b.gif", 20));

    let ran = folder.run(&[]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""));
    assert!(ran.stderr.ends_with("0 labelled, 3 before\n"), "{ran:?}");
    assert_eq!(folder.labels().len(), 3);
}

#[tokio::test]
async fn the_page_is_told_how_many_are_left_and_what_is_asked() {
    let names: Vec<String> = (10..60).map(|number| format!("{number}.gif")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let folder = Folder::with(&names);
    let asked = ["--instruction", "to the hole", "--region", "1,2,500,1000.5"];
    let options = [&asked[..], &["--undo", "1ms"]].concat();
    let mut page = Labelling::start(&folder, &options).await;
    let first = page.event("challenge").await;
    let region = json!({"x": 1.0, "y": 2.0, "width": 500.0, "height": 1000.5});
    assert_eq!(first["instruction"], "to the hole");
    assert_eq!(first["region"], region);
    page.answer(&first, 10).await;
    page.says("10.gif: ").await;
    let mut waiting = page.event("state").await["waiting"].clone();
    while waiting != 48 {
        waiting = page.event("state").await["waiting"].clone();
    }
    signal(&page.child, "TERM");
    assert_eq!(page.end().await.0, Some(143));
    let mut expected = label("10.gif", 10);
    expected["instruction"] = json!("to the hole");
    expected["region"] = region;
    assert_eq!(folder.labels(), [expected]);
}

#[tokio::test]
async fn ctrl_c_keeps_what_could_still_be_undone_and_nothing_that_was() {
    let folder = Folder::with(&["a.gif", "b.gif"]);
    let mut page = Labelling::start(&folder, &["--undo", "1m"]).await;
    let a = page.event("challenge").await;
    page.answer(&a, 10).await;
    page.event("challenge").await;
    page.act(&a, "undo", json!({})).await;
    let again = page.event("challenge").await;
    assert_eq!((&again["id"], &again["again"]), (&a["id"], &json!(true)));
    page.answer(&again, 20).await;
    page.event("challenge").await;
    assert_eq!(folder.labels(), [] as [Value; 0], "it can be undone");
    signal(&page.child, "INT");
    assert_eq!(page.event("bye").await, json!({"over": true}));
    let (code, said) = page.end().await;
    assert!(said.ends_with("1 labelled, 1 left\n"), "{said}");
    assert_eq!(code, Some(130));
    assert_eq!(folder.labels(), [label("a.gif", 20)]);
}

#[tokio::test]
async fn what_counts_is_in_the_file_though_the_process_is_killed() {
    let folder = Folder::with(&["a.gif", "b.gif"]);
    let mut page = Labelling::start(&folder, &["--undo", "1ms"]).await;
    let a = page.event("challenge").await;
    page.answer(&a, 10).await;
    page.says("a.gif: ").await;
    page.child.kill().await.unwrap();
    assert_eq!(folder.labels(), [label("a.gif", 10)]);
    let mut page = Labelling::start(&folder, &["--undo", "1ms"]).await;
    let b = page.event("challenge").await;
    page.answer(&b, 20).await;
    assert_eq!(page.end().await.0, Some(0));
    assert_eq!(folder.labels(), [label("a.gif", 10), label("b.gif", 20)]);
}

#[tokio::test]
async fn only_the_link_opens_the_page_and_one_run_writes_a_file() {
    let folder = Folder::with(&["a.gif"]);
    let mut page = Labelling::start(&folder, &[]).await;
    page.event("challenge").await;
    let longer = page.key.clone() + "x";
    for key in ["", "wrong", &page.key[1..], &longer] {
        let told = ask(&page.address, "GET", "/operator/events", b"", key).await;
        assert_eq!(told.unwrap().0, 401, "{key}");
    }
    let ran = folder.run(&[]).await;
    let why = "another process adds labels to ";
    assert!(ran.stderr.contains(why), "{ran:?}");
    assert_eq!(ran.code, Some(2));
}

#[tokio::test]
async fn a_screenshot_that_is_gone_meanwhile_is_told_and_keeps_no_other_from_being_labelled() {
    // More than wait in line, so that the last is not read yet.
    let names: Vec<String> = (10..40).map(|number| format!("{number}.gif")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let folder = Folder::with(&names);
    let mut page = Labelling::start(&folder, &["--undo", "1ms"]).await;
    let mut shown = page.event("challenge").await;
    std::fs::remove_file(folder.path("shots/39.gif")).unwrap();
    for number in 0..28 {
        page.answer(&shown, number).await;
        shown = page.event("challenge").await;
    }
    page.answer(&shown, 28).await;
    let (code, said) = page.end().await;
    assert!(said.contains("39.gif: there is no such file"), "{said}");
    assert!(said.ends_with("29 labelled, 1 cannot be used\n"), "{said}");
    assert_eq!((code, folder.labels().len()), (Some(3), 29));
}

#[tokio::test]
async fn what_cannot_be_labelled_is_named_before_the_page_opens() {
    let folder = Folder::with(&["a.gif"]);
    let picture = TestPicture::draw_sized(7, 200, 400).unwrap();
    std::fs::write(folder.path("shots/known.png"), picture.screenshot().bytes()).unwrap();
    std::fs::write(folder.path("shots/empty.png"), b"").unwrap();
    let mut page = Labelling::start(&folder, &["--undo", "1ms"]).await;
    page.says("empty.png: the picture is empty").await;
    page.says("note: left out 1 that have their true drag")
        .await;
    page.says("1 to label: ").await;
    let a = page.event("challenge").await;
    page.answer(&a, 10).await;
    let (code, said) = page.end().await;
    assert!(said.ends_with("1 labelled, 1 cannot be used\n"), "{said}");
    assert_eq!(code, Some(3));
    assert_eq!(folder.labels(), [label("a.gif", 10)]);

    std::fs::remove_file(folder.path("shots/empty.png")).unwrap();
    let ran = folder.run(&[]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{ran:?}");
    let mut page = Labelling::start(&folder, &["--test-pictures"]).await;
    assert_eq!(page.event("challenge").await["width"], 200);
}

#[tokio::test]
async fn wrong_usage_is_refused_and_leaves_no_file() {
    let folder = Folder::with(&["a.gif"]);
    for (options, code, why) in [
        (&["-"][..], 2, "standard input is none: name the file"),
        (
            &["--listen", "0.0.0.0:80"],
            2,
            "an address of this machine alone",
        ),
        (&["--undo", "3"], 2, "as in 60s"),
        (&["--region", "0,0,600,10"], 3, "591x1149 px screenshot"),
    ] {
        let ran = folder.run(options).await;
        assert!(ran.stderr.contains(why), "{why}: {ran:?}");
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""), "{ran:?}");
        assert!(!folder.path("labels.jsonl").exists());
    }
    let notes = folder.path("labels.jsonl");
    std::fs::write(&notes, "my notes\n").unwrap();
    let ran = folder.run(&[]).await;
    assert!(ran.stderr.contains("line 1 is no label"), "{ran:?}");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert_eq!(std::fs::read(&notes).unwrap(), b"my notes\n");
}

#[tokio::test]
async fn the_line_that_the_page_shows_is_a_label() {
    let folder = Folder::with(&["phone.png"]);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/json-lines.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once("```jsonl\n").unwrap();
    let (line, _) = rest.split_once("```").unwrap();
    std::fs::write(folder.path("labels.jsonl"), line).unwrap();
    let ran = folder.run(&[]).await;
    assert!(ran.stderr.ends_with("0 labelled, 1 before\n"), "{ran:?}");
}

#[tokio::test]
async fn paths_are_seen_from_the_folder_of_the_labels() {
    let folder = Folder::with(&["a.gif"]);
    std::fs::create_dir(folder.path("labels")).unwrap();
    let output = folder.path("labels/l.jsonl");
    let args = ["label", "--output"].map(Path::new);
    let (shots, twice) = (folder.path("shots"), folder.path("shots/../shots/a.gif"));
    let paths = [output.as_path(), shots.as_path(), twice.as_path()];
    let args = || args.into_iter().chain(paths);
    // The same file by two names is asked about once.
    let mut child = drag_solver(args()).start();
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = stderr.next_line().await.unwrap().unwrap();
    assert!(line.starts_with("1 to label: "), "{line}");
    child.kill().await.unwrap();
    let known = r#"{"screenshot":"../shots/a.gif","start":{"x":1,"y":2},"end":{"x":3,"y":4}}"#;
    std::fs::write(&output, known).unwrap();
    let ran = ends(drag_solver(args())).await;
    assert!(ran.stderr.ends_with("0 labelled, 1 before\n"), "{ran:?}");
    assert_eq!(std::fs::read_to_string(&output).unwrap(), known);
}
