//! Services that are declared in TOML.

use crate::support::{TOKEN, drag_solver};

const POINTING: &str = r#"
    family = "createTask"
    key = "POINTING_API_KEY"
    base_url = "https://api.pointing.example"
    create.json.task = { type = "CoordinatesTask", body = "{picture.base64}" }
    answer.at = "/solution/coordinates"
"#;

#[tokio::test]
async fn services_lists_what_is_declared_and_what_is_a_guess() {
    let text = drag_solver(["services"]).run().await;
    assert_eq!((text.code, text.stderr.as_str()), (Some(0), ""));
    assert!(
        text.stdout
            .contains("solvecaptcha: SolveCaptcha\n  key: SOLVECAPTCHA_API_KEY\n")
    );
    let both = "  key: DEATHBYCAPTCHA_PASSWORD and DEATHBYCAPTCHA_USERNAME\n";
    assert!(text.stdout.contains(both), "{}", text.stdout);
    let json = drag_solver(["services", "--format", "json"]).run().await;
    let lines: Vec<serde_json::Value> = json
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines.len() >= 12, "{lines:?}");
    let two = lines.iter().find(|line| line["kind"] == "deathbycaptcha");
    let names = ["DEATHBYCAPTCHA_PASSWORD", "DEATHBYCAPTCHA_USERNAME"];
    assert_eq!(two.unwrap()["variables"], serde_json::json!(names));
    assert!(lines.iter().all(|line| {
        line["guessed"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    }));
}

#[tokio::test]
async fn a_declaration_is_tried_on_a_double_of_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pointing.toml");
    std::fs::write(&path, POINTING).unwrap();
    let ran = drag_solver(["service", "test"]).arg(&path).run().await;
    let told = "pointing: faults are tried, too, which takes seconds, and minutes with some services; --without-faults leaves them out\n";
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (Some(0), told),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout
            .starts_with("pointing\npassed   the_name_is_a_label"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains(" 0 skipped, 0 failed"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.ends_with("faults survived, 0 not\n"),
        "{}",
        ran.stdout
    );

    // One that reads its answer at another place than the service writes it cannot be caught: both are
    // made of the file. What contradicts itself can.
    let contradiction = format!(
        "{POINTING}\nerrors = [{{ at = \"/status\", is = \"processing\", kind = \"unauthorized\" }}]"
    );
    std::fs::write(&path, contradiction).unwrap();
    let ran = drag_solver(["service", "test", "--without-faults"])
        .arg(&path)
        .run()
        .await;
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    assert!(ran.stdout.contains("FAILED"), "{}", ran.stdout);

    std::fs::write(&path, POINTING.replace("answer.at", "answer.att")).unwrap();
    let ran = drag_solver(["service", "test"]).arg(&path).run().await;
    let expected = "unknown key `att` in answer: did you mean `at`?\n";
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.ends_with(expected), "{}", ran.stderr);

    let ran = drag_solver(["service", "test", "nowhere.toml"]).run().await;
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("`drag-solver services` lists them"),
        "{}",
        ran.stderr
    );
}

#[tokio::test]
async fn a_double_calls_the_address_that_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pointing.toml");
    let test = async |callback: &str, more: &[&str]| {
        std::fs::write(&path, format!("{POINTING}\n{callback}")).unwrap();
        let run = drag_solver(["service", "test", "--without-faults"]).args(more);
        run.arg(&path).run().await
    };
    let calls = "passed   calls that an answer is there, ";
    let ran = test("create.json.hook = \"{callback}\"", &[]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains(&format!("{calls}in time\n")), "{ran:?}");
    assert_eq!(ran.stdout.matches(calls).count(), 1, "{ran:?}");
    let ran = test("", &[]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(!ran.stdout.contains("calls that"), "{ran:?}");
}

#[tokio::test]
async fn what_would_be_sent_is_shown_without_key_and_picture() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.toml");
    let chain = format!("[services.pointing]\n{POINTING}\n[[providers]]\nkind = \"pointing\"");
    std::fs::write(&path, chain).unwrap();
    let ran = drag_solver(["check"])
        .arg(&path)
        .env("POINTING_API_KEY", "hunter2")
        .run()
        .await;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    for part in [
        "create: POST https://api.pointing.example/createTask",
        "\"clientKey\": \"[key]\"",
        "\"body\": \"[picture.base64]\"",
    ] {
        assert!(ran.stdout.contains(part), "{}", ran.stdout);
    }
    assert!(!ran.stdout.contains("hunter2"), "{}", ran.stdout);
    let shown = drag_solver(["service", "show", "solvecaptcha"]).run().await;
    assert!(
        shown
            .stdout
            .starts_with("create: POST https://api.solvecaptcha.com/in.php")
    );
}

#[tokio::test]
async fn what_is_only_declared_is_not_asked_unless_it_is_named() {
    let ran = drag_solver(["balance"])
        .env("SOLVECAPTCHA_API_KEY", "hunter2")
        .run()
        .await;
    assert!(ran.stderr.contains("asking the sandbox"), "{ran:?}");
}

#[tokio::test]
async fn all_variables_of_an_account_are_asked_for_before_anything_is_sent() {
    let ran = drag_solver(["solve", "--provider=deathbycaptcha", "a.png"])
        .env("DEATHBYCAPTCHA_PASSWORD", TOKEN)
        .run()
        .await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let told = "error: environment variable DEATHBYCAPTCHA_USERNAME: is not set";
    assert!(ran.stderr.starts_with(told), "{ran:?}");
}
