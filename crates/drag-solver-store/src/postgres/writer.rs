//! Who writes: one task for all calls of this process, which writes what has come together meanwhile in one transaction.
//! So many calls share a commit, and what happens in this process is written in the order in which it happens.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use drag_solver_core::async_trait;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use super::aside::{Aside, Held};
use super::changes::{Mark, mark};
use super::db::Db;
use super::facts::{self, About};
use super::owners::Owner;
use super::problem::{Problem, Result};
use super::session::Session;
use crate::{Fact, StoreError};

/// The most that is written in one transaction.
const MAX_BATCH: usize = 256;

/// How long until what could not be written is tried again: at first, and at the most.
pub(super) const AGAIN: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

pub(super) const LOST: &str = "the store is closed, and could not write all that has happened";

/// Something to be written. It may be written twice, if it is unknown whether it was, and then changes nothing the second
/// time.
#[async_trait]
pub(super) trait Write: Send + Sync + 'static {
    /// What came of it.
    type Told: Send + 'static;

    /// Whether it has happened already, and is tried until it is written.
    fn is_fact(&self) -> bool {
        false
    }

    /// Whether it says that all that has happened is written.
    fn is_flush(&self) -> bool {
        false
    }

    /// What it is about, if something that happens later may depend on it.
    fn about(&self) -> Option<About> {
        None
    }

    /// Whether what it does depends on facts before it that are about the same, which it must not overtake.
    fn looks_back(&self) -> bool {
        false
    }

    /// What processes write one after the other, by name: two that looked at the same time would both find room.
    fn turn(&self) -> Option<String> {
        None
    }

    /// What takes it back, if it is unknown whether it was written and no caller waits for it any more.
    fn undo(&self) -> Option<Fact> {
        None
    }

    async fn write(&self, db: &Db, here: &Owner) -> Result<Self::Told>;

    /// What came of it, if it is unknown whether it was written the first time.
    fn again(&self, first: Self::Told, again: Self::Told) -> Self::Told {
        let _ = first;
        again
    }

    /// The challenge that has ended with it.
    fn ended<'a>(&self, _told: &'a Self::Told) -> Option<&'a str> {
        None
    }
}

/// A [`Write`] of any kind.
#[async_trait]
pub(super) trait AnyOp: Send + Sync {
    async fn run(&mut self, db: &Db, here: &Owner) -> Result<()>;
    /// It is unknown whether it was written.
    fn doubt(&mut self);
    /// Says what came of it, and which challenge has ended with it.
    fn end(&mut self, ended: std::result::Result<(), StoreError>) -> Option<Mark>;
    fn is_fact(&self) -> bool;
    fn is_flush(&self) -> bool;
    fn about(&self) -> Option<About>;
    fn looks_back(&self) -> bool;
    fn turn(&self) -> Option<String>;
    fn undo(&self) -> Option<Fact>;
    /// Since when it waits.
    fn since(&self) -> Instant;
}

struct Op<W: Write> {
    write: W,
    told: Option<W::Told>,
    /// What came of it when it was unknown whether it was written.
    doubted: Option<W::Told>,
    may_be_written: bool,
    done: Option<oneshot::Sender<std::result::Result<W::Told, StoreError>>>,
    since: Instant,
}

#[async_trait]
impl<W: Write> AnyOp for Op<W>
where
    W::Told: Sync,
{
    async fn run(&mut self, db: &Db, here: &Owner) -> Result<()> {
        self.told = Some(self.write.write(db, here).await?);
        Ok(())
    }

    fn doubt(&mut self) {
        let told = self.told.take();
        // What came of it is what came of it first: it may have been that.
        self.doubted = self.doubted.take().or(told);
        self.may_be_written = true;
    }

    fn end(&mut self, ended: std::result::Result<(), StoreError>) -> Option<Mark> {
        let told = ended.and(self.told.take().ok_or_else(StoreError::closed));
        let told = told.map(|told| match self.doubted.take() {
            Some(first) => self.write.again(first, told),
            None => told,
        });
        let challenge = told.as_ref().ok().and_then(|told| self.write.ended(told));
        let mark = challenge.map(mark);
        if let Some(done) = self.done.take() {
            // The caller may be gone.
            let _ = done.send(told);
        }
        mark
    }

    fn is_fact(&self) -> bool {
        self.write.is_fact()
    }

    fn is_flush(&self) -> bool {
        self.write.is_flush()
    }

    fn about(&self) -> Option<About> {
        self.write.about()
    }

    fn looks_back(&self) -> bool {
        self.write.looks_back()
    }

    fn turn(&self) -> Option<String> {
        self.write.turn()
    }

    fn undo(&self) -> Option<Fact> {
        self.write.undo().filter(|_| self.may_be_written)
    }

    fn since(&self) -> Instant {
        self.since
    }
}

