//! Certificates as a client sees them, and what is said about files that hold none.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Duration, Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Certificates, SelfSigned, TlsError, provider, self_signed};
use crate::listen::{ListenPolicy, Listener, serve};

fn made(names: &[&str]) -> SelfSigned {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    self_signed(&names).unwrap()
}

/// A client that trusts this authority.
fn client(authority_pem: &str, alpn: &[&str]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(authority_pem.as_bytes()).unwrap();
    roots.add(authority).unwrap();
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

/// Whether a client that trusts this authority takes the server for this name.
async fn shakes(certificates: &Certificates, authority_pem: &str, name: &str) -> io::Result<()> {
    let (near, far) = duplex(64 * 1024);
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connector = client(authority_pem, &[]);
    let (client, _server) = tokio::join!(
        connector.connect(name, near),
        certificates.acceptor().accept(far)
    );
    client.map(|_| ())
}

async fn serving(certificates: &Certificates) -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let listeners = vec![Listener::tls(socket, certificates)];
    let router = Router::new().route("/", get(|| async { "hello" }));
    let policy = ListenPolicy::default();
    tokio::spawn(serve(listeners, router, policy, std::future::pending()));
    address
}

async fn connect(address: SocketAddr, authority_pem: &str, alpn: &[&str]) -> TlsStream<TcpStream> {
    let name = ServerName::try_from("localhost").unwrap();
    let io = TcpStream::connect(address).await.unwrap();
    client(authority_pem, alpn).connect(name, io).await.unwrap()
}

#[tokio::test]
async fn http_1_1_and_2_are_chosen_by_alpn() {
    let made = made(&["localhost"]);
    let authority = made.authority_pem.clone();
    let address = serving(&Certificates::from_self_signed(made)).await;

    let mut io = connect(address, &authority, &["h2", "http/1.1"]).await;
    assert_eq!(io.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    // The preface and empty settings; a server answers with its own.
    let hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    io.write_all(hello).await.unwrap();
    let mut frame = [0; 9];
    io.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[3], 4, "not SETTINGS: {frame:?}");

    for alpn in [&["http/1.1"][..], &[]] {
        let mut io = connect(address, &authority, alpn).await;
        let request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        io.write_all(request).await.unwrap();
        let mut received = String::new();
        io.read_to_string(&mut received).await.unwrap();
        assert!(received.ends_with("hello"), "{received}");
    }
}

#[tokio::test]
async fn a_certificate_made_here_is_for_its_names_and_no_other() {
    let made = made(&["localhost", "*.example.org", "127.0.0.1", "::1"]);
    let authority = made.authority_pem.clone();
    let certificates = Certificates::from_self_signed(made);
    for name in ["localhost", "api.example.org", "127.0.0.1", "::1"] {
        shakes(&certificates, &authority, name).await.unwrap();
        assert!(certificates.is_for(name), "{name}");
    }
    for name in ["example.com", "a.b.example.org", "127.0.0.2"] {
        shakes(&certificates, &authority, name).await.unwrap_err();
        assert!(!certificates.is_for(name), "{name}");
    }
}

#[tokio::test]
async fn names_of_one_kind_work_alone() {
    for name in ["localhost", "127.0.0.1", "::1"] {
        let made = made(&[name]);
        let authority = made.authority_pem.clone();
        if name != "localhost" {
            // As text it would be a common name, which OpenSSL holds against such an authority.
            let der = CertificateDer::from_pem_slice(made.certificate_pem.as_bytes()).unwrap();
            let mut windows = der.windows(name.len());
            assert!(!windows.any(|window| window == name.as_bytes()));
        }
        let certificates = Certificates::from_self_signed(made);
        shakes(&certificates, &authority, name).await.unwrap();
    }
}

#[tokio::test]
async fn each_authority_is_its_own() {
    let (one, other) = (made(&["localhost"]), made(&["localhost"]));
    let certificates = Certificates::from_self_signed(one);
    shakes(&certificates, &other.authority_pem, "localhost")
        .await
        .unwrap_err();
}

#[test]
fn what_is_no_name_is_refused() {
    for name in [
        "",
        "https://localhost",
        "localhost:8443",
        "a b",
        "-a",
        "a..b",
        "*.*.a",
        "a.*.b",
        "*",
        "1.2.3",
        "bücher.example",
    ] {
        let error = self_signed(&[name.to_owned()]).unwrap_err();
        assert!(matches!(error, TlsError::Name { .. }), "{name:?}: {error}");
    }
    assert!(matches!(self_signed(&[]), Err(TlsError::Make(_))));
}

