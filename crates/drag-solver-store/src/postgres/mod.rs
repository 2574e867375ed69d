//! A store in PostgreSQL, which many machines can share.

mod aside;
mod budgets;
mod calls;
mod challenges;
mod changes;
mod connect;
mod copy;
mod db;
mod facts;
mod keeper;
mod keys;
mod options;
mod owners;
mod problem;
mod purchases;
mod records;
mod schema;
mod server_clock;
mod session;
mod store;
mod writer;

use std::fmt;
use std::sync::Arc;
use std::thread::JoinHandle;

use secrecy::SecretString;
use tokio::runtime::{Builder, Handle};
use tokio::sync::mpsc;

use self::connect::Address;
pub use self::options::PostgresOptions;
use self::session::Session;
use self::writer::{Write, Writer};
use crate::{StoreError, StoreErrorKind};

type Told<T> = std::result::Result<T, StoreError>;

/// A store in a PostgreSQL database (tested with 15), which any number of processes on any number of machines share.
///
/// What many calls of a process write at the same time is written in one transaction, by a task of its own, in the order
/// in which it happens. The server keeps it before it is told: what it forgot in a crash, the processes would not know.
///
/// Transactions read what is committed (`READ COMMITTED`), and lock what they decide by before they look: a challenge by
/// its row, a budget and the limits of a key by a name that processes take turns by, always in the same order. So none
/// has to be repeated because of another; one that is (a deadlock, a server that restarts or changes over, a connection
/// that breaks, also while it is unknown whether it was committed) is written again, which changes nothing the second time.
/// Calls wait for that as long as [`patience`](PostgresOptions::patience) says.
///
/// A process says that it is there, and what it has taken up ends with its [lease](PostgresOptions::lease). One that
/// was not heard of and comes back finds that its claim is another's: it may neither buy nor say what came of it.
///
/// Clones are the same store. When the last one is dropped, what is still to be written is written, which blocks: for some
/// milliseconds, or as long as the patience if the server is not there.
///
/// ```no_run
/// use drag_solver_store::{PostgresOptions, PostgresStore, Store, StoreExt};
/// # use drag_solver_mock::{MockSolver, fixtures};
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let provider = MockSolver::new("example").always(fixtures::drag());
/// let url = std::env::var("DATABASE_URL")?; // postgres://USER:PASSWORD@HOST/DATABASE
/// let store = PostgresStore::open(&url.into(), PostgresOptions::default())?;
/// store.flush().await?; // it can be reached, and written
/// let solver = provider.durable(&store);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresStore(Arc<Inner>);

struct Inner {
    session: Arc<Session>,
    /// The runtime that reads and writes: a thread of its own, which no call keeps from saying that this process is there.
    runtime: Handle,
    writer: Option<Writer>,
    thread: Option<JoinHandle<()>>,
}

impl PostgresStore {
    /// Opens the store in the database at this address, `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with further
    /// settings of [tokio-postgres](https://docs.rs/tokio-postgres/latest/tokio_postgres/config/struct.Config.html) after a
    /// `?`. Several hosts, separated by commas, with `target_session_attrs=read-write` are servers that take over from
    /// each other.
    ///
    /// It is encrypted unless the server is on this machine, and its certificate is checked; `sslmode=` in the address says
    /// otherwise.
    ///
    /// Nothing is sent before the store is used: [`flush`](crate::Store::flush) says whether it can be. Its tables are made when it
    /// is used first.
    ///
    /// # Errors
    ///
    /// [`Invalid`](StoreErrorKind::Invalid) if the address or an option cannot be used.
    pub fn open(url: &SecretString, options: PostgresOptions) -> Told<Self> {
        let address = Address::read(url, &options)?;
        let session = Arc::new(Session::new(address, options)?);
        let (ended, told) = mpsc::unbounded_channel();
        let (writer, write) = Writer::new(&session, ended);
        let keep = keeper::keep(Arc::clone(&session), told);
        let unavailable = |error: std::io::Error| {
            let message = "the thread that reads and writes cannot be started";
            StoreError::new(StoreErrorKind::Unavailable, message).with_source(error)
        };
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(unavailable)?;
        let handle = runtime.handle().clone();
        let thread = std::thread::Builder::new()
            .name("drag-solver-store".to_owned())
            .spawn(move || {
                // What writes ends with the store, and what keeps after it.
                runtime.block_on(async { tokio::join!(write, keep) });
            })
            .map_err(unavailable)?;
        Ok(Self(Arc::new(Inner {
            session,
            runtime: handle,
            writer: Some(writer),
            thread: Some(thread),
        })))
    }

    async fn write<W: Write>(&self, write: W) -> Told<W::Told>
    where
        W::Told: Sync,
    {
        match &self.0.writer {
            Some(writer) => writer.write(write).await,
            None => Err(StoreError::closed()),
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        drop(self.writer.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresStore({})", self.0.session.address.shown)
    }
}
