//! `--record`, and what is done with a recording.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use drag_solver::http::Recording;
use drag_solver_emulator::{Emulator, Fault, Operation, Protocol, SecretScanner};
use drag_solver_mock::pictures::{AnswerKey, TestPicture};

use crate::schema::Schema;
use crate::support::{Ran, Run, TOKEN, drag_solver};

fn picture() -> TestPicture {
    TestPicture::draw_sized(3, 100, 200).unwrap()
}

async fn emulator() -> Emulator {
    let builder = Emulator::builder().solver(AnswerKey).token(TOKEN);
    builder.start().await.unwrap()
}

/// Solves the picture, and records that in `file`.
fn solve(file: &Path, more: &[&str]) -> Run {
    let run = drag_solver(["solve", "--poll-interval=1ms", "-", "--record"]);
    run.arg(file).args(more)
}

async fn run(run: Run) -> Ran {
    run.run_with(picture().screenshot().bytes()).await
}

/// The recording, in which no key is, and whose lines are as the published schema says.
fn read(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    assert_eq!(SecretScanner::new(TOKEN).find(&text), None, "{text}");
    assert!(text.contains("[redacted]"), "{text}");
    let schema = Schema::new("recordings.schema.json", &["json-lines.schema.json"]);
    for line in text.lines() {
        schema.check(line);
    }
    text
}

#[tokio::test]
async fn what_goes_over_the_wire_is_recorded_without_key_and_picture() {
    let emulator = emulator().await;
    let url = emulator.url(Protocol::OmocaptchaV1);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wire.jsonl");
    let ran = run(solve(&file, &[]).omocaptcha(&url)).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.stderr.contains("what went over the wire is in"),
        "{ran:?}"
    );
    let text = read(&file);
    let encoded = STANDARD.encode(picture().screenshot().bytes());
    assert!(!text.contains(&encoded[..40]), "{text}");
    for part in [
        "\"sha256\"",
        "createJob",
        "getJobResult",
        "\"solve\"",
        "\"solution\"",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    // It is not overwritten, and nothing is bought that would not be recorded.
    let again = run(solve(&file, &[]).omocaptcha(&url)).await;
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(
        again.stderr.contains("exists, and is not overwritten"),
        "{again:?}"
    );
    assert_eq!(emulator.stats().jobs_created, 1);
    assert_eq!(read(&file), text);

    let other = folder.path().join("pictures.jsonl");
    let ran = run(solve(&other, &["--record-pictures"]).omocaptcha(&url)).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(read(&other).contains(&encoded));
}

#[tokio::test]
async fn a_chain_and_the_other_commands_are_recorded_too() {
    let emulator = emulator().await;
    emulator.inject(Operation::Create, Fault::Html, 1);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chain.jsonl");
    let accounts = |run: Run| {
        run.omocaptcha(&emulator.url(Protocol::OmocaptchaV1))
            .env("TWOCAPTCHA_API_KEY", TOKEN)
            .env("TWOCAPTCHA_BASE_URL", emulator.url(Protocol::TwoCaptcha))
    };
    let both = [
        "--provider=omocaptcha",
        "--provider=2captcha",
        "--format=json",
    ];
    let ran = run(accounts(solve(&file, &both))).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let text = read(&file);
    for part in [r#""solver":"omocaptcha""#, r#""solver":"twocaptcha""#] {
        assert!(text.contains(part), "{part}: {text}");
    }

    let reported = folder.path().join("report.jsonl");
    let report = drag_solver(["report", "--incorrect", "--record"]).arg(&reported);
    let ran = accounts(report).run_with(ran.stdout.as_bytes()).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(read(&reported).contains("reportIncorrect"));

    let asked = folder.path().join("balance.jsonl");
    let ran = accounts(drag_solver(["balance", "--record"]).arg(&asked));
    let ran = ran.run().await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(read(&asked).matches("\"call\"").count(), 2);
}

