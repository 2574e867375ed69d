//! `drag-solver resume --store`: fetches all that a store has on record as paid for, and buys nothing.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::bail;
use drag_solver::config::Chain;
use drag_solver::store::jiff::Timestamp;
use drag_solver::store::{ChallengeRecord, Query, Status};
use drag_solver::{DragSolver as _, ErrorKind, Event, Observer, SolveError, async_trait};

use super::Args;
use crate::batch::{BatchOptions, run_all};
use crate::chain::options::ChainOptions;
use crate::chain::registry;
use crate::chain::source::ChainSource;
use crate::exit::Exit;
use crate::task::{Failure, Task};
use crate::ui::console::eprint_unless_quiet;
use crate::ui::hints::Asked;

/// Refuses every purchase.
#[derive(Debug)]
struct BuysNothing;

#[async_trait]
impl Observer for BuysNothing {
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
        match event {
            Event::Buying { .. } => Err(SolveError::new(
                ErrorKind::Unsupported,
                "nothing more was bought: `resume` only fetches",
            )),
            _ => Ok(()),
        }
    }
}

/// Fetches what the store has on record.
pub(super) async fn run(args: &Args, spinner: bool) -> anyhow::Result<Exit> {
    let store = args.store.open()?;
    let mut query = Query::default();
    (query.unfetched, query.pictures) = (true, true);
    let mut records = store.list(&query).await?;
    // Another process is about to fetch these, or the answer came from another solver that was asked as well.
    let is_left = |status: &Status| match status {
        Status::Open { held } => !held,
        Status::Solved { .. } => false,
        _ => true,
    };
    records.retain(|record| is_left(&record.status));
    drop(store);
    if records.is_empty() {
        eprint_unless_quiet("nothing is on record that is paid for and not fetched");
        return Ok(Exit::Success);
    }
    let (chain, records) = (&chain(args, &records)?, &records);
    let tasks: &Vec<Task> = &records.iter().map(task).collect();
    let options = BatchOptions {
        concurrency: args.concurrency.get(),
        format: args.format,
        unordered: false,
        asked: Asked {
            config: args.config.clone(),
            store: args.store.shown(),
            ..Asked::default()
        },
        spinner,
    };
    let ended = run_all(tasks, options, |index, handle| async move {
        let challenge = records[index].challenge(Timestamp::now());
        let challenge = challenge.map_err(|error| tasks[index].unusable(error.message()))?;
        let challenge = challenge
            .with_observer(Arc::new(BuysNothing))
            .within(args.timeout);
        let answer = chain.solve(&handle.observe(challenge)).await;
        answer.map(Into::into).map_err(Failure::Unsolved)
    });
    Ok(ended.await)
}

/// The chain of the file, or one of all whose jobs there are.
fn chain(args: &Args, records: &[ChallengeRecord]) -> anyhow::Result<Chain> {
    if let Some(path) = &args.config {
        return ChainSource::of_file(path, &args.store)?.build();
    }
    let jobs = records.iter().flat_map(ChallengeRecord::open_jobs);
    let mut kinds = BTreeSet::new();
    for job in jobs {
        match registry::find(&job.solver) {
            Some(kind) => kinds.insert(&*kind.name),
            None => bail!(
                "{job} is of no provider that this command knows: if it is in a chain's file, add --config"
            ),
        };
    }
    let mut options = ChainOptions::new(kinds.into_iter().collect());
    options.poll_interval = args.poll_interval;
    options.source(&args.store)?.build()
}

fn task(record: &ChallengeRecord) -> Task {
    Task {
        path: PathBuf::from(&record.id),
        id: Some(record.id.clone()),
        region: record.region,
        paid_jobs: record.open_jobs().collect(),
    }
}
