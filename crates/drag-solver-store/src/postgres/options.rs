//! How a store is opened.

use std::path::PathBuf;
use std::time::Duration;

use crate::{Clock, Retention};

/// How a [`PostgresStore`](crate::PostgresStore) is opened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PostgresOptions {
    /// How long a process that is not heard of keeps what it has taken up: killed, hanging, or cut off. It says three
    /// times as often that it is there. Default: 5 s.
    pub lease: Duration,
    /// How long a call waits for a server that cannot be reached, restarts or changes over to another one. What has
    /// happened already is kept and tried for longer. Default: 10 s.
    pub patience: Duration,
    /// How many connections this process has at the most, besides the one on which it says that it is there. Default: 4.
    pub connections: u32,
    /// The schema in which the tables are, which is made if there is none: letters, digits and `_`. Default: `drag_solver`.
    pub schema: String,
    /// The file with the certificate of the authority that has signed the server's, in PEM. Default: the authorities that
    /// the system trusts.
    pub root_certificates: Option<PathBuf>,
    /// How long things are kept. They are forgotten by one of the processes, once an hour. `None`: permanently, until
    /// [`Store::prune`](crate::Store::prune) is called. Default: [`Retention::default`].
    pub retention: Option<Retention>,
    /// What time it is. Default: the server's clock, so that those of several machines need not agree.
    pub clock: Option<Clock>,
    /// How long a call that waits for word of a change waits until it looks, as word may be lost: so long that it is not made
    /// up for, in tests.
    #[doc(hidden)]
    pub look_again: Duration,
    /// Steps after those of this version, as a newer one would have them: for tests of two versions.
    #[doc(hidden)]
    pub later_migrations: &'static [(&'static str, u32)],
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(5),
            patience: Duration::from_secs(10),
            connections: 4,
            schema: "drag_solver".to_owned(),
            root_certificates: None,
            retention: Some(Retention::default()),
            clock: None,
            look_again: Duration::from_secs(1),
            later_migrations: &[],
        }
    }
}

impl PostgresOptions {
    drag_solver_core::setters! {
        lease: Duration,
        patience: Duration,
        connections: u32,
    }

    /// Replaces the authority that has signed the server's certificate.
    #[must_use]
    pub fn root_certificates(mut self, file: impl Into<PathBuf>) -> Self {
        self.root_certificates = Some(file.into());
        self
    }

    /// Replaces the clock: for tests.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Replaces the schema.
    #[must_use]
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// Replaces how long things are kept.
    #[must_use]
    pub fn retention(mut self, retention: impl Into<Option<Retention>>) -> Self {
        self.retention = retention.into();
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub fn look_again(mut self, after: Duration) -> Self {
        self.look_again = after;
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub fn later_migrations(mut self, steps: &'static [(&'static str, u32)]) -> Self {
        self.later_migrations = steps;
        self
    }
}
