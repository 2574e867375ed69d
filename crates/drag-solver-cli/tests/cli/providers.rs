//! Every provider the command knows, over its own protocol and real HTTP, from the emulator.

use drag_solver::{Drag, Point, Screenshot};
use drag_solver_emulator::{Emulator, Operation, Protocol};
use drag_solver_mock::MockSolver;
use drag_solver_mock::pictures::{AnswerKey, TestPicture};

use crate::support::{Ran, Run, TOKEN, drag_solver};

/// Provider, what it speaks, the variables of its account, how much of its job is billed.
const ACCOUNTS: [(&str, Protocol, [&str; 2]); 3] = [
    (
        "omocaptcha",
        Protocol::OmocaptchaV1,
        ["OMOCAPTCHA_API_TOKEN", "OMOCAPTCHA_BASE_URL"],
    ),
    (
        "twocaptcha",
        Protocol::TwoCaptcha,
        ["TWOCAPTCHA_API_KEY", "TWOCAPTCHA_BASE_URL"],
    ),
    (
        "anticaptcha",
        Protocol::AntiCaptcha,
        ["ANTICAPTCHA_API_KEY", "ANTICAPTCHA_BASE_URL"],
    ),
];

async fn provider() -> Emulator {
    let builder = Emulator::builder().solver(AnswerKey).token(TOKEN);
    builder.start().await.unwrap()
}

fn with_accounts(mut run: Run, emulator: &Emulator, which: &[&str]) -> Run {
    for (name, protocol, [token, base_url]) in ACCOUNTS {
        if which.contains(&name) {
            run = run.env(token, TOKEN).env(base_url, emulator.url(protocol));
        }
    }
    run
}

/// Small enough for all of them.
fn picture() -> TestPicture {
    TestPicture::draw_sized(3, 100, 200).unwrap()
}

async fn solve(run: Run) -> Ran {
    run.run_with(picture().screenshot().bytes()).await
}

#[tokio::test]
async fn each_is_chosen_by_its_variables_and_speaks_its_protocol() {
    for (name, protocol, _) in ACCOUNTS {
        let emulator = provider().await;
        let run = drag_solver(["solve", "-", "--poll-interval=1ms"]);
        let ran = solve(with_accounts(run, &emulator, &[name])).await;
        let start = format!("{}  {name} ", picture().drag());
        assert!(ran.stdout.starts_with(&start), "{ran:?}");
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
        let jobs = emulator.jobs();
        assert_eq!((jobs.len(), jobs[0].protocol), (1, protocol));
        let requests = emulator.requests();
        let create = requests
            .iter()
            .find(|r| r.operation == Operation::Create)
            .unwrap();
        assert_eq!(
            create.picture.as_ref().unwrap(),
            picture().screenshot().bytes()
        );

        let run = drag_solver(["balance"]);
        let ran = with_accounts(run, &emulator, &[name]).run().await;
        let balance = emulator.stats().balance;
        assert_eq!(ran.stdout, format!("{name}: {balance} USD\n"), "{ran:?}");
        emulator.shutdown().await;
    }
}

#[tokio::test]
async fn all_accounts_of_the_environment_are_a_chain_in_the_order_of_the_help() {
    let emulator = Emulator::builder()
        .solver(AnswerKey)
        .token("another") // refuses everybody
        .start()
        .await
        .unwrap();
    let names = ACCOUNTS.map(|(name, ..)| name);
    let run = drag_solver(["solve", "-", "--format=json"]);
    let ran = solve(with_accounts(run, &emulator, &names)).await;
    let line: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let attempts = line["error"]["attempts"].as_array().unwrap();
    let asked: Vec<_> = attempts
        .iter()
        .map(|attempt| attempt["solver"].as_str().unwrap())
        .collect();
    assert_eq!(asked, names);
    assert_eq!(ran.code, Some(1));

    let run = drag_solver(["balance"]);
    let ran = with_accounts(run, &emulator, &names).run().await;
    assert_eq!((ran.code, ran.stderr.lines().count()), (Some(1), 3));
    emulator.shutdown().await;
}

#[tokio::test]
async fn an_alias_is_the_same_provider() {
    let emulator = provider().await;
    let run = drag_solver(["solve", "-", "--provider=2captcha", "--poll-interval=1ms"]);
    let ran = solve(with_accounts(run, &emulator, &["twocaptcha"])).await;
    let start = format!("{}  twocaptcha ", picture().drag());
    assert!(ran.stdout.starts_with(&start), "{ran:?}");
    assert!(ran.stdout.ends_with(" $0.0009\n"), "{ran:?}");
    emulator.shutdown().await;
}

#[tokio::test]
async fn a_refused_key_names_its_own_variable() {
    let emulator = Emulator::builder().token("another").start().await.unwrap();
    for (name, _, [token, _]) in ACCOUNTS {
        let ran = solve(with_accounts(
            drag_solver(["solve", "-"]),
            &emulator,
            &[name],
        ))
        .await;
        let hint = format!("hint: check {token}\n");
        assert!(ran.stderr.contains(&hint), "{ran:?}");
        assert_eq!(ran.code, Some(1));
    }
    emulator.shutdown().await;
}

#[tokio::test]
async fn a_phones_screenshot_is_made_to_fit_and_the_answer_mapped_back() {
    let clicked = Drag::new(Point::new(12.0, 12.0), Point::new(62.0, 12.0));
    let phone = TestPicture::draw_sized(3, 1_080, 2_400).unwrap();
    for (name, width, height, drag) in [
        ("twocaptcha", 450, 1_000, "29.5,29.5 -> 149.5,29.5"),
        ("anticaptcha", 225, 500, "59.5,59.5 -> 299.5,59.5"),
    ] {
        let people = MockSolver::new("people").always(clicked);
        let builder = Emulator::builder().solver(people).token(TOKEN);
        let emulator = builder.start().await.unwrap();
        let run = drag_solver(["solve", "-", "--poll-interval=1ms"]);
        let run = with_accounts(run, &emulator, &[name]);
        let ran = run.run_with(phone.screenshot().bytes()).await;
        assert!(
            ran.stdout.starts_with(&format!("{drag}  {name} ")),
            "{ran:?}"
        );
        let requests = emulator.requests();
        let create = requests
            .iter()
            .find(|r| r.operation == Operation::Create)
            .unwrap();
        let sent = Screenshot::from_bytes(create.picture.as_ref().unwrap().clone()).unwrap();
        assert_eq!((sent.width(), sent.height()), (width, height));
        emulator.shutdown().await;
    }
}
