//! `resume`, and `solve --resume`: what was paid for is fetched, and nothing is bought.

use drag_solver::Verdict;
use drag_solver_emulator::{Fault, Operation};
use serde_json::Value;

use crate::scene::{Scene, failed_line, solved_line};
use crate::support::{Ran, Run, drag_solver, end_of, signal};

/// Waits until the emulator has been asked about this many jobs.
#[cfg(unix)]
async fn jobs_asked_about(scene: &Scene, count: usize) {
    let asked_about = |scene: &Scene| {
        let jobs = scene.emulator.jobs();
        jobs.iter().filter(|job| job.polls > 0).count()
    };
    while asked_about(scene) < count {
        tokio::task::yield_now().await;
    }
}

/// What a run prints that is interrupted while it waits for the last one of `jobs` jobs.
#[cfg(unix)]
async fn interrupted(scene: &Scene, run: Run, jobs: usize) -> Ran {
    scene
        .emulator
        .inject(Operation::Poll, Fault::Html, u32::MAX);
    let child = run.start();
    jobs_asked_about(scene, jobs).await;
    signal(&child, "INT");
    let ran = end_of(child).await;
    assert_eq!(ran.code, Some(130), "{ran:?}");
    scene.emulator.clear_faults();
    ran
}

fn unfinished_jobs(line: &str) -> Vec<String> {
    let line: Value = serde_json::from_str(line).unwrap();
    let jobs = line["error"]["unfinished_jobs"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let job = |job: &Value| format!("{}:{}", text(&job["solver"]), text(&job["id"]));
    jobs.iter().map(job).collect()
}

#[cfg(unix)]
#[tokio::test]
async fn what_was_paid_for_is_fetched_from_its_line_and_nothing_is_bought() {
    let scene = Scene::new().await;
    let shot = scene.path("shot.png");
    let solve = ["solve", "--format=json", shot.as_str()];
    let line = interrupted(&scene, scene.run(&solve), 1).await.stdout;
    let ran = scene.run(&["resume"]).run_with(line.as_bytes()).await;
    let start = format!("{}  first ", scene.picture.drag());
    assert!(ran.stdout.starts_with(&start), "{ran:?}");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(scene.emulator.stats().jobs_created, 1, "bought once");

    // Without a file, and with a screenshot that has moved. What was resumed can be reported.
    let solve = drag_solver(solve).arg("--poll-interval=1ms");
    let line = interrupted(&scene, scene.with_account(solve), 2)
        .await
        .stdout;
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
    assert_eq!(ran.code, Some(3));
    let moved = resume().arg("--screenshot").arg(scene.path("moved.png"));
    let ran = moved.run_with(line.as_bytes()).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let run = scene.with_account(drag_solver(["report", "--incorrect"]));
    assert_eq!(run.run_with(ran.stdout.as_bytes()).await.code, Some(0));
    assert_eq!(scene.emulator.jobs()[1].verdict, Some(Verdict::Incorrect));
    assert_eq!(scene.emulator.stats().jobs_created, 2);
    scene.emulator.shutdown().await;
}

#[tokio::test]
async fn resume_never_buys() {
    let scene = Scene::new().await;
    let shot = scene.path("shot.png");
    for (line, status, expected) in [
        // A job that the provider does not know: a retry or the second provider would buy another.
        (failed_line(&shot, &[("first", "999")]), 1, "too late"),
        (failed_line(&shot, &[]), 1, "has no unfinished job"),
        (
            failed_line(&shot, &[("third", "1")]),
            2,
            "no provider of the chain is called `third`",
        ),
        (
            failed_line("-", &[("first", "1")]),
            2,
            "say where it is now with --screenshot",
        ),
        (solved_line("a.png", "x", "1"), 0, ""),
    ] {
        let ran = scene.run(&["resume"]).run_with(line.as_bytes()).await;
        assert!(ran.stderr.contains(expected), "{expected}: {ran:?}");
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(status), ""),
            "{ran:?}"
        );
    }
    assert_eq!(scene.emulator.stats().jobs_created, 0);

    // A job that was given up: a retry would buy another at once.
    let unknown = scene.path("unknown.gif");
    // 591 x 381 px, which `first` takes as it is.
    std::fs::write(
        &unknown,
        b"GIF89a\x4f\x02\x7d\x01\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\0;",
    )
    .unwrap();
    let ran = scene.run(&["solve", &unknown]).run().await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let jobs = scene.emulator.jobs();
    let job = jobs[0].id.to_string();
    let line = failed_line(&unknown, &[("first", &job)]);
    let resumed = scene.run(&["resume"]).run_with(line.as_bytes()).await;
    let option = format!("--resume=first:{job}");
    let solved = scene.run(&["solve", &unknown, &option]).run().await;
    for ran in [resumed, solved] {
        assert!(ran.stderr.contains("(unsolvable, cost nothing)"), "{ran:?}");
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
    }
    assert_eq!(scene.emulator.jobs().len(), jobs.len());
    scene.emulator.shutdown().await;
}

