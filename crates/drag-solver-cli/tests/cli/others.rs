//! The smaller commands.

use std::process::Stdio;

use drag_solver_mock::pictures::TestPicture;

use crate::support::drag_solver;

#[tokio::test]
async fn challenge_draws_the_picture_of_the_seed_and_prints_its_drag() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.png");
    let ran = drag_solver(["challenge", "--seed", "7", "--size", "200x400", "--out"])
        .arg(&path)
        .run()
        .await;
    let picture = TestPicture::draw_sized(7, 200, 400).unwrap();
    assert_eq!(ran.stdout, format!("{}\n", picture.drag()));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(picture.screenshot().bytes(), &std::fs::read(&path).unwrap());

    // Nothing is written over it unless that is asked for.
    let other = drag_solver(["challenge", "--seed", "8", "--out"]).arg(&path);
    let ran = other.run().await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    assert!(
        ran.stderr
            .contains("out.png is there already: --force writes over it"),
        "{ran:?}"
    );
    assert_eq!(picture.screenshot().bytes(), &std::fs::read(&path).unwrap());
    let forced = drag_solver(["challenge", "--seed", "8", "--force", "--out"]).arg(&path);
    assert_eq!(forced.run().await.code, Some(0));
    assert_ne!(picture.screenshot().bytes(), &std::fs::read(&path).unwrap());
}

#[tokio::test]
async fn challenge_that_cannot_be_drawn_or_written_says_why() {
    let cases: [(&[&str], &str); 4] = [
        (&["--out=x.png", "--size=10x10"], "each side must have 64"),
        (&["--out=x.png", "--size=10"], "as in 591x1149"),
        (&["--out=/no/x.png"], "cannot write /no/x.png"),
        (&[], "--out <PNG>"),
    ];
    for (options, why) in cases {
        let ran = drag_solver(["challenge"].iter().chain(options)).run().await;
        assert!(ran.stderr.contains(why), "{why}: {ran:?}");
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    }
}

#[tokio::test]
async fn every_shell_has_its_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = drag_solver(["completions", shell]).run().await;
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
        assert!(ran.stdout.contains("annotate"), "{shell}");
    }
}

#[tokio::test]
async fn every_command_has_its_manual_page() {
    let ran = drag_solver(["man"]).run().await;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    for part in [
        ".TH drag-solver 1",
        "\\-\\-quiet",
        "Exit status:",
        "OMOCAPTCHA_API_TOKEN",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    assert!(!ran.stdout.contains("help(1)"), "{}", ran.stdout);
    let folder = tempfile::tempdir().unwrap();
    let man1 = folder.path().join("share/man1");
    let ran = drag_solver(["man"]).arg(&man1).run().await;
    assert_eq!(
        (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
        (Some(0), "", "")
    );
    let page = |name: &str| std::fs::read_to_string(man1.join(name)).unwrap();
    assert!(page("drag-solver.1").contains(r"drag\-solver\-service(1)"));
    assert!(page("drag-solver-solve.1").contains("\\-\\-annotate\\-dir"));
    assert!(page("drag-solver-service-test.1").contains("Examples:"));
    assert!(!man1.join("drag-solver-help.1").exists());

    std::fs::write(folder.path().join("file"), "").unwrap();
    let ran = drag_solver(["man"])
        .arg(folder.path().join("file"))
        .run()
        .await;
    assert!(ran.stderr.contains("error: cannot write to "), "{ran:?}");
    assert_eq!(ran.code, Some(2));
}

/// A pipe whose reader has gone away.
fn broken_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[tokio::test]
async fn a_reader_that_went_away_is_no_error_of_the_smaller_commands() {
    for command in [&["completions", "bash"][..], &["services"], &["--help"]] {
        let ran = drag_solver(command).stdout(broken_pipe()).run().await;
        assert_eq!(
            (ran.code, ran.stderr.as_str()),
            (Some(0), ""),
            "{command:?}"
        );
    }
}

#[tokio::test]
async fn help_tells_the_exit_statuses_and_the_variables() {
    for command in [&["--help"][..], &["solve", "--help"]] {
        let ran = drag_solver(command).run().await;
        for part in [
            "Exit status:",
            "  130  ",
            "OMOCAPTCHA_API_TOKEN",
            "TWOCAPTCHA_API_KEY",
            "ANTICAPTCHA_BASE_URL",
            "HTTPS_PROXY",
            "all_proxy",
            "NO_PROXY",
            "NO_COLOR",
        ] {
            assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
        }
        assert!(
            !ran.stdout.contains('\x1b'),
            "no colours outside of a terminal"
        );
    }
}