pub(super) type Ops = VecDeque<Box<dyn AnyOp>>;

/// Takes what is to be written. The task ends with the last of these.
#[derive(Clone)]
pub(super) struct Writer(mpsc::UnboundedSender<Box<dyn AnyOp>>);

impl Writer {
    /// And what has to run for that.
    pub(super) fn new(
        session: &Arc<Session>,
        ended: mpsc::UnboundedSender<Mark>,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let work = work(Arc::clone(session), receiver, ended);
        (Self(sender), work)
    }

    /// Has something written, and says what came of it.
    pub(super) fn write<W: Write>(
        &self,
        write: W,
    ) -> impl Future<Output = std::result::Result<W::Told, StoreError>> + Send + use<W>
    where
        W::Told: Sync,
    {
        let (sender, receiver) = oneshot::channel();
        let op = Op {
            write,
            told: None,
            doubted: None,
            may_be_written: false,
            done: Some(sender),
            since: Instant::now(),
        };
        let sent = self.0.send(Box::new(op));
        async move {
            sent.map_err(|_| StoreError::closed())?;
            receiver.await.map_err(|_| StoreError::closed())?
        }
    }
}

async fn work(
    session: Arc<Session>,
    mut receiver: mpsc::UnboundedReceiver<Box<dyn AnyOp>>,
    ended: mpsc::UnboundedSender<Mark>,
) {
    let mut waiting = Ops::new();
    let mut aside = Aside::default();
    let mut again = AGAIN.0;
    loop {
        if aside.is_due() {
            aside
                .write_again(&session, &ended, receiver.is_closed())
                .await;
        }
        if waiting.is_empty() {
            match aside.until_due(receiver.recv()).await {
                Some(Some(op)) => waiting.push_back(op),
                Some(None) if aside.is_empty() => return,
                Some(None) => {
                    sleep(AGAIN.0).await;
                    continue;
                }
                None => continue,
            }
        }
        while waiting.len() < MAX_BATCH
            && let Ok(op) = receiver.try_recv()
        {
            waiting.push_back(op);
        }
        let batch: Ops = waiting.drain(..waiting.len().min(MAX_BATCH)).collect();
        let unwritten = write_batch(&session, batch, &ended, aside.held()).await;
        let (unwritten, problem) = match unwritten {
            Ok(refused) => {
                aside.add(&session, refused);
                if std::mem::replace(&mut again, AGAIN.0) > AGAIN.0 {
                    tracing::info!("the store can be written again");
                }
                continue;
            }
            Err(unwritten) => unwritten,
        };
        let left = unwritten.len() + waiting.len();
        if again == AGAIN.0 {
            tracing::warn!(error = %problem.error, waiting = left, "the store cannot be written");
        } else {
            tracing::debug!(error = %problem.error, waiting = left, "the store still cannot be written");
        }
        let mut later = std::mem::take(&mut waiting);
        // A caller is told when its patience is over, however many wait before them.
        while let Ok(op) = receiver.try_recv() {
            later.push_back(op);
        }
        let impatient = |op: &dyn AnyOp| op.since().elapsed() >= session.options.patience;
        for mut op in unwritten.into_iter().chain(later) {
            if impatient(&*op) || !problem.passes {
                let refused = refuse(&session, &mut *op, problem.error.clone());
                if !op.is_fact() {
                    waiting.extend(refused);
                    continue;
                }
            }
            waiting.push_back(op);
        }
        if receiver.is_closed()
            && waiting.iter().all(|op| impatient(&**op))
            && aside.is_over(&session)
        {
            let facts = waiting.len() + aside.len();
            if facts > 0 {
                tracing::error!(facts, "{}", LOST);
            }
            return;
        }
        sleep(again).await;
        again = (again * 2).min(AGAIN.1);
    }
}

/// Says that it is not written; and what takes it back, as it may have been all the same.
pub(super) fn refuse(
    session: &Session,
    op: &mut dyn AnyOp,
    error: StoreError,
) -> Option<Box<dyn AnyOp>> {
    op.end(Err(session.of_server(error)));
    let undo = op.undo()?;
    Some(boxed(facts::op(undo, session.now())))
}

