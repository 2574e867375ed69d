//! Works on several screenshots at a time.

mod drawings;
mod options;
mod result_printer;
mod results;
pub(crate) mod tally;

use std::cell::{OnceCell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use drag_solver::{DragChallenge, ErrorKind, SolveError, Tracker};
use futures_util::{StreamExt as _, stream};
use tokio::time::Instant;

pub(crate) use self::options::BatchOptions;
use self::results::Results;
use crate::exit::Exit;
use crate::signals;
use crate::task::{Answer, Failure, Task};
use crate::ui::console::eprint_line;
use crate::ui::progress_view::{ProgressView, TaskView};

/// What a task is observed through while it is under way.
#[derive(Debug)]
pub(crate) struct TaskHandle {
    view: Arc<TaskView>,
    tracker: Rc<OnceCell<Tracker>>,
}

impl TaskHandle {
    /// The same challenge. What happens to it is shown, and what it buys is known if the command is
    /// interrupted.
    pub(crate) fn observe(&self, challenge: DragChallenge) -> DragChallenge {
        let (challenge, tracker) = challenge.with_observer(self.view.clone()).tracked();
        let _ = self.tracker.set(tracker); // each task has one challenge
        challenge
    }

    /// Its answer was on record in an earlier run.
    pub(crate) fn mark_on_record(&self) {
        self.view.mark_on_record();
    }
}

/// How far a task has come.
enum State {
    Waiting,
    Begun(Begun),
    Ended,
}

/// A task that was begun.
struct Begun {
    at: Instant,
    tracker: Rc<OnceCell<Tracker>>,
}

/// Does `work` for the number of each of the `tasks`, until done or interrupted, and prints the results.
pub(crate) async fn run_all<F>(
    tasks: &[Task],
    options: BatchOptions,
    mut work: impl FnMut(usize, TaskHandle) -> F,
) -> Exit
where
    F: Future<Output = Result<Answer, Failure>>,
{
    let view = ProgressView::new(tasks.len(), options.spinner);
    let mut results = Results::new(tasks, &options, &view);
    let states: Vec<State> = tasks.iter().map(|_| State::Waiting).collect();
    let states = RefCell::new(states);
    let start = |(index, task): (usize, &Task)| {
        let tracker = Rc::default();
        states.borrow_mut()[index] = State::Begun(Begun {
            at: Instant::now(),
            tracker: Rc::clone(&tracker),
        });
        let view = view.begin(index, &task.path);
        let seen = Arc::clone(&view);
        let work = work(index, TaskHandle { view, tracker });
        async move { (index, work.await, seen.is_on_record()) }
    };
    let under_way = stream::iter(tasks.iter().enumerate()).map(start);
    let mut under_way = pin!(under_way.buffer_unordered(options.concurrency));
    let mut interruption = pin!(signals::interruption());
    let ended = loop {
        tokio::select! {
            biased;
            exit = &mut interruption => break exit,
            next = under_way.next() => match next {
                None => break Exit::Success,
                Some((index, result, on_record)) => {
                    states.borrow_mut()[index] = State::Ended;
                    if let Err(error) = results.add(index, result, on_record).await {
                        let text = format!("error: cannot write to standard output: {error}");
                        view.suspend(|| eprint_line(&text));
                        break Exit::Config;
                    }
                }
            }
        }
    };

    // What has not ended now is abandoned, and all that was paid for it is named.
    for (index, (task, state)) in tasks.iter().zip(states.take()).enumerate() {
        let begun = match state {
            State::Ended => continue,
            State::Waiting if task.paid_jobs.is_empty() => continue,
            State::Waiting => None,
            State::Begun(begun) => Some(begun),
        };
        results.abandon(index, abandoned(task, begun.as_ref()));
    }
    results.finish().await.max(ended)
}

/// What became of a task if no work on it continues.
fn abandoned(task: &Task, begun: Option<&Begun>) -> SolveError {
    let error = SolveError::new(ErrorKind::Timeout, "interrupted before the answer came");
    let Some((begun, tracker)) = begun.and_then(|begun| Some((begun, begun.tracker.get()?))) else {
        return error.with_unfinished_jobs(task.paid_jobs.clone());
    };
    let purchases = tracker.purchases();
    let attempts = match purchases.as_slice() {
        [] => Vec::new(),
        _ => purchases.if_dropped("", "interrupted", begun.at.elapsed()),
    };
    error
        .with_failed_attempts(attempts)
        .with_unfinished_jobs(purchases.unfinished_of(&task.paid_jobs).cloned())
        .with_elapsed(begun.at.elapsed())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use drag_solver::{Billed, Event, JobId, PaidJob};
    use drag_solver_mock::fixtures;

    use super::*;

    fn task(paid_jobs: Vec<PaidJob>) -> Task {
        Task {
            path: PathBuf::from("a.png"),
            id: None,
            region: None,
            paid_jobs,
        }
    }

    /// A task that is interrupted after these events.
    async fn interrupted(task: &Task, events: &[Event<'_>]) -> SolveError {
        let (challenge, tracker) = fixtures::challenge().tracked();
        for event in events {
            challenge.notify(*event).await.unwrap();
        }
        let begun = Begun {
            at: Instant::now(),
            tracker: Rc::new(OnceCell::from(tracker)),
        };
        abandoned(task, Some(&begun))
    }

    const A: &str = "a";
    const B: &str = "b";

    #[tokio::test]
    async fn what_is_given_up_may_have_cost_money_as_soon_as_it_was_sent() {
        let (task, job) = (task(Vec::new()), &JobId::from(1));
        let buying = Event::Buying { solver: A };
        let started = interrupted(&task, &[Event::Started { solver: A }]).await;
        assert_eq!(started.billed(), Billed::No);
        let sent = interrupted(&task, &[buying]).await;
        assert_eq!(sent.billed(), Billed::Maybe);
        assert!(sent.unfinished_jobs().is_empty());
        let refused = interrupted(&task, &[buying, Event::NotBought { solver: A }]).await;
        assert_eq!(refused.billed(), Billed::No);
        let bought = interrupted(&task, &[buying, Event::Bought { solver: A, job }]).await;
        assert_eq!(bought.unfinished_jobs(), [PaidJob::new(A, job.clone())]);
        let settled = Event::Settled {
            solver: A,
            job: Some(job),
            billed: Billed::No,
            cost: None,
        };
        let given_up = interrupted(&task, &[Event::Resumed { solver: A, job }, settled]).await;
        assert_eq!(given_up.billed(), Billed::No);
        assert!(given_up.unfinished_jobs().is_empty());
    }

    #[tokio::test]
    async fn every_purchase_of_a_hedge_is_named_and_so_is_a_job_that_was_brought() {
        let (one, two) = (&JobId::from(1), &JobId::from(2));
        let brought = PaidJob::new("c", JobId::from(3));
        let task = task(vec![brought.clone()]);
        let error = interrupted(
            &task,
            &[
                Event::Buying { solver: A },
                Event::Buying { solver: A },
                Event::Bought {
                    solver: A,
                    job: one,
                },
                Event::Bought {
                    solver: A,
                    job: two,
                },
                Event::Buying { solver: B },
            ],
        )
        .await;
        let mut jobs = error.unfinished_jobs();
        jobs.sort_by(|one, other| one.id.cmp(&other.id));
        let expected = [
            PaidJob::new(A, one.clone()),
            PaidJob::new(A, two.clone()),
            brought,
        ];
        assert_eq!(jobs, expected);
        let unknown = error.attempts().into_iter().filter(|a| a.jobs.is_empty());
        let unknown: Vec<_> = unknown.filter_map(|a| a.solver).collect();
        assert_eq!(unknown, [B]);
        assert_eq!(abandoned(&task, None).unfinished_jobs(), task.paid_jobs);
    }
}