#[tokio::test]
async fn a_time_limit_that_is_none_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wire.jsonl");
    let ran = run(solve(&file, &[])).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let text = std::fs::read_to_string(&file).unwrap();
    let call = text.lines().last().unwrap();
    assert!(
        call.contains("\"request_timeout_ms\":30000") && !call.contains("job_timeout_ms"),
        "{call}"
    );
    let recording = Recording::read(&file).unwrap();
    let call = recording.calls().next().unwrap();
    assert_eq!(call.job_timeout.as_millis(), u128::from(u64::MAX));
}

#[tokio::test]
async fn a_recording_of_nothing_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wire.jsonl");
    let ran = drag_solver(["balance", "--provider=omocaptcha", "--record"]);
    let ran = ran.arg(&file).run().await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("nothing was sent"), "{ran:?}");
    assert!(!file.exists());
    let nowhere = drag_solver(["balance", "--record", "/no/such/folder/wire.jsonl"]);
    let nowhere = nowhere.run().await;
    assert_eq!(nowhere.code, Some(2), "{nowhere:?}");
    assert!(
        nowhere.stderr.contains("--record: cannot write"),
        "{nowhere:?}"
    );
}

#[tokio::test]
async fn a_provider_that_is_no_declaration_is_held_against_what_was_recorded() {
    let emulator = emulator().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wire.jsonl");
    let accounts = |run: Run| {
        run.omocaptcha(&emulator.url(Protocol::OmocaptchaV2))
            .env("OMOCAPTCHA_API_VERSION", "v2")
            .env("TWOCAPTCHA_API_KEY", TOKEN)
            .env("TWOCAPTCHA_BASE_URL", emulator.url(Protocol::TwoCaptcha))
            .env("ANTICAPTCHA_API_KEY", TOKEN)
            .env("ANTICAPTCHA_BASE_URL", emulator.url(Protocol::AntiCaptcha))
    };
    // The first two fail, and the last one answers.
    emulator.inject(Operation::Create, Fault::Html, 2);
    let all = ["omocaptcha", "2captcha", "anticaptcha"].map(|name| format!("--provider={name}"));
    let ran = run(accounts(solve(&file, &[])).args(&all)).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    read(&file);
    let jobs = emulator.stats().jobs_created;

    let replay = |names: &[&str]| {
        let run = drag_solver(["service", "test", "--replay"]).arg(&file);
        run.args(names)
    };
    let v2 = |run: Run| run.env("OMOCAPTCHA_API_VERSION", "v2");
    let ran = v2(replay(&[])).run().await;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    for name in ["omocaptcha", "twocaptcha", "anticaptcha"] {
        assert!(
            ran.stdout.contains(&format!("{name}\nok       solve: ")),
            "{ran:?}"
        );
    }
    assert!(ran.stdout.contains("ok       solve: solved: "), "{ran:?}");
    let ran = replay(&["2captcha"]).run().await;
    assert!(ran.stdout.starts_with("twocaptcha\nok "), "{ran:?}");
    assert_eq!(
        (ran.code, ran.stdout.lines().count()),
        (Some(0), 3),
        "{ran:?}"
    );

    // Settings of the account are those of the environment.
    let ran = replay(&["omocaptcha"]).run().await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("DIFFERS  solve: "), "{ran:?}");
    assert!(
        ran.stderr
            .contains("OMOCAPTCHA_API_VERSION, OMOCAPTCHA_JOB_TYPE"),
        "{ran:?}"
    );
    for (name, expected) in [
        ("person", "nothing goes over the wire to `person`"),
        ("azcaptcha", "none of them is called `azcaptcha`"),
        ("nobody", "there is no file nobody"),
    ] {
        let ran = replay(&[name]).run().await;
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
        assert!(ran.stderr.contains(expected), "{expected}: {ran:?}");
    }
    assert_eq!(emulator.stats().jobs_created, jobs);

    let ran = drag_solver(["service", "test", "twocaptcha"]).run().await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(
        ran.stderr.contains("--replay RECORDING twocaptcha"),
        "{ran:?}"
    );
}

