//! Many screenshots at once.

use std::path::{Path, PathBuf};

use drag_solver::Screenshot;
use drag_solver_mock::fixtures;
use drag_solver_mock::pictures::TestPicture;
use serde_json::{Value, json};

use crate::server::Server;
use crate::support::{Run, drag_solver};

/// A folder with test pictures, gone with the test.
struct Folder(tempfile::TempDir);

impl Folder {
    fn with(names: &[&str]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (seed, name) in (0..).zip(names) {
            let path = folder.path(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let picture = TestPicture::draw_sized(seed, 100, 200).unwrap();
            std::fs::write(path, picture.screenshot().bytes()).unwrap();
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }
}

fn sandbox(args: &[&str]) -> Run {
    drag_solver(
        ["solve", "--provider=sandbox", "--format=json"]
            .iter()
            .chain(args),
    )
}

/// The screenshots of lines of JSON, by their names, in order.
fn screenshots(stdout: &str) -> Vec<String> {
    let name = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let path = PathBuf::from(line["screenshot"].as_str().unwrap());
        path.file_name().unwrap().to_str().unwrap().to_owned()
    };
    stdout.lines().map(name).collect()
}

#[tokio::test]
async fn folders_lists_and_files_are_taken_together_in_the_order_given() {
    let folder = Folder::with(&[
        "shots/b.png",
        "shots/a/2.png",
        "shots/.git/c.png",
        "z.png",
        "list/x.png",
    ]);
    std::fs::write(folder.path("shots/notes.txt"), "no picture").unwrap();
    let list = format!("{}\r\n\n{}\n", folder.text("list"), folder.text("z.png"));
    std::fs::write(folder.path("list.txt"), list).unwrap();
    let (z, shots) = (folder.text("z.png"), folder.text("shots"));
    let ran = sandbox(&[&z, &shots, "--files-from", &folder.text("list.txt")])
        .run()
        .await;
    assert_eq!(
        screenshots(&ran.stdout),
        ["z.png", "2.png", "b.png", "x.png", "z.png"]
    );
    assert_eq!(ran.code, Some(0), "{ran:?}");

    let utf16: Vec<u8> = format!("\u{feff}{z}\r\n")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let ran = sandbox(&["--files-from=-"]).run_with(&utf16).await;
    assert_eq!(
        screenshots(&ran.stdout),
        ["z.png"],
        "as Windows writes it: {ran:?}"
    );

    let list = format!("{z}\0{shots}\0");
    let ran = sandbox(&["--files-from=-", "-0"])
        .run_with(list.as_bytes())
        .await;
    assert_eq!(
        screenshots(&ran.stdout),
        ["z.png", "2.png", "b.png"],
        "{ran:?}"
    );
}

#[tokio::test]
async fn a_list_that_names_nothing_or_cannot_be_read_stops_the_command() {
    let folder = Folder::with(&[]);
    std::fs::write(folder.path("list.txt"), "a.png\n-\n-\n").unwrap();
    let list = folder.text("list.txt");
    let cases: [(&[&str], &str); 7] = [
        (&["--files-from", &list], "`-` is given twice"),
        (&["--files-from=-"], "--files-from - has no path in it"),
        (
            &["--files-from=/gone.txt"],
            "cannot read --files-from /gone.txt",
        ),
        (&["--files-from=-", "-"], "`-` is given twice"),
        (&["--null", "a.png"], "--files-from <FILE>"),
        (&[], "<SCREENSHOT>"),
        (&["--id=", "a.png"], "--id"),
    ];
    for (options, why) in cases {
        let ran = sandbox(options).run().await;
        assert!(ran.stderr.contains(why), "{why}: {ran:?}");
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    }
}

#[tokio::test]
async fn an_empty_folder_is_told_and_keeps_no_other_from_being_solved() {
    let folder = Folder::with(&["a.png", "empty/.hidden.png"]);
    let (empty, shot) = (folder.text("empty"), folder.text("a.png"));
    let ran = sandbox(&[&empty, &shot]).run().await;
    assert_eq!(
        (ran.code, ran.stdout.lines().count()),
        (Some(3), 2),
        "{ran:?}"
    );
    let told =
        format!("error: cannot use {empty}: it is a directory, and no name in it ends in .gif");
    assert!(ran.stderr.starts_with(&told), "{ran:?}");
}

/// Answers the first job only when the second has been answered.
async fn second_first() -> Server {
    let second_is_answered = std::sync::atomic::AtomicBool::new(false);
    Server::answering(move |path, body, number| {
        use std::sync::atomic::Ordering::SeqCst;
        if path == "/api/createJob" {
            return Some(json!({"error": false, "job_id": number}));
        }
        if body["job_id"] == 1 && !second_is_answered.load(SeqCst) {
            return Some(json!({"error": false, "status": "running", "result": null}));
        }
        second_is_answered.store(true, SeqCst);
        Some(json!({"error": false, "status": "success", "result": "10|20|30|40"}))
    })
    .await
}

#[tokio::test]
async fn unordered_results_are_printed_as_they_come() {
    let folder = Folder::with(&["a.png", "b.png"]);
    let (a, b) = (folder.text("a.png"), folder.text("b.png"));
    for (option, reversed) in [("--unordered", true), ("--attempts=1", false)] {
        let server = second_first().await;
        let ran = drag_solver([
            "solve",
            "--format=json",
            "--poll-interval=1ms",
            option,
            &a,
            &b,
        ])
        .omocaptcha(&server.url())
        .run()
        .await;
        let jobs: Vec<Value> = ran
            .stdout
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["job"].take())
            .collect();
        if reversed {
            assert_eq!(jobs, ["2", "1"], "{ran:?}");
        } else {
            assert_eq!(screenshots(&ran.stdout), ["a.png", "b.png"], "{ran:?}");
        }
    }
}

