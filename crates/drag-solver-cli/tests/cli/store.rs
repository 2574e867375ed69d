//! What outlives the command: batches that are killed, what is on record, what was spent.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use drag_solver::store::jiff::{Span, Timestamp};
use drag_solver::store::{Clock, SqliteOptions, SqliteStore, StoreExt as _};
use drag_solver::{DragChallenge, DragSolver as _, Event, JobId, Solution, solver_fn};
use drag_solver_mock::fixtures;
use serde_json::{Value, json};

use crate::server::Server;
use crate::support::{Ran, Run, drag_solver, end_of, signal};

const CREATE: &str = "/api/createJob";
const POLL: &str = "/api/getJobResult";

/// Some screenshots and a store beside them, and a provider that has its answers when it is told.
struct Scene {
    folder: tempfile::TempDir,
    server: Server,
    has_answers: Arc<AtomicBool>,
}

impl Scene {
    async fn of(screenshots: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("shots")).unwrap();
        for number in 0..screenshots {
            let picture = fixtures::screenshot_sized(400 + number, 900);
            let path = folder.path().join(format!("shots/{number:02}.gif"));
            std::fs::write(path, picture.bytes()).unwrap();
        }
        let has_answers = Arc::new(AtomicBool::new(false));
        let ready = Arc::clone(&has_answers);
        let server = Server::start(move |path, number| {
            Some(match path {
                CREATE => json!({"error": false, "job_id": 1_000 + number}),
                _ if ready.load(Ordering::SeqCst) => {
                    json!({"error": false, "status": "success", "result": "83|560|320|560"})
                }
                _ => json!({"error": false, "status": "running", "result": null}),
            })
        });
        Self {
            folder,
            server: server.await,
            has_answers,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command with these arguments and the store.
    fn command(&self, args: &[&str]) -> Run {
        drag_solver(args)
            .env("DRAG_SOLVER_STORE", self.path("drags.db"))
            .omocaptcha(&self.server.url())
    }

    fn solve(&self, more: &[&str]) -> Run {
        let args = ["solve", "--poll-interval=1ms", "--concurrency=40"];
        self.command(&[&args, more].concat())
            .arg(self.path("shots"))
    }

    async fn run(&self, args: &[&str]) -> Ran {
        self.command(args).run().await
    }

    /// Waits until this many different jobs were asked about.
    async fn until_polled(&self, jobs: usize) {
        for count in 1.. {
            let asked = self.server.asked();
            let polled = asked.iter().filter(|(path, _)| path == POLL);
            let ids: BTreeSet<String> =
                polled.map(|(_, body)| body["job_id"].to_string()).collect();
            if ids.len() >= jobs {
                return;
            }
            self.server.until(POLL, count).await;
        }
    }
}

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn a_batch_that_is_killed_is_gone_on_with_by_the_same_line() {
    let scene = Scene::of(32).await;
    let child = scene.solve(&[]).start();
    scene.until_polled(32).await;
    signal(&child, "KILL");
    assert_eq!(end_of(child).await.code, None);

    let jobs = scene.run(&["jobs", "--format=json"]).await;
    let open = lines(&jobs.stdout);
    assert_eq!(open.len(), 32, "{jobs:?}");
    assert!(
        open.iter()
            .all(|line| line["purchases"][0]["state"] == "bought")
    );

    scene.has_answers.store(true, Ordering::SeqCst);
    let again = scene.solve(&["--format=json"]).run().await;
    assert_eq!(again.code, Some(0), "{again:?}");
    let solved = lines(&again.stdout);
    assert_eq!(solved.len(), 32);
    assert!(solved.iter().all(|line| line["status"] == "solved"));
    assert_eq!(scene.server.count(CREATE), 32, "nothing was bought twice");

    let asked = scene.server.asked().len();
    let third = scene.solve(&["--format=json"]).run().await;
    let mut from_record = lines(&third.stdout);
    for line in &mut from_record {
        let mark = line.as_object_mut().unwrap().remove("on_record");
        assert_eq!(mark, Some(json!(true)), "{line}");
    }
    assert_eq!(from_record, solved, "from the record, as it was");
    let text = scene.solve(&[]).run().await;
    let marked = |line: &str| line.ends_with(" (on record)");
    assert!(text.stdout.lines().all(marked), "{text:?}");
    assert_eq!(
        scene.server.asked().len(),
        asked,
        "the provider was not asked"
    );
    assert!(
        third.stderr.contains("32 of 32 solved (32 on record); "),
        "{third:?}"
    );
    assert!(third.stderr.contains("$0"), "{third:?}");
    assert_eq!(scene.run(&["jobs"]).await.stdout, "");
}

#[tokio::test]
async fn what_is_paid_for_is_fetched_from_the_record_without_lines_or_pictures() {
    let scene = Scene::of(3).await;
    let child = scene.solve(&[]).start();
    scene.until_polled(3).await;
    signal(&child, "KILL");
    end_of(child).await;
    std::fs::remove_dir_all(scene.path("shots")).unwrap();

    let resume = [
        "resume",
        "--poll-interval=1ms",
        "--timeout=1s",
        "--format=json",
    ];
    let early = scene.run(&resume).await;
    assert_eq!(early.code, Some(1), "{early:?}");
    assert_eq!(
        lines(&early.stdout).len(),
        3,
        "they are still to come: {early:?}"
    );
    let path = scene.path("drags.db");
    let hint = format!(
        "instead of buying another: drag-solver resume --store {}\n",
        path.display()
    );
    assert!(early.stderr.contains(&hint), "{early:?}");
    scene.has_answers.store(true, Ordering::SeqCst);
    let fetched = scene.run(&resume).await;
    assert_eq!(fetched.code, Some(0), "{fetched:?}");
    assert!(
        lines(&fetched.stdout)
            .iter()
            .all(|line| line["status"] == "solved")
    );
    let nothing = scene.run(&resume).await;
    assert_eq!((nothing.code, nothing.stdout.as_str()), (Some(0), ""));
    assert_eq!(scene.server.count(CREATE), 3);
}

#[tokio::test]
async fn what_a_timeout_of_the_file_has_ended_is_fetched_by_the_line_that_the_hint_gives() {
    let scene = Scene::of(1).await;
    let config = scene.path("chain.toml");
    std::fs::write(
        &config,
        "[store]\npath = \"own.db\"\n[[providers]]\nkind = \"omocaptcha\"\ntimeout = \"1s\"\n\
         poll = { first = \"1ms\", every = \"1ms\" }\n",
    )
    .unwrap();
    let solve = drag_solver(["solve", "--config"])
        .arg(&config)
        .arg(scene.path("shots"));
    let late = solve.omocaptcha(&scene.server.url()).run().await;
    let raise = format!("hint: raise `timeout` in {}\n", config.display());
    assert!(late.stderr.contains(&raise), "{late:?}");
    assert!(!late.stderr.contains("deadline"), "{late:?}");
    let (config, store) = (
        config.to_str().unwrap(),
        scene.path("own.db").display().to_string(),
    );
    let args = ["resume", "--config", config, "--store", &store];
    let hint = format!("another: drag-solver {}\n", args.join(" "));
    assert!(late.stderr.contains(&hint), "{late:?}");

    scene.has_answers.store(true, Ordering::SeqCst);
    let fetched = drag_solver(args)
        .omocaptcha(&scene.server.url())
        .run()
        .await;
    assert_eq!(fetched.code, Some(0), "{fetched:?}");
    assert_eq!(scene.server.count(CREATE), 1);
}

#[tokio::test]
async fn a_job_that_fails_is_not_bought_anew_by_a_command_that_only_fetches() {
    let scene = Scene::of(1).await;
    let child = scene.solve(&[]).start();
    scene.until_polled(1).await;
    signal(&child, "KILL");
    end_of(child).await;
    let gone = Server::start(|path, _| match path {
        POLL => Some(json!({"error": false, "status": "fail", "result": null})),
        _ => panic!("it was to be fetched, and not bought"),
    });
    let resumed = drag_solver(["resume", "--poll-interval=1ms", "--store"])
        .arg(scene.path("drags.db"))
        .omocaptcha(&gone.await.url())
        .run()
        .await;
    assert_eq!(resumed.code, Some(1), "{resumed:?}");
    assert!(
        resumed.stderr.contains("`resume` only fetches"),
        "{resumed:?}"
    );
}

#[tokio::test]
async fn what_may_be_bought_is_listed_and_bought_again_only_if_the_user_says_so() {
    let (scene, is_lost) = (Scene::of(1).await, Arc::new(AtomicBool::new(true)));
    let lost = Arc::clone(&is_lost);
    let server = Server::start(move |path, _| match path {
        CREATE if lost.load(Ordering::SeqCst) => None,
        CREATE => Some(json!({"error": false, "job_id": 7})),
        _ => Some(json!({"error": false, "status": "success", "result": "83|560|320|560"})),
    });
    let server = server.await;
    let solve = |more: &[&str]| {
        scene
            .solve(&[&["--attempts=1"], more].concat())
            .omocaptcha(&server.url())
            .run()
    };
    let first = solve(&[]).await;
    assert!(first.stderr.contains("may have cost money"), "{first:?}");
    let spend = scene.run(&["spend"]).await;
    assert!(
        spend
            .stdout
            .ends_with("in all: $0, 1 bought, 1 of unknown cost\n"),
        "{spend:?}"
    );
    is_lost.store(false, Ordering::SeqCst);
    let refused = solve(&[]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    for expected in [
        "unconfirmed",
        "--buy-unconfirmed",
        "drag-solver jobs unsure",
    ] {
        assert!(refused.stderr.contains(expected), "{refused:?}");
    }
    assert_eq!(server.count(CREATE), 1);
    let unsure = scene.run(&["jobs", "unsure"]).await;
    assert!(
        unsure
            .stdout
            .contains("nothing was heard: it may be on the bill"),
        "{unsure:?}"
    );
    let bold = solve(&["--buy-unconfirmed"]).await;
    assert_eq!(bold.code, Some(0), "{bold:?}");
    assert_eq!(server.count(CREATE), 2);
}

#[tokio::test]
async fn what_was_spent_is_told_by_day_and_what_is_old_is_forgotten() {
    let scene = Scene::of(4).await;
    scene.has_answers.store(true, Ordering::SeqCst);
    std::fs::write(
        scene.path("chain.toml"),
        "[store]\npath = \"drags.db\"\n[budget]\nname = \"daily\"\nper_day = \"0.0027\"\n\
         [[providers]]\nkind = \"omocaptcha\"\nprice = \"0.0009\"\npoll = { first = \"1ms\", every = \"1ms\" }\n",
    )
    .unwrap();
    let solve = || {
        drag_solver(["solve", "--label=acme", "--config"])
            .arg(scene.path("chain.toml"))
            .arg(scene.path("shots"))
            .omocaptcha(&scene.server.url())
            .run()
    };
    let ran = solve().await;
    assert!(
        ran.stderr
            .contains("3 of 4 solved, 1 failed (1 budget_exhausted)"),
        "{ran:?}"
    );
    assert!(
        ran.stderr.contains("\"daily\", $0.0027 a day (UTC)"),
        "{ran:?}"
    );

    let spend = scene.run(&["spend", "--time-zone=UTC"]).await;
    assert!(
        spend.stdout.contains("  omocaptcha  $0.0027  3 bought\n"),
        "{spend:?}"
    );
    assert!(
        spend.stdout.ends_with("in all: $0.0027, 3 bought\n"),
        "{spend:?}"
    );
    let by_label = scene.run(&["spend", "--by=label", "--time-zone=UTC"]).await;
    assert!(
        by_label.stdout.contains("  acme  $0.0027  3 bought\n"),
        "{by_label:?}"
    );
    let by_budget = scene.run(&["spend", "--by=budget", "--format=json"]).await;
    let line = &lines(&by_budget.stdout)[0];
    assert_eq!(
        (&line["name"], &line["spent_usd"]),
        (&json!("daily"), &json!("0.0027"))
    );

    let both = scene.run(&["jobs", "--format=json", "prune"]).await;
    assert_eq!(both.code, Some(2), "{both:?}");
    // The store may be named before the word, too.
    let path = scene.path("drags.db");
    let early = ["jobs", "--store", path.to_str().unwrap(), "prune"];
    let none = drag_solver(early).run().await;
    assert!(
        none.stdout
            .starts_with("forgot 0 challenges and 0 purchases"),
        "{none:?}"
    );
    let pruned = scene.run(&["jobs", "prune", "--older-than=1ns"]).await;
    assert!(
        pruned
            .stdout
            .starts_with("forgot 4 challenges and 0 purchases"),
        "{pruned:?}"
    );
    assert_eq!(scene.run(&["jobs", "all"]).await.stdout, "");
    let spend = scene.run(&["spend"]).await;
    assert!(
        spend.stdout.ends_with("in all: $0.0027, 3 bought\n"),
        "{spend:?}"
    );
}

#[tokio::test]
async fn a_store_that_cannot_be_used_is_named_before_anything_is_sent() {
    let scene = Scene::of(1).await;
    std::fs::write(scene.path("other.db"), "not a store").unwrap();
    for (store, expected) in [
        ("other.db", "it is no SQLite file"),
        ("no/such/folder.db", "is there such a folder"),
    ] {
        let solve = scene.solve(&[]).env("DRAG_SOLVER_STORE", scene.path(store));
        let ran = solve.run().await;
        assert!(
            ran.stderr.starts_with("error: --store: the store "),
            "{ran:?}"
        );
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(expected), "{ran:?}");
    }
    for args in [
        ["jobs", "all"],
        ["spend", "--by=label"],
        ["resume", "--quiet"],
    ] {
        let ran = scene.run(&args).await;
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains("there is no store"), "{ran:?}");
    }
    let none = drag_solver(["jobs"]).run().await;
    assert!(none.stderr.contains("DRAG_SOLVER_STORE"), "{none:?}");
    assert!(scene.server.asked().is_empty());
}

