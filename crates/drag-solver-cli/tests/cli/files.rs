//! Files that are no screenshots.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::Path;

use drag_solver_mock::fixtures;
use drag_solver_mock::pictures::TestPicture;

use crate::support::drag_solver;

/// A place that no run may connect to.
struct Untouched(TcpListener);

impl Untouched {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn url(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }

    #[track_caller]
    fn check(&self) {
        let error = self.0.accept().expect_err("a run connected");
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
    }
}

/// Unusable screenshots, each with what the error must say.
fn defects(folder: &Path) -> Vec<(String, &'static str)> {
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let empty = folder.join("empty");
    std::fs::create_dir_all(&empty).unwrap();
    let picture = TestPicture::draw_sized(1, 100, 200).unwrap();
    let whole = picture.screenshot().bytes();
    let half = &whole[..whole.len() / 2];
    vec![
        (
            write("README.md", b"# drag-solver\n"),
            "not a picture this library knows: expected PNG, JPEG, WebP or GIF",
        ),
        (write("empty.png", b""), "the picture is empty (0 bytes)"),
        (
            write("truncated.png", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0"),
            "the PNG picture is cut off inside its header",
        ),
        (
            write("half.png", half),
            "the PNG picture is cut off: its end is missing, as while it is being written",
        ),
        (
            empty.to_str().unwrap().to_owned(),
            "it is a directory, and no name in it ends in .gif, .jpeg, .jpg, .png, .webp",
        ),
        (
            folder.join("missing.png").to_str().unwrap().to_owned(),
            "there is no such file",
        ),
    ]
}

#[tokio::test]
async fn each_is_one_line_and_nothing_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    for (path, expected) in defects(folder.path()) {
        let server = Untouched::new();
        let ran = drag_solver(["solve", &path])
            .omocaptcha(&server.url())
            .run()
            .await;
        assert_eq!(
            ran.stderr,
            format!("error: cannot use {path}: {expected}; nothing was sent\n")
        );
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""));
        server.check();
    }
}

#[tokio::test]
async fn each_has_its_line_of_json_in_the_order_of_the_arguments() {
    let folder = tempfile::tempdir().unwrap();
    let defects = defects(folder.path());
    let server = Untouched::new();
    let paths = defects.iter().map(|(path, _)| path.as_str());
    let ran = drag_solver(["solve", "--format", "json"].into_iter().chain(paths))
        .omocaptcha(&server.url())
        .run()
        .await;
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), defects.len());
    for ((path, why), line) in defects.iter().zip(lines) {
        let start = format!(
            r#"{{"v":1,"screenshot":"{path}","status":"failed","error":{{"kind":"invalid_challenge","solver":null,"message":"cannot use {path}: {why}","billed":"no","#
        );
        assert!(line.starts_with(&start), "{start} / {line}");
    }
    assert_eq!(ran.code, Some(3));
    for ((path, why), line) in defects.iter().zip(ran.stderr.lines()) {
        assert_eq!(
            line,
            format!("error: cannot use {path}: {why}; nothing was sent")
        );
    }
    let summary = "0 of 6 solved, 6 failed (6 invalid_challenge); ";
    assert!(
        ran.stderr.lines().last().unwrap().starts_with(summary),
        "{ran:?}"
    );
    server.check();
}

#[tokio::test]
async fn standard_input_can_be_no_picture_either() {
    let server = Untouched::new();
    for (input, why) in [(&b""[..], "empty"), (b"text", "expected PNG")] {
        let ran = drag_solver(["solve", "-"])
            .omocaptcha(&server.url())
            .run_with(input)
            .await;
        let start = "error: cannot use standard input: ";
        assert!(ran.stderr.starts_with(start), "{ran:?}");
        assert!(ran.stderr.contains(why), "{ran:?}");
        assert_eq!((ran.code, ran.stderr.lines().count()), (Some(3), 1));
    }
    let ran = drag_solver(["solve", "-", "-"])
        .omocaptcha(&server.url())
        .run()
        .await;
    assert!(ran.stderr.contains("`-` is given twice"), "{ran:?}");
    assert_eq!(ran.code, Some(2));
    server.check();
}

