//! `[gateway]` of a chain's file: how `drag-solver serve` listens, and how it treats its clients.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use drag_solver::config::{read_settings, setting_names};
use drag_solver::http::CallbackReceiver;
use drag_solver::{CheckSettings as _, ConfigError};
use drag_solver_gateway::{GatewayPolicy, has_public_host};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::Value;

use crate::parse::address;
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
    #[serde(deserialize_with = "addresses")]
    pub(crate) listen: Vec<SocketAddr>,
    /// Addresses for TLS.
    #[serde(deserialize_with = "addresses")]
    pub(crate) tls_listen: Vec<SocketAddr>,
    /// The certificate and its key, in PEM.
    pub(crate) tls_certificate: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
    /// Names that a certificate is made for.
    pub(crate) tls_self_signed: Vec<String>,
    /// Where the certificate of its authority is written, for clients to trust.
    pub(crate) tls_authority: Option<PathBuf>,
    /// Where providers reach it, to say that an answer is there.
    pub(crate) public_url: Option<String>,
}

/// Where it listens unless something is said.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

impl GatewayConfig {
    /// What the table says, if there is one.
    pub(super) fn of_table(table: Option<Value>) -> Result<Self, ConfigError> {
        let Some(table) = table else {
            return Ok(Self::default());
        };
        let read = read_settings(table).and_then(|(door, policy): (Door, GatewayPolicy)| {
            door.check()?;
            policy.check()?;
            Ok(Self { door, policy })
        });
        read.map_err(|error| error.in_key("gateway"))
    }

    /// The one of these keys of a chain's file that belongs into the table.
    pub(super) fn misplaced<'a>(mut keys: impl Iterator<Item = &'a str>) -> Option<&'a str> {
        let own = setting_names::<(Door, GatewayPolicy)>();
        // A chain has a `deadline`, too.
        keys.find(|key| *key != "deadline" && own.iter().any(|own| own == key))
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

impl Door {
    /// What takes the calls of providers, if they can reach it.
    pub(crate) fn callback_receiver(&self) -> Result<Option<CallbackReceiver>, ConfigError> {
        let Some(url) = &self.public_url else {
            return Ok(None);
        };
        // First as it was written: what is added would hide what is wrong at its end.
        CallbackReceiver::new(url)?;
        CallbackReceiver::new(&format!("{}/callbacks", url.trim_end_matches('/'))).map(Some)
    }

    /// What its author may not have meant.
    pub(crate) fn note(&self) -> Option<String> {
        let url = self.public_url.as_deref()?;
        (!has_public_host(url)).then(|| {
            let url = one_line(url);
            format!(
                "the host of {url} is this machine or in a private network: services on the internet cannot call it, and \
                 are polled"
            )
        })
    }

    /// Where it listens unless something is said.
    pub(crate) fn listen_somewhere(&mut self) {
        if self.listen.is_empty() && self.tls_listen.is_empty() {
            self.listen.push(LISTEN);
        }
    }

    /// The first address that others than this machine can reach.
    pub(crate) fn reachable(&self) -> Option<SocketAddr> {
        let mut all = self.listen.iter().chain(&self.tls_listen);
        all.find(|address| !address.ip().is_loopback()).copied()
    }

    /// Nothing that options could still add.
    fn check(&self) -> Result<(), ConfigError> {
        self.callback_receiver()?;
        let mut taken = HashSet::new();
        for (key, addresses) in [("listen", &self.listen), ("tls_listen", &self.tls_listen)] {
            // With port 0 each gets another one.
            let mut fixed = addresses.iter().filter(|address| address.port() != 0);
            if let Some(twice) = fixed.find(|&address| !taken.insert(address)) {
                let problem = format!("{twice} is there twice: each address is listened on once");
                return Err(ConfigError::new(key, problem));
            }
        }
        if self.tls_certificate.is_some() && !self.tls_self_signed.is_empty() {
            let problem = "cannot be set beside tls_certificate: a certificate is read from files, or made for these names";
            return Err(ConfigError::new("tls_self_signed", problem));
        }
        let (missing, other) = match (&self.tls_certificate, &self.tls_key) {
            (Some(_), None) => ("tls_key", "tls_certificate"),
            (None, Some(_)) => ("tls_certificate", "tls_key"),
            _ => return Ok(()),
        };
        let problem =
            format!("must be set, too: {other} is, and a certificate and its key belong together");
        Err(ConfigError::new(missing, problem))
    }
}

