//! Certificates: those of files, which can be read again, and those that are made here.

mod self_signed;

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub use self::self_signed::{SelfSigned, self_signed};

/// The certificate that a gateway shows. Clones are the same one.
#[derive(Clone)]
pub struct Certificates {
    current: Arc<Current>,
    acceptor: TlsAcceptor,
    /// Certificate and key, if they can be read again.
    files: Option<Arc<(PathBuf, PathBuf)>>,
}

/// Why there is no certificate.
#[derive(Debug)]
pub struct TlsError {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl TlsError {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }

    fn with(message: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            message: message.into(),
            source: Some(source.into()),
        }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for TlsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| &**source as &(dyn Error + 'static))
    }
}

/// The certificate that new connections are shown.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl Current {
    fn get(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One certificate, whatever name is asked for.
#[derive(Debug)]
struct Always(Arc<Current>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.get())
    }
}

impl Certificates {
    /// The certificate in this file, with those between it and its authority, and its key, all in PEM.
    ///
    /// # Errors
    ///
    /// Which file it is, and what is wrong with it: it cannot be read, there is no certificate or key in it, or the
    /// two do not belong together.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let mut made = Self::of(read(certificate, key)?)?;
        made.files = Some(Arc::new((certificate.to_owned(), key.to_owned())));
        Ok(made)
    }

    /// A certificate that was made here.
    ///
    /// # Errors
    ///
    /// None, as far as is known.
    pub fn from_self_signed(made: SelfSigned) -> Result<Self, TlsError> {
        Self::of(certified(made.chain, made.key)?)
    }

    /// Reads the files again, for connections to come.
    ///
    /// # Errors
    ///
    /// As [`from_files`](Self::from_files); the certificate stays as it was.
    pub fn reload(&self) -> Result<(), TlsError> {
        if let Some((certificate, key)) = self.files.as_deref() {
            let read = Arc::new(read(certificate, key)?);
            *self
                .current
                .0
                .write()
                .unwrap_or_else(PoisonError::into_inner) = read;
        }
        Ok(())
    }

    fn of(key: CertifiedKey) -> Result<Self, TlsError> {
        let current = Arc::new(Current(RwLock::new(Arc::new(key))));
        let versions = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions();
        let versions = versions.map_err(|error| TlsError::with("TLS cannot be set up", error))?;
        let resolver = Arc::new(Always(Arc::clone(&current)));
        let mut config = versions.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self {
            current,
            acceptor: Arc::new(config).into(),
            files: None,
        })
    }

    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

fn read(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let (certificate_name, key_name) = (certificate.display(), key.display());
    let unreadable = |name: &dyn fmt::Display, what: &str, error: rustls::pki_types::pem::Error| {
        TlsError::with(format!("{name}: cannot read {what} in PEM"), error)
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(&certificate_name, "certificates", error))?;
    if chain.is_empty() {
        return Err(TlsError::new(format!(
            "{certificate_name}: there is no certificate in it"
        )));
    }
    let key = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| unreadable(&key_name, "a private key", error))?;
    certified(chain, key).map_err(|error| TlsError {
        message: format!("{certificate_name} and {key_name}: {}", error.message),
        source: error.source,
    })
}

fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, TlsError> {
    let made = CertifiedKey::from_der(chain, key, &ring::default_provider());
    made.map_err(|error| TlsError::with("this certificate cannot be used with this key", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        vec!["localhost".to_owned()]
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (
            folder.path().join("cert.pem"),
            folder.path().join("key.pem"),
        );
        let problem = || {
            let error = Certificates::from_files(&certificate, &key).unwrap_err();
            let why = error
                .source()
                .map(|why| format!(": {why}"))
                .unwrap_or_default();
            format!("{error}{why}")
        };
        assert!(problem().contains("cert.pem: cannot read"), "{}", problem());
        std::fs::write(&certificate, "nothing").unwrap();
        assert!(
            problem().contains("cert.pem: there is no certificate"),
            "{}",
            problem()
        );
        let (made, other) = (rcgen(), rcgen());
        std::fs::write(&certificate, &made.0).unwrap();
        assert!(problem().contains("key.pem: cannot read"), "{}", problem());
        std::fs::write(&key, &other.1).unwrap();
        assert!(
            problem().contains("cannot be used with this key"),
            "{}",
            problem()
        );
        std::fs::write(&key, &made.1).unwrap();
        let good = Certificates::from_files(&certificate, &key).unwrap();
        let before = good.current.get();
        std::fs::write(&key, &other.1).unwrap();
        assert!(good.reload().is_err());
        assert!(
            Arc::ptr_eq(&before, &good.current.get()),
            "the old one stays"
        );
        std::fs::write(&certificate, &other.0).unwrap();
        good.reload().unwrap();
        assert!(!Arc::ptr_eq(&before, &good.current.get()));
    }

    /// A certificate and its key, in PEM.
    fn rcgen() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(names()).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn what_is_made_here_can_be_used() {
        let made = self_signed(&names()).unwrap();
        assert!(
            made.authority_pem
                .starts_with("-----BEGIN CERTIFICATE-----")
        );
        Certificates::from_self_signed(made).unwrap();
    }
}
