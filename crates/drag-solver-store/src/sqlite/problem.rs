//! What an error of SQLite means for the user of a store.

use std::error::Error as _;

use rusqlite::{ErrorCode, ffi};

use crate::{StoreError, StoreErrorKind};

const CANNOT_BE_WRITTEN: &str =
    "it cannot be written: look at the permissions of the file and of its folder";

/// What a problem with writing means where the file itself is there: what SQLite keeps beside it cannot be made.
pub(super) fn of_existing_file(error: StoreError) -> StoreError {
    let source = error.source().and_then(|source| source.downcast_ref());
    match source.and_then(rusqlite::Error::sqlite_error_code) {
        Some(ErrorCode::CannotOpen) => {
            StoreError::new(StoreErrorKind::ReadOnly, CANNOT_BE_WRITTEN).with_source(error)
        }
        _ => error,
    }
}

pub(super) fn problem(error: rusqlite::Error) -> StoreError {
    let extended = error.sqlite_error().map(|error| error.extended_code);
    let (kind, what) = match error.sqlite_error_code() {
        // There is no room for what processes share in memory.
        _ if extended == Some(ffi::SQLITE_IOERR_SHMSIZE) => (
            StoreErrorKind::Unavailable,
            "the disk is full: free some room".to_owned(),
        ),
        Some(ErrorCode::DiskFull) => (
            StoreErrorKind::Unavailable,
            "the disk is full: free some room".to_owned(),
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            StoreErrorKind::Unavailable,
            "another process has it locked".to_owned(),
        ),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            (StoreErrorKind::ReadOnly, CANNOT_BE_WRITTEN.to_owned())
        }
        Some(ErrorCode::CannotOpen) => (
            StoreErrorKind::Unavailable,
            "it cannot be opened: is there such a folder, and may it be written?".to_owned(),
        ),
        Some(ErrorCode::NotADatabase) => (
            StoreErrorKind::Corrupt,
            "it is no SQLite file: name another one, or a new one".to_owned(),
        ),
        Some(ErrorCode::DatabaseCorrupt) => (
            StoreErrorKind::Corrupt,
            "the file is damaged: copy it, and save what can be saved with `sqlite3 FILE .recover`"
                .to_owned(),
        ),
        Some(_) => (StoreErrorKind::Unavailable, error.to_string()),
        // A value that no store writes.
        None => (
            StoreErrorKind::Corrupt,
            format!("the file holds what no store writes: {error}"),
        ),
    };
    StoreError::new(kind, what).with_source(error)
}

/// Whether an error is that of the file, and not of one statement: then nothing can be written for now.
pub(super) fn is_of_the_file(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::PermissionDenied
                | ErrorCode::OperationAborted
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::OutOfMemory
                | ErrorCode::ReadOnly
                | ErrorCode::OperationInterrupted
                | ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::DiskFull
                | ErrorCode::CannotOpen
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::SchemaChanged
                | ErrorCode::NoLargeFileSupport
                | ErrorCode::NotADatabase
        )
    )
}