fn addresses<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SocketAddr>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    if texts.is_empty() {
        let problem =
            "names no address: write one, as in [\"127.0.0.1:8080\"], or leave the key out";
        return Err(D::Error::custom(problem));
    }
    let read = texts.iter().map(|text| address(text));
    read.collect::<Result<_, _>>().map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn read(text: &str) -> Result<GatewayConfig, String> {
        let table: toml::Table = toml::from_str(text).unwrap();
        GatewayConfig::of_table(Some(Value::Table(table))).map_err(|error| error.to_string())
    }

    #[test]
    fn a_table_says_how_it_listens_and_how_clients_are_treated() {
        let read =
            read("listen = [\"127.0.0.1:1\"]\ntls_certificate = \"a.pem\"\ntls_key = \"key.pem\"\nhold = \"2s\"").unwrap();
        let config = read.beside(Path::new("/etc/drags"));
        assert_eq!(config.door.listen, ["127.0.0.1:1".parse().unwrap()]);
        assert_eq!(config.door.tls_key, Some("/etc/drags/key.pem".into()));
        assert_eq!(config.policy.hold, Duration::from_secs(2));
        assert!(super::tests::read("listen = [\"127.0.0.1:0\", \"127.0.0.1:0\"]").is_ok());
        assert_eq!(
            GatewayConfig::of_table(None).unwrap(),
            GatewayConfig::default()
        );
    }

    #[test]
    fn providers_call_below_the_public_address() {
        for url in ["https://drags.example.com", "https://drags.example.com/"] {
            let door = read(&format!("public_url = \"{url}\"")).unwrap().door;
            let receiver = door.callback_receiver().unwrap().unwrap();
            let below = "https://drags.example.com/callbacks";
            assert_eq!(receiver.public_url(), below);
        }
        assert!(Door::default().callback_receiver().unwrap().is_none());
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
        for (text, told) in [
            (
                "hld = \"2s\"",
                "unknown key `hld` in gateway: did you mean `hold`?",
            ),
            (
                "tls_lsten = []",
                "unknown key `tls_lsten` in gateway: did you mean `tls_listen`?",
            ),
            (
                "deadline = \"0s\"",
                "gateway.deadline: must be more than zero, or no job could be answered",
            ),
            (
                "hold = 9",
                "gateway.hold: is integer `9`, and must be a duration with its unit, like \"500ms\", \"60s\" or \"1m 30s\"",
            ),
            (
                "max_body = \"1MB\"",
                "gateway.max_body: is a text, and must be a whole number from 0 up",
            ),
            (
                "workers = -1",
                "gateway.workers: is integer `-1`, and must be a whole number from 0 to 4294967295",
            ),
            (
                "workers = 5000000000",
                "gateway.workers: is integer `5000000000`, and must be a whole number from 0 to 4294967295",
            ),
            (
                "singular_prefix = 1",
                "gateway.singular_prefix: is integer `1`, and must be true or false",
            ),
            (
                "listen = [\"8080\"]",
                "gateway.listen: write ADDRESS:PORT, as in 127.0.0.1:8080",
            ),
            (
                "tls_listen = [\"localhost:1\"]",
                "gateway.tls_listen: write ADDRESS:PORT, as in 127.0.0.1:8080",
            ),
            (
                "listen = \"127.0.0.1:1\"",
                "gateway.listen: is a text, and must be a list",
            ),
            (
                "tls_key = 7",
                "gateway.tls_key: is integer `7`, and must be a text",
            ),
            (
                "public_url = 7",
                "gateway.public_url: is integer `7`, and must be a text",
            ),
            (
                "listen = [\"127.0.0.1:1\"]\ntls_listen = [\"127.0.0.1:1\"]",
                "gateway.tls_listen: 127.0.0.1:1 is there twice: each address is listened on once",
            ),
            (
                "public_url = \"https://drags.example.com/?key=hunter2\"",
                "gateway.public_url: must be the address at which providers reach this program, as in \
                 https://hooks.example.com: https (http is for this machine alone), without a user name, a password, \
                 a `?` or a `#` in it",
            ),
            (
                "listen = []",
                "gateway.listen: names no address: write one, as in [\"127.0.0.1:8080\"], or leave the key out",
            ),
            (
                "tls_certificate = \"a.pem\"\ntls_key = \"b.pem\"\ntls_self_signed = [\"localhost\"]",
                "gateway.tls_self_signed: cannot be set beside tls_certificate: a certificate is read from files, or made \
                 for these names",
            ),
            (
                "tls_certificate = \"a.pem\"",
                "gateway.tls_key: must be set, too: tls_certificate is, and a certificate and its key belong together",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), told);
        }
        let error = read("whatever = 1").unwrap_err();
        assert!(
            error.contains("`tls_authority`") && error.contains("`max_body`"),
            "{error}"
        );
        let error = read("hold = \"soon\"").unwrap_err();
        assert!(error.starts_with("gateway.hold: "), "{error}");
    }
}
