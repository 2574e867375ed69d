//! `drag-solver serve`: any chain, for programs in any language.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use drag_solver::config::{Chain, ChainParts};
use drag_solver::http::CallbackReceiver;
use drag_solver::store::{Clock, SqliteStore};
use drag_solver_gateway::listen::{self, ListenPolicy, Listener};
use drag_solver_gateway::tls::Certificates;
use drag_solver_gateway::{Gateway, Keys};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval};

use crate::chain::gateway::Door;
use crate::chain::options::ChainArgs;
use crate::chain::registry;
use crate::chain::source::ChainSource;
use crate::chain::store::{StoreArgs, store_help};
use crate::commands::check;
use crate::exit::Exit;
use crate::parse::address;
use crate::practice::practice;
use crate::signals;
use crate::ui::console::{self, eprint_line};
use crate::ui::logging::{self, LogFormat};
use crate::ui::text::{file_name, shell_word};

/// How often what was measured is put together.
const UPKEEP: Duration = Duration::from_secs(5);

/// How long connections may take to close, once the jobs have ended or had their time.
const CLOSE: Duration = Duration::from_secs(3);

#[derive(Debug, clap::Args)]
#[command(
    mut_arg("store", |arg| store_help(arg, "With it, jobs and answers outlive the process; it has the keys, too")),
    after_help = "\
Examples:
  # try it: no account, no file; the sandbox answers test pictures
  drag-solver serve
  # a chain of yours, jobs that survive, and keys for those who may use it
  drag-solver keys add shop --per-day 5 --store drags.db
  drag-solver serve --config chain.toml --store drags.db --listen 0.0.0.0:8080
  # for clients that speak TLS only: a certificate for these names, and the authority to trust
  drag-solver serve --tls-listen 127.0.0.1:8443 --tls-self-signed localhost --tls-authority ca.pem"
)]
pub(crate) struct Args {
    #[command(flatten)]
    chain: ChainArgs,

    #[command(flatten)]
    store: StoreArgs,

    /// Listen here for plain HTTP; can be given again [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address)]
    listen: Vec<SocketAddr>,

    /// Listen here for TLS; can be given again. Alone, it takes the place of plain HTTP
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address)]
    tls_listen: Vec<SocketAddr>,

    /// The certificate for TLS, with those between it and its authority, in PEM
    #[arg(long, value_name = "PEM", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,

    /// The key of the certificate, in PEM
    #[arg(long, value_name = "PEM", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,

    /// Make a certificate for these names, signed by an authority that is made for it and whose key is never written
    #[arg(long, value_name = "NAME", num_args = 1.., conflicts_with = "tls_certificate")]
    tls_self_signed: Vec<String>,

    /// Where the certificate of that authority is written: what clients have to trust
    #[arg(long, value_name = "PEM", requires = "tls_self_signed")]
    tls_authority: Option<PathBuf>,

    /// The address at which providers reach this gateway: they are asked to call when an answer is there
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,

    /// What the log on standard error looks like
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log: LogFormat,
}

impl Args {
    /// What the options say, or else the file.
    fn door(&self, file: Door) -> Door {
        let or = |own: &Option<PathBuf>, file| own.clone().or(file);
        let mut file = file;
        if self.tls_certificate.is_some() || !self.tls_self_signed.is_empty() {
            (file.tls_certificate, file.tls_key) = (None, None);
            file.tls_self_signed.clear();
        }
        if self.tls_certificate.is_some() {
            file.tls_authority = None;
        }
        let mut door = Door {
            listen: first(&self.listen, file.listen),
            tls_listen: first(&self.tls_listen, file.tls_listen),
            tls_certificate: or(&self.tls_certificate, file.tls_certificate),
            tls_key: or(&self.tls_key, file.tls_key),
            tls_self_signed: first(&self.tls_self_signed, file.tls_self_signed),
            tls_authority: or(&self.tls_authority, file.tls_authority),
            public_url: self.public_url.clone().or(file.public_url),
        };
        door.listen_somewhere();
        door
    }
}

