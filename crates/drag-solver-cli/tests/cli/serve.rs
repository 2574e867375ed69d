//! `serve` and `keys` from outside: what is printed, who gets in, signals.

use std::path::Path;

use drag_solver_emulator::{Emulator, Protocol};
use drag_solver_mock::pictures::{AnswerKey, TestPicture};
use serde_json::{Value, json};

use crate::serving::Serving;
use crate::support::{drag_solver, signal};

/// A test picture, and its true drag as it is printed.
async fn picture(folder: &Path) -> (std::path::PathBuf, String) {
    let path = folder.join("picture.png");
    let drawn = drag_solver(["challenge", "--seed", "7", "--out"])
        .arg(&path)
        .run()
        .await;
    (path, drawn.stdout.trim().to_owned())
}

fn drag(answer: &Value) -> String {
    let point = |name: &str| {
        format!(
            "{},{}",
            answer["drag"][name]["x"], answer["drag"][name]["y"]
        )
    };
    format!("{} -> {}", point("start"), point("end")).replace(".0", "")
}

#[tokio::test]
async fn alone_it_serves_the_sandbox_to_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let (picture, drawn) = picture(folder.path()).await;
    let serving = Serving::start(drag_solver(["serve", "--listen", "127.0.0.1:0"])).await;
    let (status, answer) = serving.solve(&picture, "any").await;
    assert_eq!((status, drag(&answer)), (200, drawn), "{answer}");
    let (_, metrics) = serving.ask("GET", "/metrics", b"", "").await;
    assert!(
        metrics.contains("drag_solver_gateway_requests_total"),
        "{metrics}"
    );
    let ran = serving.stop().await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("any key is taken"), "{ran:?}");
}

#[tokio::test]
async fn without_keys_it_does_not_listen_to_other_machines() {
    let ran = drag_solver(["serve", "--listen", "0.0.0.0:0"]).run().await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("drag-solver keys add NAME"), "{ran:?}");
}

#[tokio::test]
async fn an_address_that_is_taken_is_told_with_its_option() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = drag_solver(["serve", "--listen", &address]).run().await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(
        ran.stderr.contains("--listen") && ran.stderr.contains(&address),
        "{ran:?}"
    );
    let ran = drag_solver(["serve", "--tls-listen", "127.0.0.1:0"])
        .run()
        .await;
    assert!(ran.stderr.contains("--tls-self-signed"), "{ran:?}");
}

#[tokio::test]
async fn a_key_is_shown_once_kept_by_its_hash_and_opens_the_gateway_until_it_is_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let (picture, _) = picture(folder.path()).await;
    let store = folder.path().join("drags.db");
    let keys = |args: &[&str]| drag_solver(["keys"]).args(args).arg("--store").arg(&store);
    let made = keys(&["add", "shop", "--per-day", "5", "--rate", "10/s"])
        .run()
        .await;
    let key = made.stdout.trim().to_owned();
    assert!(
        key.len() == 32 && key.bytes().all(|c| c.is_ascii_hexdigit()),
        "{made:?}"
    );
    assert!(made.stderr.contains("$5 a day, 10 jobs in 1s"), "{made:?}");
    let twice = keys(&["add", "shop"]).run().await;
    assert_eq!(twice.code, Some(2), "{twice:?}");
    assert!(twice.stderr.contains("keys revoke shop"), "{twice:?}");

    let serve = drag_solver([
        "serve",
        "--provider",
        "sandbox",
        "--listen",
        "127.0.0.1:0",
        "--store",
    ]);
    let serving = Serving::start(serve.arg(&store)).await;
    assert_eq!(serving.solve(&picture, "other").await.0, 401);
    assert_eq!(serving.solve(&picture, &key).await.0, 200);
    let listed = keys(&["list", "--format", "json"]).run().await;
    let line: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(
        (&line["name"], &line["valid"]),
        (&json!("shop"), &json!(true)),
        "{line}"
    );
    assert!(!listed.stdout.contains(&key));

    assert_eq!(keys(&["revoke", "shop"]).run().await.code, Some(0));
    while serving.solve(&picture, &key).await.0 != 401 {}
    assert_eq!(
        keys(&["revoke", "shop"]).run().await.code,
        Some(2),
        "there is none any more"
    );
    let ran = serving.stop().await;
    assert!(!ran.stderr.contains(&key), "{ran:?}");
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(32).any(|part| part == key.as_bytes()));
    }
}

