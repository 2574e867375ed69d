//! An error as data: for logs, queues and other processes.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Attempt, Billed, ErrorKind, Inner, Recovery, SolveError};
use crate::text::printable;
use crate::{PaidJob, Usd, millis};

/// All that `Debug` shows. `billed`, `spent_usd` and `unfinished_jobs` are of all attempts together, for
/// readers that want no history, and are calculated anew when it is read back.
#[derive(Serialize, Deserialize)]
struct Wire {
    kind: ErrorKind,
    solver: Option<String>,
    message: String,
    billed: Billed,
    #[serde(default, skip_deserializing)]
    spent_usd: Option<Usd>,
    recovery: Recovery,
    #[serde(default)]
    exhausted: bool,
    retry_after_ms: Option<u64>,
    #[serde(default, skip_deserializing)]
    unfinished_jobs: Vec<PaidJob>,
    #[serde(with = "millis")]
    elapsed_ms: Duration,
    /// The last one is the one that the error is the end of, except of a chain that ran out.
    #[serde(default)]
    attempts: Vec<Attempt>,
    #[serde(default)]
    causes: Vec<String>,
}

impl Serialize for SolveError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let inner = &*self.0;
        let causes = std::iter::successors(self.source(), |&error| error.source());
        Wire {
            kind: self.kind(),
            solver: inner.own.solver.clone(),
            message: inner.own.message.clone(),
            billed: self.billed(),
            spent_usd: self.spent(),
            recovery: inner.recovery,
            exhausted: inner.exhausted,
            retry_after_ms: inner.retry_after.map(millis::of),
            unfinished_jobs: self.unfinished_jobs(),
            elapsed_ms: inner.elapsed,
            attempts: self.attempts(),
            causes: causes.map(|error| printable(&error.to_string())).collect(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SolveError {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let mut earlier = wire.attempts;
        let own = earlier
            .pop_if(|last| last.kind == wire.kind)
            .unwrap_or(Attempt {
                solver: wire.solver,
                kind: wire.kind,
                message: wire.message,
                billed: Billed::No,
                cost: None,
                jobs: Vec::new(),
                elapsed: wire.elapsed_ms,
            });
        let source = wire.causes.into_iter().rev().fold(None, |source, text| {
            Some(Arc::new(Cause {
                text: printable(&text),
                source,
            }) as Arc<_>)
        });
        Ok(Self(Box::new(Inner {
            own,
            earlier,
            elapsed: wire.elapsed_ms,
            retry_after: wire.retry_after_ms.map(Duration::from_millis),
            recovery: wire.recovery,
            exhausted: wire.exhausted,
            source,
        })))
    }
}

/// What is left of a source that came from elsewhere: its text.
#[derive(Debug)]
struct Cause {
    text: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