fn first<T: Clone>(own: &[T], file: Vec<T>) -> Vec<T> {
    if own.is_empty() { file } else { own.to_vec() }
}

pub(crate) async fn run(args: &Args, verbose: u8) -> anyhow::Result<Exit> {
    logging::start_for_service(verbose, args.log);
    if args.log == LogFormat::Json {
        console::log_lines();
    }
    serve_chain(args).await
}

async fn serve_chain(args: &Args) -> anyhow::Result<Exit> {
    let mut source = args.chain.source(None, None, &args.store)?;
    let settings = std::mem::take(&mut source.gateway);
    let door = args.door(settings.door);
    let receiver = door.callback_receiver();
    let receiver = receiver.map_err(|error| error.renamed("--public-url"))?;
    let source = source.with_callbacks(receiver.as_ref());

    let parts = if source.config.store.is_some() {
        ChainParts::default()
    } else {
        ChainParts::default().store(&SqliteStore::in_memory(Clock::system())?)
    };
    let bare = source.build_with(parts)?;
    let store = bare.store().context("no store")?.clone();
    let keys = Keys::open(&store).await?;
    check_open(&keys, &door)?;
    let chain = with_budgets(&keys, &bare, &source, args.chain.config.as_deref())?;
    if args.chain.config.is_some() {
        for note in check::notes(&chain, &source) {
            eprint_line(&format!("note: {note}"));
        }
    }
    if let Some(note) = door.note() {
        eprint_line(&format!("note: {note}"));
    }

    let metrics = PrometheusBuilder::new().install_recorder()?;
    drag_solver::describe_metrics();
    drag_solver_gateway::describe_metrics();
    let mut gateway = Gateway::builder(chain, keys.clone())
        .policy(settings.policy)
        .metrics({
            let metrics = metrics.clone();
            move || metrics.render()
        });
    gateway = gateway.operators(registry::desk(), practice());
    if let Some(receiver) = &receiver {
        gateway = gateway.callback_receiver(receiver);
    }
    if args.chain.config.is_some() {
        let (chain_args, store_args) = (args.chain.clone(), args.store.clone());
        let receiver = receiver.clone();
        gateway = gateway.reload(move |old| {
            let chain = reloaded(&chain_args, &store_args, receiver.as_ref(), old);
            chain.map_err(|error| format!("{error:#}"))
        });
    }
    let opened = open(&door).await?;
    if let Some(certificates) = opened.certificates.clone() {
        gateway = gateway.own_names(move |name| certificates.is_for(name));
    }
    let gateway = gateway.build()?;
    if source.config.store.is_none() {
        eprint_line("note: jobs and answers end with this process; --store FILE keeps them");
    }
    let mut how = how_to_come_in(&opened, &door, keys.is_open());
    if source
        .config
        .providers
        .iter()
        .any(|provider| provider.kind() == registry::PERSON)
    {
        how.push(format!(
            "  people who answer: {}/operator, with a key of `keys add NAME --operator`",
            opened.url(&door)
        ));
    }
    if let Some(receiver) = &receiver {
        let url = receiver.public_url();
        how.push(format!(
            "  providers whose protocol has calls are asked to call below {url}"
        ));
    }
    for line in opened.lines.iter().chain(&how) {
        console::print(line).context("cannot write to standard output")?;
    }
    serve(&gateway, opened.listeners, opened.certificates, metrics).await
}

/// How a client gets an answer, in a few lines.
fn how_to_come_in(opened: &Opened, door: &Door, takes_any_key: bool) -> Vec<String> {
    let key = if takes_any_key {
        ""
    } else {
        " -H 'Authorization: Bearer KEY'"
    };
    let tls = opened.tls_url(door);
    let (is_plain, url) = (opened.plain.is_some(), opened.url(door));
    let authority = door.authority().filter(|_| tls.is_some());
    let trust = authority.map(|path| shell_word(&path));
    let cacert = trust.as_ref().filter(|_| !is_plain);
    let cacert = cacert
        .map(|path| format!("--cacert {path} "))
        .unwrap_or_default();
    let mut lines = vec![
        format!("  curl {cacert}--data-binary @picture.png {url}/v1/drags{key}"),
        format!("  clients of createTask (Anti-Captcha, 2Captcha, omocaptcha): base address {url}"),
    ];
    let mut in_php = format!("  clients of in.php (2Captcha): {url}/in.php");
    if tls.is_none() {
        in_php += "; those that speak TLS only: --tls-listen";
    }
    lines.push(in_php);
    if let Some(tls) = tls.filter(|_| is_plain) {
        let trust = trust
            .map(|path| format!(", and trust {path}"))
            .unwrap_or_default();
        lines.push(format!("  those that speak TLS only: {tls}{trust}"));
    }
    lines
}