#[test]
fn the_key_is_not_shown() {
    let made = made(&["localhost"]);
    let shown = format!("{made:?}");
    assert!(shown.contains("BEGIN CERTIFICATE") && !shown.contains("PRIVATE"));
    assert!(made.private_key_pem().contains("BEGIN PRIVATE KEY"));
    let shown = format!("{:?}", Certificates::from_self_signed(made));
    assert!(!shown.contains("PRIVATE"));
}

/// A folder with a certificate and its key.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn hold(&self, made: &SelfSigned) -> (PathBuf, PathBuf) {
        let certificate = self.write("cert.pem", &made.certificate_pem);
        (certificate, self.write("key.pem", made.private_key_pem()))
    }
}

fn problem(certificate: &Path, key: &Path) -> String {
    let error = Certificates::from_files(certificate, key).unwrap_err();
    error.to_string()
}

/// As a pipe, which has no end as long as no program writes to it.
#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_refused() {
    let folder = Folder::new();
    let (certificate, key) = folder.hold(&made(&["localhost"]));
    let device = Path::new("/dev/null");
    for problem in [problem(device, &key), problem(&certificate, device)] {
        assert!(
            problem.starts_with("/dev/null cannot be read: it is no regular file"),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn files_are_read_and_read_again() {
    let (folder, first, second) = (Folder::new(), made(&["localhost"]), made(&["localhost"]));
    let (certificate, key) = folder.hold(&first);
    let certificates = Certificates::from_files(&certificate, &key).unwrap();
    let clone = certificates.clone();
    shakes(&clone, &first.authority_pem, "localhost")
        .await
        .unwrap();

    // Half of an exchange is refused, and what was there stays.
    folder.write("cert.pem", &second.certificate_pem);
    let error = certificates.reload().unwrap_err();
    assert!(matches!(error, TlsError::KeyMismatch { .. }), "{error}");
    shakes(&clone, &first.authority_pem, "localhost")
        .await
        .unwrap();

    folder.hold(&second);
    certificates.reload().unwrap();
    shakes(&clone, &second.authority_pem, "localhost")
        .await
        .unwrap();
    shakes(&clone, &first.authority_pem, "localhost")
        .await
        .unwrap_err();
}

#[test]
fn a_problem_names_its_file() {
    let (folder, made) = (Folder::new(), made(&["localhost"]));
    let (certificate, key) = folder.hold(&made);
    let missing = folder.0.path().join("missing.pem");
    let empty = folder.write("empty.pem", "");
    let broken = folder.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA");
    let no_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let no_der = folder.write("no-der.pem", no_der);
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let encrypted = folder.write("encrypted.pem", encrypted);
    let no_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let no_key = folder.write("no-key.pem", no_key);
    for (certificate, key, says) in [
        (&missing, &key, "missing.pem cannot be read"),
        (&certificate, &missing, "missing.pem cannot be read"),
        (
            &empty,
            &key,
            "empty.pem is no certificate file: it holds no",
        ),
        (
            &broken,
            &key,
            "broken.pem is no certificate file: it is not PEM",
        ),
        (&key, &key, "key.pem is no certificate file: it holds no"),
        (&no_der, &key, "no-der.pem is no certificate file: "),
        (
            &certificate,
            &empty,
            "empty.pem is no private key file: it holds no private key",
        ),
        (
            &certificate,
            &certificate,
            "cert.pem is no private key file: it holds no private key",
        ),
        (
            &certificate,
            &encrypted,
            "encrypted.pem is no private key file: it is encrypted",
        ),
        (&certificate, &no_key, "no-key.pem is no private key file: "),
    ] {
        let said = problem(certificate, key);
        assert!(said.contains(says), "{said} | {says}");
    }
}

#[tokio::test]
async fn http_without_tls_on_a_port_of_tls_is_hung_up_on() {
    let address = serving(&Certificates::from_self_signed(made(&["localhost"]))).await;
    let mut io = TcpStream::connect(address).await.unwrap();
    io.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut received = Vec::new();
    let _ = io.read_to_end(&mut received).await;
    assert!(!received.starts_with(b"HTTP"));
}

#[tokio::test]
async fn a_handshake_has_its_time() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let certificates = Certificates::from_self_signed(made(&["localhost"]));
    let listeners = vec![Listener::tls(socket, &certificates)];
    // All other times are long, and the test is over as soon as this one is.
    let policy = ListenPolicy::default()
        .header_timeout(Duration::from_secs(600))
        .tls_handshake_timeout(Duration::from_millis(100));
    tokio::spawn(serve(
        listeners,
        Router::new(),
        policy,
        std::future::pending(),
    ));
    let start = Instant::now();
    let mut io = TcpStream::connect(address).await.unwrap();
    let closed = timeout(Duration::from_secs(60), io.read(&mut [0])).await;
    assert_eq!(closed.unwrap().unwrap_or(0), 0);
    assert!(start.elapsed() >= Duration::from_millis(100));
}
