//! The operator's page on this machine, for one run of the command.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use drag_solver::operators::{Desk, pages};
use drag_solver::store::key_hash;
use drag_solver_gateway::listen::{self, ListenPolicy, Listener};
use drag_solver_gateway::new_key;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::practice::practice;

/// How long pages may take to hear that this is the end.
const CLOSE: Duration = Duration::from_secs(3);

/// Who is at the page, for the log.
const WHO: &str = "you";

/// The page, as it is served.
pub(crate) struct LabelPage {
    /// What opens it. The key is behind the #, which no browser sends anywhere, and the page takes it out of the address.
    pub(crate) link: String,
    close: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

impl LabelPage {
    /// Serves the page of `desk` with a key of its own.
    ///
    /// # Errors
    ///
    /// It cannot listen there.
    pub(crate) async fn open(address: SocketAddr, desk: &Desk) -> anyhow::Result<Self> {
        let port = TcpListener::bind(address).await.with_context(|| {
            format!("cannot listen on {address}: choose another port with --listen")
        })?;
        let address = port.local_addr()?;
        let key = new_key();
        let link = format!("http://{address}/operator#key={}", key.expose_secret());
        // How long it takes to compare hashes tells nothing of the key.
        let hash = key_hash(key.expose_secret());
        let keys = move |given: SecretString, _| {
            let is_ours = key_hash(given.expose_secret()) == hash;
            async move { is_ours.then(|| WHO.to_owned()) }
        };
        let router = pages::router(desk, Arc::new(keys), practice());
        let (close, closed) = oneshot::channel();
        let closed = async { drop(closed.await) };
        let policy = ListenPolicy::default().drain(CLOSE);
        let server = listen::serve(vec![Listener::plain(port)], router, policy, closed);
        Ok(Self {
            link,
            close,
            server: tokio::spawn(server),
        })
    }

    /// Ends when every page has heard that this is the end.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        drop(self.close);
        Ok(self.server.await.context("the server")??)
    }
}
