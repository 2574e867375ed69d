//! What can go wrong with a store.

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use drag_solver_core::text::printable;

/// Why a store did not do what it was asked.
#[derive(Clone, Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
    /// Which store it is.
    place: Option<String>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// It cannot be written or reached right now: the disk is full, another process has it locked, the
    /// folder is gone. What it has to keep is tried again.
    Unavailable,
    /// It can be read and not written.
    ReadOnly,
    /// It was written by a newer version of this library.
    Newer,
    /// It is damaged, or no store at all.
    Corrupt,
    /// Another call has taken the challenge over: this one may not buy for it any more, nor say what came of it.
    ClaimLost,
    /// What was given cannot be kept as it is.
    Invalid,
}

impl StoreError {
    /// An error of this kind.
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            place: None,
            source: None,
        }
    }

    /// The store is being dropped, or its thread is gone.
    pub(crate) fn closed() -> Self {
        Self::new(StoreErrorKind::Unavailable, "the store is closed")
    }

    /// What a call is told, by whether it still had its claim.
    pub(crate) fn unless_lost(had_claim: bool) -> Result<(), Self> {
        if had_claim {
            return Ok(());
        }
        let message = "another call has taken the challenge over";
        Err(Self::new(StoreErrorKind::ClaimLost, message))
    }

    /// Adds the error underneath.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into().into());
        self
    }

    /// Says which file it is about, unless that is said already.
    #[must_use]
    pub(crate) fn of_file(self, file: &Path) -> Self {
        self.of_place(&file.to_string_lossy())
    }

    /// Says which store it is about, unless that is said already.
    #[must_use]
    pub(crate) fn of_place(mut self, place: &str) -> Self {
        self.place.get_or_insert_with(|| printable(place));
        self
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "the store {place}: ")?;
        }
        f.write_str(&printable(&self.message))
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
