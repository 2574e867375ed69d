//! Encrypted connections: to the server that the address means, and to no other.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use drag_solver_core::DragSolver as _;
use drag_solver_store::{
    PostgresOptions, PostgresStore, Store as _, StoreError, StoreErrorKind, StoreExt as _,
};
use tempfile::TempDir;

use crate::place::Place;
use crate::process::{answering, challenge};

/// What the certificate of the server says it is called.
const NAME: &str = "db.example";

const PASSWORD: &str = "hunter2";

/// How long anything may take, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);

/// Authorities, and what they have signed.
struct Authorities {
    folder: TempDir,
}

impl Authorities {
    /// `None`, and a line that says so, where there is nothing to make them with.
    fn new() -> Option<Self> {
        let there = Command::new("openssl").arg("version").output();
        if there.map_or(true, |ended| !ended.status.success()) {
            println!("SKIPPED: there is no command `openssl` to make certificates with");
            return None;
        }
        let folder = TempDir::new().unwrap();
        Some(Self { folder })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn openssl(&self, arguments: &str) {
        let ended = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "openssl {arguments}: {said}");
    }

    /// An authority of this name, as the file that a user would be given.
    fn authority(&self, name: &str) -> PathBuf {
        let settings = "[req]\ndistinguished_name = name\nx509_extensions = authority\n[name]\n[authority]\n\
             basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign\nsubjectKeyIdentifier = hash\n";
        std::fs::write(self.file("authority.cnf"), settings).unwrap();
        self.openssl(&format!(
            "req -x509 -config authority.cnf -newkey rsa:2048 -nodes -days 2 -subj /CN={name} -keyout {name}.key \
             -out {name}.pem"
        ));
        self.file(&format!("{name}.pem"))
    }

    /// The certificate and the key of a server of this name.
    fn server(&self, authority: &str, name: &str) -> (Vec<u8>, Vec<u8>) {
        let extensions = format!("subjectAltName = DNS:{name}\nextendedKeyUsage = serverAuth\n");
        std::fs::write(self.file("server.cnf"), extensions).unwrap();
        self.openssl(&format!(
            "req -config authority.cnf -newkey rsa:2048 -nodes -subj /CN={name} -keyout server.key -out server.csr"
        ));
        self.openssl(&format!(
            "x509 -req -in server.csr -CA {authority}.pem -CAkey {authority}.key -CAcreateserial -days 2 \
             -extfile server.cnf -out server.pem"
        ));
        let read = |name| std::fs::read(self.file(name)).unwrap();
        (read("server.pem"), read("server.key"))
    }
}

/// A server that speaks TLS, and says that it is [`NAME`].
struct Encrypted {
    place: Place,
    authorities: Authorities,
    authority: PathBuf,
}