#[tokio::test]
async fn a_changed_file_is_read_again_and_a_bad_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (picture, _) = picture(folder.path()).await;
    let chain = folder.path().join("chain.toml");
    let write = |name: &str| {
        std::fs::write(&chain, format!("[[providers]]\nkind = \"sandbox\"\n{name}")).unwrap();
    };
    write("name = \"first\"");
    let serve = drag_solver(["serve", "--listen", "127.0.0.1:0", "--config"]);
    let serving = Serving::start(serve.arg(&chain)).await;
    assert_eq!(serving.solve(&picture, "a").await.1["solver"], "first");
    write("nmae = \"second\"");
    let (status, why) = serving.ask("POST", "/admin/reload", b"", "").await;
    assert!(
        status == 422 && why.contains("did you mean `name`?"),
        "{status} {why}"
    );
    assert_eq!(serving.solve(&picture, "b").await.1["solver"], "first");
    write("name = \"second\"");
    signal(&serving.child, "HUP");
    let mut tries = 0;
    while serving.solve(&picture, &format!("c{tries}")).await.1["solver"] != "second" {
        tries += 1;
        assert!(tries < 10_000, "SIGHUP has no effect");
    }
    assert_eq!(serving.stop().await.code, Some(0));
}

#[tokio::test]
async fn settings_of_the_gateway_are_in_the_chains_file() {
    let folder = tempfile::tempdir().unwrap();
    let chain = folder.path().join("chain.toml");
    let text = |gateway: &str| format!("[[providers]]\nkind = \"sandbox\"\n[gateway]\n{gateway}");
    std::fs::write(&chain, text("listen = [\"127.0.0.1:0\"]\nmax_body = 2000")).unwrap();
    let serving = Serving::start(drag_solver(["serve", "--config"]).arg(&chain)).await;
    assert_eq!(
        serving.ask("POST", "/v1/drags", &[b' '; 2001], "").await.0,
        413
    );
    serving.stop().await;
    std::fs::write(&chain, text("hold_on = \"1s\"")).unwrap();
    let ran = drag_solver(["serve", "--config"]).arg(&chain).run().await;
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("chain.toml") && ran.stderr.contains("`hold`"),
        "{ran:?}"
    );
    let checked = drag_solver(["check"]).arg(&chain).run().await;
    assert_eq!(checked.code, Some(2), "`check` finds it, too: {checked:?}");
}

#[tokio::test]
async fn a_request_that_is_too_large_is_told_so_though_it_is_still_being_sent() {
    let serving = Serving::start(drag_solver(["serve", "--listen", "127.0.0.1:0"])).await;
    let large = vec![b'x'; 20 << 20];
    let (status, text) = serving.ask("POST", "/in.php", &large, "K").await;
    assert_eq!((status, &*text), (200, "ERROR_TOO_BIG_CAPTCHA_FILESIZE"));
    let (status, text) = serving.ask("POST", "/v1/drags", &large, "K").await;
    assert_eq!(status, 413, "{text}");
    serving.stop().await;
}

#[tokio::test]
async fn a_second_one_that_cannot_listen_leaves_the_authority_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("ca.pem");
    let serve = |plain: &str, tls: &str| {
        let run = drag_solver(["serve", "--listen", plain, "--tls-listen", tls]);
        run.args(["--tls-self-signed", "localhost", "--tls-authority"])
            .arg(&authority)
    };
    let mut serving = Serving::start(serve("127.0.0.1:0", "127.0.0.1:0")).await;
    let first = std::fs::read(&authority).unwrap();
    let tls = serving.line().await;
    let tls = tls.strip_prefix("listening on https://").unwrap();
    let ran = serve("127.0.0.1:0", tls).run().await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("--tls-listen"), "{ran:?}");
    assert_eq!(std::fs::read(&authority).unwrap(), first);
    let hints = [
        serving.line().await,
        serving.line().await,
        serving.line().await,
        serving.line().await,
    ];
    assert!(!hints[2].contains("--tls-listen"), "{hints:?}");
    let port = tls.rsplit(':').next().unwrap();
    let own = format!("  those that speak TLS only: https://localhost:{port}, and trust ");
    assert!(hints[3].starts_with(&own), "{hints:?}");

    signal(&serving.child, "HUP");
    let ran = serving.stop().await;
    assert!(
        !ran.stderr.contains("certificate was read again"),
        "it has no files: {ran:?}"
    );
}

