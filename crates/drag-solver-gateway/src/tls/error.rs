//! What is wrong with a certificate.

use std::path::{Path, PathBuf};

/// What is wrong with a certificate, its key, or the names for one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{} cannot be read: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// A file does not hold a certificate.
    #[error("{} is no certificate file: {problem}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What it holds instead.
        problem: String,
    },
    /// A file does not hold a private key that can be used.
    #[error("{} is no private key file: {problem}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What it holds instead.
        problem: String,
    },
    /// The private key is another certificate's.
    #[error("the key in {} does not belong to the certificate in {}", key.display(), certificate.display())]
    KeyMismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// A certificate cannot hold this name.
    #[error("a certificate cannot be for {name:?}: {problem}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A certificate could not be made.
    #[error("no certificate could be made: {0}")]
    Make(String),
}

impl TlsError {
    pub(super) fn certificate(path: &Path, problem: String) -> Self {
        let path = path.to_owned();
        Self::Certificate { path, problem }
    }

    pub(super) fn key(path: &Path, problem: String) -> Self {
        let path = path.to_owned();
        Self::Key { path, problem }
    }

    pub(super) fn name(name: &str, problem: &str) -> Self {
        Self::Name {
            name: name.to_owned(),
            problem: problem.to_owned(),
        }
    }
}