/// With no key, only this machine may ask.
fn check_open(keys: &Keys, door: &Door) -> anyhow::Result<()> {
    if !keys.is_open() {
        return Ok(());
    }
    if let Some(address) = door.reachable() {
        bail!(
            "{address} can be reached from other machines, and there is no key, so that anybody could spend your money: \
             make one with `drag-solver keys add NAME --store FILE`, or listen on 127.0.0.1"
        );
    }
    eprint_line("note: there are no keys, and so any key is taken, from this machine alone");
    Ok(())
}

/// The chain with what each key may spend.
fn with_budgets(
    keys: &Keys,
    bare: &Chain,
    source: &ChainSource,
    file: Option<&Path>,
) -> anyhow::Result<Chain> {
    let chain = source.build_with(bare.parts().spend_also_from(keys.budget()));
    let Err(error) = chain else { return chain };
    // Where a price is not known, no key may have a limit on money.
    let Some(name) = keys.limited_in_money() else {
        keys.refuse_limits_on_money();
        return Ok(bare.clone());
    };
    let file = file.map_or_else(|| "a chain's file (--config)".to_owned(), file_name);
    Err(error.context(format!(
        "the key of {name} has a limit on money (--per-day or --total), which counts what answers cost: set the price of \
         each provider in {file}"
    )))
}

fn reloaded(
    chain: &ChainArgs,
    store: &StoreArgs,
    receiver: Option<&CallbackReceiver>,
    old: &Chain,
) -> anyhow::Result<Chain> {
    let source = chain.source(None, None, store)?;
    source.with_callbacks(receiver).rebuild(old)
}

/// What clients come in by.
#[derive(Default)]
struct Opened {
    listeners: Vec<Listener>,
    /// The first address for plain HTTP, and the first for TLS.
    plain: Option<SocketAddr>,
    tls: Option<SocketAddr>,
    certificates: Option<Certificates>,
    /// Where it listens, for who started it.
    lines: Vec<String>,
}

impl Opened {
    /// Where clients are sent that speak both.
    fn url(&self, door: &Door) -> String {
        let url = self.plain.map(|address| format!("http://{address}"));
        url.or_else(|| self.tls_url(door)).unwrap_or_default()
    }

    /// Where clients that speak TLS are sent, by a name that is in the certificate.
    fn tls_url(&self, door: &Door) -> Option<String> {
        let (address, certificates) = (self.tls?, self.certificates.as_ref()?);
        let own = door.tls_self_signed.iter().map(String::as_str);
        let own = own.filter(|name| !name.starts_with('*'));
        let ip = address.ip().to_string();
        let mut names = ["localhost", ip.as_str()].into_iter().chain(own);
        let name = names.find(|name| certificates.is_for(name));
        let port = address.port();
        Some(match name {
            Some(name) if name.contains(':') => format!("https://[{name}]:{port}"),
            Some(name) => format!("https://{name}:{port}"),
            None => format!("https://NAME-IN-THE-CERTIFICATE:{port}"),
        })
    }
}

