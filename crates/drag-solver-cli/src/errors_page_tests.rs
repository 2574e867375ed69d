//! `docs/errors.md` is made of real errors, by this test. After a change on purpose:
//! `DRAG_SOLVER_WRITE_DOCS=1 cargo test -p drag-solver-cli errors_page`, and read what has changed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use drag_solver::providers::{AntiCaptcha, Omocaptcha, TwoCaptcha};
use drag_solver::store::jiff::Timestamp;
use drag_solver::store::{Clock, SqliteOptions, SqliteStore, StoreExt as _};
use drag_solver::testing::http::{Reply, ScriptedTransport};
use drag_solver::{
    Billed, Budget, BudgetPolicy, CircuitBreakerPolicy, DragChallenge, DragSolver,
    DragSolverExt as _, ErrorKind, Event, RateLimitPolicy, Recovery, Screenshot, SolveError, Usd,
    solver_fn,
};
use drag_solver_mock::fixtures::challenge_sized;
use tokio::time::Instant;

use crate::task::{Failure, Task};
use crate::ui::explanation::explanation;
use crate::ui::hints;
use crate::ui::text::billed;

const PAGE: &str = "docs/errors.md";

/// What happened, in one line.
fn meaning(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidChallenge => {
            "the screenshot, or the region in it, cannot be used by anyone"
        }
        ErrorKind::DeadlineExceeded => "the challenge's own deadline passed, or cannot be met",
        ErrorKind::Unauthorized => "the provider refused the token, the account or the address",
        ErrorKind::InsufficientBalance => "the account is empty",
        ErrorKind::Unsupported => "this provider does not do this",
        ErrorKind::Protocol => "the provider's answer is not the documented one",
        ErrorKind::Timeout => "one attempt took longer than it was given",
        ErrorKind::CircuitOpen => "refused here: the provider failed too often recently",
        ErrorKind::Overloaded => "refused here: too many calls are under way or waiting",
        ErrorKind::BudgetExhausted => "refused here: the money set aside is spent",
        ErrorKind::NotRecorded => {
            "refused here: what is bought must be on record, and the record cannot be written"
        }
        ErrorKind::Unconfirmed => {
            "refused here: an earlier purchase was sent and never heard of, so another one may be paid twice"
        }
        ErrorKind::RateLimited => "the provider said to slow down, or has no worker free",
        ErrorKind::Unavailable => "the provider cannot be reached, or says that it is out of order",
        ErrorKind::Unsolvable => "the provider tried and gave up",
        ErrorKind::InvalidAnswer => {
            "the coordinates are missing, off the picture, or a drag of no length"
        }
        ErrorKind::AllFailed => "a chain ran out of providers to ask",
        _ => panic!("say here what {kind} means"),
    }
}

fn recovery(kind: ErrorKind) -> &'static str {
    match kind.recovery() {
        _ if kind == ErrorKind::AllFailed => "the mildest of its parts",
        Recovery::Retry => "retry",
        Recovery::Switch => "switch",
        Recovery::Stop => "stop",
    }
}

fn money(billed: &[Billed]) -> String {
    let words = billed.iter().map(|billed| match billed {
        Billed::No => "no",
        Billed::Maybe => "perhaps",
        Billed::Yes => "yes",
    });
    words.collect::<Vec<_>>().join(", ")
}

fn scripted<const N: usize>(script: [Reply; N], always: Reply) -> ScriptedTransport {
    ScriptedTransport::new(script).then_always(always)
}

fn omocaptcha<const N: usize>(script: [Reply; N], always: Reply) -> Omocaptcha {
    let settings = Omocaptcha::builder().token("hunter2");
    settings
        .transport(scripted(script, always))
        .build()
        .unwrap()
}

