//! Chains from a file, and what is done with the lines that `solve` printed: report and resume.

use drag_solver::core::Verdict;
use drag_solver_mock::challenge::{AnswerKey, TestPicture};
use drag_solver_mock::emulator::{Emulator, Fault, Step};
use serde_json::Value;

use crate::support::{Run, TOKEN, drag_solver, end_of};

/// A provider, a screenshot and a chain's file, gone with the test.
struct Scene {
    emulator: Emulator,
    picture: TestPicture,
    folder: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Self {
        let scene = Self {
            emulator: Emulator::builder()
                .solver(AnswerKey)
                .token(TOKEN)
                .start()
                .await
                .unwrap(),
            // Small enough for every provider.
            picture: TestPicture::draw_sized(3, 100, 200).unwrap(),
            folder: tempfile::tempdir().unwrap(),
        };
        std::fs::write(scene.path("shot.png"), scene.picture.screenshot().bytes()).unwrap();
        let chain = format!(
            r#"
            deadline = "60s"
            [budget]
            total = "1"
            [[providers]]
            name = "first"
            kind = "2captcha"
            base_url = "{}"
            token = {{ file = "token" }}
            price = "0.0009"
            poll = {{ first = "1ms", every = "1ms" }}
            timeout = "20s"
            retry = {{ max_attempts = 2 }}
            fit = true
            validate = true
            [[providers]]
            kind = "anticaptcha"
            base_url = "{}"
            token = {{ env = "SECOND" }}
            price = "0.002"
            poll = {{ first = "1ms", every = "1ms" }}
            "#,
            scene.emulator.twocaptcha_url(),
            scene.emulator.anticaptcha_url(),
        );
        std::fs::write(scene.path("chain.toml"), chain).unwrap();
        std::fs::write(scene.path("token"), format!("{TOKEN}\n")).unwrap();
        scene
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// The command with `args`, and the chain's file as `--config`.
    fn run(&self, args: &[&str]) -> Run {
        drag_solver(args)
            .arg("--config")
            .arg(self.path("chain.toml"))
            .env("SECOND", TOKEN)
    }

    /// The account of the environment, with the same provider.
    fn with_account(&self, run: Run) -> Run {
        run.env("TWOCAPTCHA_API_KEY", TOKEN)
            .env("TWOCAPTCHA_BASE_URL", self.emulator.twocaptcha_url())
    }
}

#[tokio::test]
async fn solve_asks_the_chain_in_the_file() {
    let scene = Scene::new().await;
    let ran = scene.run(&["solve", &scene.path("shot.png")]).run().await;
    let start = format!("{}  first ", scene.picture.drag());
    assert!(ran.stdout.starts_with(&start), "{ran:?}");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));

    // The account is empty: the second is asked, and its account is the same one here.
    scene.emulator.set_balance(drag_solver::core::Usd::ZERO);
    let ran = scene.run(&["solve", &scene.path("shot.png")]).run().await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    for part in [
        "1. first, ",
        "2. anticaptcha, ",
        "add another provider to ",
        "chain.toml",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {ran:?}");
    }
    scene.emulator.shutdown().await;
}

#[tokio::test]
async fn the_emulated_provider_can_be_in_a_chain_too() {
    let scene = Scene::new().await;
    let chain = "[[providers]]\nname = \"mine\"\nkind = \"sandbox\"\n";
    std::fs::write(scene.path("chain.toml"), chain).unwrap();
    let ran = scene.run(&["solve", &scene.path("shot.png")]).run().await;
    let start = format!("{}  mine ", scene.picture.drag());
    assert!(ran.stdout.starts_with(&start), "{ran:?}");
    assert_eq!(ran.code, Some(0));
    scene.emulator.shutdown().await;
}

#[tokio::test]
async fn check_tells_what_a_chain_is_and_can_cost_and_holds() {
    let scene = Scene::new().await;
    let check = |online: bool| {
        let run = drag_solver(["check"]).arg(scene.path("chain.toml"));
        let run = if online { run.arg("--online") } else { run };
        run.env("SECOND", TOKEN)
    };
    let ran = check(false).run().await;
    assert_eq!(
        ran.stdout,
        "fallback[
    2captcha(\"first\")
        .fit()
        .validate(min_length: 8 px)
        .timeout(20s)
        .budget(total: $1, price: $0.0009)
        .retry(max_attempts: 2, base_backoff: 500ms, max_backoff: 10s, max_retry_after: 60s),
    anticaptcha
        .budget(total: $1, price: $0.002),
]
    .deadline(60s)

at the worst: 3 attempts, 60s, $0.0038
  first: 2 attempts, 100s, $0.0018
  anticaptcha: 1 attempt, 120s, $0.002
note: the deadline of 60s may pass before anticaptcha is asked: those before it can take 100s
note: anticaptcha has no `fit`, so screenshots that it does not take are refused: over 500000 bytes or 500 px a side
"
    );
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(scene.emulator.books().requests, 0, "nothing is sent");

    let ran = check(true).run().await;
    assert!(
        ran.stdout
            .ends_with("\nfirst: 10 USD\nanticaptcha: 10 USD\n"),
        "{ran:?}"
    );
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let ran = scene.run(&["balance"]).run().await;
    assert_eq!(ran.stdout, "first: 10 USD\nanticaptcha: 10 USD\n");

    let ran = check(true).env("SECOND", "wrong").run().await;
    assert!(ran.stdout.ends_with("\nfirst: 10 USD\n"), "{ran:?}");
    assert!(ran.stderr.starts_with("error: anticaptcha: "), "{ran:?}");
    assert_eq!(ran.code, Some(1));
    scene.emulator.shutdown().await;
}

