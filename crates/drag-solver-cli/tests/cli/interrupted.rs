//! Runs that are ended early, and what they leave behind.

use crate::server::Server;
use crate::solve::shot;
use crate::support::{drag_solver, end_of, from_shell, signal};

const POLL: &str = "/api/getJobResult";

#[tokio::test]
async fn an_interrupted_run_names_the_jobs_it_leaves_behind() {
    for (name, status) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        // Tests under `nohup` hand that down to the command, which then outlives its terminal.
        if name == "HUP" && ignores_hangup() {
            eprintln!("skipped: these tests were started to ignore SIGHUP");
            continue;
        }
        for format in ["text", "json"] {
            let (shot, server) = (shot(), Server::solving_after(usize::MAX).await);
            let args = [
                "solve",
                "--poll-interval=1ms",
                "--concurrency=1",
                "--format",
            ];
            let child = drag_solver(args)
                .arg(format)
                .arg("--region=0,380,591,400")
                .arg(&shot.path)
                .arg("never-begun.png")
                .omocaptcha(&server.url())
                .start();
            server.until(POLL, 2).await;
            signal(&child, name);
            let ran = end_of(child).await;
            assert_eq!(ran.code, Some(status), "{ran:?}");
            assert!(
                ran.stderr
                    .contains("0 of 2 solved, 1 failed (1 interrupted), 1 not begun; "),
                "{ran:?}"
            );
            if format == "text" {
                let resume = format!(
                    "drag-solver solve {} --region 0,380,591,400 --resume omocaptcha:123456",
                    shot.path
                );
                assert!(
                    ran.stderr.contains("omocaptcha job 123456 is unfinished"),
                    "{ran:?}"
                );
                assert!(ran.stderr.contains(&resume), "{ran:?}");
                assert_eq!(ran.stdout, "");
            } else {
                let line: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
                assert_eq!(line["error"]["unfinished_jobs"][0]["id"], "123456");
                assert_eq!(line["error"]["billed"], "maybe");
                assert_eq!(line["region"]["height"], 400.0);
            }
        }
    }
}

#[tokio::test]
async fn a_quiet_run_names_them_too_and_says_no_more() {
    let (shot, server) = (shot(), Server::solving_after(usize::MAX).await);
    let args = ["solve", "-q", "--concurrency=1", "--poll-interval=1ms"];
    let child = drag_solver(args)
        .arg(&shot.path)
        .arg("never-begun.png")
        .omocaptcha(&server.url())
        .start();
    server.until(POLL, 2).await;
    signal(&child, "INT");
    let ran = end_of(child).await;
    assert_eq!(ran.code, Some(130), "{ran:?}");
    assert!(
        ran.stderr.contains("omocaptcha job 123456 is unfinished"),
        "{ran:?}"
    );
    assert!(!ran.stderr.contains("not begun"), "{ran:?}");
}

/// SIGHUP is the first bit of the mask that Linux shows.
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).unwrap() & 1 != 0)
}

#[tokio::test]
async fn a_run_that_is_to_outlive_its_terminal_does() {
    let (shot, server) = (shot(), Server::solving_after(usize::MAX).await);
    let args = ["solve", "--poll-interval=1ms", &shot.path];
    let child = from_shell(r#"trap "" HUP; exec "$@""#, args)
        .omocaptcha(&server.url())
        .start();
    server.until(POLL, 2).await;
    signal(&child, "HUP");
    let polls = server.count(POLL);
    server.until(POLL, polls + 20).await;
    signal(&child, "TERM");
    assert_eq!(end_of(child).await.code, Some(143));
}

#[tokio::test]
async fn without_a_standard_output_nothing_is_bought() {
    let (shot, server) = (shot(), Server::solving_after(1).await);
    let solve = |how: &str| {
        let run = from_shell(how, ["solve", "--poll-interval=1ms", &shot.path]);
        run.omocaptcha(&server.url()).run()
    };
    let ran = solve(r#"exec "$@" >&-"#).await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("standard output is closed"), "{ran:?}");
    assert!(server.asked().is_empty());

    let ran = solve(r#"exec "$@" > /dev/null"#).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
}
