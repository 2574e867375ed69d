//! `drag-solver health`: whether a gateway takes jobs, for containers.

use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::exit::Exit;
use crate::parse::duration;
use crate::ui::console::{self, eprint_line};
use crate::ui::text::one_line;

/// As much of a response as is read, in bytes.
const MOST: u64 = 16 << 10;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  # is it ready? In a Dockerfile: HEALTHCHECK CMD [\"drag-solver\", \"health\"]
  drag-solver health
  # one that listens elsewhere
  drag-solver health --url http://127.0.0.1:9000 --timeout 2s

Exit status: 0 if the gateway is ready, 1 if it is not, or cannot be reached; why is on standard error.")]
pub(crate) struct Args {
    /// Where the gateway listens for plain HTTP
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080", value_parser = address)]
    url: Address,

    /// How long it may take
    #[arg(long, value_name = "DURATION", default_value = "3s", value_parser = duration)]
    timeout: Duration,
}

/// Host and port of a gateway.
#[derive(Clone, Debug, PartialEq)]
struct Address {
    /// As a client names it: `127.0.0.1:8080`.
    authority: String,
    has_port: bool,
}

/// Asks `/readyz`.
pub(crate) async fn run(args: &Args) -> anyhow::Result<Exit> {
    let asked = match timeout(args.timeout, ask(&args.url)).await {
        Ok(asked) => asked,
        Err(_) => Err(anyhow::anyhow!(
            "no answer within {}",
            humantime::format_duration(args.timeout)
        )),
    };
    match asked {
        Ok(()) => {
            console::print("ready").map_err(console::cannot_print)?;
            Ok(Exit::Success)
        }
        Err(error) => {
            eprint_line(&format!("error: not ready: {error:#}"));
            Ok(Exit::Unsolved)
        }
    }
}

/// Ends well if the gateway is ready.
async fn ask(address: &Address) -> anyhow::Result<()> {
    let Address {
        authority,
        has_port,
    } = address;
    let place = if *has_port {
        authority.clone()
    } else {
        format!("{authority}:80")
    };
    let connection = TcpStream::connect(&place).await;
    let mut connection = connection.with_context(|| format!("cannot connect to {place}"))?;
    let request = format!("GET /readyz HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await?;
    let mut response = Vec::new();
    connection.take(MOST).read_to_end(&mut response).await?;
    judge(&String::from_utf8_lossy(&response))
}

fn judge(response: &str) -> anyhow::Result<()> {
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or((response, ""));
    let mut words = head.split_whitespace();
    if !words.next().is_some_and(|word| word.starts_with("HTTP/1.")) {
        bail!("what listens there does not speak HTTP");
    }
    match words.next() {
        Some("200") if body.trim() == "ready" => Ok(()),
        Some("200") => bail!("what listens there is no gateway"),
        Some(status) => bail!("{} (status {status})", one_line(body.trim())),
        None => bail!("what listens there does not speak HTTP"),
    }
}

/// Host and port of `http://HOST:PORT`.
fn address(url: &str) -> Result<Address, String> {
    let what = "write http://HOST:PORT; a gateway that listens for TLS alone can listen for plain HTTP on 127.0.0.1, too";
    let authority = url.strip_prefix("http://").ok_or(what)?;
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    let is_plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    if authority.is_empty() || !authority.chars().all(is_plain) {
        return Err(what.to_owned());
    }
    let after_host = authority.rsplit(']').next().unwrap_or(authority);
    Ok(Address {
        authority: authority.to_owned(),
        has_port: after_host.contains(':'),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_gateway_that_is_ready_is() {
        let response =
            |status: &str, body: &str| format!("HTTP/1.1 {status}\r\nx: y\r\n\r\n{body}\n");
        assert!(judge(&response("200 OK", "ready")).is_ok());
        for (response, why) in [
            (
                response("503 Service Unavailable", "stopping"),
                "stopping (status 503)",
            ),
            (response("200 OK", "<html>"), "no gateway"),
            (response("404 Not Found", ""), "status 404"),
            ("SSH-2.0-x\r\n".to_owned(), "does not speak HTTP"),
            (String::new(), "does not speak HTTP"),
        ] {
            let error = judge(&response).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn an_address_is_a_host_and_perhaps_a_port() {
        let parts = |url| address(url).map(|it| (it.authority, it.has_port));
        assert_eq!(
            parts("http://localhost:1/"),
            Ok(("localhost:1".to_owned(), true))
        );
        assert_eq!(parts("http://[::1]"), Ok(("[::1]".to_owned(), false)));
        for wrong in [
            "https://localhost",
            "localhost:8080",
            "http://",
            "http://a/b",
            "http://u@h",
        ] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn who_does_not_answer_is_not_ready() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let args = Args {
            url: address(&format!("http://{}", silent.local_addr().unwrap())).unwrap(),
            timeout: Duration::from_millis(20),
        };
        assert_eq!(run(&args).await.unwrap(), Exit::Unsolved);
        drop(silent);
        assert_eq!(run(&args).await.unwrap(), Exit::Unsolved);
    }
}