/// Something that no caller waits for.
fn boxed<W: Write>(write: W) -> Box<dyn AnyOp>
where
    W::Told: Sync,
{
    Box::new(Op {
        write,
        told: None,
        doubted: None,
        may_be_written: false,
        done: None,
        since: Instant::now(),
    })
}

/// What was not written, and why: the server cannot write for now.
pub(super) type Unwritten = (Ops, Problem);

/// Facts that the server refuses for a reason that may end, each with it.
pub(super) type Refused = Vec<(Box<dyn AnyOp>, Problem)>;

pub(super) async fn write_batch(
    session: &Session,
    batch: Ops,
    ended: &mpsc::UnboundedSender<Mark>,
    mut held: Held,
) -> std::result::Result<Refused, Unwritten> {
    let end = |op: &mut dyn AnyOp| {
        if let Some(mark) = op.end(Ok(())) {
            session.changes.wake(mark);
            let _ = ended.send(mark); // others are told while there is a keeper
        }
    };
    // Facts that wait for those that were refused before.
    let mut behind = Refused::new();
    let mut ready = Ops::new();
    for op in batch {
        ready.extend(held.pass(session, op, &mut behind));
    }
    let mut batch = ready;
    let with = |mut ops: Ops, behind: Refused| {
        ops.extend(behind.into_iter().map(|(op, _)| op));
        ops
    };
    let mut db = match session.writing_db().await {
        Ok(db) => db,
        Err(problem) => return Err((with(batch, behind), problem)),
    };
    db.set_limit(session.address.answers_within);
    match transaction(session, &db, batch.make_contiguous()).await {
        Ok(()) => {
            for op in &mut batch {
                end(&mut **op);
            }
            return Ok(behind);
        }
        Err(problem) if problem.passes => return Err((with(batch, behind), problem)),
        Err(_) => {}
    }
    let mut refused = Refused::new();
    // One of them is at fault: the others are written without it.
    while let Some(op) = batch.pop_front() {
        let Some(op) = held.pass(session, op, &mut refused) else {
            continue;
        };
        let mut alone = [op];
        let written = transaction(session, &db, &mut alone).await;
        let [mut op] = alone;
        match written {
            Err(problem) if problem.passes => {
                let mut unwritten: Ops = refused.into_iter().map(|(op, _)| op).collect();
                unwritten.push_back(op);
                unwritten.append(&mut batch);
                return Err((with(unwritten, behind), problem));
            }
            // Facts are not lost because the tables are gone for now, or the user may not write.
            Err(problem) if op.is_fact() && !problem.is_of_value() => {
                held.add(&*op, &problem.error);
                refused.push((op, problem));
            }
            Err(Problem { error, .. }) => {
                if op.is_fact() {
                    tracing::error!(%error, "the store dropped what it can never write");
                }
                if let Some(undo) = refuse(session, &mut *op, error) {
                    batch.push_front(undo);
                }
            }
            Ok(()) => end(&mut *op),
        }
    }
    refused.append(&mut behind);
    Ok(refused)
}

async fn transaction(session: &Session, db: &Db, ops: &mut [Box<dyn AnyOp>]) -> Result<()> {
    let here = Owner::new(session);
    here.keep(db, session).await?;
    // A transaction of ours whose commit is unknown has ended before the next one reads.
    let begin = format!("BEGIN; SELECT pg_advisory_xact_lock({})", session.owner);
    db.begin(&begin).await?;
    let written = async {
        // In the same order everywhere, so that no two processes wait for each other.
        let turns: BTreeSet<String> = ops.iter().filter_map(|op| op.turn()).collect();
        if !turns.is_empty() {
            let turns: Vec<String> = turns.into_iter().collect();
            db.rows(
                "SELECT pg_advisory_xact_lock(turn) FROM (SELECT DISTINCT hashtextextended(name, 0) AS turn
                     FROM unnest($1::text[]) AS name ORDER BY turn) AS turns",
                &[&turns],
            )
            .await?;
        }
        for op in &mut *ops {
            op.run(db, &here).await?;
        }
        Ok(())
    };
    let ended = match written.await {
        Ok(()) => {
            let committed = db.commit().await;
            if committed.is_err() {
                for op in ops.iter_mut() {
                    op.doubt();
                }
            }
            committed
        }
        Err(problem) => Err(problem),
    };
    if ended.is_err() {
        db.roll_back().await;
    }
    ended
}