#[tokio::test]
async fn a_mistake_in_the_file_ends_every_command_before_anything_is_sent() {
    let scene = Scene::new().await;
    let chain = std::fs::read_to_string(scene.path("chain.toml")).unwrap();
    for (from, to, expected) in [
        (
            "max_attempts",
            "max_atempts",
            "unknown key `max_atempts` in providers.first.retry: did you mean `max_attempts`?\n",
        ),
        (
            "{ file = \"token\" }",
            "\"hunter2\"",
            "providers.first.token: a secret is not written into the file",
        ),
        ("[budget]", "[budget", "line 3, column "),
        (
            "SECOND",
            "OTHER",
            "providers.anticaptcha.token: the environment variable OTHER is not set",
        ),
    ] {
        std::fs::write(scene.path("chain.toml"), chain.replace(from, to)).unwrap();
        let (shot, file) = (scene.path("shot.png"), scene.path("chain.toml"));
        let commands: [&[&str]; 5] = [
            &["solve", &shot, "--config", &file],
            &["balance", "--config", &file],
            &["check", &file],
            &["report", "--correct", "--config", &file],
            &["resume", "--config", &file],
        ];
        for command in commands {
            let line =
                r#"{"screenshot":"a","status":"failed","error":{"provider":"first","job":"1"}}"#;
            let run = drag_solver(command).env("SECOND", TOKEN);
            let ran = run.run_with(line.as_bytes()).await;
            assert!(ran.stderr.starts_with(&format!("error: {file}")), "{ran:?}");
            assert!(ran.stderr.contains(expected), "{expected}: {ran:?}");
            assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
        }
    }
    assert_eq!(scene.emulator.books().requests, 0);
    scene.emulator.shutdown().await;
}

#[tokio::test]
async fn options_that_the_file_replaces_are_refused_beside_it() {
    let scene = Scene::new().await;
    for option in [
        "--provider=twocaptcha",
        "--attempts=2",
        "--poll-interval=1s",
    ] {
        let ran = scene.run(&["solve", "a.png", option]).run().await;
        assert!(ran.stderr.contains("cannot be used with"), "{ran:?}");
        assert_eq!(ran.code, Some(2));
    }
    let ran = scene
        .run(&["solve", "a.png", "--resume=third:1"])
        .run()
        .await;
    assert!(ran.stderr.contains("`third`, which is not in "), "{ran:?}");
    assert_eq!(ran.code, Some(2));
    scene.emulator.shutdown().await;
}

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
        (&line["provider"], &line["verdict"]),
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
        solved.stdout.contains(r#""parts":[{"provider":""#),
        "{solved:?}"
    );
    let report = scene.run(&["report", "--incorrect"]);
    let ran = report.run_with(solved.stdout.as_bytes()).await;
    for provider in ["first", "anticaptcha"] {
        let line = format!("{shot}: reported to {provider} as incorrect\n");
        assert!(ran.stdout.contains(&line), "{ran:?}");
    }
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(scene.emulator.books().reported_incorrect, 2);
    scene.emulator.shutdown().await;
}

