//! Chains from a file.

use drag_solver::Usd;

use crate::scene::{Scene, failed_line};
use crate::support::{TOKEN, drag_solver};

#[tokio::test]
async fn solve_asks_the_chain_in_the_file() {
    let scene = Scene::new().await;
    let ran = scene.run(&["solve", &scene.path("shot.png")]).run().await;
    let start = format!("{}  first ", scene.picture.drag());
    assert!(ran.stdout.starts_with(&start), "{ran:?}");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));

    // The account is empty: the second is asked, and its account is the same one here.
    scene.emulator.set_balance(Usd::ZERO);
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
        .retry(max_attempts: 2, base_backoff: 500ms, max_backoff: 10s, max_retry_after: 1m),
    anticaptcha
        .budget(total: $1, price: $0.002),
]
    .deadline(1m)

at most: 3 answers, 60s, $0.0038
  first: 2 answers, 100s, $0.0018
  anticaptcha: 1 answer, 120s, $0.002
note: the deadline of 60s may pass before anticaptcha is asked: those before it can take 100s
note: anticaptcha has no `fit`, so screenshots that it does not take are refused: over 500000 bytes or 500 px a side
"
    );
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(scene.emulator.traffic().requests, 0, "nothing is sent");

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
async fn check_says_that_a_deadline_leaves_no_time_for_an_answer() {
    let scene = Scene::new().await;
    let chain = |deadline: &str| {
        let text = format!("deadline = \"{deadline}\"\n[[providers]]\nkind = \"twocaptcha\"\n");
        std::fs::write(scene.path("chain.toml"), text).unwrap();
        let run = drag_solver(["check"]).arg(scene.path("chain.toml"));
        run.env("TWOCAPTCHA_API_KEY", TOKEN).run()
    };
    let expected =
        "note: `deadline` must be more than 5s, the wait before the first poll of twocaptcha";
    assert!(chain("4s").await.stdout.contains(expected));
    assert!(!chain("6s").await.stdout.contains("must be more"));
    scene.emulator.shutdown().await;
}

#[tokio::test]
async fn check_says_that_a_budget_buys_nothing_and_that_a_timeout_never_comes() {
    let scene = Scene::new().await;
    let notes = async |budget: &str, timeout: &str| {
        let text = format!(
            "deadline = \"60s\"\nbudget = {{ total = \"5\", per_period = \"{budget}\" }}\n\
             [[providers]]\nkind = \"twocaptcha\"\nprice = \"0.001\"\ntimeout = \"{timeout}\"\nfit = true\n"
        );
        std::fs::write(scene.path("chain.toml"), text).unwrap();
        let run = drag_solver(["check"]).arg(scene.path("chain.toml"));
        let ran = run.env("TWOCAPTCHA_API_KEY", TOKEN).run().await;
        let notes = ran.stdout.lines().filter(|line| line.starts_with("note: "));
        notes.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        notes("0.0001", "90s").await,
        [
            "note: the `timeout` of twocaptcha is longer than the `deadline`, which ends every call first: 90s and 60s",
            "note: nothing is ever bought from twocaptcha: a `budget` allows $0.0001, and an answer may cost $0.001",
        ]
    );
    assert_eq!(notes("0.001", "60s").await, [""; 0]);
    scene.emulator.shutdown().await;
}

#[tokio::test]
async fn people_are_asked_on_the_page_of_serve_and_a_small_budget_is_not_waited_for() {
    let scene = Scene::new().await;
    let chain = "[[providers]]\nname = \"ann\"\nkind = \"person\"\n\
                 [[providers]]\nkind = \"sandbox\"\nprice = \"0.001\"\nbudget = { per_period = \"0.0001\" }\n";
    std::fs::write(scene.path("chain.toml"), chain).unwrap();
    let ran = scene.run(&["solve", &scene.path("shot.png")]).run().await;
    let hints: Vec<&str> = ran
        .stderr
        .lines()
        .filter(|line| line.contains("hint: "))
        .collect();
    let [ann, money] = hints[..] else {
        panic!("{ran:?}");
    };
    assert_eq!(
        ann,
        "  hint: people answer on the page of `drag-solver serve`"
    );
    assert!(money.starts_with("  hint: raise the budget in "), "{ran:?}");
    assert!(money.ends_with("chain.toml"), "{ran:?}");
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
            let line = failed_line("a.png", &[("first", "1")]);
            let run = drag_solver(command).env("SECOND", TOKEN);
            let ran = run.run_with(line.as_bytes()).await;
            assert!(ran.stderr.starts_with(&format!("error: {file}")), "{ran:?}");
            assert!(ran.stderr.contains(expected), "{expected}: {ran:?}");
            assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
        }
    }
    assert_eq!(scene.emulator.traffic().requests, 0);
    scene.emulator.shutdown().await;
}

#[tokio::test]
async fn options_that_the_file_replaces_are_refused_beside_it() {
    let scene = Scene::new().await;
    for (command, option, instead) in [
        (
            &["solve", "a.png"][..],
            "--provider=twocaptcha",
            "add a [[providers]]",
        ),
        (
            &["solve", "a.png"],
            "--attempts=2",
            "set `retry = { max_attempts = N }`",
        ),
        (&["solve", "a.png"], "--poll-interval=1s", "set `poll = "),
        (&["resume"], "--poll-interval=1s", "set `poll = "),
    ] {
        let ran = scene.run(command).arg(option).run().await;
        assert!(
            ran.stderr.contains("cannot be used with --config: "),
            "{ran:?}"
        );
        assert!(ran.stderr.contains(instead), "{instead}: {ran:?}");
        assert!(ran.stderr.contains("chain.toml"), "{ran:?}");
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
