//! Settings from the environment, and the ones that no argument may carry.

use drag_solver_mock::pictures::TestPicture;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::{TOKEN, drag_solver};

#[tokio::test]
async fn a_bad_setting_is_named_before_anything_is_read() {
    let cases: [(&[(&str, &str)], &str); 8] = [
        (
            &[("OMOCAPTCHA_API_TOKEN", "")],
            "OMOCAPTCHA_API_TOKEN: is empty",
        ),
        (
            &[("OMOCAPTCHA_API_TOKEN", " ")],
            "OMOCAPTCHA_API_TOKEN: is empty",
        ),
        (
            &[
                ("OMOCAPTCHA_API_TOKEN", TOKEN),
                ("OMOCAPTCHA_API_VERSION", "v3"),
            ],
            "OMOCAPTCHA_API_VERSION: `v3` is not a version",
        ),
        (
            &[
                ("OMOCAPTCHA_API_TOKEN", TOKEN),
                ("OMOCAPTCHA_BASE_URL", "http://example.com"),
            ],
            "OMOCAPTCHA_BASE_URL: http to example.com would send the token unencrypted",
        ),
        (
            &[
                ("OMOCAPTCHA_API_TOKEN", TOKEN),
                ("OMOCAPTCHA_BASE_URL", "nonsense"),
            ],
            "OMOCAPTCHA_BASE_URL: not a URL",
        ),
        (
            &[
                ("OMOCAPTCHA_API_TOKEN", TOKEN),
                ("OMOCAPTCHA_JOB_TYPE", "Slider"),
            ],
            "OMOCAPTCHA_JOB_TYPE: `Slider` is not a job type of API v1",
        ),
        (
            &[("ANTICAPTCHA_API_KEY", "")],
            "ANTICAPTCHA_API_KEY: is empty",
        ),
        (
            &[
                ("TWOCAPTCHA_API_KEY", TOKEN),
                ("TWOCAPTCHA_BASE_URL", "http://example.com"),
            ],
            "TWOCAPTCHA_BASE_URL: http to example.com would send the token unencrypted",
        ),
    ];
    for (variables, expected) in cases {
        for command in [&["solve", "missing.png"][..], &["balance"]] {
            let mut run = drag_solver(command);
            for (name, value) in variables {
                run = run.env(name, value);
            }
            let ran = run.run().await;
            let start = format!("error: environment variable {expected}");
            assert!(ran.stderr.starts_with(&start), "{expected}: {ran:?}");
            assert_eq!((ran.code, ran.stderr.lines().count()), (Some(2), 1));
            assert_eq!(ran.stdout, "");
        }
    }
}

#[tokio::test]
async fn a_provider_without_its_token_names_the_variable() {
    for (provider, variable) in [
        ("omocaptcha", "OMOCAPTCHA_API_TOKEN"),
        ("twocaptcha", "TWOCAPTCHA_API_KEY"),
        ("2captcha", "TWOCAPTCHA_API_KEY"),
        ("anticaptcha", "ANTICAPTCHA_API_KEY"),
    ] {
        let ran = drag_solver(["solve", "missing.png", "--provider", provider])
            .run()
            .await;
        let missing = format!("error: environment variable {variable}: is not set");
        assert!(ran.stderr.starts_with(&missing), "{ran:?}");
        assert_eq!((ran.code, ran.stderr.lines().count()), (Some(2), 1));
    }
}

#[tokio::test]
async fn one_provider_by_two_names_is_given_twice() {
    let ran = drag_solver(["solve", "a.png", "--provider=2captcha"])
        .arg("--provider=twocaptcha")
        .env("TWOCAPTCHA_API_KEY", TOKEN)
        .run()
        .await;
    assert!(
        ran.stderr
            .contains("--provider twocaptcha is given twice: name each once"),
        "{ran:?}"
    );
    assert_eq!(ran.code, Some(2));
}

#[tokio::test]
async fn an_unknown_provider_is_told_the_known_ones() {
    let ran = drag_solver(["solve", "missing.png", "--provider", "omocapcha"])
        .run()
        .await;
    assert!(
        ran.stderr
            .contains("[possible values: omocaptcha, twocaptcha, anticaptcha, sandbox, person]"),
        "{ran:?}"
    );
    assert_eq!(ran.code, Some(2));
}

#[tokio::test]
async fn options_that_make_no_sense_together_are_refused() {
    let cases: [(&[&str], &str); 4] = [
        (
            &["a.png", "b.png", "--annotate", "c.png"],
            "--annotate takes one screenshot",
        ),
        (
            &["a.png", "b.png", "--resume", "omocaptcha:1"],
            "--resume takes one screenshot",
        ),
        (
            &["a.png", "--resume", "other:1"],
            "`other`, which is not asked",
        ),
        (
            &[
                "a.png",
                "--provider",
                "omocaptcha",
                "--provider",
                "omocaptcha",
            ],
            "--provider omocaptcha is given twice",
        ),
    ];
    for (options, expected) in cases {
        let ran = drag_solver(["solve"].iter().chain(options))
            .omocaptcha("http://127.0.0.1:1")
            .run()
            .await;
        assert!(ran.stderr.contains(expected), "{expected}: {ran:?}");
        assert_eq!(ran.code, Some(2));
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_is_what_the_hint_is_about() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://user:hunter2@{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_exact(&mut [0; 20]).await.unwrap();
        let answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(answer).await.unwrap();
    });
    let picture = TestPicture::draw(7).unwrap();
    let ran = drag_solver(["solve", "-"])
        .omocaptcha("https://api.example.invalid")
        .env("HTTPS_PROXY", proxy)
        .run_with(picture.screenshot().bytes())
        .await;
    let hint = "hint: check the user name and password of the proxy: HTTPS_PROXY";
    assert!(ran.stderr.contains(hint), "{ran:?}");
    assert!(
        !ran.stderr.contains("check OMOCAPTCHA_API_TOKEN"),
        "{ran:?}"
    );
    assert_eq!(ran.code, Some(1));
}

#[tokio::test]
async fn a_number_that_makes_no_sense_is_refused_with_its_option() {
    for (option, why) in [
        ("--attempts=0", "must be at least 1"),
        ("--concurrency=0", "must be at least 1"),
        ("--poll-interval=1ns", "must be at least 1ms"),
    ] {
        let ran = drag_solver(["solve", "a.png", option]).run().await;
        let name = option.split('=').next().unwrap();
        assert!(
            ran.stderr.contains(name) && ran.stderr.contains(why),
            "{ran:?}"
        );
        assert_eq!(ran.code, Some(2));
    }
}

#[tokio::test]
async fn a_time_in_which_no_answer_can_come_is_refused() {
    let ran = drag_solver(["solve", "a.png", "--timeout=1s"])
        .omocaptcha("http://127.0.0.1:1")
        .run()
        .await;
    let expected = "error: --timeout: must be more than 2s, the wait before the first poll";
    assert!(ran.stderr.starts_with(expected), "{ran:?}");
    assert_eq!(ran.code, Some(2));
}