#[tokio::test]
async fn with_tls_alone_the_hint_trusts_the_authority_and_takes_a_name_of_the_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("ca.pem");
    let run = drag_solver([
        "serve",
        "--tls-listen",
        "127.0.0.1:0",
        "--tls-self-signed",
        "localhost",
    ]);
    let mut serving = Serving::start(run.arg("--tls-authority").arg(&authority)).await;
    let hint = serving.line().await;
    let expected = format!(
        "  curl --cacert {} --data-binary @picture.png https://localhost:",
        authority.display()
    );
    assert!(hint.starts_with(&expected), "{hint}");
    serving.stop().await;
}

#[tokio::test]
async fn where_to_listen_is_an_address_and_a_port() {
    for wrong in ["localhost:8091", "8091", "127.0.0.1", ":99999"] {
        let ran = drag_solver(["serve", "--listen", wrong]).run().await;
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(
            ran.stderr
                .contains("write ADDRESS:PORT, as in 127.0.0.1:8080"),
            "{ran:?}"
        );
    }
}

#[tokio::test]
async fn a_key_with_a_limit_needs_prices_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (store, chain) = (
        folder.path().join("drags.db"),
        folder.path().join("chain.toml"),
    );
    std::fs::write(
        &chain,
        "[[providers]]\nkind = \"twocaptcha\"\ntoken = { env = \"KEY\" }",
    )
    .unwrap();
    let keys = drag_solver(["keys", "add", "shop", "--per-day", "5", "--store"]);
    assert_eq!(keys.arg(&store).run().await.code, Some(0));
    let serve = drag_solver(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(&chain);
    let ran = serve.env("KEY", "k").arg("--store").arg(&store).run().await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    for part in ["shop", "--per-day", "chain.toml", "price", "twocaptcha"] {
        assert!(ran.stderr.contains(part), "{part}: {ran:?}");
    }
}

#[tokio::test]
async fn a_log_in_json_has_no_other_lines_and_notes_of_the_chain_are_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let chain = folder.path().join("chain.toml");
    std::fs::write(
        &chain,
        "[[providers]]\nkind = \"twocaptcha\"\ntoken = { env = \"KEY\" }",
    )
    .unwrap();
    let serve = || {
        drag_solver(["serve", "--log", "json", "--config"])
            .arg(&chain)
            .env("KEY", "k")
    };
    let serving = Serving::start(serve().args(["--listen", "127.0.0.1:0"])).await;
    let taken = serving.address.clone();
    let refused = serve().args(["--listen", &taken]).run().await;
    let ran = serving.stop().await;
    assert!(ran.stderr.contains("has no `fit`"), "{ran:?}");
    assert!(refused.stderr.contains("cannot listen on"), "{refused:?}");
    for line in ran.stderr.lines().chain(refused.stderr.lines()) {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        assert!(line["message"].is_string(), "{line}");
    }
}

#[tokio::test]
async fn an_answer_is_fetched_when_its_provider_calls_the_public_address() {
    let folder = tempfile::tempdir().unwrap();
    let drawn = TestPicture::draw_sized(7, 100, 200).unwrap();
    let picture = folder.path().join("picture.png");
    std::fs::write(&picture, drawn.challenge().screenshot().bytes()).unwrap();
    let provider = Emulator::builder().solver(AnswerKey).start().await.unwrap();
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    // Polls come so late that only a call can bring the answer.
    let chain = folder.path().join("chain.toml");
    let text = format!(
        "[[providers]]\nkind = \"twocaptcha\"\ntoken = {{ env = \"TOKEN\" }}\nbase_url = \"{}\"\n\
         poll = {{ first = \"1h\", every = \"1h\" }}\njob_timeout = \"10h\"\n\
         [gateway]\nlisten = [\"{address}\"]\ndeadline = \"10h\"\npublic_url = \"http://{address}\"",
        provider.url(Protocol::TwoCaptcha)
    );
    std::fs::write(&chain, text).unwrap();
    let run = drag_solver(["serve", "--config"]).arg(&chain);
    let serving = Serving::start(run.env("TOKEN", "hunter2-hunter2")).await;
    let (status, answer) = serving.solve(&picture, "any").await;
    let drawn = drawn.drag().to_string();
    assert_eq!((status, drag(&answer)), (200, drawn), "{answer}");
    assert_eq!(provider.jobs()[0].polls, 1);
    assert_eq!(serving.stop().await.code, Some(0));

    let wrong = ["serve", "--public-url", "http://drags.example.com"];
    let ran = drag_solver(wrong).run().await;
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("--public-url: must be"), "{ran:?}");
}