fn twocaptcha(answer: &str) -> TwoCaptcha {
    let created = Reply::json(r#"{"errorId": 0, "taskId": 123456}"#);
    let settings = TwoCaptcha::builder().token("hunter2");
    settings
        .transport(scripted([created], Reply::json(answer)))
        .build()
        .unwrap()
}

fn created() -> Reply {
    Reply::json(r#"{"error": false, "job_id": 123456}"#)
}

fn running() -> Reply {
    Reply::json(r#"{"error": false, "status": "running"}"#)
}

async fn failure(solver: impl DragSolver, challenge: &DragChallenge) -> SolveError {
    solver.solve(challenge).await.unwrap_err()
}

/// The errors of a store: one that cannot be written any more, and one whose process was killed while it bought.
async fn errors_of_a_store() -> [SolveError; 2] {
    let solver = |is_killed: bool| {
        solver_fn("omocaptcha", move |challenge: DragChallenge| async move {
            challenge
                .notify(Event::Buying {
                    solver: "omocaptcha",
                })
                .await?;
            if is_killed {
                std::future::pending::<()>().await;
            }
            Err(SolveError::new(ErrorKind::Unavailable, "down"))
        })
    };
    let store = || SqliteStore::in_memory(Clock::tokio(Timestamp::UNIX_EPOCH)).unwrap();
    let phone = || challenge_sized(591, 1149).with_id("phone");
    // It is full before there is room for a purchase.
    let folder = tempfile::tempdir().unwrap();
    let pages = Arc::new(AtomicU32::new(u32::MAX));
    let options = SqliteOptions::default().max_pages(Arc::clone(&pages));
    let full = SqliteStore::open_with(folder.path().join("drags.db"), options).unwrap();
    pages.store(1, Ordering::Relaxed);
    let full = solver(false).durable(&full);
    let mut not_recorded = full.solve(&phone()).await.unwrap_err();
    // What room there is in the last page is used up first.
    for count in 0..1_000 {
        if not_recorded.kind() == ErrorKind::NotRecorded {
            break;
        }
        let other = phone().with_id(format!("phone {count}"));
        not_recorded = full.solve(&other).await.unwrap_err();
    }
    let folder = format!("{}/", folder.path().display());
    let message = not_recorded.message().replace(&folder, "");
    let not_recorded = not_recorded.with_message(message);
    let store = store();
    let killed = solver(true).durable(&store);
    let second = Duration::from_secs(1);
    assert!(
        tokio::time::timeout(second, killed.solve(&phone()))
            .await
            .is_err()
    );
    [
        not_recorded,
        failure(solver(false).durable(&store), &phone()).await,
    ]
}

/// Real errors: how each kind comes about, and what was billed. The first of a kind is the example.
async fn errors() -> Vec<SolveError> {
    // First: a real thread writes to a real disk, and meanwhile the clock may leap ahead.
    let [not_recorded, unconfirmed] = errors_of_a_store().await;
    let phone = &challenge_sized(591, 1149);
    let small = &challenge_sized(400, 300);
    let refused =
        |message: &str| Reply::json(format!(r#"{{"error": true, "message": "{message}"}}"#));
    let task =
        |code: &str| format!(r#"{{"errorId": 1, "errorCode": "{code}", "errorDescription": ""}}"#);
    let bought_and = |code: &str| twocaptcha(&task(code));
    let down = || omocaptcha([], Reply::not_sent());
    let (second, day) = (Duration::from_secs(1), Duration::from_secs(86_400));

    let breaker =
        down().circuit_breaker(CircuitBreakerPolicy::default().min_samples(1).open_for(day));
    breaker.solve(phone).await.unwrap_err();
    let hasty = RateLimitPolicy::default()
        .max_calls(1)
        .period(day)
        .burst(1)
        .max_wait(second);
    let limited = down().rate_limit(hasty);
    limited.solve(phone).await.unwrap_err();
    let price: Usd = "0.0009".parse().unwrap();
    let spent = Budget::with_spent(BudgetPolicy::default().total(price), price);
    let poor = TwoCaptcha::builder().token("hunter2");
    let poor = poor
        .transport(scripted([], Reply::json(task("ERROR_ZERO_BALANCE"))))
        .build();
    let large = AntiCaptcha::builder().token("hunter2");
    let large = large.transport(ScriptedTransport::new([])).build().unwrap();
    let gave_up = AntiCaptcha::builder().token("hunter2").transport(scripted(
        [Reply::json(r#"{"errorId": 0, "taskId": 123456}"#)],
        Reply::json(task("ERROR_CAPTCHA_UNSOLVABLE")),
    ));
    let off = Reply::json(r#"{"error": false, "status": "success", "result": "83|560|9999|560"}"#);
    let no_slot = TwoCaptcha::builder().token("hunter2");
    let no_slot = no_slot.transport(scripted([], Reply::json(task("ERROR_NO_SLOT_AVAILABLE"))));
    let soon = || phone.clone().with_deadline(Instant::now() + 10 * second);
    let late = phone.clone().with_deadline(Instant::now());

    vec![
        not_recorded,
        unconfirmed,
        SolveError::from(Screenshot::from_bytes(Vec::new()).unwrap_err()),
        failure(omocaptcha([created()], running()), &soon()).await,
        failure(omocaptcha([], created()), &late).await,
        failure(omocaptcha([], refused("Invalid api token.")), phone).await,
        failure(
            omocaptcha([created()], refused("Invalid api token.")),
            phone,
        )
        .await,
        failure(poor.unwrap(), small).await,
        failure(large, phone).await,
        failure(omocaptcha([], Reply::status(404, "<html>")), phone).await,
        failure(omocaptcha([], Reply::json("<html>")), phone).await,
        failure(omocaptcha([created()], running()), phone).await,
        failure(breaker, phone).await,
        failure(limited, phone).await,
        failure(down().budget(&spent, price), phone).await,
        failure(no_slot.build().unwrap(), small).await,
        failure(down(), phone).await,
        failure(omocaptcha([], Reply::lost()), phone).await,
        failure(bought_and("ERROR_CAPTCHA_UNSOLVABLE"), small).await,
        failure(
            omocaptcha(
                [created()],
                Reply::json(r#"{"error": false, "status": "fail"}"#),
            ),
            phone,
        )
        .await,
        failure(gave_up.build().unwrap(), small).await,
        failure(omocaptcha([created()], off), phone).await,
        failure(down().or(omocaptcha([created()], running())), phone).await,
    ]
}

/// How the command explains the error.
fn explained(error: &SolveError) -> String {
    let task = Task {
        path: "phone.png".into(),
        id: None,
        region: None,
        paid_jobs: Vec::new(),
    };
    explanation(
        &task,
        &Failure::Unsolved(error.clone()),
        &hints::Asked::default(),
    )
}

async fn page() -> String {
    let mut kinds: BTreeMap<&str, Vec<SolveError>> = BTreeMap::new();
    for error in errors().await {
        kinds.entry(error.kind().as_str()).or_default().push(error);
    }
    let mut table = String::new();
    let mut examples = String::new();
    for kind in ErrorKind::ALL {
        let errors = kinds
            .remove(kind.as_str())
            .unwrap_or_else(|| panic!("no error is {kind}"));
        let mut seen: Vec<Billed> = errors.iter().map(SolveError::billed).collect();
        seen.sort_unstable();
        seen.dedup();
        let money = match kind {
            ErrorKind::AllFailed => "the worst of its parts".to_owned(),
            _ => money(&seen),
        };
        let advice = hints::hint(*kind, errors[0].solver().unwrap_or_default(), None);
        let advice = advice.unwrap_or_else(|| "what each of its parts asks for".to_owned());
        let (meaning, recovery) = (meaning(*kind), recovery(*kind));
        let _ = writeln!(
            table,
            "| `{kind}` | {meaning} | {recovery} | {money} | {advice} |"
        );

        let error = &errors[0];
        let _ = write!(
            examples,
            "\n### `{kind}`\n\nIn a log:\n\n```text\n{error}\n```\n\nFrom the command:\n\n```text\n{}\n```\n",
            explained(error)
        );
    }
    assert!(kinds.is_empty(), "{kinds:?}");
    INTRODUCTION.replace("TABLE\n", &table) + &examples
}

const INTRODUCTION: &str = r"# Errors

What went wrong, whether money was spent, what to do next. This page is written by a test from errors
that really came about, so it says what the code says.

| kind | what happened | recovery | money spent | what the command advises |
|---|---|---|---|---|
TABLE

*Recovery* (`error.recovery()`): *retry*, the same provider may yet succeed; *switch*, another may; *stop*,
none can. *Money spent* (`error.billed()`) is all that was seen with this kind; *perhaps* means that the
provider may have taken the order: if the error names a job, wait for that with
`drag-solver solve --resume` or `DragChallenge::resume_job` before you buy another.

## How each reads

In a log an error is one line: who, what, its kind, and, if they are not nothing, what it cost, the job
that can be resumed, and how long to wait.
";

#[tokio::test(start_paused = true)]
async fn the_page_says_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(PAGE);
    let page = page().await;
    if std::env::var_os("DRAG_SOLVER_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    for (number, (is, should)) in written.lines().zip(page.lines()).enumerate() {
        assert_eq!(
            is,
            should,
            "{PAGE}:{}, see this test's first lines",
            number + 1
        );
    }
    assert_eq!(written.lines().count(), page.lines().count(), "{PAGE}");
}

#[tokio::test(start_paused = true)]
async fn every_kind_says_what_happened_what_it_cost_and_what_to_do() {
    for error in errors().await {
        let (text, cost) = (explained(&error), billed(error.billed()));
        assert!(
            text.contains(error.kind().as_str()) && text.contains(cost),
            "{text}"
        );
        assert!(text.contains("\n  hint: "), "{text}");
        assert!(error.message().len() > 10, "{error}");
    }
}
