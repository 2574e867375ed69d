//! The whole road: a picture goes in, travels over real HTTP to a provider on a loopback port, and
//! two points come out. Only what a program sees is used, and the provider's books are compared.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use drag_solver::prelude::*;
use drag_solver::providers::ApiVersion;
use drag_solver::testing::emulator::{Emulator, Operation, Protocol};
use drag_solver::testing::pictures::AnswerKey;
use drag_solver::testing::{MockSolver, Outcome};
use drag_solver::{Event, Fallback, Observer};

use crate::support::{HeldBack, TOKEN, Watched, account, picture, provider, quick_retries};

fn creates(emulator: &Emulator) -> usize {
    let requests = emulator.requests();
    requests
        .iter()
        .filter(|r| r.operation == Operation::Create)
        .count()
}

#[tokio::test]
async fn both_protocols_carry_the_picture_and_bring_its_drag() {
    let emulator = provider().running_polls(2).start().await.unwrap();
    for version in [ApiVersion::V1, ApiVersion::V2] {
        let picture = picture(7);
        let solver = account(&emulator, version).build().unwrap();
        let solution = solver.solve(&picture.challenge()).await.unwrap();
        assert_eq!(*solution.drag(), picture.drag(), "{version}");
        assert_eq!(solution.solver(), format!("omocaptcha-{version}"));

        let job = emulator.jobs().pop().unwrap();
        assert_eq!(solution.job(), Some(&job.id), "{version}");
        assert_eq!((job.polls, job.fetched), (3, 1), "{version}");
        let requests = emulator.requests();
        let sent = requests
            .iter()
            .rfind(|r| r.operation == Operation::Create)
            .unwrap();
        assert_eq!(sent.picture.as_ref().unwrap(), picture.screenshot().bytes());
        assert!(sent.has_right_token && !sent.request.target().contains(TOKEN));
    }
    assert_eq!(emulator.stats().jobs_paid, 2);
    emulator.shutdown().await;
}

#[tokio::test]
async fn an_empty_account_is_left_for_the_next_in_the_chain() {
    let first = provider().balance(Usd::ZERO).start().await.unwrap();
    let second = provider().start().await.unwrap();
    let chain = account(&first, ApiVersion::V1)
        .build()
        .unwrap()
        .retry(quick_retries())
        .or(account(&second, ApiVersion::V2).build().unwrap());

    let picture = picture(1);
    let solution = chain.solve(&picture.challenge()).await.unwrap();
    assert_eq!(*solution.drag(), picture.drag());
    assert_eq!(solution.solver(), "omocaptcha-v2");
    let failed: Vec<_> = solution.failed_attempts().iter().map(|a| a.kind).collect();
    assert_eq!(failed, [ErrorKind::InsufficientBalance], "not retried");
    assert_eq!(first.stats().jobs_created, 0);
    assert_eq!(second.jobs()[0].protocol, Protocol::OmocaptchaV2);
    first.shutdown().await;
    second.shutdown().await;
}

#[tokio::test]
async fn what_one_worker_gave_up_on_the_next_one_solves() {
    let picture = picture(2);
    let workers = MockSolver::new("workers")
        .then(Outcome::error(ErrorKind::Unsolvable, "no idea").after(Duration::from_millis(1)))
        .then(picture.drag());
    let emulator = provider().solver(workers).start().await.unwrap();
    // Whether omocaptcha bills a job it gave up on is not documented: to buy again is a decision.
    let chain = account(&emulator, ApiVersion::V1)
        .build()
        .unwrap()
        .retry(quick_retries().retry_maybe_billed(true));

    let solution = chain.solve(&picture.challenge()).await.unwrap();
    assert_eq!(*solution.drag(), picture.drag());
    assert_eq!(solution.failed_attempts()[0].kind, ErrorKind::Unsolvable);
    let stats = emulator.stats();
    assert_eq!((stats.jobs_refunded, stats.jobs_paid), (1, 1));
    emulator.shutdown().await;
}

#[tokio::test]
async fn a_server_that_is_down_costs_nothing_and_the_next_is_asked() {
    let down = provider().start().await.unwrap();
    down.suspend().await.unwrap();
    let up = provider().start().await.unwrap();
    let chain = account(&down, ApiVersion::V1)
        .build()
        .unwrap()
        .retry(quick_retries())
        .or(account(&up, ApiVersion::V2).build().unwrap());

    let solution = chain.solve(&picture(3).challenge()).await.unwrap();
    assert_eq!(solution.solver(), "omocaptcha-v2");
    let failed = solution.failed_attempts();
    assert_eq!(failed.len(), 3);
    for attempt in failed {
        assert_eq!(attempt.kind, ErrorKind::Unavailable);
        assert_eq!(attempt.billed, Billed::No);
    }
    assert_eq!(down.traffic().requests, 0);
    down.shutdown().await;
    up.shutdown().await;
}

