//! `--record`, and what is done with a recording.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use drag_solver_emulator::{Emulator, Fault, Operation, Protocol, SecretScanner};
use drag_solver_mock::pictures::{AnswerKey, TestPicture};

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

/// The recording, in which no key is.
fn read(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    assert_eq!(SecretScanner::new(TOKEN).find(&text), None, "{text}");
    assert!(text.contains("[redacted]"), "{text}");
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
