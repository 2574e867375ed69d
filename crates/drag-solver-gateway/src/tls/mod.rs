//! Certificates: from files, or made on the spot.

mod crypto;
mod error;
mod self_signed;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::client::verify_server_name;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, ServerConfig};

use self::crypto::provider;
pub use self::error::TlsError;
pub use self::self_signed::{SelfSigned, self_signed};

/// A certificate and its key, which can be exchanged while connections are made.
///
/// Clones share them. `Debug` does not show the key.
#[derive(Clone)]
pub struct Certificates {
    current: Arc<Current>,
    files: Option<Arc<Files>>,
}

/// The two files in PEM.
#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Certificates {
    /// Reads a certificate, with its intermediate ones after it, and its private key, both in PEM.
    ///
    /// The key is in PKCS #8, PKCS #1 or SEC 1, without a password.
    ///
    /// # Errors
    ///
    /// Names the file and what is wrong with it: it cannot be read, is not PEM, holds the other thing,
    /// is encrypted, or the key is another certificate's.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let files = Files {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        };
        let current = Current(RwLock::new(Arc::new(files.read()?)));
        Ok(Self {
            current: Arc::new(current),
            files: Some(Arc::new(files)),
        })
    }

    /// The certificate of [`self_signed`].
    #[must_use]
    pub fn from_self_signed(made: SelfSigned) -> Self {
        Self {
            current: Arc::new(Current(RwLock::new(Arc::new(made.into_certified_key())))),
            files: None,
        }
    }

    /// Reads the files again. Connections made from then on get what they hold, on every listener
    /// that has these certificates or a clone of them.
    ///
    /// What was made on the spot has no files, and stays: `false`.
    ///
    /// # Errors
    ///
    /// As [`from_files`](Self::from_files). The certificate in use then stays in use.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let Some(files) = &self.files else {
            return Ok(false);
        };
        let read = Arc::new(files.read()?);
        *self
            .current
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner) = read;
        Ok(true)
    }

    /// Whether the certificate in use is for this name.
    #[must_use]
    pub fn is_for(&self, name: &str) -> bool {
        let current = self
            .current
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let first = current.cert.first();
        let parsed = first.and_then(|first| ParsedCertificate::try_from(first).ok());
        let name = ServerName::try_from(name).ok();
        parsed
            .zip(name)
            .is_some_and(|(parsed, name)| verify_server_name(&parsed, &name).is_ok())
    }

    pub(crate) fn acceptor(&self) -> tokio_rustls::TlsAcceptor {
        let versions = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap_or_else(|_| unreachable!("the provider has TLS 1.2 and 1.3"));
        let resolver: Arc<dyn ResolvesServerCert> = self.current.clone();
        let mut config = versions.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        tokio_rustls::TlsAcceptor::from(Arc::new(config))
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

/// The certificate in use. A client gets it for any name it asks for: it may know this server under
/// any name, and says itself when the certificate does not hold it.
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current))
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Current").finish_non_exhaustive()
    }
}

impl Files {
    fn read(&self) -> Result<CertifiedKey, TlsError> {
        let chain = read_chain(&self.certificate)?;
        let key = read_key(&self.key)?;
        CertifiedKey::from_der(chain, key, &provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                TlsError::KeyMismatch {
                    certificate: self.certificate.clone(),
                    key: self.key.clone(),
                }
            }
            rustls::Error::InvalidCertificate(_) => {
                TlsError::certificate(&self.certificate, error.to_string())
            }
            _ => TlsError::key(&self.key, error.to_string()),
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let is_other = |there: Metadata| !there.is_file() && !there.is_dir();
    let read = if path.metadata().is_ok_and(is_other) {
        // A pipe has its bytes once, and one that no program writes to is waited for without end.
        Err(io::Error::other(
            "it is no regular file, and is read more than once: save it as a file first",
        ))
    } else {
        fs::read(path)
    };
    read.map_err(|error| TlsError::Read {
        path: path.to_owned(),
        error,
    })
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(path)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|error| TlsError::certificate(path, format!("it is not PEM: {error}")))?;
    if chain.is_empty() {
        let problem = "it holds no \"-----BEGIN CERTIFICATE-----\"";
        return Err(TlsError::certificate(path, problem.to_owned()));
    }
    Ok(chain)
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = read(path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
        let is_encrypted = contains(&text, b"ENCRYPTED");
        let problem = match error {
            pem::Error::NoItemsFound if is_encrypted => {
                "it is encrypted, and the server has no way to ask for the password".to_owned()
            }
            pem::Error::NoItemsFound => "it holds no private key".to_owned(),
            error => format!("it is not PEM: {error}"),
        };
        TlsError::key(path, problem)
    })
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
