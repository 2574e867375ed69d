//! The main job, on a machine with no account.

use drag_solver_mock::fixtures;
use drag_solver_mock::pictures::TestPicture;

use crate::support::drag_solver;

#[tokio::test]
async fn the_main_job_runs_on_a_fresh_machine() {
    let picture = TestPicture::draw(7).unwrap();
    let ran = drag_solver(["solve", "-"])
        .run_with(picture.screenshot().bytes())
        .await;
    assert_eq!(
        (ran.code, ran.stdout.lines().count()),
        (Some(0), 1),
        "{ran:?}"
    );
    let start = format!("{}  sandbox ", picture.drag());
    assert!(ran.stdout.starts_with(&start), "{ran:?}");
    assert_eq!(ran.stderr.lines().count(), 1);
    for variable in [
        "OMOCAPTCHA_API_TOKEN",
        "TWOCAPTCHA_API_KEY",
        "ANTICAPTCHA_API_KEY",
    ] {
        assert!(ran.stderr.contains(variable), "{ran:?}");
    }
}

#[tokio::test]
async fn results_come_in_the_order_of_the_arguments() {
    let folder = tempfile::tempdir().unwrap();
    let mut args = vec!["solve".to_owned(), "--provider=sandbox".to_owned()];
    let mut expected = Vec::new();
    for seed in 0..6 {
        let picture = TestPicture::draw_sized(seed, 200, 400).unwrap();
        let path = folder.path().join(format!("{seed}.png"));
        std::fs::write(&path, picture.screenshot().bytes()).unwrap();
        let path = path.to_str().unwrap().to_owned();
        expected.push(format!("{path}: {}  sandbox ", picture.drag()));
        args.push(path);
    }
    let ran = drag_solver(&args).run().await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.starts_with("6 of 6 solved; "), "{ran:?}");
    assert!(ran.stderr.ends_with(" s, $0\n"), "{ran:?}");
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), expected.len());
    for (line, start) in lines.iter().zip(&expected) {
        assert!(line.starts_with(start), "{line} / {start}");
    }
}

#[tokio::test]
async fn the_sandbox_never_invents_a_drag() {
    let unknown = fixtures::screenshot();
    let run = drag_solver(["solve", "--provider=sandbox", "-"]);
    let ran = run.run_with(unknown.bytes()).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.contains("(unsolvable, cost nothing)"), "{ran:?}");
    assert!(!ran.stderr.contains("attempts"), "asked once: {ran:?}");
    assert!(ran.stderr.contains("`drag-solver challenge`"), "{ran:?}");
}

#[tokio::test]
async fn without_an_account_an_unknown_picture_is_a_mistake_in_the_configuration() {
    let unknown = fixtures::screenshot();
    let run = drag_solver(["solve", "-"]).run_with(unknown.bytes()).await;
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{run:?}");
    assert!(
        run.stderr
            .contains("there is no account: set OMOCAPTCHA_API_TOKEN"),
        "{run:?}"
    );
    let run = drag_solver(["solve", "-", "--format=json"]);
    let ran = run.run_with(unknown.bytes()).await;
    let line: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (ran.code, &line["error"]["kind"]),
        (Some(2), &"unauthorized".into())
    );
}

#[tokio::test]
async fn the_annotated_picture_is_written_and_has_the_size_of_the_screenshot() {
    let folder = tempfile::tempdir().unwrap();
    let (shot, out) = (
        folder.path().join("shot.png"),
        folder.path().join("out.png"),
    );
    let picture = TestPicture::draw_sized(7, 200, 400).unwrap();
    std::fs::write(&shot, picture.screenshot().bytes()).unwrap();
    let ran = drag_solver(["solve", "--provider=sandbox"])
        .arg(&shot)
        .arg("--annotate")
        .arg(&out)
        .run()
        .await;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let drawn = drag_solver::Screenshot::from_file(&out).unwrap();
    assert_eq!((drawn.width(), drawn.height()), (200, 400));
    assert_ne!(drawn.bytes(), picture.screenshot().bytes());
}

#[tokio::test]
async fn a_price_of_the_sandbox_is_the_most_and_it_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::create_dir(path("shots")).unwrap();
    for seed in 0..3 {
        let picture = TestPicture::draw_sized(seed, 200, 400).unwrap();
        let shot = path(&format!("shots/{seed}.png"));
        std::fs::write(shot, picture.screenshot().bytes()).unwrap();
    }
    let chain = path("chain.toml");
    for store in ["", "name = \"daily\"\n[store]\npath = \"drags.db\""] {
        let text = format!(
            "[[providers]]\nkind = \"sandbox\"\nprice = \"0.001\"\n[budget]\nper_period = \"0.001\"\nperiod = \"24h\"\n{store}"
        );
        std::fs::write(&chain, text).unwrap();
        let checked = drag_solver(["check", &chain]).run().await;
        let note =
            "note: the `price` of sandbox is the most that an answer costs, and it costs $0: ";
        assert!(checked.stdout.contains(note), "{checked:?}");
        // What costs nothing uses up no budget.
        let solve = [
            "solve",
            "--concurrency=1",
            "--config",
            &chain,
            &path("shots"),
        ];
        let ran = drag_solver(solve).run().await;
        assert!(ran.stderr.contains("3 of 3 solved; "), "{ran:?}");
        assert!(ran.stderr.ends_with(", $0\n"), "{ran:?}");
    }
    for by in ["solver", "budget"] {
        let args = ["spend", "--by", by, "--store", &path("drags.db")];
        let spent = drag_solver(args).run().await;
        assert!(spent.stdout.contains("in all: $0, "), "{spent:?}");
    }
}