/// Takes all ports, and only then writes anything: another gateway may have them, and what it has written.
async fn open(door: &Door) -> anyhow::Result<Opened> {
    let certificate = door.certificate()?;
    let mut opened = Opened::default();
    for address in &door.listen {
        let port = bind(*address, "--listen").await?;
        let address = port.local_addr()?;
        opened.plain.get_or_insert(address);
        opened.lines.push(format!("listening on http://{address}"));
        opened.listeners.push(Listener::plain(port));
    }
    let mut ports = Vec::new();
    for address in &door.tls_listen {
        ports.push(bind(*address, "--tls-listen").await?);
    }
    let Some(certificate) = certificate else {
        return Ok(opened);
    };
    let certificates = certificate.put_in_use()?;
    for port in ports {
        let address = port.local_addr()?;
        opened.tls.get_or_insert(address);
        opened.lines.push(format!("listening on https://{address}"));
        opened.listeners.push(Listener::tls(port, &certificates));
    }
    opened.certificates = Some(certificates);
    Ok(opened)
}

async fn bind(address: SocketAddr, option: &str) -> anyhow::Result<TcpListener> {
    let port = TcpListener::bind(address).await;
    port.with_context(|| {
        format!("cannot listen on {address}: choose another address with {option}")
    })
}

/// Serves until the process is told to stop, and then lets jobs end for a while.
async fn serve(
    gateway: &Gateway,
    listeners: Vec<Listener>,
    certificates: Option<Certificates>,
    metrics: PrometheusHandle,
) -> anyhow::Result<Exit> {
    let (close, closed) = oneshot::channel::<()>();
    let closed = async { drop(closed.await) };
    // By then nothing is held, and what is asked is answered at once.
    let policy = ListenPolicy::default().drain(CLOSE);
    let server = listen::serve(listeners, gateway.router(), policy, closed);
    let server = tokio::spawn(server);
    let (stop, stopped) = oneshot::channel::<()>();
    let work = tokio::spawn({
        let gateway = gateway.clone();
        async move { gateway.run(async { drop(stopped.await) }).await }
    });
    let upkeep = tokio::spawn(async move {
        let mut turns = interval(UPKEEP);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            turns.tick().await;
            metrics.run_upkeep();
        }
    });
    signals::service(|| {
        match gateway.reload() {
            Ok(()) => eprint_line("the chain was read again; [gateway] counts from the next start"),
            Err(error) => eprint_line(&format!("error: the chain stays as it is: {error}")),
        }
        match certificates.as_ref().map(Certificates::reload) {
            Some(Ok(true)) => eprint_line("the certificate was read again"),
            Some(Err(error)) => {
                eprint_line(&format!("error: the certificate stays as it is: {error}"));
            }
            _ => {} // none, or one that was made for this process
        }
    })
    .await;
    eprint_line("stopping: jobs under way may end; with a store, the rest is on record");
    drop(stop);
    tokio::select! {
        ended = work => ended.context("the work on jobs")?,
        _ = signals::interruption() => {}
    }
    registry::desk().close();
    drop(close);
    server.await.context("the server")??;
    upkeep.abort();
    Ok(Exit::Success)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn a_certificate_of_the_options_takes_the_place_of_the_files() {
        let of_files = Door {
            tls_certificate: Some("a.pem".into()),
            tls_key: Some("a.key".into()),
            ..Door::default()
        };
        let of_names = Door {
            tls_self_signed: vec!["a.example".to_owned()],
            tls_authority: Some("ca.pem".into()),
            ..Door::default()
        };
        let door = |options: &str, file: &Door| {
            let line = ["serve"].into_iter().chain(options.split(' '));
            Line::parse_from(line).args.door(file.clone())
        };
        let made = door("--tls-self-signed b.example", &of_files);
        assert_eq!((made.tls_certificate, made.tls_key), (None, None));
        assert_eq!(made.tls_self_signed, ["b.example"]);
        let read = door("--tls-certificate b.pem --tls-key b.key", &of_names);
        assert_eq!(read.tls_key, Some("b.key".into()));
        assert!(read.tls_self_signed.is_empty());
        assert_eq!(read.tls_authority, None);
        let made = door("--tls-self-signed b.example", &of_names);
        assert_eq!(made.tls_authority, of_names.tls_authority);
        let as_in_the_file = door("--listen 127.0.0.1:1", &of_files);
        assert_eq!(as_in_the_file.tls_key, of_files.tls_key);
    }
}