/// Every provider of the command that has an account can be played back, and the sandbox.
#[tokio::test]
async fn a_recording_of_the_sandbox_and_of_a_name_in_a_chain_is_played_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wire.jsonl");
    let replay = |names: &[&str]| {
        let run = drag_solver(["service", "test", "--replay"]).arg(&file);
        run.args(names)
    };
    let ran = run(solve(&file, &[])).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let ran = replay(&[]).run().await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.stdout.starts_with("sandbox\nok       solve: solved: "),
        "{ran:?}"
    );

    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"sandbox\"", "\"mine\"")).unwrap();
    let ran = replay(&[]).run().await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    assert!(
        ran.stderr.contains("`mine` is the name of no provider")
            && ran.stderr.contains("pointing.toml"),
        "{ran:?}"
    );
    let ran = replay(&["omocaptcha"]).run().await;
    assert_eq!(ran.code, Some(0), "{ran:?}");

    // An end that is not read as one is not asked about for ever.
    std::fs::write(&file, text.replace("\"success\"", "\"weird\"")).unwrap();
    let ran = replay(&[]).run().await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("the recording has ended"), "{ran:?}");

    for (line, problem) in [
        ("hello", "it is no JSON, from column 1 on"),
        (
            "{\"call\":3}",
            "at column 9 is a number, and there must be an object",
        ),
        (
            "\"hunter2\"",
            "at column 9 there must be `exchange` or `call`",
        ),
        ("{\"call\":{\"solver\":\"a\"}}", "is missing"),
        // The last line alone may be half a line.
        ("{\"call\":{\n", "it is cut off"),
    ] {
        std::fs::write(
            &file,
            format!("{{\"drag_solver_recording\":1}}\n{line}\n\n"),
        )
        .unwrap();
        let ran = replay(&[]).run().await;
        assert!(
            ran.stderr.contains("line 2: ") && ran.stderr.contains(problem),
            "{ran:?}"
        );
        assert!(!ran.stderr.contains("at line"), "{ran:?}");
    }
    std::fs::write(&file, "{\"drag_solver_recording\":1}\n").unwrap();
    let ran = replay(&[]).run().await;
    assert!(ran.stderr.contains("the recording is empty"), "{ran:?}");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let ran = drag_solver(["service", "test"]).run().await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("<FILE>"), "{ran:?}");
}

#[tokio::test]
async fn a_declaration_is_held_against_what_was_recorded() {
    let emulator = emulator().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wire.jsonl");
    let azcaptcha = solve(&file, &["--provider=azcaptcha"])
        .env("AZCAPTCHA_API_KEY", TOKEN)
        .env("AZCAPTCHA_BASE_URL", emulator.url(Protocol::InPhp));
    let ran = run(azcaptcha).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    read(&file);
    let test = |service: &Path| {
        let test = drag_solver(["service", "test", "--replay"]);
        test.arg(&file).arg(service)
    };
    let ran = test(Path::new("azcaptcha")).run().await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("ok       solve: solved: "), "{ran:?}");
    assert!(ran.stdout.ends_with("as recorded: 1, not: 0\n"), "{ran:?}");

    let changed = folder.path().join("mine.toml");
    let declaration = r#"
        family = "in.php"
        key = "MINE_API_KEY"
        base_url = "https://mine.example"
    "#;
    for (change, differs) in [
        ("answer.at = \"/elsewhere\"", "DIFFERS  solve: failed: "),
        (
            "create.form = { method = \"pieces\", key = \"{key}\", body = \"{picture.base64}\" }",
            "POST in.php is not as it was recorded: `method` is \"pieces\", and was \"base64\"",
        ),
    ] {
        std::fs::write(&changed, format!("{declaration}\n{change}")).unwrap();
        let ran = test(&changed).run().await;
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.stdout.contains(differs), "{ran:?}");
    }

    for other in [&b"{}"[..], picture().screenshot().bytes()] {
        std::fs::write(&file, other).unwrap();
        let ran = test(Path::new("azcaptcha")).run().await;
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains("line 1: it is no recording"), "{ran:?}");
    }
    // None of that was sent.
    assert_eq!(emulator.stats().jobs_created, 1);
}