impl Encrypted {
    fn start() -> Option<Self> {
        let authorities = Authorities::new()?;
        let place = Place::alone()?;
        let authority = authorities.authority("ours");
        let (certificate, key) = authorities.server("ours", NAME);
        let server = Arc::clone(&place.server);
        server.keep("server.crt", &certificate);
        server.keep("server.key", &key);
        server.psql("ALTER SYSTEM SET ssl = on").unwrap();
        server.psql("SELECT pg_reload_conf()").unwrap();
        let begun = Instant::now();
        while server.psql("SHOW ssl").unwrap() != "on" {
            assert!(begun.elapsed() < PATIENCE, "it does not speak TLS");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(Self {
            place,
            authorities,
            authority,
        })
    }

    /// Its address under this name, wherever that is.
    fn url(&self, name: &str, mode: &str) -> String {
        let port = self.place.server.port();
        format!("postgres://postgres:{PASSWORD}@{name}:{port}/postgres?hostaddr=127.0.0.1{mode}")
    }

    fn options(&self, authority: Option<&Path>) -> PostgresOptions {
        let options = PostgresOptions::default().patience(Duration::from_millis(200));
        let options = options.schema(&*self.place.schema);
        match authority {
            Some(file) => options.root_certificates(file),
            None => options,
        }
    }

    async fn open(&self, url: &str, authority: Option<&Path>) -> Result<PostgresStore, StoreError> {
        let store = PostgresStore::open(&url.into(), self.options(authority))?;
        store.flush().await?;
        Ok(store)
    }

    /// How many connections of stores there are: encrypted ones, and others.
    fn connections(&self) -> (u32, u32) {
        let counts = self.place.sql(
            "SELECT count(*) FILTER (WHERE ssl) || ' ' || count(*) FILTER (WHERE NOT ssl)
             FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'drag-solver'",
        );
        let (encrypted, others) = counts.split_once(' ').unwrap();
        (encrypted.parse().unwrap(), others.parse().unwrap())
    }

    /// Solves something, with all kinds of connections that a store has: it writes, reads, and listens.
    async fn is_used(&self, store: &PostgresStore, id: &str) -> (u32, u32) {
        let solver = answering().durable(store);
        solver.solve(&challenge(id)).await.unwrap();
        assert!(store.find(id).await.unwrap().is_some());
        let begun = Instant::now();
        loop {
            let (encrypted, others) = self.connections();
            if encrypted + others >= 3 {
                return (encrypted, others);
            }
            assert!(begun.elapsed() < PATIENCE, "it has not all connections");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_connection_is_encrypted_to_the_server_that_the_named_authority_knows() {
    let Some(server) = Encrypted::start() else {
        return;
    };
    let url = server.url(NAME, "&sslmode=require");
    let store = server.open(&url, Some(&server.authority)).await.unwrap();
    let (encrypted, others) = server.is_used(&store, "new").await;
    assert!(encrypted >= 3);
    assert_eq!(others, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_cannot_show_who_it_is_is_refused() {
    let Some(server) = Encrypted::start() else {
        return;
    };
    let another = server.authorities.authority("another");
    let ours = server.authority.as_path();
    for (what, name, authority, why) in [
        ("the system's authorities", NAME, None, "UnknownIssuer"),
        ("another authority", NAME, Some(&*another), "UnknownIssuer"),
        ("another name", "other.example", Some(ours), "other.example"),
        ("an address", "127.0.0.1", Some(ours), "127.0.0.1"),
    ] {
        // `prefer` does without only where the server speaks no TLS.
        for mode in ["&sslmode=require", "&sslmode=prefer"] {
            let refused = server.open(&server.url(name, mode), authority).await;
            let error = refused.map(drop).expect_err(what);
            let message = error.to_string();
            assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{what}: {error}");
            assert!(message.contains("certificate"), "{what}: {message}");
            assert!(message.contains(why), "{what}: {message}");
            let all = format!("{message} {error:?}");
            assert!(!all.contains(PASSWORD), "{what}: {all}");
        }
    }
    assert_eq!(server.connections(), (0, 0));
    let made = server
        .place
        .sql("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'test_%'");
    assert_eq!(made, "0", "nothing was sent");
}

#[test]
fn a_file_without_an_authority_is_refused_before_anything_is_sent() {
    let folder = TempDir::new().unwrap();
    let (empty, nowhere) = (folder.path().join("empty"), folder.path().join("nowhere"));
    std::fs::write(&empty, "").unwrap();
    for file in [empty, nowhere] {
        let url = format!("postgres://postgres:{PASSWORD}@{NAME}/postgres");
        let options = PostgresOptions::default().root_certificates(&file);
        let refused = PostgresStore::open(&url.into(), options);
        let error = refused.map(drop).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Invalid, "{error}");
        let all = format!("{error} {error:?}");
        assert!(all.contains(&*file.to_string_lossy()), "{all}");
        assert!(!all.contains(PASSWORD), "{all}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_this_machine_or_where_the_address_says_so_it_does_without() {
    let Some(server) = Encrypted::start() else {
        return;
    };
    for (id, mode) in [("said", "&sslmode=disable"), ("local", "")] {
        let url = server.url("127.0.0.1", mode);
        let store = server.open(&url, None).await.unwrap();
        let (encrypted, others) = server.is_used(&store, id).await;
        assert_eq!(encrypted, 0, "{id}");
        assert!(others >= 3, "{id}");
        drop(store);
        while server.connections() != (0, 0) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_speaks_no_tls_is_refused_where_it_has_to_be_encrypted() {
    let Some(place) = Place::new() else { return };
    let port = place.server.port();
    let url = format!("postgres://postgres:{PASSWORD}@127.0.0.1:{port}/postgres?sslmode=require");
    let options = PostgresOptions::default().patience(Duration::from_millis(200));
    let store = place.open_at(&url, options);
    let error = store.flush().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let message = error.to_string();
    assert!(message.contains("TLS"), "{message}");
    assert!(
        !format!("{message} {error:?}").contains(PASSWORD),
        "{error:?}"
    );
}