#[tokio::test]
async fn a_report_that_cannot_be_made_says_why() {
    let scene = Scene::new().await;
    let solved = |provider: &str, job: &str| {
        format!(
            r#"{{"screenshot":"a.png","status":"solved","provider":"{provider}","start":{{"x":1,"y":2}},"end":{{"x":3,"y":4}},"job":"{job}"}}"#
        )
    };
    let failed = r#"{"screenshot":"a.png","status":"failed","error":{"kind":"timeout"}}"#;
    for (line, status, expected) in [
        (solved("first", "999"), 1, "too late"),
        (
            solved("anticaptcha", "999"),
            1,
            "takes no reports of correct answers",
        ),
        (
            failed.to_owned(),
            1,
            "a.png was not solved: there is no answer to report",
        ),
        (
            solved("third", "1"),
            2,
            "no provider of the chain is called `third`",
        ),
        (
            "solved".to_owned(),
            2,
            "line 1 of standard input is not one that",
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
    assert!(ran.stderr.contains("--correct"), "{ran:?}");
    let line = solved("first", "1");
    let ran = drag_solver(["report", "--correct"])
        .run_with(line.as_bytes())
        .await;
    assert!(ran.stderr.contains("add --config"), "{ran:?}");
    scene.emulator.shutdown().await;
}

/// A line of a run that was interrupted while its job, bought from `provider`, was waited for.
#[cfg(unix)]
async fn interrupted_line(scene: &Scene, run: Run) -> String {
    scene.emulator.inject(Step::Poll, Fault::Html, u32::MAX);
    let before = scene.emulator.jobs().len();
    let child = run.start();
    let asked_about = || {
        scene
            .emulator
            .jobs()
            .get(before)
            .is_some_and(|job| job.polls > 0)
    };
    while !asked_about() {
        tokio::task::yield_now().await;
    }
    let id = child.id().unwrap().to_string();
    let kill = std::process::Command::new("kill")
        .args(["-s", "INT", &id])
        .status();
    assert!(kill.unwrap().success());
    let ran = end_of(child).await;
    assert_eq!(ran.code, Some(130), "{ran:?}");
    scene.emulator.clear_faults();
    ran.stdout
}

#[cfg(unix)]
#[tokio::test]
async fn what_was_paid_for_is_fetched_from_its_line_and_nothing_is_bought() {
    let scene = Scene::new().await;
    let shot = scene.path("shot.png");
    let solve = ["solve", "--format=json", shot.as_str()];
    let line = interrupted_line(&scene, scene.run(&solve)).await;
    let ran = scene.run(&["resume"]).run_with(line.as_bytes()).await;
    let start = format!("{}  first ", scene.picture.drag());
    assert!(ran.stdout.starts_with(&start), "{ran:?}");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(scene.emulator.books().jobs_created, 1, "bought once");

    // Without a file, and with a screenshot that has moved. What was resumed can be reported.
    let solve = drag_solver(solve).arg("--poll-interval=1ms");
    let line = interrupted_line(&scene, scene.with_account(solve)).await;
    std::fs::rename(&shot, scene.path("moved.png")).unwrap();
    let resume = || {
        scene.with_account(drag_solver([
            "resume",
            "--format=json",
            "--poll-interval=1ms",
        ]))
    };
    let ran = resume().run_with(line.as_bytes()).await;
    assert!(ran.stdout.contains("there is no such file"), "{ran:?}");
    assert_eq!(ran.code, Some(2));
    let moved = resume().arg("--screenshot").arg(scene.path("moved.png"));
    let ran = moved.run_with(line.as_bytes()).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let run = scene.with_account(drag_solver(["report", "--incorrect"]));
    assert_eq!(run.run_with(ran.stdout.as_bytes()).await.code, Some(0));
    assert_eq!(scene.emulator.jobs()[1].verdict, Some(Verdict::Incorrect));
    assert_eq!(scene.emulator.books().jobs_created, 2);
    scene.emulator.shutdown().await;
}

#[tokio::test]
async fn resume_never_buys() {
    let scene = Scene::new().await;
    let shot = scene.path("shot.png");
    let line = |provider: &str, job: &str, screenshot: &str| {
        format!(
            r#"{{"screenshot":"{screenshot}","status":"failed","error":{{"kind":"timeout","provider":"{provider}","job":{job},"attempts":[]}}}}"#
        )
    };
    let solved = r#"{"screenshot":"a.png","status":"solved","provider":"x","start":{"x":1,"y":2},"end":{"x":3,"y":4},"job":null}"#;
    for (line, status, expected) in [
        // A job that the provider does not know: a retry or the second provider would buy another.
        (line("first", "\"999\"", &shot), 1, "too late"),
        (line("first", "null", &shot), 1, "has no unfinished job"),
        (
            line("third", "\"1\"", &shot),
            2,
            "no provider of the chain is called `third`",
        ),
        (
            line("first", "\"1\"", "-"),
            2,
            "say where it is now with --screenshot",
        ),
        (solved.to_owned(), 0, ""),
    ] {
        let ran = scene.run(&["resume"]).run_with(line.as_bytes()).await;
        assert!(ran.stderr.contains(expected), "{expected}: {ran:?}");
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(status), ""),
            "{ran:?}"
        );
    }
    assert_eq!(scene.emulator.books().jobs_created, 0);

    // A job that was given up: a retry would buy another at once.
    let unknown = scene.path("unknown.gif");
    std::fs::write(&unknown, b"GIF89a\x4f\x02\x7d\x01\0\0\0;").unwrap();
    let ran = scene.run(&["solve", &unknown]).run().await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let jobs = scene.emulator.jobs();
    let line = line("first", &format!("\"{}\"", jobs[0].id), &unknown);
    let ran = scene.run(&["resume"]).run_with(line.as_bytes()).await;
    assert!(ran.stderr.contains("(unsolvable, cost nothing)"), "{ran:?}");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
    assert_eq!(scene.emulator.jobs().len(), jobs.len());
    scene.emulator.shutdown().await;
}