fn pictures(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn each_solved_screenshot_has_its_picture_under_its_name() {
    let folder = Folder::with(&["new/a.png", "old/a.png", "b.png"]);
    std::fs::write(folder.path("hollow.gif"), fixtures::screenshot().bytes()).unwrap();
    std::fs::write(folder.path("gone.png"), "").unwrap();
    let (root, out) = (folder.text(""), folder.text("out/drawn"));
    let ran = sandbox(&[&root, "--annotate-dir", &out]).run().await;
    assert_eq!(ran.stdout.lines().count(), 5, "{ran:?}");
    // What cannot be drawn on is not solved, and what is not solved has no picture.
    assert!(ran.stderr.contains("cannot draw on "), "{ran:?}");
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert_eq!(pictures(Path::new(&out)), ["a-2.png", "a.png", "b.png"]);
    for (name, original) in [
        ("a.png", "new/a.png"),
        ("a-2.png", "old/a.png"),
        ("b.png", "b.png"),
    ] {
        let drawn = Screenshot::from_file(Path::new(&out).join(name)).unwrap();
        let original = Screenshot::from_file(folder.path(original)).unwrap();
        assert_eq!((drawn.width(), drawn.height()), (100, 200));
        assert_ne!(drawn.bytes(), original.bytes());
    }
}

#[tokio::test]
async fn a_folder_that_cannot_hold_the_pictures_is_refused_before_anything_is_bought() {
    let folder = Folder::with(&["a.png", "b.png"]);
    let (root, file) = (folder.text(""), folder.text("a.png"));
    let server = Server::solving_after(1).await;
    let cases: [(&[&str], &str); 3] = [
        (
            &["--annotate-dir", &root],
            "would write over the screenshot",
        ),
        (&["--annotate-dir", &file], "cannot write to --annotate-dir"),
        (&["--annotate=out.png"], "there are 2: use --annotate-dir"),
    ];
    for (options, why) in cases {
        let ran = drag_solver(["solve", &root].iter().chain(options))
            .omocaptcha(&server.url())
            .run()
            .await;
        assert!(ran.stderr.contains(why), "{why}: {ran:?}");
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    }
    assert!(server.asked().is_empty());
    assert_eq!(pictures(folder.0.path()), ["a.png", "b.png"]);
}

#[tokio::test]
async fn a_picture_that_cannot_be_written_loses_no_answer() {
    let folder = Folder::with(&["a.png", "b.png"]);
    let out = folder.text("out");
    // The folder goes away while the answers are waited for.
    let gone = out.clone();
    let server = Server::start(move |path, _| {
        if path == "/api/createJob" {
            let _ = std::fs::remove_dir(&gone);
            return Some(json!({"error": false, "job_id": 1}));
        }
        Some(json!({"error": false, "status": "success", "result": "10|20|30|40"}))
    })
    .await;
    let args = ["solve", "--poll-interval=1ms", "--annotate-dir", &out];
    let ran = drag_solver(args)
        .arg(folder.path("a.png"))
        .arg(folder.path("b.png"))
        .omocaptcha(&server.url())
        .run()
        .await;
    assert_eq!(
        (ran.code, ran.stdout.lines().count()),
        (Some(2), 2),
        "{ran:?}"
    );
    assert_eq!(
        ran.stderr.matches("error: cannot write ").count(),
        2,
        "{ran:?}"
    );
    assert!(ran.stderr.contains("2 of 2 solved; "), "{ran:?}");
}

#[tokio::test]
async fn quiet_is_quiet_and_the_exit_status_says_the_rest() {
    let folder = Folder::with(&["a.png", "b.png"]);
    std::fs::write(folder.path("c.gif"), fixtures::screenshot().bytes()).unwrap();
    let root = folder.text("");
    let ran = drag_solver(["solve", "-q", &root]).run().await;
    assert_eq!(
        (ran.stdout.lines().count(), ran.stderr.as_str()),
        (2, ""),
        "{ran:?}"
    );
    assert_eq!(
        ran.code,
        Some(2),
        "no account, and a picture that is no test picture"
    );
    let ran = drag_solver(["--quiet", "solve", "--provider=sandbox", &root])
        .run()
        .await;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    let ran = drag_solver(["solve", "-q", "--config=/gone.toml", &root])
        .run()
        .await;
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.starts_with("error: "),
        "what stops it is told: {ran:?}"
    );
    let ran = drag_solver(["solve", "-q", "-v", &root]).run().await;
    assert!(ran.stderr.contains("cannot be used with"), "{ran:?}");
}