#[tokio::test]
async fn a_job_outlives_a_server_that_is_cut_off_while_it_runs() {
    for version in [ApiVersion::V1, ApiVersion::V2] {
        let workers = HeldBack::new();
        let emulator = provider().solver(workers.clone()).start().await.unwrap();
        let url = match version {
            ApiVersion::V1 => emulator.url(Protocol::OmocaptchaV1),
            _ => emulator.url(Protocol::OmocaptchaV2),
        };
        let http = Watched::http(&url);
        let solver = account(&emulator, version)
            .transport(Arc::clone(&http))
            .build()
            .unwrap();

        let picture = picture(4);
        let challenge = picture.challenge();
        let solving = tokio::spawn(async move { solver.solve(&challenge).await });
        http.until(|counts| counts.answered >= 2).await; // bought, and asked about once
        emulator.suspend().await.unwrap();
        http.until(|counts| counts.unanswered >= 3).await;
        workers.release();
        emulator.resume().await.unwrap();

        let solution = solving.await.unwrap().unwrap();
        assert_eq!(*solution.drag(), picture.drag(), "{version}");
        let stats = emulator.stats();
        assert_eq!((stats.jobs_paid, stats.answers_fetched), (1, 1));
        emulator.shutdown().await;
    }
}

/// Writes down the jobs that are bought, as a program does that wants to survive its own end.
#[derive(Debug, Default)]
struct Notebook(Mutex<Vec<PaidJob>>);

#[async_trait]
impl Observer for Notebook {
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
        if let Event::Bought { solver, job } = *event {
            let job = PaidJob::new(solver, job.clone());
            self.0.lock().unwrap().push(job);
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_job_of_a_program_that_ended_is_resumed_by_the_next_and_not_bought_again() {
    let workers = HeldBack::new();
    let emulator = provider().solver(workers.clone()).start().await.unwrap();
    let http = Watched::http(&emulator.url(Protocol::OmocaptchaV1));
    let first = account(&emulator, ApiVersion::V1)
        .transport(Arc::clone(&http))
        .build()
        .unwrap();
    let (picture, notebook) = (picture(5), Arc::new(Notebook::default()));
    let challenge = picture
        .challenge()
        .with_observer(Arc::clone(&notebook) as _);
    tokio::select! {
        answer = first.solve(&challenge) => panic!("no one gave one: {answer:?}"),
        () = http.until(|counts| counts.answered >= 2) => {} // bought, and asked about
    }
    let written_down = serde_json::to_string(&*notebook.0.lock().unwrap()).unwrap();
    drop(first);

    workers.release();
    let jobs: Vec<PaidJob> = serde_json::from_str(&written_down).unwrap();
    assert_eq!(jobs.len(), 1);
    let challenge = jobs
        .into_iter()
        .fold(picture.challenge(), DragChallenge::resume_job);
    let second = account(&emulator, ApiVersion::V1).build().unwrap();
    let solution = second.solve(&challenge).await.unwrap();
    assert_eq!(*solution.drag(), picture.drag());
    assert_eq!(creates(&emulator), 1);
    emulator.shutdown().await;
}

#[tokio::test]
async fn a_chain_that_ran_out_tells_every_attempt_in_order_and_no_token() {
    let first = provider().balance(Usd::ZERO).start().await.unwrap();
    let second = Emulator::builder().token(TOKEN).start().await.unwrap(); // knows nothing
    let chain =
        account(&first, ApiVersion::V1)
            .build()
            .unwrap()
            .or(account(&second, ApiVersion::V2)
                .build()
                .unwrap()
                .retry(quick_retries().max_attempts(2).retry_maybe_billed(true)));

    let error: SolveError = chain.solve(&picture(6).challenge()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AllFailed);
    let attempts: Vec<_> = error.attempts().iter().map(|a| a.kind).collect();
    assert_eq!(
        attempts,
        [
            ErrorKind::InsufficientBalance,
            ErrorKind::Unsolvable,
            ErrorKind::Unsolvable
        ]
    );
    assert!(error.unfinished_jobs().is_empty());
    for text in [
        error.to_string(),
        format!("{error:?}"),
        format!("{chain:?}"),
        serde_json::to_string(&error).unwrap(),
    ] {
        assert!(!text.contains("hunter2"), "{text}");
    }
    first.shutdown().await;
    second.shutdown().await;
}

#[tokio::test]
async fn many_callers_share_a_chain_and_each_gets_the_drag_of_its_own_picture() {
    let emulator = provider().running_polls(1).start().await.unwrap();
    let links: Vec<Arc<dyn DragSolver>> = vec![
        account(&emulator, ApiVersion::V1)
            .build()
            .unwrap()
            .into_arc(),
        AnswerKey.into_arc(),
    ];
    let chain = Fallback::new(links).into_arc();
    let mut callers = tokio::task::JoinSet::new();
    for seed in 0..20 {
        let chain = Arc::clone(&chain);
        callers.spawn(async move {
            let picture = picture(seed);
            let solution = chain.solve(&picture.challenge()).await.unwrap();
            assert_eq!(*solution.drag(), picture.drag(), "{seed}");
            assert_eq!(solution.solver(), "omocaptcha-v1");
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.unwrap();
    }
    let stats = emulator.stats();
    assert_eq!((stats.jobs_paid, stats.answers_fetched), (20, 20));
    emulator.shutdown().await;
}