/// Puts an answer on record, some days ago, with a job of somebody else who was asked as well and was too late.
async fn solve_days_ago(path: &std::path::Path, days: i64) {
    let then = Timestamp::now() - Span::new().hours(24 * days);
    let options = SqliteOptions::default().retention(None);
    let store = SqliteStore::open_with(path, options.clock(Clock::from_fn(move || then))).unwrap();
    let solver = solver_fn("winner", |challenge: DragChallenge| async move {
        let (solver, job) = ("omocaptcha", &JobId::from(7));
        challenge.notify(Event::Started { solver }).await?;
        challenge.notify(Event::Buying { solver }).await?;
        challenge.notify(Event::Bought { solver, job }).await?;
        Ok(Solution::new(fixtures::drag(), "winner"))
    });
    let challenge = fixtures::challenge().with_id("order");
    solver.durable(&store).solve(&challenge).await.unwrap();
}

#[tokio::test]
async fn who_only_looks_forgets_nothing_that_a_chain_may_keep_for_longer() {
    let scene = Scene::of(0).await;
    solve_days_ago(&scene.path("drags.db"), 60).await;
    for look in [
        &["jobs"][..],
        &["spend"],
        &["resume"],
        &["jobs", "prune", "--older-than=100days"],
        &["jobs", "done"],
    ] {
        let ran = scene.run(look).await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let done = scene.run(&["jobs", "done"]).await;
        assert!(done.stdout.starts_with("order: "), "{look:?}: {done:?}");
    }
    let pruned = scene.run(&["jobs", "prune"]).await;
    assert!(
        pruned.stdout.starts_with("forgot 1 challenges"),
        "{pruned:?}"
    );
}