#[tokio::test]
async fn colours_are_as_the_option_and_the_environment_say() {
    let run = |options: &[&str], variables: &[&str]| {
        let run = drag_solver(
            ["solve", "/gone.png", "--provider=sandbox"]
                .iter()
                .chain(options),
        );
        variables
            .iter()
            .fold(run, |run, name| run.env(name, "1"))
            .run()
    };
    for (options, variables, coloured) in [
        (&[][..], &[][..], false),
        (&["--color=always"], &["NO_COLOR"], true),
        (&[], &["CLICOLOR_FORCE"], true),
        (&["--color=never"], &["CLICOLOR_FORCE"], false),
        (&["--color=auto"], &["NO_COLOR"], false),
    ] {
        let ran = run(options, variables).await;
        assert_eq!(ran.stderr.contains('\x1b'), coloured, "{ran:?}");
        assert!(ran.stderr.contains("cannot use /gone.png"), "{ran:?}");
        let wrong: Vec<&str> = options
            .iter()
            .copied()
            .chain(["--no-such-option"])
            .collect();
        let ran = run(&wrong, variables).await;
        assert_eq!(ran.stderr.contains('\x1b'), coloured, "clap's own: {ran:?}");
        let log: Vec<&str> = options.iter().copied().chain(["-vvv"]).collect();
        let ran = run(&log, variables).await;
        assert_eq!(ran.stderr.contains('\x1b'), coloured, "the log: {ran:?}");
    }
}

#[tokio::test]
async fn an_id_comes_out_with_the_answer_and_is_that_of_one_screenshot() {
    let picture = TestPicture::draw_sized(1, 100, 200).unwrap();
    let run = sandbox(&["--id=order 7", "-"]);
    let ran = run.run_with(picture.screenshot().bytes()).await;
    let line: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(line["id"], "order 7", "{ran:?}");
    let ran = sandbox(&["--id=7", "a.png", "b.png"]).run().await;
    assert!(
        ran.stderr
            .contains("--id takes one screenshot at a time, and there are 2"),
        "{ran:?}"
    );
    assert_eq!(ran.code, Some(2));
}