#[tokio::test]
async fn what_cannot_be_drawn_or_does_not_fit_is_refused_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    // A sound header, and no pixels behind it.
    std::fs::write(path("hollow.gif"), fixtures::screenshot().bytes()).unwrap();
    let server = Untouched::new();
    let cases: [(&[&str], i32, &str); 6] = [
        (&["--annotate", &path("out.png")], 3, "cannot be decoded"),
        (
            &["--annotate", &path("hollow.gif")],
            2,
            "the screenshot itself",
        ),
        (&["--annotate", &path("")], 2, "is a directory"),
        (&["--annotate", &path("out.jpg")], 2, "ends in .png"),
        (
            &["--annotate", &path("no/out.png")],
            2,
            "no/out.png: its folder does not exist",
        ),
        (&["--region", "0,0,600,10"], 3, "591x1149 px screenshot"),
    ];
    for (options, status, why) in cases {
        let ran = drag_solver(["solve", &path("hollow.gif")].iter().chain(options))
            .omocaptcha(&server.url())
            .run()
            .await;
        assert!(ran.stderr.contains(why), "{why}: {ran:?}");
        assert_eq!(
            (ran.code, ran.stderr.lines().count()),
            (Some(status), 1),
            "{ran:?}"
        );
    }
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing was left behind"
    );
    server.check();
}

/// A pipe without a writer would be waited for, and is told in its place.
#[cfg(unix)]
#[tokio::test]
async fn what_is_no_regular_file_is_told_and_never_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::create_dir(path("shots")).unwrap();
    let picture = TestPicture::draw_sized(1, 200, 400).unwrap();
    std::fs::write(path("shots/a.png"), picture.screenshot().bytes()).unwrap();
    for pipe in [
        "shots/pipe.png",
        "labels.jsonl",
        "chain.toml",
        "wire.jsonl",
        "drags.db",
    ] {
        let made = std::process::Command::new("mkfifo")
            .arg(path(pipe))
            .status();
        assert!(made.unwrap().success());
    }
    let _socket = std::os::unix::net::UnixListener::bind(path("shots/socket.png")).unwrap();

    let ran = drag_solver(["solve", "--provider=sandbox", &path("shots")])
        .run()
        .await;
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stdout.contains("a.png: "), "{ran:?}");
    for name in ["pipe.png", "socket.png"] {
        let told = format!("{name}: it is no regular file");
        assert!(ran.stderr.contains(&told), "{ran:?}");
    }

    let (shots, shot) = (path("shots"), path("shots/a.png"));
    let (labels, chain, wire, store) = (
        path("labels.jsonl"),
        path("chain.toml"),
        path("wire.jsonl"),
        path("drags.db"),
    );
    for args in [
        &["check", &chain][..],
        &["solve", "--config", &chain, &shot],
        &["serve", "--config", &chain],
        &["service", "test", &chain],
        &["evaluate", &labels],
        &["label", &shots, "--output", &labels],
        &["service", "test", "--replay", &wire],
        &["solve", "--files-from", &wire],
        &["solve", "--store", &store, &shot],
        &["jobs", "--store", &store],
        &["spend", "--store", &store],
        &["jobs", "--store", "/dev/null"],
        &["jobs", "--store", "/dev/stdin"],
        &["label", &shots, "--output", "/dev/stdin"],
        &["check", "/dev/null"],
    ] {
        let ran = drag_solver(args).run().await;
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(2), ""),
            "{args:?}: {ran:?}"
        );
        assert!(ran.stderr.contains("no regular file"), "{args:?}: {ran:?}");
    }
}

/// What a shell hands over is written to already.
#[cfg(unix)]
#[tokio::test]
async fn a_chain_and_a_service_can_come_from_a_program() {
    let chain = r#"printf '[[providers]]\nkind = "sandbox"\n' | "$@" check /dev/stdin"#;
    let service = concat!(
        "cat '",
        env!("CARGO_MANIFEST_DIR"),
        r#"/../drag-solver-declared/services/azcaptcha.toml' | "$@" service show /dev/fd/0"#
    );
    for how in [chain, service] {
        let ran = crate::support::from_shell(how, [""; 0]).run().await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
}

#[tokio::test]
async fn a_folder_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (out, missing) = (folder.path().join("no/a.png"), folder.path().join("no"));
    let ran = drag_solver(["challenge", "--out"]).arg(&out).run().await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let told = format!(
        "error: cannot write {}: there is no folder {}\n",
        out.display(),
        missing.display()
    );
    assert_eq!(ran.stderr, told);
}

#[tokio::test]
async fn what_is_no_line_is_told_in_plain_words() {
    for (line, problem) in [
        ("hello", "it is no JSON, from column 1 on"),
        ("{\"v\":1", "it is cut off"),
        ("[]", "it is a list, and must be an object"),
        (
            "{\"v\":1,\"screenshot\":\"a.png\",\"status\":\"hunter2\"}",
            "at column 47 there must be `solved` or `failed`",
        ),
    ] {
        let ran = drag_solver(["resume"]).run_with(line.as_bytes()).await;
        assert_eq!(ran.code, Some(2), "{ran:?}");
        let told = format!(
            "error: cannot use line 1 of standard input as a line of `solve --format json`: {problem}\n"
        );
        assert_eq!(ran.stderr, told);
    }
}
