//! Who writes: one thread for all calls of this process, which writes what has come together meanwhile at
//! once. So many calls share a sync of the disk.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, Result};

use super::problem;
use crate::StoreError;

/// The most that is written in one transaction.
const MAX_BATCH: usize = 512;

/// How long until what could not be written is tried again, at the latest.
const RETRY: Duration = Duration::from_secs(1);

/// Writes something: another time, too, if the transaction failed.
type Run = Box<dyn FnMut(&Connection) -> Result<()> + Send>;

/// Hears how it ended; of a fact, of the first try.
type Done = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Something to be written, alone or together with others.
pub(super) struct Op {
    /// Whether it has to survive a power cut when it is done.
    pub(super) durable: bool,
    /// Whether it has happened already, and is tried until it is written.
    pub(super) is_fact: bool,
    pub(super) run: Run,
    pub(super) done: Option<Done>,
}

impl Op {
    fn end(&mut self, result: Result<(), StoreError>) {
        if let Some(done) = self.done.take() {
            done(result);
        }
    }
}

/// Writes to one connection.
pub(super) struct Writer {
    db: Connection,
    /// Facts that could not be written, in order.
    backlog: VecDeque<Op>,
    /// What the connection is set to.
    syncs: bool,
}

impl Writer {
    pub(super) fn new(db: Connection) -> Self {
        Self {
            db,
            backlog: VecDeque::new(),
            syncs: false,
        }
    }

    pub(super) fn db(&self) -> &Connection {
        &self.db
    }

    /// Works until there is nobody left who sends anything. `idle` is called first, and then now and then.
    pub(super) fn work(
        &mut self,
        ops: &Receiver<Op>,
        every: Duration,
        mut idle: impl FnMut(&Connection),
    ) {
        idle(&self.db);
        let mut idled = std::time::Instant::now();
        loop {
            let wait = if self.backlog.is_empty() {
                every
            } else {
                RETRY.min(every)
            };
            let first = match ops.recv_timeout(wait) {
                Ok(op) => Some(op),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let batch = first.into_iter().chain(ops.try_iter()).take(MAX_BATCH);
            let batch: Vec<Op> = batch.collect();
            self.write(batch);
            if idled.elapsed() >= every {
                idled = std::time::Instant::now();
                idle(&self.db);
            }
        }
        self.write(Vec::new());
        if !self.backlog.is_empty() {
            let facts = self.backlog.len();
            tracing::error!(
                facts,
                "the store is closed, and could not write all that has happened"
            );
        }
    }

    /// Writes what is behind first, so that facts stay in order; then these.
    pub(super) fn write(&mut self, ops: Vec<Op>) {
        let mut batch: Vec<Op> = self.backlog.drain(..).chain(ops).collect();
        if batch.is_empty() {
            return;
        }
        let Err(error) = self.transaction(&mut batch) else {
            for op in &mut batch {
                op.end(Ok(()));
            }
            return;
        };
        if is_everybodys(&error) {
            self.refuse(batch, &error);
            return;
        }
        // One of them is at fault: the others are written without it.
        for op in batch {
            let mut alone = [op];
            let result = self.transaction(&mut alone);
            let [mut op] = alone;
            match result {
                Ok(()) => op.end(Ok(())),
                Err(error) if is_everybodys(&error) => self.refuse(vec![op], &error),
                Err(error) => {
                    tracing::error!(%error, "the store dropped what it can never write");
                    op.end(Err(problem(error)));
                }
            }
        }
    }

    fn refuse(&mut self, batch: Vec<Op>, error: &rusqlite::Error) {
        for mut op in batch {
            op.end(Err(super::problem_ref(error)));
            if op.is_fact {
                self.backlog.push_back(op);
            }
        }
        let waiting = self.backlog.len();
        tracing::warn!(%error, waiting, "the store cannot be written");
    }

    fn transaction(&mut self, ops: &mut [Op]) -> Result<()> {
        let durable = ops.iter().any(|op| op.durable);
        if durable != self.syncs {
            let mode = if durable { "FULL" } else { "NORMAL" };
            self.db.pragma_update(None, "synchronous", mode)?;
            self.syncs = durable;
        }
        self.db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let written = ops.iter_mut().try_for_each(|op| (op.run)(&self.db));
        let ended = written.and_then(|()| self.db.prepare_cached("COMMIT")?.execute([]).map(drop));
        if ended.is_err() && !self.db.is_autocommit() {
            let _ = self.db.execute_batch("ROLLBACK");
        }
        ended
    }
}

/// Whether an error is that of the file, and not of one statement: then nothing can be written for now.
fn is_everybodys(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        None => false,
        Some(code) => !matches!(
            code,
            ErrorCode::ConstraintViolation
                | ErrorCode::TypeMismatch
                | ErrorCode::TooBig
                | ErrorCode::ParameterOutOfRange
        ),
    }
}