#[tokio::test]
async fn as_json_what_goes_in_comes_out() {
    let scene = Scene::new().await;
    let shot = scene.path("shot.png");
    let nothing_to_fetch = [solved_line("a.png", "x", "1"), failed_line("b.png", &[])];
    let lost = [
        failed_line(&shot, &[("third", "1"), ("first", "999")]),
        failed_line("gone.png", &[("first", "2"), ("first", "3")]),
    ];
    let lines = nothing_to_fetch.concat() + &lost.concat() + "{\"screenshot\":\"torn.p";
    let resume = || scene.run(&["resume", "--format=json"]);
    let ran = resume().run_with(lines.as_bytes()).await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("line 5 of standard input"), "{ran:?}");
    let printed: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(printed.len(), 4, "{ran:?}");
    assert!(printed[0].contains(r#""screenshot":"a.png","status":"solved""#));
    assert!(printed[1].contains(r#""screenshot":"b.png","status":"failed""#));
    assert_eq!(unfinished_jobs(printed[2]), ["third:1"], "{ran:?}");
    assert_eq!(unfinished_jobs(printed[3]), ["first:2", "first:3"]);

    // And so again and again.
    let again = resume().run_with(ran.stdout.as_bytes()).await;
    assert_eq!(again.stdout.lines().count(), 4, "{again:?}");
    assert_eq!(
        unfinished_jobs(again.stdout.lines().nth(3).unwrap()).len(),
        2
    );
    assert_eq!(scene.emulator.stats().jobs_created, 0);
    scene.emulator.shutdown().await;
}

#[cfg(unix)]
#[tokio::test]
async fn lines_that_were_not_begun_keep_their_jobs_when_the_run_is_interrupted() {
    let scene = Scene::new().await;
    let shot = scene.path("shot.png");
    let solve = ["solve", "--format=json", &shot];
    let line = interrupted(&scene, scene.run(&solve), 1).await.stdout;
    let lines = line.clone() + &failed_line(&shot, &[("first", "2")]);
    let list = scene.path("lines.json");
    std::fs::write(&list, lines).unwrap();

    scene
        .emulator
        .inject(Operation::Poll, Fault::Html, u32::MAX);
    let polls = scene.emulator.jobs()[0].polls;
    let resume = scene.run(&["resume", "--format=json", "--concurrency=1"]);
    let child = resume.stdin(std::fs::File::open(&list).unwrap()).start();
    // The first run may have left one poll on the wire, which counts only now: the second poll
    // is this run's, whose signals are handled by then.
    while scene.emulator.jobs()[0].polls < polls + 2 {
        tokio::task::yield_now().await;
    }
    signal(&child, "INT");
    let ran = end_of(child).await;
    assert_eq!(ran.code, Some(130), "{ran:?}");
    let printed: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(unfinished_jobs(printed[0]), unfinished_jobs(&line));
    assert_eq!(unfinished_jobs(printed[1]), ["first:2"]);
    scene.emulator.shutdown().await;
}

#[cfg(unix)]
#[tokio::test]
async fn an_interrupted_hedge_names_every_job_it_leaves_behind() {
    for format in ["text", "json"] {
        let scene = Scene::new().await;
        let chain = std::fs::read_to_string(scene.path("chain.toml")).unwrap();
        let hedge = "strategy = { kind = \"hedge\", delay = \"1ms\" }\n";
        std::fs::write(scene.path("chain.toml"), hedge.to_owned() + &chain).unwrap();
        let shot = scene.path("shot.png");
        let solve = scene.run(&["solve", "--format", format, &shot]);
        let ran = interrupted(&scene, solve, 2).await;
        let ids: Vec<String> = scene
            .emulator
            .jobs()
            .iter()
            .map(|job| job.id.to_string())
            .collect();
        assert_eq!(ids.len(), 2);
        if format == "json" {
            let jobs = unfinished_jobs(&ran.stdout);
            assert_eq!(jobs.len(), 2, "{jobs:?}");
            assert!(
                ids.iter()
                    .all(|id| jobs.iter().any(|job| job.ends_with(id)))
            );
        } else {
            for id in &ids {
                assert!(
                    ran.stderr.contains(&format!("job {id} is unfinished")),
                    "{ran:?}"
                );
            }
        }
        scene.emulator.shutdown().await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_screenshot_whose_name_is_no_text_is_found_again() {
    use std::os::unix::ffi::OsStrExt as _;

    let scene = Scene::new().await;
    let folder = std::path::PathBuf::from(scene.path(""));
    let odd = folder.join(std::ffi::OsStr::from_bytes(b"caf\xe9.png"));
    std::fs::copy(scene.path("shot.png"), &odd).unwrap();
    let solve = scene.run(&["solve", "--format=json"]).arg(&odd);
    let line = interrupted(&scene, solve, 1).await.stdout;
    let ran = scene.run(&["resume"]).run_with(line.as_bytes()).await;
    let start = format!("{}  first ", scene.picture.drag());
    assert!(ran.stdout.starts_with(&start), "{ran:?}");
    assert_eq!(scene.emulator.stats().jobs_created, 1);
    scene.emulator.shutdown().await;
}
