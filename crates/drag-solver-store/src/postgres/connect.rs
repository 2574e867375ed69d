//! How the server is reached.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls_platform_verifier::BuilderVerifierExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::PostgresOptions;
use super::db::Db;
use super::problem::Problem;
use crate::{StoreError, StoreErrorKind};

/// How long connecting may take.
pub(super) const CONNECT: Duration = Duration::from_secs(3);

/// How long what was sent may stay without an answer of the other machine, before the connection is given up.
const SILENCE: Duration = Duration::from_secs(5);

/// Where the server is, and how it is spoken to.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
    /// What it is called in messages: without the password.
    pub(super) shown: String,
    /// How long the server may take for one of our statements: longer than it waits for a lock.
    pub(super) answers_within: Duration,
}

impl Address {
    pub(super) fn read(url: &SecretString, options: &PostgresOptions) -> Result<Self, StoreError> {
        let url = url.expose_secret();
        let invalid = |what: &str| StoreError::new(StoreErrorKind::Invalid, what);
        // What the parser says is not shown: it may name a part of the password.
        let config: Option<Config> = url.parse().ok();
        let mut config = config.filter(names_hosts).ok_or_else(|| {
            invalid(
                "the address of the server cannot be read: write it like postgres://USER:PASSWORD@HOST:5432/DATABASE, with \
                 special characters of the password as %40 for @, and so on",
            )
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(invalid("the address of the server names no host"));
        }
        let is_name = |text: &str| {
            let mut chars = text.chars();
            chars
                .next()
                .is_some_and(|c| c.is_ascii_lowercase() || c == '_')
                && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
                && text.len() <= 63
        };
        if !is_name(&options.schema) {
            return Err(invalid(
                "the name of the schema is 1 to 63 lower-case letters, digits and `_`, and begins with no digit",
            ));
        }
        // A password does not go over the wire in the open unless the address says so.
        if !url.replace(' ', "").contains("sslmode=") {
            config.ssl_mode(if is_local(&config) {
                SslMode::Disable
            } else {
                SslMode::Require
            });
        }
        // A process that stops in the middle of a transaction must not hold up the others.
        let idle = options.lease.as_millis().max(1_000);
        let set = format!(
            "-c search_path={} -c idle_in_transaction_session_timeout={idle} -c lock_timeout={}",
            options.schema,
            idle * 2
        );
        let given = config.get_options().unwrap_or_default();
        let set = format!("{given} {set}");
        config.options(set.trim());
        config
            .connect_timeout(CONNECT)
            .tcp_user_timeout(SILENCE)
            // While it is waited for an answer, nothing is sent whose receipt could be missing.
            .keepalives_idle(SILENCE)
            .keepalives_interval(Duration::from_secs(1))
            .keepalives_retries(3);
        if config.get_application_name().is_none() {
            config.application_name("drag-solver");
        }
        let shown = shown(&config);
        let tls = tls(options.root_certificates.as_deref())?;
        let lock = Duration::from_millis(u64::try_from(idle * 2).unwrap_or(u64::MAX));
        Ok(Self {
            config,
            tls,
            shown,
            answers_within: lock.saturating_add(Duration::from_secs(1)),
        })
    }

    /// At most so many connections.
    pub(super) fn pool(&self, connections: u32) -> Result<Pool, StoreError> {
        let recycling_method = RecyclingMethod::Fast;
        let manager = Manager::from_config(
            self.config.clone(),
            self.tls.clone(),
            ManagerConfig { recycling_method },
        );
        let wait = Some(CONNECT);
        let pool = Pool::builder(manager)
            .max_size(usize::try_from(connections).unwrap_or(usize::MAX))
            .timeouts(Timeouts {
                wait,
                create: wait,
                recycle: wait,
            })
            .runtime(Runtime::Tokio1)
            .build();
        pool.map_err(|error| StoreError::new(StoreErrorKind::Unavailable, error.to_string()))
    }
}

/// Says so if the server is set to lose what it has acknowledged.
pub(super) async fn warn_of_losses(db: &Db) -> Result<(), Problem> {
    for (setting, what) in [
        ("fsync", "when its machine crashes"),
        ("synchronous_commit", "when it crashes"),
    ] {
        let row = db.row("SELECT current_setting($1)", &[&setting]).await?;
        if row.get::<&str>(0)? == "off" {
            tracing::warn!(
                setting,
                "the server of the store is set to lose what it has acknowledged {what}: set it to on"
            );
        }
    }
    Ok(())
}

/// Whether what is read as hosts can be hosts: after an `@` in a password that is not escaped, a part of it stands there.
fn names_hosts(config: &Config) -> bool {
    let may_be = |c: char| c.is_alphanumeric() || ".-_:%".contains(c);
    let mut hosts = config.get_hosts().iter();
    hosts.all(|host| match host {
        Host::Tcp(name) => name.chars().all(may_be),
        Host::Unix(_) => true,
    })
}

fn is_local(config: &Config) -> bool {
    let is_loopback = |ip: IpAddr| ip.is_loopback();
    let addresses = config.get_hostaddrs();
    if !addresses.is_empty() {
        return addresses.iter().copied().all(is_loopback);
    }
    config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(is_loopback),
        Host::Unix(_) => true,
    })
}