#[tokio::test]
async fn a_job_of_what_is_solved_is_not_fetched_any_more() {
    let scene = Scene::of(0).await;
    solve_days_ago(&scene.path("drags.db"), 0).await;
    let ran = scene.run(&["resume"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("nothing is on record"), "{ran:?}");
    assert!(scene.server.asked().is_empty());
}

#[tokio::test]
async fn an_id_of_another_picture_is_told_as_that_and_no_fault_of_the_picture() {
    let scene = Scene::of(2).await;
    scene.has_answers.store(true, Ordering::SeqCst);
    let solve = |shot: &str| {
        let args = ["solve", "--poll-interval=1ms", "--id=one"];
        scene.command(&args).arg(scene.path(shot))
    };
    assert_eq!(solve("shots/00.gif").run().await.code, Some(0));
    let other = solve("shots/01.gif").run().await;
    assert_eq!(other.code, Some(1), "{other:?}");
    let mut told = other.stderr.lines();
    assert!(
        told.next()
            .unwrap()
            .contains("is on record with another picture"),
        "{other:?}"
    );
    let hint = "  hint: give it an --id of its own, or name another store";
    assert_eq!((told.next(), told.next()), (Some(hint), None), "{other:?}");
    assert_eq!(scene.server.count(CREATE), 1);
}
