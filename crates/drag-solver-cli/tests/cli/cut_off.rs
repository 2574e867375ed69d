//! A provider that is cut off while it works on a job.

use std::sync::Arc;

use drag_solver::{DragChallenge, DragSolver, Solution, SolveError, async_trait};
use drag_solver_emulator::{Emulator, Protocol};
use drag_solver_mock::pictures::{AnswerKey, TestPicture};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::ChildStderr;
use tokio::sync::Semaphore;

use crate::support::{TOKEN, drag_solver, end_of};

/// People who know the answer, and give it when they are let.
#[derive(Clone, Debug)]
struct HeldBack(Arc<Semaphore>);

#[async_trait]
impl DragSolver for HeldBack {
    fn name(&self) -> &'static str {
        "held-back"
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let _let = self.0.acquire().await.unwrap();
        AnswerKey.solve(challenge).await
    }
}

async fn until(log: &mut Lines<BufReader<ChildStderr>>, part: &str) {
    while let Some(line) = log.next_line().await.unwrap() {
        if line.contains(part) {
            return;
        }
    }
    panic!("the log ended without `{part}`");
}

#[tokio::test]
async fn one_paid_job_ends_in_its_answer_all_the_same() {
    let people = HeldBack(Arc::new(Semaphore::new(0)));
    let emulator = Emulator::builder()
        .solver(people.clone())
        .token(TOKEN)
        .start()
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.png");
    let picture = TestPicture::draw_sized(3, 100, 200).unwrap();
    std::fs::write(&path, picture.screenshot().bytes()).unwrap();

    let mut child = drag_solver(["solve", "-v", "--poll-interval=1ms"])
        .arg(&path)
        .omocaptcha(&emulator.url(Protocol::OmocaptchaV1))
        .start();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    until(&mut log, "bought").await;
    emulator.suspend().await.unwrap();
    until(&mut log, "poll failed").await;
    people.0.add_permits(1);
    emulator.resume().await.unwrap();
    until(&mut log, "solved").await;
    let ran = end_of(child).await;

    let start = format!("{}  omocaptcha ", picture.drag());
    assert!(ran.stdout.starts_with(&start), "{ran:?}");
    assert_eq!(ran.code, Some(0));
    let stats = emulator.stats();
    assert_eq!((stats.jobs_created, stats.answers_fetched), (1, 1));
    emulator.shutdown().await;
}