fn shown(config: &Config) -> String {
    let mut hosts = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(path) => path.display().to_string(),
    });
    let host = hosts
        .next()
        .or_else(|| config.get_hostaddrs().first().map(ToString::to_string));
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let database = config
        .get_dbname()
        .or(config.get_user())
        .unwrap_or_default();
    format!("postgres://{}:{port}/{database}", host.unwrap_or_default())
}

fn tls(root_certificates: Option<&Path>) -> Result<MakeRustlsConnect, StoreError> {
    let invalid = |what: String| StoreError::new(StoreErrorKind::Invalid, what);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| invalid(error.to_string()))?;
    let builder = match root_certificates {
        None => builder.with_platform_verifier().map_err(|error| {
            invalid(format!("the system's certificates cannot be read: {error}"))
        })?,
        Some(path) => {
            let unreadable = |error: &dyn std::fmt::Display| {
                let path = path.display();
                invalid(format!(
                    "{path} holds no certificate of an authority in PEM: {error}"
                ))
            };
            let mut roots = rustls::RootCertStore::empty();
            let certificates = CertificateDer::pem_file_iter(path);
            for certificate in certificates.map_err(|error| unreadable(&error))? {
                let certificate = certificate.map_err(|error| unreadable(&error))?;
                roots.add(certificate).map_err(|error| unreadable(&error))?;
            }
            if roots.is_empty() {
                return Err(unreadable(&"there is none in it"));
            }
            builder.with_root_certificates(roots)
        }
    };
    Ok(MakeRustlsConnect::new(builder.with_no_client_auth()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<Address, StoreError> {
        Address::read(&SecretString::from(url), &PostgresOptions::default())
    }

    #[test]
    fn the_password_is_never_shown() {
        let address = read("postgres://me:hunter2@db.example:6432/drags").unwrap();
        assert_eq!(address.shown, "postgres://db.example:6432/drags");
        assert!(!format!("{:?}", address.config).contains("hunter2"));
        for url in [
            "postgres://me@db.example/drags?hunter2=1",
            "postgres://me:hun/ter2@db.example:x/drags",
            "postgres://me:x@hunter2@db.example/drags",
            "mysql://me:hunter2@db.example/drags",
            "hunter2",
            "",
        ] {
            let error = read(url).map(drop).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Invalid, "{url}");
            assert!(!format!("{error} {error:?}").contains("ter2"), "{error:?}");
        }
    }

    #[test]
    fn only_to_this_machine_it_is_not_encrypted_unless_the_address_says_so() {
        for (url, mode) in [
            ("postgres://me@127.0.0.1/x", SslMode::Disable),
            ("postgres://me@localhost/x", SslMode::Disable),
            ("postgres://me@%2Frun%2Fpostgresql/x", SslMode::Disable),
            ("postgres://me@[::1]/x", SslMode::Disable),
            ("postgres://me@10.0.0.1/x", SslMode::Require),
            ("postgres://me@localhost,db.example/x", SslMode::Require),
            ("postgres://me@db.example/x", SslMode::Require),
            ("postgres://me@db.example/x?sslmode=prefer", SslMode::Prefer),
            (
                "postgres://me@localhost/x?sslmode=require",
                SslMode::Require,
            ),
        ] {
            assert_eq!(read(url).unwrap().config.get_ssl_mode(), mode, "{url}");
        }
    }

    #[test]
    fn a_schema_is_a_plain_name() {
        let url = SecretString::from("postgres://me@localhost/x");
        for name in ["", "Drags", "a-b", "1a", "a;b", &"a".repeat(64)] {
            let options = PostgresOptions::default().schema(name);
            let error = Address::read(&url, &options).map(drop).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Invalid, "{name}");
        }
    }
}
