//! `[gateway]` of a chain's file: how `drag-solver serve` listens, and how it treats its clients.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use drag_solver::{CheckSettings as _, ConfigError};
use drag_solver_gateway::GatewayPolicy;
use serde::Deserialize;
use toml::{Table, Value};

use crate::ui::text::one_line;

/// How `drag-solver serve` listens, and how it treats its clients.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct GatewayConfig {
    pub(crate) door: Door,
    pub(crate) policy: GatewayPolicy,
}

/// Where it listens, and with which certificate.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Door {
    /// Addresses for plain HTTP.
    pub(crate) listen: Vec<SocketAddr>,
    /// Addresses for TLS.
    pub(crate) tls_listen: Vec<SocketAddr>,
    /// The certificate and its key, in PEM.
    pub(crate) tls_certificate: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
    /// Names that a certificate is made for.
    pub(crate) tls_self_signed: Vec<String>,
    /// Where the certificate of its authority is written, for clients to trust.
    pub(crate) tls_authority: Option<PathBuf>,
}

/// The keys of [`Door`]; all others are those of [`GatewayPolicy`].
const DOOR: [&str; 6] = [
    "listen",
    "tls_listen",
    "tls_certificate",
    "tls_key",
    "tls_self_signed",
    "tls_authority",
];

impl GatewayConfig {
    /// What the table says, if there is one.
    pub(super) fn of_table(table: Option<Value>) -> Result<Self, ConfigError> {
        let Some(table) = table else {
            return Ok(Self::default());
        };
        let Value::Table(table) = table else {
            return Err(ConfigError::new("gateway", "is a table: write [gateway]"));
        };
        let is_door = |key: &str| DOOR.contains(&key);
        let (door, policy): (Table, Table) = table.into_iter().partition(|(key, _)| is_door(key));
        let problem =
            |error: toml::de::Error| ConfigError::new("gateway", one_line(error.message()));
        let door = door.try_into().map_err(problem)?;
        let policy: GatewayPolicy = policy.try_into().map_err(problem)?;
        policy.check().map_err(|error| error.in_key("gateway"))?;
        Ok(Self { door, policy })
    }

    /// Paths that are not absolute are beside the file.
    pub(super) fn beside(mut self, folder: &Path) -> Self {
        let Door {
            tls_certificate,
            tls_key,
            tls_authority,
            ..
        } = &mut self.door;
        for path in [tls_certificate, tls_key, tls_authority]
            .into_iter()
            .flatten()
        {
            *path = folder.join(&*path);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn read(text: &str) -> Result<GatewayConfig, String> {
        let table: Table = toml::from_str(text).unwrap();
        GatewayConfig::of_table(Some(Value::Table(table))).map_err(|error| error.to_string())
    }

    #[test]
    fn a_table_says_how_it_listens_and_how_clients_are_treated() {
        let read =
            read("listen = [\"127.0.0.1:1\"]\ntls_key = \"key.pem\"\nhold = \"2s\"").unwrap();
        let config = read.beside(Path::new("/etc/drags"));
        assert_eq!(config.door.listen, ["127.0.0.1:1".parse().unwrap()]);
        assert_eq!(config.door.tls_key, Some("/etc/drags/key.pem".into()));
        assert_eq!(config.policy.hold, Duration::from_secs(2));
        assert_eq!(
            GatewayConfig::of_table(None).unwrap(),
            GatewayConfig::default()
        );
    }

    #[test]
    fn hosts_that_are_called_back_are_names() {
        let read_hosts = |hosts: &str| read(&format!("callback_hosts = [{hosts}]"));
        let config = read_hosts("\"example.com\", \"*.example.org\"").unwrap();
        assert!(config.policy.callback_hosts[1].matches("a.example.org"));
        let error = read_hosts("\"https://example.com/\"").unwrap_err();
        assert!(error.contains("is not a host"), "{error}");
    }

    #[test]
    fn a_mistake_is_told_with_what_there_is() {
        let error = read("hld = \"2s\"").unwrap_err();
        assert!(
            error.contains("gateway") && error.contains("`hold`"),
            "{error}"
        );
        let error = read("deadline = \"0s\"").unwrap_err();
        assert!(error.starts_with("gateway.deadline: must be"), "{error}");
        let error = read("listen = [\"8080\"]").unwrap_err();
        assert!(error.contains("gateway"), "{error}");
    }
}
