//! `report`: what is done with the lines of what was solved.

use drag_solver::Verdict;
use serde_json::Value;

use crate::scene::{Scene, failed_line, solved_line};
use crate::support::drag_solver;

#[tokio::test]
async fn what_was_solved_is_reported_from_its_line() {
    let scene = Scene::new().await;
    let shot = scene.path("shot.png");
    let json = ["solve", "--format=json", shot.as_str()];
    let solved = scene.run(&json).run().await.stdout;
    let ran = scene
        .run(&["report", "--incorrect"])
        .run_with(solved.as_bytes())
        .await;
    assert_eq!(
        ran.stdout,
        format!("{shot}: reported to first as incorrect\n")
    );
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(scene.emulator.jobs()[0].verdict, Some(Verdict::Incorrect));

    // The same without a file: the provider is found by its name.
    let run = scene.with_account(drag_solver(json).arg("--poll-interval=1ms"));
    let solved = run.run().await.stdout;
    let run = scene.with_account(drag_solver(["report", "--correct", "--format=json"]));
    let ran = run.run_with(solved.as_bytes()).await;
    let line: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &line["status"]), (Some(0), &"reported".into()));
    assert_eq!(
        (&line["solver"], &line["verdict"]),
        (&"twocaptcha".into(), &"correct".into())
    );
    assert_eq!(scene.emulator.jobs()[1].verdict, Some(Verdict::Correct));
    scene.emulator.shutdown().await;
}

#[tokio::test]
async fn answers_that_agreed_are_each_reported() {
    let scene = Scene::new().await;
    let chain = std::fs::read_to_string(scene.path("chain.toml")).unwrap();
    let chain = format!("strategy = \"quorum\"\n{chain}");
    std::fs::write(scene.path("chain.toml"), chain).unwrap();
    let shot = scene.path("shot.png");
    let solved = scene.run(&["solve", "--format=json", &shot]).run().await;
    assert!(
        solved.stdout.contains(r#""contributors":[{""#),
        "{solved:?}"
    );
    let report = scene.run(&["report", "--incorrect"]);
    let ran = report.run_with(solved.stdout.as_bytes()).await;
    for provider in ["first", "anticaptcha"] {
        let line = format!("{shot}: reported to {provider} as incorrect\n");
        assert!(ran.stdout.contains(&line), "{ran:?}");
    }
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(scene.emulator.stats().reported_incorrect, 2);
    scene.emulator.shutdown().await;
}

#[tokio::test]
async fn a_report_that_cannot_be_made_says_why() {
    let scene = Scene::new().await;
    for (line, status, expected) in [
        (solved_line("a.png", "first", "999"), 1, "too late"),
        (
            solved_line("a.png", "anticaptcha", "999"),
            1,
            "takes no reports of correct answers",
        ),
        (
            failed_line("a.png", &[]),
            1,
            "a.png was not solved: there is no answer to report",
        ),
        (
            solved_line("a.png", "third", "1"),
            2,
            "no provider of the chain is called `third`",
        ),
        (
            "solved".to_owned(),
            2,
            "cannot use line 1 of standard input",
        ),
        (String::new(), 2, "has no lines"),
    ] {
        let ran = scene
            .run(&["report", "--correct"])
            .run_with(line.as_bytes())
            .await;
        assert!(ran.stderr.contains(expected), "{expected}: {ran:?}");
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(status), ""),
            "{ran:?}"
        );
    }
    let ran = drag_solver(["report"]).run().await;
    assert!(ran.stderr.contains("<--correct|--incorrect>"), "{ran:?}");
    let line = solved_line("a.png", "first", "1");
    let ran = drag_solver(["report", "--correct"])
        .run_with(line.as_bytes())
        .await;
    assert!(ran.stderr.contains("add --config"), "{ran:?}");
    scene.emulator.shutdown().await;
}

#[tokio::test]
async fn a_line_that_cannot_be_reported_keeps_no_other_from_being_reported() {
    let scene = Scene::new().await;
    let shot = scene.path("shot.png");
    let solved = scene.run(&["solve", "--format=json", &shot]).run().await;
    let gone = solved_line("gone.png", "third", "1");
    let torn = &solved.stdout[..40];
    let lines = format!("\u{feff}{gone}{torn}\n{}{torn}", solved.stdout);
    for format in ["text", "json"] {
        let report = scene.run(&["report", "--incorrect", "--format", format]);
        let ran = report.run_with(lines.as_bytes()).await;
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stdout.contains(&shot), "{ran:?}");
        let printed = format!("{}{}", ran.stdout, ran.stderr);
        assert!(
            printed.contains("gone.png") && printed.contains("`third`"),
            "{printed}"
        );
        for number in ["line 2 ", "line 4 "] {
            assert!(ran.stderr.contains(number), "{ran:?}");
        }
    }
    assert_eq!(scene.emulator.stats().reported_incorrect, 2);
    scene.emulator.shutdown().await;
}
